"""Units (đơn vị): the tree of offices, each valid during [valid_from, valid_until)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection, Row, insert, or_, select, update

from attt_collector.records import Unit, UnitKind
from attt_collector.store.schema import asset as _asset
from attt_collector.store.schema import unit as _unit
from attt_rules.contract import AssetKind, Text
from attt_rules.errors import AtttError


def add(
    conn: Connection,
    *,
    code: str,
    name: str,
    kind: UnitKind,
    parent_id: int | None,
    valid_from: date,
    valid_until: date | None = None,
) -> Unit:
    """A new unit; its code must not be taken.

    Raises:
        sqlalchemy.exc.IntegrityError: the code is taken or the parent does not exist.
    """
    values = {
        "code": code,
        "name": name,
        "kind": kind.value,
        "parent_id": parent_id,
        "valid_from": valid_from,
        "valid_until": valid_until,
    }
    key = conn.execute(insert(_unit).values(values).returning(_unit.c.id)).scalar_one()
    return Unit(key, code, name, kind, parent_id, valid_from, valid_until)


def change(conn: Connection, unit: Unit) -> None:
    """Write every field of a unit that exists; found by its id."""
    conn.execute(
        update(_unit)
        .where(_unit.c.id == unit.id)
        .values(
            code=unit.code,
            name=unit.name,
            kind=unit.kind.value,
            parent_id=unit.parent_id,
            valid_from=unit.valid_from,
            valid_until=unit.valid_until,
        )
    )


def find(conn: Connection, code: str) -> Unit | None:
    """The unit with this code, valid or not."""
    row = conn.execute(select(_unit).where(_unit.c.code == code)).one_or_none()
    return None if row is None else _record(row)


def by_code(conn: Connection, code: str) -> Unit:
    """The unit with this code.

    Raises:
        AtttError: ATTT-520, no such unit.
    """
    found = find(conn, code)
    if found is None:
        raise AtttError(
            "ATTT-520",
            Text(
                vi=f"Không có đơn vị nào mang mã «{code}».",
                en=f'There is no unit with the code "{code}".',
            ),
            Text(
                vi="xem danh sách bằng «attt-collector units list».",
                en='See the list with "attt-collector units list".',
            ),
        )
    return found


def by_id(conn: Connection, unit_id: int) -> Unit:
    """The unit with this id, which must exist."""
    return _record(conn.execute(select(_unit).where(_unit.c.id == unit_id)).one())


def subtree(conn: Connection, code: str, on: date) -> tuple[Unit, ...]:
    """The unit and everything below it that is valid `on` that day, parents before children.

    Raises:
        AtttError: ATTT-520, no such unit.
    """
    return tuple(each for each in _below(conn, code) if is_valid(each, on))


def all_on(conn: Connection, on: date) -> tuple[Unit, ...]:
    """Every unit that is valid on that day, by code."""
    return tuple(each for each in everything(conn) if is_valid(each, on))


def in_scope(conn: Connection, code: str | None, on: date, as_of: datetime) -> tuple[Unit, ...]:
    """The units whose devices count: those valid `on` that day, and those that have ended but
    still hold devices. Nobody's machines may drop out of a figure because the office they stood in
    was merged and nobody has moved them yet.

    Args:
        code: the top of a subtree; every unit there is when None.

    Raises:
        AtttError: ATTT-520, no such unit.
    """
    candidates = everything(conn) if code is None else _below(conn, code)
    statement = (
        select(_asset.c.unit_id)
        .where(
            _asset.c.kind != AssetKind.SITE.value,
            _asset.c.enrolled_at <= as_of,
            or_(_asset.c.retired_at.is_(None), _asset.c.retired_at > as_of),
        )
        .distinct()
    )
    holding = set(conn.execute(statement).scalars())
    return tuple(
        each
        for each in candidates
        if is_valid(each, on) or (has_ended(each, on) and each.id in holding)
    )


def _below(conn: Connection, code: str) -> tuple[Unit, ...]:
    """The unit and everything that was ever below it, parents before children.

    The walk goes through units that have ended as well: a commune whose district was dissolved
    still belongs to its province.
    """
    top = by_code(conn, code)
    children: dict[int | None, list[Unit]] = {}
    for each in everything(conn):
        children.setdefault(each.parent_id, []).append(each)
    found, waiting = [], [top]
    while waiting:
        each = waiting.pop(0)
        found.append(each)
        waiting.extend(children.get(each.id, ()))
    return tuple(found)


def everything(conn: Connection) -> tuple[Unit, ...]:
    """Every unit there ever was, by code."""
    return tuple(_record(row) for row in conn.execute(select(_unit).order_by(_unit.c.code)))


def is_valid(unit: Unit, on: date) -> bool:
    """Whether `on` lies in [valid_from, valid_until)."""
    return unit.valid_from <= on and (unit.valid_until is None or on < unit.valid_until)


def has_ended(unit: Unit, on: date) -> bool:
    """Whether the unit was over by that day."""
    return unit.valid_until is not None and unit.valid_until <= on


def ids(units: Sequence[Unit]) -> list[int]:
    """Their ids, for the functions that ask for unit_ids."""
    return [each.id for each in units]


def _record(row: Row[tuple[object, ...]]) -> Unit:
    return Unit(
        row.id,
        row.code,
        row.name,
        UnitKind(row.kind),
        row.parent_id,
        row.valid_from,
        row.valid_until,
    )
