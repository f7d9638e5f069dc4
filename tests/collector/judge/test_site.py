"""Facts of a site: from the unit, its polled devices and the attestations in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from attt_collector.judge.site import SITE_SPECS, PolledDevice, site_facts
from attt_collector.records import Asset, Attestation, StoredSnapshot, Unit, UnitKind
from attt_rules.contract import AssetKind, Fact, FactValue, Unreadable, parse_time
from attt_rules.engine import FactSet

AS_OF = parse_time("2026-11-22T08:00:00+07:00")
UNIT = Unit(7, "TP-01", "UBND xã Tân Phú", UnitKind.COMMUNE, None, date(2025, 7, 1), None)


def device(
    name: str, facts: dict[str, FactValue | dict[str, object]] | None, age_days: float = 0.1
) -> PolledDevice:
    asset = Asset(
        1, name, UNIT.id, AssetKind.NETWORK_DEVICE, name, None, AS_OF, None, None, None, None
    )
    if facts is None:
        return PolledDevice(asset, None, ())
    at = AS_OF - timedelta(days=age_days)
    snapshot = StoredSnapshot(1, 1, "s", at, at, "0" * 64)
    made = []
    for key, value in facts.items():
        for item, one in value.items() if isinstance(value, dict) else [(None, value)]:
            reason = one if isinstance(one, Unreadable) else None
            made.append(Fact(key, at, "IF-MIB", None if reason else one, reason, item))
    return PolledDevice(asset, snapshot, tuple(made))


def attestation(number: int, value: FactValue, until: date | None = None) -> Attestation:
    return Attestation(
        number,
        UNIT.id,
        "dossier.approved",
        None,
        value,
        "QĐ 169/QĐ-STTTT",
        date(2022, 12, 10),
        "Nguyễn Văn Mẫu",
        date(2022, 12, 10),
        until,
    )


def facts_of(*devices: PolledDevice, attested: tuple[Attestation, ...] = ()) -> FactSet:
    return FactSet(site_facts(UNIT, devices, attested, AS_OF))


ROUTER = {
    "device.kind": "firewall",
    "device.uptime_seconds": 3600,
    "interface.names": ("wan1", "lan1", "eth9"),
    "interface.role": {"wan1": "wan", "lan1": "lan"},
    "interface.oper_state": {"wan1": "up", "lan1": "lowerLayerDown", "eth9": "down"},
}


def test_it_says_firewalls_and_links() -> None:
    facts = facts_of(device("FW", ROUTER))

    assert facts.value("site.unit_kind") == "commune"
    assert facts.items("site.firewalls") == ("FW",)
    assert facts.value("site.firewall.answering", "FW") is True
    assert facts.items("site.links") == ("FW/wan1", "FW/lan1")
    assert facts.value("site.link.role", "FW/wan1") == "wan"
    assert facts.value("site.link.up", "FW/wan1") is True
    assert facts.value("site.link.up", "FW/lan1") is False


def test_it_says_only_what_it_declares() -> None:
    attested = (attestation(1, True),)
    declared = {spec.key: spec for spec in SITE_SPECS}

    for fact in site_facts(UNIT, [device("FW", ROUTER)], attested, AS_OF):
        spec = declared[fact.key]
        assert fact.value is not None and spec.type.accepts(fact.value)
        assert spec.per_item == (fact.item is not None)


def test_it_says_nothing_of_firewalls_when_no_device_is_declared() -> None:
    facts = facts_of()

    assert facts.get("site.firewalls") is None
    assert facts.get("site.links") is None


def test_it_says_no_firewall_when_every_device_is_something_else() -> None:
    facts = facts_of(device("SW", {"device.kind": "switch", "interface.names": ()}))

    assert facts.items("site.firewalls") == ()


def test_it_cannot_say_which_firewalls_while_a_device_was_never_read() -> None:
    fact = facts_of(device("X", None)).get("site.firewalls")

    assert fact is not None and fact.unreadable is Unreadable.NOT_FOUND
    assert "X" in fact.source


def test_a_firewall_silent_for_a_week_is_not_answering() -> None:
    fresh = facts_of(device("FW", ROUTER, age_days=7))
    silent = facts_of(device("FW", ROUTER, age_days=7.01))

    assert fresh.value("site.firewall.answering", "FW") is True
    assert silent.value("site.firewall.answering", "FW") is False


def test_a_firewall_whose_poll_failed_is_not_answering() -> None:
    failed = {**ROUTER, "device.uptime_seconds": {None: Unreadable.TIMEOUT}}

    facts = facts_of(device("FW", failed))  # type: ignore[arg-type]

    assert facts.value("site.firewall.answering", "FW") is False


def test_links_of_a_silent_device_are_unreadable_not_missing() -> None:
    facts = facts_of(device("FW", ROUTER, age_days=8))

    assert facts.items("site.links") == ("FW/*",)
    up = facts.get("site.link.up", "FW/*")
    assert up is not None and up.unreadable is Unreadable.TIMEOUT


def test_an_interface_in_an_unknown_state_is_neither_up_nor_down() -> None:
    unclear = {**ROUTER, "interface.oper_state": {"wan1": "unknown"}}

    up = facts_of(device("FW", unclear)).get("site.link.up", "FW/wan1")

    assert up is not None and up.unreadable is Unreadable.MALFORMED


def test_an_attested_fact_names_document_and_person() -> None:
    fact = facts_of(attested=(attestation(1, True),)).get("dossier.approved")

    assert fact is not None and fact.value is True
    assert fact.source == "QĐ 169/QĐ-STTTT ngày 10/12/2022 (xác nhận: Nguyễn Văn Mẫu)"
    assert fact.read_at == datetime.fromisoformat("2022-12-10T00:00:00+07:00")


def test_a_value_of_the_wrong_type_is_unreadable() -> None:
    fact = facts_of(attested=(attestation(1, "có"),)).get("dossier.approved")

    assert fact is not None and fact.unreadable is Unreadable.MALFORMED


def test_many_devices_of_unknown_kind_are_counted_not_all_named() -> None:
    nameless = [device(f"SW-{n:03d}-{'x' * 60}", {"device.uptime_seconds": 1}) for n in range(110)]
    fact = facts_of(*nameless).get("site.firewalls")

    assert fact is not None and fact.unreadable is Unreadable.NOT_FOUND
    assert "và 100 thiết bị khác" in fact.source


def test_more_links_than_a_list_may_hold_are_unknown_not_a_crash() -> None:
    ports = tuple(f"p{n}" for n in range(48))
    switch = {
        "device.kind": "switch",
        "interface.names": ports,
        "interface.role": dict.fromkeys(ports, "lan"),
        "interface.oper_state": dict.fromkeys(ports, "up"),
    }
    fact = facts_of(*(device(f"SW-{n}", switch) for n in range(86))).get("site.links")

    assert fact is not None and fact.unreadable is Unreadable.MALFORMED
    assert "4128 cổng" in fact.source


def test_a_name_as_long_as_the_wire_allows_is_cut() -> None:
    port = "p" * 4096
    long = {**ROUTER, "interface.names": (port,), "interface.role": {port: "wan"}}

    assert len(facts_of(device("FW", long)).items("site.links")[0]) == 512


def test_a_signed_no_is_a_no_where_no_device_is_polled() -> None:
    no = replace(attestation(1, False), key="site.firewall_present")
    facts = facts_of(attested=(no,))

    assert facts.items("site.firewalls") == ()
    assert facts.value("site.firewall_present") is False
    assert facts_of().get("site.firewalls") is None  # nobody has looked
