from dataclasses import replace

import pytest

from attt_agent.probes import accounts
from attt_rules.contract import Unreadable


def test_it_works(machine, said):
    # root is locked on the desktop
    expected = {
        ("account.enabled", None): ("uid:1000",),
        ("account.password_set", "uid:1000"): True,
    }
    assert expected == said(accounts.PROBE, machine("debian-12-may-ban"))


def test_it_finds_the_account_without_a_password_and_leaves_out_the_locked_one(machine, said):
    expected = {
        ("account.enabled", None): ("uid:0", "uid:1000", "uid:1001"),
        ("account.password_set", "uid:0"): True,
        ("account.password_set", "uid:1000"): True,
        ("account.password_set", "uid:1001"): False,
    }
    assert expected == said(accounts.PROBE, machine("debian-12-may-chu"))


def test_it_reports_unknown_per_account_when_the_shadow_file_is_for_root(machine, said):
    expected = {
        ("account.enabled", None): ("uid:0", "uid:1000"),
        ("account.password_set", "uid:0"): "!access_denied",
        ("account.password_set", "uid:1000"): "!access_denied",
    }
    assert expected == said(accounts.PROBE, machine("ubuntu-2204"))


def test_it_reports_unknown_when_the_shadow_file_is_empty(machine, said):
    host = machine("debian-12-may-ban")
    facts = said(accounts.PROBE, replace(host, files={**host.files, "/etc/shadow": b""}))
    assert "!malformed" == facts["account.password_set", "uid:1000"]


def test_an_empty_field_in_passwd_is_no_password_even_without_the_shadow_file(machine, said):
    host = machine("ubuntu-2204")
    files = {**host.files, "/etc/passwd": b"root::0:0:root:/root:/bin/bash\n"}
    assert (
        said(accounts.PROBE, replace(host, files=files))["account.password_set", "uid:0"] is False
    )


def test_an_expired_account_is_not_enabled(machine, said):
    host = machine("debian-12-may-ban")
    shadow = host.files["/etc/shadow"].replace(b"0:90:7:::", b"0:90:7::20000:")
    facts = said(accounts.PROBE, replace(host, files={**host.files, "/etc/shadow": shadow}))
    assert () == facts["account.enabled", None]


def test_two_names_with_one_number_are_as_safe_as_the_weaker(machine, said):
    host = machine("debian-12-may-ban")
    files = dict(host.files)
    files["/etc/passwd"] += b"phu:x:1000:1000::/home/phu:/bin/sh\n"
    files["/etc/shadow"] += b"phu::20500:0:90:7:::\n"
    facts = said(accounts.PROBE, replace(host, files=files))
    assert ("uid:1000",) == facts["account.enabled", None]
    assert facts["account.password_set", "uid:1000"] is False


EMPTY = b"an::20500:0:90:7:::\n"
SET = b"an:$y$j9T$abc:20500:0:90:7:::\n"
LOCKED = b"an:!:20500:0:90:7:::\n"
EXPIRED = b"an:$y$j9T$abc:20500:0:90:7::20000:\n"


@pytest.mark.parametrize(
    ("shadow", "expected"),
    [
        (EMPTY + SET, False),
        (SET + EMPTY, False),
        (LOCKED + EMPTY, False),
        (EMPTY + LOCKED, False),
        (EXPIRED + EMPTY, False),
        (SET + LOCKED, True),
        (SET + SET, True),
    ],
)
def test_of_two_lines_for_one_name_an_empty_one_is_never_overlooked(
    machine, said, shadow, expected
):
    host = machine("debian-12-may-ban")
    files = {**host.files, "/etc/shadow": shadow}
    files["/etc/passwd"] = b"an:x:1000:1000::/home/an:/bin/bash\n"
    facts = said(accounts.PROBE, replace(host, files=files))
    assert ("uid:1000",) == facts["account.enabled", None]
    assert expected is facts["account.password_set", "uid:1000"]


def test_of_two_lines_for_one_name_the_first_locks_the_account(machine, said):
    host = machine("debian-12-may-ban")
    files = {**host.files, "/etc/shadow": LOCKED + SET}
    files["/etc/passwd"] = b"an:x:1000:1000::/home/an:/bin/bash\n"
    assert () == said(accounts.PROBE, replace(host, files=files))["account.enabled", None]


def test_it_never_says_a_name(machine, said):
    facts = said(accounts.PROBE, machine("debian-12-may-chu"))
    assert "quantri" not in repr(facts)


def test_it_reports_malformed_for_a_file_that_is_no_passwd(machine, said):
    host = machine("debian-12-may-ban")
    for text in (b"", b"<html>\n"):
        facts = said(accounts.PROBE, replace(host, files={**host.files, "/etc/passwd": text}))
        assert "!malformed" == facts["account.enabled", None]


def test_it_reports_why_when_passwd_is_denied(machine, said):
    host = machine("debian-12-may-ban")
    host = replace(host, errors={"read_text /etc/passwd": Unreadable.ACCESS_DENIED})
    assert {("account.enabled", None): "!access_denied"} == said(accounts.PROBE, host)
