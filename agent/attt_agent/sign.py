"""The device key (Ed25519) and what it signs: the only door to PyNaCl.

The key is made on the device, never leaves it, and nothing in this program deletes or replaces it:
neither a wrong clock nor a refusal by the collector costs a device its identity.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
import sys
from pathlib import Path

from attt_rules.contract import Envelope, Text, device_id_of
from attt_rules.errors import AtttError

_FIRST_LINE = b"attt-device-key-1"
_SEED_BYTES = 32


class KeyFileError(AtttError):
    """The device key cannot be read or written."""


class DeviceKey:
    """One device's Ed25519 key; made by `create` or `load`."""

    def __init__(self, seed: bytes) -> None:
        from nacl.signing import SigningKey

        self._signing_key = SigningKey(seed)
        self.public_key = bytes(self._signing_key.verify_key)
        self.device_id = device_id_of(self.public_key)

    @classmethod
    def create(cls, path: Path) -> DeviceKey:
        """Make a new key and put it into `path`, readable by its owner only.

        Raises:
            KeyFileError: there is a key already (it is left as it is), or the folder is not ours.
        """
        seed = os.urandom(_SEED_BYTES)
        temporary = path.with_name(".%s.%d" % (path.name, os.getpid()))
        try:
            descriptor = os.open(str(temporary), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(_FIRST_LINE + b"\n" + base64.b64encode(seed) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            try:
                # link, not rename: rename would silently take the place of a key that is there.
                if sys.platform == "win32":
                    os.rename(str(temporary), str(path))  # fails on Windows when `path` exists
                else:
                    os.link(str(temporary), str(path))
            finally:
                if temporary.exists():
                    temporary.unlink()
            if sys.platform != "win32":
                folder = os.open(str(path.parent), os.O_RDONLY)
                try:
                    os.fsync(folder)  # else a power cut may take the new name away again
                finally:
                    os.close(folder)
        except FileExistsError as error:
            raise KeyFileError(
                "ATTT-302",
                Text(vi="Máy đã có khóa tại %s." % path, en="There is a key already: %s." % path),
                Text(
                    vi="dùng lại khóa đó; không xóa, vì khóa là danh tính của máy.",
                    en="Use it; do not delete it, it is this machine's identity.",
                ),
            ) from error
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error
        return cls(seed)

    @classmethod
    def load(cls, path: Path) -> DeviceKey:
        """
        Raises:
            KeyFileError: no key (not enrolled yet), unreadable, cut short, or open to other users.
        """
        try:
            with path.open("rb") as stream:
                mode = os.fstat(stream.fileno()).st_mode
                raw = stream.read(1024)
        except FileNotFoundError as error:
            raise KeyFileError(
                "ATTT-301",
                Text(
                    vi="Máy này chưa được ghi danh: không có khóa tại %s." % path,
                    en="This machine is not enrolled: there is no key at %s." % path,
                ),
                Text(
                    vi="xin mã ghi danh của đơn vị rồi chạy «attt enrol».",
                    en='Get the enrolment code of the unit and run "attt enrol".',
                ),
            ) from error
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error
        if sys.platform != "win32" and stat.S_IMODE(mode) & 0o077:
            raise KeyFileError(
                "ATTT-303",
                Text(
                    vi="Khóa của máy %s đang để người dùng khác đọc được." % path,
                    en="The device key %s can be read by other users." % path,
                ),
                Text(
                    vi="chạy «chmod 600 %s»; nếu nghi đã lộ thì báo tỉnh để ghi danh lại." % path,
                    en='Run "chmod 600 %s"; if it may be known to others, enrol anew.' % path,
                ),
            )
        first, _, rest = raw.partition(b"\n")
        try:
            seed = base64.b64decode(rest.strip(), validate=True)
        except (binascii.Error, ValueError):
            seed = b""
        if first != _FIRST_LINE or len(seed) != _SEED_BYTES:
            raise _unusable(path, "cut short or not a device key")
        return cls(seed)

    @classmethod
    def load_or_create(cls, path: Path) -> DeviceKey:
        """The key that is there, else a new one."""
        return cls.load(path) if path.exists() else cls.create(path)

    def seal(self, context: bytes, body: bytes) -> Envelope:
        """Sign `context + body`, so that a signature serves one purpose only."""
        signature = self._signing_key.sign(context + body).signature
        return Envelope(self.device_id, base64.b64encode(signature).decode("ascii"), body)


def _unusable(path: Path, problem: str) -> KeyFileError:
    return KeyFileError(
        "ATTT-302",
        Text(
            vi="Không dùng được tệp khóa của máy %s: %s." % (path, problem),
            en="The device key file %s cannot be used: %s." % (path, problem),
        ),
        Text(
            vi="kiểm tra quyền của tệp (cần quyền quản trị), hoặc khôi phục tệp từ bản sao lưu.",
            en="Check its permissions (administrator needed), or restore it from a backup.",
        ),
    )
