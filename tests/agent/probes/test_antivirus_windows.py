import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from attt_agent.host import HostError, Service
from attt_agent.probes import antivirus_windows as antivirus
from attt_agent.probes.antivirus_windows import defender, security_center, vendors
from attt_rules.contract import Unreadable

ROWS = (security_center.NAMESPACE, security_center.PRODUCTS_QUERY)
STATUS = (defender.NAMESPACE, defender.STATUS_QUERY)
PRODUCTS = (antivirus.PRODUCTS, None)
DEFENDER = "Microsoft Defender"
SIGNATURES_AT = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)


def with_rows(host, query, rows):
    return replace(host, wmi_rows={**host.wmi_rows, query: tuple(rows)})


def with_services(host, **services):
    return replace(host, windows_services={**host.windows_services, **services})


def with_health(host, health):
    return replace(
        host, windows_security_center={**host.windows_security_center, "antivirus": health}
    )


def with_values(host, key, **values):
    merged = {**(host.registry.get(key) or {}), **values}
    return replace(host, registry={**host.registry, key: merged})


def enabled(facts, item):
    return facts[antivirus.ENABLED, item]


def test_it_works(machine, said):
    facts = said(antivirus.PROBE, machine("windows-10-vi-mien"))
    assert ("Kaspersky", DEFENDER) == facts[PRODUCTS]
    assert enabled(facts, "Kaspersky") is True
    assert "12.6.0.438" == facts[antivirus.VERSION, "Kaspersky"]
    assert SIGNATURES_AT == facts[antivirus.SIGNATURES, "Kaspersky"]
    assert facts[antivirus.MANAGED, "Kaspersky"] is True
    assert "ksc.tinh.example" == facts[antivirus.SERVER, "Kaspersky"]
    assert enabled(facts, DEFENDER) is False  # passive


def test_defender_alone(machine, said):
    facts = said(antivirus.PROBE, machine("windows-11-en"))
    assert (DEFENDER,) == facts[PRODUCTS]
    assert enabled(facts, DEFENDER) is True
    assert "4.18.26100.1" == facts[antivirus.VERSION, DEFENDER]
    updated_at = datetime(2026, 11, 21, 9, 40, 35, tzinfo=UTC)
    assert updated_at == facts[antivirus.SIGNATURES, DEFENDER]
    assert facts[antivirus.MANAGED, DEFENDER] is False
    assert "!not_supported" == facts[antivirus.SERVER, DEFENDER]


# --- the bit field ----------------------------------------------------------------------------


def test_the_published_values_of_product_state(fixtures):
    path = fixtures / "antivirus" / "windows" / "productstate_reference.json"
    reference = json.loads(path.read_text("utf-8"))
    assert len(reference["values"]) >= 9
    for value in reference["values"]:
        state, up_to_date = security_center.decode_product_state(value["value"])
        assert value["state"] == state
        assert (value["signatures"] == "up_to_date") is up_to_date
    # 344064 (0x054000) was seen on real PCs and is described nowhere.
    seen = reference["values_seen_on_10000_endpoints_of_34_products"]["values"]
    unclear = [n for n in seen if security_center.decode_product_state(n)[0] == "unclear"]
    assert [344064] == unclear


@pytest.mark.parametrize("state", [None, True, -1, 0, "on", "", 0x044000, 344064, 0x001000, 1.0])
def test_a_product_state_that_no_source_describes_is_unclear(machine, said, state):
    assert ("unclear", None) == (security_center.decode_product_state(state)[0], None)
    host = machine("windows-7-vi")
    [row] = host.wmi_rows[ROWS]
    host = with_rows(host, ROWS, [{**row, "productState": state}])
    host = with_services(host, klnagent=Service("stopped", "auto"))
    facts = said(antivirus.PROBE, host)
    assert ("Kaspersky",) == facts[PRODUCTS]
    assert "!malformed" == enabled(facts, "Kaspersky")


def test_signatures_that_no_source_describes_are_neither_old_nor_new():
    assert ("on", None) == security_center.decode_product_state(0x041020)


