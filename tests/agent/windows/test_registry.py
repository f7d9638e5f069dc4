from __future__ import annotations

import pytest

from attt_agent.host import HostError
from attt_agent.windows import registry
from attt_rules.contract import Unreadable


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (r"HKLM\SOFTWARE\X", r"HKLM\SOFTWARE\X"),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\X" "\\", r"HKLM\SOFTWARE\X"),
        (r"hku\.DEFAULT", r"HKU\.DEFAULT"),
        ("HKEY_USERS", "HKU"),
        (r"HKCR\CLSID", r"HKCR\CLSID"),
    ],
)
def test_a_key_is_written_in_one_way(key: str, expected: str) -> None:
    assert expected == registry.written(key)


@pytest.mark.parametrize("key", ["", r"SOFTWARE\X", r"HKXX\SOFTWARE"])
def test_a_key_without_a_root_is_a_mistake_of_the_caller(key: str) -> None:
    with pytest.raises(ValueError, match="does not begin with"):
        registry.written(key)


@pytest.mark.parametrize(
    ("raw", "kind", "expected"),
    [
        (1, 4, 1),
        (2**40, 11, 2**40),
        ("x", 1, "x"),
        ("%SystemRoot%", 2, "%SystemRoot%"),
        (["a", "b"], 7, ("a", "b")),
        (None, 7, ()),
        (b"\x01\x02", 3, b"\x01\x02"),
        (None, 3, b""),
        (b"\x00\x00\x01\x00", 5, 256),
        (b"\x01", 0, b"\x01"),
    ],
)
def test_values_come_in_plain_types(raw: object, kind: int, expected: object) -> None:
    assert expected == registry.value_of(raw, kind, "HKLM x")


@pytest.mark.parametrize(("raw", "kind"), [(None, 4), (b"\x01", 5), (None, 1), (5, 7), ("x", 3)])
def test_a_value_that_is_not_of_its_type_is_malformed(raw: object, kind: int) -> None:
    with pytest.raises(HostError) as failed:
        registry.value_of(raw, kind, "HKLM x")
    assert Unreadable.MALFORMED is failed.value.reason
