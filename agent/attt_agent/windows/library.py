"""Loading a Windows library, and what its error numbers mean to a fact.

Structures are declared with `c_uint32` and the like, not with `ctypes.wintypes`, whose DWORD is a
C `long`: so the layouts are the same wherever they are checked.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any, Dict

from attt_agent.answers import HostError
from attt_rules.contract import Unreadable

ERROR_ACCESS_DENIED = 5
ERROR_MORE_DATA = 234
_SEARCH_SYSTEM32 = 0x00000800  # LOAD_LIBRARY_SEARCH_SYSTEM32

# Win32 error numbers (winerror.h, lmerr.h); what is not named here is `malformed`.
_REASONS: Dict[int, Unreadable] = {
    1: Unreadable.NOT_SUPPORTED,  # ERROR_INVALID_FUNCTION
    2: Unreadable.NOT_FOUND,  # ERROR_FILE_NOT_FOUND: also a registry key or value
    3: Unreadable.NOT_FOUND,  # ERROR_PATH_NOT_FOUND
    ERROR_ACCESS_DENIED: Unreadable.ACCESS_DENIED,
    50: Unreadable.NOT_SUPPORTED,  # ERROR_NOT_SUPPORTED
    120: Unreadable.NOT_SUPPORTED,  # ERROR_CALL_NOT_IMPLEMENTED
    124: Unreadable.NOT_SUPPORTED,  # ERROR_INVALID_LEVEL
    126: Unreadable.NOT_SUPPORTED,  # ERROR_MOD_NOT_FOUND
    127: Unreadable.NOT_SUPPORTED,  # ERROR_PROC_NOT_FOUND
    1058: Unreadable.NOT_SUPPORTED,  # ERROR_SERVICE_DISABLED
    1060: Unreadable.NOT_FOUND,  # ERROR_SERVICE_DOES_NOT_EXIST
    1062: Unreadable.NOT_SUPPORTED,  # ERROR_SERVICE_NOT_ACTIVE
    1314: Unreadable.ACCESS_DENIED,  # ERROR_PRIVILEGE_NOT_HELD
    1460: Unreadable.TIMEOUT,  # ERROR_TIMEOUT
    1722: Unreadable.NOT_SUPPORTED,  # RPC_S_SERVER_UNAVAILABLE: the service is not running
    1753: Unreadable.NOT_SUPPORTED,  # EPT_S_NOT_REGISTERED
    2114: Unreadable.NOT_SUPPORTED,  # NERR_ServerNotStarted
    2138: Unreadable.NOT_SUPPORTED,  # NERR_WkstaNotStarted
}


def load(name: str) -> Any:
    """A library of the system folder, whose functions keep the last error.

    Raises:
        HostError: `not_supported` when this Windows does not have it, or this is no Windows.
    """
    if sys.platform == "win32":
        try:
            # Never a library that somebody put beside the program or into the current folder.
            return ctypes.WinDLL(name + ".dll", use_last_error=True, winmode=_SEARCH_SYSTEM32)
        except OSError as error:
            raise HostError(Unreadable.NOT_SUPPORTED, "%s: not on this Windows" % name) from error
    else:
        raise HostError(Unreadable.NOT_SUPPORTED, "%s: only on Windows" % name)


def function(library: Any, name: str, restype: Any, *argtypes: Any) -> Any:
    """A function with its types said, so that no pointer is cut to 32 bits.

    Raises:
        HostError: `not_supported` when the library does not export it.
    """
    try:
        found = getattr(library, name)
    except AttributeError as error:
        raise HostError(Unreadable.NOT_SUPPORTED, "%s: not on this Windows" % name) from error
    found.restype = restype
    found.argtypes = argtypes
    return found


def error_of(code: int, what: str) -> HostError:
    """The `HostError` for a Win32 error number or an LSTATUS."""
    return HostError(reason_of(code), "%s: Windows error %d" % (what, code))


def reason_of(code: int) -> Unreadable:
    return _REASONS.get(code, Unreadable.MALFORMED)


def last_error_code() -> int:
    """What the last call through `load` left behind (GetLastError)."""
    code = 0
    if sys.platform == "win32":
        code = ctypes.get_last_error()
    return code


def last_error(what: str) -> HostError:
    return error_of(last_error_code(), what)
