"""Who may open the agent's folder on Windows: administrators and the system, by SID.

%ProgramData% lets every user make folders, so the folder is made with its access list in one step,
and a folder that somebody else has made there before is refused: its owner could always change
the list back.

Run under wine with a 64-bit Python 3.8 and 3.11, whose files know no real access lists: what was
seen is that the calls succeed and that the list is read back. Not run: a real Windows.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from attt_agent.answers import HostError
from attt_agent.windows.library import (
    error_of,
    function,
    last_error,
    last_error_code,
    load,
)
from attt_agent.windows.sid import local_free, sid_text
from attt_rules.contract import Unreadable

ADMINISTRATORS = "S-1-5-32-544"
SYSTEM = "S-1-5-18"
_OWNER_RIGHTS = "S-1-3-4"

# Protected (nothing is inherited), full access, for everything inside as well.
_SHARED = "D:P(A;OICI;FA;;;%s)(A;OICI;FA;;;%s)" % (SYSTEM, ADMINISTRATORS)
_FOR_ADMINISTRATORS = "O:%s%s" % (ADMINISTRATORS, _SHARED)
# Whoever tries the program without being an administrator keeps a folder of his own.
_FOR_ONESELF = _SHARED + "(A;OICI;FA;;;%s)" % _OWNER_RIGHTS

_SE_FILE_OBJECT = 1
_OWNER, _DACL, _PROTECTED_DACL = 0x1, 0x4, 0x80000000
_ERROR_ALREADY_EXISTS = 183
_SDDL_REVISION_1 = 1
_TOKEN_QUERY, _TOKEN_USER = 0x0008, 1


class SecurityAttributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES (minwinbase.h)."""

    _fields_ = [
        ("length", ctypes.c_uint32),
        ("security_descriptor", ctypes.c_void_p),
        ("inherit_handle", ctypes.c_int32),
    ]


def make_private_folder(path: Path) -> None:
    """Make the folder (its parents must exist), or close an existing one of ours to others.

    Raises:
        HostError: `access_denied` also when the folder belongs to somebody else.
    """
    elevated = bool(function(load("shell32"), "IsUserAnAdmin", ctypes.c_int32)())
    with _Descriptor(_FOR_ADMINISTRATORS if elevated else _FOR_ONESELF) as descriptor:
        attributes = SecurityAttributes(
            ctypes.sizeof(SecurityAttributes), descriptor.pointer.value, 0
        )
        create = function(
            load("kernel32"),
            "CreateDirectoryW",
            ctypes.c_int32,
            ctypes.c_wchar_p,
            ctypes.POINTER(SecurityAttributes),
        )
        if create(str(path), ctypes.byref(attributes)):
            return
        code = last_error_code()
        if code != _ERROR_ALREADY_EXISTS:
            raise error_of(code, str(path))
        owner = owner_of(path)
        if owner not in (ADMINISTRATORS, SYSTEM, current_user()):
            raise HostError(Unreadable.ACCESS_DENIED, "%s belongs to %s" % (path, owner))
        descriptor.apply(path, with_owner=elevated)


def owner_of(path: Path) -> str:
    """The SID of a file's or folder's owner."""
    with _OfFile(path, _OWNER) as descriptor:
        text = descriptor.sddl(_OWNER)
    # "O:S-1-5-21-…" or a short word of SDDL: "O:BA", "O:SY".
    owner = text.partition("O:")[2]
    return {"BA": ADMINISTRATORS, "SY": SYSTEM}.get(owner, owner)


def access_list_of(path: Path) -> str:
    """The DACL in SDDL, as Windows writes it."""
    with _OfFile(path, _DACL) as descriptor:
        return descriptor.sddl(_DACL)


