"""Writes numbers, dates and values of facts the way Vietnamese state documents do.

Nothing else formats a number: 31.860 · 98,51% · 09 xã · 05 máy · 378/330 · tháng 10 năm 2024.
A signed report is Vietnamese; screens pass their `language`, and English has 31,860 · 98.51% · 9.
A percentage is computed from two whole numbers, never taken from a person, and never says more
than they do: 100% means all, 0% means none.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from attt_collector.records import VIETNAM_TIME
from attt_rules.contract import Fact, FactValue, Text, Unreadable
from attt_rules.errors import AtttError

UNREADABLE_WORDS = {
    Unreadable.NOT_SUPPORTED: "thiết bị không có mục này",
    Unreadable.ACCESS_DENIED: "bị từ chối quyền đọc",
    Unreadable.TIMEOUT: "quá thời gian chờ",
    Unreadable.NOT_FOUND: "không tìm thấy",
    Unreadable.MALFORMED: "đọc được nhưng không hiểu",
}

VIETNAMESE = "vi"
ENGLISH = "en"
_SWAPPED = str.maketrans(",.", ".,")


def integer(number: int, language: str = VIETNAMESE) -> str:
    """31860 -> "31.860"; in English "31,860"."""
    return _marked(f"{number:,}", language)


def counted(number: int, language: str = VIETNAMESE) -> str:
    """A number before a noun: two digits under ten ("09"), none is "0"; English does not pad."""
    padded = language == VIETNAMESE and 0 < number < 10
    return f"{number:02d}" if padded else integer(number, language)


def fraction(count: int, of: int, language: str = VIETNAMESE) -> str:
    """378 of 330 -> "378/330"; not padded, as in "9/9 xã, phường"."""
    return f"{integer(count, language)}/{integer(of, language)}"


def ratio_percent(count: int, of: int, decimals: int = 2, language: str = VIETNAMESE) -> str:
    """A part of a whole: 462 of 469 -> "98,51%".

    Rounded half up, trailing zeros dropped; 99,996% is "99,99%" and 1 of 100.000 is "0,01%".

    Raises:
        AtttError: ATTT-602 the part is larger than the whole; ATTT-603 there is no whole.
    """
    if count > of > 0:
        raise AtttError(
            "ATTT-602",
            Text(
                vi=f"Tỷ lệ {count}/{of} lớn hơn 100%: một phần không thể lớn hơn tổng số.",
                en=f"The ratio {count}/{of} is above 100%: a part cannot exceed its whole.",
            ),
            Text(
                vi="khai báo chỉ tiêu là attainment nếu mẫu số là chỉ tiêu phân bổ.",
                en="Declare the indicator as attainment when its denominator is a quota.",
            ),
        )
    return _percent(count, of, decimals, language)


def attainment_percent(
    count: int, planned: int, decimals: int = 1, language: str = VIETNAMESE
) -> str:
    """Actual of planned, may exceed 100%: 378 of 330 -> "114,5%".

    Raises:
        AtttError: ATTT-603 nothing was planned.
    """
    return _percent(count, planned, decimals, language)


def _percent(count: int, of: int, decimals: int, language: str) -> str:
    if of <= 0:
        raise AtttError(
            "ATTT-603",
            Text(
                vi=f"Không tính được tỷ lệ phần trăm của {count}/{of}.",
                en=f"No percentage can be computed of {count}/{of}.",
            ),
            Text(
                vi="mẫu câu phải có trường hợp of_zero hoặc of_unknown đứng trước.",
                en="The template needs an of_zero or of_unknown variant before this one.",
            ),
        )
    scale = 10**decimals
    whole = 100 * scale
    # Half up in whole numbers: no binary fraction can push 98,505 the wrong way.
    parts = (2 * count * whole + of) // (2 * of)
    if count < of:
        parts = min(parts, whole - 1)
    elif count > of:
        parts = max(parts, whole + 1)
    if count > 0:
        parts = max(parts, 1)
    before, after = divmod(parts, scale)
    if not after:
        return f"{integer(before, language)}%"
    return _marked(f"{before:,}.{after:0{decimals}d}".rstrip("0"), language) + "%"


def decimal(number: float, language: str = VIETNAMESE) -> str:
    """A measured number, at most three decimals: 1234.5 -> "1.234,5"; in English "1,234.5"."""
    return _marked(f"{number:,.3f}".rstrip("0").rstrip("."), language)


def _marked(english: str, language: str) -> str:
    """Digits as Python groups them ("1,234.5") with the marks of the language."""
    return english if language == ENGLISH else english.translate(_SWAPPED)


def day(when: date) -> str:
    """20/11/2026; a moment is taken as it reads in Vietnam."""
    local = when.astimezone(VIETNAM_TIME) if isinstance(when, datetime) else when
    return f"{local.day:02d}/{local.month:02d}/{local.year}"


def moment(when: datetime) -> str:
    """08:00 ngày 22/11/2026, in Vietnam's time."""
    local = when.astimezone(VIETNAM_TIME)
    return f"{local.hour:02d}:{local.minute:02d} ngày {day(local)}"


def month_words(month: int) -> str:
    """NĐ 30/2020 writes a zero before January and February only: "tháng 02", "tháng 3"."""
    return f"tháng {month:02d}" if month <= 2 else f"tháng {month}"


def month_and_year(when: date) -> str:
    """tháng 10 năm 2024."""
    return f"{month_words(when.month)} năm {when.year}"


# Outside the characters of XML 1.0: controls, surrogates, non-characters.
_NOT_PRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

_UNIT_WORDS = {
    "attempts": "lần",
    "bytes": "byte",
    "chars": "ký tự",
    "classes": "nhóm ký tự",
    "count": "",
    "days": "ngày",
    "machines": "máy",
    "minutes": "phút",
    "packages": "gói",
    "passwords": "mật khẩu",
    "percent": "%",
    "seconds": "giây",
}


def quantity(name: str, value: FactValue) -> str:
    """The value of a parameter with the unit its name ends in: minimum_chars 14 -> "14 ký tự".

    Whole minutes are written as such: max_timeout_seconds 900 -> "15 phút".
    """
    suffix = name.rpartition("_")[2]
    if isinstance(value, int) and not isinstance(value, bool):
        if suffix == "seconds" and value >= 60 and value % 60 == 0:
            return f"{integer(value // 60)} phút"
        return f"{integer(value)} {_UNIT_WORDS.get(suffix, '')}".rstrip()
    return fact_value(value)


def fact_value(value: FactValue) -> str:
    """The value of a fact in words: có, không, 14, 20/11/2026, a list."""
    if isinstance(value, bool):
        return "có" if value else "không"
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        return decimal(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, tuple):
        return ", ".join(value) if value else "(không có mục nào)"
    return value


def printable(text: str) -> str:
    """The text without characters that no document format can hold (what a machine said is raw)."""
    return _NOT_PRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def fact_words(fact: Fact) -> str:
    """What a fact says, or why it could not be read."""
    if fact.unreadable is not None:
        return f"không đọc được ({UNREADABLE_WORDS[fact.unreadable]})"
    if fact.value is None:  # excluded by Fact itself; keeps the types honest
        return "không có giá trị"
    return fact_value(fact.value)


def fact_name(fact: Fact) -> str:
    """firewall.enabled[private], or the key alone."""
    return fact.key if fact.item is None else f"{fact.key}[{fact.item}]"
