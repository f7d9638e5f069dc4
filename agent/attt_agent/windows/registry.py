r"""The Windows registry, through `winreg`: always what 64-bit programs see.

A 32-bit Python on 64-bit Windows is shown other keys under HKLM\SOFTWARE (WOW6432Node) unless
it asks otherwise, so every access asks for the 64-bit view. On 32-bit Windows that changes nothing.

Run under wine with a 64-bit Python 3.8 and 3.11. Not run: a real Windows; the 64-bit view from a
32-bit Python.
"""

from __future__ import annotations

import sys
from typing import Tuple

from attt_agent.answers import HostError, RegistryValue
from attt_agent.windows.library import error_of
from attt_rules.contract import Unreadable

if sys.platform == "win32":
    import winreg

_ROOTS = {
    "HKEY_CLASSES_ROOT": "HKCR",
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_USERS": "HKU",
}
_FULL_ROOTS = {short: full for full, short in _ROOTS.items()}


def written(key: str) -> str:
    r"""The one way to write a key: `HKLM\SOFTWARE\X`; capitals inside stay as they are.

    Raises:
        ValueError: it does not begin with a root.
    """
    root, _, path = key.strip("\\").partition("\\")
    short = _ROOTS.get(root.upper(), root.upper())
    if short not in _FULL_ROOTS:
        raise ValueError("%r does not begin with HKLM, HKU, HKCU or HKCR" % key)
    return "%s\\%s" % (short, path) if path else short


def value(key: str, name: str) -> RegistryValue:
    """One value; `name` "" is the default value of the key."""
    what = "registry %s %s" % (written(key), name or "(default)")
    if sys.platform == "win32":
        try:
            with _open(key) as handle:
                raw, kind = winreg.QueryValueEx(handle, name)
        except OSError as error:
            raise _error_of(error, what) from error
        return value_of(raw, kind, what)
    raise HostError(Unreadable.NOT_SUPPORTED, "%s: only on Windows" % what)


def value_of(raw: object, kind: int, what: str) -> RegistryValue:
    """What `winreg` says, in our types; kinds by their numbers in winnt.h."""
    if kind in (4, 11):  # REG_DWORD, REG_QWORD; an empty one comes as None
        if isinstance(raw, int):
            return raw
    elif kind in (1, 2):  # REG_SZ, REG_EXPAND_SZ
        if isinstance(raw, str):
            return raw
    elif kind == 7:  # REG_MULTI_SZ
        if raw is None:
            return ()
        if isinstance(raw, list):
            return tuple(raw)
    elif kind == 5:  # REG_DWORD_BIG_ENDIAN
        if isinstance(raw, bytes) and len(raw) == 4:
            return int.from_bytes(raw, "big")
    elif raw is None:
        return b""
    elif isinstance(raw, bytes):  # REG_BINARY, REG_NONE and what drivers keep for themselves
        return raw
    raise HostError(Unreadable.MALFORMED, "%s: type %d, %s" % (what, kind, type(raw).__name__))


def value_names(key: str) -> Tuple[str, ...]:
    """Names of the values of a key, sorted; "" is the default value when it is set."""
    what = "registry %s" % written(key)
    if sys.platform == "win32":
        try:
            with _open(key) as handle:
                count = winreg.QueryInfoKey(handle)[1]
                return tuple(sorted(winreg.EnumValue(handle, n)[0] for n in range(count)))
        except OSError as error:
            raise _error_of(error, what) from error
    else:
        raise HostError(Unreadable.NOT_SUPPORTED, "%s: only on Windows" % what)


def sub_keys(key: str) -> Tuple[str, ...]:
    """Names of the keys right below a key, sorted."""
    what = "registry %s" % written(key)
    if sys.platform == "win32":
        try:
            with _open(key) as handle:
                count = winreg.QueryInfoKey(handle)[0]
                return tuple(sorted(winreg.EnumKey(handle, n) for n in range(count)))
        except OSError as error:
            raise _error_of(error, what) from error
    else:
        raise HostError(Unreadable.NOT_SUPPORTED, "%s: only on Windows" % what)


if sys.platform == "win32":

    def _open(key: str) -> winreg.HKEYType:
        root, _, path = written(key).partition("\\")
        access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
        return winreg.OpenKey(getattr(winreg, _FULL_ROOTS[root]), path, 0, access)

    def _error_of(error: OSError, what: str) -> HostError:
        return error_of(error.winerror or 0, what)
