"""The tables of a report (phụ lục): the same counted figures, by indicator, unit, rule, machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from attt_collector.judge.evaluate import Assessment, Standing, Subject
from attt_collector.judge.indicators import RuleTally
from attt_collector.report import numbers
from attt_collector.report.figures import (
    MACHINE_KINDS,
    Figure,
    Words,
    all_unknown,
    indicator_figures,
)
from attt_collector.report.model import Annex
from attt_collector.report.template import AnnexTemplate, Template
from attt_rules.contract import Fact, Status
from attt_rules.pack import IndicatorKind

Cells = Mapping[str, str]
Fill = Callable[[str], str]

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")


def build(
    template: Template,
    assessment: Assessment,
    *,
    figures: Mapping[str, Figure],
    tallies: Sequence[RuleTally],
    words: Words,
    fill: Fill,
) -> tuple[Annex, ...]:
    """Every annex the template asks for that has something to show, numbered in Roman."""
    made: list[tuple[AnnexTemplate, list[Cells], Cells | None]] = []
    for one in template.annexes:
        total: Cells | None = None
        if one.id == "indicators":
            rows = list(_indicator_rows(assessment, figures, words))
        elif one.id == "units":
            rows = list(_unit_rows(assessment))
            total = _unit_cells(words.clauses["total"], "", figures)
        elif one.id == "rules":
            rows = list(_rule_rows(tallies))
        elif one.id == "fixes":
            rows = list(_fix_rows(tallies))
        else:
            machines = assessment.of_kinds(MACHINE_KINDS)
            few = len(machines) <= one.up_to
            rows = list(_machine_rows(assessment, machines, words)) if few else []
        if rows:
            made.append((one, rows, total))
    # A single annex carries no number (NĐ 30/2020).
    labels = _ROMAN if len(made) > 1 else ("",)
    return tuple(
        _annex(one, f"{template.annex_label} {labels[index]}".strip(), rows, total, fill)
        for index, (one, rows, total) in enumerate(made)
    )


def first_sentence(text: str) -> str:
    """The first sentence without its full stop; the whole advice stands in an annex."""
    head, stop, _ = text.partition(". ")
    return head if stop else text.rstrip(".")


def evidence_words(facts: Sequence[Fact], missing: Sequence[str], words: Words) -> str:
    """The facts behind a finding, each with its value or the reason there is none."""
    said = [f"{numbers.fact_name(fact)} = {numbers.fact_words(fact)}" for fact in facts]
    said.extend(f"{key}: {words.clauses['silent']}" for key in missing)
    return "; ".join(said)


def _annex(
    one: AnnexTemplate, label: str, rows: Sequence[Cells], total: Cells | None, fill: Fill
) -> Annex:
    keys = [f"figure:{c.figure}" if c.field == "figure" else c.field for c in one.columns]
    return Annex(
        id=one.id,
        label=label,
        title=fill(one.title),
        note=fill(one.note),
        columns=tuple(column.column for column in one.columns),
        rows=tuple(tuple(numbers.printable(row[key]) for key in keys) for row in rows),
        total=tuple(total[key] for key in keys) if total is not None else (),
    )


def _indicator_rows(
    assessment: Assessment, figures: Mapping[str, Figure], words: Words
) -> Iterator[Cells]:
    for index, spec in enumerate(assessment.pack.indicators.values(), start=1):
        figure = figures[spec.id]
        value = figure.value
        counts_only = spec.kind is IndicatorKind.COUNT
        write = (
            numbers.attainment_percent
            if spec.kind is IndicatorKind.ATTAINMENT
            else numbers.ratio_percent
        )
        if counts_only:
            of = ""
        else:
            of = words.clauses["not_planned"] if value.of is None else numbers.integer(value.of)
        if not value.of:
            percent = ""
        elif all_unknown(value):
            percent = words.clauses["undecided"]
        else:
            percent = write(value.count, value.of, spec.decimals)
        yield {
            "index": str(index),
            "id": spec.id,
            "title": spec.title.vi,
            "passed": numbers.integer(value.count),
            "failed": "" if counts_only else numbers.integer(value.failed),
            "unknown": "" if counts_only else numbers.integer(value.unknown),
            "not_applicable": "" if counts_only else numbers.integer(value.not_applicable),
            "of": of,
            "percent": percent,
        }


def _unit_rows(assessment: Assessment) -> Iterator[Cells]:
    index = 0
    by_unit: dict[int, list[Subject]] = {}
    for subject in assessment.subjects:
        by_unit.setdefault(subject.unit.id, []).append(subject)
    for unit in assessment.units:
        if unit.id not in by_unit:
            continue
        index += 1
        alone = assessment.of_unit(unit, by_unit[unit.id])
        yield _unit_cells(unit.name, str(index), indicator_figures(alone))


def _unit_cells(name: str, index: str, figures: Mapping[str, Figure]) -> Cells:
    cells = {"index": index, "unit": name}
    for indicator_id, figure in figures.items():
        value = figure.value
        if figure.kind is IndicatorKind.COUNT or value.of is None:
            text = numbers.integer(value.count)
        elif not value.of:
            text = "-"
        else:
            text = numbers.fraction(value.count, value.of)
        cells[f"figure:{indicator_id}"] = text
    return cells


def _rule_rows(tallies: Sequence[RuleTally]) -> Iterator[Cells]:
    for index, tally in enumerate(tallies, start=1):
        yield {
            "index": str(index),
            "code": tally.rule.code,
            "title": tally.rule.title.vi,
            "passed": numbers.integer(tally.passed),
            "failed": numbers.integer(tally.failed),
            "unknown": numbers.integer(tally.unknown),
            "not_applicable": numbers.integer(tally.not_applicable),
            "total": numbers.integer(tally.total),
        }


def _fix_rows(tallies: Sequence[RuleTally]) -> Iterator[Cells]:
    failing = [tally for tally in tallies if tally.failed]
    for index, tally in enumerate(failing, start=1):
        yield {
            "index": str(index),
            "code": tally.rule.code,
            "title": tally.rule.title.vi,
            "failed": numbers.integer(tally.failed),
            "fix": tally.rule.fix.vi,
        }


def _machine_rows(
    assessment: Assessment, machines: Sequence[Subject], words: Words
) -> Iterator[Cells]:
    for index, subject in enumerate(machines, start=1):
        first = True
        for rule, status, evidence in _machine_lines(assessment, subject, words):
            yield {
                "index": str(index) if first else "",
                "machine": subject.asset.name if first else "",
                "unit": subject.unit.name if first else "",
                "rule": rule,
                "status": status,
                "evidence": evidence,
            }
            first = False


def _machine_lines(
    assessment: Assessment, subject: Subject, words: Words
) -> Iterator[tuple[str, str, str]]:
    clauses = words.clauses
    undecided = clauses["unknown_word"]
    if subject.standing is Standing.SILENT:
        yield "", undecided, words.clause("no_machine")
        return
    if subject.standing is Standing.STALE and subject.snapshot is not None:
        when = numbers.moment(subject.snapshot.taken_at)
        yield "", undecided, words.clause("stale", moment=when)
    passed = 0
    for finding in subject.findings:
        if finding.status is Status.PASS:
            passed += 1
        if finding.status not in (Status.FAIL, Status.UNKNOWN):
            continue
        rule = assessment.pack.rules[finding.rule_id]
        word = clauses["fail"] if finding.status is Status.FAIL else undecided
        yield (
            f"{rule.code} {rule.title.vi}",
            word,
            evidence_words(finding.evidence, finding.missing, words),
        )
    if passed:
        yield words.clause("all_passed", count=numbers.counted(passed)), clauses["pass"], ""
