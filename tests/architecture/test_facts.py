"""Every key that a rule or an indicator uses is produced by somebody, under a good name."""

from __future__ import annotations

import pytest

from attt_rules import lint, pack
from attt_rules.contract import Status
from tests.architecture.test_docs import reference

SPECS = [spec for _, spec in reference().producers()]


@pytest.mark.parametrize("pack_id", pack.builtin_ids())
def test_every_key_a_rule_uses_has_a_producer(pack_id):
    assert () == lint.unproduced_keys(pack.builtin(pack_id), SPECS)


def test_numeric_keys_end_in_a_unit_and_times_in_at():
    assert () == lint.badly_named(SPECS)


def test_two_producers_of_one_key_agree_on_its_type():
    types = {}
    for spec in SPECS:
        assert types.setdefault(spec.key, spec.type) is spec.type, spec.key


def test_the_list_of_every_item_key_is_produced_too():
    known = {spec.key for spec in SPECS}
    assert set() == {spec.list_key for spec in SPECS if spec.list_key} - known


@pytest.mark.parametrize("pack_id", pack.builtin_ids())
def test_examples_use_values_of_the_declared_type(pack_id):
    types = {spec.key: spec.type for spec in SPECS}
    for rule in pack.builtin(pack_id).rules.values():
        for example in rule.examples:
            for fact in example.facts:
                # A wrong type is a fair example too, of what must stay unknown.
                if fact.value is not None and example.expect is not Status.UNKNOWN:
                    assert types[fact.key].accepts(fact.value), (rule.id, fact.key)
