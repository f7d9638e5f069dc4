from dataclasses import replace
from datetime import UTC, datetime

import pytest

from attt_agent.probes import updates_windows as updates
from attt_rules.contract import Unreadable


def with_key(host, key, values):
    return replace(host, registry={**host.registry, key: values})


def test_it_works(machine, said):
    expected = {
        ("updates.last_installed_at", None): datetime(2026, 11, 12, 3, 10, tzinfo=UTC),
        ("updates.list_refreshed_at", None): "!not_supported",
        ("updates.pending_packages", None): "!not_supported",
        ("updates.pending_security_packages", None): "!not_supported",
        ("updates.reboot_done", None): True,
    }
    assert expected == said(updates.PROBE, machine("windows-11-en"))


def test_windows_before_10_keeps_the_time_of_its_last_search(machine, said):
    facts = said(updates.PROBE, machine("windows-7-vi"))
    refreshed = datetime(2026, 11, 20, 2, 10, 44, tzinfo=UTC)
    assert refreshed == facts["updates.list_refreshed_at", None]
    assert datetime(2020, 1, 20, 2, tzinfo=UTC) == facts["updates.last_installed_at", None]


@pytest.mark.parametrize("said_time", ["20/11/2026 02:10:44", "", "2026-13-20 02:10:44"])
def test_it_reports_unknown_when_that_time_has_another_form(machine, said, said_time):
    host = with_key(machine("windows-7-vi"), updates.DETECT, {"LastSuccessTime": said_time})
    told = said(updates.PROBE, host)["updates.list_refreshed_at", None]
    assert ("!malformed" if said_time else "!not_found") == told


@pytest.mark.parametrize("name", ["windows-7-vi", "windows-8.1-fr"])
def test_either_key_means_a_reboot_waits(machine, said, name):
    assert said(updates.PROBE, machine(name))["updates.reboot_done", None] is False


def test_packages_that_are_not_installed_do_not_count(machine, said):
    host = machine("windows-11-en")
    later = 0x01DD0000_00000000  # 2027
    values = {"InstallTimeHigh": later >> 32, "InstallTimeLow": 0}
    for name, state in (
        ("Package_for_RollupFix~31bf3856ad364e35~amd64~~22631.9.9", 0x40),  # staged
        ("Package_1_for_KB5000001~31bf3856ad364e35~amd64~~1.0", 0x70),  # a part
        ("Microsoft-Windows-Foundation-Package~31bf3856ad364e35~amd64~~1.0", 0x70),  # Windows
    ):
        key = f"{updates.PACKAGES}\\{name}"
        changed = with_key(host, key, {"CurrentState": state, **values})
        facts = said(updates.PROBE, changed)
        expected = datetime(2026, 11, 12, 3, 10, tzinfo=UTC)
        assert expected == facts["updates.last_installed_at", None]


def test_it_reports_unknown_when_no_update_was_ever_installed(machine, said):
    host = machine("windows-11-en")
    registry = {k: v for k, v in host.registry.items() if "Package_for" not in k}
    facts = said(updates.PROBE, replace(host, registry=registry))
    assert "!not_found" == facts["updates.last_installed_at", None]


def test_it_reports_unknown_when_servicing_is_denied(machine, said):
    refused = {
        f"registry_keys {updates.PACKAGES}": Unreadable.ACCESS_DENIED,
        f"registry_keys {updates.SERVICING}": Unreadable.ACCESS_DENIED,
    }
    facts = said(updates.PROBE, replace(machine("windows-11-en"), errors=refused))
    assert "!access_denied" == facts["updates.last_installed_at", None]
    assert "!access_denied" == facts["updates.reboot_done", None]


# The dates of Win32_QuickFixEngineering are texts in the order of the user's language, the list of
# waiting updates is the Windows Update Agent's alone: neither is read. The clearest case is the
# first: 9/10/2019 is in October there and would be in September in the United States.
NOT_READ = {
    "hotfix": {"qfe-es-co", "get-hotfix-id-single", "wmic-qfe-en", "xp-qfe-file1"},
    "pending": {"three-pending"},
}


@pytest.mark.parametrize("kind", NOT_READ)
def test_recordings_that_are_not_read(fixtures, kind):
    folder = fixtures / "windows" / "updates" / kind
    assert NOT_READ[kind] == {path.name for path in folder.iterdir()}
