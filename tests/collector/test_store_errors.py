"""What the store's errors say to the person who reads them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from attt_collector.store.errors import asset_retired


@pytest.mark.parametrize(
    "at,vietnamese,english",
    [
        (datetime(2026, 11, 21, 16, 59, tzinfo=UTC), "21/11/2026", "2026-11-21"),
        (datetime(2026, 11, 21, 17, 0, tzinfo=UTC), "22/11/2026", "2026-11-22"),
    ],
)
def test_a_retirement_is_dated_by_the_day_in_vietnam(
    at: datetime, vietnamese: str, english: str
) -> None:
    message = asset_retired("PC-0417", at).message
    assert vietnamese in message.vi
    assert english in message.en
