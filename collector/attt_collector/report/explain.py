"""Walks a figure back: indicator -> who counts how -> rule -> facts -> source, snapshot, hash."""

from __future__ import annotations

from collections.abc import Iterator

from attt_collector.judge import indicators
from attt_collector.judge.evaluate import Assessment, Standing, Subject
from attt_collector.judge.indicators import Member
from attt_collector.records import IndicatorValue
from attt_collector.report import numbers
from attt_collector.report.figures import all_unknown
from attt_collector.report.wording import Clause, fact_words, in_words, when
from attt_collector.words import Words
from attt_rules.contract import Fact, Status
from attt_rules.pack import IndicatorKind, IndicatorSpec

# What lowers the figure comes first.
_ORDER = (Status.FAIL, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)


def explain(assessment: Assessment, indicator_id: str, words: Words) -> str:
    """Everything behind one figure, as text; what lowers the figure comes first.

    Raises:
        AtttError: ATTT-601 the pack has no such indicator.
    """
    spec = indicators.spec_of(assessment, indicator_id)
    members = indicators.members(assessment, indicator_id)
    value = indicators.count(assessment)[indicator_id]
    lines = (*_figure(assessment, spec, value, words), *_members(members, words))
    return "\n".join(lines) + "\n"


def evidence_lines(
    facts: tuple[Fact, ...], missing: tuple[str, ...], indent: str, words: Words
) -> Iterator[str]:
    """Each fact with its value or the reason there is none, its source and its time."""
    for fact in facts:
        yield f"{indent}{numbers.fact_name(fact)} = {numbers.printable(fact_words(words, fact))}"
        source = numbers.printable(fact.source)
        yield f"{indent}  {words('terminal.source', source=source, when=when(fact.read_at))}"
    for key in missing:
        yield f"{indent}{words('terminal.missing', fact=key)}"


def standing_words(subject: Subject, words: Words) -> str:
    """Which snapshot speaks for an asset, and whether it still may."""
    snapshot = subject.snapshot
    if snapshot is None:
        is_silent = subject.standing is Standing.SILENT
        return words("terminal.silent" if is_silent else "terminal.site")
    is_stale = subject.standing is Standing.STALE
    return words(
        "terminal.snapshot_stale" if is_stale else "terminal.snapshot",
        id=snapshot.snapshot_id,
        taken=when(snapshot.taken_at),
        received=when(snapshot.received_at),
        sha256=snapshot.sha256,
    )


def _figure(
    assessment: Assessment, spec: IndicatorSpec, value: IndicatorValue, words: Words
) -> Iterator[str]:
    yield f"{spec.id}  {words.of(spec.title)}"
    yield words("terminal.value", value=_value_words(spec, value, words))
    if spec.kind is not IndicatorKind.COUNT:
        yield words(
            "terminal.counts",
            failed=numbers.integer(value.failed, words.language),
            unknown=numbers.integer(value.unknown, words.language),
            not_applicable=numbers.integer(value.not_applicable, words.language),
        )
    yield words("terminal.as_of", when=when(assessment.as_of))
    yield words("terminal.pack", id=assessment.pack.id, version=assessment.pack.version)
    kinds = ", ".join(words.word(kind).lower() for kind in spec.kinds)
    yield words("terminal.population", kinds=kinds)
    if spec.when is not None:
        yield words("terminal.population_when")
        yield from _clause_lines(in_words(words, spec.when), "  ")
    if spec.rule is not None:
        rule = assessment.pack.rules[spec.rule]
        yield words("terminal.passes_rule", id=rule.id, code=rule.code, title=words.of(rule.title))
        yield from _clause_lines(in_words(words, rule.check), "  ")
    elif spec.check is not None:
        yield words("terminal.passes")
        yield from _clause_lines(in_words(words, spec.check), "  ")
    if spec.planned is not None:
        yield words("terminal.planned", fact=spec.planned)


def _value_words(spec: IndicatorSpec, value: IndicatorValue, words: Words) -> str:
    noun, language = words.of(spec.noun), words.language
    if spec.kind is IndicatorKind.COUNT:
        return f"{numbers.counted(value.count, language)} {noun}"
    if value.of is None:
        return words("terminal.no_plan", count=numbers.integer(value.count, language))
    fraction = numbers.fraction(value.count, value.of, language)
    if value.of == 0:
        return words("terminal.no_share", fraction=fraction)
    if all_unknown(value):
        return words("terminal.all_unknown", fraction=fraction, noun=noun)
    is_attainment = spec.kind is IndicatorKind.ATTAINMENT
    percent = numbers.attainment_percent if is_attainment else numbers.ratio_percent
    share = percent(value.count, value.of, spec.decimals, language)
    return words("terminal.reached", fraction=fraction, noun=noun, share=share)


def _clause_lines(clause: Clause, indent: str) -> Iterator[str]:
    """A condition as nested lines; the fact key stands behind, for whoever looks it up."""
    key = f"  [{clause.key}]" if clause.key is not None else ""
    yield f"{indent}- {clause.text}{key}"
    for part in clause.parts:
        yield from _clause_lines(part, indent + "  ")


def _members(members: tuple[Member, ...], words: Words) -> Iterator[str]:
    for status in _ORDER:
        found = [member for member in members if member.status is status]
        if not found:
            continue
        yield ""
        yield f"{words.word(status)} ({numbers.integer(len(found), words.language)}):"
        for member in found:
            subject = member.subject
            yield f"  {subject.asset.name} - {subject.unit.name} ({subject.unit.code})"
            yield f"    {standing_words(subject, words)}"
            yield from evidence_lines(member.evidence, member.missing, "    ", words)
