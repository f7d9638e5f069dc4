import json
from dataclasses import replace

import pytest

from attt_agent.host import HostError
from attt_agent.probes import password_policy as policy
from attt_rules.contract import Unreadable


def test_it_works(machine, said):
    expected = {
        ("password_policy.minimum_length_chars", None): 14,
        ("password_policy.required_character_classes", None): 4,
        ("password_policy.complexity_enforced", None): True,
        ("password_policy.maximum_age_days", None): 90,
        ("password_policy.history_passwords", None): 5,
        ("lockout.threshold_attempts", None): 5,
        ("lockout.duration_seconds", None): 900,
    }
    assert expected == said(policy.PROBE, machine("debian-12-may-ban"))


def test_a_fresh_debian_demands_six_characters_and_never_locks(machine, said):
    expected = {
        ("password_policy.minimum_length_chars", None): 6,
        ("password_policy.required_character_classes", None): 0,
        ("password_policy.complexity_enforced", None): False,
        ("password_policy.maximum_age_days", None): 0,
        ("password_policy.history_passwords", None): 0,
        ("lockout.threshold_attempts", None): 0,
        ("lockout.duration_seconds", None): "!not_supported",
    }
    assert expected == said(policy.PROBE, machine("debian-12-may-chu"))


def test_red_hat_with_includes_and_two_doors(machine, said):
    expected = {
        # the main file wins over pwquality.conf.d: minclass 4, not 3
        ("password_policy.minimum_length_chars", None): 12,
        ("password_policy.required_character_classes", None): 4,
        ("password_policy.complexity_enforced", None): True,
        # root's own password never expires, whatever login.defs says
        ("password_policy.maximum_age_days", None): 0,
        ("password_policy.history_passwords", None): 0,
        ("lockout.threshold_attempts", None): 5,
        ("lockout.duration_seconds", None): 0,
    }
    assert expected == said(policy.PROBE, machine("rhel-9"))


def test_a_check_that_only_warns_demands_nothing(machine, said):
    facts = said(policy.PROBE, machine("ubuntu-2204"))  # enforcing=0
    assert 6 == facts["password_policy.minimum_length_chars", None]
    assert 3 == facts["password_policy.history_passwords", None]
    assert 180 == facts["password_policy.maximum_age_days", None]


def with_file(host, path, text):
    return replace(host, files={**host.files, path: text.encode()})


def test_a_lockout_that_one_door_lacks_is_none(machine, said):
    host = machine("rhel-9")
    open_door = "auth sufficient pam_unix.so\nauth required pam_deny.so\n"
    facts = said(policy.PROBE, with_file(host, "/etc/pam.d/password-auth", open_door))
    assert 0 == facts["lockout.threshold_attempts", None]


@pytest.mark.parametrize(
    "line",
    [
        "password optional pam_pwquality.so minlen=14",
        "password [success=1 default=ignore] pam_unix.so\npassword requisite pam_pwquality.so",
    ],
)
def test_a_check_that_pam_does_not_depend_on_demands_nothing(machine, said, line):
    text = line + "\npassword [success=1 default=ignore] pam_unix.so\n"
    host = with_file(machine("debian-12-may-ban"), "/etc/pam.d/common-password", text)
    facts = said(policy.PROBE, host)
    assert 6 == facts["password_policy.minimum_length_chars", None]


@pytest.mark.parametrize(
    "text",
    [
        "password requisite pam_deny.so\n",  # no pam_unix
        "password sufficient pam_ldap.so\npassword required pam_unix.so\n",
        "password [success=1 default=ignore] pam_succeed_if.so user ingroup vip\n"
        "password requisite pam_pwquality.so minlen=14\npassword required pam_unix.so\n",
        "password requisite\n",
        "@include common-missing\n",
        "@include common-password\n",
        "password requisite pam_pwquality.so minlen=long\npassword required pam_unix.so\n",
    ],
)
def test_it_reports_unknown_for_a_stack_it_does_not_understand(machine, said, text):
    host = with_file(machine("debian-12-may-ban"), "/etc/pam.d/common-password", text)
    facts = said(policy.PROBE, host)
    for key in (policy.MINIMUM_LENGTH, policy.CLASSES, policy.COMPLEXITY):
        assert str(facts[key, None]).startswith("!")


def test_it_reports_why_when_a_file_is_denied(machine, said):
    host = replace(
        machine("debian-12-may-ban"),
        errors={"read_text /etc/security/pwquality.conf": Unreadable.ACCESS_DENIED},
    )
    facts = said(policy.PROBE, host)
    assert "!access_denied" == facts["password_policy.minimum_length_chars", None]
    assert 5 == facts["password_policy.history_passwords", None]


def test_credits_make_passwords_shorter():
    assert policy.Quality(10, 0) == policy.pwquality_quality({"minlen": "12", "dcredit": "2"})
    assert policy.Quality(6, 0) == policy.pwquality_quality(dict(policy.CRACKLIB_DEFAULTS))
    assert policy.Quality(8, 0) == policy.pwquality_quality({})


def test_a_comment_can_weaken_the_policy_but_never_strengthen_it():
    text = "# minlen = 14\n# dcredit = 1\n# ucredit = -1\n"
    assert {"dcredit": "1"} == policy.parse_pwquality_defaults(text)


def test_passwdqc():
    assert policy.Quality(7, 1) == policy.passwdqc_quality({"min": "disabled,24,11,8,7"})
    strict = {"min": "disabled,disabled,disabled,disabled,14"}
    assert policy.Quality(14, 4) == policy.passwdqc_quality(strict)
    with pytest.raises(HostError):
        policy.passwdqc_quality({"min": "8"})


