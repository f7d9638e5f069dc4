"""Takes over a table of attestations, whole or not at all, and names everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from sqlalchemy import Connection

from attt_collector.store import attestations, units
from attt_collector.store.attestations import ATTESTED_SPECS, spec_of
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
_WHOLE = re.compile(r"\d{1,3}(\.\d{3})+|\d+")
_VIETNAM = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Imported:
    """How many attestations are new, and how many stood in the store already."""

    added: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Wanted:
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
    for line in lines:
        found, problems = _understood(line, unit_ids)
        errors.extend(LineError(line.number, problem) for problem in problems)
        if found is not None:
            wanted.append(found)
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


def _understood(line: Line, unit_ids: dict[str, int]) -> tuple[_Wanted | None, list[Text]]:
    problems: list[Text] = []
    unit = line.text("unit")
    if unit not in unit_ids:
        problems.append(
            Text(vi=f"không có đơn vị mang mã «{unit}»", en=f'there is no unit "{unit}"')
        )
    key = line.text("key")
    spec = spec_of(key)
    value: FactValue | None = None
    if spec is None:
        known = ", ".join(each.key for each in ATTESTED_SPECS)
        problems.append(
            Text(
                vi=f"dữ kiện «{key}» không xác nhận được; các dữ kiện dùng được: {known}",
                en=f'"{key}" cannot be attested; what can be: {known}',
            )
        )
    else:
        value = _value(line, spec)
        if value is None:
            problems.append(_wrong_value(line.text("value"), spec))
    for column, vi, en in (
        ("document_number", "thiếu số văn bản", "the document number is missing"),
        ("attested_by", "thiếu người xác nhận", "nobody is named who attests it"),
    ):
        if not line.text(column):
            problems.append(Text(vi=vi, en=en))
        elif len(line.text(column)) > 255:
            problems.append(
                Text(vi=f"«{line.text(column)[:20]}…» quá dài", en="a cell is over 255 letters")
            )
    days: dict[str, date | None] = {}
    for column in ("document_date", "valid_from", "valid_until"):
        try:
            days[column] = line.day(column)
        except ValueError:
            days[column] = None
            problems.append(
                Text(
                    vi=f"ngày «{line.text(column)}» không đúng, hãy viết như 01/07/2025",
                    en=f'"{line.text(column)}" is not a day, write it like 2025-07-01',
                )
            )
    if not line.text("document_date"):
        problems.append(Text(vi="thiếu ngày văn bản", en="the document date is missing"))
    signed = days["document_date"]
    since, until = days["valid_from"] or signed, days["valid_until"]
    if since is not None and until is not None and until <= since:
        problems.append(
            Text(vi="ngày kết thúc không sau ngày bắt đầu", en="it ends before it begins")
        )
    if problems or value is None or signed is None or since is None:
        return None, problems
    wanted = _Wanted(
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


def _value(line: Line, spec: FactSpec) -> FactValue | None:
    text = line.text("value")
    if spec.type is ValueType.BOOL:
        word = text.casefold()
        return True if word in _YES else False if word in _NO else None
    if spec.type is ValueType.INT:
        return int(text.replace(".", "")) if _WHOLE.fullmatch(text) else None
    if spec.type is ValueType.DATETIME:
        try:
            day = line.day("value")
        except ValueError:
            return None
        return None if day is None else datetime(day.year, day.month, day.day, tzinfo=_VIETNAM)
    return text or None


def _wrong_value(text: str, spec: FactSpec) -> Text:
    form = {
        ValueType.BOOL: Text(vi="«có» hoặc «không»", en='"có" (yes) or "không" (no)'),
        ValueType.INT: Text(vi="một số nguyên", en="a whole number"),
        ValueType.DATETIME: Text(vi="một ngày như 01/07/2025", en="a day like 2025-07-01"),
    }.get(spec.type, Text(vi="một giá trị", en="a value"))
    return Text(
        vi=f"giá trị «{text}» của {spec.key} phải là {form.vi}",
        en=f'value "{text}" of {spec.key} must be {form.en}',
    )
