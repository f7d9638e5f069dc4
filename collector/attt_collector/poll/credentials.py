"""What opens a device to us, and where it may come from: a 0600 file, the environment, a prompt.

Secrets never stand on a command line (every user of the machine can read it) and never in a log:
their fields are left out of `repr`.
"""

from __future__ import annotations

import configparser
import os
import stat
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from attt_rules.contract import Text
from attt_rules.errors import AtttError

# RFC 3414, section 11.2; devices refuse shorter ones when the user is made.
MIN_PASSWORD_CHARS = 8
# What devices are shipped with: to read, and on many of them to write.
DEFAULT_COMMUNITIES = ("public", "private")
SECTION = "snmp"


class CredentialsError(AtttError):
    """The credentials cannot be used; nothing was sent to the device."""


class AuthProtocol(StrEnum):
    """HMAC of SNMPv3 (RFC 3414, RFC 7860). MD5 is left out: too weak."""

    SHA1 = "SHA-1"
    SHA224 = "SHA-224"
    SHA256 = "SHA-256"
    SHA384 = "SHA-384"
    SHA512 = "SHA-512"


class PrivacyProtocol(StrEnum):
    """Cipher of SNMPv3 (RFC 3826 and the common drafts). DES is left out: too weak.

    AES-192 and AES-256 exist with two ways to lengthen the key; "-C" is Cisco's (and most
    others'), the plain name is the one of the Blumenthal draft (net-snmp).
    """

    AES128 = "AES-128"
    AES192 = "AES-192"
    AES256 = "AES-256"
    AES192_CISCO = "AES-192-C"
    AES256_CISCO = "AES-256-C"


@dataclass(frozen=True, slots=True)
class Community:
    """SNMP v2c: one word, sent in clear. v1 exists only for the check of default communities."""

    community: str = field(repr=False)

    @property
    def version(self) -> str:
        return "v2c"


@dataclass(frozen=True, slots=True)
class User:
    """SNMPv3 with authentication, and encryption when `privacy_password` is set."""

    user: str
    auth_password: str = field(repr=False)
    auth_protocol: AuthProtocol = AuthProtocol.SHA256
    privacy_password: str | None = field(default=None, repr=False)
    privacy_protocol: PrivacyProtocol = PrivacyProtocol.AES128

    @property
    def version(self) -> str:
        return "v3"


Credentials = Community | User
Protocol = TypeVar("Protocol", AuthProtocol, PrivacyProtocol)


def community(text: str, source: str) -> Community:
    """A v2c credential.

    Args:
        source: where it was read, for the error: a file, or the name of a variable.

    Raises:
        CredentialsError: empty, or not ASCII.
    """
    if not text or not text.isascii() or not text.isprintable():
        raise _unusable(
            source,
            Text(
                vi="community trống hoặc có ký tự ngoài ASCII",
                en="the community is empty or not plain ASCII",
            ),
        )
    return Community(text)


def user(
    name: str,
    *,
    auth_password: str | None,
    privacy_password: str | None,
    auth_protocol: str = AuthProtocol.SHA256,
    privacy_protocol: str = PrivacyProtocol.AES128,
    source: str,
) -> User:
    """A v3 credential.

    Raises:
        CredentialsError: no user name, no authentication, a password under 8 characters, or a
            protocol we do not speak.
    """
    if not name or len(name.encode()) > 32:
        raise _unusable(
            source,
            Text(vi="tên người dùng phải có từ 1 đến 32 byte", en="a user name has 1 to 32 bytes"),
        )
    if not auth_password:
        raise _no_authentication(source)
    for password in (auth_password, privacy_password):
        if password is not None and len(password) < MIN_PASSWORD_CHARS:
            raise _unusable(
                source,
                Text(
                    vi=f"mật khẩu SNMPv3 ngắn hơn {MIN_PASSWORD_CHARS} ký tự",
                    en=f"an SNMPv3 password has fewer than {MIN_PASSWORD_CHARS} characters",
                ),
            )
    return User(
        name,
        auth_password,
        _protocol(AuthProtocol, auth_protocol, source),
        privacy_password,
        _protocol(PrivacyProtocol, privacy_protocol, source),
    )


