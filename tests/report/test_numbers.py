"""Numbers and dates as Vietnamese state documents write them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attt_collector.report import numbers
from attt_rules.contract import Fact, FactValue, Unreadable, parse_time
from attt_rules.errors import AtttError

NOON = parse_time("2026-11-22T05:00:00+00:00")


def test_it_works() -> None:
    assert numbers.integer(31860) == "31.860"
    assert numbers.fraction(378, 330) == "378/330"
    assert numbers.ratio_percent(462, 469) == "98,51%"


def test_screens_in_english_have_english_marks() -> None:
    assert numbers.integer(31860, "en") == "31,860"
    assert numbers.fraction(1200, 1300, "en") == "1,200/1,300"
    assert numbers.ratio_percent(2, 13, 2, "en") == "15.38%"
    assert numbers.attainment_percent(20001, 10, 1, "en") == "200,010%"
    assert numbers.attainment_percent(378, 330, 1, "en") == "114.5%"
    assert numbers.decimal(1234.5, "en") == "1,234.5"
    assert numbers.counted(9, "en") == "9"


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0"), (1, "01"), (9, "09"), (10, "10"), (469, "469"), (31860, "31.860")],
)
def test_it_counts_with_two_digits_under_ten(number: int, expected: str) -> None:
    assert numbers.counted(number) == expected


@pytest.mark.parametrize(
    ("count", "of", "expected"),
    [
        (469, 469, "100%"),
        (378, 469, "80,6%"),
        (21, 22, "95,45%"),
        (1, 2, "50%"),
        (0, 5, "0%"),
        (24999, 25000, "99,99%"),  # 99,996 must not become 100
        (99999, 100000, "99,99%"),
        (1, 100000, "0,01%"),  # some pass: never 0
        (1, 800, "0,13%"),  # 0,125 goes half up
        (11497, 11498, "99,99%"),
    ],
)
def test_it_writes_ratios(count: int, of: int, expected: str) -> None:
    assert numbers.ratio_percent(count, of) == expected


@pytest.mark.parametrize(
    ("count", "planned", "expected"),
    [
        (378, 330, "114,5%"),
        (330, 330, "100%"),
        (13, 10, "130%"),
        (0, 10, "0%"),
        (9999, 10000, "99,9%"),
        (10001, 10000, "100,1%"),
        (20000, 10, "200.000%"),
    ],
)
def test_it_writes_attainment(count: int, planned: int, expected: str) -> None:
    assert numbers.attainment_percent(count, planned) == expected


def test_it_refuses_a_part_larger_than_its_whole() -> None:
    with pytest.raises(AtttError) as refused:
        numbers.ratio_percent(378, 330)
    assert refused.value.code == "ATTT-602"
    assert "378/330" in str(refused.value)


@pytest.mark.parametrize("write", [numbers.ratio_percent, numbers.attainment_percent])
def test_it_refuses_a_percentage_of_nothing(write: object) -> None:
    with pytest.raises(AtttError) as refused:
        write(0, 0)  # type: ignore[operator]
    assert refused.value.code == "ATTT-603"


@given(st.integers(1, 40_000), st.data())
def test_only_all_is_100_percent_and_only_none_is_0(of: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, of))

    written = numbers.ratio_percent(count, of)

    assert (written == "100%") == (count == of)
    assert (written == "0%") == (count == 0)


def test_it_writes_days_and_months() -> None:
    assert numbers.day(date(2024, 2, 5)) == "05/02/2024"
    assert numbers.moment(NOON) == "12:00 ngày 22/11/2026"
    assert numbers.month_and_year(date(2024, 10, 1)) == "tháng 10 năm 2024"
    assert numbers.month_and_year(date(2024, 2, 1)) == "tháng 02 năm 2024"
    assert numbers.month_and_year(date(2024, 3, 1)) == "tháng 3 năm 2024"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("minimum_chars", 14, "14 ký tự"),
        ("max_timeout_seconds", 900, "15 phút"),
        ("max_behind_seconds", -5, "-5 giây"),
        ("max_age_days", 31, "31 ngày"),
        ("max_attempts", 10, "10 lần"),
    ],
)
def test_it_writes_parameters_with_their_unit(name: str, value: int, expected: str) -> None:
    assert numbers.quantity(name, value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "có"),
        (False, "không"),
        (1000, "1.000"),
        (1234.5, "1.234,5"),
        (0.012, "0,012"),
        ("up", "up"),
        (("a", "b"), "a, b"),
        ((), "(không có mục nào)"),
        (NOON, "12:00 ngày 22/11/2026"),
    ],
)
def test_it_writes_facts(value: FactValue, expected: str) -> None:
    assert numbers.fact_value(value) == expected


@pytest.mark.parametrize("reason", list(Unreadable))
def test_it_says_why_a_fact_could_not_be_read(reason: Unreadable) -> None:
    fact = Fact("firewall.enabled", NOON, "test", unreadable=reason, item="host")

    assert numbers.fact_words(fact).startswith("không đọc được (")
    assert numbers.fact_name(fact) == "firewall.enabled[host]"


def test_it_takes_out_what_no_document_can_hold() -> None:
    assert numbers.printable("PC\x00-1\x1b[31m\ud800 ờ") == "PC\ufffd-1\ufffd[31m\ufffd ờ"
