"""Writing a machine down and asking the paper instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from attt_agent.host import CommandResult, HostError, Interface, LocalHost
from attt_agent.recorded import EPOCH, RecordedHost, RecordingError
from attt_agent.recording import RecordingHost
from attt_agent.redaction import HASH_PLACEHOLDER
from attt_rules.contract import Unreadable

MOMENT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
HASH = "$6$abcdefgh$" + "Q" * 86
MACHINE = RecordedHost(
    host_name="PC-KETOAN",
    moment=MOMENT,
    files={
        "/etc/passwd": (
            b"root:x:0:0:root:/root:/bin/bash\n"
            b"binh:x:1001:1001:Tran Thi Binh,,,:/home/binh:/bin/bash\n"
            b"an:x:1000:1000:Nguyen Van An:/home/an:/bin/bash\n"
        ),
        "/etc/shadow": (
            f"root:*:20000:0:99999:7:::\nan:{HASH}:20000:0:99999:7:::\n"
            f"binh::20000:0:99999:7:::\ncu:!{HASH}:20000:0:99999:7:::\nmoi:!:20000::::::\n"
        ).encode(),
        "/etc/os-release": b'ID=an\nNAME="An toan Linux"\n',
        "/sys/class/dmi/id/product_serial": b"PF3ABC99\n",
        "/home/an/.config/kscreenlockerrc": b"[D]\nTimeout=5\n# an was here, an-toan was not\n",
        "/var/log/boot": b"PC-KETOAN PF3ABC99 3C:52:82:01:02:03 /home/khach/x\n",
    },
    folders={"/home": ("an", "binh", "khach")},
    links={"/sys/class/net/eth0/device": "../../../0000:00:1f.6"},
    modified={"/etc/shadow": MOMENT},
    present=frozenset({"/sys"}),
    commands={
        ("nft", "list"): CommandResult(0, "ether 3c:52:82:01:02:03 host PC-KETOAN\n", ""),
        ("false",): CommandResult(1, "", "no"),
    },
    network=(
        Interface("eth0", True, 1_000_000_000, ("10.0.0.5",), "3c:52:82:01:02:03"),
        Interface("lo", True, None, ("127.0.0.1", "::1"), "00:00:00:00:00:00"),
    ),
    processes=frozenset({"systemd", "klnagent64"}),
    tcp={"10.0.0.1:443": True},
    errors={"read_text /etc/gshadow": Unreadable.ACCESS_DENIED},
)


def recorded(folder: Path, ask: Callable[[RecordingHost], object]) -> RecordedHost:
    recording = RecordingHost(MACHINE)
    ask(recording)
    recording.write(folder / "may")
    return RecordedHost.load(folder / "may")


def ask_everything(host: RecordingHost) -> None:
    host.hostname()
    for path in MACHINE.files:
        host.read_text(path)
    host.list_dir("/home")
    host.read_link("/sys/class/net/eth0/device")
    host.modified_at("/etc/shadow")
    assert host.exists("/sys")
    assert not host.exists("/opt/kaspersky")
    host.run(["nft", "list"])
    host.run(["false"])
    host.interfaces()
    host.process_names()
    host.tcp_reachable("10.0.0.1", 443)
    for path in ("/etc/gshadow", "/etc/missing"):
        with pytest.raises(HostError):
            host.read_text(path)


def test_it_works(tmp_path: Path) -> None:
    replay = recorded(tmp_path, ask_everything)
    assert replay.platform == "linux"
    assert replay.now() == MOMENT
    assert replay.run(["false"]) == CommandResult(1, "", "no")
    assert replay.read_link("/sys/class/net/eth0/device") == "../../../0000:00:1f.6"
    assert replay.modified_at("/etc/shadow") == MOMENT
    assert replay.exists("/sys")
    assert not replay.exists("/opt/kaspersky")
    assert replay.process_names() == MACHINE.processes
    assert replay.tcp_reachable("10.0.0.1", 443)
    for path, reason in (
        ("/etc/gshadow", Unreadable.ACCESS_DENIED),
        ("/etc/missing", Unreadable.NOT_FOUND),
    ):
        with pytest.raises(HostError) as caught:
            replay.read_text(path)
        assert caught.value.reason == reason


def test_nothing_personal_reaches_the_disk(tmp_path: Path) -> None:
    recorded(tmp_path, ask_everything)
    files = [path for path in (tmp_path / "may").rglob("*") if path.is_file()]
    said = "\n".join([path.read_text() + str(path.relative_to(tmp_path)) for path in files])
    for secret in (
        "PC-KETOAN",
        "PF3ABC99",
        "3c:52:82",
        "3C:52:82",
        "binh",
        "Binh",
        "Nguyen",
        "khach",
        "abcdefgh",
        "QQQ",
        "/home/an",
    ):
        assert secret not in said, secret


def test_it_replaces_names_consistently(tmp_path: Path) -> None:
    replay = recorded(tmp_path, ask_everything)
    assert replay.hostname() == "may-1"
    assert replay.list_dir("/home") == ("user1", "user2", "user3")
    assert "user1:x:1000:1000::/home/user1:/bin/bash" in replay.read_text("/etc/passwd")
    config = replay.read_text("/home/user1/.config/kscreenlockerrc")
    assert config.endswith("# user1 was here, an-toan was not\n")
    assert replay.read_text("/var/log/boot") == ("may-1 00000000 02:00:00:00:00:01 /home/user3/x\n")
    assert replay.run(["nft", "list"]).stdout == "ether 02:00:00:00:00:01 host may-1\n"
    assert [entry.mac for entry in replay.interfaces()] == [
        "02:00:00:00:00:01",
        "00:00:00:00:00:00",
    ]
    assert replay.read_text("/sys/class/dmi/id/product_serial") == "00000000\n"


def test_an_account_name_does_not_change_the_system(tmp_path: Path) -> None:
    replay = recorded(tmp_path, ask_everything)
    assert replay.read_text("/etc/os-release") == 'ID=an\nNAME="An toan Linux"\n'


def test_it_keeps_the_shape_of_password_fields(tmp_path: Path) -> None:
    replay = recorded(tmp_path, ask_everything)
    lines = replay.read_text("/etc/shadow").splitlines()
    assert ["*", HASH_PLACEHOLDER, "", "!" + HASH_PLACEHOLDER, "!"] == [
        line.split(":")[1] for line in lines
    ]
    assert len(HASH_PLACEHOLDER) > 100


def test_an_empty_recording_knows_nothing(tmp_path: Path) -> None:
    host = RecordedHost.load(tmp_path)
    assert host.now() == EPOCH
    for ask in (
        host.hostname,
        host.interfaces,
        host.process_names,
        lambda: host.read_text("/etc/passwd"),
        lambda: host.read_head("/etc/passwd"),
        lambda: host.list_dir("/"),
        lambda: host.exists("/etc/passwd"),
        lambda: host.modified_at("/etc/passwd"),
        lambda: host.read_link("/etc/localtime"),
        lambda: host.run(["true"]),
        lambda: host.tcp_reachable("127.0.0.1", 1),
    ):
        with pytest.raises(HostError) as caught:
            ask()
        assert caught.value.reason == Unreadable.NOT_FOUND


def test_folders_come_from_the_files_in_them() -> None:
    host = RecordedHost(files={"/etc/pam.d/login": b"x", "/etc/pam.d/sshd": b"y"})
    assert host.list_dir("/etc/pam.d") == ("login", "sshd")
    assert host.list_dir("/") == ("etc",)
    assert host.exists("/etc/pam.d")
    assert not host.exists("/etc/pam")


def test_it_limits_reading_like_the_real_machine() -> None:
    host = RecordedHost(files={"/f": b"12345"})
    assert host.read_head("/f", 3) == "123"
    with pytest.raises(HostError) as caught:
        host.read_text("/f", 3)
    assert caught.value.reason == Unreadable.MALFORMED


def test_it_refuses_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("x")
    with pytest.raises(RecordingError) as caught:
        RecordingHost(LocalHost()).write(tmp_path)
    assert caught.value.code == "ATTT-305"
    assert str(tmp_path) in caught.value.message.vi


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("host.json", "{"),
        ("host.json", "[]"),
        ("host.json", '{"format": 2}'),
        ("host.json", '{"format": 1, "now": "yesterday"}'),
        ("host.json", '{"format": 1, "interfaces": [{"name": "eth0"}]}'),
        ("commands.json", '[{"exit_code": 0}]'),
        ("errors.json", '{"read_text /x": "no_idea"}'),
        ("mtimes.json", '{"/x": "2026-01-01T00:00:00"}'),
    ],
)
def test_it_names_the_broken_file(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(RecordingError) as caught:
        RecordedHost.load(tmp_path)
    assert caught.value.code == "ATTT-304"
    assert name in caught.value.message.vi


@pytest.mark.parametrize(
    "host",
    [
        {"now": 5},
        {"now": None},
        {"now": "0001-01-01T00:00:00+14:00"},
        {"now": "9999-12-31T23:59:59-14:00"},
        {"now": "0001-01-01T00:00:00+00:00"},
        {"now": "2201-01-01T00:00:00+00:00"},
        {"processes": "x"},
        {"processes": {"x": 1}},
        {"processes": [1]},
        {"present": "/etc"},
        {"absent": "/etc"},
        {"absent": [None]},
        {"interfaces": "eth0"},
        {"interfaces": {"eth0": {}}},
        {"interfaces": ["eth0"]},
        {"interfaces": [{"name": "eth0", "up": "no"}]},
        {"interfaces": [{"name": 5, "up": True}]},
        {"interfaces": [{"name": "eth0", "up": True, "addresses": "10.0.0.5"}]},
        {"interfaces": [{"name": "eth0", "up": True, "speed_bits_per_second": "fast"}]},
        {"interfaces": [{"name": "eth0", "up": True, "mac": 5}]},
        {"tcp": ["10.0.0.1:443"]},
        {"tcp": {"10.0.0.1:443": "no"}},
        {"platform": 5},
        {"hostname": ["a"]},
    ],
    ids=str,
)
def test_it_refuses_a_value_of_another_type_or_a_time_beyond_belief(
    tmp_path: Path, host: dict[str, object]
) -> None:
    (tmp_path / "host.json").write_text(json.dumps({"format": 1, **host}))
    with pytest.raises(RecordingError) as caught:
        RecordedHost.load(tmp_path)
    assert caught.value.code == "ATTT-304"
    assert "host.json" in caught.value.message.vi


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("commands.json", '[{"argv": "nft"}]'),
        ("commands.json", '["nft"]'),
        ("commands.json", '[{"argv": ["nft"], "stdout": 5}]'),
        ("commands.json", '[{"argv": ["nft"], "exit_code": "0"}]'),
        ("folders.json", '{"/etc/pam.d": "login"}'),
        ("links.json", '{"/x": 5}'),
        ("mtimes.json", '{"/x": 5}'),
        ("mtimes.json", '{"/x": "0001-01-01T00:00:00+14:00"}'),
        ("errors.json", '{"read_text /x": 5}'),
        ("errors.json", "[" * 100_000),
    ],
)
def test_it_names_the_file_with_a_value_of_another_type(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(RecordingError) as caught:
        RecordedHost.load(tmp_path)
    assert caught.value.code == "ATTT-304"
    assert name in caught.value.message.vi


def test_it_names_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "links.json").mkdir()
    with pytest.raises(RecordingError) as caught:
        RecordedHost.load(tmp_path)
    assert caught.value.code == "ATTT-304"
    assert "links.json" in caught.value.message.vi


def test_it_says_when_there_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="ATTT-304"):
        RecordedHost.load(tmp_path / "missing")


def test_this_very_machine_can_be_written_down_and_replayed(tmp_path: Path) -> None:
    from attt_agent.probe import ProbeContext, find_all, run_all

    host = RecordingHost(LocalHost())
    host.hostname()
    lived = run_all(find_all(), ProbeContext(host))
    host.write(tmp_path / "may")
    replayed = run_all(find_all(), ProbeContext(RecordedHost.load(tmp_path / "may")))
    assert json.loads((tmp_path / "may" / "host.json").read_text())["hostname"] == "may-1"
    # Some facts name the machine or are as old as the moment; whether they could be read is kept.
    assert {(f.key, f.unreadable) for f in lived} == {(f.key, f.unreadable) for f in replayed}
