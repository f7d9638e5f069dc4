import json
import re
from dataclasses import replace

import pytest

from attt_agent.host import Service
from attt_agent.probes import firewall_windows as firewall
from attt_rules.contract import Unreadable

ITEMS = ("domain", "private", "public")


def with_values(host, key, **values):
    merged = {**(host.registry.get(key) or {}), **values}
    return replace(host, registry={**host.registry, key: merged})


def states(facts, key):
    return [facts[key, item] for item in ITEMS]


def test_it_works(machine, said):
    facts = said(firewall.PROBE, machine("windows-11-en"))
    assert ITEMS == facts["firewall.profiles", None]
    assert [True] * 3 == states(facts, firewall.ENABLED)
    assert [True] * 3 == states(facts, firewall.BLOCKED)
    assert ["Windows Firewall"] * 3 == states(facts, firewall.PRODUCT)


def test_group_policy_goes_before_the_local_setting(machine, said):
    host = machine("windows-10-vi-mien")
    local = host.registry[f"{firewall.LOCAL}\\DomainProfile"]
    assert 0 == local["EnableFirewall"]
    assert [True] * 3 == states(said(firewall.PROBE, host), firewall.ENABLED)


def test_group_policy_can_switch_it_off_too(machine, said):
    host = with_values(
        machine("windows-11-en"), f"{firewall.POLICY}\\PublicProfile", EnableFirewall=0
    )
    facts = said(firewall.PROBE, host)
    assert [True, True, False] == states(facts, firewall.ENABLED)
    assert [True, True, False] == states(facts, firewall.BLOCKED)


def test_a_firewall_that_lets_everything_in_blocks_nothing(machine, said):
    facts = said(firewall.PROBE, machine("windows-10-de-doppelt"))
    assert [True, True, True] == states(facts, firewall.ENABLED)
    assert [True, True, False] == states(facts, firewall.BLOCKED)


@pytest.mark.parametrize(
    "service", [None, Service("stopped", "disabled"), Service("other", "auto")]
)
def test_without_its_service_nothing_is_filtered(machine, said, service):
    host = machine("windows-11-en")
    services = {k: v for k, v in host.windows_services.items() if k != "MpsSvc"}
    if service is not None:
        services["MpsSvc"] = service
    facts = said(firewall.PROBE, replace(host, windows_services=services))
    assert [False] * 3 == states(facts, firewall.ENABLED)
    assert [False] * 3 == states(facts, firewall.BLOCKED)


def test_a_stopped_service_on_a_server(machine, said):
    facts = said(firewall.PROBE, machine("windows-server-2012r2-fr"))
    assert [False] * 3 == states(facts, firewall.ENABLED)
    assert ["!not_found"] * 3 == states(facts, firewall.PRODUCT)


def test_another_firewall_is_on_and_nobody_knows_what_it_lets_in(machine, said):
    facts = said(firewall.PROBE, machine("windows-11-chi-mien"))
    assert [True] * 3 == states(facts, firewall.ENABLED)
    assert ["!not_supported"] * 3 == states(facts, firewall.BLOCKED)
    assert ["Kaspersky Endpoint Security for Windows"] * 3 == states(facts, firewall.PRODUCT)


def test_another_firewall_that_was_removed_protects_nobody(machine, said):
    host = machine("windows-11-chi-mien")
    host = replace(host, present=frozenset(p for p in host.present if "Kaspersky" not in p))
    assert [False] * 3 == states(said(firewall.PROBE, host), firewall.ENABLED)


@pytest.mark.parametrize("path", [None, "", "%SystemDrive%\\fw.exe", "C:\\fw.exe -x"])
def test_it_reports_unknown_when_nobody_can_look_for_the_other_firewall(machine, said, path):
    host = machine("windows-11-chi-mien")
    [row] = host.wmi_rows[firewall.NAMESPACE, firewall.PRODUCTS_QUERY]
    row = {**row, "pathToSignedReportingExe": path}
    rows = {(firewall.NAMESPACE, firewall.PRODUCTS_QUERY): (row,)}
    facts = said(firewall.PROBE, replace(host, wmi_rows={**host.wmi_rows, **rows}))
    assert not {True, False} & set(states(facts, firewall.ENABLED))


@pytest.mark.parametrize("state", [0x040010, 0x042010, 0x043010])
def test_another_firewall_that_is_off_protects_nobody(machine, said, state):
    host = machine("windows-11-chi-mien")
    [row] = host.wmi_rows[firewall.NAMESPACE, firewall.PRODUCTS_QUERY]
    rows = {(firewall.NAMESPACE, firewall.PRODUCTS_QUERY): ({**row, "productState": state},)}
    facts = said(firewall.PROBE, replace(host, wmi_rows={**host.wmi_rows, **rows}))
    assert [False] * 3 == states(facts, firewall.ENABLED)


def test_it_reports_unknown_when_security_center_does_not_agree(machine, said):
    host = replace(machine("windows-11-chi-mien"), windows_security_center={"firewall": "poor"})
    assert ["!malformed"] * 3 == states(said(firewall.PROBE, host), firewall.ENABLED)


