"""Takes over a table of attestations, whole or not at all, and names everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection

from attt_collector.records import VIETNAM_TIME
from attt_collector.store import attestations, units
from attt_collector.store.attestations import ATTESTED_SPECS, spec_of
from attt_collector.store.cell_text import problem_of, visible
from attt_collector.store.spreadsheet import Line, LineError, TableErrors, read_table
from attt_rules.contract import FactSpec, FactValue, Text, ValueType

# The first header of each is the one shown to people.
COLUMNS = {
    "unit": ("mã đơn vị", "đơn vị", "unit"),
    "key": ("dữ kiện", "key"),
    "value": ("giá trị", "value"),
    "document_number": ("số văn bản", "document number"),
    "document_date": ("ngày văn bản", "document date"),
    "attested_by": ("người xác nhận", "attested by"),
    "valid_from": ("từ ngày", "hiệu lực từ", "valid from"),
    "valid_until": ("đến ngày", "hiệu lực đến", "valid until"),
}
REQUIRED = ("unit", "key", "value", "document_number", "document_date", "attested_by")

_YES = ("có", "đã", "đạt", "x", "yes", "true", "1")
_NO = ("không", "chưa", "no", "false", "0")
# Vietnamese thousands have points (1.234); anything else with a point is not a whole number.
_WHOLE = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+|[0-9]+")
# Beyond these a number or a date is a slip of the hand, and would be believed for ever.
_MAX_COUNT = 10_000_000
_FIRST_YEAR, _LAST_YEAR = 1990, 2200


@dataclass(frozen=True, slots=True)
class Imported:
    """How many attestations are new, and how many stood in the store already."""

    added: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    row: int
    unit: str
    unit_id: int
    key: str
    value: FactValue
    document_number: str
    document_date: date
    attested_by: str
    valid_from: date
    valid_until: date | None


def read(path: Path) -> list[Line]:
    """The lines of a table of attestations.

    Raises:
        AtttError: ATTT-521, 522.
    """
    return read_table(path, COLUMNS, REQUIRED)


def import_lines(conn: Connection, path: Path, lines: Sequence[Line], now: datetime) -> Imported:
    """Write the attestations of `lines`; without valid_from one holds from its document's date.

    Raises:
        TableErrors: ATTT-530, everything that is wrong; nothing is written then.
    """
    unit_ids = {unit.code: unit.id for unit in units.everything(conn)}
    wanted: list[_Wanted] = []
    errors: list[LineError] = []
    if not lines:
        errors.append(LineError(0, Text(vi="không có dòng nào", en="there is no row")))
    today = now.astimezone(VIETNAM_TIME).date()
    for line in lines:
        found, problems = _understood(line, unit_ids, today)
        errors.extend(LineError(line.number, problem) for problem in problems)
        if found is not None:
            wanted.append(found)
    errors += _contradictions(wanted)
    if errors:
        raise TableErrors("ATTT-530", path, errors)
    added = 0
    for each in wanted:
        _, is_new = attestations.add(
            conn,
            unit_id=each.unit_id,
            key=each.key,
            value=each.value,
            document_number=each.document_number,
            document_date=each.document_date,
            attested_by=each.attested_by,
            valid_from=each.valid_from,
            valid_until=each.valid_until,
            at=now,
        )
        added += is_new
    return Imported(added, len(wanted) - added)


def _understood(
    line: Line, unit_ids: dict[str, int], today: date
) -> tuple[_Wanted | None, list[Text]]:
    problems: list[Text] = []
    unit = line.text("unit")
    if unit not in unit_ids:
        shown = visible(unit)
        problems.append(
            Text(vi=f"không có đơn vị mang mã «{shown}»", en=f'there is no unit "{shown}"')
        )
    key = line.text("key")
    spec = spec_of(key)
    value: FactValue | None = None
    if spec is None:
        known = ", ".join(each.key for each in ATTESTED_SPECS)
        problems.append(
            Text(
                vi=f"dữ kiện «{visible(key)}» không xác nhận được; các dữ kiện dùng được: {known}",
                en=f'"{visible(key)}" cannot be attested; what can be: {known}',
            )
        )
    else:
        value, problem = _value(line, spec, today)
        if problem is not None:
            problems.append(problem)
    for column, name, missing in (
        (
            "document_number",
            Text(vi="số văn bản", en="the document number"),
            Text(vi="thiếu số văn bản", en="the document number is missing"),
        ),
        (
            "attested_by",
            Text(vi="người xác nhận", en="who attests it"),
            Text(vi="thiếu người xác nhận", en="nobody is named who attests it"),
        ),
    ):
        problem = _text_problem(line.text(column), name) if line.text(column) else missing
        if problem is not None:
            problems.append(problem)
    days: dict[str, date | None] = {}
    for column in ("document_date", "valid_from", "valid_until"):
        try:
            days[column] = line.day(column)
        except ValueError:
            days[column] = None
            shown = visible(line.text(column))
            problems.append(
                Text(
                    vi=f"ngày «{shown}» không đúng, hãy viết như 01/07/2025",
                    en=f'"{shown}" is not a day, write it like 2025-07-01',
                )
            )
    signed = days["document_date"]
    if not line.text("document_date"):
        problems.append(Text(vi="thiếu ngày văn bản", en="the document date is missing"))
    problem = _past_problem(signed, today)
    if problem is not None:
        problems.append(Text(vi=f"ngày văn bản {problem.vi}", en=f"the document date {problem.en}"))
    for day in (days["valid_from"], days["valid_until"]):
        if day is not None and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            problems.append(
                Text(
                    vi=f"ngày «{_written(day)}» không nằm trong các năm {_FIRST_YEAR} đến "
                    f"{_LAST_YEAR}; kiểm tra lại năm",
                    en=f"{day} is not in the years {_FIRST_YEAR} to {_LAST_YEAR}; check the year",
                )
            )
    since, until = days["valid_from"] or signed, days["valid_until"]
    if since is not None and until is not None and until <= since:
        problems.append(
            Text(
                vi=f"ngày kết thúc {_written(until)} không sau ngày bắt đầu {_written(since)}",
                en=f"it ends on {until}, before it begins on {since}",
            )
        )
    if problems or value is None or signed is None or since is None:
        return None, problems
    wanted = _Wanted(
        line.number,
        unit,
        unit_ids[unit],
        key,
        value,
        line.text("document_number"),
        signed,
        line.text("attested_by"),
        since,
        until,
    )
    return wanted, []


def _contradictions(wanted: Sequence[_Wanted]) -> list[LineError]:
    """Rows that say different things of the same days.

    Of two documents the younger speaks, so only rows of the same date contradict each other.
    """
    errors = []
    rows_of: dict[tuple[int, str, date], list[_Wanted]] = {}
    for each in wanted:
        same = rows_of.setdefault((each.unit_id, each.key, each.document_date), [])
        other = next((row for row in same if row.value != each.value and _overlap(row, each)), None)
        if other is not None:
            there, here = shown_value(other.value), shown_value(each.value)
            errors.append(
                LineError(
                    each.row,
                    Text(
                        vi=f"trái với dòng {other.row}: {each.key} của «{each.unit}» ở đó là "
                        f"«{there.vi}», ở đây là «{here.vi}»",
                        en=f'contradicts row {other.row}: there {each.key} of "{each.unit}" is '
                        f'"{there.en}", here "{here.en}"',
                    ),
                )
            )
        same.append(each)
    return errors


def _overlap(one: _Wanted, other: _Wanted) -> bool:
    return (one.valid_until is None or other.valid_from < one.valid_until) and (
        other.valid_until is None or one.valid_from < other.valid_until
    )


def shown_value(value: FactValue) -> Text:
    """An attested value as a person writes it."""
    if isinstance(value, bool):
        return Text(vi="có", en="yes") if value else Text(vi="không", en="no")
    if isinstance(value, datetime):
        day = value.astimezone(VIETNAM_TIME).date()
        return Text(vi=_written(day), en=day.isoformat())
    return Text(vi=str(value), en=str(value))


def _value(line: Line, spec: FactSpec, today: date) -> tuple[FactValue | None, Text | None]:
    """The value, or what is wrong with it."""
    text = line.text("value")
    value: FactValue | None = None
    if spec.type is ValueType.BOOL:
        word = text.casefold()
        value = True if word in _YES else False if word in _NO else None
    elif spec.type is ValueType.INT:
        digits = text.replace(".", "")
        # Its length first: to read a number of thousands of digits is an error of its own.
        if _WHOLE.fullmatch(text) and len(digits) <= 20 and int(digits) <= _MAX_COUNT:
            value = int(digits)
    elif spec.type is ValueType.DATETIME:
        try:
            day = line.day("value")
        except ValueError:
            day = None
        problem = _past_problem(day, today)
        if problem is not None:
            return None, Text(
                vi=f"giá trị của {spec.key}: ngày {problem.vi}",
                en=f"value of {spec.key}: the day {problem.en}",
            )
        if day is not None:
            value = datetime(day.year, day.month, day.day, tzinfo=VIETNAM_TIME)
    elif text:
        return text, _text_problem(text, Text(vi="giá trị", en="the value"))
    return value, _wrong_value(text, spec) if value is None else None


def _past_problem(day: date | None, today: date) -> Text | None:
    """What is wrong with the day of something that has happened, said behind "the day"."""
    if day is not None and day > today:
        return Text(
            vi=f"{_written(day)} ở tương lai; kiểm tra lại năm",
            en=f"{day} is in the future; check the year",
        )
    if day is not None and day.year < _FIRST_YEAR:
        return Text(
            vi=f"{_written(day)} trước năm {_FIRST_YEAR}; kiểm tra lại năm",
            en=f"{day} is before {_FIRST_YEAR}; check the year",
        )
    return None


def _text_problem(text: str, name: Text) -> Text | None:
    if len(text) > 255:
        return Text(
            vi=f"{name.vi} «{visible(text, 20)}» dài quá 255 ký tự",
            en=f'{name.en} "{visible(text, 20)}" is over 255 letters',
        )
    problem = problem_of(text)
    if problem is None:
        return None
    return Text(
        vi=f"{name.vi} «{visible(text)}» {problem.vi}",
        en=f'{name.en} "{visible(text)}" {problem.en}',
    )


def _wrong_value(text: str, spec: FactSpec) -> Text:
    form = {
        ValueType.BOOL: Text(vi="«có» hoặc «không»", en='"có" (yes) or "không" (no)'),
        ValueType.INT: Text(
            vi="một số nguyên từ 0 đến 10.000.000", en="a whole number from 0 to 10,000,000"
        ),
        ValueType.DATETIME: Text(vi="một ngày như 01/07/2025", en="a day like 2025-07-01"),
    }.get(spec.type, Text(vi="một giá trị", en="a value"))
    return Text(
        vi=f"giá trị «{visible(text)}» của {spec.key} phải là {form.vi}",
        en=f'value "{visible(text)}" of {spec.key} must be {form.en}',
    )


def _written(day: date) -> str:
    # Not strftime: it writes the year 26 without its zeros.
    return f"{day.day:02}/{day.month:02}/{day.year:04}"
