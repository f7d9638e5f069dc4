"""What several probes ask of a Linux machine in the same way: its time zone, its desktops."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Tuple

from attt_agent.host import Host, HostError
from attt_rules.contract import Unreadable

SESSION_FOLDERS = ("/usr/share/xsessions", "/usr/share/wayland-sessions")


def parse_utc_offset(timezone_file: str) -> timedelta:
    """The standard offset from the last line of a TZif file (RFC 9636, 3.3), "<+07>-7".

    Where the clock is put forward in summer this reads one hour late then, never early:
    a time in the future is refused by every rule.

    Raises:
        HostError: no such line (a file of the oldest version has none).
    """
    last = timezone_file.rstrip("\n").rpartition("\n")[2]
    match = re.match(
        r"(?:<[^>]+>|[A-Za-z]{3,})([+-]?)(\d{1,2})(?::(\d\d))?(?:[A-Za-z<].*)?\Z", last
    )
    if match is None:
        raise HostError(Unreadable.MALFORMED, "/etc/localtime names no offset")
    offset = timedelta(hours=int(match.group(2)), minutes=int(match.group(3) or 0))
    return offset if match.group(1) == "-" else -offset  # POSIX counts west as positive


def parse_local(text: str) -> datetime:
    """ "2018-08-23 04:11:00" of a log that names no zone, as if it were UTC; see `to_utc`.

    Raises:
        ValueError: not such a time.
    """
    return datetime.strptime(text + "Z", "%Y-%m-%d %H:%M:%S%z")


def to_utc(host: Host, as_if_utc: datetime) -> datetime:
    """A time of the machine's own zone, parsed as if it were UTC, put right.

    Raises:
        HostError: the zone is not understood.
    """
    offset = timedelta(0)  # without the file the C library uses UTC
    if host.exists("/etc/localtime"):
        offset = parse_utc_offset(host.read_head("/etc/localtime"))
    return as_if_utc - offset


def local_time(host: Host, text: str) -> datetime:
    """ "2018-08-23 04:11:00" in the machine's own time zone.

    Raises:
        HostError: not such a time, or the zone is not understood.
    """
    try:
        return to_utc(host, parse_local(text))
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, "not a time: %r" % text[:40]) from error


def desktop_sessions(host: Host) -> Tuple[str, ...]:
    """Names of the desktop sessions that can be chosen at a graphical login.

    default.target does not answer this: Debian's is graphical.target on servers as well.

    Raises:
        HostError: a folder is there and cannot be listed.
    """
    return tuple(
        name[: -len(".desktop")]
        for folder in SESSION_FOLDERS
        if host.exists(folder)
        for name in host.list_dir(folder)
        if name.endswith(".desktop")
    )
