"""An assessment: every asset by its newest snapshot, every office by its site."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from attt_collector.judge.evaluate import FRESH_WITHIN, Standing, assess, keep
from attt_collector.records import Asset, Unit, UnitKind
from attt_collector.store import assets, findings, units
from attt_collector.store.db import Store
from attt_rules import pack
from attt_rules.contract import AssetKind, Status
from tests.report.fleet import AS_OF, Fleet, city, good_pc


def statuses(fleet: Fleet, name: str) -> set[Status]:
    [subject] = [s for s in fleet.assess().subjects if s.asset.name == name]
    return {finding.status for finding in subject.findings}


def test_it_judges_every_asset_and_one_site_a_unit() -> None:
    assessment = city().assess()

    kinds = [subject.asset.kind for subject in assessment.subjects]
    assert kinds.count(AssetKind.PC) == 12
    assert kinds.count(AssetKind.SITE) == 3
    assert {f.status for s in assessment.subjects for f in s.findings} == {Status.PASS}


def test_the_same_input_gives_the_same_output() -> None:
    fleet = city()
    first = fleet.assess()
    fleet.assets.reverse()
    fleet.attestations.reverse()

    assert fleet.assess() == first


def test_it_is_unknown_about_an_asset_that_never_reported() -> None:
    fleet = city()
    fleet.device(fleet.units[0], None, name="PC-MỚI")

    [subject] = [s for s in fleet.assess().subjects if s.asset.name == "PC-MỚI"]

    assert subject.standing is Standing.SILENT
    assert subject.facts == ()
    assert {finding.status for finding in subject.findings} == {Status.UNKNOWN}


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (FRESH_WITHIN, Standing.FRESH),
        (FRESH_WITHIN + timedelta(seconds=1), Standing.STALE),
    ],
)
def test_an_old_snapshot_is_stale(age: timedelta, expected: Standing) -> None:
    fleet = city()
    fleet.device(fleet.units[0], good_pc(), name="PC-CŨ", age=age)

    [subject] = [s for s in fleet.assess().subjects if s.asset.name == "PC-CŨ"]

    assert subject.standing is expected


def test_a_stale_asset_is_unknown_but_keeps_its_evidence() -> None:
    fleet = city()
    fleet.device(fleet.units[0], good_pc(), name="PC-CŨ", age=timedelta(days=31))

    assert statuses(fleet, "PC-CŨ") == {Status.UNKNOWN}
    [subject] = [s for s in fleet.assess().subjects if s.asset.name == "PC-CŨ"]
    [firewall] = [f for f in subject.findings if f.rule_id == "tuong-lua.may-bat"]
    assert [fact.key for fact in firewall.evidence] == [
        "firewall.profiles",
        "firewall.enabled",
        "firewall.inbound_blocked",
    ]


def test_a_leaf_office_without_anything_still_has_a_site() -> None:
    fleet = city()
    silent = fleet.unit("HM-03", "UBND xã Im Lặng", UnitKind.COMMUNE, fleet.units[0])

    sites = [s for s in fleet.assess().subjects if s.asset.kind is AssetKind.SITE]

    assert [s.unit.code for s in sites] == ["HM", "HM-01", "HM-02", "HM-03"]
    [site] = [s for s in sites if s.unit == silent]
    assert {finding.status for finding in site.findings} == {Status.UNKNOWN}


def test_a_unit_that_only_groups_others_has_no_site() -> None:
    fleet = Fleet()
    top = fleet.unit("T", "Tỉnh Mẫu", UnitKind.PROVINCE)
    fleet.pcs(fleet.unit("T-01", "UBND xã Một", UnitKind.COMMUNE, top), 1)

    sites = [s.unit.code for s in fleet.assess().subjects if s.asset.kind is AssetKind.SITE]

    assert sites == ["T-01"]


NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(f"sqlite:///{tmp_path / 'attt.sqlite'}", False, NOW) as made:
        yield made


def one_pc(store: Store) -> tuple[Unit, Asset]:
    def fill(conn: Connection) -> tuple[Unit, Asset]:
        unit = units.add(
            conn,
            code="X",
            name="UBND xã X",
            kind=UnitKind.COMMUNE,
            parent_id=None,
            valid_from=AS_OF.date(),
        )
        pc = assets.enrol(
            conn,
            device_id="abc",
            unit_id=unit.id,
            kind=AssetKind.PC,
            name="PC-1",
            public_key=b"k" * 32,
            at=NOW,
        )
        return unit, pc

    return store.write(fill)


def test_it_reads_and_keeps_through_a_real_store(store: Store) -> None:
    rules = pack.builtin("vn_l2_2026")
    unit, pc = one_pc(store)
    with store.read() as conn:
        assessment = assess(conn, rules, [unit], NOW)
    changed = store.write(lambda conn: keep(conn, rules, assessment.subjects, NOW))
    again = store.write(lambda conn: keep(conn, rules, assessment.subjects, NOW))
    with store.read() as conn:
        site = assets.by_device_id(conn, assets.site_device_id(unit))
        states = findings.current(conn, [pc.id], rules.id)
        after = assess(conn, rules, [unit], NOW)

    assert [s.asset.kind for s in assessment.subjects] == [AssetKind.SITE, AssetKind.PC]
    assert changed == sum(len(s.findings) for s in assessment.subjects) and again == 0
    assert {state.status for state in states[pc.id]} == {Status.UNKNOWN}
    # The site has become a row of the store and is still one subject.
    assert site is not None
    assert [s.asset.id for s in after.subjects] == [site.id, pc.id]


def test_a_pc_that_reported_while_it_was_judged_keeps_its_younger_findings(store: Store) -> None:
    rules = pack.builtin("vn_l2_2026")
    unit, pc = one_pc(store)
    with store.read() as conn:
        assessment = assess(conn, rules, [unit], NOW)
    store.write(lambda conn: assets.seen(conn, pc.id, received_at=NOW, taken_at=NOW, name="PC-1"))
    store.write(lambda conn: keep(conn, rules, assessment.subjects, NOW))

    with store.read() as conn:
        assert pc.id not in findings.current(conn, [pc.id], rules.id)
