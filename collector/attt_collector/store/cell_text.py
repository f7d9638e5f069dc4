"""What may stand in a cell: text that a person sees on a page is the text that is stored."""

from __future__ import annotations

import unicodedata

from attt_rules.contract import Text

_EXCEL_ERRORS = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!")
)
# Control (also line ends and tabs), format (also bidirectional overrides and zero-width signs),
# surrogates, private use, line and paragraph separators.
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))


def problem_of(text: str) -> Text | None:
    """What is wrong with a cell, as the end of a sentence that begins with it; None if nothing."""
    if text.upper() in _EXCEL_ERRORS:
        return Text(vi="là một lỗi của Excel", en="is an error of Excel")
    hidden = next((letter for letter in text if unicodedata.category(letter) in _HIDDEN), None)
    if hidden is not None:
        return Text(
            vi=f"có ký tự không nhìn thấy được: {_code_point(hidden)}",
            en=f"has a character that cannot be seen: {_code_point(hidden)}",
        )
    return None


def visible(text: str, most: int = 60) -> str:
    """The text for quoting in an error: hidden characters by their numbers, cut after `most`."""
    shown = "".join(
        _code_point(letter) if unicodedata.category(letter) in _HIDDEN else letter
        for letter in text[:most]
    )
    return shown + "…" if len(text) > most else shown


def _code_point(letter: str) -> str:
    return f"U+{ord(letter):04X}"
