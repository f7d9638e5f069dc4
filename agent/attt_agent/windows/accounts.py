"""Local accounts and what Windows demands of their passwords: netapi32, samlib, advapi32.

Source: NetUserModalsGet levels 0 (passwords), 3 (lockout) and 2 (the SID of this machine);
        SamQueryInformationDomain for "must meet complexity requirements", which no level of
        NetUserModalsGet says; NetUserEnum level 3 for the accounts.
On a member of a domain these are the values that the domain's policy has put in force here; on a
domain controller they are the domain's own.

Under wine with a 64-bit Python 3.8 and 3.11 NetUserEnum and level 2 were run; levels 0 and 3
answer error 2140 there and samlib does not exist, so of those only the way of an error was run.
Not run: a real Windows, a 32-bit Python. The layouts were compared with the headers of mingw-w64,
for 64 and 32 bit.
"""

from __future__ import annotations

import ctypes
from datetime import datetime, timedelta, timezone
from typing import Any, List, Optional, Tuple

from attt_agent.answers import AccountPolicy, HostError, LocalAccount
from attt_agent.windows.library import (
    ERROR_MORE_DATA,
    error_of,
    function,
    load,
)
from attt_agent.windows.sid import sid_text
from attt_rules.contract import Unreadable

_FOREVER = 0xFFFFFFFF  # TIMEQ_FOREVER
_NORMAL_ACCOUNTS = 0x0002  # FILTER_NORMAL_ACCOUNT
_WHOLE_LIST = 0xFFFFFFFF  # MAX_PREFERRED_LENGTH
_ACCOUNT_DISABLED = 0x0002  # UF_ACCOUNTDISABLE
_PASSWORD_NOT_REQUIRED = 0x0020  # UF_PASSWD_NOTREQD
_PASSWORD_NEVER_EXPIRES = 0x10000  # UF_DONT_EXPIRE_PASSWD

_SAM_CONNECT_AND_LOOK_UP = 0x0001 | 0x0020  # SAM_SERVER_CONNECT, SAM_SERVER_LOOKUP_DOMAIN
_DOMAIN_READ_PASSWORD_PARAMETERS = 0x0001
_DOMAIN_PASSWORD_INFORMATION_CLASS = 1  # DomainPasswordInformation
_DOMAIN_PASSWORD_COMPLEX = 0x0001


class UserModals0(ctypes.Structure):
    """USER_MODALS_INFO_0 (lmaccess.h); ages in seconds."""

    _fields_ = [
        ("min_passwd_len", ctypes.c_uint32),
        ("max_passwd_age", ctypes.c_uint32),
        ("min_passwd_age", ctypes.c_uint32),
        ("force_logoff", ctypes.c_uint32),
        ("password_hist_len", ctypes.c_uint32),
    ]


class UserModals2(ctypes.Structure):
    """USER_MODALS_INFO_2 (lmaccess.h)."""

    _fields_ = [("domain_name", ctypes.c_void_p), ("domain_id", ctypes.c_void_p)]


class UserModals3(ctypes.Structure):
    """USER_MODALS_INFO_3 (lmaccess.h); times in seconds."""

    _fields_ = [
        ("lockout_duration", ctypes.c_uint32),
        ("lockout_observation_window", ctypes.c_uint32),
        ("lockout_threshold", ctypes.c_uint32),
    ]


