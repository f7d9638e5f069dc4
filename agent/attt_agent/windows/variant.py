"""VARIANT, BSTR and SAFEARRAY of COM as plain Python values.

Run under wine against wine's oleaut32 with a 64-bit Python 3.8 and 3.11. Not run: a real Windows;
the 32-bit layout was compared with the headers of mingw-w64 only.
"""

from __future__ import annotations

import ctypes
from typing import Any, List, Optional, Tuple

from attt_agent.answers import HostError
from attt_agent.windows.library import function
from attt_rules.contract import Unreadable

VT_EMPTY, VT_NULL, VT_I2, VT_I4, VT_R4, VT_R8 = 0, 1, 2, 3, 4, 5
VT_BSTR, VT_BOOL, VT_VARIANT, VT_UNKNOWN = 8, 11, 12, 13
VT_I1, VT_UI1, VT_UI2, VT_UI4, VT_I8, VT_UI8 = 16, 17, 18, 19, 20, 21
VT_ARRAY = 0x2000

# CIM types whose values do not fit the VARIANT that carries them (wbemcli.h): UINT8, UINT16 and
# UINT32 come signed, SINT64 and UINT64 as text.
_CIM_UINT16, _CIM_UINT32, _CIM_SINT64, _CIM_UINT64 = 18, 19, 20, 21
_CIM_ARRAY = 0x2000
_MAX_ELEMENTS = 100_000


class _Content(ctypes.Union):
    _fields_ = [
        ("i1", ctypes.c_int8),
        ("ui1", ctypes.c_uint8),
        ("i2", ctypes.c_int16),
        ("ui2", ctypes.c_uint16),
        ("i4", ctypes.c_int32),
        ("ui4", ctypes.c_uint32),
        ("i8", ctypes.c_int64),
        ("ui8", ctypes.c_uint64),
        ("r4", ctypes.c_float),
        ("r8", ctypes.c_double),
        ("pointer", ctypes.c_void_p),
        ("record", ctypes.c_void_p * 2),  # __tagBRECORD: what makes it 24 bytes on 64 bit
    ]


class Variant(ctypes.Structure):
    """VARIANT (oaidl.h): 16 bytes on 32 bit, 24 on 64 bit."""

    _fields_ = [
        ("vt", ctypes.c_uint16),
        ("reserved1", ctypes.c_uint16),
        ("reserved2", ctypes.c_uint16),
        ("reserved3", ctypes.c_uint16),
        ("content", _Content),
    ]


_PLAIN = {
    VT_I1: "i1",
    VT_UI1: "ui1",
    VT_I2: "i2",
    VT_UI2: "ui2",
    VT_I4: "i4",
    VT_UI4: "ui4",
    VT_I8: "i8",
    VT_UI8: "ui8",
    VT_R4: "r4",
    VT_R8: "r8",
}


def bstr_text(oleaut32: Any, bstr: Optional[int]) -> str:
    """The text of a BSTR; its length is counted, so a NUL inside does not cut it."""
    if not bstr:
        return ""
    length = function(oleaut32, "SysStringLen", ctypes.c_uint32, ctypes.c_void_p)(bstr)
    return ctypes.wstring_at(bstr, length)


def value_of(oleaut32: Any, variant: Variant, cim_type: int, what: str) -> object:
    """int, float, str, bool, None, or a tuple of those; the VARIANT stays the caller's to clear.

    Raises:
        HostError: `malformed`, for a type that no property of ours has.
    """
    kind = variant.vt
    if kind & VT_ARRAY:
        return _elements(oleaut32, variant, cim_type & ~_CIM_ARRAY, what)
    if kind in (VT_EMPTY, VT_NULL):
        return None
    if kind == VT_BSTR:
        return _as_cim(bstr_text(oleaut32, variant.content.pointer), cim_type, what)
    if kind == VT_BOOL:
        return variant.content.i2 != 0  # VARIANT_TRUE is -1
    if kind in _PLAIN:
        return _as_cim(getattr(variant.content, _PLAIN[kind]), cim_type, what)
    if kind == VT_UNKNOWN:
        return None  # an embedded object: none of our facts needs one
    raise HostError(Unreadable.MALFORMED, "%s: VARIANT of type %d" % (what, kind))


def _as_cim(plain: object, cim_type: int, what: str) -> object:
    if cim_type in (_CIM_SINT64, _CIM_UINT64) and isinstance(plain, str):
        try:
            return int(plain)
        except ValueError as error:
            raise HostError(Unreadable.MALFORMED, "%s: %.40r" % (what, plain)) from error
    if isinstance(plain, int):
        if cim_type == _CIM_UINT32:
            return plain & 0xFFFFFFFF
        if cim_type == _CIM_UINT16:
            return plain & 0xFFFF
    return plain


def _elements(
    oleaut32: Any, variant: Variant, cim_type: int, what: str
) -> Optional[Tuple[object, ...]]:
    array = variant.content.pointer
    kind = variant.vt & ~VT_ARRAY
    if not array:
        return None
    pointer, number, result_type = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int32
    out = ctypes.POINTER(ctypes.c_int32)
    dimensions = function(oleaut32, "SafeArrayGetDim", number, pointer)
    lower = function(oleaut32, "SafeArrayGetLBound", result_type, pointer, number, out)
    upper = function(oleaut32, "SafeArrayGetUBound", result_type, pointer, number, out)
    element = function(oleaut32, "SafeArrayGetElement", result_type, pointer, out, pointer)
    clear = function(oleaut32, "VariantClear", result_type, ctypes.POINTER(Variant))
    first, last = ctypes.c_int32(0), ctypes.c_int32(-1)
    if (
        dimensions(array) != 1
        or lower(array, 1, ctypes.byref(first)) < 0
        or upper(array, 1, ctypes.byref(last)) < 0
        or last.value - first.value >= _MAX_ELEMENTS
        or (kind not in _PLAIN and kind not in (VT_BSTR, VT_BOOL, VT_VARIANT))
    ):
        raise HostError(Unreadable.MALFORMED, "%s: array of type %d" % (what, kind))
    found: List[object] = []
    for position in range(first.value, last.value + 1):
        # Put into a VARIANT of its own, which is then read and cleared like any other; an element
        # that is a VARIANT already is copied over the whole of it.
        one = Variant()
        target = ctypes.addressof(one)
        if kind != VT_VARIANT:
            one.vt = kind
            target += Variant.content.offset
        index = ctypes.c_int32(position)
        if element(array, ctypes.byref(index), target) < 0:
            raise HostError(Unreadable.MALFORMED, "%s: element %d" % (what, position))
        try:
            found.append(value_of(oleaut32, one, cim_type, what))
        finally:
            clear(ctypes.byref(one))
    return tuple(found)
