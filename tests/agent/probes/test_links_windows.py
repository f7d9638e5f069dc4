import json
from dataclasses import replace

import pytest

from attt_agent.host import Interface
from attt_agent.probes import links_windows as links
from attt_rules.contract import Unreadable

NEIGHBOURS = (links.STANDARD_CIMV2, links.NEIGHBOURS_QUERY)
ADDRESSES = (links.CIMV2, links.ADDRESSES_QUERY)


def with_rows(host, query, rows):
    return replace(host, wmi_rows={**host.wmi_rows, query: rows})


def test_it_works(machine, said):
    facts = said(links.PROBE, machine("windows-11-en"), ("10.10.0.10", 443))
    expected = {
        ("link.interfaces", None): ("Ethernet", "Wi-Fi"),
        ("link.gateways", None): ("192.168.10.1",),
        ("link.dns_servers", None): ("10.10.0.2", "10.10.0.3"),
        ("link.lan_connected", None): True,
        ("link.wan_reachable", None): True,
        ("link.up", "Ethernet"): True,
        ("link.kind", "Ethernet"): "ethernet",
        ("link.speed_bits_per_second", "Ethernet"): 1_000_000_000,
        ("link.addresses", "Ethernet"): ("192.168.10.21", "fe80::21"),
        ("link.up", "Wi-Fi"): False,
        ("link.kind", "Wi-Fi"): "wifi",
        ("link.speed_bits_per_second", "Wi-Fi"): "!not_supported",
        ("link.addresses", "Wi-Fi"): (),
    }
    assert expected == facts


@pytest.mark.parametrize(
    ("interface_type", "characteristics", "kind"),
    [
        (6, 0x84, "ethernet"),
        (6, 0x1, "virtual"),
        (6, None, "virtual"),
        (71, 0x84, "wifi"),
        (243, 0x84, "mobile"),
        (53, 0x1, "tunnel"),
        (23, 0x29, "tunnel"),
        (131, None, "tunnel"),
        (1, None, "other"),
    ],
)
def test_kinds_of_interfaces(interface_type, characteristics, kind):
    assert kind == links.kind_of(interface_type, characteristics)


def test_the_loopback_is_known_by_its_addresses_in_every_language():
    for name in ("Loopback Pseudo-Interface 1", "Bouclage logiciel", "本地回环"):
        assert links.is_loopback(Interface(name, True, None, ("127.0.0.1", "::1"), None))
    assert not links.is_loopback(Interface("Loopback", True, None, ("10.0.0.1",), None))
    assert not links.is_loopback(Interface("Loopback", True, None, (), None))


def test_a_pc_without_network_is_on_no_lan(machine, said):
    host = machine("windows-11-en")
    down = tuple(replace(i, up=False) for i in host.network)
    facts = said(links.PROBE, replace(host, network=down))
    assert facts["link.lan_connected", None] is False


@pytest.mark.parametrize(("state", "connected"), [(5, True), (4, True), (6, False), (1, False)])
def test_a_neighbour_that_answered_is_a_lan_too(machine, said, state, connected):
    host = with_rows(
        machine("windows-11-en"), ADDRESSES, ({"SettingID": "{0}", "IPEnabled": False},)
    )
    host = with_rows(host, NEIGHBOURS, ({"InterfaceAlias": "ethernet", "State": state},))
    assert connected is said(links.PROBE, host)["link.lan_connected", None]


def test_it_reports_unknown_when_windows_7_knows_no_neighbours(machine, said):
    host = with_rows(
        machine("windows-7-vi"), ADDRESSES, ({"SettingID": "{0}", "IPEnabled": False},)
    )
    host = replace(host, errors={rf"wmi {links.STANDARD_CIMV2}": Unreadable.NOT_SUPPORTED})
    facts = said(links.PROBE, host)
    assert "!not_supported" == facts["link.lan_connected", None]
    assert () == facts["link.gateways", None]


def test_a_gateway_behind_a_dead_interface_connects_nobody(machine, said):
    host = machine("windows-11-en")
    rows = (
        {"SettingID": "{0A0A0A0A-0000-4000-8000-000000000002}", "IPEnabled": True,
         "DefaultIPGateway": ("10.1.1.1",), "DNSServerSearchOrder": None},
    )  # fmt: skip
    host = with_rows(with_rows(host, ADDRESSES, rows), NEIGHBOURS, ())
    facts = said(links.PROBE, host)
    assert ("10.1.1.1",) == facts["link.gateways", None]
    assert facts["link.lan_connected", None] is False


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ({"IPEnabled": True},),
        ({"SettingID": "{0}", "IPEnabled": None},),
        ({"SettingID": "{0}", "IPEnabled": True, "DefaultIPGateway": "10.0.0.1"},),
    ],
)
def test_it_reports_unknown_when_wmi_answers_something_else(machine, said, rows):
    facts = said(links.PROBE, with_rows(machine("windows-11-en"), ADDRESSES, rows))
    assert "!malformed" == facts["link.gateways", None]
    assert "!malformed" == facts["link.dns_servers", None]


def test_it_reports_unknown_when_the_registry_does_not_know_the_adapter(machine, said):
    host = machine("windows-11-en")
    registry = {k: v for k, v in host.registry.items() if not k.endswith("0001")}
    facts = said(links.PROBE, replace(host, registry=registry))
    assert "!not_found" == facts["link.kind", "Ethernet"]
    assert "wifi" == facts["link.kind", "Wi-Fi"]


def test_recording_of_the_adapters_of_a_french_windows_7(fixtures):
    """NAME=value lines, one blank line after each adapter, as `wmic … get /value` prints."""
    folder = fixtures / "windows" / "firewall" / "registry" / "win7-fr-all-off"
    expected = json.loads((folder / "expected.json").read_text("utf-8"))["expected"]
    raw = (folder / "Win32_NetworkAdapterConfiguration.wmi").read_bytes().decode("utf-16")
    rows = []
    for block in raw.replace("\r", "").split("\n\n"):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if fields.get("SettingID"):
            rows.append(
                {
                    "SettingID": fields["SettingID"],
                    "IPEnabled": fields["IPEnabled"] == "TRUE",
                    **{
                        name: tuple(fields[name].strip("{}").replace('"', "").split(","))
                        if fields.get(name)
                        else None
                        for name in ("DefaultIPGateway", "DNSServerSearchOrder")
                    },
                    "Description": fields.get("Description"),
                }
            )
    addressing = links.parse_addressing(rows)
    # The one adapter that the recording calls connected is the one with addresses.
    connected = {entry["adapter"] for entry in expected["active_connections"]}
    assert connected == {row["Description"] for row in rows if row["IPEnabled"]}
    adapters = {adapter for adapter, _ in addressing.gateways}
    enabled = {row["SettingID"].lower() for row in rows if row["IPEnabled"]}
    assert adapters <= enabled
    assert addressing.dns_servers
