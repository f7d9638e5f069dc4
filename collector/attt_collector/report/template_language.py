"""Checks the placeholders of a template against the closed list of what can fill them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attt_collector.report.figures import ASSESSMENT_FIGURES, FIELDS
from attt_collector.report.template import PLACEHOLDER, WORDS, SiteText
from attt_rules.contract import Text
from attt_rules.errors import Location, PackError
from attt_rules.pack import Pack


class TemplateLanguage:
    """What the texts of one template may name, for one pack; notes everything else.

    terms and site_texts may still grow while the template is being read.
    """

    def __init__(
        self,
        pack: Pack,
        terms: Mapping[str, str],
        site_texts: Mapping[str, SiteText],
        problems: list[PackError],
    ) -> None:
        self.pack = pack
        self.terms = terms
        self.site_texts = site_texts
        self.problems = problems

    def note(self, at: Location, vi: str, en: str) -> None:
        self.problems.append(PackError("ATTT-608", at, Text(vi=vi, en=en)))

    def figure_exists(self, at: Location, name: str) -> bool:
        if name in self.pack.indicators or name in ASSESSMENT_FIGURES:
            return True
        known = ", ".join((*self.pack.indicators, *ASSESSMENT_FIGURES))
        self.note(
            at,
            f"không có số liệu «{name}»; có: {known}.",
            f'no figure "{name}"; there are: {known}.',
        )
        return False

    def only(self, at: Location, text: str, allowed: tuple[str, ...]) -> None:
        """The text of a clause: nothing but the few names its place has."""
        for name in PLACEHOLDER.findall(text):
            if name not in allowed:
                known = ", ".join(allowed) or "-"
                self.note(
                    at,
                    f"không hiểu «{{{name}}}»; ở đây chỉ có: {known}.",
                    f'"{{{name}}}" is not known; here there are: {known}.',
                )
        self._balanced(at, text)

    def _balanced(self, at: Location, text: str) -> None:
        if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
            self.note(at, "dấu { } không khớp.", "the braces do not match.")

    def check(self, at: Location, text: str, also: tuple[str, ...]) -> list[str]:
        """Notes every placeholder that nothing will fill; gives the figures the text names."""
        found = []
        self._balanced(at, text)
        for name in PLACEHOLDER.findall(text):
            if name in WORDS or name in also:
                continue
            head, _, rest = name.partition(".")
            if head == "term" and rest in self.terms:
                continue
            if head == "site" and rest in self.site_texts:
                continue
            if head in self.pack.indicators or head in ASSESSMENT_FIGURES:
                if rest in FIELDS or self._is_parameter(head, rest):
                    found.append(head)
                    continue
                known = ", ".join(FIELDS)
                vi = f"không có «{rest}» trong «{{{name}}}»; có: {known}, param.<tên>."
                en = f'"{{{name}}}" has no "{rest}"; there are: {known}, param.<name>.'
                self.note(at, vi, en)
                continue
            self.note(
                at,
                f"không hiểu «{{{name}}}».",
                f'"{{{name}}}" is not known.',
            )
        return found

    def _is_parameter(self, indicator_id: str, rest: str) -> bool:
        spec = self.pack.indicators.get(indicator_id)
        rule = self.pack.rules.get(spec.rule) if spec and spec.rule else None
        return rule is not None and rest in {f"param.{name}" for name in rule.parameters}
