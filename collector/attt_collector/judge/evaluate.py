"""Judges every asset of some units as of a moment: store -> facts -> engine -> findings.

Nothing here reads a clock or decides a threshold of a rule: the pack does. The same store, pack,
units and moment give the same assessment, today and next year.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from attt_collector.judge.site import PolledDevice, site_facts, speaks_of_a_place
from attt_collector.records import VIETNAM_TIME, Asset, Attestation, StoredSnapshot, Unit
from attt_collector.store import assets as asset_store
from attt_collector.store import attestations as attestation_store
from attt_collector.store import findings as finding_store
from attt_collector.store import snapshots as snapshot_store
from attt_rules.contract import AssetKind, Fact, Finding, Status
from attt_rules.engine import Engine, FactSet
from attt_rules.pack import Pack

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Agents report daily, and the shortest period a rule looks back over for user machines is a month
# (patches, L2-VUL-05). What a machine said longer ago than that says nothing of its state now.
FRESH_WITHIN = timedelta(days=30)


class Standing(StrEnum):
    """How far what an asset said can be relied on at the moment judged."""

    FRESH = "fresh"
    STALE = "stale"  # said something once, too long ago
    SILENT = "silent"  # enrolled, has never said anything


@dataclass(frozen=True, slots=True)
class Subject:
    """One asset as judged. A stale or silent one is unknown by every rule; its evidence stays."""

    asset: Asset
    unit: Unit
    facts: tuple[Fact, ...]
    snapshot: StoredSnapshot | None
    findings: tuple[Finding, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything judged about some units at one moment, in a fixed order.

    groupings: units that only group others and have no place of their own, with what is vouched
    for them (a province's quota); they are no offices, so they are in no population.
    """

    pack: Pack
    as_of: datetime
    units: tuple[Unit, ...]
    subjects: tuple[Subject, ...]
    groupings: tuple[Subject, ...] = ()

    def of_kinds(self, kinds: Iterable[AssetKind]) -> tuple[Subject, ...]:
        wanted = frozenset(kinds)
        return tuple(subject for subject in self.subjects if subject.asset.kind in wanted)

    def sites(self) -> tuple[Subject, ...]:
        """Every subject that can carry what is vouched for a unit, offices and groupings."""
        return self.of_kinds([AssetKind.SITE]) + self.groupings

    def of_unit(self, unit: Unit, subjects: Iterable[Subject]) -> Assessment:
        """The same judgement seen for one unit alone; `subjects` are those of that unit."""
        return self.part(frozenset([unit.id]), subjects)

    def part(self, unit_ids: frozenset[int], subjects: Iterable[Subject]) -> Assessment:
        """The same judgement seen for some of its units; `subjects` are those of these units."""
        return replace(
            self,
            units=tuple(unit for unit in self.units if unit.id in unit_ids),
            subjects=tuple(subjects),
            groupings=tuple(one for one in self.groupings if one.unit.id in unit_ids),
        )


def assess(
    conn: Connection,
    pack: Pack,
    units: Sequence[Unit],
    as_of: datetime,
    already: Mapping[int, tuple[Fact, ...]] | None = None,
) -> Assessment:
    """Judges every asset of `units` by its newest snapshot as of `as_of`, and each unit's site.

    Args:
        conn: a reading connection of the store.
        units: the scope, for example a subtree; an asset of another unit is not looked at.
        as_of: an aware datetime; what was true only later is not looked at, what became known
            later about that moment (a spooled snapshot, a document handed in) is.
        already: see snapshots.latest_facts.
    """
    unit_ids = [unit.id for unit in units]
    assets = asset_store.in_units(conn, unit_ids, as_of)
    latest = snapshot_store.latest_facts(conn, [asset.id for asset in assets], as_of, already)
    attestations = attestation_store.in_force(conn, unit_ids, as_of.astimezone(VIETNAM_TIME).date())
    return judge(pack, units, assets=assets, latest=latest, attestations=attestations, as_of=as_of)