def test_it_reports_unknown_when_a_registration_has_no_name(machine, said):
    host = with_rows(machine("windows-11-vi-het-han"), ROWS, [{"productState": 266240}])
    assert {PRODUCTS: "!malformed"} == said(antivirus.PROBE, host)


@pytest.mark.parametrize(
    ("name", "item"), [("windows-10-vi-tam-dung", "360"), ("windows-11-vi-het-han", "Bkav")]
)
def test_snoozed_and_expired_products_protect_nobody(machine, said, name, item):
    facts = said(antivirus.PROBE, machine(name))
    assert enabled(facts, item) is False
    assert enabled(facts, DEFENDER) is False
    assert "!not_supported" == facts[antivirus.SIGNATURES, item]


# --- what does not agree ----------------------------------------------------------------------


def test_a_registration_without_its_programs_is_left_out(machine, said):
    """An uninstalled McAfee stays registered, and says "on"."""
    host = machine("windows-8.1-fr")
    names = [row["displayName"] for row in host.wmi_rows[ROWS]]
    assert ["McAfee VirusScan", "Windows Defender"] == names
    facts = said(antivirus.PROBE, host)
    assert (DEFENDER,) == facts[PRODUCTS]
    assert enabled(facts, DEFENDER) is True


def test_a_registration_whose_programs_cannot_be_looked_for_is_unknown(machine, said):
    host = machine("windows-8.1-fr")
    path = host.wmi_rows[ROWS][0]["pathToSignedReportingExe"]
    facts = said(
        antivirus.PROBE, replace(host, errors={f"exists {path}": Unreadable.ACCESS_DENIED})
    )
    assert "!malformed" == enabled(facts, "Trellix (McAfee)")


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ('"{}"', True),
        ("{} -enable", "!malformed"),  # nobody can look for that, and no service of it is there
        ("%SystemDrive%\\x.exe", "!malformed"),
        ("C:\\gone.exe", None),
    ],
)
def test_how_a_registered_program_is_written(machine, said, form, answer):
    host = machine("windows-7-vi")
    [row] = host.wmi_rows[ROWS]
    path = form.format(row["pathToSignedReportingExe"])
    row = {**row, "pathToSignedReportingExe": path, "pathToSignedProductExe": None}
    services = {k: v for k, v in host.windows_services.items() if k not in ("AVP", "klnagent")}
    host = replace(with_rows(host, ROWS, [row]), windows_services=services)
    assert answer == said(antivirus.PROBE, host).get((antivirus.ENABLED, "Kaspersky"))


def test_two_registrations_of_one_product_are_one(machine, said):
    facts = said(antivirus.PROBE, machine("windows-10-de-doppelt"))
    assert ("ESET", DEFENDER) == facts[PRODUCTS]
    # One says on, the other off, Security Center says poor.
    assert "!malformed" == enabled(facts, "ESET")
    assert datetime(2026, 3, 20, tzinfo=UTC) == facts[antivirus.SIGNATURES, "ESET"]
    facts = said(antivirus.PROBE, with_health(machine("windows-10-de-doppelt"), "good"))
    assert enabled(facts, "ESET") is True


def test_the_old_registration_goes_with_its_program(machine, said):
    host = machine("windows-10-de-doppelt")
    host = replace(host, present=frozenset(p for p in host.present if "old" not in p))
    facts = said(antivirus.PROBE, host)
    assert enabled(facts, "ESET") is True  # poor because the signatures are old: no disagreement
    host = with_rows(host, ROWS, [{**row, "productState": 266240} for row in host.wmi_rows[ROWS]])
    assert "!malformed" == enabled(said(antivirus.PROBE, host), "ESET")


