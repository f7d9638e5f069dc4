"""A Debian 12 machine with its own systemd, and a network that leads nowhere else.

Two network namespaces of this process's own: `control` holds a bridge with 10.77.0.1, and stands
for the office where Ansible and the collector run; `guest` is the machine at 10.77.0.19. Neither
has a route to anything else, so what the guest gets, it gets without Internet.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

CONTROL_ADDRESS = "10.77.0.1"
GUEST_ADDRESS = "10.77.0.19"
HOST_NAME = "may-thu"
SUITE = "bookworm"
# What a Debian server has anyway, with a packet filter and a time daemon to be asked about; no
# python3-venv and no pip, because a unit's machine has none either.
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "iproute2", "ca-certificates",
    "nftables", "iptables", "chrony",
)  # fmt: skip
DEBOOTSTRAP_SECONDS = 900
BOOT_SECONDS = 90
STOP_SECONDS = 30


@dataclass(frozen=True)
class Machine:
    """A running guest; `ssh_options` reach it from `control` and from nowhere else."""

    control: str
    address: str
    ssh_options: tuple[str, ...]

    def inside_control(self, argv: Sequence[str | Path]) -> list[str]:
        """The command as one that runs in the control namespace."""
        return ["ip", "netns", "exec", self.control, *(str(word) for word in argv)]

    def run(self, command: str, *, timeout_seconds: float = 60) -> str:
        """Standard output of a shell command as root on the guest; a failure raises."""
        done = self._ssh(command, timeout_seconds)
        assert done.returncode == 0, f"{command} → {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def exit_code(self, command: str) -> int:
        return self._ssh(command, 60).returncode

    def _ssh(self, command: str, timeout_seconds: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.inside_control(["ssh", *self.ssh_options, f"root@{self.address}", command]),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=timeout_seconds,
        )  # fmt: skip


@contextmanager
def running_machine(rootfs: Path) -> Iterator[Machine]:
    """Unpack the tar file `rootfs`, boot it, and leave nothing behind."""
    with ExitStack() as stack:
        # Not pytest's tmp_path, which keeps the 350 MB of the last three runs.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attt-nspawn-")))
        root = folder / "root"
        root.mkdir()
        _call("tar", "-C", root, "--numeric-owner", "-xf", rootfs)
        ssh_options = _let_in(root, folder)
        control, guest = (f"attt-{name}-{os.getpid()}" for name in ("control", "guest"))
        _make_network(control, guest, stack)
        machine = Machine(control, GUEST_ADDRESS, ssh_options)
        stack.enter_context(_booted(root, guest, folder / "console.log"))
        _wait_until_up(machine, folder / "console.log")
        yield machine


def cached_rootfs(tar: Path) -> Path:
    """`tar`, made when it is absent or holds other packages than are wanted now."""
    recipe, wanted = tar.with_name(f"{tar.name}.packages"), f"{SUITE} {' '.join(PACKAGES)}\n"
    if not tar.exists() or not recipe.exists() or recipe.read_text("utf-8") != wanted:
        _make_rootfs(tar)
        recipe.write_text(wanted, "utf-8")
    return tar


def _make_rootfs(tar: Path) -> None:
    """Debian 12 from the mirror that this machine's apt uses; about two minutes, 300 MB."""
    tar.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="attt-rootfs-") as place:
        root, mirror = Path(place) / "root", _mirror()
        _call(
            "debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, root,
            mirror, timeout_seconds=DEBOOTSTRAP_SECONDS,
        )  # fmt: skip
        # With the lists of the security suite, or the machine could not say what it is missing.
        sources = f"deb {mirror} {SUITE} main\ndeb {mirror}-security {SUITE}-security main\n"
        (root / "etc/apt/sources.list").write_text(sources, "utf-8")
        _call("chroot", root, "apt-get", "update", timeout_seconds=DEBOOTSTRAP_SECONDS)
        _call("chroot", root, "apt-get", "clean")
        # debootstrap copies this from the machine it runs on.
        (root / "etc/resolv.conf").write_text("", "utf-8")
        part = tar.with_name(f"{tar.name}.{os.getpid()}")
        _call("tar", "-C", root, "--numeric-owner", "-cf", part, ".")
        part.replace(tar)