@pytest.mark.parametrize("state", ["x", -1, 0, None, 0x04F000])
def test_it_reports_unknown_when_a_state_is_not_understood(machine, said, state):
    host = machine("windows-11-chi-mien")
    [row] = host.wmi_rows[firewall.NAMESPACE, firewall.PRODUCTS_QUERY]
    rows = {(firewall.NAMESPACE, firewall.PRODUCTS_QUERY): ({**row, "productState": state},)}
    facts = said(firewall.PROBE, replace(host, wmi_rows={**host.wmi_rows, **rows}))
    assert ["!malformed"] * 3 == states(facts, firewall.ENABLED)


def test_it_reports_unknown_when_it_is_off_and_nobody_knows_of_others(machine, said):
    host = replace(
        machine("windows-11-chi-mien"),
        errors={rf"wmi {firewall.NAMESPACE}": Unreadable.ACCESS_DENIED},
    )
    assert ["!access_denied"] * 3 == states(said(firewall.PROBE, host), firewall.ENABLED)
    # A PC whose Security Center is broken is not a server without one.
    host = replace(host, errors={rf"wmi {firewall.NAMESPACE}": Unreadable.NOT_SUPPORTED})
    assert ["!not_supported"] * 3 == states(said(firewall.PROBE, host), firewall.ENABLED)


@pytest.mark.parametrize(
    "key", [rf"{firewall.LOCAL}\Mdm\PublicProfile", rf"{firewall.POLICY}\StandardProfile"]
)
def test_it_reports_unknown_when_stores_of_unknown_order_disagree(machine, said, key):
    host = with_values(machine("windows-11-en"), key, EnableFirewall=0)
    facts = said(firewall.PROBE, host)
    assert "!malformed" == facts[firewall.ENABLED, "public"]
    assert facts[firewall.ENABLED, "domain"] is True
    agreeing = with_values(machine("windows-11-en"), key, EnableFirewall=1)
    assert [True] * 3 == states(said(firewall.PROBE, agreeing), firewall.ENABLED)


@pytest.mark.parametrize(
    "refused",
    [
        "services",
        rf"registry_value {firewall.POLICY}\PublicProfile EnableFirewall",
        rf"registry_value {firewall.LOCAL}\PublicProfile EnableFirewall",
        r"registry_names HKLM\SOFTWARE\Policies",
    ],
)
def test_it_reports_unknown_when_a_store_is_denied(machine, said, refused):
    host = replace(machine("windows-11-en"), errors={refused: Unreadable.ACCESS_DENIED})
    facts = said(firewall.PROBE, host)
    assert "!access_denied" == facts[firewall.ENABLED, "public"]
    assert "!access_denied" == facts[firewall.BLOCKED, "public"]


def test_it_reports_unknown_when_no_store_says_whether_it_is_on(machine, said):
    host = machine("windows-11-en")
    key = f"{firewall.LOCAL}\\PublicProfile"
    host = replace(host, registry={**host.registry, key: {"DisableNotifications": 0}})
    assert "!not_found" == said(firewall.PROBE, host)[firewall.ENABLED, "public"]


# --- recordings -------------------------------------------------------------------------------


def read_reg_file(path):
    """Keys of a registry export with their DWORD values."""
    keys, current = {}, None
    for line in path.read_bytes().decode("utf-16").splitlines():
        if line.startswith("["):
            current = keys.setdefault(
                line[1:-1].replace("HKEY_LOCAL_MACHINE", "HKLM").replace("services", "Services"), {}
            )
        match = re.match(r'"([^"]+)"=dword:([0-9a-f]{8})$', line)
        if match:
            current[match.group(1)] = int(match.group(2), 16)
    return keys


def test_recording_of_the_registry_of_a_french_windows_7(fixtures, machine, said):
    folder = fixtures / "windows" / "firewall" / "registry" / "win7-fr-all-off"
    expected = json.loads((folder / "expected.json").read_text("utf-8"))["expected"]["profiles"]
    host = machine("windows-7-vi")
    registry = {k: v for k, v in host.registry.items() if "FirewallPolicy" not in k}
    registry[firewall.LOCAL] = {}
    for name in ("DomainProfile", "StandardProfile", "PublicProfile"):
        registry.update(read_reg_file(folder / f"{name}.reg"))
    facts = said(firewall.PROBE, replace(host, registry=registry))
    assert set(ITEMS) == set(expected)
    for item in ITEMS:
        assert expected[item]["enabled"] is facts[firewall.ENABLED, item]
        assert facts[firewall.BLOCKED, item] is False


# `netsh advfirewall` prints "EIN", "打开", "ON" and shows the local store alone, so what group
# policy sets is missing from it: the probe does not run it.
NOT_READ = {"de-state-on", "en-domain-on", "zh-win7-all-on"}


def test_recordings_of_netsh_are_not_read(fixtures, machine, said):
    folder = fixtures / "windows" / "firewall" / "netsh"
    assert NOT_READ == {path.name for path in folder.iterdir()}
    assert ["!malformed"] * 3 == states(
        said(firewall.PROBE, machine("windows-rong")), firewall.ENABLED
    )
