from dataclasses import replace

import pytest

from attt_agent.host import Interface
from attt_agent.probes import links
from attt_rules.contract import Unreadable

WAN = ("10.10.0.10", 443)


def test_it_works(machine, said):
    expected = {
        ("link.interfaces", None): ("enp3s0", "wlp2s0"),
        ("link.up", "enp3s0"): True,
        ("link.up", "wlp2s0"): False,
        ("link.kind", "enp3s0"): "ethernet",
        ("link.kind", "wlp2s0"): "wifi",
        ("link.speed_bits_per_second", "enp3s0"): 1_000_000_000,
        ("link.speed_bits_per_second", "wlp2s0"): "!not_supported",
        ("link.addresses", "enp3s0"): ("192.168.0.23", "fe80::1"),
        ("link.addresses", "wlp2s0"): (),
        ("link.gateways", None): ("192.168.0.1",),
        ("link.dns_servers", None): ("192.168.0.1", "10.10.0.53"),
        ("link.lan_connected", None): True,
        ("link.wan_reachable", None): True,
    }
    assert expected == said(links.PROBE, machine("debian-12-may-ban"), WAN)


def test_it_says_why_when_no_wan_target_is_configured(machine, said):
    facts = said(links.PROBE, machine("debian-12-may-ban"))
    assert "!not_supported" == facts["link.wan_reachable", None]


def test_a_wan_that_does_not_answer_is_false_and_one_never_asked_is_unknown(machine, said):
    assert said(links.PROBE, machine("debian-12-may-chu"), WAN)["link.wan_reachable", None] is False
    assert "!not_found" == said(links.PROBE, machine("rhel-9"), WAN)["link.wan_reachable", None]


def test_it_looks_behind_the_address_of_systemd_resolved(machine, said):
    facts = said(links.PROBE, machine("debian-12-may-chu"))
    assert ("10.10.0.53",) == facts["link.dns_servers", None]


def test_it_reads_both_default_routes(machine, said):
    facts = said(links.PROBE, machine("rhel-9"))
    assert ("192.168.0.1", "2001:db8::1") == facts["link.gateways", None]


def test_a_tunnel_is_a_tunnel(machine, said):
    facts = said(links.PROBE, machine("ubuntu-2204"))
    assert "tunnel" == facts["link.kind", "tun0"]


def test_an_address_without_gateway_or_neighbour_is_no_lan(machine, said):
    host = machine("debian-12-may-ban")
    heading = host.files["/proc/net/route"].splitlines()[0] + b"\n"
    files = {**host.files, "/proc/net/route": heading}
    facts = said(links.PROBE, replace(host, files=files))
    assert () == facts["link.gateways", None]
    assert facts["link.lan_connected", None] is True  # a neighbour has answered

    files["/proc/net/arp"] = host.files["/proc/net/arp"].replace(b"0x2 ", b"0x0 ")
    assert said(links.PROBE, replace(host, files=files))["link.lan_connected", None] is False


def test_link_local_addresses_are_no_connection(machine, said):
    host = machine("debian-12-may-ban")
    alone = (Interface("enp3s0", True, None, ("169.254.3.4", "fe80::1"), None),)
    assert said(links.PROBE, replace(host, network=alone))["link.lan_connected", None] is False


def test_it_reports_unknown_when_the_routes_are_not_understood(machine, said):
    host = machine("debian-12-may-ban")
    facts = said(links.PROBE, replace(host, files={**host.files, "/proc/net/route": b""}))
    assert "!malformed" == facts["link.gateways", None]
    assert "!not_found" == facts["link.lan_connected", None]


def test_it_reports_unknown_when_there_is_not_even_loopback(machine, said):
    facts = said(links.PROBE, replace(machine("debian-12-may-ban"), network=()))
    assert "!not_found" == facts["link.interfaces", None]
    assert "!not_found" == facts["link.lan_connected", None]


def test_it_reports_why_when_sys_is_closed(machine, said):
    host = machine("debian-12-may-ban")
    errors = {"read_text /sys/class/net/enp3s0/type": Unreadable.ACCESS_DENIED}
    facts = said(links.PROBE, replace(host, errors=errors))
    assert "!access_denied" == facts["link.kind", "enp3s0"]
    assert facts["link.up", "enp3s0"] is True


def test_it_refuses_tables_that_are_none():
    for text in ("", "hello"):
        with pytest.raises(ValueError):
            links.parse_route(text)
        with pytest.raises(ValueError):
            links.parse_neighbours(text)
