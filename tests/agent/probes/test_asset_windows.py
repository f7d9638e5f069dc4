import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from attt_agent.probes import asset_windows as asset
from attt_agent.registry_reading import CURRENT_VERSION
from attt_rules.contract import Unreadable


def with_value(host, key, name, value):
    values = {**host.registry[key], name: value}
    return replace(host, registry={**host.registry, key: values})


def day(text):
    return datetime.fromisoformat(text + "T23:59:59+00:00")


def test_it_works(machine, said):
    expected = {
        ("os.family", None): "windows",
        ("os.name", None): "Windows 11 Pro",
        ("os.version", None): "10.0.22631.4460",
        ("os.end_of_support_at", None): day("2025-11-11"),
        ("session.desktop_present", None): True,
        ("asset.manufacturer", None): "LENOVO",
        ("asset.model", None): "21HD",
        ("asset.serial", None): "SN00000001",
        ("asset.form", None): "laptop",
        ("asset.domain_joined", None): False,
    }
    host = machine("windows-11-en")
    assert "Windows 10 Pro" == host.registry[CURRENT_VERSION]["ProductName"]
    assert expected == said(asset.PROBE, host)


@pytest.mark.parametrize(
    ("name", "windows", "version", "end"),
    [
        ("windows-7-vi", "Windows 7 Pro", "6.1.7601", "2020-01-14"),
        ("windows-8.1-fr", "Windows 8.1 Home", "6.3.9600", "2023-01-10"),
        ("windows-10-vi-mien", "Windows 10 Pro", "10.0.19045.5011", "2025-10-14"),
        ("windows-10-de-doppelt", "Windows 10 Enterprise", "10.0.19044.3930", "2024-06-11"),
        (
            "windows-11-vi-het-han",
            "Windows 11 Home Single Language",
            "10.0.26100.2314",
            "2026-10-13",
        ),
        ("windows-11-chi-mien", "Windows 11 Enterprise", "10.0.26200.7171", "2028-10-10"),
        (
            "windows-server-2012r2-fr",
            "Windows Server 2012 R2 Standard",
            "6.3.9600",
            "2023-10-10",
        ),
        (
            "windows-server-2016-en",
            "Windows Server 2016 Standard",
            "10.0.14393.7428",
            "2027-01-12",
        ),
        (
            "windows-server-2019-vi",
            "Windows Server 2019 Standard",
            "10.0.17763.6532",
            "2029-01-09",
        ),
        (
            "windows-server-2022-de",
            "Windows Server 2022 Datacenter",
            "10.0.20348.2849",
            "2031-10-14",
        ),
    ],
)
def test_each_windows_has_its_name_and_its_end(machine, said, name, windows, version, end):
    facts = said(asset.PROBE, machine(name))
    assert windows == facts["os.name", None]
    assert version == facts["os.version", None]
    assert day(end) == facts["os.end_of_support_at", None]


@pytest.mark.parametrize(
    ("build", "edition", "end"),
    [
        (19044, "Professional", "2023-06-13"),
        (19044, "EnterpriseS", "2027-01-12"),
        (19044, "IoTEnterpriseS", "2032-01-13"),
        (17763, "EnterpriseSN", "2029-01-09"),
        (22631, "Education", "2026-11-10"),
        (22631, "CoreN", "2025-11-11"),
        (26100, "ServerRdsh", "2027-10-12"),
    ],
)
def test_the_end_depends_on_the_edition(build, edition, end):
    assert day(end) == asset.end_of_support(build, False, edition)


@pytest.mark.parametrize(
    ("build", "is_server", "edition"),
    [
        (28000, False, "Professional"),  # a build newer than the table
        (19045, False, "EnterpriseEval"),  # evaluation copies end when they like
        (17763, True, "ServerStandardACor"),  # the semi-annual channel ended long before 2019 does
        (19045, True, "Professional"),  # neither one thing nor the other
        (19041, False, "EnterpriseS"),  # no such release
        (7601, False, "Embedded"),
    ],
)
def test_it_reports_unknown_when_the_table_has_no_answer(build, is_server, edition):
    assert asset.end_of_support(build, is_server, edition) is None


