r"""WQL queries through COM, with nothing but ctypes: IWbemLocator, IWbemServices and their rows.

Methods are called by their place in the interface (wbemcli.h). Each query opens and closes its own
connection, in the thread that asks, so that a probe that hangs takes nothing with it.

Run under wine with a 64-bit Python 3.8 and 3.11 against wine's own root\cimv2. Not run: a real
Windows, a 32-bit Python, root\SecurityCenter2 and every other namespace that wine does not have.
"""

from __future__ import annotations

import ctypes
import sys
import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from attt_agent.answers import HostError
from attt_agent.windows.library import function, load, reason_of
from attt_agent.windows.variant import Variant, bstr_text, value_of
from attt_rules.contract import Unreadable

MAX_ROWS = 10000

_CLSCTX_INPROC_SERVER = 1
_COINIT_MULTITHREADED = 0
_CONNECT_USE_MAX_WAIT = 0x80  # at most two minutes where the service does not answer
_RETURN_IMMEDIATELY_FORWARD_ONLY = 0x10 | 0x20
_NONSYSTEM_ONLY = 0x40
_AUTHN_DEFAULT, _AUTHN_WINNT, _AUTHZ_NONE = 0, 10, 0
_AUTHN_LEVEL_PKT_PRIVACY, _IMP_LEVEL_IMPERSONATE = 6, 3

# Places in the interfaces.
_RELEASE = 2
_LOCATOR_CONNECT_SERVER = 3
_SERVICES_EXEC_QUERY = 20
_ENUM_NEXT = 4
_OBJECT_BEGIN_ENUMERATION, _OBJECT_NEXT, _OBJECT_END_ENUMERATION = 8, 9, 10

_S_FALSE = 1
_WBEM_S_TIMEDOUT = 0x40004
_WBEM_S_NO_MORE_DATA = 0x40005
_RPC_E_CHANGED_MODE = 0x80010106

_REASONS = {
    0x80041002: Unreadable.NOT_FOUND,  # WBEM_E_NOT_FOUND
    0x80041003: Unreadable.ACCESS_DENIED,  # WBEM_E_ACCESS_DENIED
    0x80041008: Unreadable.MALFORMED,  # WBEM_E_INVALID_PARAMETER
    0x8004100C: Unreadable.NOT_SUPPORTED,  # WBEM_E_NOT_SUPPORTED
    0x8004100E: Unreadable.NOT_SUPPORTED,  # WBEM_E_INVALID_NAMESPACE
    0x80041010: Unreadable.NOT_SUPPORTED,  # WBEM_E_INVALID_CLASS
    0x80041011: Unreadable.NOT_SUPPORTED,  # WBEM_E_PROVIDER_NOT_FOUND
    0x80041013: Unreadable.NOT_SUPPORTED,  # WBEM_E_PROVIDER_LOAD_FAILURE
    0x80041014: Unreadable.NOT_SUPPORTED,  # WBEM_E_INITIALIZATION_FAILURE
    0x80041033: Unreadable.NOT_SUPPORTED,  # WBEM_E_SHUTTING_DOWN
    0x80041069: Unreadable.TIMEOUT,  # WBEM_E_TIMED_OUT
    0x80040154: Unreadable.NOT_SUPPORTED,  # REGDB_E_CLASSNOTREG
    0x80004001: Unreadable.NOT_SUPPORTED,  # E_NOTIMPL
    0x80004002: Unreadable.NOT_SUPPORTED,  # E_NOINTERFACE
}


class Guid(ctypes.Structure):
    """GUID (guiddef.h)."""

    _fields_ = [
        ("data1", ctypes.c_uint32),
        ("data2", ctypes.c_uint16),
        ("data3", ctypes.c_uint16),
        ("data4", ctypes.c_uint8 * 8),
    ]


_TAIL = (ctypes.c_uint8 * 8)(0x89, 0x1F, 0x00, 0xAA, 0x00, 0x4B, 0x2E, 0x24)
_CLSID_WBEM_LOCATOR = Guid(0x4590F811, 0x1D3A, 0x11D0, _TAIL)
_IID_IWBEM_LOCATOR = Guid(
    0xDC12A687, 0x737F, 0x11CF, (ctypes.c_uint8 * 8)(0x88, 0x4D, 0x00, 0xAA, 0x00, 0x4B, 0x2E, 0x24)
)


