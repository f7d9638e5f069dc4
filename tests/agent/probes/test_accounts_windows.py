from dataclasses import replace
from datetime import UTC, datetime

import pytest

from attt_agent.host import LocalAccount
from attt_agent.probes import accounts_windows as accounts
from attt_rules.contract import Unreadable

ENABLED = ("account.enabled", None)
WHEN = datetime(2026, 10, 2, 2, tzinfo=UTC)


def account(rid, required=True, set_at=WHEN, enabled=True):
    return LocalAccount(f"S-1-5-21-1-2-3-{rid}", enabled, required, set_at, None, False)


def test_it_works(machine, said):
    expected = {ENABLED: ("rid:1001",), ("account.password_set", "rid:1001"): "!not_supported"}
    assert expected == said(accounts.PROBE, machine("windows-11-en"))


def test_an_account_that_needs_no_password_and_never_had_one_has_none(machine, said):
    facts = said(accounts.PROBE, machine("windows-11-vi-het-han"))
    assert ("rid:1001", "rid:1002") == facts[ENABLED]
    assert facts["account.password_set", "rid:1001"] is False
    # Free to have none, and a password was set at some time: nobody can tell.
    assert "!not_supported" == facts["account.password_set", "rid:1002"]


@pytest.mark.parametrize(
    ("required", "set_at", "answer"),
    [
        (True, WHEN, "!not_supported"),  # may have been left empty before the policy was raised
        (False, WHEN, "!not_supported"),
        (True, None, "!not_supported"),  # must be changed at the next logon
        (False, None, False),
    ],
)
def test_a_password_is_never_said_to_be_there(machine, said, required, set_at, answer):
    people = (account(1001, required, set_at),)
    host = replace(machine("windows-11-en"), windows_accounts=people)
    assert answer == said(accounts.PROBE, host)["account.password_set", "rid:1001"]


def test_names_and_machine_numbers_are_never_said(machine, said):
    for key, item in said(accounts.PROBE, machine("windows-11-vi-het-han")):
        assert "S-1-5" not in f"{key} {item}"


def test_a_pc_without_enabled_local_accounts_has_none(machine, said):
    assert {ENABLED: ()} == said(accounts.PROBE, machine("windows-11-chi-mien"))


def test_a_domain_controller_has_no_local_accounts(machine, said):
    host = machine("windows-server-2022-de")
    assert {ENABLED: "!not_supported"} == said(accounts.PROBE, host)


def test_it_reports_unknown_when_windows_names_no_account_at_all(machine, said):
    host = replace(machine("windows-11-en"), windows_accounts=())
    assert {ENABLED: "!malformed"} == said(accounts.PROBE, host)


def test_it_reports_unknown_when_access_is_denied(machine, said):
    host = replace(machine("windows-11-en"), errors={"local_accounts": Unreadable.ACCESS_DENIED})
    assert "!access_denied" in said(accounts.PROBE, host).values()
    assert True not in said(accounts.PROBE, host).values()


def test_an_account_that_is_off_is_not_listed(machine, said):
    people = (account(500, enabled=False), account(1001))
    host = replace(machine("windows-11-en"), windows_accounts=people)
    assert ("rid:1001",) == said(accounts.PROBE, host)[ENABLED]