@pytest.mark.parametrize(
    ("health", "answer"),
    [("good", True), ("not_monitored", True), ("snooze", "!malformed"), ("poor", "!malformed")],
)
def test_the_health_of_security_center_must_agree(machine, said, health, answer):
    host = with_rows(machine("windows-10-vi-mien"), ROWS, machine("windows-7-vi").wmi_rows[ROWS])
    host = replace(host, present=host.present | machine("windows-7-vi").present)
    facts = said(
        antivirus.PROBE,
        with_services(with_health(host, health), klnagent=Service("stopped", "auto")),
    )
    assert answer == enabled(facts, "Kaspersky")


def test_a_product_that_says_off_while_security_center_says_good_is_unknown(machine, said):
    host = machine("windows-7-vi")
    [row] = host.wmi_rows[ROWS]
    host = with_rows(host, ROWS, [{**row, "productState": 262144}])
    host = with_services(host, klnagent=Service("stopped", "auto"))
    assert "!malformed" == enabled(said(antivirus.PROBE, host), "Kaspersky")
    assert enabled(said(antivirus.PROBE, with_health(host, "poor")), "Kaspersky") is False


def test_a_registration_that_says_on_while_its_service_is_stopped_is_unknown(machine, said):
    host = with_services(
        machine("windows-10-vi-mien"), **{"AVP.KES.21.15": Service("stopped", "auto")}
    )
    assert "!malformed" == enabled(said(antivirus.PROBE, host), "Kaspersky")


@pytest.mark.parametrize("rtp", [1, 2, 9])
def test_a_registration_that_says_on_while_the_product_says_off_is_unknown(machine, said, rtp):
    key = vendors.AV_STATE % "WOW6432Node\\"
    host = with_values(machine("windows-10-vi-mien"), key, Protection_RtpState=rtp)
    assert "!malformed" == enabled(said(antivirus.PROBE, host), "Kaspersky")


def test_security_center_without_its_service_proves_nothing(machine, said):
    host = with_services(machine("windows-10-vi-mien"), wscsvc=Service("stopped", "auto"))
    facts = said(antivirus.PROBE, host)
    assert enabled(facts, "Kaspersky") is True  # the Network Agent still says so
    host = with_services(host, klnagent=Service("stopped", "auto"))
    assert "!not_found" == said(antivirus.PROBE, host)[PRODUCTS]


@pytest.mark.parametrize("reason", [Unreadable.ACCESS_DENIED, Unreadable.NOT_SUPPORTED])
def test_it_reports_unknown_when_security_center_of_a_pc_does_not_answer(machine, said, reason):
    """Not even "Defender is off": the product that protects this PC may be the one not seen."""
    host = replace(
        machine("windows-11-vi-het-han"), errors={rf"wmi {security_center.NAMESPACE}": reason}
    )
    assert {PRODUCTS: "!" + reason.value} == said(antivirus.PROBE, host)


def test_it_looked_and_found_none(machine, said):
    host = with_rows(machine("windows-7-vi"), ROWS, ())
    services = {k: v for k, v in host.windows_services.items() if k not in ("AVP", "WinDefend")}
    facts = said(antivirus.PROBE, replace(host, windows_services=services))
    assert {PRODUCTS: ()} == facts


def test_it_reports_unknown_when_nothing_answers_but_an_empty_list(machine, said):
    host = replace(with_rows(machine("windows-7-vi"), ROWS, ()), windows_services={})
    assert {PRODUCTS: "!malformed"} == said(antivirus.PROBE, host)


def test_the_windows_defender_of_windows_7_is_no_antivirus(machine, said):
    host = machine("windows-7-vi")
    assert "WinDefend" in host.windows_services
    assert ("Kaspersky",) == said(antivirus.PROBE, host)[PRODUCTS]


def test_an_unknown_make_keeps_its_name(machine, said):
    host = machine("windows-7-vi")
    [row] = host.wmi_rows[ROWS]
    exe = "C:\\Program Files\\Lá Chắn\\lc.exe"
    row = {**row, "displayName": "Lá Chắn AV", "pathToSignedReportingExe": exe}
    row["pathToSignedProductExe"] = exe
    host = replace(with_rows(host, ROWS, [row]), present=host.present | {exe})
    facts = said(antivirus.PROBE, host)
    assert enabled(facts, "Lá Chắn AV") is True
    assert "!not_supported" == facts[antivirus.SIGNATURES, "Lá Chắn AV"]
    assert "!not_supported" == facts[antivirus.MANAGED, "Lá Chắn AV"]


