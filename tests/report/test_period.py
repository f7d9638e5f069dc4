"""The period of a report: a year, or a month of a year."""

from __future__ import annotations

from datetime import date

import pytest

from attt_collector.report.period import Period
from attt_rules.contract import parse_time
from attt_rules.errors import AtttError


def test_it_works() -> None:
    year = Period.parse("2024")

    assert (year.first, year.last) == (date(2024, 1, 1), date(2024, 12, 31))
    assert (year.words, year.slug) == ("năm 2024", "2024")


def test_it_reads_a_month() -> None:
    month = Period.parse("2/2024")

    assert (month.first, month.last) == (date(2024, 2, 1), date(2024, 2, 29))
    assert (month.words, month.slug) == ("tháng 02 năm 2024", "2024-02")


@pytest.mark.parametrize("text", ["", "24", "13/2024", "0/2024", "2024-10", "quý I/2024", "1999"])
def test_it_refuses_anything_else(text: str) -> None:
    with pytest.raises(AtttError) as refused:
        Period.parse(text)
    assert refused.value.code == "ATTT-604"


def test_a_past_period_is_judged_at_its_end() -> None:
    now = parse_time("2026-11-22T08:00:00+07:00")

    assert Period.parse("2024").as_of(now) == parse_time("2024-12-31T23:59:59+07:00")


def test_a_running_period_is_judged_now() -> None:
    now = parse_time("2026-11-22T01:00:00+00:00")

    assert Period.parse("2026").as_of(now) == now


def test_a_period_that_has_not_begun_is_refused() -> None:
    # Already 2027 in Vietnam, still 2026 in UTC.
    Period.parse("2027").as_of(parse_time("2026-12-31T17:30:00+00:00"))

    with pytest.raises(AtttError) as refused:
        Period.parse("2027").as_of(parse_time("2026-12-31T16:30:00+00:00"))
    assert refused.value.code == "ATTT-605"
