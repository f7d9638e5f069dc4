"""How far back the system log reaches, and how long it is set to be kept.

Source: names of archived journals in /var/log/journal/<machine id>, which carry the time of their
        first entry in hexadecimal microseconds (no journal needs to be opened); for a journal that
        was never archived `journalctl --header`; for syslog files the time of their last rotation.
        Settings: journald.conf(5) MaxRetentionSec, logrotate(8) of the syslog daemon.
Sample: system@8f0e1c…-0000000000000001-0005b3573c04ac60.journal
        /var/log/syslog { rotate 4 weekly … }
Limits: only a log that was written within the last three days counts, so that what an earlier
        installation left behind proves nothing; rotated files also need a syslog daemon that runs.
        A log that is only limited by size (journald's default, auditd's num_logs) is kept for no
        stated number of days: retention_days is then not_supported.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Dict, Iterator, List, Optional, Sequence

from attt_agent.host import Host, HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

OLDEST = "log.oldest_event_at"
RETENTION = "log.retention_days"

JOURNALS = "/var/log/journal"
SYSLOG_DAEMONS = ("rsyslogd", "syslog-ng", "syslogd")
SYSLOG_FILES = ("/var/log/syslog", "/var/log/messages", "/var/log/auth.log", "/var/log/secure")
WRITTEN_WITHIN = timedelta(days=3)  # a PC in use logs something every day
CLOCK_TOLERANCE = timedelta(minutes=5)
LOGROTATE_FILES = ("rsyslog", "syslog", "syslog-ng")
# journald.conf(5); a bare number means seconds.
SPAN_DAYS = {"": 1 / 86400, "s": 1 / 86400, "m": 1 / 1440, "min": 1 / 1440, "h": 1 / 24}
SPAN_DAYS.update({"d": 1, "day": 1, "days": 1, "w": 7, "week": 7, "weeks": 7})
SPAN_DAYS.update({"month": 30.44, "months": 30.44, "y": 365.25, "year": 365.25, "years": 365.25})
PERIOD_DAYS = {"hourly": 1 / 24, "daily": 1.0, "weekly": 7.0, "monthly": 30.0, "yearly": 365.0}


def parse_journal_name(name: str) -> Optional[datetime]:
    """When the first entry of an archived system journal was written; None for other files.

    Sample: system@<id>-<sequence>-<realtime>.journal     archived in good order
            system@<realtime>-<random>.journal~           archived after a crash
    """
    match = re.match(r"system@[0-9a-f]{32}-[0-9a-f]{16}-([0-9a-f]{16})\.journal\Z", name)
    match = match or re.match(r"system@([0-9a-f]{16})-[0-9a-f]{16}\.journal~\Z", name)
    if match is None:
        return None
    return _from_microseconds(int(match.group(1), 16))


def parse_journal_header(text: str) -> datetime:
    """The same from `journalctl --header`, whose number in brackets needs no time zone.

    Sample: Head realtime timestamp: Thu 2020-11-05 08:42:14 CET (5b3573c04ac60)

    Raises:
        ValueError: no such line.
    """
    match = re.search(r"^Head realtime timestamp:.*\(([0-9a-f]+)\)\s*$", text, re.I | re.M)
    if match is None:
        raise ValueError("no head timestamp")
    return _from_microseconds(int(match.group(1), 16))


def _from_microseconds(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=microseconds)


def parse_max_retention(text: str) -> Optional[float]:
    """MaxRetentionSec of journald.conf in days; None when unset or 0, which is no limit by time.

    Sample: MaxRetentionSec=3month

    Raises:
        ValueError: a span that journald.conf(5) does not know.
    """
    found = re.findall(r"^\s*MaxRetentionSec\s*=\s*(.*?)\s*$", text, re.MULTILINE)
    if not found or not found[-1]:
        return None
    parts = re.findall(r"(\d+)\s*([a-z]*)", found[-1])
    if not parts or any(unit not in SPAN_DAYS for _, unit in parts):
        raise ValueError("MaxRetentionSec=%s" % found[-1][:40])
    return sum(int(number) * SPAN_DAYS[unit] for number, unit in parts) or None


def parse_logrotate(text: str, defaults: str) -> Optional[float]:
    """Days that the system log is kept: period times number of old files, maxage on top.

    Args:
        text: the syslog daemon's file in /etc/logrotate.d.
        defaults: /etc/logrotate.conf, whose settings hold where `text` is silent.

    Returns:
        None when the size decides (`size`, `maxsize`): then no number of days is promised.

    Raises:
        ValueError: no block for a system log, or no period.
    """
    common = re.sub(r"\{[^}]*\}", "", "\n".join(_uncommented(defaults)))
    blocks = re.findall(r"([^{}]*)\{([^}]*)\}", "\n".join(_uncommented(text)))
    days: List[float] = []
    for files, block in blocks:
        if not any(path in files.split() for path in SYSLOG_FILES):
            continue
        # What a script between postrotate and endscript says is no setting.
        body = re.sub(r"(?ms)^\s*(pre|post|first|last)\w*\s*$.*?^\s*endscript\s*$", "", block)
        settings = [line.split() for line in (common + "\n" + body).splitlines() if line.split()]
        last: Dict[str, str] = {}
        period: Optional[float] = None
        for words in settings:
            if words[0] in PERIOD_DAYS:
                period = PERIOD_DAYS[words[0]]
            last[words[0]] = words[1] if len(words) > 1 else ""
        if "size" in last or "maxsize" in last:
            return None
        if period is None or not last.get("rotate", "0").isdigit():
            raise ValueError("no period")
        kept = period * int(last.get("rotate", "0"))
        days.append(min(kept, float(last["maxage"])) if last.get("maxage", "").isdigit() else kept)
    if not days:
        raise ValueError("no block for a system log")
    return min(days)


def _uncommented(text: str) -> List[str]:
    return [line.split("#", 1)[0] for line in text.splitlines()]


def _machine_folders(host: Host) -> Sequence[str]:
    """This machine's own folder; a cloned disk may still hold that of the machine it came from."""
    names = host.list_dir(JOURNALS)
    own = host.read_text("/etc/machine-id").strip() if host.exists("/etc/machine-id") else ""
    return (own,) if own in names else names


