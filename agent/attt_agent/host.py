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
from datetime import datetime, timezone
from typing import (
    Dict,
    FrozenSet,
    List,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Tuple,
)

from attt_agent.answers import (
    AccountPolicy,
    CommandResult,
    HostError,
    Interface,
    LocalAccount,
    RegistryValue,
    Service,
    host_error_of,
)
from attt_rules.contract import Unreadable

__all__ = (
    "AccountPolicy",
    "CommandResult",
    "Host",
    "HostError",
    "Interface",
    "LocalAccount",
    "LocalHost",
    "RegistryValue",
    "Service",
    "host_error_of",
    "people_of",
)

MAX_READ_BYTES = 1024 * 1024
_UNKNOWN_SPEEDS_MBPS = (0, 65535)  # psutil's 0, and what some drivers say for "no idea"


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

    # What only Windows has; `not_supported` elsewhere.

    def registry_value(self, key: str, name: str) -> RegistryValue:
        r"""A value of `HKLM\SOFTWARE\…` (or HKU, HKCU, HKCR), always of the 64-bit view.

        `name` "" is the key's default value. A missing value and a missing key are both
        `not_found`: who concludes from an absence first sees by `registry_names` that the key
        could be read. EXPAND_SZ is not expanded.
        """

    def registry_names(self, key: str) -> Tuple[str, ...]:
        """Names of the values in a key, sorted; `not_found` when there is no such key."""

    def registry_keys(self, key: str) -> Tuple[str, ...]:
        """Names of the sub-keys of a key, sorted; `not_found` when there is no such key."""

    def wmi(
        self, namespace: str, query: str, timeout_seconds: float = 10.0
    ) -> Tuple[Mapping[str, object], ...]:
        r"""Rows of a WQL query, e.g. in `root\cimv2`: property to int, float, str, bool, None or
        a tuple of those. Unsigned and 64-bit numbers are ints; DATETIME stays CIM's text.

        A missing namespace or class is `not_supported`, an empty answer is `()`.
        """

    def services(self) -> Mapping[str, Service]:
        """Every service and driver, by its key name ("wscsvc"), never by its display name."""

    def account_policy(self) -> AccountPolicy:
        """What this machine demands of the passwords of its local accounts."""

    def local_accounts(self) -> Tuple[LocalAccount, ...]:
        """Every local user account, disabled ones too, sorted by RID."""

    def security_center(self) -> Mapping[str, str]:
        """What Windows Security Center thinks, by provider: "antivirus", "firewall",
        "automatic_updates", "user_account_control" to "good", "not_monitored", "poor" or
        "snooze". Windows Server has none: `not_supported`.
        """


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
            return tuple(sorted(os.listdir(_native(path))))
        except OSError as error:
            raise host_error_of(error, path) from error

    def exists(self, path: str) -> bool:
        try:
            os.stat(_native(path))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise host_error_of(error, path) from error
        return True

    def modified_at(self, path: str) -> datetime:
        try:
            return datetime.fromtimestamp(os.stat(_native(path)).st_mtime, timezone.utc)
        except OSError as error:
            raise host_error_of(error, path) from error
        except (OverflowError, ValueError) as error:
            raise HostError(Unreadable.MALFORMED, "%s: %s" % (path, error)) from error

    def read_link(self, path: str) -> str:
        try:
            return os.readlink(_native(path))
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise HostError(Unreadable.NOT_FOUND, "%s: not a link" % path) from error
            raise host_error_of(error, path) from error

    def run(self, argv: Sequence[str], timeout_seconds: float = 10.0) -> CommandResult:
        from attt_agent import programs

        return programs.run(argv, timeout_seconds, _end_tree)

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

        names: List[str] = []
        try:
            for process in psutil.process_iter():
                try:
                    names.append(process.name())
                except (OSError, psutil.Error):
                    continue  # it ended meanwhile, or nobody may see its name
        except (OSError, psutil.Error) as error:
            raise _psutil_error(error, "processes") from error
        if not names:
            raise HostError(Unreadable.ACCESS_DENIED, "processes: not one name can be read")
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

    def registry_value(self, key: str, name: str) -> RegistryValue:
        from attt_agent.windows import registry

        return registry.value(key, name)

    def registry_names(self, key: str) -> Tuple[str, ...]:
        from attt_agent.windows import registry

        return registry.value_names(key)

    def registry_keys(self, key: str) -> Tuple[str, ...]:
        from attt_agent.windows import registry

        return registry.sub_keys(key)

    def wmi(
        self, namespace: str, query: str, timeout_seconds: float = 10.0
    ) -> Tuple[Mapping[str, object], ...]:
        from attt_agent.windows import wmi

        return wmi.rows(namespace, query, timeout_seconds)

    def services(self) -> Mapping[str, Service]:
        from attt_agent.windows import services

        return services.all_services()

    def account_policy(self) -> AccountPolicy:
        from attt_agent.windows import accounts

        return accounts.policy()

    def local_accounts(self) -> Tuple[LocalAccount, ...]:
        from attt_agent.windows import accounts

        return accounts.local_accounts(self.now())

    def security_center(self) -> Mapping[str, str]:
        from attt_agent.windows import security_center

        return security_center.health()


def _psutil_error(error: Exception, what: str) -> HostError:
    import psutil

    if isinstance(error, OSError):
        return host_error_of(error, what)
    denied = isinstance(error, psutil.AccessDenied)
    reason = Unreadable.ACCESS_DENIED if denied else Unreadable.MALFORMED
    return HostError(reason, "%s: %s" % (what, type(error).__name__))


def _native(path: str) -> str:
    if sys.platform == "win32":
        from attt_agent.windows.redirection import native_path

        path = native_path(path, os.environ)
    return path


def _read_bytes(path: str, max_bytes: int) -> bytes:
    try:
        # A FIFO or a device would block or never end; /proc and /sys files count as regular.
        if not stat.S_ISREG(os.stat(_native(path)).st_mode):
            raise HostError(Unreadable.MALFORMED, "%s: not a regular file" % path)
        with open(_native(path), "rb", buffering=0) as stream:
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


def _end_tree(process_id: int) -> None:
    if sys.platform == "win32":
        import psutil

        try:
            children = psutil.Process(process_id).children(recursive=True)
        except psutil.Error:
            children = []
        for child in children:
            try:
                child.kill()
            except psutil.Error:
                continue  # it ended by itself in the meantime
    else:
        import signal

        try:
            os.killpg(process_id, signal.SIGKILL)
        except ProcessLookupError:
            return  # it ended by itself in the meantime
