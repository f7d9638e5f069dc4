import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from attt_agent.host import CommandResult, HostError
from attt_agent.probes import antivirus
from attt_rules.contract import Unreadable

KESL = "Kaspersky Endpoint Security"
KESL_INFO = (antivirus.KESL_CONTROL, "--app-info")


def with_command(host, argv, stdout, exit_code=0, stderr=""):
    result = CommandResult(exit_code, stdout, stderr)
    return replace(host, commands={**host.commands, tuple(argv): result})


def test_it_works(machine, said):
    expected = {
        ("antivirus.products", None): (KESL,),
        ("antivirus.product.enabled", KESL): True,
        ("antivirus.product.version", KESL): "12.0.0.6672",
        # 20:15 in Việt Nam
        ("antivirus.product.signatures_updated_at", KESL): datetime(
            2026, 11, 21, 13, 15, tzinfo=UTC
        ),
        ("antivirus.product.managed", KESL): True,
        ("antivirus.product.management_server", KESL): "ksc.tinh.example",
    }
    assert expected == said(antivirus.PROBE, machine("debian-12-may-ban"))


def test_it_looked_and_found_none(machine, said):
    assert {("antivirus.products", None): ()} == said(antivirus.PROBE, machine("ubuntu-2204"))


def test_it_reports_unknown_when_a_product_folder_is_closed(machine, said):
    host = replace(
        machine("ubuntu-2204"), errors={"exists /opt/eset/eea": Unreadable.ACCESS_DENIED}
    )
    assert {("antivirus.products", None): "!access_denied"} == said(antivirus.PROBE, host)


def test_clamav_is_on_only_when_it_scans_on_access(machine, said):
    host = machine("debian-12-may-chu")
    facts = said(antivirus.PROBE, host)
    assert facts["antivirus.product.enabled", "ClamAV"] is True
    assert "1.0.7" == facts["antivirus.product.version", "ClamAV"]
    updated_at = datetime(2026, 11, 21, 8, 24, tzinfo=UTC)
    assert updated_at == facts["antivirus.product.signatures_updated_at", "ClamAV"]
    assert facts["antivirus.product.managed", "ClamAV"] is False

    for processes, enabled in (
        ({"clamd", "freshclam"}, False),
        ({"systemd"}, False),
        ({"clamonacc"}, "!not_supported"),
    ):
        facts = said(antivirus.PROBE, replace(host, processes=frozenset(processes)))
        assert enabled == facts["antivirus.product.enabled", "ClamAV"]


def test_clamav_before_0_102_scanned_on_access_by_itself():
    settings = "LocalSocket /run/x\nScanOnAccess yes\n"
    assert antivirus.clamav_scans_on_access(("clamd",), settings, "0.101.4")
    assert not antivirus.clamav_scans_on_access(("clamd",), settings, "0.103.8")
    assert not antivirus.clamav_scans_on_access(("clamd",), settings, None)
    assert not antivirus.clamav_scans_on_access(("clamd",), "#ScanOnAccess yes", "0.101.4")


def test_clamav_signatures_without_the_number_of_seconds():
    head = "ClamAV-VDB:16 Sep 2021 08-32 -0400:26295:1957831"
    expected = datetime(2021, 9, 16, 12, 32, tzinfo=UTC)
    assert expected == antivirus.parse_clamav_database(head)
    with pytest.raises(ValueError):
        antivirus.parse_clamav_database("PK\x03\x04")


def test_it_reports_unknown_when_the_clamav_database_is_something_else(machine, said):
    host = machine("debian-12-may-chu")
    files = {**host.files, "/var/lib/clamav/daily.cld": b"junk"}
    facts = said(antivirus.PROBE, replace(host, files=files))
    assert "!malformed" == facts["antivirus.product.signatures_updated_at", "ClamAV"]


@pytest.mark.parametrize(
    ("state", "enabled"),
    [
        ("File Threat Protection: Available and stopped", False),
        ("File monitoring: Available and running", True),
        ("File monitoring: Unavailable due to license limitation", False),
        ("File Threat Protection: Có và đang chạy", "!malformed"),
        ("Name: Kaspersky", "!not_found"),
    ],
)
def test_kesl_is_on_only_when_it_says_so(machine, said, state, enabled):
    host = with_command(machine("debian-12-may-ban"), KESL_INFO, state + "\n")
    assert enabled == said(antivirus.PROBE, host)["antivirus.product.enabled", KESL]


def test_it_reports_unknown_when_kesl_control_says_nothing(machine, said):
    host = with_command(machine("debian-12-may-ban"), KESL_INFO, "")
    facts = said(antivirus.PROBE, host)
    assert "!malformed" == facts["antivirus.product.enabled", KESL]
    host = with_command(machine("debian-12-may-ban"), KESL_INFO, "", 1, "Permission denied")
    facts = said(antivirus.PROBE, host)
    assert "!access_denied" == facts["antivirus.product.enabled", KESL]


