"""Judges facts by a pack's rules, in Kleene's three-valued logic.

True, False and None (unknown) are the only answers of a condition. Missing, unreadable and
wrongly typed facts are unknown; unknown and a deciding value give the deciding value
(`unknown and False` is False), everything else unknown. The engine reads no clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple

from attt_rules.contract import AssetKind, Fact, FactValue, Finding, Status
from attt_rules.pack import (
    AllItems,
    AllOf,
    AnyItem,
    AnyOf,
    Compare,
    Condition,
    Not,
    Pack,
    Rule,
    fact_keys,
)

# A clock that is a little ahead is normal; a time further in the future is not believed.
CLOCK_TOLERANCE = timedelta(minutes=5)

Truth = Optional[bool]
_Judge = Callable[["FactSet", datetime, Optional[str]], Truth]


class FactSet:
    """The facts of one asset, found by key and item."""

    __slots__ = ("_by_key",)

    def __init__(self, facts: Iterable[Fact]) -> None:
        by_key: Dict[str, Dict[Optional[str], Fact]] = {}
        for fact in facts:
            by_key.setdefault(fact.key, {})[fact.item] = fact
        self._by_key = by_key

    def get(self, key: str, item: Optional[str] = None) -> Optional[Fact]:
        """The fact itself, readable or not; None when the asset said nothing of the kind."""
        return self._by_key.get(key, {}).get(item)

    def value(self, key: str, item: Optional[str] = None) -> Optional[FactValue]:
        """The value; None when it is missing or unreadable."""
        fact = self._by_key.get(key, {}).get(item)
        return None if fact is None else fact.value

    def items(self, list_key: str) -> Optional[Tuple[str, ...]]:
        """What the list fact enumerates; None when nobody could look."""
        value = self.value(list_key)
        return value if isinstance(value, tuple) else None

    def all_of(self, key: str) -> Tuple[Fact, ...]:
        """Every fact of a key, whatever its item."""
        return tuple(self._by_key.get(key, {}).values())


class CompiledCondition:
    """A condition ready to be asked; `keys` are the facts it looks at."""

    __slots__ = ("_judge", "keys")

    def __init__(self, condition: Condition) -> None:
        self._judge = _compile(condition)
        self.keys = fact_keys(condition)

    def __call__(self, facts: FactSet, as_of: datetime) -> Truth:
        return self._judge(facts, as_of, None)


class Engine:
    """A pack compiled once, for judging many assets."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self._rules: Dict[AssetKind, List[Tuple[Rule, Optional[_Judge], _Judge, Tuple[str, ...]]]]
        self._rules = {kind: [] for kind in AssetKind}
        for rule in pack.rules.values():
            when = _compile(rule.applies_when) if rule.applies_when is not None else None
            keys = fact_keys(rule.check)
            if rule.applies_when is not None:
                keys = tuple(dict.fromkeys(fact_keys(rule.applies_when) + keys))
            for kind in rule.applies_to:
                self._rules[kind].append((rule, when, _compile(rule.check), keys))

    def evaluate(self, kind: AssetKind, facts: FactSet, as_of: datetime) -> Tuple[Finding, ...]:
        """One finding for each rule that is written for this kind of asset, in the pack's order.

        Args:
            as_of: an aware datetime; ages are counted back from it.
        """
        findings = []
        for rule, when, check, keys in self._rules[kind]:
            applies = when(facts, as_of, None) if when is not None else True
            if applies is False:
                status = Status.NOT_APPLICABLE
            elif applies is None:
                status = Status.UNKNOWN
            else:
                status = _STATUS[check(facts, as_of, None)]
            evidence: List[Fact] = []
            missing: List[str] = []
            for key in keys:
                said = facts.all_of(key)
                evidence.extend(said)
                if not said:
                    missing.append(key)
            findings.append(Finding(rule.id, status, tuple(evidence), tuple(missing)))
        return tuple(findings)


_STATUS: Mapping[Truth, Status] = {True: Status.PASS, False: Status.FAIL, None: Status.UNKNOWN}


