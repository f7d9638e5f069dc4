"""Snapshots and the facts read back out of them, for any past moment."""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime, timedelta

import pytest

from attt_collector.records import Asset, Unit
from attt_collector.store import assets, snapshots
from attt_collector.store.db import Store
from attt_collector.store.snapshots import Appended, effective_time
from attt_rules.contract import Fact, Unreadable
from tests.collector.conftest import NOW, Device

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ENROLLED = NOW - 30 * DAY


@pytest.fixture
def asset(store: Store, commune: Unit, device: Device) -> Asset:
    return device.enrolled(store, commune, at=ENROLLED)


def keep(
    store: Store,
    asset: Asset,
    device: Device,
    value: int,
    *,
    taken_at: datetime,
    received_at: datetime | None = None,
) -> Appended:
    snapshot = device.snapshot(
        device.fact("password_policy.minimum_length_chars", value), taken_at=taken_at
    )
    return store.write(
        lambda conn: snapshots.append(
            conn,
            asset,
            snapshot,
            received_at=received_at or taken_at,
            sha256=hashlib.sha256(snapshot.to_json()).hexdigest(),
            evidence=gzip.compress(device.envelope(snapshot)),
        )
    )


def value_at(store: Store, asset: Asset, as_of: datetime) -> object:
    with store.read() as conn:
        found = snapshots.latest_facts(conn, [asset.id], as_of).get(asset.id)
    return None if found is None else found[1][0].value


def test_it_works(store: Store, asset: Asset, device: Device) -> None:
    kept = keep(store, asset, device, 8, taken_at=NOW)
    assert (True, True) == (kept.is_new, kept.is_newest)
    assert 8 == value_at(store, asset, NOW)


def test_every_kind_of_value_comes_back_as_it_was(
    store: Store, asset: Asset, device: Device
) -> None:
    facts = (
        device.fact("firewall.enabled", True, "host"),
        device.fact("log.retention_days", 90),
        device.fact("time_sync.offset_seconds", -0.25),
        device.fact("os.name", "Debian «bookworm» ấ"),
        device.fact("antivirus.products", ()),
        device.fact("link.gateways", ("10.0.0.1", "fe80::1")),
        device.fact("updates.last_installed_at", NOW),
        Fact("account.enabled", NOW, "shadow", unreadable=Unreadable.ACCESS_DENIED),
    )
    snapshot = device.snapshot(*facts)
    store.write(
        lambda conn: snapshots.append(
            conn,
            asset,
            snapshot,
            received_at=NOW,
            sha256="x",
            evidence=gzip.compress(device.envelope(snapshot)),
        )
    )
    with store.read() as conn:
        stored, said = snapshots.latest_facts(conn, [asset.id], NOW)[asset.id]
    assert facts == said
    assert (snapshot.snapshot_id, NOW, NOW) == (
        stored.snapshot_id,
        stored.taken_at,
        stored.received_at,
    )


def test_any_past_moment_can_be_asked_for(store: Store, asset: Asset, device: Device) -> None:
    for days, value in ((3, 6), (2, 8), (1, 12)):
        keep(store, asset, device, value, taken_at=NOW - days * DAY)
    assert [None, 6, 8, 8, 12] == [
        value_at(store, asset, NOW - days * DAY) for days in (3.5, 3, 2, 1.5, 0)
    ]


def test_what_waited_in_a_spool_counts_from_when_it_was_taken(
    store: Store, asset: Asset, device: Device
) -> None:
    keep(store, asset, device, 12, taken_at=NOW)
    late = keep(store, asset, device, 6, taken_at=NOW - 5 * DAY, received_at=NOW + HOUR)
    assert late.is_newest is False
    assert [6, 12] == [value_at(store, asset, NOW - DAY), value_at(store, asset, NOW + 2 * HOUR)]


def test_a_clock_in_the_future_counts_from_its_arrival(
    store: Store, asset: Asset, device: Device
) -> None:
    keep(store, asset, device, 6, taken_at=NOW + 365 * DAY, received_at=NOW)
    keep(store, asset, device, 12, taken_at=NOW + HOUR)
    assert [6, 12] == [value_at(store, asset, NOW), value_at(store, asset, NOW + HOUR)]