def read_file(path: Path) -> Credentials:
    """Credentials from an INI file that nobody but its owner can read.

        [snmp]
        version = 3
        user = attt
        auth_protocol = SHA-256
        auth_password = ...
        privacy_protocol = AES-128
        privacy_password = ...

    or `version = 2c` and `community = ...`.

    Raises:
        CredentialsError: not readable, readable by others, or not of this form.
    """
    try:
        with path.open(encoding="utf-8") as file:
            _check_private(os.fstat(file.fileno()), path)
            content = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror or "" if isinstance(error, OSError) else "UTF-8"
        raise _unusable(
            str(path), Text(vi=f"không đọc được ({reason})", en=f"not readable ({reason})")
        ) from error

    ini = configparser.ConfigParser(interpolation=None)
    try:
        ini.read_string(content)
        section = ini[SECTION]
    except (configparser.Error, KeyError):
        # The parser's own message quotes the line it stopped at, which may be the password.
        raise _unusable(
            str(path),
            Text(
                vi=f"không phải tệp INI có mục [{SECTION}]",
                en=f"not an INI file with a section [{SECTION}]",
            ),
        ) from None
    version = section.get("version", "").strip().lower().removeprefix("v")
    if version == "2c":
        return community(section.get("community", ""), str(path))
    if version == "3":
        return user(
            section.get("user", ""),
            auth_password=section.get("auth_password"),
            privacy_password=section.get("privacy_password"),
            auth_protocol=section.get("auth_protocol", AuthProtocol.SHA256),
            privacy_protocol=section.get("privacy_protocol", PrivacyProtocol.AES128),
            source=str(path),
        )
    if version == "1":
        raise CredentialsError(
            "ATTT-404",
            Text(
                vi=f"{path}: không thăm dò bằng SNMP v1.",
                en=f"{path}: SNMP v1 is not used for polling.",
            ),
            Text(
                vi="bật SNMPv3 (hoặc v2c với community riêng) trên thiết bị: v1 không có mã hóa, "
                "không có bộ đếm 64 bit.",
                en="Turn SNMPv3 on at the device, or v2c with a community of its own: v1 has "
                "neither encryption nor 64-bit values.",
            ),
        )
    raise _unusable(
        str(path), Text(vi="thiếu «version = 2c» hoặc «version = 3»", en="needs version = 2c or 3")
    )


def from_environment(name: str) -> str:
    """The secret in the environment variable `name`.

    Raises:
        CredentialsError: there is no such variable, or it is empty.
    """
    value = os.environ.get(name)
    if not value:
        raise _unusable(
            name,
            Text(
                vi="biến môi trường này không có hoặc trống",
                en="this environment variable is missing or empty",
            ),
        )
    return value


def _check_private(status: os.stat_result, path: Path) -> None:
    open_to_others = stat.S_IMODE(status.st_mode) & 0o077
    if os.name == "posix" and (open_to_others or status.st_uid not in (os.geteuid(), 0)):
        raise CredentialsError(
            "ATTT-406",
            Text(
                vi=f"Tệp mật khẩu {path} người khác đọc được hoặc không phải của bạn "
                f"(quyền {stat.S_IMODE(status.st_mode):04o}).",
                en=f"The credentials file {path} can be read by others or is not yours "
                f"(mode {stat.S_IMODE(status.st_mode):04o}).",
            ),
            Text(
                vi=f"chạy «chmod 600 {path}»; nếu tệp đã bị lộ, đổi mật khẩu trên thiết bị.",
                en=f'Run "chmod 600 {path}"; if it was exposed, change the secret on the device.',
            ),
        )


def _protocol(kind: type[Protocol], text: str, source: str) -> Protocol:
    try:
        return kind(text.strip().upper())
    except ValueError:
        known = ", ".join(kind)
        raise _unusable(
            source,
            Text(
                vi=f"giao thức «{text}» không dùng được (MD5, DES quá yếu); chọn: {known}",
                en=f'protocol "{text}" cannot be used (MD5, DES are too weak); choose: {known}',
            ),
        ) from None


def _no_authentication(source: str) -> CredentialsError:
    return CredentialsError(
        "ATTT-405",
        Text(
            vi=f"{source}: SNMPv3 không xác thực (noAuthNoPriv) bị từ chối: ai cũng giả được "
            "thiết bị và người hỏi.",
            en=f"{source}: SNMPv3 without authentication (noAuthNoPriv) is refused: anyone could "
            "pose as the device or as us.",
        ),
        Text(
            vi="tạo trên thiết bị một người dùng SNMPv3 mức authPriv (SHA-256, AES-128) chỉ đọc.",
            en="Make a read-only SNMPv3 user with authPriv (SHA-256, AES-128) on the device.",
        ),
    )


def _unusable(source: str, reason: Text) -> CredentialsError:
    return CredentialsError(
        "ATTT-407",
        Text(
            vi=f"Thông tin đăng nhập SNMP ở {source} không dùng được: {reason.vi}.",
            en=f"The SNMP credentials in {source} cannot be used: {reason.en}.",
        ),
        Text(
            vi="sửa lại theo docs/thiet-bi-mang.md rồi chạy lại.",
            en="Mend it as docs/thiet-bi-mang.md says, then run it again.",
        ),
    )
