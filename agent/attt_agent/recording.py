"""Writing a real machine down, for tests and for questions to the developers.

The folder format is described in docs/dinh-dang-ban-ghi.md. Names of people and of the machine,
serial numbers, MAC addresses and password hashes are replaced before anything reaches the disk.
"""

from __future__ import annotations

import json
import posixpath
import re
import threading
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple, TypeVar

from attt_agent.host import (
    MAX_READ_BYTES,
    CommandResult,
    Host,
    HostError,
    Interface,
    people_of,
)
from attt_agent.recorded import FORMAT, RecordingError
from attt_rules.contract import Text, Unreadable

# Same shape as what it replaces, so that parsers see what they would see on the real machine.
HASH_PLACEHOLDER = "$6$matkhauthaythe$" + "x" * 86
SERIAL_FILES = (
    "/etc/machine-id",
    "/sys/class/dmi/id/board_asset_tag",
    "/sys/class/dmi/id/board_serial",
    "/sys/class/dmi/id/chassis_asset_tag",
    "/sys/class/dmi/id/chassis_serial",
    "/sys/class/dmi/id/product_serial",
    "/sys/class/dmi/id/product_uuid",
    "/var/lib/dbus/machine-id",
)
_MAC = re.compile(r"(?<![0-9A-Fa-f:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:-])")
_HOME = re.compile(r"/home/([^/\s:\"']+)")

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
            clean = _Replacement(
                _names_of(self._real, self._folders.get("/home", ())),
                self._names.get("hostname"),
                {path: text for path, text in texts.items() if path in SERIAL_FILES},
            )
            for path, text in texts.items():
                target = folder / "files" / posixpath.normpath(clean(path)).lstrip("/")
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


class _Replacement:
    """Takes out of every text what names a person or this very machine."""

    def __init__(
        self, people: Sequence[str], hostname: Optional[str], serial_files: Mapping[str, str]
    ) -> None:
        self._macs: Dict[str, str] = {}
        self._homes: Dict[str, str] = {}
        self._words: Dict[str, str] = {}
        for number, name in enumerate(people, start=1):
            self._homes[name] = self._words[name] = "user%d" % number
        if hostname:
            self._words[hostname] = "may-1"
            self._words.setdefault(hostname.split(".", 1)[0], "may-1")
        for text in serial_files.values():
            serial = text.strip()
            if len(serial) >= 5:  # shorter ones ("None", "0") are no serial numbers
                self._words[serial] = re.sub(r"[0-9A-Za-z]", "0", serial)
        # The longest first: "an-pc" before "an".
        ordered = sorted(self._words, key=len, reverse=True)
        self._pattern = re.compile(
            r"(?<![\w.-])(%s)(?![\w-])" % "|".join(re.escape(word) for word in ordered)
            if ordered
            else r"(?!)"
        )

    def __call__(self, text: str) -> str:
        text = _HOME.sub(lambda found: "/home/%s" % self._home(found.group(1)), text)
        text = self._pattern.sub(lambda found: self._words[found.group(1)], text)
        return _MAC.sub(lambda found: self._mac(found.group(0)), text)

    def file(self, path: str, text: str) -> str:
        if path in ("/etc/shadow", "/etc/gshadow"):
            text = "\n".join(_without_hash(line) for line in text.split("\n"))
        elif path == "/etc/passwd":
            text = "\n".join(_without_full_name(line) for line in text.split("\n"))
        elif path == "/etc/os-release":
            return text  # names no person; an account called "debian" must not change it
        elif path in SERIAL_FILES and len(text.strip()) >= 5:
            return re.sub(r"[0-9A-Za-z]", "0", text)
        return self(text)

    def json(self, value: Any) -> Any:
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(str(key)): self.json(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.json(part) for part in value]
        return value

    def _home(self, name: str) -> str:
        # Home folders of people who are not in /etc/passwd (domain accounts) count on.
        return self._homes.setdefault(name, "user%d" % (len(self._homes) + 1))

    def _mac(self, mac: str) -> str:
        plain = mac.lower().replace("-", ":")
        if plain in ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"):
            return mac
        if plain not in self._macs:
            self._macs[plain] = "02:00:00:00:%02x:%02x" % divmod(len(self._macs) + 1, 256)
        return self._macs[plain]


def _names_of(host: Host, homes: Sequence[str]) -> List[str]:
    # People of a domain have a home folder here and no line in /etc/passwd.
    return sorted(set(people_of(host)).union(homes) - {"lost+found"})


def _without_hash(line: str) -> str:
    fields = line.split(":")
    if len(fields) < 2 or fields[1] in ("", "!", "*", "!!", "!*", "x"):
        return line
    locked = "!" if fields[1].startswith("!") else ""
    fields[1] = locked + HASH_PLACEHOLDER
    return ":".join(fields)


def _without_full_name(line: str) -> str:
    fields = line.split(":")
    if len(fields) >= 7 and fields[2].isdigit() and int(fields[2]) >= 1000:
        fields[4] = ""
    return ":".join(fields)


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