def _compile(condition: Condition) -> _Judge:
    if isinstance(condition, Compare):
        return _compile_compare(condition)
    if isinstance(condition, AllOf):
        return _conjunction([_compile(part) for part in condition.parts])
    if isinstance(condition, AnyOf):
        return _disjunction([_compile(part) for part in condition.parts])
    if isinstance(condition, Not):
        part = _compile(condition.part)

        def negation(facts: FactSet, as_of: datetime, item: Optional[str]) -> Truth:
            answer = part(facts, as_of, item)
            return None if answer is None else not answer

        return negation
    inner = _conjunction([_compile(part) for part in condition.parts])
    if isinstance(condition, AnyItem):
        return _any_item(condition, inner)
    return _all_items(condition, inner)


def _conjunction(parts: List[_Judge]) -> _Judge:
    def judge(facts: FactSet, as_of: datetime, item: Optional[str]) -> Truth:
        answer: Truth = True
        for part in parts:
            said = part(facts, as_of, item)
            if said is False:
                return False
            if said is None:
                answer = None
        return answer

    return judge


def _disjunction(parts: List[_Judge]) -> _Judge:
    def judge(facts: FactSet, as_of: datetime, item: Optional[str]) -> Truth:
        answer: Truth = False
        for part in parts:
            said = part(facts, as_of, item)
            if said is True:
                return True
            if said is None:
                answer = None
        return answer

    return judge


def _any_item(condition: AnyItem, inner: _Judge) -> _Judge:
    of = condition.of

    def judge(facts: FactSet, as_of: datetime, item: Optional[str]) -> Truth:
        names = facts.items(of)
        if names is None:
            return None
        answer: Truth = False
        for name in names:
            said = inner(facts, as_of, name)
            if said is True:
                return True
            if said is None:
                answer = None
        return answer

    return judge


def _all_items(condition: AllItems, inner: _Judge) -> _Judge:
    of, if_empty = condition.of, condition.if_empty

    def judge(facts: FactSet, as_of: datetime, item: Optional[str]) -> Truth:
        names = facts.items(of)
        if names is None:
            return None
        if not names:
            return if_empty
        answer: Truth = True
        for name in names:
            said = inner(facts, as_of, name)
            if said is False:
                return False
            if said is None:
                answer = None
        return answer

    return judge


def _compile_compare(condition: Compare) -> _Judge:
    key, op, wanted = condition.fact, condition.op, condition.value
    compare = _COMPARISONS[op]

    def judge(facts: FactSet, as_of: datetime, item: Optional[str]) -> Truth:
        value = facts.value(key, item)
        if value is None and item is not None:
            # Inside an item a fact of the whole asset may be named too.
            value = facts.value(key) if facts.get(key, item) is None else None
        return None if value is None else compare(value, wanted, as_of)

    return judge


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same_type(value: object, wanted: object) -> bool:
    return type(value) is type(wanted) or (_is_number(value) and _is_number(wanted))


# The loader has made sure that `wanted` fits the operator: a number for ge, le and the days, a
# tuple for in. Hence the Any: only the value, which a machine said, still has to be doubted.


def _eq(value: FactValue, wanted: Any, _: datetime) -> Truth:
    return bool(value == wanted) if _same_type(value, wanted) else None


def _ne(value: FactValue, wanted: Any, _: datetime) -> Truth:
    return bool(value != wanted) if _same_type(value, wanted) else None


def _ge(value: FactValue, wanted: Any, _: datetime) -> Truth:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return bool(value >= wanted)


def _le(value: FactValue, wanted: Any, _: datetime) -> Truth:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return bool(value <= wanted)


def _in(value: FactValue, wanted: Any, _: datetime) -> Truth:
    comparable = [one for one in wanted if _same_type(value, one)]
    return value in comparable if comparable else None


def _within_days(value: FactValue, wanted: Any, as_of: datetime) -> Truth:
    if not isinstance(value, datetime):
        return None
    age = as_of - value
    if age < -CLOCK_TOLERANCE:
        return None
    return age <= timedelta(days=wanted)


def _valid_for_days(value: FactValue, wanted: Any, as_of: datetime) -> Truth:
    if not isinstance(value, datetime):
        return None
    return value >= as_of + timedelta(days=wanted)


_COMPARISONS: Mapping[str, Callable[[FactValue, Any, datetime], Truth]] = {
    "eq": _eq,
    "ne": _ne,
    "ge": _ge,
    "le": _le,
    "in": _in,
    "within_days": _within_days,
    "valid_for_days": _valid_for_days,
}
