"""The condition language once more, slow and plain, as an oracle for the compiled engine.

It follows the words of docs/viet-quy-tac.md and shares no code with attt_rules.engine: conditions
are judged by enumerating what each unknown comparison could turn out to be.
"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

from attt_rules.contract import Fact
from attt_rules.pack import AllItems, AllOf, AnyItem, AnyOf, Compare, Condition, Not

TRUE, FALSE, UNKNOWN = True, False, None


def judge(condition: Condition, facts: list[Fact], as_of: datetime) -> bool | None:
    """Kleene: the answer if every way of filling in the unknowns agrees, else unknown.

    Every occurrence of an unknown counts as a question of its own, which is what makes Kleene's
    logic weaker than supervaluation: `x or not x` is unknown.
    """
    leaves: list[bool | None] = []
    shape = _flatten(condition, facts, as_of, None, leaves)
    unknown = [index for index, value in enumerate(leaves) if value is None]
    assert len(unknown) <= 10, "keep the generated conditions small"
    answers = set()
    for filling in itertools.product((True, False), repeat=len(unknown)):
        world = list(leaves)
        for index, value in zip(unknown, filling, strict=True):
            world[index] = value
        answers.add(_decide(shape, world))
    return answers.pop() if len(answers) == 1 else UNKNOWN


def _flatten(condition, facts, as_of, item, leaves):
    if isinstance(condition, Compare):
        leaves.append(_compare(condition, facts, as_of, item))
        return ("leaf", len(leaves) - 1)
    if isinstance(condition, Not):
        return ("not", _flatten(condition.part, facts, as_of, item, leaves))
    if isinstance(condition, (AllOf, AnyOf)):
        word = "all" if isinstance(condition, AllOf) else "any"
        return (word, [_flatten(p, facts, as_of, item, leaves) for p in condition.parts])
    names = _find(facts, condition.of, None)
    if names is None or not isinstance(names.value, tuple):
        leaves.append(UNKNOWN)
        return ("leaf", len(leaves) - 1)
    if not names.value:
        leaves.append(condition.if_empty if isinstance(condition, AllItems) else FALSE)
        return ("leaf", len(leaves) - 1)
    each = [
        ("all", [_flatten(p, facts, as_of, name, leaves) for p in condition.parts])
        for name in names.value
    ]
    return ("any" if isinstance(condition, AnyItem) else "all", each)


def _decide(shape, world) -> bool:
    word, rest = shape
    if word == "leaf":
        return world[rest]
    if word == "not":
        return not _decide(rest, world)
    return (all if word == "all" else any)(_decide(part, world) for part in rest)


def _find(facts, key, item):
    return next((f for f in facts if f.key == key and f.item == item), None)


def _compare(condition: Compare, facts, as_of, item) -> bool | None:
    fact = _find(facts, condition.fact, item)
    if fact is None and item is not None:
        fact = _find(facts, condition.fact, None)
    if fact is None or fact.unreadable is not None:
        return UNKNOWN
    value, wanted = fact.value, condition.value
    if condition.op in ("within_days", "valid_for_days"):
        if not isinstance(value, datetime):
            return UNKNOWN
        if condition.op == "valid_for_days":
            return value - as_of >= timedelta(days=wanted)
        if value - as_of > timedelta(minutes=5):
            return UNKNOWN
        return as_of - value <= timedelta(days=wanted)
    if condition.op == "in":
        alike = [one for one in wanted if _kind(one) == _kind(value)]
        return value in alike if alike else UNKNOWN
    if _kind(value) != _kind(wanted):
        return UNKNOWN
    return {
        "eq": lambda: value == wanted,
        "ne": lambda: value != wanted,
        "ge": lambda: value >= wanted,
        "le": lambda: value <= wanted,
    }[condition.op]()


def _kind(value) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__