def test_signatures_that_call_themselves_old_are_not_young(machine, said):
    host = machine("windows-11-en")
    [row] = host.wmi_rows[ROWS]
    host = with_health(with_rows(host, ROWS, [{**row, "productState": 397584}]), "poor")
    facts = said(antivirus.PROBE, host)
    assert enabled(facts, DEFENDER) is True
    assert "!malformed" == facts[antivirus.SIGNATURES, DEFENDER]


# --- servers ----------------------------------------------------------------------------------


def test_a_server_has_no_security_center_and_its_products_are_seen(machine, said):
    facts = said(antivirus.PROBE, machine("windows-server-2012r2-fr"))
    assert ("ESET",) == facts[PRODUCTS]
    assert "!not_supported" == enabled(facts, "ESET")  # its service runs; nobody says "on"
    assert facts[antivirus.MANAGED, "ESET"] is True
    assert datetime(2026, 11, 21, tzinfo=UTC) == facts[antivirus.SIGNATURES, "ESET"]


def test_kaspersky_for_windows_server(machine, said):
    facts = said(antivirus.PROBE, machine("windows-server-2019-vi"))
    assert enabled(facts, "Kaspersky") is True
    assert facts[antivirus.MANAGED, "Kaspersky"] is True
    assert enabled(facts, DEFENDER) is False


def test_defender_on_a_server(machine, said):
    facts = said(antivirus.PROBE, machine("windows-server-2016-en"))
    assert (DEFENDER,) == facts[PRODUCTS]
    assert enabled(facts, DEFENDER) is True


def test_a_product_that_cannot_be_asked_is_listed_with_nothing_known(machine, said):
    facts = said(antivirus.PROBE, machine("windows-server-2022-de"))
    for key in (antivirus.ENABLED, antivirus.VERSION, antivirus.SIGNATURES, antivirus.MANAGED):
        assert "!not_supported" == facts[key, "SentinelOne"]
    assert enabled(facts, "CrowdStrike Falcon") is False  # its service does not run


def test_a_server_without_any_known_product_has_none(machine, said):
    host = machine("windows-server-2022-de")
    services = {k: v for k, v in host.windows_services.items() if k in ("MpsSvc", "EventLog")}
    assert {PRODUCTS: ()} == said(antivirus.PROBE, replace(host, windows_services=services))


def test_it_reports_unknown_when_the_services_of_a_server_are_denied(machine, said):
    host = machine("windows-server-2019-vi")
    host = replace(host, errors={**host.errors, "services": Unreadable.ACCESS_DENIED})
    assert {PRODUCTS: "!access_denied"} == said(antivirus.PROBE, host)


# --- Defender ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"RealTimeProtectionEnabled": False}, "!malformed"),  # Security Center says on
        ({"AMRunningMode": "Passive Mode"}, "!malformed"),
        ({"AMRunningMode": "EDR Block Mode"}, "!malformed"),
        ({"AMRunningMode": None}, True),  # versions before 2020 have no such property
    ],
)
def test_what_defender_says_must_agree(machine, said, changed, answer):
    host = machine("windows-11-en")
    host = with_rows(host, STATUS, [{**host.wmi_rows[STATUS][0], **changed}])
    assert answer == enabled(said(antivirus.PROBE, host), DEFENDER)


def test_defender_is_not_asked_while_another_product_is_active(machine, said):
    """On Windows 10 1903 the class then hangs until the time limit."""
    host = machine("windows-10-vi-mien")
    hanging = {rf"wmi {defender.NAMESPACE}": Unreadable.TIMEOUT}
    facts = said(antivirus.PROBE, replace(host, errors=hanging))
    assert "!timeout" not in facts.values()


