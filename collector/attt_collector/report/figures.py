"""What a sentence may ask of a figure: a closed list of fields and a closed list of tests.

`{CT-05.percent}` in a template is a field, `when: CT-05.of_zero` a test. Both read what
`judge/indicators.py` has counted; neither counts anything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from attt_collector.judge import indicators
from attt_collector.judge.evaluate import Assessment, Standing, Subject
from attt_collector.records import VIETNAM_TIME, IndicatorValue, Unit, UnitKind
from attt_collector.report import naming, numbers
from attt_collector.store.units import has_ended
from attt_rules.contract import AssetKind
from attt_rules.pack import IndicatorKind, IndicatorSpec

# Figures that are not indicators of a pack but that every report needs; see `assessment_figures`.
ASSESSMENT_FIGURES = (
    "machines",
    "servers",
    "machines_silent",
    "machines_stale",
    "machines_ended",
    "machines_declared",
    "rules",
)
MACHINE_KINDS = (AssetKind.PC, AssetKind.SERVER)

# Naming more units than this in one sentence makes it unreadable; the annex has them all.
UNITS_NAMED_UP_TO = 5


@dataclass(frozen=True, slots=True)
class Words:
    """The template's wording of clauses and of units counted by kind."""

    clauses: Mapping[str, str]
    unit_kinds: Mapping[UnitKind, str]

    def clause(self, name: str, **values: object) -> str:
        return self.clauses[name].format(**values)

    def units(self, units: tuple[Unit, ...]) -> str:
        """The names of a few units, the number of many."""
        if len(units) <= UNITS_NAMED_UP_TO:
            return ", ".join(naming.full_name(unit) for unit in units)
        return self.clause("many_units", count=numbers.counted(len(units)))

    def units_with_counts(self, found: tuple[tuple[Unit, int], ...]) -> str:
        """The names of a few units, each with its number; the number of many units."""
        if len(found) <= UNITS_NAMED_UP_TO:
            return ", ".join(f"{unit.name} ({numbers.counted(count)})" for unit, count in found)
        return self.clause("many_units", count=numbers.counted(len(found)))

    def kinds(self, kinds: Iterable[AssetKind]) -> str:
        """What has these kinds, in the plural: "máy vi tính, máy chủ"."""
        order = (AssetKind.PC, AssetKind.SERVER, AssetKind.NETWORK_DEVICE, AssetKind.SITE)
        asked = frozenset(kinds)
        return ", ".join(self.clauses[f"noun_{kind.value}"] for kind in order if kind in asked)

    def machines(self, kinds: Iterable[AssetKind]) -> str:
        """Machines of these kinds: "máy" alone, but servers are named wherever there are any."""
        asked = frozenset(kinds)
        return self.kinds(asked) if AssetKind.SERVER in asked else self.clauses["noun_machine"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A counted value with what is needed to put it into words.

    kinds: what the sentence is about: those of the indicator, or of the machines counted.
    """

    value: IndicatorValue
    kind: IndicatorKind
    noun: str
    decimals: int
    spec: IndicatorSpec | None
    kinds: frozenset[AssetKind]
    plan_missing: tuple[Unit, ...] = ()
    passing: Mapping[UnitKind, tuple[Unit, ...]] | None = None


def indicator_figures(assessment: Assessment) -> dict[str, Figure]:
    """Every indicator of the pack as a figure, by id."""
    values = indicators.count(assessment)
    return {
        spec.id: Figure(
            value=values[spec.id],
            kind=spec.kind,
            noun=spec.noun.vi,
            decimals=spec.decimals,
            spec=spec,
            kinds=frozenset(spec.kinds),
            plan_missing=indicators.units_without_plan(assessment, spec.id),
            passing=indicators.passing_units(assessment, spec.id),
        )
        for spec in assessment.pack.indicators.values()
    }


def assessment_figures(assessment: Assessment) -> dict[str, Figure]:
    """The figures about the assessment itself.

    machines: PCs and servers that said something in time, of all. servers: the servers among all.
    machines_silent and machines_stale: those that never did, or too long ago. machines_ended:
    those still entered under a unit that is over. machines_declared: enrolled, of what the
    units declare; `failed` are those declared and not enrolled. rules: rules without a fail, of
    all that apply to anything in scope; `unknown` are those with unknown results and no fail.
    """
    as_of = assessment.as_of
    machines = assessment.of_kinds(MACHINE_KINDS)
    everyone = len(machines)
    day = as_of.astimezone(VIETNAM_TIME).date()

    def among(name: str, found: Collection[Subject]) -> Figure:
        value = IndicatorValue(name, len(found), everyone, everyone - len(found), 0, 0, as_of)
        kinds = frozenset(subject.asset.kind for subject in found)
        return Figure(value, IndicatorKind.RATIO, "máy", 2, None, kinds)

    def standing(name: str, wanted: Standing) -> Figure:
        return among(name, indicators.with_standing(assessment, wanted, MACHINE_KINDS))

    declared = indicators.declared_machines(assessment)
    in_use = [t for t in indicators.tallies(assessment) if t.total > t.not_applicable]
    failing = sum(1 for tally in in_use if tally.failed)
    unclear = sum(1 for tally in in_use if tally.unknown and not tally.failed)
    declared_value = IndicatorValue(
        "machines_declared",
        declared.enrolled if declared else 0,
        declared.declared if declared else None,
        declared.not_enrolled if declared else 0,
        0,
        0,
        as_of,
    )
    rules_value = IndicatorValue(
        "rules", len(in_use) - failing - unclear, len(in_use), failing, unclear, 0, as_of
    )
    ratio, pc_only = IndicatorKind.RATIO, frozenset([AssetKind.PC])
    return {
        "machines": standing("machines", Standing.FRESH),
        "servers": among("servers", assessment.of_kinds([AssetKind.SERVER])),
        "machines_silent": standing("machines_silent", Standing.SILENT),
        "machines_stale": standing("machines_stale", Standing.STALE),
        "machines_ended": among(
            "machines_ended", [subject for subject in machines if has_ended(subject.unit, day)]
        ),
        "machines_declared": Figure(declared_value, ratio, "máy", 2, None, pc_only),
        "rules": Figure(rules_value, ratio, "quy tắc", 2, None, frozenset()),
    }


def all_unknown(value: IndicatorValue) -> bool:
    """Nothing passes and nothing fails: a share of 0% would say more than is known."""
    return value.unknown > 0 and value.count == 0 and value.failed == 0


def _percent(figure: Figure) -> str:
    value = figure.value
    write = (
        numbers.attainment_percent
        if figure.kind is IndicatorKind.ATTAINMENT
        else numbers.ratio_percent
    )
    return write(value.count, value.of or 0, figure.decimals)


def _clause(name: str, number: int, figure: Figure, words: Words) -> str:
    if not number:
        return ""
    return words.clause(name, count=numbers.counted(number), noun=figure.noun)


def _rest(figure: Figure, words: Words) -> str:
    parts = [
        _clause(name, number, figure, words)
        for name, number in (
            ("rest_failed", figure.value.failed),
            ("rest_unknown", figure.value.unknown),
        )
        if number
    ]
    return words.clause("rest", parts=", ".join(parts)) if parts else ""


def _yes_no(figure: Figure, words: Words) -> str:
    if figure.value.failed:
        return words.clauses["no"]
    if figure.value.of and figure.value.count == figure.value.of:
        return words.clauses["yes"]
    return words.clauses["undecided"]


def _by_kind(figure: Figure, words: Words) -> str:
    parts = []
    for kind, units in (figure.passing or {}).items():
        if len(units) == 1:
            parts.append(naming.full_name(units[0]))
        else:
            parts.append(words.unit_kinds[kind].format(count=numbers.counted(len(units))))
    return ", ".join(parts)


def _warn_percent(figure: Figure, words: Words) -> str:
    threshold = figure.spec.warn_above_percent if figure.spec else None
    return "" if threshold is None else f"{numbers.decimal(threshold)}%"


FIELDS: Mapping[str, Callable[[Figure, Words], str]] = {
    "count": lambda f, w: numbers.counted(f.value.count),
    "of": lambda f, w: numbers.counted(f.value.of or 0),
    "failed": lambda f, w: numbers.counted(f.value.failed),
    "unknown": lambda f, w: numbers.counted(f.value.unknown),
    "fraction": lambda f, w: numbers.fraction(f.value.count, f.value.of or 0),
    "percent": lambda f, w: _percent(f),
    "failed_clause": lambda f, w: _clause("failed", f.value.failed, f, w),
    "unknown_clause": lambda f, w: _clause("unknown", f.value.unknown, f, w),
    "not_applicable_clause": lambda f, w: _clause("not_applicable", f.value.not_applicable, f, w),
    "rest_clause": _rest,
    "excess": lambda f, w: numbers.counted(indicators.excess(f.value)),
    "noun": lambda f, w: f.noun,
    "kinds": lambda f, w: w.kinds(f.kinds),
    "machines": lambda f, w: w.machines(f.kinds),
    "yes_no": _yes_no,
    "units_by_kind": _by_kind,
    "warn_percent": _warn_percent,
    "unplanned_units": lambda f, w: w.units(f.plan_missing),
}


def _above_warning(figure: Figure) -> bool:
    spec, value = figure.spec, figure.value
    if spec is None or spec.warn_above_percent is None or not value.of:
        return False
    return value.count * 100 > spec.warn_above_percent * value.of


TESTS: Mapping[str, Callable[[Figure], bool]] = {
    "count_zero": lambda f: f.value.count == 0,
    "has_count": lambda f: f.value.count > 0,
    "count_equals_of": lambda f: bool(f.value.of) and f.value.count == f.value.of,
    "of_zero": lambda f: f.value.of == 0,
    "of_one": lambda f: f.value.of == 1,
    "of_unknown": lambda f: f.value.of is None,
    "has_failed": lambda f: f.value.failed > 0,
    "has_unknown": lambda f: f.value.unknown > 0,
    "all_unknown": lambda f: all_unknown(f.value),
    "above_100": lambda f: f.value.of is not None and f.value.count > f.value.of,
    "above_warning": _above_warning,
    "some_unplanned": lambda f: f.value.of is not None and bool(f.plan_missing),
}
