"""The night's jobs, called by hand with a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attt_collector.judge.evaluate import assess, keep
from attt_collector.judge.receive import receive
from attt_collector.records import VIETNAM_TIME, Unit
from attt_collector.schedule import Schedule, prune, rejudge
from attt_collector.store import assets, findings, sessions, users
from attt_collector.store.db import Store
from attt_rules.contract import AssetKind, Status
from attt_rules.pack import for_date
from tests.collector.conftest import NOW, Device

PACK = for_date(NOW.date()).id
FIREWALL = "tuong-lua.may-bat"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def reported(store: Store, unit: Unit, device: Device) -> int:
    asset = device.enrolled(store, unit)
    snapshot = device.snapshot(
        device.fact("firewall.profiles", ("host",)),
        device.fact("firewall.enabled", True, "host"),
        device.fact("firewall.inbound_blocked", True, "host"),
    )
    receive(store, device.envelope(snapshot), NOW)
    return asset.id


def status(store: Store, asset_id: int, rule: str = FIREWALL) -> Status:
    with store.read() as conn:
        states = findings.current(conn, [asset_id], PACK)[asset_id]
    return next(state.status for state in states if state.rule_id == rule)


def test_it_works(store: Store, commune: Unit, device: Device) -> None:
    asset_id = reported(store, commune, device)
    rejudge(store, NOW + DAY)
    assert Status.PASS is status(store, asset_id)


def test_judging_again_on_the_same_day_changes_nothing(
    store: Store, commune: Unit, device: Device
) -> None:
    reported(store, commune, device)
    rejudge(store, NOW + DAY)
    assert 0 == rejudge(store, NOW + DAY)


def test_a_pc_that_is_silent_for_long_becomes_unknown(
    store: Store, commune: Unit, device: Device
) -> None:
    asset_id = reported(store, commune, device)
    rejudge(store, NOW + 45 * DAY)
    assert Status.UNKNOWN is status(store, asset_id)


def test_the_site_of_an_office_gets_findings_of_its_own(
    store: Store, commune: Unit, device: Device
) -> None:
    reported(store, commune, device)
    rejudge(store, NOW + DAY)
    rejudge(store, NOW + 2 * DAY)
    with store.read() as conn:
        every = assets.in_units(conn, [commune.id], NOW + 2 * DAY)
        sites = [asset.id for asset in every if asset.kind is AssetKind.SITE]
        assert 1 == len(sites)
        assert findings.current(conn, sites, PACK)[sites[0]]


def test_it_does_not_overwrite_what_came_in_while_it_was_judging(
    store: Store, commune: Unit, device: Device
) -> None:
    asset_id = reported(store, commune, device)
    late = NOW + 45 * DAY
    pack = for_date(late.date())
    with store.read() as conn:
        judged = assess(conn, pack, [commune], late).subjects  # unknown: silent for 45 days
    fresh = device.snapshot(
        device.fact("firewall.profiles", ("host",)),
        device.fact("firewall.enabled", False, "host"),
        device.fact("firewall.inbound_blocked", False, "host"),
        taken_at=late,
    )
    receive(store, device.envelope(fresh), late)
    store.write(lambda conn: keep(conn, pack, judged, late))
    assert Status.FAIL is status(store, asset_id)


def test_ended_sessions_are_forgotten(store: Store, commune: Unit) -> None:
    user = store.write(lambda conn: users.add(conn, login="an", password_hash="x"))
    store.write(lambda conn: sessions.create(conn, user.id, NOW - 2 * DAY))
    assert (1, 0) == prune(store, NOW)


def test_the_timetable_judges_at_half_past_one_and_prunes_at_three(
    store: Store, commune: Unit, device: Device
) -> None:
    asset_id = reported(store, commune, device)
    user = store.write(lambda conn: users.add(conn, login="an", password_hash="x"))
    store.write(lambda conn: sessions.create(conn, user.id, NOW))
    schedule = Schedule(store, lambda: NOW + 45 * DAY)
    schedule.start()
    try:
        started = datetime.now(UTC)
        jobs = {
            f"{job.next_run_time.astimezone(VIETNAM_TIME):%H:%M:%S}": job
            for job in schedule._scheduler.get_jobs()
        }
        assert {"01:30:00", "03:00:00"} == set(jobs)
        for job in jobs.values():
            assert timedelta() < job.next_run_time - started + MINUTE <= DAY + MINUTE
        assert Status.PASS is status(store, asset_id)
        jobs["01:30:00"].func()
        assert Status.UNKNOWN is status(store, asset_id)
        jobs["03:00:00"].func()
        assert (0, 0) == prune(store, NOW + 45 * DAY)  # the session had gone
    finally:
        schedule.stop()
    store.write(lambda conn: None)  # the store is still ours