class UserInfo3(ctypes.Structure):
    """USER_INFO_3 (lmaccess.h). Texts are not read: they name people."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("password", ctypes.c_void_p),
        ("password_age", ctypes.c_uint32),
        ("priv", ctypes.c_uint32),
        ("home_dir", ctypes.c_void_p),
        ("comment", ctypes.c_void_p),
        ("flags", ctypes.c_uint32),
        ("script_path", ctypes.c_void_p),
        ("auth_flags", ctypes.c_uint32),
        ("full_name", ctypes.c_void_p),
        ("usr_comment", ctypes.c_void_p),
        ("parms", ctypes.c_void_p),
        ("workstations", ctypes.c_void_p),
        ("last_logon", ctypes.c_uint32),
        ("last_logoff", ctypes.c_uint32),
        ("acct_expires", ctypes.c_uint32),
        ("max_storage", ctypes.c_uint32),
        ("units_per_week", ctypes.c_uint32),
        ("logon_hours", ctypes.c_void_p),
        ("bad_pw_count", ctypes.c_uint32),
        ("num_logons", ctypes.c_uint32),
        ("logon_server", ctypes.c_void_p),
        ("country_code", ctypes.c_uint32),
        ("code_page", ctypes.c_uint32),
        ("user_id", ctypes.c_uint32),
        ("primary_group_id", ctypes.c_uint32),
        ("profile", ctypes.c_void_p),
        ("home_dir_drive", ctypes.c_void_p),
        ("password_expired", ctypes.c_uint32),
    ]


class DomainPasswordInformation(ctypes.Structure):
    """DOMAIN_PASSWORD_INFORMATION (ntsam.h); the ages are negative steps of 100 ns."""

    _fields_ = [
        ("min_password_length", ctypes.c_uint16),
        ("password_history_length", ctypes.c_uint16),
        ("password_properties", ctypes.c_uint32),
        ("max_password_age", ctypes.c_int64),
        ("min_password_age", ctypes.c_int64),
    ]


def policy() -> AccountPolicy:
    """What is demanded of the passwords of this machine's accounts."""
    with _Modals(0) as passwords, _Modals(3) as lockout:
        return policy_of(
            ctypes.cast(passwords, ctypes.POINTER(UserModals0)).contents,
            ctypes.cast(lockout, ctypes.POINTER(UserModals3)).contents,
            _complexity(),
        )


def policy_of(
    passwords: UserModals0, lockout: UserModals3, complexity: Optional[bool]
) -> AccountPolicy:
    """The structures of Windows as the record of the program."""
    return AccountPolicy(
        minimum_length_chars=passwords.min_passwd_len,
        maximum_age_seconds=_unless_forever(passwords.max_passwd_age),
        history_passwords=passwords.password_hist_len,
        lockout_threshold_attempts=lockout.lockout_threshold,
        lockout_duration_seconds=_unless_forever(lockout.lockout_duration),
        complexity=complexity,
    )


def local_accounts(now: datetime) -> Tuple[LocalAccount, ...]:
    """Every account of this machine, sorted by RID.

    Args:
        now: aware; Windows says how old a password is, not when it was set.
    """
    with _Modals(2) as modals:
        machine = ctypes.cast(modals, ctypes.POINTER(UserModals2)).contents
        if not machine.domain_id:
            raise HostError(Unreadable.MALFORMED, "NetUserModalsGet 2: no SID")
        machine_sid = sid_text(machine.domain_id)
    accounts = [account_of(entry, machine_sid, now) for entry in _users()]
    return tuple(sorted(accounts, key=lambda account: account.rid))


def account_of(entry: UserInfo3, machine_sid: str, now: datetime) -> LocalAccount:
    """USER_INFO_3 as the record of the program."""
    password_set_at: Optional[datetime] = now.astimezone(timezone.utc).replace(
        microsecond=0
    ) - timedelta(seconds=entry.password_age)
    if entry.password_age == 0 and entry.password_expired:
        password_set_at = None  # "must change the password at the next logon"
    elif password_set_at is not None and password_set_at.year < 1980:
        password_set_at = None  # never set: the age then counts from the beginning of time
    return LocalAccount(
        sid="%s-%d" % (machine_sid, entry.user_id),
        enabled=not entry.flags & _ACCOUNT_DISABLED,
        password_required=not entry.flags & _PASSWORD_NOT_REQUIRED,
        password_set_at=password_set_at,
        last_logon_at=(
            datetime.fromtimestamp(entry.last_logon, timezone.utc)
            if entry.last_logon not in (0, _FOREVER)
            else None
        ),
        password_never_expires=bool(entry.flags & _PASSWORD_NEVER_EXPIRES),
    )


def _unless_forever(seconds: int) -> Optional[int]:
    return None if seconds == _FOREVER else seconds


