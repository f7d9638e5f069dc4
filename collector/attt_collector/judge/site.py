"""What the collector itself knows of a unit's place: its border, its links, its documents.

A site is the asset no agent can stand on. Its facts come from the unit's own record, from the
newest snapshots of its network devices (`devices/`), and from attestations in force (what a named
person vouches for, with a document). Everything is computed for a given moment, so that a report
of last year can be judged again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from attt_collector.records import VIETNAM_TIME, Asset, Attestation, StoredSnapshot, Unit
from attt_collector.store.attestations import ATTESTED_SPECS
from attt_rules.contract import (
    MAX_LIST_ITEMS,
    Fact,
    FactSpec,
    FactValue,
    Text,
    Unreadable,
    ValueType,
)

# A device that the collector polls several times a day and that has been silent for a week is not
# "just rebooting": it is off, moved or cut off, and what it said of its links no longer holds.
ANSWERING_WITHIN = timedelta(days=7)

# May be declared for an area as a whole.
AREA_KEYS = ("site.machines_declared_count",)
# Whoever vouches for one of these has looked at the place: with no device polled there, the list
# of what is polled is known to be empty, and a "no" can stand.
_FIREWALL_KEYS = ("site.firewall_present",)
_LINK_KEYS = ("site.lan_connected", "site.wan_connected", "site.tslcd_connected")

_SOURCE_CHARS = 1000
_ITEM_CHARS = 512
_NAMES_SHOWN = 10

# IF-MIB: the interface carries packets only when "up"; "unknown" says that nobody can tell.
_LINK_UP = {
    "up": True,
    "down": False,
    "testing": False,
    "dormant": False,
    "notPresent": False,
    "lowerLayerDown": False,
}


def _spec(
    key: str, value_type: ValueType, vi: str, en: str, list_key: str | None = None
) -> FactSpec:
    return FactSpec(key, value_type, Text(vi=vi, en=en), list_key)


COMPUTED_SPECS = (
    _spec(
        "site.unit_kind",
        ValueType.STRING,
        "Cấp của đơn vị: province, district, city, commune, department",
        "Level of the unit: province, district, city, commune, department",
    ),
    _spec(
        "site.firewalls",
        ValueType.STRINGS,
        "Tên các tường lửa của đơn vị mà máy thu thập theo dõi",
        "Names of the unit's firewalls that the collector polls",
    ),
    _spec(
        "site.firewall.answering",
        ValueType.BOOL,
        "Tường lửa có trả lời trong 7 ngày gần nhất",
        "The firewall answered during the last 7 days",
        "site.firewalls",
    ),
    _spec(
        "site.links",
        ValueType.STRINGS,
        "Các cổng có vai trò đã khai báo, viết là thiết bị/cổng",
        "Interfaces with a declared role, as device/interface",
    ),
    _spec(
        "site.link.role",
        ValueType.STRING,
        "Vai trò của cổng: lan, wan, internet, tslcd",
        "Role of the interface: lan, wan, internet, tslcd",
        "site.links",
    ),
    _spec(
        "site.link.up",
        ValueType.BOOL,
        "Cổng đang hoạt động",
        "The interface is up",
        "site.links",
    ),
)

SITE_SPECS = COMPUTED_SPECS + ATTESTED_SPECS


@dataclass(frozen=True, slots=True)
class PolledDevice:
    """A network device with its newest snapshot as of the moment judged, if there is one."""

    asset: Asset
    snapshot: StoredSnapshot | None
    facts: tuple[Fact, ...]

    def answers(self, as_of: datetime) -> bool:
        """Whether its newest snapshot is recent and is an answer rather than a failed poll."""
        return (
            self.is_recent(as_of)
            and (uptime := _find(self.facts, "device.uptime_seconds")) is not None
            and uptime.value is not None
        )

    def is_recent(self, as_of: datetime) -> bool:
        return self.snapshot is not None and as_of - self.snapshot.taken_at <= ANSWERING_WITHIN

    @property
    def when(self) -> datetime:
        return self.snapshot.taken_at if self.snapshot else self.asset.enrolled_at


def site_facts(
    unit: Unit,
    devices: Sequence[PolledDevice],
    attestations: Iterable[Attestation],
    as_of: datetime,
) -> tuple[Fact, ...]:
    """The facts of the site of one unit.

    Args:
        unit: the office.
        devices: its network devices; other kinds of assets say nothing about the site.
        attestations: of this unit and in force on the day of `as_of`, at most one of each key.
        as_of: the moment judged; aware.

    Returns:
        Facts in a fixed order: the same input gives the same facts.
    """
    ordered = sorted(devices, key=lambda device: (device.asset.name, device.asset.device_id))
    attested = tuple(attestations)
    return (
        _say(
            "site.unit_kind",
            as_of,
            f"danh mục đơn vị của máy thu thập: {unit.code}",
            unit.kind.value,
        ),
        *(
            _firewall_facts(ordered, as_of)
            if ordered
            else _none_polled("site.firewalls", _FIREWALL_KEYS, attested, as_of)
        ),
        *(
            _link_facts(ordered, as_of)
            if ordered
            else _none_polled("site.links", _LINK_KEYS, attested, as_of)
        ),
        *_attested_facts(attested),
    )


def speaks_of_a_place(attestations: Iterable[Attestation]) -> bool:
    """Whether anything vouched for is about the unit's own place, and not about a whole area.

    A province may hold the quota of all its communes without being one more office itself.
    """
    return any(
        one.key not in AREA_KEYS and not one.key.startswith("quota.") for one in attestations
    )


def _say(
    key: str,
    read_at: datetime,
    source: str,
    value: FactValue | None = None,
    *,
    unreadable: Unreadable | None = None,
    item: str | None = None,
) -> Fact:
    """A fact whose source, put together from what devices and people wrote, is kept short: one
    unit's long names must not stop the judging of all others.
    """
    return Fact(key, read_at, source[:_SOURCE_CHARS], value, unreadable, item)


def _item(name: str) -> str:
    return name[:_ITEM_CHARS]


def _few(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    every = list(names)
    shown = ", ".join(every[:_NAMES_SHOWN])
    rest = len(every) - _NAMES_SHOWN
    return shown if rest <= 0 else f"{shown} và {rest} thiết bị khác"


def _find(facts: Iterable[Fact], key: str, item: str | None = None) -> Fact | None:
    return next((fact for fact in facts if fact.key == key and fact.item == item), None)


def _none_polled(
    key: str, vouched_by: tuple[str, ...], attested: Iterable[Attestation], as_of: datetime
) -> Iterator[Fact]:
    # With no device declared and nothing vouched for nobody has looked: saying "[]" then would
    # turn silence into a fail.
    if any(one.key in vouched_by for one in attested):
        yield _say(key, as_of, "không có thiết bị mạng nào được theo dõi; theo xác nhận", ())


def _firewall_facts(devices: Sequence[PolledDevice], as_of: datetime) -> Iterator[Fact]:
    source = "thiết bị mạng của đơn vị khai báo trên máy thu thập (device.kind)"
    kinds = [(device, _find(device.facts, "device.kind")) for device in devices]
    firewalls = [device for device, kind in kinds if kind is not None and kind.value == "firewall"]
    kind_unknown = [device for device, kind in kinds if kind is None or kind.value is None]
    if kind_unknown and not firewalls:
        names = _few(device.asset.name for device in kind_unknown)
        yield _say(
            "site.firewalls",
            as_of,
            f"{source}; chưa rõ loại: {names}",
            unreadable=Unreadable.NOT_FOUND,
        )
        return
    yield _say("site.firewalls", as_of, source, tuple(device.asset.name for device in firewalls))
    seen: set[str] = set()
    for device in firewalls:
        name = device.asset.name
        if name in seen:  # two devices of one name: the list says it once, the first answer counts
            continue
        seen.add(name)
        yield _say(
            "site.firewall.answering",
            device.when,
            f"bản chụp mới nhất của {name} (device.uptime_seconds)",
            device.answers(as_of),
            item=name,
        )


def _link_facts(devices: Sequence[PolledDevice], as_of: datetime) -> Iterator[Fact]:
    links: list[Fact] = []
    names: list[str] = []
    for device in devices:
        for item, facts in _links_of(device, as_of):
            if item in names:
                continue
            names.append(item)
            links.extend(facts)
    source = "các cổng có vai trò khai báo trong ifAlias"
    if len(names) > MAX_LIST_ITEMS:
        source = f"{source}: {len(names)} cổng, quá {MAX_LIST_ITEMS}"
        yield _say("site.links", as_of, source, unreadable=Unreadable.MALFORMED)
        return
    yield _say("site.links", as_of, source, value=tuple(names))
    yield from links


def _links_of(device: PolledDevice, as_of: datetime) -> Iterator[tuple[str, list[Fact]]]:
    name = device.asset.name
    interfaces = _find(device.facts, "interface.names")
    if not device.is_recent(as_of) or interfaces is None or not isinstance(interfaces.value, tuple):
        # One stand-in for links that nobody could read: a rule that asks "is any link a WAN link"
        # then answers unknown, not "no", unless another device already says yes.
        if device.snapshot is None:
            reason, why = Unreadable.NOT_FOUND, "chưa có bản chụp nào"
        elif not device.is_recent(as_of):
            reason, why = Unreadable.TIMEOUT, "không trả lời quá 7 ngày"
        else:
            reason = (interfaces.unreadable if interfaces else None) or Unreadable.NOT_FOUND
            why = "không đọc được interface.names"
        item = f"{name}/*"
        source = f"{name}: {why}"
        yield (
            item,
            [
                _say("site.link.role", device.when, source, unreadable=reason, item=item),
                _say("site.link.up", device.when, source, unreadable=reason, item=item),
            ],
        )
        return
    for interface in interfaces.value:
        role = _find(device.facts, "interface.role", interface)
        if role is None:  # no declared role: an ordinary port of a switch
            continue
        item = _item(f"{name}/{interface}")
        facts = [
            _say(
                "site.link.role",
                role.read_at,
                f"{name}: {role.source}",
                role.value,
                unreadable=role.unreadable,
                item=item,
            )
        ]
        state = _find(device.facts, "interface.oper_state", interface)
        if state is not None:
            facts.append(_link_up(name, item, state))
        yield item, facts


def _link_up(device_name: str, item: str, state: Fact) -> Fact:
    source = f"{device_name}: {state.source}"
    if state.unreadable is not None:
        return _say("site.link.up", state.read_at, source, unreadable=state.unreadable, item=item)
    up = _LINK_UP.get(state.value) if isinstance(state.value, str) else None
    if up is None:
        return _say(
            "site.link.up",
            state.read_at,
            f"{source} = {state.value}",
            unreadable=Unreadable.MALFORMED,
            item=item,
        )
    return _say("site.link.up", state.read_at, source, up, item=item)


def _attested_facts(attestations: Iterable[Attestation]) -> Iterator[Fact]:
    """What is vouched for; which of two documents speaks was decided where they are kept."""
    specs: Mapping[str, FactSpec] = {spec.key: spec for spec in ATTESTED_SPECS}
    for attestation in sorted(attestations, key=lambda one: (one.key, one.item or "", one.id)):
        if attestation.key in specs:
            yield _attested_fact(attestation, specs[attestation.key])


def _attested_fact(attestation: Attestation, spec: FactSpec) -> Fact:
    signed = attestation.document_date
    source = (
        f"{attestation.document_number} ngày {signed.day:02d}/{signed.month:02d}/{signed.year} "
        f"(xác nhận: {attestation.attested_by})"
    )
    read_at = datetime(signed.year, signed.month, signed.day, tzinfo=VIETNAM_TIME)
    value: FactValue | None = attestation.value
    if value is None or not spec.type.accepts(value):
        return _say(
            spec.key, read_at, source, unreadable=Unreadable.MALFORMED, item=attestation.item
        )
    return _say(spec.key, read_at, source, value, item=attestation.item)
