"""SIDs as text: advapi32.

Run under wine with a 64-bit Python 3.8 and 3.11. Not run: a real Windows.
"""

from __future__ import annotations

import ctypes

from attt_agent.windows.library import function, last_error, load


def sid_text(sid: int) -> str:
    """A SID as "S-1-5-…"."""
    pointer = ctypes.c_void_p
    convert = function(
        load("advapi32"),
        "ConvertSidToStringSidW",
        ctypes.c_int32,
        pointer,
        ctypes.POINTER(pointer),
    )
    text = pointer()
    if not convert(sid, ctypes.byref(text)) or text.value is None:
        raise last_error("ConvertSidToStringSid")
    try:
        return ctypes.wstring_at(text.value)
    finally:
        local_free(text)


def local_free(memory: ctypes.c_void_p) -> None:
    """Give back what advapi32 allocated."""
    function(load("kernel32"), "LocalFree", ctypes.c_void_p, ctypes.c_void_p)(memory)
