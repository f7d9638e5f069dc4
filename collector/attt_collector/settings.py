"""The collector's folder (`--data`) and the settings in its collector.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attt_rules.contract import Text
from attt_rules.errors import AtttError

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\Z")

TEMPLATE = """\
# Cài đặt của attt-collector; khởi động lại dịch vụ sau khi sửa.
# (Settings of attt-collector; restart the service after a change.)

[server]
# Địa chỉ và cổng lắng nghe (address and port to listen on).
listen = "{listen}"
port = {port}
# Địa chỉ mà máy trạm và trình duyệt dùng (what PCs and browsers are told).
public_url = "{public_url}"
# Mọi tên và địa chỉ IP ghi trong chứng thư máy chủ; sửa thì chứng thư được cấp lại khi khởi động.
# (All names and IP addresses of the server certificate; it is renewed at the next start.)
names = [{names}]

[store]
# SQLite trong thư mục này, hoặc địa chỉ PostgreSQL
# (SQLite in this folder, or the URL of a PostgreSQL database).
url = "sqlite:///attt.sqlite"

[text]
# Ngôn ngữ của dòng lệnh và trang web: "vi" hoặc "en" (language of commands and pages).
language = "vi"
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What collector.toml says. `names` are the host names and addresses of the certificate."""

    listen: str = "127.0.0.1"
    port: int = 8443
    public_url: str = "https://localhost:8443"
    names: tuple[str, ...] = ("localhost", "127.0.0.1")
    store_url: str = "sqlite:///attt.sqlite"
    language: str = "vi"


@dataclass(frozen=True, slots=True)
class CollectorFolder:
    """Everything one collector keeps, in one folder: settings, store, CA, reports."""

    path: Path

    @property
    def settings_file(self) -> Path:
        return self.path / "collector.toml"

    @property
    def reports(self) -> Path:
        return self.path / "reports"

    @property
    def ca(self) -> Path:
        """The folder of trust.Identity."""
        return self.path / "ca"

    def settings(self) -> Settings:
        """What collector.toml says.

        Raises:
            AtttError: ATTT-510 there is none, 511 it says something that cannot be, 518 this
                user may not read it.
        """
        try:
            text = self.settings_file.read_text(encoding="utf-8-sig")
        except (FileNotFoundError, NotADirectoryError):
            raise _missing(self.settings_file) from None
        except PermissionError:
            raise not_readable(self.path) from None
        except (OSError, UnicodeDecodeError) as error:
            raise _wrong(self.settings_file, str(error)) from error
        return read_settings(text, self.settings_file)

    @property
    def database_url(self) -> str:
        """The URL of the store; a relative SQLite path is meant inside this folder."""
        url = self.settings().store_url
        scheme, _, rest = url.partition("///")
        if scheme == "sqlite:" and rest and not rest.startswith("/"):
            return f"sqlite:///{self.path.resolve() / rest}"
        return url

    @property
    def language(self) -> str:
        """ "vi" or "en"; Vietnamese while there are no settings."""
        return self.settings().language if self.settings_file.exists() else "vi"


def read_settings(text: str, file: Path) -> Settings:
    """Settings from the text of collector.toml; what it does not say has its default.

    Raises:
        AtttError: ATTT-511, not TOML, an unknown name or a value that cannot be.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(file, str(error)) from error
    plain = Settings()
    server = _table(tables, "server", {"listen", "port", "public_url", "names"}, file)
    store = _table(tables, "store", {"url"}, file)
    words = _table(tables, "text", {"language"}, file)
    unknown = sorted(set(tables) - {"server", "store", "text"})
    if unknown:
        raise _wrong(file, f"[{unknown[0]}]")

    listen = server.get("listen", plain.listen)
    if not isinstance(listen, str) or not listen:
        raise _wrong(file, f"server.listen = {listen!r}")
    port = server.get("port", plain.port)
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
        raise _wrong(file, f"server.port = {port!r}")
    public_url = server.get("public_url", plain.public_url)
    if not isinstance(public_url, str) or urlsplit(public_url).scheme != "https":
        raise _wrong(file, f"server.public_url = {public_url!r}")
    names = server.get("names", list(plain.names))
    if not isinstance(names, list) or not names:
        raise _wrong(file, f"server.names = {names!r}")
    for name in names:
        if not isinstance(name, str) or not is_host(name):
            raise _wrong(file, f"server.names: {name!r}")
    url = store.get("url", plain.store_url)
    if not isinstance(url, str) or not url.startswith(("sqlite:///", "postgresql")):
        raise _wrong(file, f"store.url = {url!r}")
    language = words.get("language", plain.language)
    if language not in ("vi", "en"):
        raise _wrong(file, f"text.language = {language!r}")
    return Settings(listen, port, public_url.rstrip("/"), tuple(names), url, language)


def is_host(name: str) -> bool:
    """Whether this is an IP address or a host name."""
    try:
        ip_address(name)
    except ValueError:
        return len(name) <= 253 and _HOST_NAME.match(name) is not None
    return True


def _table(tables: dict[str, Any], name: str, keys: set[str], file: Path) -> dict[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise _wrong(file, name)
    unknown = sorted(set(table) - keys)
    if unknown:
        raise _wrong(file, f"{name}.{unknown[0]}")
    return table


def _wrong(file: Path, what: str) -> AtttError:
    return AtttError(
        "ATTT-511",
        Text(
            vi=f"Tệp cài đặt {file} có chỗ không dùng được: {what}.",
            en=f"The settings file {file} says something that cannot be used: {what}.",
        ),
        Text(
            vi="sửa lại chỗ đó theo mẫu deploy/collector/collector.toml.",
            en="Mend that place after the sample deploy/collector/collector.toml.",
        ),
    )


def not_readable(folder: Path) -> AtttError:
    """Only the folder's owner may look into it; nearly always `sudo -u` was forgotten."""
    try:
        owner = folder.owner()
    except (OSError, KeyError):  # out of sight as well, or a user that is no more
        owner = "attt-collector"
    command = f"sudo -u {owner} attt-collector --data {folder} …"
    return AtttError(
        "ATTT-518",
        Text(
            vi=f"Tài khoản đang dùng không có quyền đọc thư mục {folder}.",
            en=f"This user may not read the folder {folder}.",
        ),
        Text(
            vi=f"chạy bằng tài khoản sở hữu thư mục: «{command}», hoặc kiểm tra lại «--data».",
            en=f'Run as the user who owns it: "{command}", or check --data.',
        ),
    )


def _missing(file: Path) -> AtttError:
    return AtttError(
        "ATTT-510",
        Text(vi=f"Không có tệp {file}.", en=f"There is no file {file}."),
        Text(
            vi=f"chạy «attt-collector --data {file.parent} init», hoặc kiểm tra lại «--data».",
            en=f'Run "attt-collector --data {file.parent} init", or check --data.',
        ),
    )
