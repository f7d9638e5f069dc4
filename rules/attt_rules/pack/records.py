"""What a pack is made of, as frozen records; conditions are small trees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Dict, Mapping, Optional, Tuple, Union

from attt_rules.contract import AssetKind, Fact, FactValue, Status, Text, parse_time
from attt_rules.errors import Location

# Every example is judged at this moment, so that an example never goes stale.
EXAMPLE_AS_OF = parse_time("2026-11-22T08:00:00+07:00")

OPERATORS = ("eq", "ne", "ge", "le", "in", "within_days", "valid_for_days")


class Severity(str, Enum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Bindingness(str, Enum):
    """How the text binds: a hard demand, a suggestion, or left to the unit (or our default)."""

    MANDATORY = "mandatory"
    SUGGESTED = "suggested"
    LOCAL = "local"


class Confidence(str, Enum):
    """How the citation is known: nothing is presented as law that was not read as law."""

    VERBATIM = "verbatim"
    VERBATIM_COPY = "verbatim_copy"
    PARAPHRASE = "paraphrase"
    UNVERIFIED = "unverified"


class DecidedBy(str, Enum):
    AUTOMATED = "automated"
    ATTESTED = "attested"


class IndicatorKind(str, Enum):
    COUNT = "count"
    RATIO = "ratio"  # part of whole, never above 1
    ATTAINMENT = "attainment"  # actual of planned, may exceed 1
    YES_NO = "yes_no"


@dataclass(frozen=True)
class Citation:
    """The same clause number means different things in different editions: hence the triple."""

    document: str
    edition: str
    clause: str
    confidence: Confidence
    valid_from: Optional[date] = None
    valid_until: Optional[date] = None


@dataclass(frozen=True)
class Requirement:
    id: str
    title: Text
    by: DecidedBy
    citations: Tuple[Citation, ...]
    location: Location


@dataclass(frozen=True)
class Parameter:
    """A named limit; `stricter` says which way an overlay may move it."""

    name: str
    value: FactValue
    stricter: str  # "higher" or "lower"
    basis: str


@dataclass(frozen=True)
class Compare:
    fact: str
    op: str
    value: Union[FactValue, Tuple[FactValue, ...]]


@dataclass(frozen=True)
class AllOf:
    parts: Tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    parts: Tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    part: Condition


@dataclass(frozen=True)
class AnyItem:
    """One and the same item of the list fact `of` satisfies every part."""

    of: str
    parts: Tuple[Condition, ...]


@dataclass(frozen=True)
class AllItems:
    """Every item of the list fact `of` satisfies every part; `if_empty` decides about no items."""

    of: str
    parts: Tuple[Condition, ...]
    if_empty: Optional[bool]


Condition = Union[Compare, AllOf, AnyOf, Not, AnyItem, AllItems]


@dataclass(frozen=True)
class Example:
    expect: Status
    facts: Tuple[Fact, ...]
    location: Location


@dataclass(frozen=True)
class Rule:
    """Judges facts for one requirement. `code` is the reviewers' short name, L2-MAL-02."""

    id: str
    code: str
    title: Text
    requirement: str
    applies_to: Tuple[AssetKind, ...]
    applies_when: Optional[Condition]
    severity: Severity
    bindingness: Bindingness
    parameters: Mapping[str, Parameter]
    check: Condition
    fix: Text
    examples: Tuple[Example, ...]
    location: Location


@dataclass(frozen=True)
class IndicatorSpec:
    """A countable figure.

    The population is every asset of `kinds` for which `when` holds; the numerator is what passes
    `rule` or `check`. `planned` is a site fact, summed over the sites in scope.
    """

    id: str
    slug: str
    title: Text
    kind: IndicatorKind
    noun: Text
    kinds: Tuple[AssetKind, ...]
    when: Optional[Condition]
    rule: Optional[str]
    check: Optional[Condition]
    planned: Optional[str]
    decimals: int
    warn_above_percent: Optional[float]
    location: Location


@dataclass(frozen=True)
class Pack:
    """A whole pack, valid during [valid_from, valid_until)."""

    id: str
    title: Text
    version: str
    valid_from: date
    valid_until: Optional[date]
    legal_basis: Tuple[Citation, ...]
    terms: Mapping[str, Text]
    incomplete_because: Optional[Text]
    requirements: Mapping[str, Requirement]
    rules: Mapping[str, Rule]
    indicators: Mapping[str, IndicatorSpec]


def fact_keys(condition: Condition) -> Tuple[str, ...]:
    """Every fact key a condition looks at, in the order it names them, each once."""
    found: Dict[str, None] = {}

    def walk(node: Condition) -> None:
        if isinstance(node, Compare):
            found[node.fact] = None
        elif isinstance(node, Not):
            walk(node.part)
        else:
            if isinstance(node, (AnyItem, AllItems)):
                found[node.of] = None
            for part in node.parts:
                walk(part)

    walk(condition)
    return tuple(found)
