"""Password and lockout policy of this Windows machine.

Source: NetUserModalsGet levels 0 and 3; DOMAIN_PASSWORD_COMPLEX from the local SAM; NetUserEnum
        for accounts whose password never expires.
Sample: minimum_length 8, maximum_age 90 days, history 5, threshold 5, duration 15 min, complex
Limits: on a member of a domain these values, set by the domain's policy, hold for the local
        accounts; what the domain demands of its own accounts is the domain controller's to say.
        Windows' "complexity" is three of five kinds of characters; it has nothing stronger.
"""

from __future__ import annotations

from typing import Iterator, Optional

from attt_agent.host import AccountPolicy, Host, HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

MINIMUM_LENGTH = "password_policy.minimum_length_chars"
CLASSES = "password_policy.required_character_classes"
COMPLEXITY = "password_policy.complexity_enforced"
MAXIMUM_AGE = "password_policy.maximum_age_days"
HISTORY = "password_policy.history_passwords"
THRESHOLD = "lockout.threshold_attempts"
DURATION = "lockout.duration_seconds"

SOURCE = "NetUserModalsGet"
DAY = 86400
COMPLEX_CLASSES = 3  # "Password must meet complexity requirements": three of five


def days_of(seconds: Optional[int]) -> int:
    """Whole days, at least 1; 0 for a password that never expires."""
    return 0 if seconds is None else max(1, seconds // DAY)


def _maximum_age(host: Host, policy: AccountPolicy) -> Reading:
    """One enabled account with "password never expires" undoes the policy for itself."""
    days, source = days_of(policy.maximum_age_seconds), "%s 0" % SOURCE
    if days:
        try:
            lasting = [a for a in host.local_accounts() if a.enabled and a.password_never_expires]
            source += ", NetUserEnum"
            days = 0 if lasting else days
        except HostError as error:
            return unknown(MAXIMUM_AGE, error, "%s, NetUserEnum" % source)
    return known(MAXIMUM_AGE, days, source)


def _lockout(policy: AccountPolicy) -> Iterator[Reading]:
    source = "%s 3" % SOURCE
    yield known(THRESHOLD, policy.lockout_threshold_attempts, source)
    if policy.lockout_threshold_attempts == 0:
        # 0 would read as "until an administrator unlocks", the strictest there is.
        yield unknown(DURATION, Unreadable.NOT_SUPPORTED, "%s: nothing ever locks" % source)
    else:
        yield known(DURATION, policy.lockout_duration_seconds or 0, source)


def read(context: ProbeContext) -> Iterator[Reading]:
    host = context.host
    try:
        policy = host.account_policy()
        numbers = (
            policy.minimum_length_chars,
            policy.history_passwords,
            policy.lockout_threshold_attempts,
            policy.maximum_age_seconds or 0,
            policy.lockout_duration_seconds or 0,
        )
        if min(numbers) < 0:
            raise HostError(Unreadable.MALFORMED, "a number below 0")
    except HostError as error:
        keys = (MINIMUM_LENGTH, CLASSES, COMPLEXITY, MAXIMUM_AGE, HISTORY, THRESHOLD, DURATION)
        for key in keys:
            yield unknown(key, error, SOURCE)
        return
    yield known(MINIMUM_LENGTH, policy.minimum_length_chars, "%s 0" % SOURCE)
    yield known(HISTORY, policy.history_passwords, "%s 0" % SOURCE)
    yield _maximum_age(host, policy)
    source = "SAM PasswordProperties"
    if policy.complexity is None:
        for key in (CLASSES, COMPLEXITY):
            yield unknown(key, Unreadable.NOT_SUPPORTED, "%s: not said" % source)
    else:
        yield known(COMPLEXITY, policy.complexity, source)
        yield known(CLASSES, COMPLEX_CLASSES if policy.complexity else 0, source)
    yield from _lockout(policy)


PROBE = Probe(
    id="password_policy_windows",
    platforms=("windows",),
    specs=(
        FactSpec(
            MINIMUM_LENGTH,
            ValueType.INT,
            Text(vi="Độ dài mật khẩu tối thiểu, ký tự", en="Minimum password length, characters"),
        ),
        FactSpec(
            CLASSES,
            ValueType.INT,
            Text(
                vi="Số loại ký tự bắt buộc (0–4: hoa, thường, số, đặc biệt)",
                en="Character classes demanded (0-4: upper, lower, digit, other)",
            ),
        ),
        FactSpec(
            COMPLEXITY,
            ValueType.BOOL,
            Text(vi="Bắt buộc đủ bốn loại ký tự", en="All four character classes are demanded"),
        ),
        FactSpec(
            MAXIMUM_AGE,
            ValueType.INT,
            Text(
                vi="Số ngày mật khẩu còn hiệu lực; 0 là không hết hạn",
                en="Days a password lives; 0 = never expires",
            ),
        ),
        FactSpec(
            HISTORY,
            ValueType.INT,
            Text(vi="Số mật khẩu cũ không được dùng lại", en="Old passwords that are refused"),
        ),
        FactSpec(
            THRESHOLD,
            ValueType.INT,
            Text(
                vi="Số lần đăng nhập sai thì khóa; 0 là không khóa",
                en="Wrong attempts until the account locks; 0 = never locks",
            ),
        ),
        FactSpec(
            DURATION,
            ValueType.INT,
            Text(
                vi="Thời gian khóa, giây; 0 là đến khi quản trị viên mở",
                en="Seconds an account stays locked; 0 = until an administrator unlocks",
            ),
        ),
    ),
    read=read,
)
