"""What in a recording names a person or this very machine, and what stands there instead."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Mapping, Optional, Sequence

from attt_agent.windows_redaction import WindowsRedaction

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


class Replacement:
    """Takes out of every text what names a person or this very machine."""

    def __init__(
        self,
        people: Sequence[str],
        hostname: Optional[str],
        serials: Mapping[str, str],
        windows: WindowsRedaction,
        ignore_case: bool,
    ) -> None:
        self._windows = windows
        self._macs: Dict[str, str] = {}
        self._homes: Dict[str, str] = {}
        self._words: Dict[str, str] = {}
        for number, name in enumerate(people, start=1):
            self._homes[name] = self._words[name] = "user%d" % number
        if hostname:
            self._words[hostname] = "may-1"
            self._words.setdefault(hostname.split(".", 1)[0], "may-1")
        for text in serials.values():
            serial = text.strip()
            if len(serial) >= 5:  # shorter ones ("None", "0") are no serial numbers
                self._words[serial] = re.sub(r"[0-9A-Za-z]", "0", serial)
        self._fold: Callable[[str], str] = str.casefold if ignore_case else str
        self._words = {self._fold(word): stands for word, stands in self._words.items()}
        # The longest first: "an-pc" before "an".
        ordered = sorted(self._words, key=len, reverse=True)
        self._pattern = re.compile(
            r"(?<![\w.-])(%s)(?![\w-])" % "|".join(re.escape(word) for word in ordered)
            if ordered
            else r"(?!)",
            re.IGNORECASE if ignore_case else 0,
        )

    def __call__(self, text: str) -> str:
        text = _HOME.sub(lambda found: "/home/%s" % self._home(found.group(1)), text)
        text = self._windows.text(text)
        text = self._pattern.sub(lambda found: self._words[self._fold(found.group(1))], text)
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
