"""Documentation held by tests: the reference pages say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def reference():
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs/make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = reference().PAGES


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_reference_page_is_current(name):
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert PAGES[name]() == written, f"run: make docs (docs/{name} is stale)"


def test_every_page_of_the_docs_is_in_vietnamese_and_english():
    for path in sorted((ROOT / "docs").glob("*.md")):
        words = path.read_text(encoding="utf-8")
        assert any(letter in words for letter in "ạảấầếềệộớợữ"), path
        assert any(word in words for word in (" the ", " is ", " are ", "The ")), path
