"""A machine on paper: `RecordedHost` answers from what `recording.py` wrote down.

The folder format is described in docs/dinh-dang-ban-ghi.md. What a recording does not hold is
`not_found`; an empty recording therefore knows nothing, and says nothing false.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, FrozenSet, Mapping, Optional, Sequence, Tuple, TypeVar

from attt_agent import windows_format
from attt_agent.answers import AccountPolicy, LocalAccount, RegistryValue, Service
from attt_agent.host import MAX_READ_BYTES, CommandResult, HostError, Interface
from attt_agent.windows.registry import written
from attt_rules.contract import Text, Unreadable, parse_time
from attt_rules.contract.fact import check_time
from attt_rules.errors import AtttError

FORMAT = 1
Answer = TypeVar("Answer")
# A recording without a time is from long ago: every time it names then lies in the future,
# which no rule accepts as fresh.
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class RecordingError(AtttError):
    """A recording that cannot be read or written."""


@dataclass(frozen=True)
class RecordedHost:
    """Replays a recording; made by `load`, or in memory from its parts. `RecordedHost()` is empty.

    Args:
        files: absolute path to content.
        folders: absolute path to the names in it, for folders whose listing was recorded.
        absent: paths that were looked for and were not there.
        errors: "read_text /etc/shadow" or "run nft list ruleset" to the reason of the failure.
        registry: key to its values by name, "" is the default value; a key in the path of another
            exists too. In place of the values None: the key is there, nobody looked into it;
            in place of a value None: the name is there, nobody read the value.
        wmi_rows: (namespace, query) to the answer, word for word the query that a probe asks.
    """

    platform: str = "linux"
    host_name: Optional[str] = None
    moment: datetime = EPOCH
    files: Mapping[str, bytes] = field(default_factory=dict)
    folders: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    modified: Mapping[str, datetime] = field(default_factory=dict)
    present: FrozenSet[str] = frozenset()
    absent: FrozenSet[str] = frozenset()
    commands: Mapping[Tuple[str, ...], CommandResult] = field(default_factory=dict)
    network: Optional[Tuple[Interface, ...]] = None
    processes: Optional[FrozenSet[str]] = None
    tcp: Mapping[str, bool] = field(default_factory=dict)
    errors: Mapping[str, Unreadable] = field(default_factory=dict)
    registry: windows_format.Registry = field(default_factory=dict)
    wmi_rows: Mapping[Tuple[str, str], Tuple[Mapping[str, object], ...]] = field(
        default_factory=dict
    )
    windows_services: Optional[Mapping[str, Service]] = None
    windows_account_policy: Optional[AccountPolicy] = None
    windows_accounts: Optional[Tuple[LocalAccount, ...]] = None
    windows_security_center: Optional[Mapping[str, str]] = None

    @classmethod
    def load(cls, folder: Path) -> RecordedHost:
        """
        Raises:
            RecordingError: no such folder, a file that is not JSON, or a value out of the format.
        """
        if not folder.is_dir():
            raise RecordingError(
                "ATTT-304",
                Text(
                    vi="Không có thư mục bản ghi %s." % folder,
                    en="There is no recording folder %s." % folder,
                ),
                Text(
                    vi="kiểm tra lại đường dẫn; tạo bản ghi bằng «attt record».",
                    en='Check the path; make a recording with "attt record".',
                ),
            )
        return _load(folder)

    def now(self) -> datetime:
        return self.moment

    def hostname(self) -> str:
        self._raise_recorded("hostname")
        if self.host_name is None:
            raise HostError(Unreadable.NOT_FOUND, "hostname: not recorded")
        return self.host_name

    def read_text(self, path: str, max_bytes: int = MAX_READ_BYTES) -> str:
        self._raise_recorded("read_text", path)
        raw = self._bytes(path)
        if len(raw) > max_bytes:
            raise HostError(Unreadable.MALFORMED, "%s: longer than %d bytes" % (path, max_bytes))
        return raw.decode("utf-8", "replace")

    def read_head(self, path: str, max_bytes: int = 65536) -> str:
        self._raise_recorded("read_head", path)
        return self._bytes(path)[:max_bytes].decode("utf-8", "replace")

    def list_dir(self, path: str) -> Tuple[str, ...]:
        self._raise_recorded("list_dir", path)
        listed = self._found(self.folders, path.rstrip("/"))
        if listed is not None:
            return tuple(sorted(listed))
        below = self._place(path).rstrip("/") + "/"
        names = {
            known[len(below) :].split("/", 1)[0]
            for known in self._known_paths()
            if self._same(known[: len(below)], below) and len(known) > len(below)
        }
        if not names:
            raise HostError(Unreadable.NOT_FOUND, path)
        return tuple(sorted(names))

    def exists(self, path: str) -> bool:
        self._raise_recorded("exists", path)
        known = self._known_paths()
        place = self._place(path).rstrip("/") + "/"
        if any(self._same((other + "/")[: len(place)], place) for other in known):
            return True
        if not known and self._found(dict.fromkeys(self.absent, True), path) is None:
            # A recording without a single file never looked at the file system.
            raise HostError(Unreadable.NOT_FOUND, "%s: not recorded" % path)
        return False

    def modified_at(self, path: str) -> datetime:
        self._raise_recorded("modified_at", path)
        moment = self._found(self.modified, path)
        if moment is None:
            raise HostError(Unreadable.NOT_FOUND, path)
        return moment

    def read_link(self, path: str) -> str:
        self._raise_recorded("read_link", path)
        target = self._found(self.links, path)
        if target is None:
            raise HostError(Unreadable.NOT_FOUND, path)
        return target

    def run(self, argv: Sequence[str], timeout_seconds: float = 10.0) -> CommandResult:
        self._raise_recorded("run", *argv)
        result = self.commands.get(tuple(argv))
        if result is None:
            raise HostError(Unreadable.NOT_FOUND, "program %s" % " ".join(argv))
        return result

    def interfaces(self) -> Tuple[Interface, ...]:
        self._raise_recorded("interfaces")
        if self.network is None:
            raise HostError(Unreadable.NOT_FOUND, "interfaces: not recorded")
        return self.network

    def process_names(self) -> FrozenSet[str]:
        self._raise_recorded("process_names")
        if self.processes is None:
            raise HostError(Unreadable.NOT_FOUND, "processes: not recorded")
        return self.processes

    def tcp_reachable(self, address: str, port: int, timeout_seconds: float = 3.0) -> bool:
        target = "%s:%d" % (address, port)
        self._raise_recorded("tcp_reachable", target)
        if target not in self.tcp:
            raise HostError(Unreadable.NOT_FOUND, "%s: not recorded" % target)
        return self.tcp[target]

    def registry_value(self, key: str, name: str) -> RegistryValue:
        self._raise_recorded("registry_value", written(key), name)
        values = self._registry_key(key)
        for known, value in values.items():
            if known.casefold() == name.casefold() and value is not None:
                return value
        raise HostError(Unreadable.NOT_FOUND, "registry %s %s" % (key, name))

    def registry_names(self, key: str) -> Tuple[str, ...]:
        self._raise_recorded("registry_names", written(key))
        return tuple(sorted(self._registry_key(key)))

    def registry_keys(self, key: str) -> Tuple[str, ...]:
        self._raise_recorded("registry_keys", written(key))
        self._registry_key(key)
        below = written(key) + "\\"
        names: Dict[str, str] = {}
        for known in map(written, self.registry):
            if known.casefold().startswith(below.casefold()):
                name = known[len(below) :].split("\\", 1)[0]
                names.setdefault(name.casefold(), name)
        return tuple(sorted(names.values()))

    def wmi(
        self, namespace: str, query: str, timeout_seconds: float = 10.0
    ) -> Tuple[Mapping[str, object], ...]:
        self._raise_recorded("wmi", namespace)
        self._raise_recorded("wmi", namespace, query)
        for (known_namespace, known_query), rows in self.wmi_rows.items():
            if known_namespace.casefold() == namespace.casefold() and known_query == query:
                return rows
        raise HostError(Unreadable.NOT_FOUND, "wmi %s: not recorded: %s" % (namespace, query))

    def services(self) -> Mapping[str, Service]:
        self._raise_recorded("services")
        if self.windows_services is None:
            raise HostError(Unreadable.NOT_FOUND, "services: not recorded")
        return self.windows_services

    def account_policy(self) -> AccountPolicy:
        self._raise_recorded("account_policy")
        if self.windows_account_policy is None:
            raise HostError(Unreadable.NOT_FOUND, "account policy: not recorded")
        return self.windows_account_policy

    def local_accounts(self) -> Tuple[LocalAccount, ...]:
        self._raise_recorded("local_accounts")
        if self.windows_accounts is None:
            raise HostError(Unreadable.NOT_FOUND, "local accounts: not recorded")
        return self.windows_accounts

    def security_center(self) -> Mapping[str, str]:
        self._raise_recorded("security_center")
        if self.windows_security_center is None:
            raise HostError(Unreadable.NOT_FOUND, "Security Center: not recorded")
        return self.windows_security_center

    def _registry_key(self, key: str) -> Mapping[str, Optional[RegistryValue]]:
        wanted = written(key).casefold()
        for known, values in self.registry.items():
            if written(known).casefold() == wanted and values is not None:
                return values
        raise HostError(Unreadable.NOT_FOUND, "registry %s" % key)

    def _bytes(self, path: str) -> bytes:
        raw = self._found(self.files, path)
        if raw is None:
            raise HostError(Unreadable.NOT_FOUND, path)
        return raw

    def _known_paths(self) -> FrozenSet[str]:
        listed = {
            "%s/%s" % (folder, name) for folder, names in self.folders.items() for name in names
        }
        known = listed.union(self.files, self.folders, self.links, self.modified, self.present)
        return frozenset(map(self._place, known))

    def _found(self, known: Mapping[str, Answer], path: str) -> Optional[Answer]:
        if path in known or self.platform != "windows":
            return known.get(path)
        place = self._place(path)
        return next(
            (v for other, v in known.items() if self._same(self._place(other), place)), None
        )

    def _place(self, path: str) -> str:
        return windows_format.place_of(path) if self.platform == "windows" else path

    def _same(self, one: str, other: str) -> bool:
        return one.casefold() == other.casefold() if self.platform == "windows" else one == other

    def _raise_recorded(self, *call: str) -> None:
        said = " ".join(call)
        reason = self.errors.get(said)
        if reason is None and self.platform == "windows" and self.errors:
            # Keys, namespaces and paths are the same in capitals and in small letters there.
            folded = said.casefold()
            reason = next(
                (r for known, r in self.errors.items() if known.casefold() == folded), None
            )
        if reason is not None:
            raise HostError(reason, " ".join(call[1:]) or call[0])


def _load(folder: Path) -> RecordedHost:
    def part(name: str, kind: type) -> Any:
        path = folder / name
        if not path.exists():
            return kind()
        try:
            value = json.loads(path.read_text("utf-8"))
        except OSError as error:
            raise _broken(path, error.strerror or type(error).__name__) from error
        except (ValueError, RecursionError) as error:
            raise _broken(path, str(error)) from error
        if not isinstance(value, kind):
            raise _broken(path, "%s expected" % kind.__name__)
        return value

    current = folder / "host.json"
    try:
        host = part("host.json", dict)
        if host and host.get("format") != FORMAT:
            raise _broken(current, "format %r is not known" % host.get("format"))
        moment = _time(host["now"]) if "now" in host else EPOCH
        check_time(moment, "now")
        network = host.get("interfaces")
        processes = host.get("processes")
        from_host = RecordedHost(
            platform=_typed(host.get("platform", "linux"), str),
            host_name=_typed(host.get("hostname"), str, type(None)),
            moment=moment,
            present=frozenset(_strings(host.get("present", []))),
            absent=frozenset(_strings(host.get("absent", []))),
            network=(
                None if network is None else tuple(_interface(e) for e in _typed(network, list))
            ),
            processes=None if processes is None else frozenset(_strings(processes)),
            tcp={
                key: _typed(open_, bool) for key, open_ in _typed(host.get("tcp", {}), dict).items()
            },
        )
        current = folder / "commands.json"
        commands = dict(_command(entry) for entry in part("commands.json", list))
        current = folder / "errors.json"
        errors = {key: Unreadable(text) for key, text in part("errors.json", dict).items()}
        current = folder / "mtimes.json"
        modified = {key: _time(text) for key, text in part("mtimes.json", dict).items()}
        current = folder / "folders.json"
        folders = {key.rstrip("/"): _strings(n) for key, n in part("folders.json", dict).items()}
        current = folder / "links.json"
        links = {key: _typed(target, str) for key, target in part("links.json", dict).items()}
        current = folder / "registry.json"
        registry = windows_format.registry_of(part("registry.json", dict))
        current = folder / "wmi.json"
        wmi_rows = windows_format.wmi_of(part("wmi.json", list))
        current = folder / "windows.json"
        windows = windows_format.answers_of(part("windows.json", dict))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _broken(current, "%s: %s" % (type(error).__name__, error)) from error
    return replace(
        from_host,
        files=_files(folder / "files"),
        folders=folders,
        links=links,
        modified=modified,
        commands=commands,
        errors=errors,
        registry=registry,
        wmi_rows=wmi_rows,
        windows_services=windows.services,
        windows_account_policy=windows.account_policy,
        windows_accounts=windows.local_accounts,
        windows_security_center=windows.security_center,
    )


def _typed(value: Any, *kinds: type) -> Any:
    """The value when it is of one of the types; true is no number here.

    Raises:
        TypeError: of another type.
    """
    if type(value) not in kinds:
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError("%s expected, not %s" % (expected, repr(value)[:60]))
    return value


def _strings(value: Any) -> Tuple[str, ...]:
    """A list of texts. One text is none: its letters would pass for the items.

    Raises:
        TypeError: something else.
    """
    return tuple(_typed(item, str) for item in _typed(value, list))


def _time(value: Any) -> datetime:
    """In UTC, so that a time at the end of the calendar shows here and not in the middle of a rule.

    Raises:
        TypeError, ValueError: no ISO 8601 text with a zone.
        OverflowError: beyond the calendar.
    """
    return parse_time(_typed(value, str)).astimezone(timezone.utc)


def _command(entry: Any) -> Tuple[Tuple[str, ...], CommandResult]:
    said = _typed(entry, dict)
    result = CommandResult(
        _typed(said.get("exit_code", 0), int),
        _typed(said.get("stdout", ""), str),
        _typed(said.get("stderr", ""), str),
    )
    return _strings(said["argv"]), result


def _interface(value: Any) -> Interface:
    entry = _typed(value, dict)
    return Interface(
        name=_typed(entry["name"], str),
        up=_typed(entry["up"], bool),
        speed_bits_per_second=_typed(entry.get("speed_bits_per_second"), int, type(None)),
        addresses=_strings(entry.get("addresses", [])),
        mac=_typed(entry.get("mac"), str, type(None)),
    )


def _files(folder: Path) -> Dict[str, bytes]:
    found: Dict[str, bytes] = {}
    for parent, _, names in os.walk(str(folder)):
        for name in names:
            path = Path(parent) / name
            try:
                found["/" + path.relative_to(folder).as_posix()] = path.read_bytes()
            except OSError as error:
                raise _broken(path, error.strerror or type(error).__name__) from error
    return found


def _broken(path: Path, problem: str) -> RecordingError:
    return RecordingError(
        "ATTT-304",
        Text(
            vi="Bản ghi hỏng ở %s: %s." % (path, problem),
            en="The recording is broken at %s: %s." % (path, problem),
        ),
        Text(
            vi="sửa tệp theo docs/dinh-dang-ban-ghi.md hoặc ghi lại.",
            en="Mend the file as docs/dinh-dang-ban-ghi.md says, or record again.",
        ),
    )
