from dataclasses import replace

import pytest

from attt_agent.probes import logon_windows as logon
from attt_rules.contract import Unreadable

SID = "S-1-5-21-1000000001-1000000002-1000000003"


def with_value(host, key, name, value):
    values = dict(host.registry.get(key) or {})
    values.pop(name, None)
    if value is not None:
        values[name] = value
    return replace(host, registry={**host.registry, key: values})


def test_it_works(machine, said):
    expected = {
        ("auto_logon.off", None): True,
        ("screen_lock.timeout_seconds", None): 600,
        ("screen_lock.password_required", None): True,
    }
    assert expected == said(logon.PROBE, machine("windows-11-en"))


@pytest.mark.parametrize(
    ("value", "off"),
    [
        ("1", False),
        (1, False),
        ("0", True),
        (0, True),
        (None, True),  # the default
        ("yes", "!malformed"),
        ("", "!malformed"),
        (b"\x01", "!malformed"),
    ],
)
def test_automatic_logon(machine, said, value, off):
    host = with_value(machine("windows-11-en"), logon.WINLOGON, "AutoAdminLogon", value)
    assert off == said(logon.PROBE, host)["auto_logon.off", None]


def test_automatic_logon_is_on_even_without_a_password_in_the_registry(machine, said):
    """Sysinternals' Autologon hides it among the secrets of the LSA."""
    assert said(logon.PROBE, machine("windows-11-vi-het-han"))["auto_logon.off", None] is False


def test_it_reports_unknown_when_winlogon_is_denied_or_empty(machine, said):
    host = machine("windows-11-en")
    denied = {f"registry_value {logon.WINLOGON} AutoAdminLogon": Unreadable.ACCESS_DENIED}
    facts = said(logon.PROBE, replace(host, errors=denied))
    assert "!access_denied" == facts["auto_logon.off", None]
    empty = replace(host, registry={**host.registry, logon.WINLOGON: {}})
    assert "!malformed" == said(logon.PROBE, empty)["auto_logon.off", None]


def test_windows_7_does_not_know_the_inactivity_limit(machine, said):
    host = machine("windows-7-vi")
    assert 600 == host.registry[logon.SYSTEM_POLICIES]["InactivityTimeoutSecs"]
    facts = said(logon.PROBE, host)
    assert facts["screen_lock.password_required", None] is False
    assert "!not_supported" == facts["screen_lock.timeout_seconds", None]


def test_the_screen_saver_policy_of_every_user(machine, said):
    facts = said(logon.PROBE, machine("windows-10-de-doppelt"))
    assert 600 == facts["screen_lock.timeout_seconds", None]
    assert facts["screen_lock.password_required", None] is True


@pytest.mark.parametrize("name", ["ScreenSaveActive", "ScreenSaverIsSecure", "ScreenSaveTimeOut"])
@pytest.mark.parametrize("value", [None, "0"])
def test_a_screen_saver_locks_only_with_all_three_values(machine, said, name, value):
    desktop = f"HKU\\{SID}-1001\\{logon.USER_DESKTOP}"
    host = with_value(machine("windows-10-de-doppelt"), desktop, name, value)
    facts = said(logon.PROBE, host)
    assert facts["screen_lock.password_required", None] is False
    assert "!not_supported" == facts["screen_lock.timeout_seconds", None]


def test_it_reports_unknown_when_another_user_is_not_logged_on(machine, said):
    host = machine("windows-10-de-doppelt")
    profile = f"{logon.PROFILES}\\{SID}-1002"
    host = replace(host, registry={**host.registry, profile: {}})
    facts = said(logon.PROBE, host)
    assert "!not_found" == facts["screen_lock.password_required", None]
    assert "!not_found" == facts["screen_lock.timeout_seconds", None]


def test_one_user_without_a_policy_is_enough_to_fail(machine, said):
    host = machine("windows-10-de-doppelt")
    more = {f"{logon.PROFILES}\\{SID}-1002": {}, f"HKU\\{SID}-1002\\Software": {}}
    facts = said(logon.PROBE, replace(host, registry={**host.registry, **more}))
    assert facts["screen_lock.password_required", None] is False


def test_it_reports_unknown_when_nobody_has_logged_on_yet(machine, said):
    host = machine("windows-8.1-fr")
    registry = {key: value for key, value in host.registry.items() if SID not in key}
    facts = said(logon.PROBE, replace(host, registry=registry))
    assert "!not_found" == facts["screen_lock.password_required", None]


def test_a_core_server_has_no_screen_to_lock(machine, said):
    facts = said(logon.PROBE, machine("windows-server-2022-de"))
    assert "!not_supported" == facts["screen_lock.password_required", None]
