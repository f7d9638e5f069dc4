"""Both languages are complete: the same keys, the same blanks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attt_rules import yamlfile

ROOT = Path(__file__).parents[2]
FOLDERS = ["agent/attt_agent/locale", "collector/attt_collector/locale"]


def flat(tree, path=""):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from flat(value, f"{path}.{key}")
    else:
        yield path, str(tree)


def blanks(text: str) -> list[str]:
    return sorted(re.findall(r"\{[^}]*\}|%\([a-z_]+\)[sd]", text))


@pytest.mark.parametrize("folder", FOLDERS)
def test_vi_and_en_have_the_same_keys_and_blanks(folder):
    vi, en = (dict(flat(yamlfile.load(ROOT / folder / f"{name}.yaml"))) for name in ("vi", "en"))
    assert set(vi) == set(en)
    assert [] == [key for key in vi if blanks(vi[key]) != blanks(en[key])]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_message_is_empty(folder):
    for name in ("vi", "en"):
        messages = dict(flat(yamlfile.load(ROOT / folder / f"{name}.yaml")))
        assert [] == [key for key, text in messages.items() if not text.strip()]
