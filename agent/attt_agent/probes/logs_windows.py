r"""How far back the Windows event logs reach, and how long they are set to be kept.

Source: the names of archived logs in System32\winevt\Logs, which carry the time (UTC) at which the
        archive was closed; HKLM\SYSTEM\CurrentControlSet\Services\EventLog\<log> MaxSize,
        Retention, AutoBackupLogFiles; the policy HKLM\SOFTWARE\Policies\Microsoft\Windows\EventLog.
Sample: Archive-Security-2026-08-03-02-11-09-482.evtx
        Security: MaxSize=20971520 Retention=0 AutoBackupLogFiles=0
Limits: Windows limits its logs by size and never by days, so retention_days is not_supported with
        the sizes in its source. A log that is not archived keeps the time of its oldest event in a
        file that this door does not open; then oldest_event_at is not_supported too.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from attt_agent.host import Host, HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_agent.registry_reading import CURRENT_VERSION, number_or_none, policy_number, text
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

OLDEST = "log.oldest_event_at"
RETENTION = "log.retention_days"

LOGS = ("Security", "System", "Application")
SERVICE = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog"
POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\EventLog"
ARCHIVE = re.compile(
    r"Archive-(Security|System|Application)-"
    r"(\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)-\d{1,3}\.evtx\Z",
    re.IGNORECASE,
)


def parse_archive_name(name: str) -> Optional[Tuple[str, datetime]]:
    """Which log, and when the archive was closed: every event in it is older.

    None for other files.
    """
    match = ARCHIVE.match(name)
    if match is None:
        return None
    try:
        closed_at = datetime.strptime(match.group(2) + "Z", "%Y-%m-%d-%H-%M-%S%z")
    except ValueError:
        return None
    return match.group(1).capitalize(), closed_at


def oldest_of_all(names: Sequence[str]) -> Optional[datetime]:
    """How far back all three logs reach; None where one of them was never archived."""
    oldest: Dict[str, datetime] = {}
    for archive in map(parse_archive_name, names):
        if archive is not None:
            log, closed_at = archive
            oldest[log] = min(closed_at, oldest.get(log, closed_at))
    return max(oldest.values()) if set(oldest) == set(LOGS) else None


def _size_bytes(host: Host, log: str) -> int:
    """The largest size of a log: the policy's number is in KB.

    Raises:
        HostError: not readable.
    """
    kilobytes = policy_number(host, "%s\\%s" % (POLICY, log), "MaxSize")
    if kilobytes is not None:
        return kilobytes * 1024
    size = number_or_none(host, "%s\\%s" % (SERVICE, log), "MaxSize")
    return 20 * 1024 * 1024 if size is None else size  # the default since Windows Vista


def _retention(host: Host) -> Reading:
    sizes: List[str] = []
    for log in LOGS:
        try:
            sizes.append("%s %.0f MiB" % (log, _size_bytes(host, log) / 1048576))
        except HostError as error:
            return unknown(RETENTION, error, "%s\\%s MaxSize" % (SERVICE, log))
    why = "limited by size only: %s" % ", ".join(sizes)
    return unknown(RETENTION, Unreadable.NOT_SUPPORTED, why)


def _oldest(host: Host) -> Reading:
    source = r"archived logs in System32\winevt\Logs"
    try:
        folder = text(host, CURRENT_VERSION, "SystemRoot") + r"\System32\winevt\Logs"
        names = host.list_dir(folder)
    except HostError as error:
        return unknown(OLDEST, error, source)
    oldest = oldest_of_all(names)
    if oldest is None:
        return unknown(OLDEST, Unreadable.NOT_SUPPORTED, "%s: not of all three" % source)
    return known(OLDEST, oldest, source)


def read(context: ProbeContext) -> Iterator[Reading]:
    yield _oldest(context.host)
    yield _retention(context.host)


PROBE = Probe(
    id="logs_windows",
    platforms=("windows",),
    specs=(
        FactSpec(
            OLDEST,
            ValueType.DATETIME,
            Text(
                vi="Thời điểm của sự kiện cũ nhất còn lưu (hoặc sớm hơn)",
                en="Time of the oldest event still kept (or earlier)",
            ),
        ),
        FactSpec(
            RETENTION,
            ValueType.INT,
            Text(
                vi="Số ngày lưu nhật ký theo cấu hình", en="Days that logs are kept, as configured"
            ),
        ),
    ),
    read=read,
)