def hresult_error(result: int, what: str) -> HostError:
    """The `HostError` for a COM error; HRESULTs that wrap a Win32 error mean what that means."""
    code = result & 0xFFFFFFFF
    reason = _REASONS.get(code)
    if reason is None:
        # FACILITY_WIN32, e.g. 0x80070005 E_ACCESSDENIED, 0x800706BA "RPC server unavailable"
        reason = reason_of(code & 0xFFFF) if code >> 16 == 0x8007 else Unreadable.MALFORMED
    return HostError(reason, "%s: HRESULT 0x%08X" % (what, code))


def rows(namespace: str, query: str, timeout_seconds: float) -> Tuple[Mapping[str, object], ...]:
    """What a WQL query answers; see `Host.wmi`."""
    deadline = time.monotonic() + timeout_seconds
    what = "wmi %s: %s" % (namespace, query)
    ole32 = load("ole32")
    pointer, number, result_type = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int32
    initialise = function(ole32, "CoInitializeEx", result_type, pointer, number)
    begun = initialise(None, _COINIT_MULTITHREADED)
    if begun < 0 and begun & 0xFFFFFFFF != _RPC_E_CHANGED_MODE:
        raise hresult_error(begun, what)
    try:
        _initialise_security(ole32)
        with _Released() as held:
            services = _connect(ole32, held, namespace, what)
            found = _execute(ole32, held, services, query, what)
            return tuple(_read(found, deadline, what))
    finally:
        if begun >= 0:
            function(ole32, "CoUninitialize", None)()


class _Released:
    """COM objects that are let go, the last first, when the `with` ends."""

    def __init__(self) -> None:
        self._objects: List[ctypes.c_void_p] = []

    def __enter__(self) -> _Released:
        return self

    def __exit__(self, *_: object) -> None:
        for held in reversed(self._objects):
            _method(held, _RELEASE, ctypes.c_uint32)(held)

    def keep(self, made: ctypes.c_void_p) -> ctypes.c_void_p:
        self._objects.append(made)
        return made


def _method(this: ctypes.c_void_p, place: int, restype: Any, *argtypes: Any) -> Any:
    if sys.platform == "win32":
        table = ctypes.cast(this, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p)))[0]
        return ctypes.WINFUNCTYPE(restype, ctypes.c_void_p, *argtypes)(table[place])
    raise HostError(Unreadable.NOT_SUPPORTED, "COM: only on Windows")


