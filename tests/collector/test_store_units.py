"""The tree of units, on any day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from attt_collector.records import Unit, UnitKind
from attt_collector.store import assets, units
from attt_collector.store.db import Store
from attt_rules.errors import AtttError
from tests.collector.conftest import NOW, Device

REFORM = date(2025, 7, 1)  # districts ended, communes were merged
BEFORE, AFTER = date(2025, 6, 30), date(2026, 1, 1)


@pytest.fixture
def tree(store: Store) -> dict[str, Unit]:
    made: dict[str, Unit] = {}

    def add(code: str, kind: UnitKind, parent: str | None, since: date, until: date | None) -> None:
        made[code] = store.write(
            lambda conn: units.add(
                conn,
                code=code,
                name=code,
                kind=kind,
                parent_id=made[parent].id if parent else None,
                valid_from=since,
                valid_until=until,
            )
        )

    long_ago = date(2000, 1, 1)
    add("tinh", UnitKind.PROVINCE, None, long_ago, None)
    add("huyen", UnitKind.DISTRICT, "tinh", long_ago, REFORM)
    add("xa-cu", UnitKind.COMMUNE, "huyen", long_ago, REFORM)
    add("xa-giu", UnitKind.COMMUNE, "huyen", long_ago, None)
    add("xa-moi", UnitKind.COMMUNE, "tinh", REFORM, None)
    add("khac", UnitKind.PROVINCE, None, long_ago, None)
    return made


def codes(found: tuple[Unit, ...]) -> list[str]:
    return [unit.code for unit in found]


def test_it_works(store: Store, tree: dict[str, Unit]) -> None:
    with store.read() as conn:
        assert tree["xa-moi"] == units.by_code(conn, "xa-moi")
        assert ["huyen", "xa-cu", "xa-giu"] == codes(units.subtree(conn, "huyen", BEFORE))


def test_the_subtree_of_a_day_knows_only_the_units_of_that_day(
    store: Store, tree: dict[str, Unit]
) -> None:
    with store.read() as conn:
        assert ["tinh", "huyen", "xa-cu", "xa-giu"] == codes(units.subtree(conn, "tinh", BEFORE))


def test_a_commune_of_a_dissolved_district_still_belongs_to_its_province(
    store: Store, tree: dict[str, Unit]
) -> None:
    with store.read() as conn:
        assert ["tinh", "xa-moi", "xa-giu"] == codes(units.subtree(conn, "tinh", AFTER))


def test_validity_ends_before_the_day_it_names(store: Store, tree: dict[str, Unit]) -> None:
    with store.read() as conn:
        assert "huyen" in codes(units.all_on(conn, BEFORE))
        assert "huyen" not in codes(units.all_on(conn, REFORM))
        assert "xa-moi" in codes(units.all_on(conn, REFORM))


def test_it_says_which_unit_does_not_exist(store: Store) -> None:
    with store.read() as conn, pytest.raises(AtttError, match=r"ATTT-520.*«99\.1»"):
        units.subtree(conn, "99.1", AFTER)


def test_a_unit_that_ended_keeps_its_machines_in_scope_until_they_are_moved(
    store: Store, province: Unit, commune: Unit, device: Device
) -> None:
    """A merger must not let machines drop out of every figure, and so raise the percentages."""
    asset = device.enrolled(store, commune)
    store.write(lambda conn: units.change(conn, replace(commune, valid_until=NOW.date())))
    with store.read() as conn:
        assert commune.id not in units.ids(units.all_on(conn, NOW.date()))
        assert commune.id in units.ids(units.in_scope(conn, None, NOW.date(), NOW))
        assert commune.id in units.ids(units.in_scope(conn, province.code, NOW.date(), NOW))
    store.write(lambda conn: assets.retire(conn, asset.id, NOW))
    with store.read() as conn:
        assert commune.id not in units.ids(units.in_scope(conn, None, NOW.date(), NOW))
