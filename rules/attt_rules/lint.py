"""What makes a pack good, beyond loading: one function per lint, each with its own code.

`lint(pack)` runs them all. `unproduced_keys` needs the producers' FactSpecs, which the agent and
the collector own, so their side calls it.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, Iterable, Iterator, List, Mapping, Tuple

from attt_rules.contract import UNIT_SUFFIXES, FactSpec, Status, Text, ValueType
from attt_rules.engine import Engine, FactSet
from attt_rules.errors import PackError
from attt_rules.pack import EXAMPLE_AS_OF, IndicatorKind, Pack, fact_keys

_RULE_ID = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+\Z")
_CODE = re.compile(r"L2-[A-Z]{3}-\d\d\Z")
_INDICATOR_ID = re.compile(r"CT-\d\d\Z")


def lint(pack: Pack) -> Tuple[PackError, ...]:
    """Every finding of every lint, by file and line; empty when the pack is good."""
    found: List[PackError] = []
    for check in _LINTS:
        found.extend(check(pack))
    return tuple(sorted(found, key=lambda e: (e.location.path, e.location.line, e.code)))


def ids_are_in_form(pack: Pack) -> Iterator[PackError]:
    """ATTT-120: rule ids `nhom.ten`, reviewers' codes `L2-MAL-02`, indicator ids `CT-07`."""
    for rule in pack.rules.values():
        if not _RULE_ID.match(rule.id) or not _CODE.match(rule.code):
            yield PackError(
                "ATTT-120",
                rule.location,
                Text(
                    vi="mã «%s» hoặc số hiệu «%s» sai dạng." % (rule.id, rule.code),
                    en='the id "%s" or the code "%s" has the wrong form.' % (rule.id, rule.code),
                ),
            )
    for spec in pack.indicators.values():
        if not _INDICATOR_ID.match(spec.id):
            yield PackError(
                "ATTT-120",
                spec.location,
                Text(
                    vi="mã chỉ tiêu «%s» phải có dạng CT-07." % spec.id,
                    en='the indicator id "%s" must look like CT-07.' % spec.id,
                ),
            )


def codes_are_unique(pack: Pack) -> Iterator[PackError]:
    """ATTT-121: two rules never share a reviewers' code."""
    owner: Dict[str, str] = {}
    for rule in pack.rules.values():
        if rule.code in owner:
            yield PackError(
                "ATTT-121",
                rule.location,
                Text(
                    vi="số hiệu %s đã dùng ở %s." % (rule.code, owner[rule.code]),
                    en="the code %s is used by %s already." % (rule.code, owner[rule.code]),
                ),
            )
        owner[rule.code] = rule.id


def every_rule_has_examples(pack: Pack) -> Iterator[PackError]:
    """ATTT-122: at least one pass, one fail and one unknown."""
    for rule in pack.rules.values():
        have = {example.expect for example in rule.examples}
        wanted = {Status.PASS, Status.FAIL, Status.UNKNOWN}
        if rule.applies_when is not None:
            wanted.add(Status.NOT_APPLICABLE)
        lacking = sorted(status.value for status in wanted - have)
        if lacking:
            yield PackError(
                "ATTT-122",
                rule.location,
                Text(
                    vi="thiếu ví dụ: %s." % ", ".join(lacking),
                    en="examples are missing: %s." % ", ".join(lacking),
                ),
            )


def examples_come_out(pack: Pack) -> Iterator[PackError]:
    """ATTT-123: each example gives what it says, for every kind the rule applies to."""
    engine = Engine(pack)
    for rule in pack.rules.values():
        for example in rule.examples:
            facts = FactSet(example.facts)
            for kind in rule.applies_to:
                findings = engine.evaluate(kind, facts, EXAMPLE_AS_OF)
                status = next(f.status for f in findings if f.rule_id == rule.id)
                if status is not example.expect:
                    yield PackError(
                        "ATTT-123",
                        example.location,
                        Text(
                            vi="ví dụ cho ra %s, không phải %s."
                            % (status.value, example.expect.value),
                            en="the example gives %s, not %s."
                            % (status.value, example.expect.value),
                        ),
                    )
                    break


def requirements_are_cited(pack: Pack) -> Iterator[PackError]:
    """ATTT-124: every requirement cites at least one (document, edition, clause)."""
    for requirement in pack.requirements.values():
        for citation in requirement.citations:
            if not citation.document or not citation.clause:
                yield PackError(
                    "ATTT-124",
                    requirement.location,
                    Text(
                        vi="trích dẫn của «%s» thiếu văn bản hoặc điều khoản." % requirement.id,
                        en='a citation of "%s" lacks its document or clause.' % requirement.id,
                    ),
                )
        if not requirement.citations:
            yield PackError(
                "ATTT-124",
                requirement.location,
                Text(
                    vi="yêu cầu «%s» không có trích dẫn." % requirement.id,
                    en='the requirement "%s" cites nothing.' % requirement.id,
                ),
            )


def attainments_have_a_noun_and_a_plan(pack: Pack) -> Iterator[PackError]:
    """ATTT-125: an attainment names its planned quantity; only an attainment may."""
    for spec in pack.indicators.values():
        if (spec.kind is IndicatorKind.ATTAINMENT) != (spec.planned is not None):
            yield PackError(
                "ATTT-125",
                spec.location,
                Text(
                    vi="«planned» chỉ đi với kind: attainment, và bắt buộc ở đó.",
                    en='"planned" goes with kind: attainment, and is required there.',
                ),
            )


_LINTS: Tuple[Callable[[Pack], Iterator[PackError]], ...] = (
    ids_are_in_form,
    codes_are_unique,
    every_rule_has_examples,
    examples_come_out,
    requirements_are_cited,
    attainments_have_a_noun_and_a_plan,
)


def keys_used(pack: Pack) -> Mapping[str, str]:
    """Every fact key a rule or an indicator looks at → where it is used first."""
    used: Dict[str, str] = {}
    for rule in pack.rules.values():
        for condition in (rule.applies_when, rule.check):
            for key in fact_keys(condition) if condition is not None else ():
                used.setdefault(key, str(rule.location))
    for spec in pack.indicators.values():
        for condition in (spec.when, spec.check):
            for key in fact_keys(condition) if condition is not None else ():
                used.setdefault(key, str(spec.location))
        if spec.planned is not None:
            used.setdefault(spec.planned, str(spec.location))
    return used


def unproduced_keys(pack: Pack, specs: Iterable[FactSpec]) -> Tuple[str, ...]:
    """Keys that rules use and no producer declares, as "key (file:line)"."""
    known = {spec.key for spec in specs}
    return tuple(
        "%s (%s)" % (key, where)
        for key, where in sorted(keys_used(pack).items())
        if key not in known
    )


def badly_named(specs: Iterable[FactSpec]) -> Tuple[str, ...]:
    """Numeric keys without a known unit, and times whose key does not end in `_at`."""
    wrong = []
    for spec in specs:
        numeric = spec.type in (ValueType.INT, ValueType.FLOAT)
        has_unit = any(spec.key.endswith("_" + suffix) for suffix in UNIT_SUFFIXES)
        is_time = spec.key.endswith("_at")
        if numeric != has_unit or is_time != (spec.type is ValueType.DATETIME):
            wrong.append(spec.key)
    return tuple(wrong)