class _Bstr:
    """A text as COM wants it, freed at the end of the `with`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._oleaut32 = load("oleaut32")
        self._bstr: Optional[int] = None

    def __enter__(self) -> ctypes.c_void_p:
        allocate = function(self._oleaut32, "SysAllocString", ctypes.c_void_p, ctypes.c_wchar_p)
        self._bstr = allocate(self._text)
        if not self._bstr:
            raise HostError(Unreadable.MALFORMED, "SysAllocString: no memory")
        return ctypes.c_void_p(self._bstr)

    def __exit__(self, *_: object) -> None:
        function(self._oleaut32, "SysFreeString", None, ctypes.c_void_p)(self._bstr)


def _initialise_security(ole32: Any) -> None:
    # Once for the process; "too late" from a second call or another library does no harm: what
    # counts is set on every connection below.
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    secure = function(
        ole32,
        "CoInitializeSecurity",
        ctypes.c_int32,
        pointer,
        ctypes.c_int32,
        pointer,
        pointer,
        number,
        number,
        pointer,
        number,
        pointer,
    )
    secure(None, -1, None, None, _AUTHN_DEFAULT, _IMP_LEVEL_IMPERSONATE, None, 0, None)


def _connect(ole32: Any, held: _Released, namespace: str, what: str) -> ctypes.c_void_p:
    pointer, number, result_type = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int32
    guid, out = ctypes.POINTER(Guid), ctypes.POINTER(ctypes.c_void_p)
    create = function(ole32, "CoCreateInstance", result_type, guid, pointer, number, guid, out)
    locator = pointer()
    result = create(
        ctypes.byref(_CLSID_WBEM_LOCATOR),
        None,
        _CLSCTX_INPROC_SERVER,
        ctypes.byref(_IID_IWBEM_LOCATOR),
        ctypes.byref(locator),
    )
    if result < 0:
        raise hresult_error(result, what)
    held.keep(locator)
    services = pointer()
    connect = _method(
        locator,
        _LOCATOR_CONNECT_SERVER,
        result_type,
        pointer,
        pointer,
        pointer,
        pointer,
        ctypes.c_int32,
        pointer,
        pointer,
        out,
    )
    with _Bstr(namespace) as text:
        result = connect(
            locator,
            text,
            None,
            None,
            None,
            _CONNECT_USE_MAX_WAIT,
            None,
            None,
            ctypes.byref(services),
        )
    if result < 0:
        raise hresult_error(result, what)
    held.keep(services)
    _set_blanket(ole32, services)
    return services


def _set_blanket(ole32: Any, proxy: ctypes.c_void_p) -> None:
    """Speak as ourselves, encrypted: some namespaces (BitLocker) refuse anything less.

    A refusal is not looked at: where it matters, the call after it is denied.
    """
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    blanket = function(
        ole32,
        "CoSetProxyBlanket",
        ctypes.c_int32,
        pointer,
        number,
        number,
        pointer,
        number,
        number,
        pointer,
        number,
    )
    blanket(
        proxy,
        _AUTHN_WINNT,
        _AUTHZ_NONE,
        None,
        _AUTHN_LEVEL_PKT_PRIVACY,
        _IMP_LEVEL_IMPERSONATE,
        None,
        0,
    )


def _execute(
    ole32: Any, held: _Released, services: ctypes.c_void_p, query: str, what: str
) -> ctypes.c_void_p:
    pointer = ctypes.c_void_p
    execute = _method(
        services,
        _SERVICES_EXEC_QUERY,
        ctypes.c_int32,
        pointer,
        pointer,
        ctypes.c_int32,
        pointer,
        ctypes.POINTER(pointer),
    )
    found = pointer()
    with _Bstr("WQL") as language, _Bstr(query) as text:
        result = execute(
            services, language, text, _RETURN_IMMEDIATELY_FORWARD_ONLY, None, ctypes.byref(found)
        )
    if result < 0:
        raise hresult_error(result, what)
    held.keep(found)
    _set_blanket(ole32, found)
    return found


def _read(found: ctypes.c_void_p, deadline: float, what: str) -> Sequence[Mapping[str, object]]:
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    following = _method(
        found,
        _ENUM_NEXT,
        ctypes.c_int32,
        ctypes.c_int32,
        number,
        ctypes.POINTER(pointer),
        ctypes.POINTER(number),
    )
    read: List[Mapping[str, object]] = []
    while True:
        left_ms = int(max(0.0, deadline - time.monotonic()) * 1000)
        entry, count = pointer(), number(0)
        result = following(found, left_ms, 1, ctypes.byref(entry), ctypes.byref(count))
        if result < 0:
            # A missing class is told here, not by ExecQuery, which answers at once.
            raise hresult_error(result, what)
        if result == _WBEM_S_TIMEDOUT:
            raise HostError(Unreadable.TIMEOUT, "%s: no answer in time" % what)
        if count.value == 0:
            return read
        with _Released() as held:
            read.append(_row(held.keep(entry), what))
        if len(read) > MAX_ROWS:
            raise HostError(Unreadable.MALFORMED, "%s: more than %d rows" % (what, MAX_ROWS))


def _row(entry: ctypes.c_void_p, what: str) -> Mapping[str, object]:
    pointer, result_type, flags = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32
    result = _method(entry, _OBJECT_BEGIN_ENUMERATION, result_type, flags)(entry, _NONSYSTEM_ONLY)
    if result < 0:
        raise hresult_error(result, what)
    following = _method(
        entry,
        _OBJECT_NEXT,
        result_type,
        flags,
        ctypes.POINTER(pointer),
        ctypes.POINTER(Variant),
        ctypes.POINTER(ctypes.c_int32),
        ctypes.POINTER(ctypes.c_int32),
    )
    oleaut32 = load("oleaut32")
    clear = function(oleaut32, "VariantClear", result_type, ctypes.POINTER(Variant))
    free = function(oleaut32, "SysFreeString", None, pointer)
    told: Dict[str, object] = {}
    while True:
        name, value = pointer(), Variant()
        cim_type, flavor = ctypes.c_int32(0), ctypes.c_int32(0)
        result = following(
            entry,
            0,
            ctypes.byref(name),
            ctypes.byref(value),
            ctypes.byref(cim_type),
            ctypes.byref(flavor),
        )
        if result < 0:
            raise hresult_error(result, what)
        if result in (_S_FALSE, _WBEM_S_NO_MORE_DATA):
            break
        try:
            text = bstr_text(oleaut32, name.value)
            if not text.startswith("__"):
                told[text] = value_of(oleaut32, value, cim_type.value, "%s %s" % (what, text))
        finally:
            clear(ctypes.byref(value))
            free(name)
    _method(entry, _OBJECT_END_ENUMERATION, result_type)(entry)
    return told
