"""The engine against truth tables and, on random conditions, against a slow reference."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attt_rules.contract import AssetKind, Fact, Status, Unreadable, parse_time
from attt_rules.engine import CompiledCondition, Engine, FactSet
from attt_rules.pack import (
    AllItems,
    AllOf,
    AnyItem,
    AnyOf,
    Compare,
    Not,
    builtin,
    builtin_ids,
    fact_keys,
)
from tests.rules import reference

AS_OF = parse_time("2026-11-22T08:00:00+07:00")


def fact(key, value=None, item=None, unreadable=None):
    return Fact(key, AS_OF, "test", value=value, item=item, unreadable=unreadable)


def ask(condition, *facts):
    return CompiledCondition(condition)(FactSet(facts), AS_OF)


TRUTH = {True: fact("t.yes", True), False: fact("t.no", False)}
LEAF = {
    True: Compare("t.yes", "eq", True),
    False: Compare("t.no", "eq", True),
    None: Compare("t.gone", "eq", True),
}


def test_it_works():
    assert True is ask(Compare("a.length_chars", "ge", 8), fact("a.length_chars", 8))


@pytest.mark.parametrize("left,right", list(product((True, False, None), repeat=2)))
def test_and_or_follow_kleene(left, right):
    expected_and = False if False in (left, right) else None if None in (left, right) else True
    expected_or = True if True in (left, right) else None if None in (left, right) else False
    facts = tuple(TRUTH.values())
    assert expected_and == ask(AllOf((LEAF[left], LEAF[right])), *facts)
    assert expected_or == ask(AnyOf((LEAF[left], LEAF[right])), *facts)


@pytest.mark.parametrize("value,expected", [(True, False), (False, True), (None, None)])
def test_not_of_unknown_is_unknown(value, expected):
    assert expected == ask(Not(LEAF[value]), *TRUTH.values())


def test_any_item_wants_one_and_the_same_item():
    condition = AnyItem("p.names", (Compare("p.on", "eq", True), Compare("p.new", "eq", True)))
    names = fact("p.names", ("A", "B"))
    split = (
        fact("p.on", True, "A"),
        fact("p.new", False, "A"),
        fact("p.on", False, "B"),
        fact("p.new", True, "B"),
    )
    assert False is ask(condition, names, *split)
    assert True is ask(condition, names, fact("p.on", True, "B"), fact("p.new", True, "B"))


def test_any_item_over_nothing_is_false_but_over_an_unread_list_unknown():
    condition = AnyItem("p.names", (Compare("p.on", "eq", True),))
    assert False is ask(condition, fact("p.names", ()))
    assert None is ask(condition, fact("p.names", unreadable=Unreadable.ACCESS_DENIED))
    assert None is ask(condition)


@pytest.mark.parametrize("if_empty", [True, False, None])
def test_all_items_over_nothing_is_what_the_author_says(if_empty):
    condition = AllItems("p.names", (Compare("p.on", "eq", True),), if_empty)
    assert if_empty is ask(condition, fact("p.names", ()))


def test_all_items_with_one_unread_item_is_unknown_unless_another_fails():
    condition = AllItems("p.names", (Compare("p.on", "eq", True),), None)
    names = fact("p.names", ("A", "B"))
    assert None is ask(condition, names, fact("p.on", True, "A"))
    assert False is ask(condition, names, fact("p.on", False, "A"))


@pytest.mark.parametrize(
    "age,expected",
    [
        (timedelta(days=7), True),
        (timedelta(days=7, seconds=1), False),
        (timedelta(minutes=-5), True),
        (timedelta(minutes=-6), None),
    ],
)
def test_a_time_in_the_future_is_not_believed(age, expected):
    assert expected is ask(Compare("a.b_at", "within_days", 7), fact("a.b_at", AS_OF - age))


def test_valid_for_days_looks_ahead():
    assert True is ask(Compare("a.end_at", "valid_for_days", 0), fact("a.end_at", AS_OF))
    assert False is ask(
        Compare("a.end_at", "valid_for_days", 0), fact("a.end_at", AS_OF - timedelta(seconds=1))
    )


@pytest.mark.parametrize(
    "value,op,wanted",
    [
        (True, "ge", 1),
        ("8", "ge", 8),
        (1, "eq", True),
        (0, "eq", False),
        ("x", "within_days", 1),
        (1, "in", ("1",)),
    ],
)
def test_a_value_of_the_wrong_type_is_unknown(value, op, wanted):
    assert None is ask(Compare("a.b", op, wanted), fact("a.b", value))


def test_evidence_names_what_was_seen_and_what_was_not():
    pack = builtin("vn_l2_2026")
    findings = Engine(pack).evaluate(AssetKind.PC, FactSet([fact("antivirus.products", ())]), AS_OF)
    finding = next(f for f in findings if f.rule_id == "ma-doc.co-phan-mem")
    assert Status.FAIL == finding.status
    assert ("antivirus.products",) == tuple(f.key for f in finding.evidence)
    assert ("antivirus.product.enabled",) == finding.missing


def unknown_of_all(pack, kind):
    """What a pack must say of a machine of this kind that it knows nothing about."""
    return {rule.id: Status.UNKNOWN for rule in pack.rules.values() if kind in rule.applies_to}


def said(pack, kind, facts):
    return {f.rule_id: f.status for f in Engine(pack).evaluate(kind, FactSet(facts), AS_OF)}


def conditions_of(pack):
    for rule in pack.rules.values():
        yield rule.check
        if rule.applies_when is not None:
            yield rule.applies_when


def keys_of_lists(condition):
    """(list keys, keys looked up for an item of a list) of a condition."""
    if isinstance(condition, AnyItem | AllItems):
        return {condition.of}, {key for part in condition.parts for key in fact_keys(part)}
    if isinstance(condition, Compare):
        return set(), set()
    parts = [condition.part] if isinstance(condition, Not) else condition.parts
    below = [keys_of_lists(part) for part in parts]
    return set().union(*(lists for lists, _ in below)), set().union(*(items for _, items in below))


@pytest.mark.parametrize("pack_id", builtin_ids())
def test_every_kind_of_machine_has_rules(pack_id):
    pack = builtin(pack_id)
    assert all(unknown_of_all(pack, kind) for kind in AssetKind)


@pytest.mark.parametrize("pack_id", builtin_ids())
@pytest.mark.parametrize("kind", AssetKind)
def test_a_machine_that_said_nothing_passes_nothing(pack_id, kind):
    pack = builtin(pack_id)
    assert unknown_of_all(pack, kind) == said(pack, kind, [])


@pytest.mark.parametrize("pack_id", builtin_ids())
@pytest.mark.parametrize("kind", AssetKind)
@pytest.mark.parametrize("reason", Unreadable)
def test_a_machine_that_could_read_nothing_passes_nothing(pack_id, kind, reason):
    pack = builtin(pack_id)
    keys = {key for condition in conditions_of(pack) for key in fact_keys(condition)}
    facts = [fact(key, unreadable=reason) for key in keys]
    assert unknown_of_all(pack, kind) == said(pack, kind, facts)


@pytest.mark.parametrize("pack_id", builtin_ids())
@pytest.mark.parametrize("kind", AssetKind)
@pytest.mark.parametrize("reason", Unreadable)
def test_a_machine_that_knows_its_lists_but_no_item_passes_nothing(pack_id, kind, reason):
    pack = builtin(pack_id)
    keys, lists, inside = set(), set(), set()
    for condition in conditions_of(pack):
        keys |= set(fact_keys(condition))
        of, for_items = keys_of_lists(condition)
        lists |= of
        inside |= for_items
    assert {"antivirus.products", "account.enabled", "firewall.profiles", "site.links"} <= lists
    assert {"antivirus.product.enabled", "site.link.up"} <= inside
    facts = [fact(key, ("A", "B")) for key in lists]
    facts += [fact(key, unreadable=reason, item=item) for key in inside for item in ("A", "B")]
    facts += [fact(key, unreadable=reason) for key in keys - lists - inside]
    assert unknown_of_all(pack, kind) == said(pack, kind, facts)


# --- random conditions -------------------------------------------------------------------------

KEYS = ("x.a", "x.b", "x.c_at")
values = st.one_of(
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from(["u", "v"]),
)
times = st.integers(-3, 3).map(lambda days: AS_OF + timedelta(days=days))


def compares():
    return st.one_of(
        st.builds(Compare, st.sampled_from(KEYS[:2]), st.sampled_from(["eq", "ne"]), values),
        st.builds(
            Compare, st.sampled_from(KEYS[:2]), st.sampled_from(["ge", "le"]), st.integers(-2, 2)
        ),
        st.builds(
            Compare,
            st.sampled_from(KEYS[:2]),
            st.just("in"),
            st.lists(values, min_size=1, max_size=3).map(tuple),
        ),
        st.builds(
            Compare,
            st.just(KEYS[2]),
            st.sampled_from(["within_days", "valid_for_days"]),
            st.integers(0, 2),
        ),
    )


def parts(of):
    return st.lists(of, min_size=1, max_size=2).map(tuple)


conditions = st.recursive(
    compares(),
    lambda inner: st.one_of(
        st.builds(AllOf, parts(inner)),
        st.builds(AnyOf, parts(inner)),
        st.builds(Not, inner),
        st.builds(AnyItem, st.just("x.names"), parts(compares())),
        st.builds(
            AllItems, st.just("x.names"), parts(compares()), st.sampled_from([True, False, None])
        ),
    ),
    max_leaves=4,
)


@st.composite
def fact_lists(draw):
    made = []
    names = draw(
        st.one_of(
            st.none(), st.lists(st.sampled_from(["i", "j"]), unique=True, max_size=2).map(tuple)
        )
    )
    if names is not None:
        made.append(fact("x.names", names))
    elif draw(st.booleans()):
        made.append(fact("x.names", unreadable=Unreadable.TIMEOUT))
    for key in KEYS:
        for item in (None, "i", "j"):
            what = draw(st.sampled_from(["missing", "unreadable", "value"]))
            if what == "unreadable":
                made.append(fact(key, unreadable=Unreadable.MALFORMED, item=item))
            elif what == "value":
                made.append(fact(key, draw(times if key.endswith("_at") else values), item))
    return made


@settings(max_examples=600, deadline=None)
@given(conditions, fact_lists())
def test_it_agrees_with_the_slow_reference(condition, facts):
    expected = reference.judge(condition, facts, AS_OF)
    assert expected is CompiledCondition(condition)(FactSet(facts), AS_OF)


@settings(max_examples=300, deadline=None)
@given(conditions, fact_lists())
def test_learning_more_never_turns_an_answer_around(condition, facts):
    """Monotone: hiding facts can make an answer unknown, never the opposite."""
    full = CompiledCondition(condition)(FactSet(facts), AS_OF)
    for hidden in range(len(facts)):
        if facts[hidden].key == "x.names":
            continue  # which items there are is not a fact about one of them
        if facts[hidden].item is not None:
            continue  # a hidden item falls back to the asset's own fact
        fewer = facts[:hidden] + facts[hidden + 1 :]
        assert CompiledCondition(condition)(FactSet(fewer), AS_OF) in (full, None)
