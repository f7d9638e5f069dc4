"""Values that need nothing of Windows; BSTR and arrays are in tests/wine."""

from __future__ import annotations

import pytest

from attt_agent.host import HostError
from attt_agent.windows import variant
from attt_agent.windows.variant import Variant, value_of
from attt_rules.contract import Unreadable

CIM_SINT32, CIM_UINT16, CIM_UINT32, CIM_BOOLEAN = 3, 18, 19, 11


def made(vt: int, **content: object) -> Variant:
    told = Variant(vt=vt)
    for name, value in content.items():
        setattr(told.content, name, value)
    return told


@pytest.mark.parametrize(
    ("told", "cim_type", "expected"),
    [
        (made(variant.VT_I4, i4=-5), CIM_SINT32, -5),
        # productState and every other uint32 come in a signed VT_I4.
        (made(variant.VT_I4, i4=-1), CIM_UINT32, 0xFFFFFFFF),
        (made(variant.VT_I4, i4=-1), CIM_UINT16, 0xFFFF),
        (made(variant.VT_UI1, ui1=200), 17, 200),
        (made(variant.VT_BOOL, i2=-1), CIM_BOOLEAN, True),
        (made(variant.VT_BOOL, i2=0), CIM_BOOLEAN, False),
        (made(variant.VT_R8, r8=0.5), 5, 0.5),
        (made(variant.VT_NULL), CIM_UINT32, None),
        (made(variant.VT_EMPTY), CIM_UINT32, None),
        (made(variant.VT_ARRAY | variant.VT_I4, pointer=None), CIM_UINT32, None),
    ],
)
def test_it_works(told: Variant, cim_type: int, expected: object) -> None:
    read = value_of(None, told, cim_type, "x")
    assert (expected, type(expected)) == (read, type(read))


def test_a_type_that_is_not_known_is_malformed() -> None:
    with pytest.raises(HostError) as failed:
        value_of(None, made(0x24), CIM_UINT32, "x")
    assert Unreadable.MALFORMED is failed.value.reason
