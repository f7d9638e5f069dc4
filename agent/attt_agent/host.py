"""The only door to the machine: files, commands, processes, interfaces, sockets.

Probes take a `Host` and nothing else, so that a recorded machine (`recorded.py`) can stand in for
the real one. Every method says why it could not look by raising `HostError`; none of them answers
"nothing" for "could not look".
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Dict, FrozenSet, List, Optional, Protocol, Sequence, Tuple

from attt_rules.contract import Unreadable

if TYPE_CHECKING:
    import subprocess

MAX_READ_BYTES = 1024 * 1024
MAX_OUTPUT_BYTES = 1024 * 1024  # of stdout and of stderr, each

# Not the caller's PATH: a run as root must not pick up a program from a home folder.
_POSIX_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
_UNKNOWN_SPEEDS_MBPS = (0, 65535)  # psutil's 0, and what some drivers say for "no idea"


class HostError(Exception):
    """The machine could not be asked; `reason` is what a fact says then, `detail` is for people."""

    def __init__(self, reason: Unreadable, detail: str) -> None:
        super().__init__("%s: %s" % (reason.value, detail))
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class CommandResult:
    """What a program answered; its texts are UTF-8 with what is not UTF-8 replaced."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Interface:
    """One network interface, loopback included; `addresses` are IPv4 and IPv6 without prefix."""

    name: str
    up: bool
    speed_bits_per_second: Optional[int]
    addresses: Tuple[str, ...]
    mac: Optional[str]


class Host(Protocol):
    """A machine that can be asked. Every method may raise `HostError`."""

    @property
    def platform(self) -> str:
        """ "linux" or "windows"."""

    def now(self) -> datetime:
        """The machine's clock, aware, UTC. Never raises."""

    def hostname(self) -> str: ...

    def read_text(self, path: str, max_bytes: int = MAX_READ_BYTES) -> str:
        """The whole file; one that is longer than `max_bytes` is `malformed`, never cut."""

    def read_head(self, path: str, max_bytes: int = 65536) -> str:
        """The first `max_bytes` of a file that may be long (a log)."""

    def list_dir(self, path: str) -> Tuple[str, ...]:
        """Names in a folder, sorted."""

    def exists(self, path: str) -> bool:
        """Follows links; raises when a folder on the way may not be entered."""

    def modified_at(self, path: str) -> datetime:
        """Aware, UTC."""

    def read_link(self, path: str) -> str:
        """The target of a symbolic link, as written; `not_found` for what is not a link."""

    def run(self, argv: Sequence[str], timeout_seconds: float = 10.0) -> CommandResult:
        """Run a program in the C locale without input.

        A program that is missing is `not_found`, a late one `timeout` (it and its children are
        killed), one that says more than 1 MiB `malformed`. A non-zero exit code is an answer.
        """

    def interfaces(self) -> Tuple[Interface, ...]: ...

    def process_names(self) -> FrozenSet[str]: ...

    def tcp_reachable(self, address: str, port: int, timeout_seconds: float = 3.0) -> bool:
        """Whether a TCP connection opens; refused and no answer are both False.

        A name that cannot be resolved is `not_found`.
        """


