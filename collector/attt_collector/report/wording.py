"""Values, facts and conditions in the words of a language, for pages and for the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from attt_collector.records import VIETNAM_TIME
from attt_collector.report import numbers
from attt_collector.words import Words
from attt_rules.contract import Fact, FactValue
from attt_rules.pack import AllItems, AllOf, AnyItem, Compare, Condition, Not


def when(moment: datetime) -> str:
    """17:05 31/10/2024, in Vietnam's time; the same in both languages."""
    return f"{moment.astimezone(VIETNAM_TIME):%H:%M} {numbers.day(moment)}"


def value_words(words: Words, value: FactValue) -> str:
    """The value of a fact as an office reads it."""
    if isinstance(value, bool):
        return words("value.true") if value else words("value.false")
    if isinstance(value, datetime):
        return when(value)
    if isinstance(value, tuple):
        return ", ".join(value) if value else words("value.empty_list")
    return _plain(words, value) or words("value.empty_text")


def fact_words(words: Words, fact: Fact) -> str:
    """What a fact says, or why it could not be read."""
    if fact.unreadable is not None:
        return words("value.unreadable", reason=words.word(fact.unreadable))
    return "" if fact.value is None else value_words(words, fact.value)


_IF_EMPTY = {
    True: "condition.if_empty_true",
    False: "condition.if_empty_false",
    None: "condition.if_empty_none",
}


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
        # Over an empty list "all of none" would be true in logic; the rule says what it means.
        if_empty = words(_IF_EMPTY[condition.if_empty])
        return Clause(
            words("condition.all_items", list=name, if_empty=if_empty), condition.of, parts
        )
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
    return _plain(words, value)


def _plain(words: Words, value: FactValue) -> str:
    """A number as the language writes it; everything else as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        return numbers.integer(value, words.language)
    if isinstance(value, float):
        return numbers.decimal(value, words.language)
    return numbers.fact_value(value)
