"""Takes over a table of units, whole or not at all, and names everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from attt_collector.records import Unit, UnitKind
from attt_collector.store import units
from attt_collector.store.spreadsheet import Line, LineError, TableErrors, read_table
from attt_rules.contract import Text

# The first header of each is the one shown to people.
COLUMNS = {
    "code": ("mã", "mã đơn vị", "code"),
    "name": ("tên", "tên đơn vị", "name"),
    "kind": ("loại", "loại đơn vị", "cấp", "kind"),
    "parent": ("cấp trên", "mã cấp trên", "đơn vị cấp trên", "trực thuộc", "parent"),
    "valid_from": ("từ ngày", "hiệu lực từ", "valid from"),
    "valid_until": ("đến ngày", "hiệu lực đến", "valid until"),
}
REQUIRED = ("code", "name", "kind")
KINDS = {
    "tỉnh": UnitKind.PROVINCE,
    "thành phố trực thuộc trung ương": UnitKind.PROVINCE,
    "huyện": UnitKind.DISTRICT,
    "quận": UnitKind.DISTRICT,
    "thị xã": UnitKind.DISTRICT,
    "thành phố": UnitKind.CITY,
    "xã": UnitKind.COMMUNE,
    "phường": UnitKind.COMMUNE,
    "thị trấn": UnitKind.COMMUNE,
    "đặc khu": UnitKind.COMMUNE,
    "sở": UnitKind.DEPARTMENT,
    "ban": UnitKind.DEPARTMENT,
    "ngành": UnitKind.DEPARTMENT,
    "phòng": UnitKind.DEPARTMENT,
    **{kind.value: kind for kind in UnitKind},
}


@dataclass(frozen=True, slots=True)
class Imported:
    """How many units were new, changed, and already as the table says."""

    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    row: int
    code: str
    name: str
    kind: UnitKind
    parent: str  # a code, empty at the top
    valid_from: date | None
    valid_until: date | None


def read(path: Path) -> list[Line]:
    """The lines of a table of units.

    Raises:
        AtttError: ATTT-521, 522.
    """
    return read_table(path, COLUMNS, REQUIRED)


def import_lines(conn: Connection, path: Path, lines: Sequence[Line], today: date) -> Imported:
    """Write the units of `lines`; a unit that exists (same code) is brought up to date.

    A row without valid_from keeps what is stored, for a new unit it is `today`.

    Raises:
        TableErrors: ATTT-523, everything that is wrong; nothing is written then.
    """
    stored = {unit.code: unit for unit in units.everything(conn)}
    wanted, errors = _understood(lines)
    errors += _tree_errors(wanted, stored)
    if errors:
        raise TableErrors("ATTT-523", path, errors)
    added = changed = 0
    for each in _parents_first(wanted):
        old = stored.get(each.code)
        parent_id = stored[each.parent].id if each.parent else None
        if old is None:
            stored[each.code] = units.add(
                conn,
                code=each.code,
                name=each.name,
                kind=each.kind,
                parent_id=parent_id,
                valid_from=each.valid_from or today,
                valid_until=each.valid_until,
            )
            added += 1
            continue
        new = replace(
            old,
            name=each.name,
            kind=each.kind,
            parent_id=parent_id,
            valid_from=each.valid_from or old.valid_from,
            valid_until=each.valid_until,
        )
        if new != old:
            units.change(conn, new)
            changed += 1
    return Imported(added, changed, len(wanted) - added - changed)


def _understood(lines: Sequence[Line]) -> tuple[list[_Wanted], list[LineError]]:
    wanted: list[_Wanted] = []
    errors: list[LineError] = []
    rows: dict[str, int] = {}
    if not lines:
        errors.append(LineError(0, Text(vi="không có đơn vị nào", en="there is no unit")))
    for line in lines:

        def wrong(vi: str, en: str, row: int = line.number) -> None:
            errors.append(LineError(row, Text(vi=vi, en=en)))

        code, name, kind_word = line.text("code"), line.text("name"), line.text("kind")
        if not code:
            wrong("thiếu mã đơn vị", "the code is missing")
        elif len(code) > 64:
            wrong(f"mã «{code[:20]}…» dài quá 64 ký tự", f'code "{code[:20]}…" is over 64 letters')
        elif code in rows:
            wrong(
                f"mã «{code}» đã có ở dòng {rows[code]}",
                f'code "{code}" stands in row {rows[code]} already',
            )
        if not name:
            wrong("thiếu tên đơn vị", "the name is missing")
        elif len(name) > 255:
            wrong("tên dài quá 255 ký tự", "the name is over 255 letters")
        kind = KINDS.get(kind_word.casefold())
        if kind is None:
            wrong(
                f"không hiểu loại đơn vị «{kind_word}»; dùng: tỉnh, huyện, thành phố, xã, phường, "
                "sở, phòng",
                f'unknown kind "{kind_word}"; use one of {", ".join(UnitKind)}',
            )
        days: dict[str, date | None] = {}
        for column in ("valid_from", "valid_until"):
            try:
                days[column] = line.day(column)
            except ValueError:
                days[column] = None
                wrong(
                    f"ngày «{line.text(column)}» không đúng, hãy viết như 01/07/2025",
                    f'"{line.text(column)}" is not a day, write it like 2025-07-01',
                )
        since, until = days["valid_from"], days["valid_until"]
        if since is not None and until is not None and until <= since:
            wrong("ngày kết thúc không sau ngày bắt đầu", "it ends before it begins")
        rows.setdefault(code, line.number)
        if code:
            # Kept although something may be wrong with it (nothing is written then): otherwise its
            # children would be called orphans for its own mistake.
            kind = kind or UnitKind.DEPARTMENT
            wanted.append(_Wanted(line.number, code, name, kind, line.text("parent"), since, until))
    return wanted, errors


def _tree_errors(wanted: Sequence[_Wanted], stored: dict[str, Unit]) -> list[LineError]:
    errors = []
    code_of = {unit.id: unit.code for unit in stored.values()}
    parents = {
        unit.code: code_of[unit.parent_id] if unit.parent_id is not None else ""
        for unit in stored.values()
    }
    parents.update({each.code: each.parent for each in wanted})
    for each in wanted:
        if each.parent and each.parent not in parents:
            errors.append(
                LineError(
                    each.row,
                    Text(
                        vi=f"không có đơn vị cấp trên «{each.parent}», cả trong tệp lẫn trong kho",
                        en=f'there is no parent "{each.parent}", neither here nor in the store',
                    ),
                )
            )
            continue
        above, path = each.parent, [each.code]
        while above and above not in path:
            path.append(above)
            above = parents.get(above, "")
        if above == each.code:
            shown = " → ".join([*path, above])
            errors.append(
                LineError(
                    each.row,
                    Text(vi=f"cấp trên vòng tròn: {shown}", en=f"parents go in a circle: {shown}"),
                )
            )
    return errors


def _parents_first(wanted: Sequence[_Wanted]) -> list[_Wanted]:
    by_code = {each.code: each for each in wanted}
    ordered: dict[str, _Wanted] = {}
    for each in wanted:
        branch = []
        here: _Wanted | None = each
        while here is not None and here.code not in ordered:
            branch.append(here)
            here = by_code.get(here.parent)
        for above in reversed(branch):
            ordered[above.code] = above
    return list(ordered.values())