def test_of_two_at_the_same_time_the_later_arrival_counts(
    store: Store, asset: Asset, device: Device
) -> None:
    keep(store, asset, device, 6, taken_at=NOW)
    assert keep(store, asset, device, 12, taken_at=NOW).is_newest is True
    assert 12 == value_at(store, asset, NOW)


@pytest.mark.parametrize(
    ("taken_at", "expected"),
    [
        (NOW, NOW),
        (NOW - 7 * DAY, NOW - 7 * DAY),
        (ENROLLED, ENROLLED),
        (NOW + HOUR, NOW),
        (NOW.replace(year=2010), NOW),
        (ENROLLED - 2 * DAY, NOW),
        (ENROLLED - HOUR, ENROLLED - HOUR),
    ],
)
def test_a_clock_is_believed_only_between_enrolment_and_arrival(
    taken_at: datetime, expected: datetime
) -> None:
    assert expected == effective_time(taken_at, NOW, ENROLLED)


def test_many_assets_are_read_in_one_go(store: Store, commune: Unit) -> None:
    devices = [Device(f"PC-{number}") for number in range(3)]
    found = [device.enrolled(store, commune, at=ENROLLED) for device in devices]
    for number, (device, asset) in enumerate(zip(devices[:2], found[:2], strict=True)):
        keep(store, asset, device, number, taken_at=NOW)
    wanted = [asset.id for asset in found] + list(range(1000, 2200))
    with store.read() as conn:
        latest = snapshots.latest_facts(conn, wanted, NOW)
    assert {found[0].id: 0, found[1].id: 1} == {
        asset_id: facts[0].value for asset_id, (_, facts) in latest.items()
    }


def test_the_history_is_newest_first(store: Store, asset: Asset, device: Device) -> None:
    for days in (3, 1, 2):
        keep(store, asset, device, days, taken_at=NOW - days * DAY)
    with store.read() as conn:
        listed = snapshots.history(conn, asset.id, limit=2)
    assert [NOW - DAY, NOW - 2 * DAY] == [each.taken_at for each in listed]


def test_assets_count_from_enrolment_until_retirement(
    store: Store, commune: Unit, asset: Asset
) -> None:
    store.write(lambda conn: assets.retire(conn, asset.id, NOW))

    def counted(as_of: datetime) -> list[int]:
        with store.read() as conn:
            return [each.id for each in assets.in_units(conn, [commune.id], as_of)]

    assert [[], [asset.id], [asset.id], []] == [
        counted(moment) for moment in (ENROLLED - HOUR, ENROLLED, NOW - HOUR, NOW)
    ]


def test_contact_never_moves_backwards(store: Store, asset: Asset) -> None:
    for received_at, name in ((NOW, "new"), (NOW - DAY, "old")):
        store.write(
            lambda conn, at=received_at, name=name: assets.seen(
                conn, asset.id, received_at=at, taken_at=at + HOUR, name=name
            )
        )
    with store.read() as conn:
        seen = assets.by_id(conn, asset.id)
    assert (NOW, 3600.0, "new") == (seen.last_received_at, seen.clock_skew_seconds, seen.name)


def test_the_site_of_a_unit_is_made_once(store: Store, commune: Unit) -> None:
    made = [store.write(lambda conn: assets.ensure_site(conn, commune, NOW)) for _ in range(2)]
    assert made[0] == made[1]


def test_it_does_not_read_evidence_again_that_the_caller_still_has(
    store: Store, asset: Asset, device: Device
) -> None:
    old = keep(store, asset, device, 8, taken_at=NOW).stored
    in_hand = (device.fact("password_policy.minimum_length_chars", 99),)
    with store.read() as conn:
        found = snapshots.latest_facts(conn, [asset.id], NOW, {old.id: in_hand})
    assert {asset.id: (old, in_hand)} == found
    keep(store, asset, device, 9, taken_at=NOW + HOUR)
    with store.read() as conn:
        found = snapshots.latest_facts(conn, [asset.id], NOW + HOUR, {old.id: in_hand})
    assert 9 == found[asset.id][1][0].value
