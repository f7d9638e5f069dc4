"""`ansible/agents.yml` on a machine with a real systemd, against a real collector, offline.

The story is played once, in `story`; each test looks at one thing of it. About two minutes, and two
more when the root file system has to be made. $ATTT_ROOTFS_CACHE names where that is kept.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from attt_collector.settings import CollectorFolder
from attt_collector.store import assets, snapshots, units
from attt_collector.store.db import Store
from tests.ansible.nspawn import CONTROL_ADDRESS, HOST_NAME, Machine, cached_rootfs, running_machine

pytestmark = pytest.mark.nspawn

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
UNIT = "don-vi-thu"
SERVER = f"https://{CONTROL_ADDRESS}:8443"
WRONG_CODE = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG"
PLAY_SECONDS = 240
TOOLS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ansible-playbook": "pip: ansible-core",
}
# What a guest needs so that there is something to be read: a person with a password, a firewall
# of either kind, a time daemon that answers (-x: it never touches the clock, which is the host's).
PREPARATION = """
set -e
useradd --create-home --shell /bin/bash canbo
echo canbo:Mat-khau.1 | chpasswd
cat >/etc/nftables.conf <<'END'
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    tcp dport 22 accept
    meta l4proto ipv6-icmp accept
  }
}
END
systemctl enable --now nftables
update-alternatives --quiet --set iptables /usr/sbin/iptables-legacy
iptables --append FORWARD --protocol tcp --dport 5 --jump DROP
systemd-run --quiet --unit=chronyd-test chronyd -x -d -n 'local stratum 8'
"""


@dataclass(frozen=True)
class Play:
    """How one run of ansible-playbook ended, and all it said."""

    exit_code: int
    said: str

    @property
    def changed(self) -> int:
        """Tasks that changed something, by the recap; -1 without one."""
        found = re.search(r"\bchanged=(\d+)", self.said)
        return int(found.group(1)) if found else -1


@dataclass(frozen=True)
class Story:
    """What happened, in the order of the fields.

    Args:
        left_by_check_mode: paths that were there after the first check mode.
        timer: properties of attt.timer after `first`.
        said_by_agent, warned: what the agent said in the journal until after `first`, and what
            anybody said about attt.service at priority warning or above.
        sent, read_by_root: facts without their time, by key and item: out of the snapshot that the
            service sent, and as `attt facts` says them to root without the hardening.
        evaluated: `attt-collector evaluate --json`.
        back: the play after the collector, which was stopped for `away`, is running again.
        stored: snapshots that the collector holds at the end.
    """

    code: str
    check_fresh: Play
    left_by_check_mode: str
    wrong_code: Play
    first: Play
    timer: str
    said_by_agent: str
    warned: str
    sent: dict[tuple[str, str | None], Any]
    read_by_root: dict[tuple[str, str | None], Any]
    evaluated: dict[str, Any]
    second: Play
    check: Play
    away: Play
    back: Play
    stored: int


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    _need_tools()
    place = tmp_path_factory.mktemp("agents-play")
    default = Path.home() / ".cache/attt/rootfs.tar"
    rootfs = cached_rootfs(Path(os.environ.get("ATTT_ROOTFS_CACHE", default)))
    _call(ROOT / "deploy/wheelhouse.sh", "--python", "3.11", "--out", place / "wheelhouse")
    folder = CollectorFolder(place / "collector")
    _collector(folder, "init", "--listen", CONTROL_ADDRESS, "--name", CONTROL_ADDRESS)
    _collector(folder, "units", "import", ROOT / "deploy/demo/don-vi.csv")
    issued = _collector(folder, "enrol-code", UNIT)
    found = re.search(r"--code (\S+) --ca-sha256 (\S+)", issued)
    assert found, issued
    code, fingerprint = found.groups()
    with running_machine(rootfs) as machine:
        machine.run(PREPARATION)
        inventory = _inventory(machine, place, fingerprint)

        def play(*arguments: str) -> Play:
            return _play(machine, place, inventory, *arguments)

        def with_code(code: str) -> tuple[str, ...]:
            return ("-vvv", "-e", f"attt_enrol_code={code}")

        with _serving(machine, folder):
            check_fresh = play("--check", *with_code(code))
            left = machine.run("ls -d /opt/attt /var/lib/attt /etc/systemd/system/attt.* || true")
            wrong_code = play(*with_code(WRONG_CODE))
            first = play(*with_code(code))
            timer = machine.run("systemctl show attt.timer -p ActiveState,UnitFileState,Unit")
            journal = "journalctl --quiet --output=cat"
            said = machine.run(f"{journal} _SYSTEMD_UNIT=attt.service")
            warned = machine.run(f"{journal} --unit=attt.service --priority=warning")
            sent = _sent(folder)
            by_root = json.loads(
                machine.run("/opt/attt/bin/attt --state-dir /var/lib/attt facts --json")
            )
            evaluated = json.loads(_collector(folder, "evaluate", "--unit", UNIT, "--json"))
            second, check = play(), play("--check")
        away = play()
        with _serving(machine, folder):
            back = play()
    yield Story(
        code=code, check_fresh=check_fresh, left_by_check_mode=left, wrong_code=wrong_code,
        first=first, timer=timer, said_by_agent=said, warned=warned, sent=_timeless(sent[-1]),
        read_by_root=_timeless(by_root), evaluated=evaluated, second=second, check=check,
        away=away, back=back, stored=len(_sent(folder)),
    )  # fmt: skip


def test_it_works(story: Story) -> None:
    assert story.first.exit_code == 0, story.first.said
    names = [asset["name"] for asset in story.evaluated["assets"] if asset["kind"] == "pc"]
    assert names == [HOST_NAME]


def test_the_timer_is_enabled_and_waits(story: Story) -> None:
    expected = {"ActiveState=active", "UnitFileState=enabled", "Unit=attt.service"}
    assert set(story.timer.split()) == expected


def test_the_second_time_nothing_changes(story: Story) -> None:
    assert (story.second.exit_code, story.second.changed) == (0, 0), story.second.said
    assert (story.check.exit_code, story.check.changed) == (0, 0), story.check.said


def test_check_mode_on_a_fresh_machine_says_what_it_would_do_and_does_nothing(story: Story) -> None:
    assert story.check_fresh.exit_code == 0, story.check_fresh.said
    assert story.check_fresh.changed > 0
    assert story.left_by_check_mode == ""


def test_a_wrong_code_fails_with_the_agents_own_words(story: Story) -> None:
    assert story.wrong_code.exit_code == 2
    assert "ATTT-201" in story.wrong_code.said
    assert "mã ghi danh không đúng" in story.wrong_code.said


def test_the_code_is_never_printed(story: Story) -> None:
    assert story.code not in story.check_fresh.said
    assert story.code not in story.first.said
    assert WRONG_CODE not in story.wrong_code.said


def test_a_collector_that_is_away_fails_with_the_agents_own_words(story: Story) -> None:
    assert story.away.exit_code == 2
    assert "ATTT-270" in story.away.said
    assert "1 bản chụp đang giữ trong /var/lib/attt/spool" in story.away.said
    assert story.away.changed == 0


def test_what_was_kept_is_sent_when_the_collector_is_back(story: Story) -> None:
    assert story.back.exit_code == 0, story.back.said
    # first, second, away and back; check mode sends nothing.
    assert story.stored == 4


def test_the_hardening_hides_nothing_from_the_probes(story: Story) -> None:
    assert story.sent == story.read_by_root
    # Not because neither could look: each of these needs something that a sandbox may forbid.
    expected = {
        ("account.password_set", "uid:1000"): True,  # /etc/shadow
        ("firewall.enabled", "host"): True,  # nft over netlink, iptables-legacy by a raw socket
        ("firewall.inbound_blocked", "host"): True,
        ("time_sync.enabled", None): True,  # the processes of others
        ("time_sync.synchronised", None): False,  # chronyc, which asks the daemon
    }
    assert {key: story.sent[key].get("value") for key in expected} == expected
    for key in ("updates.pending_security_packages", "updates.list_refreshed_at",
                "log.oldest_event_at"):  # fmt: skip
        assert "unreadable" not in story.sent[key, None], story.sent[key, None]


def test_the_service_says_one_line_and_no_warning(story: Story) -> None:
    assert story.said_by_agent == f"Đã gửi 1 bản chụp tới {SERVER}.\n"
    assert story.warned == ""


def _need_tools() -> None:
    missing = [f"{tool} ({what})" for tool, what in TOOLS.items() if not _where(tool)]
    if os.geteuid() != 0:
        missing.append("root")
    if missing:
        pytest.fail(f"this needs {', '.join(missing)}", pytrace=False)


def _where(tool: str) -> str | None:
    """Beside this Python, too: `.venv/bin/pytest` does not put its folder on the PATH."""
    return shutil.which(tool) or shutil.which(tool, path=str(BIN))


def _inventory(machine: Machine, place: Path, fingerprint: str) -> Path:
    inventory = place / "inventory.ini"
    lines = [
        "[attt_agents]",
        f"{HOST_NAME} ansible_host={machine.address}",
        "[attt_agents:vars]",
        "ansible_user=root",
        "ansible_python_interpreter=/usr/bin/python3",
        f"ansible_ssh_common_args={' '.join(machine.ssh_options)}",
        f"attt_server={SERVER}",
        f"attt_ca_sha256={fingerprint}",
        f"attt_wheelhouse={place / 'wheelhouse'}",
        "attt_agent_kind=pc",
    ]
    inventory.write_text("\n".join(lines) + "\n", "utf-8")
    return inventory


def _play(machine: Machine, place: Path, inventory: Path, *arguments: str) -> Play:
    playbook = _where("ansible-playbook")
    assert playbook
    argv = [playbook, "-i", str(inventory), str(ROOT / "ansible/agents.yml"), *arguments]
    done = subprocess.run(
        machine.inside_control(argv),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        encoding="utf-8", check=False, timeout=PLAY_SECONDS,
        env={
            **os.environ, "ANSIBLE_HOME": str(place / "ansible"), "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1", "LC_ALL": "C.UTF-8",
            # The masters of ssh end with the guest's sshd, not a minute later.
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=20s",
        },
    )  # fmt: skip
    return Play(done.returncode, done.stdout)


@contextmanager
def _serving(machine: Machine, folder: CollectorFolder) -> Iterator[None]:
    """`attt-collector serve` in the control namespace."""
    serve = [str(BIN / "attt-collector"), "--data", str(folder.path), "serve"]
    with (folder.path / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            machine.inside_control(serve), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=log, text=True, env={**os.environ, "PYTHONUTF8": "1"},
        )  # fmt: skip
        assert process.stdout is not None
        try:
            # The first line is the address, said when it listens.
            assert process.stdout.readline(), (folder.path / "serve.log").read_text("utf-8")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def _collector(folder: CollectorFolder, *arguments: str | Path) -> str:
    return _call(BIN / "attt-collector", "--data", folder.path, *arguments)


def _call(*argv: str | Path) -> str:
    done = subprocess.run(
        [str(word) for word in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        encoding="utf-8", check=False, timeout=300,
        env={**os.environ, "PYTHONUTF8": "1", "PYTHON": sys.executable},
    )  # fmt: skip
    assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"
    return done.stdout


def _sent(folder: CollectorFolder) -> list[list[dict[str, Any]]]:
    """The facts of every snapshot that the collector holds of the one PC, oldest first."""
    now = datetime.now(UTC)
    with Store.open(folder.database_url) as store, store.read() as conn:
        (unit,) = (unit for unit in units.all_on(conn, now.date()) if unit.code == UNIT)
        pcs = [each for each in assets.in_units(conn, [unit.id], now) if each.public_key]
        stored = [each for pc in pcs for each in reversed(snapshots.history(conn, pc.id))]
        return [
            [fact.to_wire() for fact in snapshots.latest_facts(
                conn, [each.asset_id], each.taken_at
            )[each.asset_id][1]]
            for each in stored
        ]  # fmt: skip


def _timeless(facts: list[dict[str, Any]]) -> dict[tuple[str, str | None], Any]:
    """By key and item, without when each was read."""
    return {
        (fact["key"], fact.get("item")): {k: v for k, v in fact.items() if k != "read_at"}
        for fact in facts
    }
