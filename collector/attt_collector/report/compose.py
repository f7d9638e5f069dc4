"""Template + assessment -> Report: chooses wordings and puts counted figures into them.

Nothing is computed here. A figure that no indicator has counted cannot be written, and a
placeholder that nothing fills was refused when the template was loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from attt_collector.judge import indicators
from attt_collector.judge.evaluate import FRESH_WITHIN, Assessment
from attt_collector.judge.indicators import RuleTally
from attt_collector.records import VIETNAM_TIME, Unit
from attt_collector.report import annexes, naming, numbers
from attt_collector.report.figures import (
    FIELDS,
    MACHINE_KINDS,
    TESTS,
    Figure,
    Words,
    assessment_figures,
    indicator_figures,
)
from attt_collector.report.model import (
    Header,
    Manifest,
    Report,
    Section,
    Statement,
)
from attt_collector.report.period import Period
from attt_collector.report.template import (
    StatementTemplate,
    Template,
    Variant,
    fill,
    placeholders,
)
from attt_rules.contract import Status
from attt_rules.pack import Severity

_WORST_FIRST = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who and what a report is made for, and by which program.

    parent: the unit above, for the letterhead of a department; None when there is none.
    """

    unit: Unit
    parent: Unit | None
    period: Period
    simulated: bool
    program: str


def compose(template: Template, assessment: Assessment, origin: Origin) -> Report:
    """The report on an assessment in the words of a template.

    Args:
        template: loaded for the assessment's pack.

    Raises:
        AtttError: ATTT-602, ATTT-603: a wording asks for a percentage that does not exist.
    """
    return _Composer(template, assessment, origin).report()


