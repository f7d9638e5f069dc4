"""The words of the pages: both languages complete, and nothing left over."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from string import Formatter
from typing import cast

import attt_collector.web
from attt_collector import family
from attt_collector.judge.site import ATTESTED_SPECS, COMPUTED_SPECS
from attt_collector.report import explain, summary, wording
from attt_collector.words import LANGUAGES, WORD_OF, Words, catalogue
from attt_rules.contract import Status, Unreadable
from attt_rules.pack import builtin, builtin_ids, fact_keys

WEB = Path(attt_collector.web.__file__).parent
TERMINAL = [Path(module.__file__) for module in (explain, summary, wording)]
KEY = re.compile(r"""["']([a-z_]+(?:\.[a-z0-9_]+)+)["']""")


def enumerated() -> set[str]:
    """Keys that `Words.word` makes out of an enumeration."""
    return {
        f"{name}.{cast(Enum, member).value}" for kind, name in WORD_OF.items() for member in kind
    }


def test_it_works() -> None:
    assert "Chưa xác định" == Words("vi").word(Status.UNKNOWN)
    assert "access denied" == Words("en").word(Unreadable.ACCESS_DENIED)
    assert "Số liệu lúc 8 giờ" == Words("vi")("site.as_of", when="8 giờ")


def test_both_languages_have_the_same_keys_in_the_same_order() -> None:
    assert list(catalogue("vi")) == list(catalogue("en"))


def test_both_languages_have_the_same_placeholders() -> None:
    for key, vietnamese in catalogue("vi").items():
        expected, found = (
            sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)
            for text in (vietnamese, catalogue("en")[key])
        )
        assert expected == found, key


def test_no_word_is_empty() -> None:
    for language in LANGUAGES:
        assert not [key for key, text in catalogue(language).items() if not text.strip()]


def test_every_member_of_an_enumeration_has_a_word() -> None:
    assert enumerated() <= set(catalogue("vi"))


def test_every_key_of_a_page_exists_and_every_key_is_used() -> None:
    groups = {key.split(".")[0] for key in catalogue("vi")} - {"fact"}
    used = set()
    for file in [*WEB.glob("*.py"), *TERMINAL, *(WEB / "templates").glob("*.j2")]:
        said = KEY.findall(file.read_text(encoding="utf-8"))
        used |= {key for key in said if key.split(".")[0] in groups}
    known = {key for key in catalogue("vi") if not key.startswith("fact.")}
    assert set() == used - known
    assert set() == known - used - enumerated()


def test_every_fact_that_a_rule_or_figure_asks_for_has_a_name() -> None:
    words = Words("vi")
    for pack_id in builtin_ids():
        pack = builtin(pack_id)
        conditions = [rule.check for rule in pack.rules.values()]
        conditions += [rule.applies_when for rule in pack.rules.values() if rule.applies_when]
        for spec in pack.indicators.values():
            conditions += [each for each in (spec.when, spec.check) if each is not None]
        for key in {key for condition in conditions for key in fact_keys(condition)}:
            assert words.fact_label(key), key


def test_every_fact_that_the_collector_itself_says_has_a_name() -> None:
    specs = [*COMPUTED_SPECS, *ATTESTED_SPECS]
    specs += [spec for each in family.find_all() for spec in each.specs]
    assert not [spec.key for spec in specs if Words("en").fact_label(spec.key) is None]
