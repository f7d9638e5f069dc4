"""The words of the pages, from locale/vi.yaml and locale/en.yaml: the same keys in both."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from attt_collector.judge.evaluate import Standing
from attt_collector.records import UnitKind
from attt_rules import yamlfile
from attt_rules.contract import AssetKind, Status, Text, Unreadable
from attt_rules.pack import Bindingness, Confidence, IndicatorKind, Severity

LANGUAGES = ("vi", "en")
LOCALE_FOLDER = Path(__file__).parent / "locale"

# Every value of these has a word of its own under `<first name>.<value>`.
WORD_OF: Mapping[type, str] = {
    AssetKind: "kind",
    Bindingness: "bindingness",
    Confidence: "confidence",
    IndicatorKind: "figure_kind",
    Severity: "severity",
    Standing: "standing",
    Status: "status",
    UnitKind: "unit_kind",
    Unreadable: "unreadable",
}


class Words:
    """Everything a page says, in one language."""

    __slots__ = ("_catalogue", "language")

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._catalogue = catalogue(self.language)

    def __call__(self, key: str, **values: object) -> str:
        """The words under `key`, their {placeholders} filled.

        Raises:
            KeyError: there is no such key, or a placeholder is not given.
        """
        text = self._catalogue[key]
        return text.format_map(values) if values else text

    def of(self, text: Text) -> str:
        """The words of a text that a pack or an error brings along."""
        return text.in_language(self.language)

    def word(self, member: Any) -> str:
        """The word for a member of one of the enumerations in WORD_OF."""
        return self._catalogue[f"{WORD_OF[type(member)]}.{member.value}"]

    def fact_label(self, key: str) -> str | None:
        """What a fact key is called in the office; None when it has no name but its key."""
        return self._catalogue.get(f"fact.{key}")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Dotted key -> words; a broken file raises a located PackError."""
    flat: dict[str, str] = {}

    def walk(node: Mapping[str, Any], above: str) -> None:
        for key, value in node.items():
            if isinstance(value, Mapping):
                walk(value, f"{above}{key}.")
            else:
                flat[f"{above}{key}"] = str(value)

    walk(yamlfile.load(LOCALE_FOLDER / f"{language}.yaml", f"locale/{language}.yaml"), "")
    return flat
