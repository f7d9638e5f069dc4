r"""Patches of Windows: when the last came in, when Windows last asked, whether a reboot waits.

Source: HKLM\…\Component Based Servicing\Packages: each package of an update has its state and the
        time it was installed as a FILETIME (UTC), in every Windows from 7 on and in no language;
        HKLM\…\WindowsUpdate\Auto Update\Results\Detect LastSuccessTime (Windows 7 to 8.1, UTC);
        the keys RebootPending and RebootRequired.
Sample: Package_for_RollupFix~31bf3856ad364e35~amd64~~22621.4317.1.11: CurrentState=0x70
        InstallTimeHigh=0x01db2c1a InstallTimeLow=0x5fd4e2c0
Why not Win32_QuickFixEngineering: InstalledOn is a text in the order of the user's language
        ("9/10/2019" is October in Colombia), and the class leaves out the older cumulative updates.
Limits: which updates wait is known to the Windows Update Agent (COM) alone, which this door does
        not open; so the pending counts are not_supported. PendingFileRenameOperations is left
        out: any program may ask for it at any time.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Iterator, Optional

from attt_agent.host import Host, HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_agent.registry_reading import filetime, number_or_none, text, windows_build
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

LAST_INSTALLED = "updates.last_installed_at"
REFRESHED = "updates.list_refreshed_at"
PENDING = "updates.pending_packages"
SECURITY = "updates.pending_security_packages"
REBOOT_DONE = "updates.reboot_done"

SERVICING = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"
PACKAGES = SERVICING + r"\Packages"
AUTO_UPDATE = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update"
DETECT = AUTO_UPDATE + r"\Results\Detect"
WINDOWS_10 = 10240
# Package states of servicing (CBS): superseded ones were installed in their time.
INSTALLED_STATES = (0x50, 0x70)
# One key for each update; the thousands of "Package_1_for_…" beside it are its parts.
UPDATE_PACKAGE = re.compile(r"Package_for_", re.IGNORECASE)


def parse_detect_time(said: str) -> datetime:
    """ "2019-12-10 03:12:45", in UTC.

    Raises:
        ValueError: another form.
    """
    return datetime.strptime(said + "Z", "%Y-%m-%d %H:%M:%S%z")


def _installed_at(host: Host, package: str) -> Optional[datetime]:
    """None for a package that is not installed.

    Raises:
        HostError: not readable.
    """
    key = "%s\\%s" % (PACKAGES, package)
    if number_or_none(host, key, "CurrentState") not in INSTALLED_STATES:
        return None
    high = number_or_none(host, key, "InstallTimeHigh")
    low = number_or_none(host, key, "InstallTimeLow")
    if high is None or low is None:
        return None
    return filetime((high << 32) | low)


def _last_installed(host: Host) -> Reading:
    source = PACKAGES
    try:
        names = [name for name in host.registry_keys(PACKAGES) if UPDATE_PACKAGE.match(name)]
        times = [_installed_at(host, name) for name in names]
    except HostError as error:
        return unknown(LAST_INSTALLED, error, source)
    found = [time for time in times if time is not None]
    if not found:
        return unknown(LAST_INSTALLED, Unreadable.NOT_FOUND, "%s: no update" % source)
    return known(LAST_INSTALLED, max(found), source)


def _list_refreshed(host: Host) -> Reading:
    source = "%s LastSuccessTime" % DETECT
    try:
        if windows_build(host) >= WINDOWS_10:
            why = "Windows 10 and later keep no time of the last search in the registry"
            return unknown(REFRESHED, Unreadable.NOT_SUPPORTED, why)
        return known(REFRESHED, parse_detect_time(text(host, DETECT, "LastSuccessTime")), source)
    except HostError as error:
        return unknown(REFRESHED, error, source)
    except ValueError:
        return unknown(REFRESHED, Unreadable.MALFORMED, source)


def _reboot_done(host: Host) -> Reading:
    source = "RebootPending in %s, RebootRequired in %s" % (SERVICING, AUTO_UPDATE)
    try:
        servicing = {name.casefold() for name in host.registry_keys(SERVICING)}
        update = {name.casefold() for name in host.registry_keys(AUTO_UPDATE)}
    except HostError as error:
        return unknown(REBOOT_DONE, error, source)
    if "packages" not in servicing:
        return unknown(REBOOT_DONE, Unreadable.MALFORMED, "%s: no Packages" % SERVICING)
    waits = "rebootpending" in servicing or "rebootrequired" in update
    return known(REBOOT_DONE, not waits, source)


def read(context: ProbeContext) -> Iterator[Reading]:
    host = context.host
    yield _reboot_done(host)
    yield _last_installed(host)
    yield _list_refreshed(host)
    for key in (PENDING, SECURITY):
        yield unknown(key, Unreadable.NOT_SUPPORTED, "the Windows Update Agent is not asked")


PROBE = Probe(
    id="updates_windows",
    platforms=("windows",),
    specs=(
        FactSpec(
            LAST_INSTALLED,
            ValueType.DATETIME,
            Text(vi="Lần cài bản cập nhật gần nhất", en="When an update was last installed"),
        ),
        FactSpec(
            REFRESHED,
            ValueType.DATETIME,
            Text(
                vi="Lần làm mới danh sách gói gần nhất",
                en="When the package lists were last refreshed",
            ),
        ),
        FactSpec(
            PENDING,
            ValueType.INT,
            Text(vi="Số gói đang chờ cập nhật", en="Packages that wait for an update"),
        ),
        FactSpec(
            SECURITY,
            ValueType.INT,
            Text(
                vi="Số gói đang chờ bản vá an ninh", en="Packages that wait for a security update"
            ),
        ),
        FactSpec(
            REBOOT_DONE,
            ValueType.BOOL,
            Text(vi="Không còn chờ khởi động lại", en="No reboot is waiting"),
        ),
    ),
    read=read,
    time_limit_seconds=45.0,
)
