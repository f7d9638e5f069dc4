"""DeviceFamily: how one kind of network device is recognised, walked and read.

A family is data and pure functions: it names the objects to ask for, and turns what came back
into readings. It never sees a socket, so a recorded walk tests it as well as a live device.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from attt_rules.contract import FactSpec, FactValue, Unreadable

Oid = tuple[int, ...]
# INTEGER and its kin, OCTET STRING and IpAddress, OBJECT IDENTIFIER.
WalkValue = int | bytes | Oid

FAMILIES_PACKAGE = "attt_collector.devices"


def oid(text: str) -> Oid:
    """`"1.3.6.1"` or `".1.3.6.1"` as a tuple.

    Raises:
        ValueError: not dotted numbers.
    """
    return tuple(int(part) for part in text.lstrip(".").split("."))


@dataclass(frozen=True)
class Walk(Mapping[Oid, WalkValue]):
    """What a device answered, by full OID (column and index).

    `answers` is what came back; `gaps` names each scalar or column that was asked and not read to
    its end, with the reason. A column in neither was asked, and the device has none.
    """

    answers: Mapping[Oid, WalkValue]
    gaps: Mapping[Oid, Unreadable] = field(default_factory=dict)

    def __getitem__(self, key: Oid) -> WalkValue:
        return self.answers[key]

    def __iter__(self) -> Iterator[Oid]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)

    def column(self, column: Oid) -> dict[int, WalkValue]:
        """The rows of a table column that is indexed by one number (ifIndex), in its order."""
        size = len(column)
        rows = {
            key[size]: value
            for key, value in self.answers.items()
            if len(key) == size + 1 and key[:size] == column
        }
        return dict(sorted(rows.items()))

    def why_missing(self, asked: Oid) -> Unreadable:
        """Why a scalar, or a row of a column, has no value."""
        return self.gaps.get(asked, Unreadable.NOT_SUPPORTED)

    def merged(self, other: Walk) -> Walk:
        """Both walks of one device as one."""
        return Walk({**self.answers, **other.answers}, {**self.gaps, **other.gaps})


@dataclass(frozen=True, slots=True)
class Reading:
    """A fact before it has a time: a value, or the reason there is none.

    `source` names the object, `IF-MIB::ifOperStatus.3`.
    """

    key: str
    source: str
    value: FactValue | None = None
    unreadable: Unreadable | None = None
    item: str | None = None


@dataclass(frozen=True)
class DeviceFamily:
    """One kind of device.

    Args:
        id: the module's name.
        detect: from `sysDescr` and `sysObjectID` (dotted, no leading dot; either may be missing)
            to a score. 0 is "not mine", 1 is "any device", vendors answer 10 and up.
        scalars: single objects to GET, with their instance (`.0`).
        columns: table columns to walk. Chosen columns only: a whole table costs the device and us
            several times as much.
        parse: everything the walk says; objects that are missing become unreadable readings,
            never silence.
        specs: every key that `parse` can say.
    """

    id: str
    detect: Callable[[Mapping[str, str]], int]
    scalars: tuple[Oid, ...]
    columns: tuple[Oid, ...]
    parse: Callable[[Walk], Iterable[Reading]]
    specs: tuple[FactSpec, ...]


@functools.cache
def find_all() -> tuple[DeviceFamily, ...]:
    """Every `FAMILY` of a module in `devices/`, sorted by id."""
    package = importlib.import_module(FAMILIES_PACKAGE)
    families: list[DeviceFamily] = [
        importlib.import_module(f"{FAMILIES_PACKAGE}.{module.name}").FAMILY
        for module in pkgutil.iter_modules(package.__path__)
    ]
    return tuple(sorted(families, key=lambda family: family.id))


def pick(system: Mapping[str, str]) -> DeviceFamily:
    """The family that knows this device best; the generic one takes what nobody else knows."""
    return max(find_all(), key=lambda family: (family.detect(system), family.id))