def test_it_reports_unknown_when_defender_times_out(machine, said):
    hanging = {rf"wmi {defender.NAMESPACE}": Unreadable.TIMEOUT}
    host = machine("windows-server-2016-en")
    facts = said(antivirus.PROBE, replace(host, errors={**host.errors, **hanging}))
    # The registry alone proves nothing on; the list is complete, so it is there and unknown.
    assert "!not_supported" == enabled(facts, DEFENDER)
    assert "!timeout" == facts[antivirus.VERSION, DEFENDER]


def test_switched_off_by_policy(machine, said):
    hanging = {rf"wmi {defender.NAMESPACE}": Unreadable.TIMEOUT}
    host = replace(
        machine("windows-server-2016-en"),
        errors={**machine("windows-server-2016-en").errors, **hanging},
    )
    host = with_values(host, defender.POLICY, DisableAntiSpyware=1)
    assert enabled(said(antivirus.PROBE, host), DEFENDER) is False


def test_defender_under_microsofts_cloud(machine, said):
    host = with_values(machine("windows-11-en"), defender.CLOUD_STATUS, OnboardingState=1)
    assert said(antivirus.PROBE, host)[antivirus.MANAGED, DEFENDER] is True


def test_it_reports_unknown_when_another_console_may_manage_defender(machine, said):
    host = with_services(machine("windows-11-en"), CcmExec=Service("running", "auto"))
    assert "!not_supported" == said(antivirus.PROBE, host)[antivirus.MANAGED, DEFENDER]


@pytest.mark.parametrize(
    ("said_time", "expected"),
    [
        ("20240601094035.000000+000", datetime(2024, 6, 1, 9, 40, 35, tzinfo=UTC)),
        ("20240601164035.000000+420", datetime(2024, 6, 1, 9, 40, 35, tzinfo=UTC)),
        ("20240601044035.000000-300", datetime(2024, 6, 1, 9, 40, 35, tzinfo=UTC)),
    ],
)
def test_cim_times(said_time, expected):
    assert expected == defender.parse_cim_time(said_time)


@pytest.mark.parametrize("said_time", ["", None, "20240601094035", "2024060109403x.000000+000"])
def test_it_refuses_times_of_another_form(said_time):
    with pytest.raises(HostError):
        defender.parse_cim_time(said_time)


# --- other makes ------------------------------------------------------------------------------


def test_kaspersky_without_its_agent_is_not_managed(machine, said):
    host = machine("windows-10-vi-mien")
    services = {k: v for k, v in host.windows_services.items() if k != "klnagent"}
    facts = said(antivirus.PROBE, replace(host, windows_services=services))
    assert enabled(facts, "Kaspersky") is True
    assert facts[antivirus.MANAGED, "Kaspersky"] is False
    assert "!not_supported" == facts[antivirus.SERVER, "Kaspersky"]
    assert "!not_supported" == facts[antivirus.SIGNATURES, "Kaspersky"]


def test_an_agent_that_never_reached_its_server_manages_nothing(machine, said):
    key = vendors.AV_STATE % "WOW6432Node\\"
    host = with_values(machine("windows-10-vi-mien"), key, Protection_LastConnected="")
    assert said(antivirus.PROBE, host)[antivirus.MANAGED, "Kaspersky"] is False


def test_it_reports_unknown_when_a_date_of_bases_has_another_form(machine, said):
    key = vendors.AV_STATE % "WOW6432Node\\"
    host = with_values(machine("windows-10-vi-mien"), key, Protection_BasesDate="11/21/2026")
    assert "!malformed" == said(antivirus.PROBE, host)[antivirus.SIGNATURES, "Kaspersky"]