def _mirror() -> str:
    """The first mirror of apt's deb822 or one-line sources; comments may hold addresses, too."""
    etc = Path("/etc/apt")
    sources = [*sorted(etc.glob("sources.list.d/*.sources")), etc / "sources.list"]
    for source in sources:
        for line in source.read_text("utf-8").splitlines() if source.exists() else ():
            words = line.split()
            if words[:1] == ["URIs:"] and "security" not in line:
                return words[1].rstrip("/")
            if words[:1] == ["deb"] and "security" not in line:
                return next(word for word in words if word.startswith("http")).rstrip("/")
    pytest.fail("apt on this machine names no mirror of Debian in /etc/apt")


def _let_in(root: Path, folder: Path) -> tuple[str, ...]:
    """Names the guest, lets a new key in, and notes the guest's own key; the options for ssh."""
    key, known_hosts = folder / "key", folder / "known_hosts"
    _call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    (root / "etc/hostname").write_text(f"{HOST_NAME}\n", "utf-8")
    authorized = root / "root/.ssh/authorized_keys"
    authorized.parent.mkdir(mode=0o700, exist_ok=True)
    authorized.write_text(key.with_suffix(".pub").read_text("utf-8"), "utf-8")
    host_key = (root / "etc/ssh/ssh_host_ed25519_key.pub").read_text("utf-8")
    known_hosts.write_text(f"{GUEST_ADDRESS} {host_key}", "utf-8")
    return (
        "-F", "/dev/null", "-i", str(key), "-o", f"UserKnownHostsFile={known_hosts}",
        "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5",
    )  # fmt: skip


def _make_network(control: str, guest: str, stack: ExitStack) -> None:
    for name in (control, guest):
        _call("ip", "netns", "add", name)
        stack.callback(_call, "ip", "netns", "delete", name)
    for name, command in (
        (control, "link set lo up"),
        (control, "link add bridge0 type bridge"),
        (control, f"addr add {CONTROL_ADDRESS}/24 dev bridge0"),
        (control, "link set bridge0 up"),
        (control, f"link add port0 type veth peer name host0 netns {guest}"),
        (control, "link set port0 master bridge0 up"),
        (guest, f"addr add {GUEST_ADDRESS}/24 dev host0"),
        (guest, "link set host0 up"),
        (guest, "link set lo up"),
    ):
        _call("ip", "-n", name, *command.split())


@contextmanager
def _booted(root: Path, guest: str, console: Path) -> Iterator[None]:
    with console.open("wb") as log:
        # Without --console=pipe and a session of its own it stops on SIGTTOU and hangs for ever;
        # --register=no and --keep-unit because the host may have no systemd. CAP_NET_ADMIN rules
        # the guest's own namespace only, and is what its packet filter asks for.
        process = subprocess.Popen(
            [
                "systemd-nspawn", "--quiet", f"--directory={root}", "--register=no", "--keep-unit",
                f"--network-namespace-path=/run/netns/{guest}", f"--machine={guest}",
                "--resolv-conf=off", "--capability=CAP_NET_ADMIN",
                "--console=pipe", "--boot",
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True, env={**os.environ, "SYSTEMD_NSPAWN_LOCK": "0"},
        )  # fmt: skip
        try:
            yield
        finally:
            _power_off(process)


def _power_off(process: subprocess.Popen[bytes]) -> None:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    inner = [int(pid) for pid in children.read_text("utf-8").split()] if children.exists() else []
    for pid in inner:
        # What systemd takes as "power off"; killing only systemd-nspawn would leave it running.
        os.kill(pid, signal.SIGRTMIN + 4)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        for pid in inner:
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait()


def _wait_until_up(machine: Machine, console: Path) -> None:
    end = time.monotonic() + BOOT_SECONDS
    while machine.exit_code("systemctl is-system-running --wait >/dev/null") != 0:
        said = console.read_text("utf-8", "replace")[-2000:]
        assert time.monotonic() < end, f"the guest did not come up in {BOOT_SECONDS} s:\n{said}"
        time.sleep(0.5)


def _call(*argv: str | Path, timeout_seconds: float = 120) -> None:
    done = subprocess.run(
        [str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=timeout_seconds,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(map(str, argv))}\n{done.stdout[-2000:]}"
