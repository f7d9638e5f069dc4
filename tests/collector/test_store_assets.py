"""Assets: moved between units, and those of one name. (Their counting: test_store_snapshots.)"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from attt_collector.records import Asset, Unit
from attt_collector.store import assets
from attt_collector.store.db import Store
from attt_rules.contract import AssetKind
from tests.collector.conftest import NOW, Device


def in_unit(store: Store, unit: Unit) -> list[Asset]:
    with store.read() as conn:
        return list(assets.in_units(conn, [unit.id], NOW + timedelta(days=1)))


def test_it_works(store: Store, province: Unit, commune: Unit, device: Device) -> None:
    asset = device.enrolled(store, commune)
    store.write(lambda conn: assets.move(conn, asset.id, province.id))
    assert [] == in_unit(store, commune)
    assert [replace(asset, unit_id=province.id)] == in_unit(store, province)


def test_moving_one_leaves_the_others(store: Store, province: Unit, commune: Unit) -> None:
    moved, staying = (Device(name).enrolled(store, commune) for name in ("PC-1", "PC-2"))
    store.write(lambda conn: assets.move(conn, moved.id, province.id))
    assert [staying] == in_unit(store, commune)


def test_there_is_no_moving_to_a_unit_that_does_not_exist(
    store: Store, commune: Unit, device: Device
) -> None:
    asset = device.enrolled(store, commune)
    with pytest.raises(IntegrityError):
        store.write(lambda conn: assets.move(conn, asset.id, 999))
    assert [asset] == in_unit(store, commune)


def test_names_are_compared_within_a_unit_and_whatever_their_case(
    store: Store, province: Unit, commune: Unit
) -> None:
    first, second, _ = (Device(name).enrolled(store, commune) for name in ("PC-1", "pc-1 ", "PC-2"))
    Device("PC-1").enrolled(store, province)
    everything = [*in_unit(store, commune), *in_unit(store, province)]
    assert (first, second) == assets.sharing_a_name(everything)


def test_a_site_shares_its_name_with_nobody(store: Store, commune: Unit) -> None:
    site = store.write(lambda conn: assets.ensure_site(conn, commune, NOW))
    Device(site.name).enrolled(store, commune)
    assert AssetKind.SITE in {each.kind for each in in_unit(store, commune)}
    assert () == assets.sharing_a_name(in_unit(store, commune))
