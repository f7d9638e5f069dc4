"""Structures of Windows as mingw-w64's compilers lay them out, for 64 and for 32 bit."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import pytest

from attt_agent.windows import accounts, protection, services, variant, wmi

# sizeof and offsetof, by gcc-mingw-w64 12.2 for x86_64 and i686 from mingw-w64's headers.
LAYOUTS: dict[type[ctypes.Structure], dict[str, tuple[int, int]]] = {
    accounts.UserModals0: {"": (20, 20), "password_hist_len": (16, 16)},
    accounts.UserModals2: {"": (16, 8), "domain_id": (8, 4)},
    accounts.UserModals3: {"": (12, 12), "lockout_threshold": (8, 8)},
    accounts.UserInfo3: {
        "": (184, 116),
        "password_age": (16, 8),
        "flags": (40, 24),
        "last_logon": (96, 52),
        "logon_hours": (120, 72),
        "user_id": (152, 96),
        "password_expired": (176, 112),
    },
    accounts.DomainPasswordInformation: {
        "": (24, 24),
        "password_properties": (4, 4),
        "max_password_age": (8, 8),
    },
    services.ServiceStatusProcess: {"": (36, 36), "current_state": (4, 4)},
    services.EnumServiceStatusProcess: {"": (56, 44), "status": (16, 8)},
    services.QueryServiceConfig: {"": (64, 36), "start_type": (4, 4), "display_name": (56, 32)},
    variant.Variant: {"": (24, 16), "content": (8, 8)},
    protection.SecurityAttributes: {"": (24, 12), "security_descriptor": (8, 4)},
    wmi.Guid: {"": (16, 16), "data4": (8, 8)},
}


def measured(structure: type[ctypes.Structure], field: str) -> int:
    return int(getattr(structure, field).offset) if field else ctypes.sizeof(structure)


def with_narrow_pointers(of: Any) -> Any:
    """The same declaration as a 32-bit Python would see it."""
    if of in (ctypes.c_void_p, ctypes.c_wchar_p):
        return ctypes.c_uint32
    if hasattr(of, "_length_"):
        return with_narrow_pointers(of._type_) * of._length_
    if hasattr(of, "_fields_"):
        base = ctypes.Union if issubclass(of, ctypes.Union) else ctypes.Structure
        fields = [(name, with_narrow_pointers(kind)) for name, kind in of._fields_]
        return type(of.__name__, (base,), {"_fields_": fields})
    return of


@pytest.mark.skipif(sys.maxsize < 2**32, reason="a 32-bit Python measures the other column")
@pytest.mark.parametrize("structure", LAYOUTS, ids=lambda structure: structure.__name__)
def test_it_is_laid_out_as_64_bit_windows_does(structure: type[ctypes.Structure]) -> None:
    expected = {field: wide for field, (wide, _) in LAYOUTS[structure].items()}
    assert expected == {field: measured(structure, field) for field in expected}


@pytest.mark.parametrize("structure", LAYOUTS, ids=lambda structure: structure.__name__)
def test_it_is_laid_out_as_32_bit_windows_does(structure: type[ctypes.Structure]) -> None:
    expected = {field: narrow for field, (_, narrow) in LAYOUTS[structure].items()}
    narrow = with_narrow_pointers(structure)
    assert expected == {field: measured(narrow, field) for field in expected}