@pytest.mark.parametrize(
    ("service", "item"),
    [
        ("AVP", "Kaspersky"),
        ("AVP.KES.21.3", "Kaspersky"),
        ("AVP21.9", "Kaspersky"),
        ("kavfs", "Kaspersky"),
        ("BkavService", "Bkav"),
        ("ekrn", "ESET"),
        ("cmccore", "CMC"),
        ("ntrtscan", "Trend Micro"),
        ("ds_agent", "Trend Micro"),
        ("SepMasterService", "Symantec Endpoint Protection"),
        ("McShield", "Trellix (McAfee)"),
        ("SAVService", "Sophos"),
        ("HipsDaemon", "Huorong"),
        ("ZhuDongFangYu", "360"),
        ("SentinelAgent", "SentinelOne"),
        ("CSFalconService", "CrowdStrike Falcon"),
        ("EPSecurityService", "Bitdefender"),
        ("avast! Antivirus", "Avast"),
        ("AVG Antivirus", "AVG"),
        ("MsMpSvc", "Microsoft Security Essentials"),
    ],
)
@pytest.mark.parametrize("state", ["running", "stopped"])
def test_products_by_their_services(machine, said, service, item, state):
    host = machine("windows-server-2012r2-fr")
    host = replace(host, windows_services={service: Service(state, "auto")})
    facts = said(antivirus.PROBE, host)
    assert (item,) == facts[PRODUCTS]
    assert enabled(facts, item) is False if state == "stopped" else "!not_supported"


def test_products_by_their_programs(machine, said):
    host = machine("windows-server-2012r2-fr")
    host = replace(
        host,
        windows_services={"MpsSvc": Service("running", "auto")},
        processes=frozenset({"CMCTrayIcon.exe", "ZhuDongFangYu.exe"}),
    )
    assert ("CMC", "360") == said(antivirus.PROBE, host)[PRODUCTS]


def test_symantec_and_trellix_as_microsoft_documents_them(machine, said):
    host = machine("windows-server-2012r2-fr")
    host = replace(
        host,
        windows_services={
            "SepMasterService": Service("running", "auto"),
            "mfetp": Service("running", "auto"),
        },
    )
    host = with_values(host, vendors.SYMANTEC, PRODUCTVERSION="14.3.9210.6000")
    host = with_values(
        host, vendors.SYMANTEC + r"\public-opstate", LatestVirusDefsDate="2026-11-20"
    )
    host = with_values(host, vendors.SYMANTEC_SWITCH, OnOff=1)
    host = with_values(host, vendors.TRELLIX, ProductVersion="10.7.0.1960")
    host = with_values(host, vendors.TRELLIX_CONTENT, szContentCreationDate="2026-11-19")
    host = with_values(host, vendors.TRELLIX_SWITCH, enableoas=0)
    facts = said(antivirus.PROBE, host)
    item = "Symantec Endpoint Protection"
    assert enabled(facts, item) is True
    assert "14.3.9210.6000" == facts[antivirus.VERSION, item]
    assert datetime(2026, 11, 20, tzinfo=UTC) == facts[antivirus.SIGNATURES, item]
    assert "!not_supported" == facts[antivirus.MANAGED, item]
    assert enabled(facts, "Trellix (McAfee)") is False
    day = datetime(2026, 11, 19, tzinfo=UTC)
    assert day == facts[antivirus.SIGNATURES, "Trellix (McAfee)"]


# --- recordings -------------------------------------------------------------------------------


def rows_of(path):
    """The rows of a recorded AntiVirusProduct, as PowerShell, wmic or JSON print them."""
    text = path.read_text("utf-8-sig")
    if path.suffix == ".json":
        said = json.loads(text)
        return said if isinstance(said, list) else [said]
    rows, row = [], {}
    for line in [*text.splitlines(), ""]:
        separator = " : " if " : " in line else "="
        name, found, value = line.partition(separator)
        if line.startswith("    ") and row:  # a long value goes on
            last = next(reversed(row))
            row[last] += " " + line.strip()
        elif found and name.strip()[:2] != "__":
            row[name.strip()] = value.strip()
        elif not line.strip() and row:
            rows.append(row)
            row = {}
    return rows