def _is_written(host: Host, path: str) -> bool:
    """Whether a log is still kept: what nobody writes any more says nothing about today."""
    return -CLOCK_TOLERANCE <= host.now() - host.modified_at(path) <= WRITTEN_WITHIN


def _journal_oldest(host: Host) -> Optional[datetime]:
    """None when no journal is kept on disk.

    Raises:
        HostError: there is one, but its beginning cannot be found.
    """
    if not host.exists(JOURNALS):
        return None
    active: List[str] = []
    starts: List[datetime] = []
    for machine in _machine_folders(host):
        folder = "%s/%s" % (JOURNALS, machine)
        for name in host.list_dir(folder):
            started = parse_journal_name(name)
            if started is not None:
                starts.append(started)
            elif name == "system.journal" and _is_written(host, "%s/%s" % (folder, name)):
                active.append("%s/%s" % (folder, name))
    if starts or not active:
        return min(starts) if starts and active else None
    result = host.run(("journalctl", "--header", "--file=%s" % active[0]))
    try:
        return parse_journal_header(result.stdout)
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, "%s: %s" % (active[0], error)) from error


def _syslog_oldest(host: Host) -> Optional[datetime]:
    """When the oldest rotated file was closed: its events are that old or older.

    Of several main logs the one that reaches back the least: authentication events of last year
    do not stand for the system's own. None when nothing is written, or one was never rotated.

    Raises:
        HostError: the processes or the files cannot be looked at.
    """
    if not host.process_names().intersection(SYSLOG_DAEMONS):
        return None
    names = host.list_dir("/var/log")
    reaching: List[Optional[datetime]] = []
    for path in SYSLOG_FILES:
        stem = path.rpartition("/")[2]
        if stem not in names or not _is_written(host, path):
            continue
        times = [
            host.modified_at("/var/log/%s" % name)
            for name in names
            if re.match(r"%s[.-]\d+(\.(gz|xz|bz2|zst))?\Z" % re.escape(stem), name)
        ]
        reaching.append(min(times) if times else None)
    found = [time for time in reaching if time is not None]
    return max(found) if found and len(found) == len(reaching) else None


def _oldest(host: Host) -> Reading:
    """The journal and syslog hold the same events: the one that reaches back further counts."""
    source = "%s, rotated files of syslog" % JOURNALS
    found: List[datetime] = []
    failure: Optional[HostError] = None
    for ask in (_journal_oldest, _syslog_oldest):
        try:
            time = ask(host)
        except HostError as error:
            failure = failure or error
        else:
            found += [] if time is None else [time]
    if found:
        return known(OLDEST, min(found), source)
    if failure is not None:
        return unknown(OLDEST, failure, source)
    return unknown(OLDEST, Unreadable.NOT_FOUND, "%s: none that is written to" % source)


def _journal_retention(host: Host) -> Optional[float]:
    """
    Raises:
        HostError: the settings cannot be read or understood.
    """
    text = ""
    for path in ("/usr/lib/systemd/journald.conf", "/etc/systemd/journald.conf"):
        if host.exists(path):
            text += host.read_text(path) + "\n"
    for folder in ("/usr/lib/systemd/journald.conf.d", "/etc/systemd/journald.conf.d"):
        if host.exists(folder):
            for name in host.list_dir(folder):
                if name.endswith(".conf"):
                    text += host.read_text("%s/%s" % (folder, name)) + "\n"
    try:
        return parse_max_retention(text)
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, str(error)) from error


def _syslog_retention(host: Host) -> Optional[float]:
    """
    Raises:
        HostError: a syslog daemon runs, but its rotation cannot be read or understood.
    """
    if not host.process_names().intersection(SYSLOG_DAEMONS):
        return None
    for name in LOGROTATE_FILES:
        path = "/etc/logrotate.d/%s" % name
        if host.exists(path):
            defaults = "/etc/logrotate.conf"
            common = host.read_text(defaults) if host.exists(defaults) else ""
            try:
                return parse_logrotate(host.read_text(path), common)
            except ValueError as error:
                raise HostError(Unreadable.MALFORMED, "%s: %s" % (path, error)) from error
    raise HostError(Unreadable.NOT_FOUND, "a syslog daemon without logrotate settings")


def _retention(host: Host) -> Reading:
    source = "logrotate of syslog, journald.conf MaxRetentionSec"
    try:
        kept = [d for d in (_syslog_retention(host), _kept_journal(host)) if d is not None]
    except HostError as error:
        return unknown(RETENTION, error, source)
    if not kept:
        why = "%s: limited by size only, or not kept at all" % source
        return unknown(RETENTION, Unreadable.NOT_SUPPORTED, why)
    return known(RETENTION, int(max(kept)), source)


def _kept_journal(host: Host) -> Optional[float]:
    """The journal's retention counts only where it is kept on disk."""
    return _journal_retention(host) if host.exists(JOURNALS) else None


def read(context: ProbeContext) -> Iterator[Reading]:
    yield _oldest(context.host)
    yield _retention(context.host)


PROBE = Probe(
    id="logs",
    platforms=("linux",),
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
