"""The agent's own messages, in the language the person asked for.

The files are YAML of the plainest kind, one `key: "text"` a line with JSON's quoting, so that a
run from the timer can read them without loading a YAML parser (3 MB, 30 ms); a test holds this
reader and the real parser to the same answer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict

LANGUAGES = ("vi", "en")
FOLDER = Path(__file__).parent / "locale"


class Messages:
    """All messages of one language."""

    def __init__(self, language: str, texts: Dict[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, _key: str, **values: object) -> str:
        """The text of a key with its `{name}` placeholders filled."""
        return self._texts[_key].format(**values)


def load(language: str) -> Messages:
    """Messages in "vi" or "en"; any other language gets Vietnamese."""
    chosen = language if language in LANGUAGES else LANGUAGES[0]
    return Messages(chosen, parse((FOLDER / (chosen + ".yaml")).read_text("utf-8")))


def parse(text: str) -> Dict[str, str]:
    """Key to text; blank lines and comments are skipped.

    Raises:
        ValueError: a line of another form.
    """
    texts: Dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        key, colon, quoted = line.partition(": ")
        if not colon or key in texts:
            raise ValueError("line %d: no key, or said twice" % number)
        value = json.loads(quoted)
        if not isinstance(value, str):
            raise ValueError("line %d: not a text" % number)
        texts[key] = value
    return texts
