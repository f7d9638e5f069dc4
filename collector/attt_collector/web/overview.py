"""/ (Tổng quan): the main figures, the worst rules, who is silent, and every unit in one table."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from attt_collector.judge.evaluate import Subject
from attt_collector.judge.indicators import RuleTally
from attt_collector.records import Unit
from attt_collector.web.access import LoggedIn, now_of, store_of
from attt_collector.web.assessed import Seen, is_silent, seen_by, state_of, tree
from attt_collector.web.figures import MAIN_FIGURES, Bar, figures
from attt_collector.web.page import render
from attt_rules.contract import AssetKind, Status
from attt_rules.pack import Rule

WORST_RULES = 8
WORST_RULES_OF_UNIT = 2
SILENT_SHOWN = 8

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit's own devices, without those of the units below it."""

    unit: Unit
    depth: int
    machines: int
    network_devices: int
    silent: int
    last_received_at: datetime | None
    bar: Bar
    worst: tuple[tuple[Rule, int], ...]


@router.get("/")
def show(request: Request, viewer: LoggedIn) -> Response:
    store = store_of(request)
    seen = seen_by(store, viewer.user, now_of(request))
    devices = seen.devices
    silent = [subject for subject in devices if is_silent(subject, seen.as_of)]
    states = Counter(state_of(subject) for subject in devices)
    return render(
        request,
        "overview",
        words=viewer.words,
        viewer=viewer,
        seen=seen,
        figures=figures(seen, viewer.words.language)[:MAIN_FIGURES],
        devices_count=len(devices),
        devices_bar=Bar(states[Status.PASS], states[Status.FAIL], states[Status.UNKNOWN]),
        silent_count=len(silent),
        silent=sorted(silent, key=_longest_silent)[:SILENT_SHOWN],
        worst=worst_rules(seen.tallies)[:WORST_RULES],
        units=unit_rows(seen),
    )


def worst_rules(tallies: tuple[RuleTally, ...]) -> tuple[RuleTally, ...]:
    """Rules that somebody fails or that are unknown somewhere, most fails first."""
    found = (tally for tally in tallies if tally.failed or tally.unknown)
    return tuple(sorted(found, key=lambda tally: (-tally.failed, -tally.unknown, tally.rule.id)))


def unit_rows(seen: Seen) -> tuple[UnitRow, ...]:
    """Every unit in sight, parents before children."""
    of_unit: dict[int, list[Subject]] = defaultdict(list)
    for subject in seen.assessment.subjects:
        of_unit[subject.unit.id].append(subject)
    return tuple(
        _unit_row(seen, unit, depth, of_unit[unit.id])
        for unit, depth in tree(seen.assessment.units)
    )


def _unit_row(seen: Seen, unit: Unit, depth: int, subjects: list[Subject]) -> UnitRow:
    devices = [subject for subject in subjects if subject.asset.kind is not AssetKind.SITE]
    network = sum(1 for each in devices if each.asset.kind is AssetKind.NETWORK_DEVICE)
    findings = [finding for subject in subjects for finding in subject.findings]
    failed = Counter(f.rule_id for f in findings if f.status is Status.FAIL)
    heard = [each.asset.last_received_at for each in devices]
    worst = sorted(failed.items(), key=lambda found: (-found[1], found[0]))
    return UnitRow(
        unit=unit,
        depth=depth,
        machines=len(devices) - network,
        network_devices=network,
        silent=sum(1 for each in devices if is_silent(each, seen.as_of)),
        last_received_at=max((at for at in heard if at is not None), default=None),
        bar=Bar.of(findings),
        worst=tuple(
            (seen.pack.rules[rule_id], count) for rule_id, count in worst[:WORST_RULES_OF_UNIT]
        ),
    )


def _longest_silent(subject: Subject) -> tuple[float, str]:
    last = subject.asset.last_received_at
    return (0.0 if last is None else last.timestamp(), subject.asset.name)
