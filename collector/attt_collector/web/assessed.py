"""The one judgement behind all pages: every unit, every asset, as of now.

Pages never judge for themselves, so a figure on the overview and the list behind it cannot
disagree. The judgement is kept until something new is stored, at most a minute; a viewer gets the
part of it that lies in the subtree of their unit.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from weakref import WeakKeyDictionary

from attt_collector.judge import indicators
from attt_collector.judge.evaluate import Assessment, Subject, assess
from attt_collector.judge.indicators import RuleTally
from attt_collector.records import VIETNAM_TIME, IndicatorValue, Unit, User
from attt_collector.store import progress, units
from attt_collector.store.db import Store
from attt_rules.contract import AssetKind, Status
from attt_rules.pack import Pack, for_date

KEPT_FOR = timedelta(minutes=1)
SILENT_AFTER = timedelta(days=7)  # agents report daily; a week without a word is worth a call

_pack_on = lru_cache(maxsize=4)(for_date)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one viewer may see. `top` is their unit; None when they see every unit."""

    assessment: Assessment
    figures: Mapping[str, IndicatorValue]
    tallies: tuple[RuleTally, ...]
    top: Unit | None

    @property
    def as_of(self) -> datetime:
        return self.assessment.as_of

    @property
    def pack(self) -> Pack:
        return self.assessment.pack

    @property
    def devices(self) -> tuple[Subject, ...]:
        """Every subject that is a machine or network device: all but the sites."""
        return tuple(s for s in self.assessment.subjects if s.asset.kind is not AssetKind.SITE)

    def unit(self, code: str) -> Unit | None:
        return next((unit for unit in self.assessment.units if unit.code == code), None)

    def subject(self, device_id: str) -> Subject | None:
        found = (s for s in self.assessment.subjects if s.asset.device_id == device_id)
        return next(found, None)

    def part(self, wanted: frozenset[int], top: Unit) -> Seen:
        """The same judgement for some of the units only."""
        return _counted(_part(self.assessment, wanted), top)


def is_silent(subject: Subject, as_of: datetime) -> bool:
    """Whether the collector has not heard of a device for SILENT_AFTER, or never."""
    last = subject.asset.last_received_at
    return last is None or as_of - last > SILENT_AFTER


def state_of(subject: Subject) -> Status:
    """The worst any rule says: one fail makes a device fail, else one unknown makes it unknown."""
    said = {finding.status for finding in subject.findings}
    for status in (Status.FAIL, Status.UNKNOWN, Status.PASS):
        if status in said:
            return status
    return Status.NOT_APPLICABLE


def tree(all_units: tuple[Unit, ...]) -> tuple[tuple[Unit, int], ...]:
    """Parents before children, siblings by code, with the depth of each (0 at the top)."""
    known = {unit.id for unit in all_units}
    children: dict[int | None, list[Unit]] = {}
    for unit in sorted(all_units, key=lambda unit: unit.code):
        parent = unit.parent_id if unit.parent_id in known else None
        children.setdefault(parent, []).append(unit)
    found: list[tuple[Unit, int]] = []

    def walk(parent: int | None, depth: int) -> None:
        for unit in children.get(parent, ()):
            found.append((unit, depth))
            walk(unit.id, depth + 1)

    walk(None, 0)
    return tuple(found)


def seen_by(store: Store, user: User, now: datetime) -> Seen:
    """What this user may see of the present state; nothing outside the subtree of their unit."""
    cache = _cache_of(store)
    whole = cache.current(store, now)
    if user.unit_id is None:
        return cache.counted(whole, None, frozenset(unit.id for unit in whole.units))
    with store.read() as conn:
        top = units.by_id(conn, user.unit_id)
        below = units.in_scope(conn, top.code, _day(whole.as_of), whole.as_of)
    return cache.counted(whole, top, frozenset(units.ids(below)))


def part_of(store: Store, seen: Seen, unit: Unit, *, with_below: bool) -> Seen:
    """What a viewer sees of one unit, with or without the units below it."""
    wanted = frozenset([unit.id])
    if with_below:
        with store.read() as conn:
            below = units.in_scope(conn, unit.code, _day(seen.as_of), seen.as_of)
        wanted = frozenset(units.ids(below)) & {each.id for each in seen.assessment.units}
    return seen.part(wanted, unit)


@dataclass(slots=True)
class _Cache:
    lock: threading.Lock = field(default_factory=threading.Lock)
    at: datetime | None = None
    mark: tuple[int, ...] = ()
    assessment: Assessment | None = None
    parts: dict[frozenset[int], Seen] = field(default_factory=dict)

    def current(self, store: Store, now: datetime) -> Assessment:
        # One thread judges, the others wait for it: twice the work would not be done sooner.
        with self.lock:
            with store.read() as conn:
                mark = progress.mark(conn)
                kept = self.at is not None and timedelta() <= now - self.at < KEPT_FOR
                if self.assessment is not None and kept and mark == self.mark:
                    return self.assessment
                known = units.in_scope(conn, None, _day(now), now)
                before = self.assessment.subjects if self.assessment is not None else ()
                already = {s.snapshot.id: s.facts for s in before if s.snapshot is not None}
                made = assess(conn, _pack_on(_day(now)), known, now, already)
            self.at, self.mark, self.assessment, self.parts = now, mark, made, {}
            return made

    def counted(self, whole: Assessment, top: Unit | None, wanted: frozenset[int]) -> Seen:
        with self.lock:
            if whole is not self.assessment:  # somebody else has judged anew meanwhile
                return _counted(_part(whole, wanted), top)
            if wanted not in self.parts:
                self.parts[wanted] = _counted(_part(whole, wanted), top)
            return replace(self.parts[wanted], top=top)


_caches: WeakKeyDictionary[Store, _Cache] = WeakKeyDictionary()
_caches_lock = threading.Lock()


def _cache_of(store: Store) -> _Cache:
    with _caches_lock:
        return _caches.setdefault(store, _Cache())


def _part(whole: Assessment, wanted: frozenset[int]) -> Assessment:
    return whole.part(wanted, (s for s in whole.subjects if s.unit.id in wanted))


def _counted(assessment: Assessment, top: Unit | None) -> Seen:
    return Seen(assessment, indicators.count(assessment), indicators.tallies(assessment), top)


def _day(moment: datetime) -> date:
    return moment.astimezone(VIETNAM_TIME).date()
