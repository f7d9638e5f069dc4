"""agent.ini -> Settings, and where everything of the agent lies: one state folder.

INI and not TOML: Python 3.8, the last that Windows 7 can run, has no TOML reader.

    [attt]
    server = https://attt.tinh.gov.vn:8443
    unit_code = 87.30133
    unit_name = UBND xã Phú Tân
    kind = pc
    wan_target = 10.10.0.1:443
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Optional, Tuple

from attt_agent.answers import HostError
from attt_rules.contract import AssetKind, Text, UnitRef
from attt_rules.errors import AtttError

SECTION = "attt"
KEYS = ("server", "unit_code", "unit_name", "kind", "name", "wan_target", "pack")


class SettingsError(AtttError):
    """agent.ini or the state folder cannot be used."""


class NoPermissionError(SettingsError):
    """The settings belong to the administrator; who only looks can do without them."""


@dataclass(frozen=True)
class Settings:
    """What the agent is told. All optional: `attt check` works on a machine nobody set up.

    Args:
        kind: what the enrolment said; None: found out from the facts.
        name: the asset's name; None: the host name.
        wan_target: (address, port) that stands for the provincial network.
        pack: id of the rule pack for `attt check`; None: the one in force today.
    """

    server: Optional[str] = None
    unit: Optional[UnitRef] = None
    kind: Optional[AssetKind] = None
    name: Optional[str] = None
    wan_target: Optional[Tuple[str, int]] = None
    pack: Optional[str] = None


@dataclass(frozen=True)
class StateFolder:
    """The one folder of the agent: settings, key, CA certificate, spool, lock."""

    path: Path

    @property
    def settings(self) -> Path:
        return self.path / "agent.ini"

    @property
    def key(self) -> Path:
        return self.path / "device.key"

    @property
    def ca(self) -> Path:
        return self.path / "ca.pem"

    @property
    def spool(self) -> Path:
        return self.path / "spool"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    def make(self) -> None:
        """Make the folder, for its owner only (0700; on Windows administrators and the system).

        Raises:
            SettingsError: it cannot be made or written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if sys.platform == "win32":
                from attt_agent.windows.protection import make_private_folder

                make_private_folder(self.path)
            else:
                self.path.mkdir(mode=0o700, exist_ok=True)
                os.chmod(str(self.path), 0o700)
        except OSError as error:
            raise _not_writable(self.path, error.strerror or str(error)) from error
        except HostError as error:
            raise _not_writable(self.path, error.detail) from error


def default_folder() -> Path:
    """/var/lib/attt, on Windows %ProgramData%\\attt."""
    folder = Path("/var/lib/attt")
    if sys.platform == "win32":
        folder = Path(os.environ.get("PROGRAMDATA", "C:\\ProgramData")) / "attt"
    return folder


def load(folder: StateFolder) -> Settings:
    """The settings; a missing file means that nothing is set.

    Raises:
        SettingsError: not readable, not INI, an unknown setting, or a value that makes no sense.
    """
    import configparser

    path = folder.settings
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text("utf-8"), str(path))
        given: Dict[str, str] = dict(parser[SECTION]) if parser.has_section(SECTION) else {}
    except FileNotFoundError:
        return Settings()
    except PermissionError as error:
        raise NoPermissionError(
            "ATTT-311",
            Text(vi="Không có quyền đọc %s." % path, en="No permission to read %s." % path),
            Text(
                vi="chạy lệnh bằng quyền quản trị, hoặc chọn thư mục khác bằng --state-dir.",
                en="Run as an administrator, or name another folder with --state-dir.",
            ),
        ) from error
    except (OSError, ValueError, configparser.Error) as error:
        raise _wrong(path, str(error).replace("\n", " ")) from error
    for section in parser.sections():
        if section != SECTION:
            raise _wrong(path, "[%s]" % section)
    for key in given:
        if key not in KEYS:
            raise _wrong(path, key)
    text = {key: value.strip() for key, value in given.items() if value.strip()}
    try:
        return Settings(
            server=text.get("server"),
            unit=_unit(text),
            kind=AssetKind(text["kind"]) if "kind" in text else None,
            name=text.get("name"),
            wan_target=parse_target(text["wan_target"]) if "wan_target" in text else None,
            pack=text.get("pack"),
        )
    except ValueError as error:
        raise _wrong(path, str(error)) from error


