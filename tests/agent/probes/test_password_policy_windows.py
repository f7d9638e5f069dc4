import json
from dataclasses import replace

import pytest

from attt_agent.host import AccountPolicy
from attt_agent.probes import password_policy_windows as policy
from attt_rules.contract import Unreadable


def test_it_works(machine, said):
    expected = {
        ("password_policy.minimum_length_chars", None): 8,
        ("password_policy.required_character_classes", None): 3,
        ("password_policy.complexity_enforced", None): True,
        ("password_policy.maximum_age_days", None): 90,
        ("password_policy.history_passwords", None): 5,
        ("lockout.threshold_attempts", None): 5,
        ("lockout.duration_seconds", None): 900,
    }
    assert expected == said(policy.PROBE, machine("windows-11-en"))


def test_the_defaults_of_windows_7(machine, said):
    facts = said(policy.PROBE, machine("windows-7-vi"))
    assert 0 == facts[policy.MINIMUM_LENGTH, None]
    assert 42 == facts[policy.MAXIMUM_AGE, None]
    assert facts[policy.COMPLEXITY, None] is False
    assert 0 == facts[policy.CLASSES, None]
    assert 0 == facts[policy.THRESHOLD, None]
    # Nothing locks: 0 seconds would read as the strictest there is.
    assert "!not_supported" == facts[policy.DURATION, None]


def test_until_an_administrator_unlocks_is_0_seconds(machine, said):
    facts = said(policy.PROBE, machine("windows-10-vi-tam-dung"))
    assert 5 == facts[policy.THRESHOLD, None]
    assert 0 == facts[policy.DURATION, None]


def test_one_account_whose_password_never_expires_undoes_the_age(machine, said):
    facts = said(policy.PROBE, machine("windows-server-2016-en"))
    assert 0 == facts[policy.MAXIMUM_AGE, None]


def test_it_reports_unknown_when_the_accounts_are_denied(machine, said):
    host = replace(machine("windows-11-en"), errors={"local_accounts": Unreadable.ACCESS_DENIED})
    facts = said(policy.PROBE, host)
    assert "!access_denied" == facts[policy.MAXIMUM_AGE, None]
    assert 8 == facts[policy.MINIMUM_LENGTH, None]


def test_it_reports_unknown_when_windows_does_not_say_complexity(machine, said):
    host = machine("windows-11-en")
    host = replace(
        host, windows_account_policy=replace(host.windows_account_policy, complexity=None)
    )
    facts = said(policy.PROBE, host)
    assert "!not_supported" == facts[policy.COMPLEXITY, None]
    assert "!not_supported" == facts[policy.CLASSES, None]


def test_it_reports_unknown_when_the_api_fails(machine, said):
    host = replace(machine("windows-11-en"), errors={"account_policy": Unreadable.MALFORMED})
    assert {"!malformed"} == set(said(policy.PROBE, host).values())


@pytest.mark.parametrize(("seconds", "days"), [(None, 0), (3600, 1), (86400, 1), (3628800, 42)])
def test_ages_in_days(seconds, days):
    assert days == policy.days_of(seconds)


# --- recordings -------------------------------------------------------------------------------
# The same settings as secedit writes them, turned into what NetUserModalsGet gives for them.


def policy_of_inf(text):
    settings = dict(
        line.replace(" ", "").split("=", 1)
        for line in text.partition("[System Access]")[2].partition("\n[")[0].splitlines()
        if "=" in line
    )
    maximum = int(settings["MaximumPasswordAge"])
    duration = int(settings.get("LockoutDuration", 30))
    return AccountPolicy(
        minimum_length_chars=int(settings["MinimumPasswordLength"]),
        maximum_age_seconds=None if maximum == -1 else maximum * 86400,
        history_passwords=int(settings["PasswordHistorySize"]),
        lockout_threshold_attempts=int(settings["LockoutBadCount"]),
        lockout_duration_seconds=None if duration == -1 else duration * 60,
        complexity=settings["PasswordComplexity"] == "1",
    )


@pytest.mark.parametrize(
    "case", ["dc-policy-samba-comment", "dod-baseline-utf16", "server-local-default"]
)
def test_recordings_of_secedit(fixtures, machine, said, case):
    folder = fixtures / "windows" / "password_policy" / "secedit"
    assert 3 == len(list(folder.iterdir()))
    expected = json.loads((folder / case / "expected.json").read_text("utf-8"))["expected"]
    raw = (folder / case / "input.inf").read_bytes()
    text = raw.decode("utf-16" if raw.startswith(b"\xff\xfe") else "utf-8")
    host = replace(machine("windows-11-en"), windows_account_policy=policy_of_inf(text))
    facts = {key: value for (key, _), value in said(policy.PROBE, host).items()}
    assert expected["min_length"] == facts[policy.MINIMUM_LENGTH]
    assert expected["max_age_days"] == facts[policy.MAXIMUM_AGE]
    assert expected["history_count"] == facts[policy.HISTORY]
    assert expected["complexity"] is facts[policy.COMPLEXITY]
    assert expected["lockout_threshold"] == facts[policy.THRESHOLD]
    minutes = expected["lockout_duration_min"]
    if not expected["lockout_threshold"]:
        assert "!not_supported" == facts[policy.DURATION]
    else:
        assert (0 if minutes == -1 else minutes * 60) == facts[policy.DURATION]


# `net accounts` answers in the language of the machine ("Jamais", "从不", "Never"), and its lines
# carry no other mark, so the probe does not run it. What its numbers mean is proven on secedit.
NOT_READ = {
    "en-2008-pdc",
    "en-standalone-empty",
    "en-ws-lockout5",
    "en-ws-no-trailer",
    "fr-ws-accents-dropped",
    "zh-bdc",
    "zh-ws-default",
}


def test_recordings_of_net_accounts_are_not_read(fixtures, machine, said):
    folder = fixtures / "windows" / "password_policy" / "net_accounts"
    assert NOT_READ == {path.name for path in folder.iterdir()}
    host = machine("windows-rong")
    for case in sorted(NOT_READ):
        text = (folder / case / "input.txt").read_text("utf-8")
        commands = {("net", "accounts"): replace(next(iter(host.commands.values())), stdout=text)}
        facts = said(policy.PROBE, replace(host, commands=commands))
        assert {"!not_found"} == set(facts.values())
