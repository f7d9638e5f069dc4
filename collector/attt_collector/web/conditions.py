"""A rule's condition in words, as a tree that a page shows as nested lists."""

from __future__ import annotations

from dataclasses import dataclass

from attt_collector.report import numbers
from attt_collector.web.words import Words
from attt_rules.contract import FactValue
from attt_rules.pack import AllItems, AllOf, AnyItem, Compare, Condition, Not


@dataclass(frozen=True, slots=True)
class Clause:
    """One line; the fact key it looks at (None for a line that only joins others); its parts."""

    text: str
    key: str | None
    parts: tuple[Clause, ...] = ()


def in_words(words: Words, condition: Condition) -> Clause:
    """The condition in the language of `words`."""
    if isinstance(condition, Compare):
        return Clause(_compared(words, condition), condition.fact)
    if isinstance(condition, Not):
        return Clause(words("condition.not"), None, (in_words(words, condition.part),))
    parts = tuple(in_words(words, part) for part in condition.parts)
    if isinstance(condition, AnyItem):
        name = words.fact_label(condition.of) or condition.of
        return Clause(words("condition.any_item", list=name), condition.of, parts)
    if isinstance(condition, AllItems):
        name = words.fact_label(condition.of) or condition.of
        return Clause(words("condition.all_items", list=name), condition.of, parts)
    if isinstance(condition, AllOf):
        return Clause(words("condition.all"), None, parts)
    return Clause(words("condition.any"), None, parts)


def _compared(words: Words, compare: Compare) -> str:
    name = words.fact_label(compare.fact) or compare.fact
    limit = _limit(words, compare.value)
    if compare.op == "eq":
        return words("condition.eq", fact=name, value=limit)
    if compare.op == "ne":
        return words("condition.ne", fact=name, value=limit)
    if compare.op == "ge":
        return words("condition.ge", fact=name, value=limit)
    if compare.op == "le":
        return words("condition.le", fact=name, value=limit)
    if compare.op == "in":
        return words("condition.in", fact=name, value=limit)
    if compare.op == "within_days":
        return words("condition.within_days", fact=name, value=limit)
    return words("condition.valid_for_days", fact=name, value=limit)


def _limit(words: Words, value: FactValue | tuple[FactValue, ...]) -> str:
    if isinstance(value, bool):
        return words("value.true") if value else words("value.false")
    if isinstance(value, tuple):
        return ", ".join(_limit(words, each) for each in value)
    return numbers.fact_value(value)
