"""Text(vi, en): no user-visible string exists in one language only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """One message in Vietnamese and English; neither may be empty."""

    vi: str
    en: str

    def __post_init__(self) -> None:
        if not self.vi.strip() or not self.en.strip():
            raise ValueError("a Text needs both vi and en")

    def in_language(self, language: str) -> str:
        """The words in `language`, "vi" or "en"."""
        return self.en if language == "en" else self.vi

    def fill(self, **values: object) -> Text:
        """Both languages with `{name}` placeholders filled."""
        return Text(vi=self.vi.format(**values), en=self.en.format(**values))
