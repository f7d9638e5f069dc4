"""Counts an assessment: per indicator who passes, who fails and who is unknown.

This is the only place where figures of a report come into being. Pass, fail, unknown and not
applicable are counted apart; unknown stays in the denominator, so silence can lower a figure but
never raise it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from attt_collector.judge.evaluate import Assessment, Standing, Subject
from attt_collector.records import IndicatorValue, Unit, UnitKind
from attt_rules.contract import AssetKind, Fact, Status, Text
from attt_rules.engine import CompiledCondition, FactSet
from attt_rules.errors import AtttError
from attt_rules.pack import IndicatorKind, IndicatorSpec, Rule

_STATUS = {True: Status.PASS, False: Status.FAIL, None: Status.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Member:
    """One subject of an indicator's population, how it counts, and the facts behind that."""

    subject: Subject
    status: Status
    evidence: tuple[Fact, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleTally:
    """What one rule says over a whole assessment; `failed_by_unit` names units with a fail."""

    rule: Rule
    passed: int
    failed: int
    unknown: int
    not_applicable: int
    failed_by_unit: tuple[tuple[Unit, int], ...]

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.unknown + self.not_applicable


@dataclass(frozen=True, slots=True)
class DeclaredMachines:
    """Machines that units declare (attested) beside those enrolled in the same units."""

    declared: int
    enrolled: int
    not_enrolled: int  # summed unit by unit: one unit's surplus does not hide another's gap


def spec_of(assessment: Assessment, indicator_id: str) -> IndicatorSpec:
    """
    Raises:
        AtttError: ATTT-601 the pack has no such indicator.
    """
    spec = assessment.pack.indicators.get(indicator_id)
    if spec is None:
        known = ", ".join(assessment.pack.indicators)
        pack = assessment.pack.id
        raise AtttError(
            "ATTT-601",
            Text(
                vi=f"Bộ quy tắc «{pack}» không có chỉ tiêu «{indicator_id}».",
                en=f'The rule pack "{pack}" has no indicator "{indicator_id}".',
            ),
            Text(vi=f"chọn một trong: {known}.", en=f"Choose one of: {known}."),
        )
    return spec


def count(assessment: Assessment) -> dict[str, IndicatorValue]:
    """Every indicator of the pack, by id, in the pack's order."""
    return {
        spec.id: _value(assessment, spec, Counter(member.status for member in found))
        for spec in assessment.pack.indicators.values()
        for found in [tuple(_members(assessment, spec))]
    }


def members(assessment: Assessment, indicator_id: str) -> tuple[Member, ...]:
    """The population of one indicator, one by one, in the assessment's order.

    For an indicator of kind count, pass means "is counted".

    Raises:
        AtttError: ATTT-601 the pack has no such indicator.
    """
    return tuple(_members(assessment, spec_of(assessment, indicator_id)))


def units_without_plan(assessment: Assessment, indicator_id: str) -> tuple[Unit, ...]:
    """Units whose planned quantity (quota) nobody has vouched for, neither there nor above.

    A quota is for the unit's own machines and for those of the units below it that have none of
    their own: one figure for a whole city covers its communes, and one figure each adds up.
    """
    spec = spec_of(assessment, indicator_id)
    if spec.planned is None:
        return ()
    known = frozenset(unit.id for unit, _ in _planned(assessment, spec.planned))
    nearest = _nearest(assessment, known)
    return tuple(
        subject.unit
        for subject in assessment.of_kinds([AssetKind.SITE])
        if nearest[subject.unit.id] is None
    )


def excess(value: IndicatorValue) -> int:
    """How many more there are than planned; 0 when at or under the plan, or when it is unknown."""
    return 0 if value.of is None else max(0, value.count - value.of)


def passing_units(assessment: Assessment, indicator_id: str) -> dict[UnitKind, tuple[Unit, ...]]:
    """The units with at least one passing member, by kind of unit."""
    found: dict[UnitKind, dict[int, Unit]] = {}
    for member in members(assessment, indicator_id):
        if member.status is Status.PASS:
            unit = member.subject.unit
            found.setdefault(unit.kind, {})[unit.id] = unit
    return {kind: tuple(found[kind].values()) for kind in UnitKind if kind in found}


def tallies(assessment: Assessment) -> tuple[RuleTally, ...]:
    """Every rule of the pack over all subjects it is written for, in the pack's order."""
    statuses: dict[str, Counter[Status]] = {rule_id: Counter() for rule_id in assessment.pack.rules}
    failing: dict[str, Counter[int]] = {rule_id: Counter() for rule_id in assessment.pack.rules}
    for subject in assessment.subjects:
        for finding in subject.findings:
            statuses[finding.rule_id][finding.status] += 1
            if finding.status is Status.FAIL:
                failing[finding.rule_id][subject.unit.id] += 1
    return tuple(
        RuleTally(
            rule=rule,
            passed=statuses[rule.id][Status.PASS],
            failed=statuses[rule.id][Status.FAIL],
            unknown=statuses[rule.id][Status.UNKNOWN],
            not_applicable=statuses[rule.id][Status.NOT_APPLICABLE],
            failed_by_unit=tuple(
                (unit, failing[rule.id][unit.id])
                for unit in assessment.units
                if failing[rule.id][unit.id]
            ),
        )
        for rule in assessment.pack.rules.values()
    )


def with_standing(
    assessment: Assessment, standing: Standing, kinds: Iterable[AssetKind]
) -> tuple[Subject, ...]:
    """The subjects of some kinds that are fresh, stale or silent."""
    return tuple(s for s in assessment.of_kinds(kinds) if s.standing is standing)


def declared_machines(assessment: Assessment) -> DeclaredMachines | None:
    """What the units declare beside what is enrolled under them; None when nobody declared.

    A machine that was never enrolled is missing from every denominator, and nothing but the
    unit's own declaration can show it.
    """
    declared = _planned(assessment, "site.machines_declared_count")
    if not declared:
        return None
    wanted = {unit.id: machines for unit, machines in declared}
    nearest = _nearest(assessment, frozenset(wanted))
    enrolled = Counter(
        nearest[subject.unit.id]
        for subject in assessment.of_kinds([AssetKind.PC])
        if nearest[subject.unit.id] is not None
    )
    return DeclaredMachines(
        sum(wanted.values()),
        sum(enrolled.values()),
        sum(max(0, machines - enrolled[unit_id]) for unit_id, machines in wanted.items()),
    )


def site_texts(assessment: Assessment, key: str) -> tuple[str, ...]:
    """The different values that the sites give a text fact, in the order first met."""
    found: dict[str, None] = {}
    for subject in assessment.sites():
        value = FactSet(subject.facts).value(key)
        if isinstance(value, str):
            found[value] = None
    return tuple(found)


def _members(assessment: Assessment, spec: IndicatorSpec) -> Iterator[Member]:
    when = CompiledCondition(spec.when) if spec.when is not None else None
    check = CompiledCondition(spec.check) if spec.check is not None else None
    asks_facts = when is not None or check is not None  # a rule has asked them already
    planned_for = _planned_for(assessment, spec)
    for subject in assessment.of_kinds(spec.kinds):
        if planned_for is not None and subject.unit.id not in planned_for:
            continue
        facts = FactSet(subject.facts if asks_facts else ())
        belongs = when(facts, assessment.as_of) if when is not None else True
        if belongs is False:
            continue
        keys = when.keys if when is not None else ()
        status: Status | None
        if belongs is None:
            status = Status.UNKNOWN
        elif spec.rule is not None:
            finding = next((f for f in subject.findings if f.rule_id == spec.rule), None)
            if finding is not None:
                yield Member(subject, finding.status, finding.evidence, finding.missing)
                continue
            # The rule is not written for this kind of asset, so it can say nothing of it.
            status = Status.NOT_APPLICABLE
        elif check is not None:
            keys = tuple(dict.fromkeys((*keys, *check.keys)))
            status = _STATUS[check(facts, assessment.as_of)]
            if subject.standing is not Standing.FRESH:
                status = Status.UNKNOWN
        else:
            status = Status.PASS
        evidence = tuple(fact for key in keys for fact in facts.all_of(key))
        missing = tuple(key for key in keys if not facts.all_of(key))
        yield Member(subject, status, evidence, missing)


def _value(assessment: Assessment, spec: IndicatorSpec, found: Counter[Status]) -> IndicatorValue:
    passed, failed, unknown = found[Status.PASS], found[Status.FAIL], found[Status.UNKNOWN]
    of: int | None = passed + failed + unknown
    if spec.kind is IndicatorKind.COUNT:
        of = None
    elif spec.planned is not None:
        planned = _planned(assessment, spec.planned)
        of = sum(machines for _, machines in planned) if planned else None
    return IndicatorValue(
        id=spec.id,
        count=passed,
        of=of,
        failed=failed,
        unknown=unknown,
        not_applicable=found[Status.NOT_APPLICABLE],
        as_of=assessment.as_of,
    )


def _planned_for(assessment: Assessment, spec: IndicatorSpec) -> frozenset[int] | None:
    """Ids of the units whose planned quantity is known; None when none is, or none is asked for.

    Machines of a unit without a quota must not raise what is reached of the others' quotas.
    """
    if spec.planned is None or not _planned(assessment, spec.planned):
        return None
    without = {unit.id for unit in units_without_plan(assessment, spec.id)}
    return frozenset(unit.id for unit in assessment.units if unit.id not in without)


def _planned(assessment: Assessment, key: str) -> list[tuple[Unit, int]]:
    planned = []
    for subject in assessment.sites():
        value = FactSet(subject.facts).value(key)
        if isinstance(value, int) and not isinstance(value, bool):
            planned.append((subject.unit, value))
    return planned


def _nearest(assessment: Assessment, wanted: frozenset[int]) -> dict[int, int | None]:
    """For each unit in scope: the id of the nearest of `wanted`, itself or above; None if none."""
    parents = {unit.id: unit.parent_id for unit in assessment.units}
    found: dict[int, int | None] = {}
    for unit in assessment.units:
        current: int | None = unit.id
        seen: set[int] = set()
        while current in parents and current not in wanted and current not in seen:
            seen.add(current)
            current = parents[current]
        found[unit.id] = current if current in wanted else None
    return found