def test_no_end_of_support_counts_esu():
    """Windows 7 and 2012 R2 could be paid for until 2023 and 2026; Windows 10 until 2028."""
    assert datetime(2021, 1, 1, tzinfo=UTC) > asset.end_of_support(7601, False, "Professional")
    assert datetime(2024, 1, 1, tzinfo=UTC) > asset.end_of_support(9600, True, "ServerStandard")
    assert datetime(2026, 1, 1, tzinfo=UTC) > asset.end_of_support(19045, False, "Professional")


def test_a_new_edition_keeps_its_own_name():
    assert "Windows 11 CloudEdition" == asset.name_of(26100, False, "CloudEdition")


def test_a_core_server_has_no_desktop(machine, said):
    facts = said(asset.PROBE, machine("windows-server-2022-de"))
    assert facts["session.desktop_present", None] is False
    assert said(asset.PROBE, machine("windows-server-2016-en"))["session.desktop_present", None]


def test_placeholders_are_no_names(machine, said):
    facts = said(asset.PROBE, machine("windows-7-vi"))
    assert "!not_found" == facts["asset.model", None]
    rows = {**machine("windows-7-vi").wmi_rows}
    rows[asset.CIMV2, asset.SERIAL_QUERY] = ({"SerialNumber": " To Be Filled By O.E.M. "},)
    host = replace(machine("windows-7-vi"), wmi_rows=rows)
    assert "!not_found" == said(asset.PROBE, host)["asset.serial", None]


def test_virtual_machines_by_their_maker_and_never_by_hypervisor_present(machine, said):
    facts = said(asset.PROBE, machine("windows-server-2016-en"))
    assert "virtual" == facts["asset.form", None]
    assert asset.is_virtual("Microsoft Corporation", "Virtual Machine")
    assert not asset.is_virtual("Microsoft Corporation", "Surface Pro 9")


def test_it_reports_unknown_when_wmi_is_denied(machine, said):
    host = replace(machine("windows-11-en"), errors={r"wmi root\cimv2": Unreadable.ACCESS_DENIED})
    facts = said(asset.PROBE, host)
    assert "!access_denied" == facts["asset.serial", None]
    assert "!access_denied" == facts["asset.form", None]
    assert "!access_denied" == facts["asset.domain_joined", None]
    assert "LENOVO" == facts["asset.manufacturer", None]


def test_it_reports_unknown_when_a_chassis_has_no_form(machine, said):
    rows = {**machine("windows-11-en").wmi_rows}
    for types in ((2,), (), None, ("3",)):
        rows[asset.CIMV2, asset.CHASSIS_QUERY] = ({"ChassisTypes": types},)
        facts = said(asset.PROBE, replace(machine("windows-11-en"), wmi_rows=rows))
        assert "!not_found" == facts["asset.form", None]


def test_it_reports_unknown_when_the_build_is_no_number(machine, said):
    host = with_value(machine("windows-11-en"), CURRENT_VERSION, "CurrentBuildNumber", "abc")
    facts = said(asset.PROBE, host)
    assert {"!malformed"} == {facts[key, None] for key in ("os.family", "os.name", "os.version")}


# What `systeminfo` prints in the language of the user is not read. Its version and its name, in
# three recordings in English, must be what the registry values behind them give.
SYSTEMINFO = {
    "windows-10-systeminfo": (False, "Enterprise", "Enterprise"),
    "windows-2012r2-systeminfo": (True, "ServerStandard", "Standard"),
    "windows-7-systeminfo": (False, "Professional", "Pro"),
}


@pytest.mark.parametrize("case", SYSTEMINFO)
def test_recordings_of_systeminfo(fixtures, case):
    folder = fixtures / "windows" / "updates" / "systeminfo"
    assert set(SYSTEMINFO) == {path.name for path in folder.iterdir()}
    expected = json.loads((folder / case / "expected.json").read_text("utf-8"))["expected"]
    is_server, edition, label = SYSTEMINFO[case]
    build = int(re.search(r"Build (\d+)", expected["os_version"]).group(1))
    named = asset.name_of(build, is_server, edition)
    recorded = expected["os_name"].replace("Microsoft ", "").replace("Professional", "Pro").strip()
    assert recorded == named
    assert named.endswith(label)