def test_kesl_without_network_agent_is_not_managed(machine, said):
    host = machine("debian-12-may-ban")
    files = {path: text for path, text in host.files.items() if "klnagent" not in path}
    facts = said(antivirus.PROBE, replace(host, files=files))
    assert facts["antivirus.product.managed", KESL] is False
    assert "!not_supported" == facts["antivirus.product.management_server", KESL]


def test_a_network_agent_that_does_not_run_manages_nothing(machine, said):
    host = machine("debian-12-may-ban")
    facts = said(antivirus.PROBE, replace(host, processes=host.processes - {"klnagent"}))
    assert facts["antivirus.product.managed", KESL] is False


def test_a_product_that_cannot_be_asked_is_listed_with_nothing_known(machine, said):
    host = machine("ubuntu-2204")
    host = replace(host, present=frozenset({"/opt/sophos-spl"}))
    facts = said(antivirus.PROBE, host)
    assert ("Sophos",) == facts["antivirus.products", None]
    for key in antivirus.DETAILS:
        assert "!not_supported" == facts[key, "Sophos"]


def test_eset(machine, said):
    program = "/opt/eset/efs/bin/upd"
    host = replace(machine("ubuntu-2204"), present=frozenset({program}))
    host = with_command(host, (program, "--version"), "upd (efs) 10.1.168.0\n")
    host = with_command(
        host, (program, "--list-modules"), "EM002 27001 (20261120) Detection engine\n"
    )
    facts = said(antivirus.PROBE, host)
    item = "ESET Server Security"
    assert "10.1.168.0" == facts["antivirus.product.version", item]
    day = datetime(2026, 11, 20, tzinfo=UTC)
    assert day == facts["antivirus.product.signatures_updated_at", item]
    assert facts["antivirus.product.enabled", item] is False  # no on-access daemon runs

    host = replace(host, processes=frozenset({"oaeventd"}))
    assert "!not_found" == said(antivirus.PROBE, host)["antivirus.product.enabled", item]
    host = replace(host, files={**host.files, "/proc/modules": b"eset_rtp 139264 1 - Live 0x0\n"})
    assert said(antivirus.PROBE, host)["antivirus.product.enabled", item] is True
    host = replace(host, files={**host.files, "/proc/modules": b"ext4 139264 1 - Live 0x0\n"})
    assert "!not_supported" == said(antivirus.PROBE, host)["antivirus.product.enabled", item]


def test_defender_in_order(machine, said):
    facts = said(antivirus.PROBE, machine("rhel-9"))
    item = "Microsoft Defender"
    assert facts["antivirus.product.enabled", item] is True
    assert facts["antivirus.product.managed", item] is True


def test_a_time_zone_that_is_not_understood_is_unknown(machine, said):
    host = machine("debian-12-may-ban")
    host = replace(host, files={**host.files, "/etc/localtime": b"TZif\x00LMT\x00+07\x00"})
    facts = said(antivirus.PROBE, host)
    assert "!malformed" == facts["antivirus.product.signatures_updated_at", KESL]


def answer(fixtures, case):
    folder = fixtures / "antivirus" / "linux" / case
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    text = next(p for p in folder.iterdir() if p.stem == "input").read_text("utf-8")
    return text, expected["expected"]["products"]


def test_recording_of_bitdefender(fixtures):
    text, [product] = answer(fixtures, "bitdefender-best-7")
    fields = antivirus.parse_fields(text)
    assert product["enabled"] is antivirus.parse_bitdefender_protection(fields)
    assert product["version"] == fields["Product version"]
    updated_at = antivirus.parse_bitdefender_time(fields["Last security content update"])
    assert product["signature_date"] == updated_at.date().isoformat()
    assert datetime(2023, 8, 24, 9, 44, 37, tzinfo=UTC) == updated_at


def test_recording_of_kav4fs(fixtures, machine, said):
    text, [product] = answer(fixtures, "kaspersky-kav4fs-8")
    host = replace(machine("ubuntu-2204"), present=frozenset({antivirus.KAV4FS_CONTROL}))
    host = with_command(host, (antivirus.KAV4FS_CONTROL, "--app-info"), text)
    facts = said(antivirus.PROBE, host)
    assert (product["name"],) == facts["antivirus.products", None]
    assert product["version"] == facts["antivirus.product.version", product["name"]]
    assert product["enabled"] is None  # the recording does not say, and neither do we
    assert "!not_supported" == facts["antivirus.product.enabled", product["name"]]


def test_recording_of_defender_in_passive_mode(fixtures):
    text, [product] = answer(fixtures, "mdatp-passive")
    health = antivirus.parse_mdatp(text)
    assert product["enabled"] is health.enabled
    assert product["version"] == health.version
    assert product["signature_date"] == health.signatures_updated_at.date().isoformat()


def test_recording_of_defender_that_is_no_answer(fixtures):
    text, products = answer(fixtures, "mdatp-not-expected-output")
    assert [] == products
    with pytest.raises(ValueError):
        antivirus.parse_mdatp(text)


def test_a_bitdefender_that_says_something_new_is_unknown():
    with pytest.raises(HostError):
        antivirus.parse_bitdefender_protection({"Antimalware status": "Paused"})