class _Descriptor:
    """A security descriptor from SDDL, freed at the end of the `with`."""

    def __init__(self, sddl: str) -> None:
        self._sddl = sddl
        self.pointer = ctypes.c_void_p()

    def __enter__(self) -> _Descriptor:
        convert = function(
            load("advapi32"),
            "ConvertStringSecurityDescriptorToSecurityDescriptorW",
            ctypes.c_int32,
            ctypes.c_wchar_p,
            ctypes.c_uint32,
            ctypes.POINTER(ctypes.c_void_p),
            ctypes.c_void_p,
        )
        if not convert(self._sddl, _SDDL_REVISION_1, ctypes.byref(self.pointer), None):
            raise last_error("ConvertStringSecurityDescriptor")
        return self

    def __exit__(self, *_: object) -> None:
        local_free(self.pointer)

    def sddl(self, parts: int) -> str:
        """This descriptor as text."""
        pointer = ctypes.c_void_p
        convert = function(
            load("advapi32"),
            "ConvertSecurityDescriptorToStringSecurityDescriptorW",
            ctypes.c_int32,
            pointer,
            ctypes.c_uint32,
            ctypes.c_uint32,
            ctypes.POINTER(pointer),
            pointer,
        )
        text = pointer()
        if (
            not convert(self.pointer, _SDDL_REVISION_1, parts, ctypes.byref(text), None)
            or text.value is None
        ):
            raise last_error("ConvertSecurityDescriptorToString")
        try:
            return ctypes.wstring_at(text.value)
        finally:
            local_free(text)

    def apply(self, path: Path, with_owner: bool) -> None:
        """Give a file or folder this access list (and this owner)."""
        advapi32, pointer, flag = load("advapi32"), ctypes.c_void_p, ctypes.c_int32
        get_dacl = function(
            advapi32,
            "GetSecurityDescriptorDacl",
            flag,
            pointer,
            ctypes.POINTER(flag),
            ctypes.POINTER(pointer),
            ctypes.POINTER(flag),
        )
        get_owner = function(
            advapi32,
            "GetSecurityDescriptorOwner",
            flag,
            pointer,
            ctypes.POINTER(pointer),
            ctypes.POINTER(flag),
        )
        set_security = function(
            advapi32,
            "SetNamedSecurityInfoW",
            ctypes.c_uint32,
            ctypes.c_wchar_p,
            flag,
            ctypes.c_uint32,
            pointer,
            pointer,
            pointer,
            pointer,
        )
        present, defaulted, dacl, owner = flag(0), flag(0), pointer(), pointer()
        if not get_dacl(
            self.pointer, ctypes.byref(present), ctypes.byref(dacl), ctypes.byref(defaulted)
        ):
            raise last_error("GetSecurityDescriptorDacl")
        parts = _DACL | _PROTECTED_DACL
        if with_owner:
            if not get_owner(self.pointer, ctypes.byref(owner), ctypes.byref(defaulted)):
                raise last_error("GetSecurityDescriptorOwner")
            parts |= _OWNER
        status = set_security(str(path), _SE_FILE_OBJECT, parts, owner, None, dacl, None)
        if status != 0:
            raise error_of(status, str(path))


class _OfFile(_Descriptor):
    """The security descriptor of a file or folder, read and freed."""

    def __init__(self, path: Path, parts: int) -> None:
        super().__init__("")
        self._path = path
        self._parts = parts

    def __enter__(self) -> _OfFile:
        pointer = ctypes.c_void_p
        get = function(
            load("advapi32"),
            "GetNamedSecurityInfoW",
            ctypes.c_uint32,
            ctypes.c_wchar_p,
            ctypes.c_int32,
            ctypes.c_uint32,
            pointer,
            pointer,
            pointer,
            pointer,
            ctypes.POINTER(pointer),
        )
        status = get(
            str(self._path),
            _SE_FILE_OBJECT,
            self._parts,
            None,
            None,
            None,
            None,
            ctypes.byref(self.pointer),
        )
        if status != 0:
            raise error_of(status, str(self._path))
        return self


def current_user() -> str:
    """The SID of the account this program runs as."""
    advapi32, kernel32 = load("advapi32"), load("kernel32")
    pointer, number, flag = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int32
    this_process = function(kernel32, "GetCurrentProcess", pointer)
    open_token = function(
        advapi32, "OpenProcessToken", flag, pointer, number, ctypes.POINTER(pointer)
    )
    ask = function(
        advapi32,
        "GetTokenInformation",
        flag,
        pointer,
        flag,
        pointer,
        number,
        ctypes.POINTER(number),
    )
    close = function(kernel32, "CloseHandle", flag, pointer)
    token = pointer()
    if not open_token(this_process(), _TOKEN_QUERY, ctypes.byref(token)):
        raise last_error("OpenProcessToken")
    try:
        size, needed = 256, number(0)
        buffer = ctypes.create_string_buffer(size)
        if not ask(token, _TOKEN_USER, buffer, size, ctypes.byref(needed)):
            raise last_error("GetTokenInformation")
        # TOKEN_USER begins with the pointer to the SID, which lies in the same buffer.
        sid = ctypes.cast(buffer, ctypes.POINTER(pointer))[0]
        return sid_text(sid)
    finally:
        close(token)
