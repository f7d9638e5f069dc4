"""Fact: one sentence a machine says about itself.

A key is `group.name_unit`, close to osquery's and secedit's words. The last word of the name
carries the unit (`_chars`, `_seconds`, `_per_second`) or the type (`_at` is an aware datetime), so
that two sides of the wire cannot disagree about it.

"Looked and found none" is a value (`[]`, `0`, `False`); "could not look" is `unreadable`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from math import isfinite
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from attt_rules.contract.text import Text

# The closed list of endings a numeric key may have; a new unit is a conscious decision.
UNIT_SUFFIXES = (
    "accounts",
    "attempts",
    "bits_per_second",
    "bytes",
    "chars",
    "classes",
    "count",
    "days",
    "machines",
    "minutes",
    "number",
    "packages",
    "passwords",
    "percent",
    "ports",
    "seconds",
)
MAX_TEXT_CHARS = 4096
MAX_LIST_ITEMS = 4096

_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,3}\Z")

# bool stands before int on purpose: validators that try in order must not read True as 1.
FactValue = Union[bool, int, float, str, Tuple[str, ...], datetime]


class Unreadable(str, Enum):
    """Why a fact could not be read."""

    NOT_SUPPORTED = "not_supported"  # this machine has no such thing to read
    ACCESS_DENIED = "access_denied"
    TIMEOUT = "timeout"
    NOT_FOUND = "not_found"  # it should be there and is not
    MALFORMED = "malformed"  # read, but not understood


class ValueType(str, Enum):
    """The type a producer promises for a key."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STRING = "string"
    STRINGS = "strings"
    DATETIME = "datetime"

    def accepts(self, value: FactValue) -> bool:
        """Whether `value` is of this type; an int also serves as a float."""
        if self is ValueType.BOOL:
            return isinstance(value, bool)
        if self is ValueType.INT:
            return isinstance(value, int) and not isinstance(value, bool)
        if self is ValueType.FLOAT:
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        if self is ValueType.STRING:
            return isinstance(value, str)
        if self is ValueType.STRINGS:
            return isinstance(value, tuple)
        return isinstance(value, datetime)


@dataclass(frozen=True)
class FactSpec:
    """What a producer (probe, device family, collector) promises to say.

    `per_item` facts carry an `item` (a product, a profile, an interface); `list_key` names the
    list fact that enumerates those items.
    """

    key: str
    type: ValueType
    meaning: Text
    list_key: Optional[str] = None

    @property
    def per_item(self) -> bool:
        return self.list_key is not None


@dataclass(frozen=True)
class Fact:
    """One key (and item) with either a value or the reason there is none.

    Raises:
        ValueError: the key is malformed, both or neither of `value` and `unreadable` are set, a
            key ending in `_at` has no aware datetime, or a text or list is over its limit.
    """

    key: str
    read_at: datetime
    source: str
    value: Optional[FactValue] = None
    unreadable: Optional[Unreadable] = None
    item: Optional[str] = None

    def __post_init__(self) -> None:
        if not _KEY.match(self.key) or len(self.key) > 128:
            raise ValueError("not a fact key: %r" % self.key[:128])
        if (self.value is None) == (self.unreadable is None):
            raise ValueError("%s: needs a value or a reason, not both" % self.key)
        check_time(self.read_at, "%s: read_at" % self.key)
        value: object = self.value
        if isinstance(value, list):  # as JSON gives it
            object.__setattr__(self, "value", tuple(value))
        if self.key.endswith("_at") and isinstance(self.value, str):
            object.__setattr__(self, "value", parse_time(self.value))
        self._check_limits()

    def _check_limits(self) -> None:
        value = self.value
        if self.key.endswith("_at"):
            if value is not None and not isinstance(value, datetime):
                raise ValueError("%s: must be a time" % self.key)
        elif isinstance(value, datetime):
            raise ValueError("%s: a time needs a key that ends in _at" % self.key)
        if isinstance(value, datetime):
            check_time(value, self.key)
        if isinstance(value, float) and not isfinite(value):
            raise ValueError("%s: not a number" % self.key)
        if isinstance(value, tuple):
            if len(value) > MAX_LIST_ITEMS:
                raise ValueError("%s: more than %d items" % (self.key, MAX_LIST_ITEMS))
            if not all(isinstance(item, str) for item in value):
                raise ValueError("%s: a list holds strings only" % self.key)
        for text in (value, self.source, self.item):
            if isinstance(text, str) and len(text) > MAX_TEXT_CHARS:
                raise ValueError("%s: text over %d characters" % (self.key, MAX_TEXT_CHARS))

    def to_wire(self) -> Dict[str, Any]:
        """JSON-ready; empty fields are left out."""
        wire: Dict[str, Any] = {"key": self.key}
        if self.item is not None:
            wire["item"] = self.item
        if self.unreadable is not None:
            wire["unreadable"] = self.unreadable.value
        elif isinstance(self.value, datetime):
            wire["value"] = self.value.isoformat()
        elif isinstance(self.value, tuple):
            wire["value"] = list(self.value)
        else:
            wire["value"] = self.value
        wire["source"] = self.source
        wire["read_at"] = self.read_at.isoformat()
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Fact:
        """The inverse of `to_wire` for input that is already trusted (the collector's own store).

        What comes from outside is validated with pydantic over this class instead.
        """
        reason = wire.get("unreadable")
        return cls(
            key=wire["key"],
            item=wire.get("item"),
            value=wire.get("value"),
            unreadable=Unreadable(reason) if reason is not None else None,
            source=wire["source"],
            read_at=parse_time(wire["read_at"]),
        )


def check_time(moment: datetime, what: str) -> None:
    """Refuse a time that cannot be counted with everywhere: no zone, or not from 1970 to 2200.

    At the ends of the calendar a change of zone overflows, and nothing here is that old or new.

    Raises:
        ValueError: names `what`.
    """
    if moment.tzinfo is None:
        raise ValueError("%s has no time zone" % what)
    if not 1970 <= moment.year <= 2200:
        raise ValueError("%s: the year %d is not believed" % (what, moment.year))


def parse_time(text: str) -> datetime:
    """An aware datetime from ISO 8601; "Z" is understood on Python 3.8 too.

    Raises:
        ValueError: not ISO 8601, or without a time zone.
    """
    moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    if moment.tzinfo is None:
        raise ValueError("no time zone: %r" % text)
    return moment
