"""What a report template is made of, and the closed language it is written in.

    templates/<name>/template.yaml    wording, figures, order; docs in the README beside it
                     page.html.j2, page.typ    the looks of HTML and PDF

A template holds every word of a report and no arithmetic. What it may name: figures with the
fields and tests of `figures.py`, words of the unit, period and pack, and its own terms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from attt_collector.records import UnitKind
from attt_collector.report.model import Column, StatementKind
from attt_rules.contract import Text
from attt_rules.errors import AtttError, PackError

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

# What any text of a template may name beside figures, terms and site texts.
WORDS = (
    "unit.full_name",
    "unit.name",
    "unit.place",
    "unit.short_place",
    "unit.parent",
    "unit.scope",
    "unit.offices",
    "period.words",
    "as_of.moment",
    "as_of.year",
    "pack.title",
    "pack.incomplete",
    "fresh.days",
)
EACH = ("failing_rule",)  # the worst first; `limit` cuts the list
RULE_WORDS = ("rule.title", "rule.code", "rule.failed", "rule.noun", "rule.fix", "rule.where")
CLAUSES: Mapping[str, tuple[str, ...]] = {
    "failed": ("count", "noun"),
    "unknown": ("count", "noun"),
    "not_applicable": ("count", "noun"),
    "rest": ("parts",),
    "rest_failed": ("count", "noun"),
    "rest_unknown": ("count", "noun"),
    "many_units": ("count",),
    "where": ("units",),
    "yes": (),
    "no": (),
    "undecided": (),
    "noun_machine": (),
    "noun_pc": (),
    "noun_server": (),
    "noun_site": (),
    "noun_network_device": (),
    "pass": (),
    "fail": (),
    "unknown_word": (),
    "all_passed": ("count",),
    "no_machine": (),
    "stale": ("moment",),
    "silent": (),
    "total": (),
    "not_planned": (),
}
ANNEXES: Mapping[str, tuple[str, ...]] = {
    "indicators": (
        "index",
        "id",
        "title",
        "passed",
        "failed",
        "unknown",
        "not_applicable",
        "of",
        "percent",
    ),
    "units": ("index", "unit", "machines", "figure"),
    "rules": (
        "index",
        "code",
        "title",
        "passed",
        "failed",
        "unknown",
        "not_applicable",
        "total",
    ),
    "fixes": ("index", "code", "title", "failed", "fix"),
    "machines": ("index", "machine", "unit", "rule", "status", "evidence"),
}


class TemplateErrors(AtttError):
    """Every problem of a template at once; `errors` is never empty."""

    def __init__(self, errors: list[PackError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda e: (e.location.path, e.location.line)))
        many = len(self.errors)
        super().__init__(
            "ATTT-606",
            Text(vi=f"Mẫu báo cáo có {many} lỗi.", en=f"The report template has {many} errors."),
            Text(
                vi="sửa từng dòng nêu dưới đây rồi chạy lại.",
                en="Mend each line named below, then run it again.",
            ),
        )

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {error}" for error in self.errors)])


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording; taken when every (figure, test) holds, and always when there is none."""

    tests: tuple[tuple[str, str], ...]
    text: str


@dataclass(frozen=True, slots=True)
class StatementTemplate:
    """A sentence with its wordings; `needs` is a word without which it is left away."""

    id: str
    kind: StatementKind
    variants: tuple[Variant, ...]
    figures: tuple[str, ...]
    each: str = ""
    each_text: str = ""
    limit: int = 0
    needs: str = ""


@dataclass(frozen=True, slots=True)
class SectionTemplate:
    id: str
    title: str
    level: int
    statements: tuple[StatementTemplate, ...]


@dataclass(frozen=True, slots=True)
class HeaderTemplate:
    """Lines may hold placeholders; a line that comes out empty is left away.

    scope and offices are how sentences name what the report covers: "trên địa bàn X".
    """

    parent: tuple[str, ...]
    number: str
    signature: tuple[str, ...]
    scope: str
    offices: str


@dataclass(frozen=True, slots=True)
class SiteText:
    """A text fact of the sites, and the words around it when it is known or not."""

    key: str
    known: str
    missing: str


@dataclass(frozen=True, slots=True)
class AnnexColumn:
    field: str
    figure: str
    column: Column


@dataclass(frozen=True, slots=True)
class AnnexTemplate:
    id: str
    title: str
    note: str
    columns: tuple[AnnexColumn, ...]
    up_to: int


@dataclass(frozen=True, slots=True)
class Template:
    """A template made ready for one pack: the terms, authorities and recipients are that pack's."""

    id: str
    version: str
    folder: Path
    terms: Mapping[str, str]
    legal_basis: tuple[str, ...]
    recipients: tuple[str, ...]
    headers: Mapping[UnitKind, HeaderTemplate]
    place_and_date: str
    document_type: str
    subject: tuple[str, ...]
    opening: str
    closing: str
    annex_label: str
    clauses: Mapping[str, str]
    unit_kinds: Mapping[UnitKind, str]
    site_texts: Mapping[str, SiteText]
    sections: tuple[SectionTemplate, ...]
    annexes: tuple[AnnexTemplate, ...]


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with every `{name}` replaced; a name that is not there is a programming error."""
    return PLACEHOLDER.sub(lambda found: values[found.group(1)], text)


def placeholders(text: str) -> tuple[str, ...]:
    return tuple(PLACEHOLDER.findall(text))
