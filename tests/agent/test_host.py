"""The real machine, through the one door."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from attt_agent.host import HostError, LocalHost, people_of
from attt_agent.recorded import RecordedHost
from attt_rules.contract import Unreadable

HOST = LocalHost()


def reason_of(call: object, *arguments: object) -> Unreadable:
    with pytest.raises(HostError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.reason


def test_it_works(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("Tường lửa")
    (tmp_path / "a").mkdir()
    (tmp_path / "l").symlink_to("b")
    assert HOST.read_text(str(tmp_path / "b")) == "Tường lửa"
    assert HOST.list_dir(str(tmp_path)) == ("a", "b", "l")
    assert HOST.exists(str(tmp_path / "a"))
    assert not HOST.exists(str(tmp_path / "b" / "c"))
    assert HOST.read_link(str(tmp_path / "l")) == "b"
    assert HOST.now().tzinfo is UTC
    assert HOST.hostname()
    assert HOST.platform == "linux"


def test_it_replaces_what_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"a\xffb")
    assert HOST.read_text(str(tmp_path / "f")) == "a\ufffdb"


def test_it_says_not_found_for_what_is_missing(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    for call in (HOST.read_text, HOST.read_head, HOST.list_dir, HOST.modified_at, HOST.read_link):
        assert reason_of(call, missing) == Unreadable.NOT_FOUND
    (tmp_path / "f").write_text("x")
    assert reason_of(HOST.read_link, str(tmp_path / "f")) == Unreadable.NOT_FOUND


def test_it_never_cuts_a_long_file_silently(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 101)
    path = str(tmp_path / "f")
    assert len(HOST.read_text(path, 101)) == 101
    assert reason_of(HOST.read_text, path, 100) == Unreadable.MALFORMED
    assert HOST.read_head(path, 100) == "x" * 100


def test_it_does_not_hang_on_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert reason_of(HOST.read_text, str(tmp_path / "pipe")) == Unreadable.MALFORMED


@pytest.mark.parametrize("call", ["read_text", "list_dir", "exists"])
def test_it_says_access_denied(call: str) -> None:
    # root may read everything, so a child that is nobody asks
    code = (
        "import os, sys\n"
        "from attt_agent.host import LocalHost, HostError\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try:\n"
        f"    LocalHost().{call}(sys.argv[1])\n"
        "except HostError as error:\n"
        "    print(error.reason.value)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        closed = Path(folder) / "closed"
        closed.mkdir()
        (closed / "f").write_text("x")
        closed.chmod(0)
        path = closed if call == "list_dir" else closed / "f"
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        closed.chmod(0o700)
    assert done.stdout.strip() == "access_denied"


def test_it_gives_the_time_of_a_file_in_utc(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    os.utime(tmp_path / "f", (1_790_000_000, 1_790_000_000))
    expected = datetime.fromtimestamp(1_790_000_000, UTC)
    assert expected == HOST.modified_at(str(tmp_path / "f"))


def test_it_runs_a_program_in_the_c_locale_without_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    monkeypatch.setenv("LANGUAGE", "vi")
    result = HOST.run(["sh", "-c", "echo $LC_ALL $LANGUAGE; cat; echo oops >&2; exit 3"])
    assert (result.exit_code, result.stdout, result.stderr) == (3, "C\n", "oops\n")


def test_it_says_not_found_for_a_program_that_is_not_there() -> None:
    assert reason_of(HOST.run, ["attt-no-such-program"]) == Unreadable.NOT_FOUND


def test_it_kills_a_late_program_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    began = time.monotonic()
    with pytest.raises(HostError) as caught:
        HOST.run(["sh", "-c", f"sleep 60 & echo $! > {pid_file}; wait"], timeout_seconds=0.3)
    assert caught.value.reason == Unreadable.TIMEOUT
    assert time.monotonic() - began < 5
    child = int(pid_file.read_text())
    for _ in range(100):
        if not _is_running(child):
            break
        time.sleep(0.02)
    assert not _is_running(child)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # a zombie waits only for its parent


def test_it_calls_endless_output_malformed() -> None:
    argv = ["sh", "-c", "head -c 3000000 /dev/zero"]
    assert reason_of(HOST.run, argv) == Unreadable.MALFORMED


def test_it_lists_the_loopback_interface() -> None:
    loopback = {entry.name: entry for entry in HOST.interfaces()}["lo"]
    assert "127.0.0.1" in loopback.addresses
    assert loopback.speed_bits_per_second is None


def test_it_names_running_processes() -> None:
    assert Path("/proc/self/comm").read_text().strip()[:6] in {
        name[:6] for name in HOST.process_names()
    }


def test_it_knows_an_open_port_from_a_closed_one() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert not HOST.tcp_reachable("127.0.0.1", port)
        listener.listen()
        assert HOST.tcp_reachable("127.0.0.1", port)


def test_it_says_not_found_for_a_name_that_does_not_resolve() -> None:
    assert reason_of(HOST.tcp_reachable, "no-such-host.invalid", 1) == Unreadable.NOT_FOUND


def test_it_knows_people_from_services() -> None:
    accounts = (
        b"root:x:0:0::/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n"
        b"an.nguyen:x:1001:1001:Nguyen Van An:/home/an.nguyen:/bin/bash\nbroken line\n"
    )
    host = RecordedHost(files={"/etc/passwd": accounts})
    assert people_of(host) == {"an.nguyen": "uid:1001"}
    assert people_of(RecordedHost()) == {}
