"""A rule pack: one dated folder of requirements, rules and indicators, loaded and checked whole.

    packs/vn_l2_2026/pack.yaml            id, title, version, dates, legal basis, terms
                     requirements.yaml    every requirement, with its citations
                     rules/<group>/<name>.yaml      one rule a file, id = "<group>.<name>"
                     indicators/<name>.yaml         one countable figure a file

Loading collects every problem, with file and line, instead of stopping at the first.
Conditions become small frozen trees here; `attt_rules.engine` gives them their meaning.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Tuple

from attt_rules.contract import Text
from attt_rules.errors import AtttError
from attt_rules.pack.reading import PackReader
from attt_rules.pack.records import (
    EXAMPLE_AS_OF,
    OPERATORS,
    AllItems,
    AllOf,
    AnyItem,
    AnyOf,
    Bindingness,
    Citation,
    Compare,
    Condition,
    Confidence,
    DecidedBy,
    Example,
    IndicatorKind,
    IndicatorSpec,
    Not,
    Pack,
    Parameter,
    Requirement,
    Rule,
    Severity,
    fact_keys,
)

__all__ = [
    "EXAMPLE_AS_OF",
    "OPERATORS",
    "AllItems",
    "AllOf",
    "AnyItem",
    "AnyOf",
    "Bindingness",
    "Citation",
    "Compare",
    "Condition",
    "Confidence",
    "DecidedBy",
    "Example",
    "IndicatorKind",
    "IndicatorSpec",
    "Not",
    "Pack",
    "Parameter",
    "Requirement",
    "Rule",
    "Severity",
    "builtin",
    "builtin_ids",
    "fact_keys",
    "for_date",
    "load",
]

BUILTIN_FOLDER = Path(__file__).parent.parent / "packs"


def builtin_ids() -> Tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in BUILTIN_FOLDER.glob("*/pack.yaml")))


def builtin(pack_id: str) -> Pack:
    """A pack that ships with the program.

    Raises:
        AtttError: ATTT-110 there is no pack of that id.
        PackErrors: the pack is broken.
    """
    if pack_id not in builtin_ids():
        known = ", ".join(builtin_ids())
        raise AtttError(
            "ATTT-110",
            Text(
                vi="Không có bộ quy tắc «%s»." % pack_id, en='There is no rule pack "%s".' % pack_id
            ),
            Text(vi="chọn một trong: %s." % known, en="Choose one of: %s." % known),
        )
    return load(BUILTIN_FOLDER / pack_id)


def for_date(day: date) -> Pack:
    """The built-in pack in force on `day`; before the oldest pack, the oldest.

    Raises:
        PackErrors: a pack is broken.
    """
    packs = sorted((builtin(pack_id) for pack_id in builtin_ids()), key=lambda p: p.valid_from)
    in_force = [p for p in packs if p.valid_from <= day]
    return in_force[-1] if in_force else packs[0]


def load(folder: Path) -> Pack:
    """The pack in `folder`.

    Raises:
        PackErrors: everything that is wrong with it.
    """
    return PackReader(folder).read()