def save(folder: StateFolder, settings: Settings) -> None:
    """Write agent.ini whole or not at all.

    Raises:
        SettingsError: the folder cannot be written.
    """
    lines = ["[%s]" % SECTION]
    values = {
        "server": settings.server,
        "unit_code": settings.unit.code if settings.unit else None,
        "unit_name": settings.unit.name if settings.unit else None,
        "kind": settings.kind.value if settings.kind else None,
        "name": settings.name,
        "wan_target": format_target(settings.wan_target) if settings.wan_target else None,
        "pack": settings.pack,
    }
    for key in KEYS:
        value = values[key]
        if value is not None:
            lines.append("%s = %s" % (key, " ".join(value.split())))
    replace_file(folder.settings, ("\n".join(lines) + "\n").encode("utf-8"))


def parse_target(text: str) -> Tuple[str, int]:
    """("10.10.0.1", 443) from "10.10.0.1:443"; IPv6 in brackets.

    Raises:
        ValueError: not an address and a port.
    """
    address, colon, port = text.rpartition(":")
    address = address.strip()
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if not colon or not address or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError("%r is not address:port" % text)
    return address, int(port)


def format_target(target: Tuple[str, int]) -> str:
    """The inverse of `parse_target`."""
    address = "[%s]" % target[0] if ":" in target[0] else target[0]
    return "%s:%d" % (address, target[1])


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` (0600) so that a power cut leaves the old or the new, never half.

    Raises:
        SettingsError: the folder cannot be written.
    """
    temporary = path.with_name(".%s.%d" % (path.name, os.getpid()))
    try:
        descriptor = os.open(str(temporary), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        rename_over(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise _not_writable(path, error.strerror or str(error)) from error


def rename_over(source: Path, target: Path) -> None:
    """`os.replace`, with patience: an antivirus that is looking at a new file holds it on Windows.

    Raises:
        OSError: as from `os.replace`, on Windows after two seconds of trying.
    """
    deadline = time.monotonic() + 2.0
    while True:
        try:
            os.replace(str(source), str(target))
            return
        except PermissionError:
            if sys.platform == "win32" and time.monotonic() < deadline:
                time.sleep(0.05)
            else:
                raise


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut; NTFS writes its journal by itself."""
    if sys.platform != "win32":
        descriptor = os.open(str(folder), os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unit(text: Dict[str, str]) -> Optional[UnitRef]:
    if "unit_code" not in text:
        return None
    return UnitRef(text["unit_code"], text.get("unit_name", text["unit_code"]))


def _wrong(path: Path, problem: str) -> SettingsError:
    return SettingsError(
        "ATTT-300",
        Text(
            vi="Thiết lập sai trong %s: %s." % (path, problem),
            en="A wrong setting in %s: %s." % (path, problem),
        ),
        Text(
            vi="sửa dòng đó; các thiết lập có thể dùng: %s." % ", ".join(KEYS),
            en="Mend that line; the settings that exist: %s." % ", ".join(KEYS),
        ),
    )


def _not_writable(path: Path, problem: str) -> SettingsError:
    return SettingsError(
        "ATTT-309",
        Text(
            vi="Không ghi được %s: %s." % (path, problem),
            en="Cannot write %s: %s." % (path, problem),
        ),
        Text(
            vi="chạy bằng quyền quản trị, kiểm tra dung lượng đĩa, hoặc dùng --state-dir.",
            en="Run as an administrator, check the free space, or use --state-dir.",
        ),
        permanent=False,
    )
