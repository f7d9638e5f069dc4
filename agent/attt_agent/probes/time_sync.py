"""Time synchronisation: chrony, ntpd or systemd-timesyncd.

Source: which daemon runs, then its own word: `chronyc -n tracking`, `ntpq -pn`,
        `timedatectl timesync-status` with `timedatectl`; before systemd 239 the latter alone.
Sign:   offset_seconds is the source's time minus this clock (RFC 5905), so above 0 means this
        clock is behind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Dict, Iterator, Optional, Sequence, Tuple

from attt_agent.host import Host, HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

# The kernel keeps 15 characters of a process name.
DAEMONS = (
    ("chronyd", ("chronyd",)),
    ("ntpd", ("ntpd", "ntpsec")),
    ("systemd-timesyncd", ("systemd-timesyncd", "systemd-timesyn")),
)
LOCAL_CLOCKS = ("127.127.1.", ".LOCL.", "LOCAL(")  # ntpd following its own oscillator


# What was said longer ago is no synchronisation: chronyd keeps its last word for ever.
REFERENCE_WITHIN = timedelta(days=1)
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Sync:
    """What a daemon says.

    Args:
        offset_seconds: None when it names none.
        reference_at: when a source was last heard, by this clock; None when it does not say.
    """

    synchronised: bool
    sources: Tuple[str, ...]
    offset_seconds: Optional[float]
    reference_at: Optional[datetime] = None


def parse_fields(text: str) -> Dict[str, str]:
    """ "Key: value" lines."""
    fields: Dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields.setdefault(key.strip(), value.strip())
    return fields


def parse_chronyc_tracking(text: str) -> Sync:
    """
    Sample: Reference ID    : D42D9003 (212.45.144.3)
            Ref time (UTC)  : Sun Nov 22 00:59:10 2026
            System time     : 0.002129977 seconds slow of NTP time
            Leap status     : Normal

    Raises:
        ValueError: one of these lines is missing or not understood.
    """
    fields = parse_fields(text)
    reference = re.match(r"[0-9A-F]+ \((.*)\)\Z", fields.get("Reference ID", ""))
    system = re.match(r"(\d+\.\d+) seconds (slow|fast) of NTP time", fields.get("System time", ""))
    leap = fields.get("Leap status")
    if reference is None or system is None or not leap:
        raise ValueError("not the tracking report")
    source = reference.group(1)
    # Reference 7F7F0101: chronyd follows its own clock ("local stratum" in chrony.conf).
    following = bool(source) and not fields["Reference ID"].startswith("7F7F01")
    offset = float(system.group(1)) * (1 if system.group(2) == "slow" else -1)
    synchronised = following and leap in ("Normal", "Insert second", "Delete second")
    if not synchronised:
        return Sync(False, (source,) if following else (), None)
    said = fields.get("Ref time (UTC)", "")
    reference_at = datetime.strptime(said + " +0000", "%a %b %d %H:%M:%S %Y %z")
    return Sync(True, (source,), offset, reference_at)


def heard_lately(sync: Sync, now: datetime) -> Sync:
    """The same, not synchronised where the source was last heard too long ago.

    Raises:
        ValueError: heard in the future, so the clock has been put back since.
    """
    if sync.reference_at is None:
        return sync
    age = now - sync.reference_at
    if age < -CLOCK_TOLERANCE:
        raise ValueError("reference time %s lies in the future" % sync.reference_at.isoformat())
    return (
        sync if age <= REFERENCE_WITHIN else replace(sync, synchronised=False, offset_seconds=None)
    )


def parse_ntpq_peers(text: str) -> Sync:
    """The selected peer is marked "*" (or "o" with a pulse per second); offset in milliseconds.

    Sample:      remote           refid      st t when poll reach   delay   offset  jitter
            ==============================================================================
            *203.0.113.9     .GPS.            1 u  371 1024  377   29.323    1.939   1.312

    Raises:
        ValueError: neither this table nor ntpq's word for "no peers".
    """
    if "No association ID's returned" in text:
        return Sync(False, (), None)
    head, ruler, rows = text.partition("=====")
    if not ruler or "remote" not in head or "offset" not in head:
        raise ValueError("not the list of peers")
    sources = []
    selected: Optional[float] = None
    for row in rows.splitlines()[1:]:
        fields = row[1:].split()
        if len(fields) < 10:
            continue
        local = any(mark in row for mark in LOCAL_CLOCKS)
        if not local:
            sources.append(fields[0])
        if row[0] in "*o" and not local and fields[6] != "0":  # reach: heard in the last 8 polls
            selected = float(fields[8]) / 1000
    return Sync(selected is not None, tuple(sources), selected)


def parse_span(text: str) -> float:
    """systemd's way to write a span of time, in seconds.

    Sample: -5.224ms | +1min 2.5s | 91us

    Raises:
        ValueError: something else.
    """
    units = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
    parts = re.findall(r"([\d.]+)(us|ms|min|s|h|d)\b", text)
    if not parts:
        raise ValueError("not a span: %r" % text[:40])
    total = sum(float(number) * units[unit] for number, unit in parts)
    return -total if text.startswith("-") else total


def parse_timesync_status(text: str) -> Sync:
    """`timedatectl timesync-status`; before the first answer there are no lines after the interval.

    Sample:        Server: 216.239.35.8 (time.google.com)
                     Leap: normal
                   Offset: -5.224ms
             Packet count: 5

    Raises:
        ValueError: no server line or no packet count.
    """
    fields = parse_fields(text)
    if "Server" not in fields or not fields.get("Packet count", "").isdigit():
        raise ValueError("not the status of timesyncd")
    name = re.search(r"\(([^()]+)\)\Z", fields["Server"])
    source = name.group(1) if name else fields["Server"]
    heard = int(fields["Packet count"]) > 0
    synchronised = heard and fields.get("Leap") == "normal"
    offset = parse_span(fields["Offset"]) if heard and "Offset" in fields else None
    return Sync(synchronised, (source,) if source and source != "n/a" else (), offset)


def parse_timedatectl(text: str) -> Tuple[bool, bool]:
    """(synchronised, service switched on) of `timedatectl`, whose words changed four times.

    Sample: NTP enabled: yes | Network Time on: yes | systemd-timesyncd.service active: yes
            NTP service: active
            NTP synchronized: yes | System clock synchronized: yes

    Raises:
        ValueError: a line is missing or says neither yes nor no.
    """
    fields = parse_fields(text)

    def answer(*names: str) -> bool:
        for name in names:
            word = fields.get(name)
            if word in ("yes", "active"):
                return True
            if word in ("no", "inactive", "n/a"):
                return False
        raise ValueError("no line %r" % names[0])

    return (
        answer("System clock synchronized", "NTP synchronized"),
        answer("NTP service", "NTP enabled", "Network Time on", "systemd-timesyncd.service active"),
    )


def _said(host: Host, argv: Sequence[str]) -> str:
    """
    Raises:
        HostError: it could not be asked, failed, or printed nothing.
    """
    result = host.run(argv)
    # ntpq says "No association ID's returned" on standard error and still ends well.
    text = result.stdout if result.stdout.strip() else result.stderr
    if result.exit_code != 0 or not text.strip():
        raise HostError(Unreadable.MALFORMED, "%s: exit code %d" % (argv[0], result.exit_code))
    return text


def _ask(host: Host, daemon: str) -> Tuple[Sync, str]:
    """
    Raises:
        HostError: the daemon's own program cannot be asked.
        ValueError: its answer is not understood.
    """
    if daemon == "chronyd":
        source = "chronyc -n tracking"
        return heard_lately(parse_chronyc_tracking(_said(host, source.split())), host.now()), source
    if daemon == "ntpd":
        source = "ntpq -pn"
        return parse_ntpq_peers(_said(host, source.split())), source
    source = "timedatectl timesync-status"
    sync: Optional[Sync] = None
    try:
        sync = parse_timesync_status(_said(host, source.split()))
    except HostError as error:
        if error.reason is not Unreadable.MALFORMED:
            raise  # systemd before 239 does not know that verb
    if sync is not None and not sync.synchronised:
        return sync, source
    # timesyncd repeats its last answer for as long as it runs; the kernel forgets after hours.
    synchronised, _ = parse_timedatectl(_said(host, ("timedatectl",)))
    if sync is None:
        return Sync(synchronised, (), None), "timedatectl"
    both = "%s, timedatectl" % source
    return sync if synchronised else replace(sync, synchronised=False, offset_seconds=None), both


def _running(host: Host) -> Optional[str]:
    """
    Raises:
        HostError: the processes cannot be listed.
    """
    processes = host.process_names()
    if not processes:
        raise HostError(Unreadable.MALFORMED, "no process at all")
    return next((name for name, words in DAEMONS if processes.intersection(words)), None)


ENABLED = "time_sync.enabled"
SYNCHRONISED = "time_sync.synchronised"
SOURCES = "time_sync.sources"
OFFSET = "time_sync.offset_seconds"


def read(context: ProbeContext) -> Iterator[Reading]:
    host = context.host
    source = "processes %s" % ", ".join(name for name, _ in DAEMONS)
    try:
        daemon = _running(host)
    except HostError as error:
        for key in (ENABLED, SYNCHRONISED, SOURCES, OFFSET):
            yield unknown(key, error, source)
        return
    if daemon is None:
        yield known(ENABLED, False, "%s: none runs" % source)
        for key in (SYNCHRONISED, SOURCES, OFFSET):
            yield unknown(key, Unreadable.NOT_SUPPORTED, "no time daemon runs")
        return
    yield known(ENABLED, True, "process %s" % daemon)
    try:
        sync, source = _ask(host, daemon)
    except HostError as error:
        for key in (SYNCHRONISED, SOURCES, OFFSET):
            yield unknown(key, error, daemon)
        return
    except ValueError as error:
        for key in (SYNCHRONISED, SOURCES, OFFSET):
            yield unknown(key, Unreadable.MALFORMED, "%s: %s" % (daemon, error))
        return
    yield known(SYNCHRONISED, sync.synchronised, source)
    if source == "timedatectl":
        yield unknown(SOURCES, Unreadable.NOT_SUPPORTED, "timedatectl does not name them")
    else:
        yield known(SOURCES, sync.sources, source)
    if sync.offset_seconds is None:
        yield unknown(OFFSET, Unreadable.NOT_FOUND, "%s names no offset" % source)
    else:
        yield known(OFFSET, sync.offset_seconds, source)


PROBE = Probe(
    id="time_sync",
    platforms=("linux",),
    specs=(
        FactSpec(
            ENABLED,
            ValueType.BOOL,
            Text(vi="Dịch vụ đồng bộ thời gian đang chạy", en="A time daemon is running"),
        ),
        FactSpec(
            SYNCHRONISED,
            ValueType.BOOL,
            Text(
                vi="Đồng hồ đã đồng bộ với nguồn thời gian",
                en="The clock is synchronised to a source",
            ),
        ),
        FactSpec(
            SOURCES, ValueType.STRINGS, Text(vi="Nguồn thời gian đang dùng", en="Time sources used")
        ),
        FactSpec(
            OFFSET,
            ValueType.FLOAT,
            Text(
                vi="Độ lệch đồng hồ, giây (dương: đồng hồ máy chậm hơn nguồn)",
                en="Offset of the clock, seconds (above 0: this clock is behind its source)",
            ),
        ),
    ),
    read=read,
)
