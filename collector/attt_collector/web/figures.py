"""A counted figure as a page shows it: number, percentage, and the parts of its bar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from attt_collector.judge.indicators import excess
from attt_collector.records import IndicatorValue
from attt_collector.report import numbers
from attt_collector.report.figures import all_unknown
from attt_collector.web.assessed import Seen
from attt_rules.contract import Finding, Status
from attt_rules.pack import IndicatorKind, IndicatorSpec

MAIN_FIGURES = 10  # the sentences of the annual report; the others follow below them


@dataclass(frozen=True, slots=True)
class Bar:
    """Pass, fail and unknown of some checks; what is not applicable has no place in a bar."""

    passed: int
    failed: int
    unknown: int

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.unknown

    @property
    def segments(self) -> tuple[tuple[str, str, str], ...]:
        """(status, start, width) of each part that is not empty, in percent of the bar."""
        found, start = [], 0.0
        counted = (("pass", self.passed), ("fail", self.failed), ("unknown", self.unknown))
        for name, count in counted:
            if count:
                width = 100 * count / self.total
                found.append((name, f"{start:.2f}%", f"{width:.2f}%"))
                start += width
        return tuple(found)

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Bar:
        said = [finding.status for finding in findings]
        return cls(said.count(Status.PASS), said.count(Status.FAIL), said.count(Status.UNKNOWN))


@dataclass(frozen=True, slots=True)
class Figure:
    """`percent` is None when there is nothing to count, or the plan or every answer is unknown."""

    spec: IndicatorSpec
    value: IndicatorValue
    number: str
    percent: str | None
    bar: Bar | None
    over_plan: int

    @property
    def warns(self) -> bool:
        """More than the plan by so much that somebody must look at it."""
        limit, planned = self.spec.warn_above_percent, self.value.of
        if limit is None or not planned:
            return False
        return self.value.count * 100 > limit * planned


def figure(spec: IndicatorSpec, value: IndicatorValue, language: str) -> Figure:
    """Nothing is counted here; the numbers are those of judge/indicators."""
    count = numbers.integer(value.count, language)
    if spec.kind is IndicatorKind.COUNT:
        return Figure(spec, value, count, None, None, 0)
    bar = Bar(value.count, value.failed, value.unknown)
    if value.of is None:
        return Figure(spec, value, count, None, bar, 0)
    number = numbers.fraction(value.count, value.of, language)
    if not value.of or all_unknown(value):
        return Figure(spec, value, number, None, bar, 0)
    if spec.kind is IndicatorKind.ATTAINMENT:
        percent = numbers.attainment_percent(value.count, value.of, spec.decimals, language)
        return Figure(spec, value, number, percent, bar, excess(value))
    percent = numbers.ratio_percent(value.count, value.of, spec.decimals, language)
    return Figure(spec, value, number, percent, bar, 0)


def figures(seen: Seen, language: str) -> tuple[Figure, ...]:
    """Every figure of the pack, by its number (CT-01 first), as a language writes numbers."""
    specs = sorted(seen.pack.indicators.values(), key=lambda spec: spec.id)
    return tuple(figure(spec, seen.figures[spec.id], language) for spec in specs)
