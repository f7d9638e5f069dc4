"""generic_ifmib against real devices' recordings, and against what devices do wrong."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attt_collector.devices import generic_ifmib
from attt_collector.devices.generic_ifmib import (
    FAMILY,
    IF_ADMIN_STATUS,
    IF_ALIAS,
    IF_DESCR,
    IF_HIGH_SPEED,
    IF_NAME,
    IF_NUMBER,
    IF_OPER_STATUS,
    IF_SPEED,
    IF_TYPE,
    SYS_DESCR,
    SYS_NAME,
    SYS_OBJECT_ID,
    SYS_UPTIME,
)
from attt_collector.family import Oid, Reading, Walk, WalkValue, find_all, pick
from attt_collector.poll import stored_walk
from attt_rules.contract import FactValue, Unreadable

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "fixtures" / "snmp"

# Two recordings of 217 cannot come out as recorded:
ADJUSTED = {
    # Windows XP ends each ifDescr with a NUL, which is no part of the name.
    "_full_walks/xp": 3,
    # A UPS whose agent sends stray memory: names with control characters, and ifAdminStatus 7,
    # which IF-MIB does not have (the expected answer reads it by ifOperStatus' words).
    "cyberpower/cyberpower_pr2200rt2uc": 3,
}

Facts = dict[tuple[str, str | None], FactValue | Unreadable]


def facts_of(walk: Walk) -> Facts:
    return {(each.key, each.item): outcome(each) for each in FAMILY.parse(walk)}


def outcome(reading: Reading) -> FactValue | Unreadable:
    assert (reading.value is None) != (reading.unreadable is None)
    return reading.unreadable if reading.value is None else reading.value


def interface(index: int, cells: dict[Oid, WalkValue]) -> dict[Oid, WalkValue]:
    return {(*column, index): value for column, value in cells.items()}


PORT: dict[Oid, WalkValue] = {
    IF_DESCR: b"GigabitEthernet0/1",
    IF_NAME: b"Gi0/1",
    IF_TYPE: 6,
    IF_SPEED: 1_000_000_000,
    IF_HIGH_SPEED: 1000,
    IF_ADMIN_STATUS: 1,
    IF_OPER_STATUS: 2,
    IF_ALIAS: "WAN - VNPT Sa Đéc".encode(),
}


def recordings() -> list[Any]:
    if not RECORDINGS.is_dir():
        absent = pytest.mark.skip(reason=f"the shared recordings are not at {RECORDINGS}")
        return [pytest.param(None, marks=absent)]
    return [
        pytest.param(path, id=case)
        for path in sorted(RECORDINGS.glob("**/expected.json"))
        for case in [str(path.parent.relative_to(RECORDINGS))]
        if not case.startswith("_stack")  # an snmpwalk text of a stack, no .snmprec
    ]


def test_it_works() -> None:
    walk = Walk(
        {
            SYS_NAME: b"SW-PHONG-VH",
            SYS_DESCR: b"Cisco IOS Software, C3560 Software",
            SYS_OBJECT_ID: (1, 3, 6, 1, 4, 1, 9, 1, 617),
            SYS_UPTIME: 492446481,
            IF_NUMBER: 1,
            **interface(10101, PORT),
        }
    )
    assert {
        ("device.name", None): "SW-PHONG-VH",
        ("device.description", None): "Cisco IOS Software, C3560 Software",
        ("device.location", None): Unreadable.NOT_SUPPORTED,
        ("device.object_id", None): "1.3.6.1.4.1.9.1.617",
        ("device.uptime_seconds", None): 4924464,
        ("interface.names", None): ("Gi0/1",),
        ("interface.alias", "Gi0/1"): "WAN - VNPT Sa Đéc",
        ("interface.role", "Gi0/1"): "wan",
        ("interface.type", "Gi0/1"): "ethernetCsmacd",
        ("interface.admin_state", "Gi0/1"): "up",
        ("interface.oper_state", "Gi0/1"): "down",
        ("interface.speed_bits_per_second", "Gi0/1"): 1_000_000_000,
    } == facts_of(walk)


@pytest.mark.parametrize("path", recordings())
def test_it_reads_every_recorded_device(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    expected = json.loads(path.read_text(encoding="utf-8"))
    walk = stored_walk.read(path.parent / expected["input"])
    readings = list(FAMILY.parse(walk))
    facts = {(each.key, each.item): outcome(each) for each in readings}
    assert len(readings) == len(facts)

    names = facts["interface.names", None]
    rows = expected["recording_if_rows"] or []
    if not rows:
        assert isinstance(names, Unreadable)  # the recording has no ifTable: not "no interfaces"
        assert expected["recording"]["if_rows"] == 0
        return
    assert isinstance(names, tuple)
    assert expected["recording"]["if_rows"] == len(rows) == len(names) == len(set(names))

    by_index = {
        int(each.source.rpartition(".")[2]): each.item
        for each in readings
        if each.key == "interface.oper_state"
    }
    differences = [
        (row["ifIndex"], difference)
        for row, name in zip(rows, expected_names(rows), strict=True)
        for difference in row_differences(row, name, by_index[row["ifIndex"]], facts)
    ]
    assert ADJUSTED.get(str(path.parent.relative_to(RECORDINGS)), 0) == len(differences), (
        differences
    )


def expected_names(rows: list[dict[str, Any]]) -> list[str]:
    own = [(row.get("ifName") or row.get("ifDescr") or "").strip(" ") for row in rows]
    times = Counter(own)
    return [
        name
        if times[name] == 1 and name
        else f"{name} (ifIndex {row['ifIndex']})"
        if name
        else f"ifIndex {row['ifIndex']}"
        for name, row in zip(own, rows, strict=True)
    ]


def row_differences(
    row: dict[str, Any], name: str, item: str | None, facts: Facts
) -> Iterator[tuple[str, object, object]]:
    low, high = row.get("ifSpeed"), row.get("ifHighSpeed")
    speed = high * 1_000_000 if high else Unreadable.NOT_SUPPORTED if low is None else low
    if not high and low == 4_294_967_295:
        speed = Unreadable.NOT_SUPPORTED
    if item != name:
        yield "name", name, item
    for key, wanted in (
        ("interface.admin_state", row.get("ifAdminStatus", Unreadable.NOT_SUPPORTED)),
        ("interface.oper_state", row.get("ifOperStatus", Unreadable.NOT_SUPPORTED)),
        ("interface.speed_bits_per_second", speed),
    ):
        if facts[key, item] != wanted:
            yield key, wanted, facts[key, item]


@pytest.mark.parametrize("path", recordings())
def test_it_names_types_as_another_program_did(path: Path) -> None:
    expected = json.loads(path.read_text(encoding="utf-8"))
    ports = (expected["ports"] or {}).get("list") or []
    named = {port["ifIndex"]: port["ifType"] for port in ports if port.get("ifType")}
    walk = stored_walk.read(path.parent / expected["input"])
    numbers = walk.column(IF_TYPE)
    ours = {
        index: generic_ifmib.state_of(numbers[index], generic_ifmib.INTERFACE_TYPES)
        for index in named
        if index in numbers and not named[index].isdigit()
    }
    assert {index: named[index] for index in ours} == ours


def test_it_makes_equal_names_unique_by_ifindex() -> None:
    walk = Walk(interface(1, PORT) | interface(2, PORT) | interface(3, {**PORT, IF_NAME: b"Gi0/2"}))
    assert ("Gi0/1 (ifIndex 1)", "Gi0/1 (ifIndex 2)", "Gi0/2") == facts_of(walk)[
        "interface.names", None
    ]


def test_it_names_an_interface_by_ifdescr_when_ifname_is_empty() -> None:
    walk = Walk(interface(1, {**PORT, IF_NAME: b""}) | interface(2, {IF_OPER_STATUS: 1}))
    assert ("GigabitEthernet0/1", "ifIndex 2") == facts_of(walk)["interface.names", None]


def test_it_says_no_interfaces_when_the_device_says_so() -> None:
    assert () == facts_of(Walk({IF_NUMBER: 0}))["interface.names", None]


def test_it_reports_unreadable_when_the_device_hides_its_interfaces() -> None:
    assert Unreadable.NOT_FOUND is facts_of(Walk({IF_NUMBER: 24}))["interface.names", None]
    assert Unreadable.NOT_SUPPORTED is facts_of(Walk({}))["interface.names", None]


@pytest.mark.parametrize("column", [IF_DESCR, IF_NAME])
def test_it_reports_a_timeout_instead_of_half_a_list(column: Oid) -> None:
    facts = facts_of(Walk(interface(1, PORT), {column: Unreadable.TIMEOUT}))
    assert Unreadable.TIMEOUT is facts["interface.names", None]
    assert [] == [key for key, item in facts if item is not None]


def test_it_reports_a_timeout_instead_of_no_interfaces() -> None:
    gaps = dict.fromkeys((*FAMILY.columns, *FAMILY.scalars), Unreadable.TIMEOUT)
    facts = facts_of(Walk({}, gaps))
    assert {Unreadable.TIMEOUT} == set(facts.values())


def test_it_keeps_what_came_before_the_timeout() -> None:
    cells = interface(1, PORT) | interface(2, {IF_DESCR: b"b", IF_NAME: b"b"})
    facts = facts_of(Walk(cells, {IF_OPER_STATUS: Unreadable.TIMEOUT}))
    assert "down" == facts["interface.oper_state", "Gi0/1"]
    assert Unreadable.TIMEOUT is facts["interface.oper_state", "b"]
    assert Unreadable.NOT_SUPPORTED is facts["interface.admin_state", "b"]


def test_it_reports_denied_columns_as_denied() -> None:
    cells = {column: value for column, value in PORT.items() if column != IF_ALIAS}
    facts = facts_of(Walk(interface(1, cells), {IF_ALIAS: Unreadable.ACCESS_DENIED}))
    assert Unreadable.ACCESS_DENIED is facts["interface.alias", "Gi0/1"]
    assert ("interface.role", "Gi0/1") not in facts


def test_it_falls_back_to_ifdescr_when_ifname_is_denied() -> None:
    cells = {column: value for column, value in PORT.items() if column != IF_NAME}
    facts = facts_of(Walk(interface(1, cells), {IF_NAME: Unreadable.ACCESS_DENIED}))
    assert ("GigabitEthernet0/1",) == facts["interface.names", None]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1_000_000_000, 1000, 1_000_000_000),
        (4_294_967_295, 10_000, 10_000_000_000),
        (1_410_065_408, 10_000, 10_000_000_000),  # an ifSpeed that overflowed
        (64_000, 0, 64_000),
        (0, 0, 0),
        (100_000_000, None, 100_000_000),
        (4_294_967_295, None, Unreadable.NOT_SUPPORTED),
        (4_294_967_295, 0, Unreadable.NOT_SUPPORTED),
        (None, None, Unreadable.NOT_SUPPORTED),
        (None, 0, Unreadable.NOT_SUPPORTED),
        (-1, None, Unreadable.MALFORMED),
        (b"fast", None, Unreadable.MALFORMED),
    ],
)
def test_it_reads_the_speed(
    low: WalkValue | None, high: WalkValue | None, expected: int | Unreadable
) -> None:
    cells: dict[Oid, WalkValue] = {IF_DESCR: b"a"}
    if low is not None:
        cells[IF_SPEED] = low
    if high is not None:
        cells[IF_HIGH_SPEED] = high
    assert expected == facts_of(Walk(interface(1, cells)))["interface.speed_bits_per_second", "a"]


def test_it_does_not_take_a_lost_ifhighspeed_for_a_slow_port() -> None:
    cells: dict[Oid, WalkValue] = {IF_DESCR: b"a", IF_SPEED: 4_294_967_295}
    facts = facts_of(Walk(interface(1, cells), {IF_HIGH_SPEED: Unreadable.TIMEOUT}))
    assert Unreadable.TIMEOUT is facts["interface.speed_bits_per_second", "a"]


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("lan", "lan"),
        ("LAN: phòng Văn hóa", "lan"),
        ("WAN - VNPT", "wan"),
        ("wan2", "wan"),
        ("  Internet FPT 200M", "internet"),
        ("TSLCD", "tslcd"),
        ("tslcd_tinh", "tslcd"),
        ("Landing zone", None),
        ("wanted", None),
        ("Lầu 2", None),
        ("uplink WAN", None),
        ("", None),
    ],
)
def test_it_takes_the_role_from_the_first_word_of_the_alias(
    alias: str, expected: str | None
) -> None:
    assert expected == generic_ifmib.role_of(alias)


@pytest.mark.parametrize(
    ("column", "value", "key"),
    [
        (IF_OPER_STATUS, 8, "interface.oper_state"),
        (IF_OPER_STATUS, b"up", "interface.oper_state"),
        (IF_ADMIN_STATUS, 7, "interface.admin_state"),
        (IF_TYPE, 9999, "interface.type"),
        (IF_ALIAS, 5, "interface.alias"),
    ],
)
def test_it_reports_malformed_for_what_it_does_not_understand(
    column: Oid, value: WalkValue, key: str
) -> None:
    facts = facts_of(Walk(interface(1, {**PORT, column: value})))
    assert Unreadable.MALFORMED is facts[key, "Gi0/1"]


def test_it_reports_malformed_for_a_system_group_of_wrong_types() -> None:
    facts = facts_of(Walk({SYS_NAME: 1, SYS_OBJECT_ID: b"x", SYS_UPTIME: b"x", IF_NUMBER: b"x"}))
    assert {
        "device.name": Unreadable.MALFORMED,
        "device.object_id": Unreadable.MALFORMED,
        "device.uptime_seconds": Unreadable.MALFORMED,
        "interface.names": Unreadable.MALFORMED,
        "device.description": Unreadable.NOT_SUPPORTED,
        "device.location": Unreadable.NOT_SUPPORTED,
    } == {key: value for (key, _), value in facts.items()}


def test_it_shows_bytes_it_cannot_read_and_guesses_nothing() -> None:
    assert r"T\xe7ng 2\x08" == generic_ifmib.text_of(b"T\xe7ng 2\x08\0")


def test_it_describes_interfaces_with_a_role_first_on_a_very_large_device() -> None:
    plain = {IF_DESCR: b"p", IF_ALIAS: b""}
    last = generic_ifmib.MAX_DESCRIBED_INTERFACES + 50
    cells: dict[Oid, WalkValue] = {}
    for index in range(1, last):
        cells |= interface(index, {**plain, IF_DESCR: b"p%d" % index})
    cells |= interface(last, {**PORT, IF_NAME: b"uplink"})
    readings = list(FAMILY.parse(Walk(cells)))
    described = {each.item for each in readings if each.item is not None}
    assert "uplink" in described
    assert generic_ifmib.MAX_DESCRIBED_INTERFACES == len(described)
    names = next(each.value for each in readings if each.key == "interface.names")
    assert isinstance(names, tuple)
    assert last == len(names)


def test_it_says_only_what_it_declares() -> None:
    specs = {spec.key: spec for spec in FAMILY.specs}
    for reading in FAMILY.parse(Walk(interface(1, PORT) | {SYS_NAME: b"a", SYS_UPTIME: 5})):
        spec = specs[reading.key]
        assert spec.per_item == (reading.item is not None)
        assert reading.value is None or spec.type.accepts(reading.value)


def test_it_takes_any_device_that_no_other_family_knows() -> None:
    assert FAMILY in find_all()
    assert "generic_ifmib" == pick({"sysDescr": "never seen", "sysObjectID": "1.3.6.1.4.1.0"}).id
    assert "generic_ifmib" == pick({}).id
