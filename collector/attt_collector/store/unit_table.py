"""Takes over a table of units, whole or not at all, and names everything that is wrong with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from attt_collector.records import Unit, UnitKind
from attt_collector.store import units
from attt_collector.store.cell_text import problem_of, visible
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
_MAX_CODE, _MAX_NAME = 64, 200  # letters
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
    valid_from: date
    valid_until: date | None


def read(path: Path) -> list[Line]:
    """The lines of a table of units.

    Raises:
        AtttError: ATTT-521, 522.
    """
    return read_table(path, COLUMNS, REQUIRED)


def import_lines(conn: Connection, path: Path, lines: Sequence[Line], today: date) -> Imported:
    """Write the units of `lines`; a unit that exists (same code) is brought up to date.

    What the table has no column for stays as it is stored; an empty cell means that there is none.
    Only valid_from is never none: empty, it stays as it is, and for a new unit it is `today`.

    Raises:
        TableErrors: ATTT-523, everything that is wrong; nothing is written then.
    """
    stored = {unit.code: unit for unit in units.everything(conn)}
    wanted, errors = _understood(lines, stored, today)
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
                valid_from=each.valid_from,
                valid_until=each.valid_until,
            )
            added += 1
            continue
        new = replace(
            old,
            name=each.name,
            kind=each.kind,
            parent_id=parent_id,
            valid_from=each.valid_from,
            valid_until=each.valid_until,
        )
        if new != old:
            units.change(conn, new)
            changed += 1
    return Imported(added, changed, len(wanted) - added - changed)


def _understood(
    lines: Sequence[Line], stored: Mapping[str, Unit], today: date
) -> tuple[list[_Wanted], list[LineError]]:
    wanted: list[_Wanted] = []
    errors: list[LineError] = []
    codes = _CodesSeen(stored)
    code_of = {unit.id: unit.code for unit in stored.values()}
    if not lines:
        errors.append(LineError(0, Text(vi="không có đơn vị nào", en="there is no unit")))
    for line in lines:

        def wrong(vi: str, en: str, row: int = line.number) -> None:
            errors.append(LineError(row, Text(vi=vi, en=en)))

        code, kind_word = line.text("code"), line.text("kind")
        old = stored.get(code)
        for problem in (_code_problem(code) or codes.clash(code), _name_problem(line.text("name"))):
            if problem is not None:
                wrong(problem.vi, problem.en)
        kind = KINDS.get(kind_word.casefold())
        if kind is None:
            wrong(
                f"không hiểu loại đơn vị «{visible(kind_word)}»; dùng: tỉnh, huyện, thành phố, xã, "
                "phường, sở, phòng",
                f'unknown kind "{visible(kind_word)}"; use one of {", ".join(UnitKind)}',
            )
        days: dict[str, date | None] = {}
        for column in ("valid_from", "valid_until"):
            try:
                days[column] = line.day(column)
            except ValueError:
                days[column] = None
                shown = visible(line.text(column))
                wrong(
                    f"ngày «{shown}» không đúng, hãy viết như 01/07/2025",
                    f'"{shown}" is not a day, write it like 2025-07-01',
                )
        since = days["valid_from"] or (old.valid_from if old is not None else today)
        until, parent = days["valid_until"], line.text("parent")
        if old is not None and not line.has("valid_until"):
            until = old.valid_until
        if old is not None and not line.has("parent") and old.parent_id is not None:
            parent = code_of[old.parent_id]
        if until is not None and until <= since:
            wrong(
                f"ngày kết thúc {until:%d/%m/%Y} không sau ngày bắt đầu {since:%d/%m/%Y}",
                f"it ends on {until}, before it begins on {since}",
            )
        codes.add(code, line.number)
        if code:
            # Kept although something may be wrong with it (nothing is written then): otherwise its
            # children would be called orphans for its own mistake.
            kind = kind or UnitKind.DEPARTMENT
            name = line.text("name")
            wanted.append(_Wanted(line.number, code, name, kind, parent, since, until))
    return wanted, errors


class _CodesSeen:
    """The codes of the store and of the rows so far. PX1 and px1 would be two units to the program
    and one to everybody else."""

    def __init__(self, stored: Iterable[str]) -> None:
        self._stored = {code.casefold(): code for code in stored}
        self._exactly = frozenset(stored)
        self._rows: dict[str, tuple[str, int]] = {}

    def add(self, code: str, row: int) -> None:
        self._rows.setdefault(code.casefold(), (code, row))

    def clash(self, code: str) -> Text | None:
        """Why this code cannot stand in another row."""
        first, row = self._rows.get(code.casefold(), (None, 0))
        if first == code:
            return Text(
                vi=f"mã «{code}» đã có ở dòng {row}",
                en=f'code "{code}" stands in row {row} already',
            )
        where = Text(vi=f"ở dòng {row}", en=f"in row {row}")
        if first is None and code not in self._exactly:
            first = self._stored.get(code.casefold())
            where = Text(vi="đã có trong kho", en="in the store")
        if first is None:
            return None
        return Text(
            vi=f"mã «{code}» chỉ khác chữ hoa, chữ thường với mã «{first}» {where.vi}",
            en=f'code "{code}" differs from "{first}" {where.en} only in capitals',
        )


def _code_problem(code: str) -> Text | None:
    shown = visible(code, 20)
    if not code:
        return Text(vi="thiếu mã đơn vị", en="the code is missing")
    if len(code) > _MAX_CODE:
        return Text(
            vi=f"mã «{shown}» dài quá {_MAX_CODE} ký tự",
            en=f'code "{shown}" is over {_MAX_CODE} letters',
        )
    # It stands in commands, file names and addresses of pages.
    plain = code[0] not in ".-_" and all(_may_stand_in_code(letter) for letter in code)
    if plain:
        return None
    return Text(
        vi=f"mã «{shown}» phải bắt đầu bằng chữ hoặc số, và chỉ gồm chữ cái, chữ số và . - _",
        en=f'code "{shown}" must begin with a letter or digit and have only letters, digits, . - _',
    )


def _may_stand_in_code(letter: str) -> bool:
    # Latin with the Vietnamese marks; a Cyrillic А would look the same and be another code.
    latin = letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN ")
    return latin or letter in ".-_0123456789"


def _name_problem(name: str) -> Text | None:
    if not name:
        return Text(vi="thiếu tên đơn vị", en="the name is missing")
    if len(name) > _MAX_NAME:
        return Text(vi=f"tên dài quá {_MAX_NAME} ký tự", en=f"the name is over {_MAX_NAME} letters")
    problem = problem_of(name)
    if problem is None:
        return None
    return Text(
        vi=f"tên «{visible(name)}» {problem.vi}", en=f'the name "{visible(name)}" {problem.en}'
    )


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
                        vi=f"không có đơn vị cấp trên «{visible(each.parent)}», cả trong tệp lẫn "
                        "trong kho",
                        en=f'there is no parent "{visible(each.parent)}", neither here nor in the '
                        "store",
                    ),
                )
            )
            continue
        above, path = each.parent, [each.code]
        while above and above not in path:
            path.append(above)
            above = parents.get(above, "")
        if above == each.code:
            shown = " → ".join(visible(code) for code in [*path, above])
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