class _Modals:
    """The buffer of one level of NetUserModalsGet, freed at the end of the `with`."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._buffer = ctypes.c_void_p()

    def __enter__(self) -> ctypes.c_void_p:
        netapi32 = load("netapi32")
        get = function(
            netapi32,
            "NetUserModalsGet",
            ctypes.c_uint32,
            ctypes.c_wchar_p,
            ctypes.c_uint32,
            ctypes.POINTER(ctypes.c_void_p),
        )
        status = get(None, self._level, ctypes.byref(self._buffer))
        if status != 0 or not self._buffer:
            self.__exit__()
            raise error_of(status, "NetUserModalsGet %d" % self._level)
        return self._buffer

    def __exit__(self, *_: object) -> None:
        if self._buffer:
            _free_buffer(self._buffer)
            self._buffer = ctypes.c_void_p()


def _free_buffer(buffer: ctypes.c_void_p) -> None:
    free = function(load("netapi32"), "NetApiBufferFree", ctypes.c_uint32, ctypes.c_void_p)
    free(buffer)


def _users() -> List[UserInfo3]:
    number = ctypes.c_uint32
    enumerate_users = function(
        load("netapi32"),
        "NetUserEnum",
        number,
        ctypes.c_wchar_p,
        number,
        number,
        ctypes.POINTER(ctypes.c_void_p),
        number,
        ctypes.POINTER(number),
        ctypes.POINTER(number),
        ctypes.POINTER(number),
    )
    found: List[UserInfo3] = []
    resume = number(0)
    while True:
        buffer, read, total = ctypes.c_void_p(), number(0), number(0)
        status = enumerate_users(
            None,
            3,
            _NORMAL_ACCOUNTS,
            ctypes.byref(buffer),
            _WHOLE_LIST,
            ctypes.byref(read),
            ctypes.byref(total),
            ctypes.byref(resume),
        )
        try:
            if status not in (0, ERROR_MORE_DATA):
                raise error_of(status, "NetUserEnum")
            if buffer:
                entries = ctypes.cast(buffer, ctypes.POINTER(UserInfo3))
                # Copies: their numbers outlive the buffer, their texts are never looked at.
                found += [
                    UserInfo3.from_buffer_copy(entries[position]) for position in range(read.value)
                ]
        finally:
            if buffer:
                _free_buffer(buffer)
        if status == 0:
            return found
        if read.value == 0:
            raise HostError(Unreadable.MALFORMED, "NetUserEnum: no progress")


def _complexity() -> Optional[bool]:
    """Whether passwords must meet complexity requirements; None: the SAM did not say."""
    try:
        samlib = load("samlib")
        with _Modals(2) as modals:
            machine = ctypes.cast(modals, ctypes.POINTER(UserModals2)).contents
            return _complexity_of(samlib, machine.domain_id)
    except HostError:
        return None  # the other values stand without it


def _complexity_of(samlib: Any, machine_sid: Optional[int]) -> Optional[bool]:
    # samlib has no header; these are the prototypes of [MS-SAMR]'s client library as mimikatz and
    # ReactOS declare them. NTSTATUS: negative is an error.
    pointer, status, number = ctypes.c_void_p, ctypes.c_int32, ctypes.c_uint32
    out = ctypes.POINTER(pointer)
    connect = function(samlib, "SamConnect", status, pointer, out, number, pointer)
    open_domain = function(samlib, "SamOpenDomain", status, pointer, number, pointer, out)
    query = function(samlib, "SamQueryInformationDomain", status, pointer, ctypes.c_int32, out)
    free = function(samlib, "SamFreeMemory", status, pointer)
    close = function(samlib, "SamCloseHandle", status, pointer)
    server, domain, answer = pointer(), pointer(), pointer()
    if not machine_sid or connect(None, ctypes.byref(server), _SAM_CONNECT_AND_LOOK_UP, None) < 0:
        return None
    try:
        if (
            open_domain(server, _DOMAIN_READ_PASSWORD_PARAMETERS, machine_sid, ctypes.byref(domain))
            < 0
        ):
            return None
        try:
            if query(domain, _DOMAIN_PASSWORD_INFORMATION_CLASS, ctypes.byref(answer)) < 0:
                return None
            if not answer:
                return None
            try:
                told = ctypes.cast(answer, ctypes.POINTER(DomainPasswordInformation)).contents
                return bool(told.password_properties & _DOMAIN_PASSWORD_COMPLEX)
            finally:
                free(answer)
        finally:
            close(domain)
    finally:
        close(server)
