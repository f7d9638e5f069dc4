r"""Automatic logon, and the screen lock that an administrator has made binding.

Source: HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon AutoAdminLogon;
        HKLM\…\Policies\System InactivityTimeoutSecs ("Machine inactivity limit", Windows 8 and
        Server 2012 on; Windows 7 ignores it); the screen saver policy of each user,
        HKU\<SID>\Software\Policies\Microsoft\Windows\Control Panel\Desktop.
Sample: AutoAdminLogon="0" InactivityTimeoutSecs=900
        ScreenSaveActive="1" ScreenSaverIsSecure="1" ScreenSaveTimeOut="600"
Limits: what a user may set by himself proves nothing, so it is not reported. A user's policy can
        only be read while he is logged on. A password for automatic logon may also lie in the
        LSA's secrets, so AutoAdminLogon alone decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator, List, Optional

from attt_agent.host import Host, HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_agent.registry_reading import (
    CURRENT_VERSION,
    number_or_none,
    text,
    windows_build,
)
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

AUTO_LOGON_OFF = "auto_logon.off"
LOCK_TIMEOUT = "screen_lock.timeout_seconds"
LOCK_PASSWORD = "screen_lock.password_required"  # noqa: S105 (a fact key)

WINLOGON = CURRENT_VERSION + r"\Winlogon"
SYSTEM_POLICIES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
PROFILES = CURRENT_VERSION + r"\ProfileList"
USER_DESKTOP = r"Software\Policies\Microsoft\Windows\Control Panel\Desktop"
WINDOWS_8 = 9200
# People: accounts of a machine or a domain, and of Entra ID. S-1-5-18 to 20 are services.
PERSON_SID = re.compile(r"S-1-(5-21|12-1)(-\d+)+\Z")


@dataclass(frozen=True)
class Lock:
    """What is binding for everyone; `seconds` is None where nothing ever locks."""

    seconds: Optional[int]
    source: str


def _auto_logon(host: Host) -> Reading:
    source = "%s AutoAdminLogon" % WINLOGON
    try:
        # Missing is the default, off.
        return known(AUTO_LOGON_OFF, not number_or_none(host, WINLOGON, "AutoAdminLogon"), source)
    except HostError as error:
        return unknown(AUTO_LOGON_OFF, error, source)


def _inactivity_limit(host: Host) -> Optional[int]:
    """Seconds, or None: no limit, or a Windows that knows none.

    Raises:
        HostError: not readable.
    """
    if windows_build(host) < WINDOWS_8:
        return None
    return number_or_none(host, SYSTEM_POLICIES, "InactivityTimeoutSecs") or None


def _screen_saver_policy(host: Host, sid: str) -> Optional[int]:
    """Seconds until this user's screen locks by policy; None: no policy makes it.

    Raises:
        HostError: the user is not logged on, so that his part of the registry is not loaded.
    """
    desktop = "HKU\\%s\\%s" % (sid, USER_DESKTOP)
    above = "HKU\\%s\\Software" % sid
    active = number_or_none(host, desktop, "ScreenSaveActive", above)
    secure = number_or_none(host, desktop, "ScreenSaverIsSecure", above)
    seconds = number_or_none(host, desktop, "ScreenSaveTimeOut", above)
    return seconds if active == 1 and secure == 1 and seconds else None


def _lock(host: Host) -> Lock:
    """
    Raises:
        HostError: nobody can tell for every user of this machine.
    """
    limit = _inactivity_limit(host)
    if limit is not None:
        return Lock(limit, "%s InactivityTimeoutSecs" % SYSTEM_POLICIES)
    people = [sid for sid in host.registry_keys(PROFILES) if PERSON_SID.match(sid)]
    if not people:
        raise HostError(Unreadable.NOT_FOUND, "nobody has logged on here yet")
    source = r"no inactivity limit; HKU\%s of %d users" % (USER_DESKTOP, len(people))
    unread: Optional[HostError] = None
    limits: List[int] = []
    for sid in people:
        try:
            seconds = _screen_saver_policy(host, sid)
        except HostError as error:
            unread = error
            continue
        if seconds is None:
            return Lock(None, source)  # one user whose screen never locks is enough
        limits.append(seconds)
    if unread is not None:
        raise HostError(unread.reason, "the policy of a user who is not logged on")
    return Lock(max(limits), source)


def _read_screen_lock(host: Host) -> Iterator[Reading]:
    source = "%s InactivityTimeoutSecs, %s" % (SYSTEM_POLICIES, PROFILES)
    try:
        if text(host, CURRENT_VERSION, "InstallationType") in ("Server Core", "Nano Server"):
            for key in (LOCK_TIMEOUT, LOCK_PASSWORD):
                yield unknown(key, Unreadable.NOT_SUPPORTED, "no desktop on this machine")
            return
        lock = _lock(host)
    except HostError as error:
        for key in (LOCK_TIMEOUT, LOCK_PASSWORD):
            yield unknown(key, error, source)
        return
    # A lock that the machine's policy makes always asks for the password.
    yield known(LOCK_PASSWORD, lock.seconds is not None, lock.source)
    if lock.seconds is not None:
        yield known(LOCK_TIMEOUT, lock.seconds, lock.source)
    else:
        # No number of seconds is long enough to say "never".
        why = "%s: no policy locks the screen" % lock.source
        yield unknown(LOCK_TIMEOUT, Unreadable.NOT_SUPPORTED, why)


def read(context: ProbeContext) -> Iterator[Reading]:
    yield _auto_logon(context.host)
    yield from _read_screen_lock(context.host)


PROBE = Probe(
    id="logon_windows",
    platforms=("windows",),
    specs=(
        FactSpec(
            AUTO_LOGON_OFF,
            ValueType.BOOL,
            Text(
                vi="Không ai được tự động đăng nhập mà không cần mật khẩu",
                en="Nobody is logged on without a password",
            ),
        ),
        FactSpec(
            LOCK_TIMEOUT,
            ValueType.INT,
            Text(
                vi="Số giây không thao tác thì khóa màn hình (chỉ khi người dùng không đổi được)",
                en="Seconds of no input until the screen locks (only where users cannot change it)",
            ),
        ),
        FactSpec(
            LOCK_PASSWORD,
            ValueType.BOOL,
            Text(
                vi="Mở khóa màn hình phải nhập mật khẩu",
                en="A password is needed to unlock the screen",
            ),
        ),
    ),
    read=read,
)
