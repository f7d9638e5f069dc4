"""How a document names a unit: in full, as a place, and on the two lines of its letterhead."""

from __future__ import annotations

import re

from attt_collector.records import Unit, UnitKind

_COMMITTEE = "Ủy ban nhân dân"
_ABBREVIATION = re.compile(r"^(UBND|U[ỷỶ] ban nhân dân|Ủy ban nhân dân)\s+", re.IGNORECASE)
_LEVEL = re.compile(
    r"^(thành phố|tỉnh|huyện|quận|thị xã|thị trấn|xã|phường|đặc khu)\s+", re.IGNORECASE
)


def place(unit: Unit) -> str:
    """The area a unit stands for: "UBND xã Tân Phú" -> "xã Tân Phú"; other names stay."""
    return _ABBREVIATION.sub("", unit.name)


def is_committee(unit: Unit) -> bool:
    """Whether the unit is a people's committee (UBND); a department is not."""
    return unit.kind is not UnitKind.DEPARTMENT


def full_name(unit: Unit) -> str:
    """The office: "UBND Thành phố Sa Đéc" -> "Ủy ban nhân dân Thành phố Sa Đéc"."""
    return f"{_COMMITTEE} {place(unit)}" if is_committee(unit) else unit.name


def short_place(unit: Unit) -> str:
    """For the date line: "Thành phố Sa Đéc" -> "Sa Đéc", but "Phường 1" stays whole."""
    whole = place(unit)
    bare = _LEVEL.sub("", whole)
    return whole if not bare or bare[0].isdigit() else bare


def letterhead(unit: Unit) -> tuple[str, ...]:
    """The issuing authority in capitals; a committee takes two lines, as usual in print."""
    if is_committee(unit):
        return _COMMITTEE.upper(), place(unit).upper()
    return (unit.name.upper(),)