NAMES = {
    "AVG Antivirus": "AVG",
    "Bitdefender Antivirus": "Bitdefender",
    "Windows Defender": DEFENDER,
    "Kaspersky Endpoint Security 10 für Windows": "Kaspersky",
    "Sophos Anti-Virus": "Sophos",
}
CENTER_CASES = (
    "avg-json-array",
    "avg-json-single",
    "bitdefender-thm",
    "defender-only-2024",
    "defender-only-wmic",
    "kaspersky-endpoint-10-de",
    "sophos-endpoint",
)
# Windows XP had another namespace and no Python of ours; an agent never runs there.
CENTER_NOT_READ = {"symantec-xp-securitycenter"}


@pytest.mark.parametrize("case", CENTER_CASES)
def test_recordings_of_security_center(fixtures, machine, said, case):
    folder = fixtures / "antivirus" / "windows" / "securitycenter2"
    known = {*CENTER_CASES, *CENTER_NOT_READ, "server-no-namespace-fr"}
    assert known == {path.name for path in folder.iterdir()}
    expected = json.loads((folder / case / "expected.json").read_text("utf-8"))["expected"]
    rows = rows_of(next(p for p in (folder / case).iterdir() if p.stem == "input"))
    if case == "kaspersky-endpoint-10-de":  # a function of its author printed other names
        [row] = rows
        rows = [
            {
                "displayName": row["Name"],
                "productState": row["ProductState"],
                "pathToSignedReportingExe": row["ProductExecutable"],
            }
        ]
    host = with_health(with_rows(machine("windows-11-en"), ROWS, rows), "good")
    paths = frozenset(row["pathToSignedReportingExe"] for row in rows)
    facts = said(antivirus.PROBE, replace(host, present=host.present | paths))
    for product in expected["products"]:
        assert (product["state"] == "on") is enabled(facts, NAMES[product["name"]])
        [own] = [r for r in map(security_center.parse_row, rows) if r.name == product["name"]]
        assert (product["signatures"] == "up_to_date") is own.up_to_date
    assert expected["any_active"] is (True in facts.values())


def test_recording_of_a_server_without_the_namespace(fixtures, machine, said):
    """Nothing follows from it: whether an antivirus runs is to be seen elsewhere."""
    case = fixtures / "antivirus" / "windows" / "securitycenter2" / "server-no-namespace-fr"
    expected = json.loads((case / "expected.json").read_text("utf-8"))["expected"]
    assert expected["namespace_missing"] and expected["any_active"] is None
    host = machine("windows-server-2012r2-fr")
    assert Unreadable.NOT_SUPPORTED is host.errors[rf"wmi {security_center.NAMESPACE}"]
    assert "!not_supported" == enabled(said(antivirus.PROBE, host), "ESET")


STATUS_CASES = (
    "all-on-2022",
    "all-on-au-2019",
    "edr-block-mode-de",
    "server2022-wmic-fr-host",
)


@pytest.mark.parametrize("case", STATUS_CASES)
def test_recordings_of_defender(fixtures, case):
    """Times are printed in the language of the user; only the form of WMI itself is read."""
    folder = fixtures / "antivirus" / "windows" / "mpcomputerstatus"
    assert set(STATUS_CASES) == {path.name for path in folder.iterdir()}
    expected = json.loads((folder / case / "expected.json").read_text("utf-8"))["expected"]
    [row] = rows_of(folder / case / "input.txt")
    words = {"True": True, "TRUE": True, "False": False, "FALSE": False}
    row = {name: words.get(value, value) for name, value in row.items()}
    assert expected["running_mode"] == row.get("AMRunningMode")
    assert expected["product_version"] == row["AMProductVersion"]
    on = defender.real_time_protection(row)
    if expected["running_mode"] not in (None, "Normal"):
        assert on is False  # real-time protection is set, but another product is the antivirus
    else:
        assert expected["real_time_protection"] is on
    if case == "server2022-wmic-fr-host":
        updated_at = defender.parse_cim_time(row["AntispywareSignatureLastUpdated"])
        assert datetime(2024, 6, 1, 9, 40, 35, tzinfo=UTC) == updated_at
