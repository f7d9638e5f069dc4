r"""Registry values that may be missing: when "it is not there" is an answer, and when it is not.

Much of Windows is set by values that only exist once somebody has changed the default. A missing
value says "default" only where the machine let us look; so each of these functions first makes
sure that the key, or one above it that every Windows has, could be read.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Optional

from attt_agent.host import Host, HostError, RegistryValue
from attt_rules.contract import Unreadable

POLICIES = r"HKLM\SOFTWARE\Policies"  # every Windows has this key; the policies in it are optional
CURRENT_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"

_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=timezone.utc)


def value_or_none(host: Host, key: str, name: str, above: str = "") -> Optional[RegistryValue]:
    """The value, or None when it is not there.

    Args:
        above: a key that every Windows has, for a `key` that may itself be missing.

    Raises:
        HostError: the key (or `above`) cannot be read, or is empty where no Windows leaves it so:
            nothing follows from the absence.
    """
    try:
        return host.registry_value(key, name)
    except HostError as error:
        if error.reason is not Unreadable.NOT_FOUND:
            raise
    listed = host.registry_names(above or key)
    if not above and not listed:
        # None of the keys that probes ask without `above` is ever empty.
        raise HostError(Unreadable.MALFORMED, "%s: an empty key" % key)
    if not above and name.casefold() in (other.casefold() for other in listed):
        raise HostError(Unreadable.MALFORMED, "%s %s: listed, but not readable" % (key, name))
    return None


def number_or_none(host: Host, key: str, name: str, above: str = "") -> Optional[int]:
    """A whole number; some are kept as text ("1").

    Raises:
        HostError: as `value_or_none`, or no whole number.
    """
    value = value_or_none(host, key, name, above)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value.strip())
    raise HostError(Unreadable.MALFORMED, "%s %s: no number" % (key, name))


def policy_number(host: Host, key: str, name: str) -> Optional[int]:
    """A number under `POLICIES`; None when no policy sets it."""
    return number_or_none(host, key, name, above=POLICIES)


def text(host: Host, key: str, name: str) -> str:
    """A text that must be there.

    Raises:
        HostError: missing, empty, or no text.
    """
    value = host.registry_value(key, name)
    if not isinstance(value, str):
        raise HostError(Unreadable.MALFORMED, "%s %s: no text" % (key, name))
    if not value.strip():
        raise HostError(Unreadable.NOT_FOUND, "%s %s: empty" % (key, name))
    return value.strip()


def windows_build(host: Host) -> int:
    """The build number, e.g. 7601 (Windows 7 SP1), 19045 (Windows 10 22H2), 26100.

    Raises:
        HostError: not there or no number.
    """
    build = number_or_none(host, CURRENT_VERSION, "CurrentBuildNumber")
    if build is None:
        raise HostError(Unreadable.NOT_FOUND, "%s CurrentBuildNumber" % CURRENT_VERSION)
    return build


def filetime(ticks: int) -> datetime:
    """A FILETIME (100 ns since 1601, UTC) as a time.

    Raises:
        HostError: 0, or beyond what a calendar holds.
    """
    try:
        moment = _FILETIME_EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError as error:
        raise HostError(Unreadable.MALFORMED, "FILETIME %d" % ticks) from error
    if moment.year < 1980:
        raise HostError(Unreadable.NOT_FOUND, "FILETIME %d: never" % ticks)
    return moment
