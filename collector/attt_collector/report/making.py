"""From a store, a unit and a period to a composed report: the one way, for commands and pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from attt_collector.judge.evaluate import assess
from attt_collector.records import VIETNAM_TIME, Unit
from attt_collector.report import compose, numbers, template_reader
from attt_collector.report.model import Report
from attt_collector.report.period import Period
from attt_collector.report.template import Template
from attt_collector.store import units
from attt_collector.store.db import Store
from attt_rules import __version__, pack
from attt_rules.contract import Text
from attt_rules.errors import AtttError

DEFAULT_TEMPLATE = "bao-cao-nam"


def make(
    store: Store,
    unit_code: str,
    period: Period,
    *,
    now: datetime,
    as_of: datetime | None = None,
    template_id: str = DEFAULT_TEMPLATE,
) -> tuple[Template, Report]:
    """The report of a unit and everything below it; the period picks the rule pack.

    Args:
        as_of: when the figures are taken; the end of the period, or `now` while it lasts, if None.

    Raises:
        AtttError: ATTT-520 no such unit, 605 the period has not begun, 611 `as_of` lies before the
            period, 612 in the future, 613 the unit did not exist then and holds no devices, or a
            wording asks for a percentage that does not exist.
    """
    moment = as_of or period.as_of(now)
    day = moment.astimezone(VIETNAM_TIME).date()
    if moment > now:
        raise AtttError(
            "ATTT-612",
            Text(
                vi=f"Ngày lấy số liệu {day.isoformat()} chưa đến.",
                en=f"The date of the figures, {day.isoformat()}, has not come yet.",
            ),
            Text(vi="chọn ngày đã qua.", en="Choose a day that has passed."),
        )
    if day < period.first:
        raise AtttError(
            "ATTT-611",
            Text(
                vi=f"Ngày lấy số liệu {day.isoformat()} đứng trước kỳ báo cáo {period.words}.",
                en=f"The date of the figures, {day.isoformat()}, lies before the period "
                f"{period.slug}.",
            ),
            Text(
                vi="chọn --as-of trong hoặc sau kỳ báo cáo.",
                en="Choose --as-of inside or after the period.",
            ),
        )
    rules = pack.for_date(min(day, period.last))
    template = template_reader.builtin(template_id, rules)
    with store.read() as conn:
        unit = units.by_code(conn, unit_code)
        scope = units.in_scope(conn, unit_code, day, moment)
        if unit.id not in units.ids(scope):
            raise _not_there(unit, day)
        parent = units.by_id(conn, unit.parent_id) if unit.parent_id is not None else None
        assessment = assess(conn, rules, scope, moment)
    program = f"attt-collector {__version__}"
    origin = compose.Origin(unit, parent, period, store.simulated, program)
    return template, compose.compose(template, assessment, origin)


def _not_there(unit: Unit, day: date) -> AtttError:
    vi, en = f"từ ngày {numbers.day(unit.valid_from)}", f"from {unit.valid_from.isoformat()}"
    if unit.valid_until is not None:
        last_day = unit.valid_until - timedelta(days=1)
        vi, en = f"{vi} đến hết ngày {numbers.day(last_day)}", f"{en} to {last_day.isoformat()}"
    return AtttError(
        "ATTT-613",
        Text(
            vi=f"Đơn vị {unit.code} ({unit.name}) hoạt động {vi}; ngày lấy số liệu "
            f"{numbers.day(day)} nằm ngoài thời gian đó.",
            en=f"The unit {unit.code} ({unit.name}) exists {en}; the date of the figures, "
            f"{day.isoformat()}, lies outside.",
        ),
        Text(
            vi="chọn kỳ báo cáo hoặc «--as-of» trong thời gian đơn vị hoạt động, hoặc lập báo cáo "
            "của đơn vị tiếp nhận; nếu ngày sai thì sửa bảng đơn vị rồi nhập lại.",
            en="Choose a period or an --as-of in that time, or make the report of the unit that "
            "took over; if the dates are wrong, mend the table of units and import it again.",
        ),
    )
