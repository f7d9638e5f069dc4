"""One device, one asset: at the first poll, at the next, under another name, with a copied ID."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from attt_collector.judge.receive import receive_polled
from attt_collector.poll.asset import Identity, settle
from attt_collector.poll.errors import TwoDevicesOrOne
from attt_collector.poll.poller import Device, device_id_of
from attt_collector.records import Asset, Unit, UnitKind
from attt_collector.store import assets, snapshots, units
from attt_collector.store.db import Store
from attt_rules.contract import AssetKind, AssetRef, Fact, Snapshot
from attt_rules.errors import AtttError

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
ENGINE = bytes.fromhex("80001f8880f9e85d6b244c036b00000000")
OTHER_ENGINE = bytes.fromhex("80001f8880aaaaaaaa244c036b00000000")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(f"sqlite:///{tmp_path / 'attt.sqlite'}", simulated=False, now=NOW) as store:
        for code in ("P1", "P2"):
            store.write(
                lambda conn, code=code: units.add(
                    conn,
                    code=code,
                    name=f"Phường {code}",
                    kind=UnitKind.COMMUNE,
                    parent_id=None,
                    valid_from=date(2025, 7, 1),
                )
            )
        yield store


def unit_of(store: Store, code: str) -> Unit:
    with store.read() as conn:
        return units.by_code(conn, code)


def polled(
    store: Store,
    name: str,
    engine_id: bytes | None,
    *,
    kind: str | None = None,
    unit: str = "P1",
    identity: Identity = Identity.UNSAID,
    at: datetime = NOW,
) -> Asset:
    """What one poll leaves in the store; the snapshot is as `poller.poll` makes it."""
    device = Device("192.0.2.1", name, unit, kind)
    said = [Fact("snmp.version", at, "SNMP v3", "v3")]
    if engine_id is not None:
        said.append(Fact("snmp.engine_id", at, "SNMP-FRAMEWORK-MIB", engine_id.hex()))
    if kind is not None:
        said.append(Fact("device.kind", at, "declared", kind))
    reference = AssetRef(device_id_of(device, engine_id), AssetKind.NETWORK_DEVICE, name)
    snapshot = Snapshot(f"{name}-{at:%H%M%S}", reference, at, "attt-collector 0", tuple(said))
    asset, snapshot = settle(
        store, snapshot, device, unit_id=unit_of(store, unit).id, at=at, identity=identity
    )
    receive_polled(store, asset, snapshot, at)
    return asset


def names(store: Store, unit: str = "P1") -> list[str]:
    with store.read() as conn:
        found = assets.in_units(conn, [unit_of(store, unit).id], NOW + timedelta(days=1))
    return [asset.name for asset in found]


def test_it_works(store: Store) -> None:
    first = polled(store, "FW-1", ENGINE)
    again = polled(store, "FW-1", ENGINE, at=NOW + timedelta(hours=1))
    assert first.id == again.id
    assert ["FW-1"] == names(store)


def test_it_keeps_one_asset_when_the_engine_id_appears_later(store: Store) -> None:
    by_name = polled(store, "FW-1", None)
    by_engine = polled(store, "FW-1", ENGINE, at=NOW + timedelta(hours=1))
    assert by_name.id == by_engine.id
    assert by_name.device_id == by_engine.device_id


def test_it_keeps_one_asset_when_the_device_was_replaced(store: Store) -> None:
    old = polled(store, "FW-1", ENGINE)
    new = polled(store, "FW-1", OTHER_ENGINE, at=NOW + timedelta(hours=1))
    assert old.id == new.id


def test_it_asks_when_a_known_device_comes_under_another_name(store: Store) -> None:
    polled(store, "FW-1", ENGINE)
    with pytest.raises(TwoDevicesOrOne) as caught:
        polled(store, "SW-1", ENGINE)
    assert "ATTT-412" == caught.value.code
    assert "FW-1" in caught.value.message.vi
    assert ["FW-1"] == names(store)


def test_it_renames_when_told_that_it_is_the_same(store: Store) -> None:
    first = polled(store, "FW-1", ENGINE)
    renamed = polled(
        store, "FW-MOI", ENGINE, identity=Identity.SAME_DEVICE, at=NOW + timedelta(hours=1)
    )
    assert first.id == renamed.id
    assert ["FW-MOI"] == names(store)


def test_it_adds_another_device_with_a_copied_engine_id(store: Store) -> None:
    first = polled(store, "FW-1", ENGINE)
    other = polled(store, "SW-1", ENGINE, identity=Identity.OTHER_DEVICE)
    later = polled(store, "SW-1", ENGINE, at=NOW + timedelta(hours=1))
    assert first.id != other.id == later.id
    assert ["FW-1", "SW-1"] == names(store)


def test_it_asks_when_two_known_devices_seem_swapped(store: Store) -> None:
    polled(store, "FW-1", ENGINE)
    polled(store, "SW-1", OTHER_ENGINE)
    with pytest.raises(TwoDevicesOrOne):
        polled(store, "SW-1", ENGINE, at=NOW + timedelta(hours=1))


def test_it_does_not_mix_units_whose_devices_share_an_engine_id(store: Store) -> None:
    here = polled(store, "FW-1", ENGINE)
    there = polled(store, "FW-1", ENGINE, unit="P2", identity=Identity.OTHER_DEVICE)
    assert here.id != there.id
    assert ["FW-1"] == names(store) == names(store, "P2")


@pytest.mark.parametrize("engine_id", [ENGINE, None])
@pytest.mark.parametrize("unit", ["P1", "P2"])
def test_it_keeps_one_asset_after_a_move_whichever_unit_is_said(
    store: Store, unit: str, engine_id: bytes | None
) -> None:
    first = polled(store, "FW-1", engine_id)
    store.write(lambda conn: assets.move(conn, first.id, unit_of(store, "P2").id))
    later = polled(store, "FW-1", engine_id, unit=unit, at=NOW + timedelta(hours=1))
    assert first.id == later.id
    assert ([], ["FW-1"]) == (names(store), names(store, "P2"))


@pytest.mark.parametrize("engine_id", [ENGINE, None])
def test_a_retired_device_comes_back_only_as_its_refusal_says(
    store: Store, engine_id: bytes | None
) -> None:
    first = polled(store, "FW-1", engine_id)
    store.write(lambda conn: assets.retire(conn, first.id, NOW))
    hour = NOW + timedelta(hours=1)
    with pytest.raises(AtttError) as caught:
        polled(store, "FW-1", engine_id, at=hour)
    assert "ATTT-205" == caught.value.code
    assert caught.value.remedy is not None
    assert "--other-device" in caught.value.remedy.vi
    again = polled(store, "FW-2", engine_id, identity=Identity.OTHER_DEVICE, at=hour)
    assert first.id != again.id
    assert ["FW-2"] == names(store)


def test_it_keeps_the_declared_kind_until_another_is_declared(store: Store) -> None:
    for hours, declared, expected in (
        (0, "firewall", "firewall"),
        (1, None, "firewall"),
        (2, "router", "router"),
        (3, None, "router"),
    ):
        asset = polled(store, "FW-1", ENGINE, kind=declared, at=NOW + timedelta(hours=hours))
        with store.read() as conn:
            _, facts = snapshots.latest_facts(conn, [asset.id], NOW + timedelta(hours=hours))[
                asset.id
            ]
        assert [expected] == [fact.value for fact in facts if fact.key == "device.kind"]


def test_one_box_cannot_stand_in_two_units_unless_somebody_says_it_is_another(store: Store) -> None:
    polled(store, "FW-1", ENGINE, kind="firewall")
    with pytest.raises(TwoDevicesOrOne) as caught:
        polled(store, "FW-9", ENGINE, kind="firewall", unit="P2")
    assert "FW-1 (Phường P1)" in caught.value.message.vi
    assert [] == names(store, "P2")
    polled(store, "FW-9", ENGINE, unit="P2", identity=Identity.OTHER_DEVICE)
    polled(store, "FW-9", ENGINE, unit="P2", at=NOW + timedelta(hours=1))
    assert ["FW-9"] == names(store, "P2")
