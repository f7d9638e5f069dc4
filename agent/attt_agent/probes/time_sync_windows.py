r"""Time synchronisation of Windows: the service W32Time, how it is set, and how far off it is.

Source: service W32Time; HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Parameters Type, NtpServer
        and the same under HKLM\SOFTWARE\Policies\Microsoft\W32time, which go first;
        `w32tm /query /status /verbose` by the place and form of its numbers.
Sample: Leap Indicator: 0(no warning)          Leap 指示符: 0(无警告)
        Stratum: 3 (secondary reference …)     层次: 3 (次引用 - 与(S)NTP 同步)
        ReferenceId: 0xB65C0C0B (source IP …)  引用 ID: 0xB65C0C0B (源 IP: 182.92.12.11)
        Phase Offset: -0.2507314s              相位偏移: -0.2507314s
Proof:  the form of lines 1 to 9 on recordings in English, German and Chinese, of the lines that
        /verbose adds in English and Chinese. No word is read. In a language that lays its answer
        out in another way the facts are malformed, never guessed.
Sign:   above 0 is taken to mean that this clock is behind, as in RFC 5905; Microsoft does not say,
        and no rule depends on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Iterator, Optional, Tuple

from attt_agent.host import Host, HostError, RegistryValue
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_agent.registry_reading import POLICIES, number_or_none, policy_number, value_or_none
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

ENABLED = "time_sync.enabled"
SYNCHRONISED = "time_sync.synchronised"
SOURCES = "time_sync.sources"
OFFSET = "time_sync.offset_seconds"

SERVICE = "W32Time"
SETTINGS = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\W32time"
STATUS_COMMAND = ("w32tm", "/query", "/status", "/verbose")
DOMAIN_HIERARCHY = "NT5DS"  # Windows' own word for "the domain controllers"
LOCAL_CLOCK = 0x4C4F434C  # "LOCL": the clock of this machine itself
NOT_SYNCHRONISED = 3  # leap indicator, RFC 5905
# An offset was measured at the last synchronisation; a cheap clock is a second off a day later.
FRESH = timedelta(days=1)

# The numbers of the first seven lines, whatever stands before the colon.
STATUS_FORMS = (
    re.compile(r"([0-3]) ?\("),  # leap indicator
    re.compile(r"(\d{1,2}) ?\("),  # stratum
    re.compile(r"-?\d{1,3} ?\("),  # precision
    re.compile(r"\d+\.\d+ ?s\Z"),  # root delay
    re.compile(r"\d+\.\d+ ?s\Z"),  # root dispersion
    re.compile(r"0x([0-9A-Fa-f]{8}) ?\("),  # reference identifier
)
SECONDS = re.compile(r"([+-]?\d+\.\d+) ?s\Z")
STATUS_LINES, VERBOSE_LINES = 9, 16


@dataclass(frozen=True)
class Status:
    """What W32Time says; the last two only with /verbose."""

    leap: int
    stratum: int
    reference: int
    offset_seconds: Optional[float] = None
    seconds_since_sync: Optional[float] = None

    @property
    def synchronised(self) -> bool:
        return (
            self.leap != NOT_SYNCHRONISED
            and 1 <= self.stratum <= 15
            and self.reference != LOCAL_CLOCK
        )


def _after_label(line: str) -> str:
    """What follows the first colon, which may be the wide one of East Asia."""
    return re.split("[:\uff1a]", line, maxsplit=1)[-1].strip()


def parse_status(said: str) -> Status:
    """The numbers of `w32tm /query /status`, with or without /verbose.

    Raises:
        ValueError: not the form that is known.
    """
    values = [_after_label(line) for line in said.splitlines() if line.strip()]
    if len(values) not in (STATUS_LINES, VERBOSE_LINES):
        raise ValueError("%d lines" % len(values))
    matches = [form.match(value) for form, value in zip(STATUS_FORMS, values)]
    leap, stratum, reference = matches[0], matches[1], matches[5]
    if None in matches or leap is None or stratum is None or reference is None:
        raise ValueError("not the form of w32tm")
    status = Status(int(leap.group(1)), int(stratum.group(1)), int(reference.group(1), 16))
    if len(values) == STATUS_LINES:
        return status
    offset, since = SECONDS.match(values[9]), SECONDS.match(values[-1])
    if offset is None or since is None or not re.match(r"\d+ ?\(", values[-2]):
        raise ValueError("not the form of w32tm /verbose")
    return Status(
        status.leap,
        status.stratum,
        status.reference,
        float(offset.group(1)),
        float(since.group(1)),
    )


def parse_peers(ntp_server: str) -> Tuple[str, ...]:
    """ "time.windows.com,0x9 10.0.0.1,0x1" without the flags."""
    names = (entry.partition(",")[0] for entry in ntp_server.split())
    return tuple(name for name in names if name)


def _setting(host: Host, name: str) -> Optional[RegistryValue]:
    """A value of Parameters; the policy goes first.

    Raises:
        HostError: not readable.
    """
    value = value_or_none(host, POLICY + r"\Parameters", name, above=POLICIES)
    return value_or_none(host, SETTINGS + r"\Parameters", name) if value is None else value


def _client_enabled(host: Host) -> bool:
    """Whether W32Time's NTP client is on; without the value it is.

    Raises:
        HostError: not readable.
    """
    provider = r"\TimeProviders\NtpClient"
    value = policy_number(host, POLICY + provider, "Enabled")
    if value is None:
        value = number_or_none(host, SETTINGS + provider, "Enabled")
    return value != 0


def configured_sources(host: Host) -> Tuple[str, ...]:
    """Where the clock is told to look; `()` when nowhere (NoSync).

    Raises:
        HostError: not readable, or a kind that is not known.
    """
    kind = _setting(host, "Type")
    if kind not in ("NTP", "NT5DS", "AllSync", "NoSync"):
        raise HostError(Unreadable.MALFORMED, "W32Time Type %r" % (kind,))
    if kind == "NoSync" or not _client_enabled(host):
        return ()
    peers = _setting(host, "NtpServer")
    named = parse_peers(peers) if isinstance(peers, str) else ()
    if kind == "NTP":
        return named
    return (DOMAIN_HIERARCHY,) + (named if kind == "AllSync" else ())


def _running(host: Host) -> bool:
    """
    Raises:
        HostError: the services cannot be listed.
    """
    services = {name.casefold(): service for name, service in host.services().items()}
    if not services:
        raise HostError(Unreadable.MALFORMED, "no service at all")
    service = services.get(SERVICE.casefold())
    return service is not None and service.state == "running"


def _read_status(host: Host) -> Iterator[Reading]:
    source = " ".join(STATUS_COMMAND)
    try:
        result = host.run(STATUS_COMMAND)
        if result.exit_code != 0:
            raise HostError(Unreadable.MALFORMED, "exit code %d" % result.exit_code)
        status = parse_status(result.stdout)
    except HostError as error:
        yield unknown(SYNCHRONISED, error, source)
        yield unknown(OFFSET, error, source)
        return
    except ValueError as error:
        yield unknown(SYNCHRONISED, Unreadable.MALFORMED, "%s: %s" % (source, error))
        yield unknown(OFFSET, Unreadable.MALFORMED, "%s: %s" % (source, error))
        return
    yield known(SYNCHRONISED, status.synchronised, source)
    since = status.seconds_since_sync
    if not status.synchronised or status.offset_seconds is None or since is None:
        yield unknown(OFFSET, Unreadable.NOT_FOUND, "%s names no offset to a source" % source)
    elif since > FRESH.total_seconds():
        why = "%s: the offset was measured %.0f hours ago" % (source, since / 3600)
        yield unknown(OFFSET, Unreadable.NOT_FOUND, why)
    else:
        yield known(OFFSET, status.offset_seconds, source)


def read(context: ProbeContext) -> Iterator[Reading]:
    host = context.host
    source = r"service %s, its Parameters" % SERVICE
    try:
        running = _running(host)
        sources = configured_sources(host)
    except HostError as error:
        for key in (ENABLED, SYNCHRONISED, SOURCES, OFFSET):
            yield unknown(key, error, source)
        return
    yield known(SOURCES, sources, source)
    if not running or not sources:
        why = "%s: %s" % (source, "no source is set" if running else "it is not running")
        yield known(ENABLED, False, why)
        for key in (SYNCHRONISED, OFFSET):
            yield unknown(key, Unreadable.NOT_SUPPORTED, why)
        return
    yield known(ENABLED, True, source)
    yield from _read_status(host)


PROBE = Probe(
    id="time_sync_windows",
    platforms=("windows",),
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
