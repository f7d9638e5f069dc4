"""The period a report is about: a year or a month."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time

from attt_collector.records import VIETNAM_TIME
from attt_collector.report import numbers
from attt_rules.contract import Text
from attt_rules.errors import AtttError


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days from `first` to `last`, both included; `words` is how a sentence names it."""

    first: date
    last: date
    words: str
    slug: str

    @classmethod
    def parse(cls, text: str) -> Period:
        """A period from "2024" or "10/2024".

        Raises:
            AtttError: ATTT-604 neither a year nor a month and a year.
        """
        found = re.fullmatch(r"(?:(\d{1,2})/)?(20\d\d)", text.strip())
        month = int(found.group(1)) if found and found.group(1) else None
        if found is None or (month is not None and not 1 <= month <= 12):
            raise AtttError(
                "ATTT-604",
                Text(
                    vi=f"Kỳ báo cáo «{text}» không đúng.",
                    en=f'"{text}" is not a reporting period.',
                ),
                Text(
                    vi="viết năm (2024) hoặc tháng/năm (10/2024).",
                    en="Write a year (2024) or a month and a year (10/2024).",
                ),
            )
        year = int(found.group(2))
        if month is None:
            return cls(date(year, 1, 1), date(year, 12, 31), f"năm {year}", f"{year}")
        first, last = date(year, month, 1), date(year, month, monthrange(year, month)[1])
        return cls(first, last, numbers.month_and_year(first), f"{year}-{month:02d}")

    def as_of(self, now: datetime) -> datetime:
        """The moment to judge at: the end of the period, or now while it lasts.

        Raises:
            AtttError: ATTT-605 the period has not begun.
        """
        end = datetime.combine(self.last, time(23, 59, 59), VIETNAM_TIME)
        today = now.astimezone(VIETNAM_TIME)
        if today.date() < self.first:
            raise AtttError(
                "ATTT-605",
                Text(
                    vi=f"Kỳ báo cáo {self.words} chưa bắt đầu.",
                    en=f"The reporting period {self.slug} has not begun.",
                ),
                Text(vi="chọn một kỳ đã bắt đầu.", en="Choose a period that has begun."),
            )
        return min(end, today)
