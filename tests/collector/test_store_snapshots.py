"""Snapshots and the facts read back out of them, for any past moment."""

from __future__ import annotations

import gzip
import hashlib
import logging
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from attt_collector.judge.evaluate import assess
from attt_collector.records import Asset, Unit
from attt_collector.store import assets, schema, snapshots
from attt_collector.store.db import Store
from attt_collector.store.snapshots import Appended, effective_time
from attt_rules.contract import Fact, Status, Unreadable
from attt_rules.pack import for_date
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
        (NOW - 31 * DAY - HOUR, NOW),
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


@pytest.fixture
def veteran(store: Store, commune: Unit, device: Device) -> Asset:
    """Enrolled so long ago that no clock of these tests goes behind it."""
    return device.enrolled(store, commune, at=NOW - 2000 * DAY)


def test_a_week_in_the_spool_is_told_in_its_true_order(
    store: Store, veteran: Asset, device: Device
) -> None:
    keep(store, veteran, device, 100, taken_at=NOW - 8 * DAY)
    arrival = NOW + timedelta(minutes=1)
    for days in range(7, -1, -1):  # oldest first, one after the other, in one run
        arrival += timedelta(seconds=1)
        last = keep(store, veteran, device, days, taken_at=NOW - days * DAY, received_at=arrival)
    assert last.is_newest
    assert [100, 7, 3, 0, 0] == [
        value_at(store, veteran, NOW - days * DAY + HOUR) for days in (7.5, 7, 3, 0, -3)
    ]


@pytest.mark.parametrize("behind", [2, 20, 30, 100, 3 * 365], ids=lambda days: f"{days} days")
def test_a_clock_set_back_does_not_hold_the_old_state(
    store: Store, veteran: Asset, device: Device, behind: int
) -> None:
    keep(store, veteran, device, 100, taken_at=NOW)
    for day in range(1, 4):
        arrival = NOW + day * DAY
        kept = keep(
            store, veteran, device, day, taken_at=arrival - behind * DAY, received_at=arrival
        )
        assert kept.is_newest
    # Each from its arrival on, and what was true before stays as it was.
    assert [100, 1, 2, 3, 3] == [
        value_at(store, veteran, NOW + days * DAY + HOUR) for days in (0, 1, 2, 3, 30)
    ]
    mended = keep(store, veteran, device, 50, taken_at=NOW + 4 * DAY)
    assert mended.is_newest
    assert 50 == value_at(store, veteran, NOW + 4 * DAY)


@pytest.mark.parametrize("behind", [20, 100, 3 * 365], ids=lambda days: f"{days} days")
def test_a_spool_filled_by_a_clock_that_is_behind_ends_with_its_newest(
    store: Store, veteran: Asset, device: Device, behind: int
) -> None:
    keep(store, veteran, device, 100, taken_at=NOW - 8 * DAY)
    for days in range(7, -1, -1):
        last = keep(
            store,
            veteran,
            device,
            days,
            taken_at=NOW - (days + behind) * DAY,
            received_at=NOW + timedelta(seconds=7 - days),
        )
    assert last.is_newest
    assert 0 == value_at(store, veteran, NOW + HOUR)


def test_a_clock_mended_between_two_spooled_snapshots_shows_the_newer(
    store: Store, veteran: Asset, device: Device
) -> None:
    second = timedelta(seconds=1)
    keep(store, veteran, device, 1, taken_at=NOW.replace(year=2010), received_at=NOW + second)
    # Taken before the other arrived, but after it was taken.
    kept = keep(store, veteran, device, 2, taken_at=NOW, received_at=NOW + 2 * second)
    assert kept.is_newest
    assert 2 == value_at(store, veteran, NOW + HOUR)


def test_a_clock_ahead_that_is_mended_does_not_hold_its_state(
    store: Store, veteran: Asset, device: Device
) -> None:
    keep(store, veteran, device, 1, taken_at=NOW + 100 * DAY, received_at=NOW)
    for day in (1, 2):
        assert keep(store, veteran, device, 1 + day, taken_at=NOW + day * DAY).is_newest
    assert [1, 2, 3] == [value_at(store, veteran, NOW + days * DAY) for days in (0.5, 1.5, 2.5)]


def test_older_ones_sent_after_the_newest_in_the_same_run_stay_older(
    store: Store, veteran: Asset, device: Device
) -> None:
    """The agent asks with its newest when the first was answered "not enrolled"."""
    keep(store, veteran, device, 0, taken_at=NOW)
    for days in (5, 3):
        late = keep(
            store, veteran, device, days, taken_at=NOW - days * DAY, received_at=NOW + HOUR / 10
        )
        assert not late.is_newest
    assert [5, 3, 0] == [value_at(store, veteran, NOW - days * DAY) for days in (4, 2, -1)]


def damage(store: Store, stored_id: int, evidence: bytes) -> None:
    store.write(
        lambda conn: conn.execute(
            update(schema.snapshot)
            .where(schema.snapshot.c.id == stored_id)
            .values(evidence=evidence)
        )
    )


def evidence_of(store: Store, stored_id: int) -> bytes:
    with store.read() as conn:
        column = schema.snapshot.c.evidence
        return conn.execute(select(column).where(schema.snapshot.c.id == stored_id)).scalar_one()


@pytest.mark.parametrize(
    "broken",
    [
        lambda good: good[:200],
        lambda good: good[:-1],
        lambda good: good[:40] + bytes([good[40] ^ 0xFF]) + good[41:],
        lambda good: b"",
        lambda good: b"no gzip at all",
        lambda good: gzip.compress(b"no envelope"),
        lambda good: gzip.compress(b'{"attt":1,"device_id":"x","signature":"y"}\n[]'),
        lambda good: gzip.compress(b'{"attt":1,"device_id":"x","signature":"y"}\n{"facts":[7]}'),
        lambda good: gzip.compress(b'{"attt":1,"device_id":"x","signature":"y"}\n{}'),
        lambda good: gzip.compress(b'{"attt":1,"device_id":"x","signature":"y"}\n' + b"[" * 99999),
    ],
)
def test_it_reports_unknown_when_evidence_is_damaged(
    store: Store, commune: Unit, broken: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(broken)
    sound, hurt = Device("PC-1"), Device("PC-2")
    kept = {}
    for device in (sound, hurt):
        asset = device.enrolled(store, commune, at=ENROLLED)
        kept[device.name] = keep(store, asset, device, 12, taken_at=NOW).stored
    stored = kept["PC-2"]
    damage(store, stored.id, broken(evidence_of(store, stored.id)))
    with caplog.at_level(logging.ERROR), store.read() as conn:
        found = assess(conn, for_date(NOW.date()), [commune], NOW)
    by_name = {subject.asset.name: subject for subject in found.subjects}
    assert (stored, ()) == (by_name["PC-2"].snapshot, by_name["PC-2"].facts)
    assert {Status.UNKNOWN} == {each.status for each in by_name["PC-2"].findings}
    assert {Status.UNKNOWN} < {each.status for each in by_name["PC-1"].findings}
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(
        f"event=evidence_damaged asset={stored.asset_id} snapshot='{stored.snapshot_id}'"
    )