def lockout(text, faillock=None):
    return policy.lockout_of(tuple(policy.parse_pam(text, "auth")), faillock or {})


def test_counting_without_asking_locks_nobody():
    text = (
        "auth sufficient pam_unix.so\n"
        "auth [default=die] pam_faillock.so authfail deny=3\n"
        "auth required pam_faillock.so authsucc deny=3\n"
    )
    assert policy.NO_LOCKOUT == lockout(text)
    # the manual's own example jumps to authsucc instead of ending there
    jumping = text.replace("sufficient", "[success=1 default=bad]")
    assert policy.Lockout(3, 600) == lockout(jumping)


def test_asking_without_counting_locks_nobody():
    assert policy.NO_LOCKOUT == lockout(
        "auth required pam_faillock.so preauth\nauth required pam_unix.so"
    )


def test_deny_0_locks_nobody():
    text = (
        "auth required pam_faillock.so preauth\nauth sufficient pam_unix.so\n"
        "auth [default=die] pam_faillock.so authfail\n"
    )
    assert policy.NO_LOCKOUT == lockout(text, {"deny": "0"})
    assert policy.Lockout(4, 0) == lockout(text, {"deny": "4", "unlock_time": "never"})


def test_tally2_counts_only_before_the_password():
    tally = "auth required pam_tally2.so deny=5 unlock_time=900\n"
    unix = "auth sufficient pam_unix.so\n"
    assert policy.Lockout(5, 900) == lockout(tally + unix)
    assert policy.NO_LOCKOUT == lockout(unix + tally)


def answer(fixtures, case):
    folder = fixtures / "linux" / "password_policy" / case
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    return (folder / expected["inputs"][0]).read_text("utf-8"), expected["expected"]


@pytest.mark.parametrize("case", ["logindefs-debian12-default", "logindefs-partial-inspec"])
def test_recording_of_login_defs(fixtures, case):
    text, expected = answer(fixtures, case)
    days = policy.parse_login_defs(text).get("PASS_MAX_DAYS")
    assert expected["max_age_days"] == (int(days) if days else None)
    assert 0 == policy.weakest_age([int(days) if days else None])


@pytest.mark.parametrize("case", ["pwquality-debian12-default", "pwquality-min10-root"])
def test_recording_of_pwquality_conf(fixtures, case):
    text, expected = answer(fixtures, case)
    settings = policy.parse_settings(text)
    names = {"min_length": "minlen", "min_classes": "minclass", "difok": "difok"}
    names |= {f"{n}_credit": n[0] + "credit" for n in ("digit", "upper", "lower", "other")}
    for key, name in names.items():
        assert expected[key] == (int(settings[name]) if name in settings else None)
    quality = policy.pwquality_quality(settings)
    assert (expected["min_length"] or 8) == quality.length_chars
    assert (3 if expected["min_length"] else 0) == quality.classes


@pytest.mark.parametrize("case", ["pam-debian12-pwquality", "pam-debian-root-branch"])
def test_recording_of_a_debian_password_stack(fixtures, machine, said, case):
    text, expected = answer(fixtures, case)
    lines = policy.effective_lines(tuple(policy.parse_pam(text, "password")))
    quality = next(line for line in lines if line.module in policy.QUALITY_MODULES)
    assert expected["quality_module"] == quality.module
    assert expected["difok"] == (int(quality.option("difok")) if quality.option("difok") else None)
    assert expected["min_length"] == quality.option("minlen")
    facts = said(
        policy.PROBE, with_file(machine("debian-12-may-chu"), "/etc/pam.d/common-password", text)
    )
    assert 8 == facts["password_policy.minimum_length_chars", None]  # pwquality's own value
    assert (expected["remember"] or 0) == facts["password_policy.history_passwords", None]


def test_recording_of_red_hat_6(fixtures, machine, said):
    text, expected = answer(fixtures, "pam-rhel6-password-auth-faillock")
    host = machine("rhel-9")
    for name in ("password-auth", "system-auth"):
        host = with_file(host, f"/etc/pam.d/{name}", text)
    facts = said(policy.PROBE, host)
    assert expected["min_length"] == facts["password_policy.minimum_length_chars", None]
    assert facts["password_policy.complexity_enforced", None] is True
    counting = [line for line in policy.parse_pam(text, "auth") if line.module == "pam_faillock"]
    assert expected["lockout_threshold"] == int(counting[0].option("deny"))
    assert expected["lockout_duration_s"] == int(counting[0].option("unlock_time"))
    # The expected file restates the arguments. In this stack a right password ends at
    # "sufficient pam_unix" and never meets pam_faillock, so nobody is ever locked out.
    assert 0 == facts["lockout.threshold_attempts", None]


NOT_ASKED = {"chage-never": "the ages are read from /etc/shadow itself, for all accounts at once"}


def test_every_recording_is_tested_or_listed(fixtures):
    tested = {
        "logindefs-debian12-default",
        "logindefs-partial-inspec",
        "pwquality-debian12-default",
        "pwquality-min10-root",
        "pam-debian12-pwquality",
        "pam-debian-root-branch",
        "pam-rhel6-password-auth-faillock",
    }
    folder = fixtures / "linux" / "password_policy"
    assert tested | set(NOT_ASKED) == {path.name for path in folder.iterdir()}
