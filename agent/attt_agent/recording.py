"""Writing a real machine down, for tests and for questions to the developers.

The folder format is described in docs/dinh-dang-ban-ghi.md. Names of people and of the machine,
serial numbers, MAC addresses and password hashes are replaced before anything reaches the disk.
"""

from __future__ import annotations

import json
import posixpath
import threading
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple, TypeVar

from attt_agent import windows_format
from attt_agent.answers import AccountPolicy, LocalAccount, RegistryValue, Service
from attt_agent.host import (
    MAX_READ_BYTES,
    CommandResult,
    Host,
    HostError,
    Interface,
    people_of,
)
from attt_agent.recorded import FORMAT, RecordingError
from attt_agent.redaction import SERIAL_FILES, Replacement
from attt_agent.windows.registry import written
from attt_agent.windows_redaction import WindowsRedaction
from attt_rules.contract import Text, Unreadable

Answer = TypeVar("Answer")


class RecordingHost:
    """Asks another host and keeps every answer and every failure, for `write`."""

    def __init__(self, real: Host) -> None:
        self._real = real
        self._lock = threading.Lock()  # probes run in threads
        self._heads: Dict[str, str] = {}
        self._texts: Dict[str, str] = {}
        self._folders: Dict[str, Tuple[str, ...]] = {}
        self._links: Dict[str, str] = {}
        self._modified: Dict[str, datetime] = {}
        self._exists: Dict[str, bool] = {}
        self._commands: Dict[Tuple[str, ...], CommandResult] = {}
        self._network: Dict[str, Tuple[Interface, ...]] = {}
        self._processes: Dict[str, FrozenSet[str]] = {}
        self._names: Dict[str, str] = {}
        self._tcp: Dict[str, bool] = {}
        self._errors: Dict[str, Unreadable] = {}
        self._registry: Dict[str, Dict[str, Optional[RegistryValue]]] = {}
        self._registry_below: Dict[str, Tuple[str, ...]] = {}
        self._wmi: Dict[Tuple[str, str], Tuple[Mapping[str, object], ...]] = {}
        self._services: Dict[str, Mapping[str, Service]] = {}
        self._policies: Dict[str, AccountPolicy] = {}
        self._accounts: Dict[str, Tuple[LocalAccount, ...]] = {}
        self._center: Dict[str, Mapping[str, str]] = {}

    @property
    def platform(self) -> str:
        return self._real.platform

    def now(self) -> datetime:
        return self._real.now()

    def hostname(self) -> str:
        return self._kept(("hostname",), self._names, "hostname", self._real.hostname)

    def try_hostname(self) -> None:
        """Learn the host name even when no probe asks, so that it can be taken out."""
        try:
            self.hostname()
        except HostError:
            return  # kept as an error of the recording

    def read_text(self, path: str, max_bytes: int = MAX_READ_BYTES) -> str:
        return self._kept(
            ("read_text", path), self._texts, path, lambda: self._real.read_text(path, max_bytes)
        )

    def read_head(self, path: str, max_bytes: int = 65536) -> str:
        return self._kept(
            ("read_head", path), self._heads, path, lambda: self._real.read_head(path, max_bytes)
        )

    def list_dir(self, path: str) -> Tuple[str, ...]:
        return self._kept(
            ("list_dir", path),
            self._folders,
            path.rstrip("/"),
            lambda: self._real.list_dir(path),
        )

    def exists(self, path: str) -> bool:
        return self._kept(("exists", path), self._exists, path, lambda: self._real.exists(path))

    def modified_at(self, path: str) -> datetime:
        return self._kept(
            ("modified_at", path), self._modified, path, lambda: self._real.modified_at(path)
        )

    def read_link(self, path: str) -> str:
        return self._kept(
            ("read_link", path), self._links, path, lambda: self._real.read_link(path)
        )

    def run(self, argv: Sequence[str], timeout_seconds: float = 10.0) -> CommandResult:
        return self._kept(
            ("run", *argv),
            self._commands,
            tuple(argv),
            lambda: self._real.run(argv, timeout_seconds),
        )

    def interfaces(self) -> Tuple[Interface, ...]:
        return self._kept(("interfaces",), self._network, "", self._real.interfaces)

    def process_names(self) -> FrozenSet[str]:
        return self._kept(("process_names",), self._processes, "", self._real.process_names)

    def tcp_reachable(self, address: str, port: int, timeout_seconds: float = 3.0) -> bool:
        target = "%s:%d" % (address, port)
        return self._kept(
            ("tcp_reachable", target),
            self._tcp,
            target,
            lambda: self._real.tcp_reachable(address, port, timeout_seconds),
        )

    def registry_value(self, key: str, name: str) -> RegistryValue:
        self._look_into(key)
        answer: Dict[str, RegistryValue] = {}
        found = self._kept(
            ("registry_value", written(key), name),
            answer,
            name,
            lambda: self._real.registry_value(key, name),
        )
        with self._lock:
            values = self._registry.setdefault(written(key), {})
            # Windows finds "productname" too; the listed name stays the one in the recording.
            listed = (known for known in values if known.casefold() == name.casefold())
            values[next(listed, name)] = found
        return found

    def registry_names(self, key: str) -> Tuple[str, ...]:
        self._look_into(key)
        answer: Dict[str, Tuple[str, ...]] = {}
        return self._kept(
            ("registry_names", written(key)), answer, key, lambda: self._real.registry_names(key)
        )

    def registry_keys(self, key: str) -> Tuple[str, ...]:
        self._look_into(key)
        return self._kept(
            ("registry_keys", written(key)),
            self._registry_below,
            written(key),
            lambda: self._real.registry_keys(key),
        )

    def _look_into(self, key: str) -> None:
        """Keep the whole list of a key's values and sub-keys as soon as one of them is asked.

        A recording that named only what was asked would make everything else in the key look as
        if it had been looked for and not found.
        """
        with self._lock:
            if written(key) in self._registry:
                return
        try:
            names = self._real.registry_names(key)
            below = self._real.registry_keys(key)
        except HostError:
            return  # the question itself fails as well, and is kept as an error
        with self._lock:
            self._registry.setdefault(written(key), dict.fromkeys(names))
            self._registry_below.setdefault(written(key), below)

    def wmi(
        self, namespace: str, query: str, timeout_seconds: float = 10.0
    ) -> Tuple[Mapping[str, object], ...]:
        return self._kept(
            ("wmi", namespace, query),
            self._wmi,
            (namespace, query),
            lambda: self._real.wmi(namespace, query, timeout_seconds),
        )

    def services(self) -> Mapping[str, Service]:
        return self._kept(("services",), self._services, "", self._real.services)

    def account_policy(self) -> AccountPolicy:
        return self._kept(("account_policy",), self._policies, "", self._real.account_policy)

    def local_accounts(self) -> Tuple[LocalAccount, ...]:
        return self._kept(("local_accounts",), self._accounts, "", self._real.local_accounts)

    def security_center(self) -> Mapping[str, str]:
        return self._kept(("security_center",), self._center, "", self._real.security_center)

    def _kept(
        self,
        call: Tuple[str, ...],
        store: Dict[Any, Answer],
        key: object,
        ask: Callable[[], Answer],
    ) -> Answer:
        try:
            answer = ask()
        except HostError as error:
            with self._lock:
                self._errors[" ".join(call)] = error.reason
            raise
        with self._lock:
            store[key] = answer
        return answer

    def write(self, folder: Path) -> None:
        """Write the recording, with names, serial numbers, MACs and password hashes replaced.

        Raises:
            RecordingError: the folder is not empty, or cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise RecordingError(
                    "ATTT-305",
                    Text(
                        vi="Thư mục %s đã có tệp; bản ghi cần một thư mục trống." % folder,
                        en="The folder %s is not empty; a recording needs one of its own." % folder,
                    ),
                    Text(vi="chọn một thư mục khác.", en="Choose another folder."),
                )
            self._write(folder)
        except OSError as error:
            raise RecordingError(
                "ATTT-306",
                Text(
                    vi="Không ghi được bản ghi vào %s: %s." % (folder, error.strerror),
                    en="Cannot write the recording to %s: %s." % (folder, error.strerror),
                ),
                Text(
                    vi="kiểm tra quyền ghi và dung lượng đĩa.",
                    en="Check the permissions and the free space.",
                ),
            ) from error

    def _write(self, folder: Path) -> None:
        with self._lock:
            texts = {**self._heads, **self._texts}
            errors = {key: reason.value for key, reason in self._errors.items()}
            windows = WindowsRedaction(self._registry, self._wmi)
            clean = Replacement(
                _names_of(self._real, self._folders.get("/home", ())) + windows.people,
                self._names.get("hostname"),
                {
                    **{path: text for path, text in texts.items() if path in SERIAL_FILES},
                    **windows.serials,
                },
                windows,
                ignore_case=self.platform == "windows",
            )
            for path, text in texts.items():
                # On a real Windows `folder / "C:\\x"` would be C:\x itself.
                place = windows_format.place_of(path) if self.platform == "windows" else path
                target = folder / "files" / posixpath.normpath(clean(place)).lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(clean.file(path, text).encode("utf-8", "replace"))
            host: Dict[str, Any] = {
                "format": FORMAT,
                "platform": self.platform,
                "now": self.now().isoformat(),
                "tcp": self._tcp,
                "present": sorted(path for path, there in self._exists.items() if there),
                "absent": sorted(path for path, there in self._exists.items() if not there),
            }
            if "hostname" in self._names:
                host["hostname"] = self._names["hostname"]
            if "" in self._network:
                host["interfaces"] = [_interface_json(entry) for entry in self._network[""]]
            if "" in self._processes:
                host["processes"] = sorted(self._processes[""])
            _write_json(folder / "host.json", clean.json(host))
            _write_json(folder / "folders.json", clean.json(self._folders))
            _write_json(folder / "links.json", clean.json(self._links))
            modified = {path: moment.isoformat() for path, moment in self._modified.items()}
            _write_json(folder / "mtimes.json", clean.json(modified))
            commands = [
                {
                    "argv": list(argv),
                    "exit_code": result.exit_code,
                    "stdout": result.stdout,
                    "stderr": result.stderr,
                }
                for argv, result in self._commands.items()
            ]
            _write_json(folder / "commands.json", clean.json(commands))
            _write_json(folder / "errors.json", clean.json(errors))
            if self.platform == "windows":
                self._write_windows(folder, clean, windows)

    def _write_windows(self, folder: Path, clean: Replacement, windows: WindowsRedaction) -> None:
        registry: Dict[str, Optional[Mapping[str, Optional[RegistryValue]]]] = {
            "%s\\%s" % (key, name): None
            for key, names in self._registry_below.items()
            for name in names
        }
        registry.update({key: windows.values(values) for key, values in self._registry.items()})
        answers = windows_format.WindowsAnswers(
            services=self._services.get(""),
            account_policy=self._policies.get(""),
            local_accounts=self._accounts.get(""),
            security_center=self._center.get(""),
        )
        _write_json(folder / "registry.json", clean.json(windows_format.registry_json(registry)))
        rows = {asked: windows.rows(answer) for asked, answer in self._wmi.items()}
        _write_json(folder / "wmi.json", clean.json(windows_format.wmi_json(rows)))
        _write_json(folder / "windows.json", clean.json(windows_format.answers_json(answers)))


def _names_of(host: Host, homes: Sequence[str]) -> List[str]:
    # People of a domain have a home folder here and no line in /etc/passwd.
    return sorted(set(people_of(host)).union(homes) - {"lost+found"})


def _interface_json(entry: Interface) -> Dict[str, Any]:
    return {
        "name": entry.name,
        "up": entry.up,
        "speed_bits_per_second": entry.speed_bits_per_second,
        "addresses": list(entry.addresses),
        "mac": entry.mac,
    }


def _write_json(path: Path, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    path.write_bytes(text.encode("utf-8", "replace") + b"\n")
