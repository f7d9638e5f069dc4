"""Findings as state intervals."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from attt_collector.records import Asset, FindingState, Unit
from attt_collector.store import findings
from attt_collector.store.db import Store
from attt_rules.contract import Finding, Status
from tests.collector.conftest import NOW, Device

PACK = "vn_l2_2026"
HOUR = timedelta(hours=1)


@pytest.fixture
def asset(store: Store, commune: Unit, device: Device) -> Asset:
    return device.enrolled(store, commune)


def record(store: Store, asset: Asset, at: datetime, pack: str = PACK, **statuses: Status) -> int:
    said = [Finding(rule, status) for rule, status in statuses.items()]
    return store.write(lambda conn: findings.record(conn, asset.id, pack, said, at))


def intervals(store: Store, asset: Asset, pack: str = PACK) -> list[tuple]:
    with store.read() as conn:
        return [
            (each.rule_id, each.status, each.since, each.until)
            for each in findings.history(conn, asset.id, pack)
        ]


def test_it_works(store: Store, asset: Asset) -> None:
    assert 2 == record(store, asset, NOW, a=Status.PASS, b=Status.UNKNOWN)
    with store.read() as conn:
        now = findings.current(conn, [asset.id], PACK)
    assert {
        asset.id: (
            FindingState(asset.id, "a", Status.PASS, NOW),
            FindingState(asset.id, "b", Status.UNKNOWN, NOW),
        )
    } == now


def test_the_same_again_writes_nothing(store: Store, asset: Asset) -> None:
    record(store, asset, NOW, a=Status.PASS)
    assert 0 == record(store, asset, NOW + HOUR, a=Status.PASS)
    assert [("a", Status.PASS, NOW, None)] == intervals(store, asset)


def test_a_change_ends_one_interval_and_begins_another(store: Store, asset: Asset) -> None:
    record(store, asset, NOW, a=Status.PASS)
    assert 1 == record(store, asset, NOW + HOUR, a=Status.FAIL)
    assert [
        ("a", Status.PASS, NOW, NOW + HOUR),
        ("a", Status.FAIL, NOW + HOUR, None),
    ] == intervals(store, asset)


def test_a_rule_that_left_the_pack_leaves_the_present(store: Store, asset: Asset) -> None:
    record(store, asset, NOW, a=Status.PASS, gone=Status.FAIL)
    record(store, asset, NOW + HOUR, a=Status.PASS)
    with store.read() as conn:
        now = findings.current(conn, [asset.id], PACK)[asset.id]
    assert ["a"] == [state.rule_id for state in now]
    assert ("gone", Status.FAIL, NOW, NOW + HOUR) in intervals(store, asset)


def test_a_rule_may_come_back(store: Store, asset: Asset) -> None:
    record(store, asset, NOW, a=Status.PASS)
    record(store, asset, NOW + HOUR)
    record(store, asset, NOW + 2 * HOUR, a=Status.PASS)
    assert [
        ("a", Status.PASS, NOW, NOW + HOUR),
        ("a", Status.PASS, NOW + 2 * HOUR, None),
    ] == intervals(store, asset)


def test_a_clock_set_back_corrects_the_interval_instead_of_turning_it_around(
    store: Store, asset: Asset
) -> None:
    record(store, asset, NOW, a=Status.PASS)
    record(store, asset, NOW - HOUR, a=Status.FAIL)
    assert [("a", Status.FAIL, NOW, None)] == intervals(store, asset)


def test_packs_do_not_touch_each_other(store: Store, asset: Asset) -> None:
    record(store, asset, NOW, a=Status.PASS)
    record(store, asset, NOW, "vn_l2_2017", b=Status.FAIL)
    assert [("a", Status.PASS, NOW, None)] == intervals(store, asset)
    assert [("b", Status.FAIL, NOW, None)] == intervals(store, asset, "vn_l2_2017")