def host_error_of(error: OSError, what: str) -> HostError:
    """The `HostError` that says what an operating system error means for `what` (a path)."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        reason = Unreadable.NOT_FOUND
    elif isinstance(error, PermissionError):
        reason = Unreadable.ACCESS_DENIED
    elif isinstance(error, TimeoutError):
        reason = Unreadable.TIMEOUT
    elif error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENODEV, errno.ENXIO):
        reason = Unreadable.NOT_SUPPORTED
    elif error.errno == errno.EINVAL and what.startswith("/sys/"):
        reason = Unreadable.NOT_SUPPORTED  # sysfs: e.g. `speed` of an interface that is down
    else:
        reason = Unreadable.MALFORMED
    return HostError(reason, "%s: %s" % (what, error.strerror or type(error).__name__))


def people_of(host: Host) -> Dict[str, str]:
    """Login names of people on this machine (never written into facts) → "uid:1000".

    Accounts of services (below 1000) and `nobody` are not people. Empty when the list of accounts
    cannot be read.
    """
    try:
        accounts = host.read_text("/etc/passwd")
    except HostError:
        return {}
    people: Dict[str, str] = {}
    for line in accounts.splitlines():
        fields = line.split(":")
        if len(fields) >= 7 and fields[2].isdigit() and 1000 <= int(fields[2]) < 65534:
            people[fields[0]] = "uid:%s" % fields[2]
    return people


class LocalHost:
    """The machine this program runs on."""

    @property
    def platform(self) -> str:
        return "windows" if sys.platform == "win32" else "linux"

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def hostname(self) -> str:
        import socket

        return socket.gethostname()

    def read_text(self, path: str, max_bytes: int = MAX_READ_BYTES) -> str:
        raw = _read_bytes(path, max_bytes + 1)
        if len(raw) > max_bytes:
            raise HostError(Unreadable.MALFORMED, "%s: longer than %d bytes" % (path, max_bytes))
        return raw.decode("utf-8", "replace")

    def read_head(self, path: str, max_bytes: int = 65536) -> str:
        return _read_bytes(path, max_bytes).decode("utf-8", "replace")

    def list_dir(self, path: str) -> Tuple[str, ...]:
        try:
            return tuple(sorted(os.listdir(path)))
        except OSError as error:
            raise host_error_of(error, path) from error

    def exists(self, path: str) -> bool:
        try:
            os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise host_error_of(error, path) from error
        return True

    def modified_at(self, path: str) -> datetime:
        try:
            return datetime.fromtimestamp(os.stat(path).st_mtime, timezone.utc)
        except OSError as error:
            raise host_error_of(error, path) from error
        except (OverflowError, ValueError) as error:
            raise HostError(Unreadable.MALFORMED, "%s: %s" % (path, error)) from error

    def read_link(self, path: str) -> str:
        try:
            return os.readlink(path)
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise HostError(Unreadable.NOT_FOUND, "%s: not a link" % path) from error
            raise host_error_of(error, path) from error

    def run(self, argv: Sequence[str], timeout_seconds: float = 10.0) -> CommandResult:
        return _run(tuple(argv), timeout_seconds)

    def interfaces(self) -> Tuple[Interface, ...]:
        import socket

        import psutil

        try:
            stats = psutil.net_if_stats()
            by_name = psutil.net_if_addrs()
        except (OSError, psutil.Error) as error:
            raise _psutil_error(error, "interfaces") from error
        found: List[Interface] = []
        for name in sorted(set(stats) | set(by_name)):
            state = stats.get(name)
            addresses: List[str] = []
            mac: Optional[str] = None
            for entry in by_name.get(name, ()):
                if entry.family in (socket.AF_INET, socket.AF_INET6):
                    addresses.append(entry.address.split("%", 1)[0])
                elif entry.family == psutil.AF_LINK and entry.address:
                    mac = entry.address.lower().replace("-", ":")
            speed = state.speed if state is not None else 0
            found.append(
                Interface(
                    name=name,
                    up=state is not None and state.isup,
                    speed_bits_per_second=(
                        None if speed in _UNKNOWN_SPEEDS_MBPS else speed * 1_000_000
                    ),
                    addresses=tuple(addresses),
                    mac=mac,
                )
            )
        return tuple(found)

    def process_names(self) -> FrozenSet[str]:
        import psutil

        try:
            names = {process.info["name"] for process in psutil.process_iter(["name"])}
        except (OSError, psutil.Error) as error:
            raise _psutil_error(error, "processes") from error
        return frozenset(name for name in names if name)

    def tcp_reachable(self, address: str, port: int, timeout_seconds: float = 3.0) -> bool:
        import socket

        try:
            with socket.create_connection((address, port), timeout=timeout_seconds):
                return True
        except socket.gaierror as error:
            raise HostError(Unreadable.NOT_FOUND, "%s: name not resolved" % address) from error
        except PermissionError as error:
            raise host_error_of(error, "%s:%d" % (address, port)) from error
        except OSError:
            return False


def _psutil_error(error: Exception, what: str) -> HostError:
    import psutil

    if isinstance(error, OSError):
        return host_error_of(error, what)
    denied = isinstance(error, psutil.AccessDenied)
    reason = Unreadable.ACCESS_DENIED if denied else Unreadable.MALFORMED
    return HostError(reason, "%s: %s" % (what, type(error).__name__))


def _read_bytes(path: str, max_bytes: int) -> bytes:
    try:
        # A FIFO or a device would block or never end; /proc and /sys files count as regular.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise HostError(Unreadable.MALFORMED, "%s: not a regular file" % path)
        with open(path, "rb", buffering=0) as stream:
            chunks: List[bytes] = []
            left = max_bytes
            while left > 0:
                chunk = stream.read(min(left, 65536))
                if not chunk:
                    break
                chunks.append(chunk)
                left -= len(chunk)
            return b"".join(chunks)
    except OSError as error:
        raise host_error_of(error, path) from error


def _run(argv: Tuple[str, ...], timeout_seconds: float) -> CommandResult:
    import shutil
    import subprocess

    deadline = time.monotonic() + timeout_seconds
    environment = {k: v for k, v in os.environ.items() if k not in ("LANGUAGE", "LC_ALL")}
    environment["LC_ALL"] = "C"
    environment["SYSTEMD_COLORS"] = "0"
    if sys.platform != "win32":
        environment["PATH"] = _POSIX_PATH
    program = shutil.which(argv[0], path=environment.get("PATH"))
    if program is None:
        raise HostError(Unreadable.NOT_FOUND, "program %s" % argv[0])
    try:
        process = subprocess.Popen(  # noqa: S603 (no shell; argv comes from our own probes)
            (program, *argv[1:]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=os.path.abspath(os.sep),
            bufsize=0,
            # A group of its own, so that a time-out ends the program's children too.
            start_new_session=sys.platform != "win32",
            creationflags=0x08000000 if sys.platform == "win32" else 0,  # CREATE_NO_WINDOW
        )
    except OSError as error:
        raise host_error_of(error, "program %s" % argv[0]) from error
    assert process.stdout is not None  # noqa: S101 (PIPE above)
    assert process.stderr is not None  # noqa: S101
    readers = (_PipeReader(process.stdout), _PipeReader(process.stderr))
    late = False
    try:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            late = True
        for reader in readers:
            reader.join(max(0.0, deadline - time.monotonic()) if not late else 0.0)
            # A grandchild that keeps the pipe open is late as well.
            late = late or reader.is_alive()
    finally:
        if late or process.returncode is None:
            _kill_group(process)
            process.wait()
        for reader in readers:
            reader.join(1.0)
            reader.close()
    if any(reader.overflowed for reader in readers):
        raise HostError(Unreadable.MALFORMED, "%s: more than 1 MiB of output" % argv[0])
    if late:
        raise HostError(Unreadable.TIMEOUT, "%s: no answer in %g s" % (argv[0], timeout_seconds))
    stdout, stderr = (reader.text() for reader in readers)
    return CommandResult(process.returncode, stdout, stderr)


class _PipeReader(threading.Thread):
    """Drains one pipe of a child, so that a full pipe can never stop the child."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._chunks: List[bytes] = []
        self.overflowed = False
        self.start()

    def run(self) -> None:
        held = 0
        while True:
            chunk = self._stream.read(65536)
            if not chunk:
                return
            held += len(chunk)
            if held > MAX_OUTPUT_BYTES:
                self.overflowed = True
                self._chunks.clear()  # keep draining, keep nothing
            else:
                self._chunks.append(chunk)

    def text(self) -> str:
        return b"".join(self._chunks).decode("utf-8", "replace")

    def close(self) -> None:
        # A reader still blocked belongs to a grandchild that left the group; its pipe is left
        # to the end of this short run rather than closed under a running read.
        if not self.is_alive():
            self._stream.close()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        import psutil

        try:
            children = psutil.Process(process.pid).children(recursive=True)
        except psutil.Error:
            children = []
        for child in children:
            try:
                child.kill()
            except psutil.Error:
                continue  # it ended by itself in the meantime
        process.kill()
    else:
        import signal

        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # it ended by itself in the meantime
