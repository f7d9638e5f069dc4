"""What `evaluate`, `explain` and `report` share: which units, and as of when."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import click
from sqlalchemy import Connection

from attt_collector.records import VIETNAM_TIME, Unit
from attt_collector.store import units

unit_option: Callable[[Any], Any] = click.option(
    "--unit",
    "unit_code",
    metavar="MÃ",
    help="Mã đơn vị; gồm cả đơn vị cấp dưới. Không ghi: mọi đơn vị. "
    "(Code of a unit, with everything below it; all units when missing.)",
)


def _moment(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """A day (its end in Vietnam), written 2026-11-22 or 22/11/2026, or an ISO 8601 time.

    A time without a zone is Vietnam's.
    """
    if value is None:
        return None
    written = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", value)
    try:
        if written is not None:
            day, month, year = map(int, written.groups())
            moment = datetime.combine(date(year, month, day), time(23, 59, 59), VIETNAM_TIME)
        elif len(value) == len("2026-11-22"):
            moment = datetime.combine(date.fromisoformat(value), time(23, 59, 59), VIETNAM_TIME)
        else:
            moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=VIETNAM_TIME)
        in_vietnam = moment.astimezone(UTC).astimezone(VIETNAM_TIME)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"«{value}» không phải ngày; viết 22/11/2026, 2026-11-22 hoặc 2026-11-22T08:00 "
            f'("{value}" is not a date; write 22/11/2026, 2026-11-22 or 2026-11-22T08:00)',
            ctx,
            param,
        ) from None
    if in_vietnam.date() > now().date():
        raise click.BadParameter(
            f"«{value}» chưa đến; số liệu của ngày đó chưa có "
            f'("{value}" has not come yet, there are no figures of that day)',
            ctx,
            param,
        )
    return min(moment, now())  # "today" means: as far as today has come


as_of_option: Callable[[Any], Any] = click.option(
    "--as-of",
    "as_of",
    callback=_moment,
    metavar="NGÀY",
    help="Đánh giá theo số liệu đến ngày này: 22/11/2026, 2026-11-22 hoặc 2026-11-22T08:00; "
    "không ghi: bây giờ. (Judge by what was known on that day; now when missing.)",
)


def now() -> datetime:
    return datetime.now(UTC).astimezone(VIETNAM_TIME)


def units_in_scope(conn: Connection, unit_code: str | None, as_of: datetime) -> tuple[Unit, ...]:
    """A unit and everything below it, or every unit, as far as their devices count then.

    Raises:
        AtttError: ATTT-520, no such unit.
    """
    on = as_of.astimezone(VIETNAM_TIME).date()
    return units.in_scope(conn, unit_code, on, as_of)