class _Composer:
    def __init__(self, template: Template, assessment: Assessment, origin: Origin) -> None:
        self.template = template
        self.assessment = assessment
        self.origin = origin
        self.words = Words(template.clauses, template.unit_kinds)
        self.figures: Mapping[str, Figure] = {
            **indicator_figures(assessment),
            **assessment_figures(assessment),
        }
        self.tallies = indicators.tallies(assessment)
        self.header = template.headers[origin.unit.kind]
        self.values = self._values()

    def report(self) -> Report:
        template = self.template
        return Report(
            header=Header(
                parent_authority=self._lines(self.header.parent),
                authority=tuple(map(numbers.printable, naming.letterhead(self.origin.unit))),
                number=self._fill(self.header.number),
                place_and_date=self._fill(template.place_and_date),
                document_type=self._fill(template.document_type),
                subject=self._lines(template.subject),
                signature=self._lines(self.header.signature),
                recipients=template.recipients,
            ),
            legal_basis=template.legal_basis,
            opening=self._fill(template.opening),
            sections=tuple(
                Section(
                    section.id,
                    self._fill(section.title),
                    section.level,
                    tuple(s for one in section.statements for s in self._statements(one)),
                )
                for section in template.sections
            ),
            closing=self._fill(template.closing),
            annexes=annexes.build(
                template,
                self.assessment,
                figures=self.figures,
                tallies=self.tallies,
                words=self.words,
                fill=self._fill,
            ),
            manifest=self._manifest(),
        )

    def _manifest(self) -> Manifest:
        assessment, origin = self.assessment, self.origin
        return Manifest(
            unit_code=origin.unit.code,
            unit_name=origin.unit.name,
            period=origin.period.slug,
            as_of=assessment.as_of,
            pack_id=assessment.pack.id,
            pack_version=assessment.pack.version,
            template_id=self.template.id,
            template_version=self.template.version,
            program=origin.program,
            simulated=origin.simulated,
            snapshot_sha256=tuple(
                sorted({s.snapshot.sha256 for s in assessment.subjects if s.snapshot is not None})
            ),
        )

    def _values(self) -> dict[str, str]:
        unit, parent = self.origin.unit, self.origin.parent
        pack, as_of = self.assessment.pack, self.assessment.as_of
        local = as_of.astimezone(VIETNAM_TIME)
        values = {
            "unit.full_name": naming.full_name(unit),
            "unit.name": unit.name,
            "unit.place": naming.place(unit),
            "unit.short_place": naming.short_place(unit),
            "unit.parent": "" if parent is None else naming.full_name(parent).upper(),
            "period.words": self.origin.period.words,
            "as_of.moment": numbers.moment(as_of),
            "as_of.year": str(local.year),
            "pack.title": pack.title.vi,
            "pack.incomplete": pack.incomplete_because.vi if pack.incomplete_because else "",
            "fresh.days": numbers.integer(FRESH_WITHIN.days),
        }
        values.update({f"term.{name}": word for name, word in self.template.terms.items()})
        for name, site_text in self.template.site_texts.items():
            known = indicators.site_texts(self.assessment, site_text.key)
            values[f"site.{name}"] = (
                site_text.known.format(value=", ".join(known)) if known else site_text.missing
            )
        values["unit.scope"] = fill(self.header.scope, values)
        values["unit.offices"] = fill(self.header.offices, values)
        return values

    def _lines(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text for line in lines if (text := self._fill(line).strip()))

    def _fill(self, text: str, also: Mapping[str, str] | None = None) -> str:
        values = dict(self.values)
        values.update(also or {})
        for name in placeholders(text):
            if name not in values:
                values[name] = self._figure_value(name)
        return numbers.printable(fill(text, values))

    def _figure_value(self, name: str) -> str:
        figure_name, _, asked = name.partition(".")
        figure = self.figures[figure_name]
        if asked.startswith("param."):
            spec = figure.spec
            rule = self.assessment.pack.rules[spec.rule] if spec and spec.rule else None
            parameter = asked.removeprefix("param.")
            if rule is None:
                return ""
            return numbers.quantity(parameter, rule.parameters[parameter].value)
        return FIELDS[asked](figure, self.words)

    def _statements(self, template: StatementTemplate) -> Iterator[Statement]:
        if template.needs and not self.values[template.needs]:
            return
        if template.each:
            found = list(self._each(template))
            if found:
                yield from found
                return
        for variant in template.variants:
            if self._holds(variant):
                yield Statement(
                    template.id, self._fill(variant.text), template.figures, template.kind
                )
                return

    def _holds(self, variant: Variant) -> bool:
        return all(TESTS[test](self.figures[name]) for name, test in variant.tests)

    def _each(self, template: StatementTemplate) -> Iterator[Statement]:
        failing = [tally for tally in self.tallies if tally.failed]
        failing.sort(key=lambda t: (_WORST_FIRST.index(t.rule.severity), -t.failed, t.rule.id))
        for tally in failing[: template.limit or None]:
            yield Statement(
                id=f"{template.id}.{tally.rule.id}",
                text=self._fill(template.each_text, self._rule_words(tally)),
                indicator_ids=(),
                kind=template.kind,
            )

    def _rule_words(self, tally: RuleTally) -> dict[str, str]:
        return {
            "rule.title": tally.rule.title.vi,
            "rule.code": tally.rule.code,
            "rule.failed": numbers.counted(tally.failed),
            "rule.noun": self._noun(tally),
            "rule.fix": annexes.first_sentence(tally.rule.fix.vi),
            "rule.where": self._where(tally),
        }

    def _noun(self, tally: RuleTally) -> str:
        """What fails the rule: machines (servers named), network devices or offices."""
        kinds = frozenset(
            subject.asset.kind
            for subject in self.assessment.subjects
            for finding in subject.findings
            if finding.rule_id == tally.rule.id and finding.status is Status.FAIL
        )
        if kinds <= frozenset(MACHINE_KINDS):
            return self.words.machines(kinds)
        return self.words.kinds(kinds)

    def _where(self, tally: RuleTally) -> str:
        if len(self.assessment.units) <= 1:
            return ""
        where = self.words.units_with_counts(tally.failed_by_unit)
        return self.words.clause("where", units=where)