def judge(
    pack: Pack,
    units: Sequence[Unit],
    *,
    assets: Iterable[Asset],
    latest: Mapping[int, tuple[StoredSnapshot, tuple[Fact, ...]]],
    attestations: Iterable[Attestation],
    as_of: datetime,
) -> Assessment:
    """The same as `assess` for records that are already in hand."""
    engine = Engine(pack)
    assets_of: dict[int, list[Asset]] = defaultdict(list)
    for asset in assets:
        assets_of[asset.unit_id].append(asset)
    attested_of: dict[int, list[Attestation]] = defaultdict(list)
    for attestation in attestations:
        attested_of[attestation.unit_id].append(attestation)
    parents = {unit.parent_id for unit in units}
    subjects: list[Subject] = []
    groupings: list[Subject] = []
    for unit in units:
        own = sorted(assets_of[unit.id], key=lambda a: (a.kind.value, a.name, a.device_id))
        devices = [asset for asset in own if asset.kind is not AssetKind.SITE]
        site = next((asset for asset in own if asset.kind is AssetKind.SITE), None)
        polled = [
            PolledDevice(asset, *latest.get(asset.id, (None, ())))
            for asset in devices
            if asset.kind is AssetKind.NETWORK_DEVICE
        ]
        facts = site_facts(unit, polled, attested_of[unit.id], as_of)
        place = _site(engine, unit, site or _site_asset(unit), facts, as_of)
        # A leaf office that has never said anything is an office all the same: it stays in every
        # denominator. Only a unit that merely groups others has no place of its own.
        if devices or unit.id not in parents or speaks_of_a_place(attested_of[unit.id]):
            subjects.append(place)
        elif attested_of[unit.id]:
            groupings.append(place)
        subjects.extend(
            _device(engine, unit, asset, latest.get(asset.id), as_of) for asset in devices
        )
    return Assessment(pack, as_of, tuple(units), tuple(subjects), tuple(groupings))


def keep(conn: Connection, pack: Pack, subjects: Iterable[Subject], at: datetime) -> int:
    """Makes what was judged the recorded state of each subject; how many findings changed.

    Args:
        conn: a writing connection; judging and keeping may lie in two transactions.
    """
    changed = 0
    for subject in subjects:
        asset = subject.asset
        if asset.kind is AssetKind.SITE:
            asset = asset_store.ensure_site(conn, subject.unit, at)
        elif asset_store.by_id(conn, asset.id).last_received_at != asset.last_received_at:
            continue  # it reported in between: what was judged then is younger than this
        changed += finding_store.record(conn, asset.id, pack.id, subject.findings, at)
    return changed


def standing_of(asset: Asset, snapshot: StoredSnapshot | None, as_of: datetime) -> Standing:
    """Whether a snapshot is recent enough, by the time the store believes it was true."""
    if snapshot is None:
        return Standing.SILENT
    said_at = snapshot_store.effective_time(
        snapshot.taken_at, snapshot.received_at, asset.enrolled_at
    )
    return Standing.FRESH if as_of - said_at <= FRESH_WITHIN else Standing.STALE


def _device(
    engine: Engine,
    unit: Unit,
    asset: Asset,
    latest: tuple[StoredSnapshot, tuple[Fact, ...]] | None,
    as_of: datetime,
) -> Subject:
    snapshot, facts = latest if latest is not None else (None, ())
    standing = standing_of(asset, snapshot, as_of)
    findings = engine.evaluate(asset.kind, FactSet(facts), as_of)
    if standing is not Standing.FRESH:
        findings = tuple(replace(finding, status=Status.UNKNOWN) for finding in findings)
    return Subject(asset, unit, facts, snapshot, findings, standing)


def _site(
    engine: Engine,
    unit: Unit,
    site: Asset,
    facts: tuple[Fact, ...],
    as_of: datetime,
) -> Subject:
    findings = engine.evaluate(AssetKind.SITE, FactSet(facts), as_of)
    return Subject(site, unit, facts, None, findings, Standing.FRESH)


def _site_asset(unit: Unit) -> Asset:
    # Not yet a row of the store: a negative id can never be mistaken for one.
    return Asset(
        id=-unit.id,
        device_id=asset_store.site_device_id(unit),
        unit_id=unit.id,
        kind=AssetKind.SITE,
        name=unit.name,
        public_key=None,
        enrolled_at=datetime.combine(unit.valid_from, datetime.min.time(), VIETNAM_TIME),
        last_received_at=None,
        last_taken_at=None,
        clock_skew_seconds=None,
        retired_at=None,
    )
