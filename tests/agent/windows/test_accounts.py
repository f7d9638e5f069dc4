from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attt_agent.host import AccountPolicy, LocalAccount
from attt_agent.windows.accounts import (
    UserInfo3,
    UserModals0,
    UserModals3,
    account_of,
    policy_of,
)

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
MACHINE = "S-1-5-21-1001-2001-3001"
NORMAL_ACCOUNT = 0x200 | 0x1
FOREVER = 0xFFFFFFFF


def test_it_works() -> None:
    passwords = UserModals0(8, 90 * 86400, 86400, FOREVER, 24)
    lockout = UserModals3(1800, 1800, 5)
    expected = AccountPolicy(
        minimum_length_chars=8,
        maximum_age_seconds=90 * 86400,
        history_passwords=24,
        lockout_threshold_attempts=5,
        lockout_duration_seconds=1800,
        complexity=True,
    )
    assert expected == policy_of(passwords, lockout, complexity=True)


def test_forever_is_not_a_very_long_time() -> None:
    policy = policy_of(UserModals0(0, FOREVER, 0, 0, 0), UserModals3(FOREVER, 0, 0), None)
    assert (None, None, None) == (
        policy.maximum_age_seconds,
        policy.lockout_duration_seconds,
        policy.complexity,
    )
    assert (0, 0) == (policy.minimum_length_chars, policy.lockout_threshold_attempts)


def test_an_account_says_its_sid_and_its_times() -> None:
    logon = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
    entry = UserInfo3(
        user_id=1001, flags=NORMAL_ACCOUNT, password_age=86400, last_logon=int(logon.timestamp())
    )
    account = account_of(entry, MACHINE, NOW)
    expected = LocalAccount(
        sid="S-1-5-21-1001-2001-3001-1001",
        enabled=True,
        password_required=True,
        password_set_at=NOW - timedelta(days=1),
        last_logon_at=logon,
        password_never_expires=False,
    )
    assert (expected, 1001) == (account, account.rid)


def test_flags_are_read_one_by_one() -> None:
    entry = UserInfo3(user_id=500, flags=NORMAL_ACCOUNT | 0x2 | 0x20 | 0x10000, password_age=1)
    account = account_of(entry, MACHINE, NOW)
    assert (False, False, True) == (
        account.enabled,
        account.password_required,
        account.password_never_expires,
    )
    assert account.last_logon_at is None


def test_a_password_that_must_be_changed_was_not_set_now() -> None:
    entry = UserInfo3(user_id=1002, flags=NORMAL_ACCOUNT, password_age=0, password_expired=1)
    assert account_of(entry, MACHINE, NOW).password_set_at is None


def test_a_password_that_was_never_set_has_no_date() -> None:
    # 0xFFFFFFFF seconds and "since 1970" are both what Windows says for "never".
    for age in (FOREVER, int(NOW.timestamp())):
        entry = UserInfo3(user_id=501, flags=NORMAL_ACCOUNT, password_age=age)
        assert account_of(entry, MACHINE, NOW).password_set_at is None
