"""Antivirus products on Linux: which, real-time protection, signatures, central console.

Source: the products' own files and commands; nothing on Linux keeps a list of them.
        A product is there when its program is there (see `PRODUCTS`); a product that we cannot ask
        is still listed, with every detail unreadable, so that it never counts as "none".
Limits: proven on recordings of Bitdefender BEST 7, Kaspersky kav4fs 8 and Microsoft Defender 101;
        ClamAV, KESL and ESET after their documentation and published outputs.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple

from attt_agent.host import Host, HostError
from attt_agent.linux import local_time
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, FactValue, Text, Unreadable, ValueType

ENABLED = "antivirus.product.enabled"
VERSION = "antivirus.product.version"
SIGNATURES = "antivirus.product.signatures_updated_at"
MANAGED = "antivirus.product.managed"
SERVER = "antivirus.product.management_server"
DETAILS = (ENABLED, VERSION, SIGNATURES, MANAGED, SERVER)

COMMAND_SECONDS = 6.0


def parse_fields(text: str) -> Dict[str, str]:
    """ "Key: value" lines, bullets taken off; the first of equal keys stays."""
    fields: Dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.strip().lstrip("-* ").partition(":")
        if colon and value.strip():
            fields.setdefault(key.strip(), value.strip())
    return fields


def _said(host: Host, argv: Sequence[str]) -> str:
    """What a command printed.

    Raises:
        HostError: it could not be asked, or it printed nothing.
    """
    result = host.run(argv, COMMAND_SECONDS)
    if not result.stdout.strip():
        denied = re.search(r"denied|not permitted|root|privilege", result.stderr, re.IGNORECASE)
        reason = Unreadable.ACCESS_DENIED if denied else Unreadable.MALFORMED
        raise HostError(reason, "exit code %d, nothing printed" % result.exit_code)
    return result.stdout


def _reading(key: str, item: str, source: str, value: Callable[[], FactValue]) -> Reading:
    """The value, or why there is none."""
    try:
        return known(key, value(), source, item)
    except HostError as error:
        return unknown(key, error, source, item)


def _field(fields: Mapping[str, str], *names: str) -> str:
    """
    Raises:
        HostError: none of the names is there.
    """
    for name in names:
        if name in fields:
            return fields[name]
    raise HostError(Unreadable.NOT_FOUND, "no line %r" % names[0])


# --- ClamAV -----------------------------------------------------------------------------------


def parse_clamav_database(head: str) -> datetime:
    """When a signature database was made, from its first 512 bytes.

    Sample: ClamAV-VDB:16 Sep 2021 08-32 -0400:26295:1957831:90:<md5>:<dsig>:raynman:1631795529

    Raises:
        ValueError: not such a header.
    """
    fields = head[:512].split(":")
    if fields[0] != "ClamAV-VDB" or len(fields) < 3:
        raise ValueError("not a ClamAV database")
    built = fields[8].split()[0] if len(fields) > 8 and fields[8].split() else ""
    if re.match(r"\d{9,10}\Z", built):
        return datetime.fromtimestamp(int(built), timezone.utc)
    return datetime.strptime(fields[1], "%d %b %Y %H-%M %z").astimezone(timezone.utc)


def parse_clamav_version(text: str) -> str:
    """Sample: ClamAV 1.0.7/27500/Thu Nov 19 09:33:40 2026

    Raises:
        ValueError: something else.
    """
    match = re.match(r"ClamAV (\d+\.\d+(?:\.\d+)?)", text)
    if match is None:
        raise ValueError("no version")
    return match.group(1)


def clamav_scans_on_access(processes: Sequence[str], settings: str, version: Optional[str]) -> bool:
    """A daemon alone scans only what it is given; on access it scans through clamonacc.

    Before 0.102 clamd did so itself, when clamd.conf said "ScanOnAccess yes".
    """
    if "clamd" not in processes:
        return False
    if "clamonacc" in processes:
        return True
    old = version is not None and tuple(map(int, version.split(".")[:2])) < (0, 102)
    return (
        old and re.search(r"^\s*ScanOnAccess\s+(yes|true|1)\b", settings, re.M | re.I) is not None
    )


def _read_clamav(host: Host, item: str) -> Iterator[Reading]:
    version: Optional[str] = None
    source = "clamscan --version"
    try:
        version = parse_clamav_version(_said(host, ("clamscan", "--version")))
        yield known(VERSION, version, source, item)
    except HostError as error:
        yield unknown(VERSION, error, source, item)
    except ValueError:
        yield unknown(VERSION, Unreadable.MALFORMED, source, item)

    def enabled() -> bool:
        settings = ""
        for path in ("/etc/clamav/clamd.conf", "/etc/clamd.d/scan.conf", "/etc/clamd.conf"):
            if host.exists(path):
                settings += host.read_text(path)
        processes = host.process_names()
        if "clamonacc" in processes and "clamd" not in processes:
            raise HostError(Unreadable.NOT_SUPPORTED, "clamonacc asks a daemon elsewhere")
        return clamav_scans_on_access(tuple(processes), settings, version)

    yield _reading(ENABLED, item, "processes clamd and clamonacc, clamd.conf", enabled)

    def updated_at() -> datetime:
        dates = []
        for name in ("daily.cld", "daily.cvd"):
            path = "/var/lib/clamav/%s" % name
            if host.exists(path):
                try:
                    dates.append(parse_clamav_database(host.read_head(path, 512)))
                except ValueError as error:
                    raise HostError(Unreadable.MALFORMED, "%s: %s" % (path, error)) from error
        if not dates:
            raise HostError(Unreadable.NOT_FOUND, "no daily.cld or daily.cvd")
        return max(dates)

    yield _reading(SIGNATURES, item, "/var/lib/clamav/daily.*", updated_at)
    yield known(MANAGED, False, "ClamAV has no central console", item)
    yield unknown(SERVER, Unreadable.NOT_SUPPORTED, "ClamAV has no central console", item)


# --- Kaspersky --------------------------------------------------------------------------------

KESL_CONTROL = "/opt/kaspersky/kesl/bin/kesl-control"
KAV4FS_CONTROL = "/opt/kaspersky/kav4fs/bin/kav4fs-control"
KLNAGENT_FOLDERS = ("/opt/kaspersky/klnagent64", "/opt/kaspersky/klnagent")


def parse_kesl_protection(fields: Mapping[str, str]) -> bool:
    """ "File Threat Protection" (since 11; "File monitoring" in 10) of `kesl-control --app-info`.

    Sample: File monitoring:                Available and stopped
            Integrity monitoring:           Unavailable due to license limitation

    Raises:
        HostError: the line is missing or says something unknown.
    """
    state = _field(fields, "File Threat Protection", "File monitoring")
    if state == "Available and running":
        return True
    if state == "Available and stopped" or state.startswith("Unavailable"):
        return False
    raise HostError(Unreadable.MALFORMED, "file protection is %r" % state[:60])


def parse_klnagchk(text: str) -> Optional[str]:
    """The Administration Server that the Network Agent is set to; None when it names none.

    Sample: Administration Server address: 'ksc.tinh.example'
    """
    match = re.search(r"Administration Server address\s*:\s*'?([^'\s]+)'?", text)
    return match.group(1) if match else None


def _read_klnagent(host: Host, item: str) -> Iterator[Reading]:
    """Kaspersky's Network Agent, the part that talks to Kaspersky Security Center."""
    source = " or ".join(KLNAGENT_FOLDERS)
    try:
        folder = next((path for path in KLNAGENT_FOLDERS if host.exists(path)), None)
        if folder is None:
            yield known(MANAGED, False, "%s: no Network Agent" % source, item)
            yield unknown(SERVER, Unreadable.NOT_SUPPORTED, "no Network Agent", item)
            return
        source = "%s/bin/klnagchk" % folder
        server = parse_klnagchk(_said(host, (source,)))
        if server is None:
            raise HostError(Unreadable.MALFORMED, "no Administration Server address")
        running = "klnagent" in host.process_names()
        yield known(MANAGED, running, "%s, process klnagent" % source, item)
        yield known(SERVER, server, source, item)
    except HostError as error:
        yield unknown(MANAGED, error, source, item)
        yield unknown(SERVER, error, source, item)


def _read_kesl(host: Host, item: str) -> Iterator[Reading]:
    source = "kesl-control --app-info"
    try:
        fields = parse_fields(_said(host, (KESL_CONTROL, "--app-info")))
    except HostError as error:
        for key in (ENABLED, VERSION, SIGNATURES):
            yield unknown(key, error, source, item)
    else:
        yield _reading(ENABLED, item, source, lambda: parse_kesl_protection(fields))
        yield _reading(VERSION, item, source, lambda: _field(fields, "Version"))
        yield _reading(
            SIGNATURES,
            item,
            source,
            lambda: local_time(host, _field(fields, "Last release date of databases")),
        )
    yield from _read_klnagent(host, item)


def _read_kav4fs(host: Host, item: str) -> Iterator[Reading]:
    """Sample: Version:             8.0.4.312 (this version says neither state nor signatures)."""
    source = "kav4fs-control --app-info"
    try:
        fields = parse_fields(_said(host, (KAV4FS_CONTROL, "--app-info")))
        yield known(VERSION, _field(fields, "Version"), source, item)
    except HostError as error:
        yield unknown(VERSION, error, source, item)
    for key in (ENABLED, SIGNATURES):
        yield unknown(key, Unreadable.NOT_SUPPORTED, "%s does not say" % source, item)
    yield from _read_klnagent(host, item)


# --- ESET -------------------------------------------------------------------------------------


def parse_eset_modules(text: str) -> datetime:
    """The day of the detection engine, from `upd --list-modules`.

    Sample: EM002 27001 (20230404) Detection engine

    Raises:
        ValueError: no such line.
    """
    match = re.search(r"^EM002\s+\d+\s+\((\d{8})\)", text, re.MULTILINE)
    if match is None:
        raise ValueError("no detection engine")
    return datetime.strptime(match.group(1), "%Y%m%d").replace(tzinfo=timezone.utc)


def _read_eset(folder: str) -> Callable[[Host, str], Iterator[Reading]]:
    def read_product(host: Host, item: str) -> Iterator[Reading]:
        program = "%s/bin/upd" % folder

        def version() -> str:
            match = re.search(r"\d+(?:\.\d+){2,}", _said(host, (program, "--version")))
            if match is None:
                raise HostError(Unreadable.MALFORMED, "no version")
            return match.group()

        def updated_at() -> datetime:
            try:
                return parse_eset_modules(_said(host, (program, "--list-modules")))
            except ValueError as error:
                raise HostError(Unreadable.MALFORMED, str(error)) from error

        def enabled() -> bool:
            if "oaeventd" not in host.process_names():
                return False  # the on-access daemon: without it nothing is scanned on access
            if re.search(r"^eset_rtp\b", host.read_text("/proc/modules"), re.MULTILINE):
                return True
            raise HostError(Unreadable.NOT_SUPPORTED, "state of real-time protection not public")

        yield _reading(VERSION, item, "%s --version" % program, version)
        yield _reading(SIGNATURES, item, "%s --list-modules" % program, updated_at)
        yield _reading(ENABLED, item, "process oaeventd, kernel module eset_rtp", enabled)
        yield _reading(
            MANAGED,
            item,
            "process ERAAgent (ESET Management Agent)",
            lambda: "ERAAgent" in host.process_names(),
        )
        yield unknown(SERVER, Unreadable.NOT_SUPPORTED, "ESET Management Agent", item)

    return read_product


# --- Bitdefender and Microsoft ----------------------------------------------------------------

BDUITOOL = "/opt/bitdefender-security-tools/bin/bduitool"


def parse_bitdefender_time(text: str) -> datetime:
    """Sample: 2023-08-24 at 11:44:37 GMT+2

    Raises:
        HostError: something else.
    """
    match = re.match(r"(\d{4}-\d\d-\d\d) at (\d\d:\d\d:\d\d) GMT(?:([+-]\d{1,2}))?\Z", text)
    if match is None:
        raise HostError(Unreadable.MALFORMED, "not a time: %r" % text[:40])
    as_if_utc = datetime.strptime("%s %sZ" % match.group(1, 2), "%Y-%m-%d %H:%M:%S%z")
    return as_if_utc - timedelta(hours=int(match.group(3) or 0))


def parse_bitdefender_protection(fields: Mapping[str, str]) -> bool:
    """
    Raises:
        HostError: "Antimalware status" is neither On nor Off.
    """
    state = _field(fields, "Antimalware status")
    if state not in ("On", "Off"):
        raise HostError(Unreadable.MALFORMED, "Antimalware status is %r" % state[:40])
    return state == "On"


def _read_bitdefender(host: Host, item: str) -> Iterator[Reading]:
    source = "bduitool get ps"
    try:
        fields = parse_fields(_said(host, (BDUITOOL, "get", "ps")))
    except HostError as error:
        for key in (ENABLED, VERSION, SIGNATURES):
            yield unknown(key, error, source, item)
    else:
        yield _reading(ENABLED, item, source, lambda: parse_bitdefender_protection(fields))
        yield _reading(VERSION, item, source, lambda: _field(fields, "Product version"))
        yield _reading(
            SIGNATURES,
            item,
            source,
            lambda: parse_bitdefender_time(_field(fields, "Last security content update")),
        )
    for key in (MANAGED, SERVER):
        yield unknown(key, Unreadable.NOT_SUPPORTED, "%s does not say" % source, item)


@dataclass(frozen=True)
class MdatpHealth:
    """What `mdatp health --output json` says, as far as we need it."""

    enabled: bool
    version: str
    signatures_updated_at: datetime
    managed: bool


def parse_mdatp(text: str) -> MdatpHealth:
    """Passive mode means another product protects: then this one is not on, however "healthy".

    Sample: {"appVersion":"101.23062.0010","definitionsUpdated":"1691587153787","orgId":"…",
             "passiveModeEnabled":{"value":true},"realTimeProtectionEnabled":{"value":false}, …}

    Raises:
        ValueError: not the object we know.
    """
    said = json.loads(text)
    if not isinstance(said, dict):
        raise ValueError("not an object")

    def value(name: str) -> object:
        entry = said.get(name)
        return entry.get("value") if isinstance(entry, dict) else entry

    real_time, passive = value("realTimeProtectionEnabled"), value("passiveModeEnabled")
    version, updated = value("appVersion"), value("definitionsUpdated")
    if not isinstance(real_time, bool) or not isinstance(passive, bool):
        raise ValueError("no state of real-time protection")
    if not isinstance(version, str) or not re.match(r"\d{12,13}\Z", str(updated)):
        raise ValueError("no version or no time of the definitions")
    return MdatpHealth(
        enabled=real_time and not passive,
        version=version,
        signatures_updated_at=datetime.fromtimestamp(int(str(updated)) / 1000, timezone.utc),
        managed=bool(value("orgId")),  # set when the machine is onboarded to an organisation
    )


def _read_mdatp(host: Host, item: str) -> Iterator[Reading]:
    source = "mdatp health --output json"
    try:
        health = parse_mdatp(_said(host, ("mdatp", "health", "--output", "json")))
    except HostError as error:
        for key in (ENABLED, VERSION, SIGNATURES, MANAGED):
            yield unknown(key, error, source, item)
    except ValueError:
        for key in (ENABLED, VERSION, SIGNATURES, MANAGED):
            yield unknown(key, Unreadable.MALFORMED, source, item)
    else:
        yield known(ENABLED, health.enabled, source, item)
        yield known(VERSION, health.version, source, item)
        yield known(SIGNATURES, health.signatures_updated_at, source, item)
        yield known(MANAGED, health.managed, "%s orgId" % source, item)
    yield unknown(SERVER, Unreadable.NOT_SUPPORTED, "managed from Microsoft's cloud", item)


def _cannot_ask(host: Host, item: str) -> Iterator[Reading]:
    """A product that is there, but that no public command describes to us."""
    for key in DETAILS:
        yield unknown(key, Unreadable.NOT_SUPPORTED, "%s: no way to ask" % item, item)


# Name, the paths that show it, and who reads it.
PRODUCTS: Tuple[Tuple[str, Tuple[str, ...], Callable[[Host, str], Iterator[Reading]]], ...] = (
    (
        "ClamAV",
        ("/usr/bin/clamscan", "/usr/sbin/clamd", "/usr/local/bin/clamscan"),
        _read_clamav,
    ),
    ("Kaspersky Endpoint Security", (KESL_CONTROL,), _read_kesl),
    ("Kaspersky Anti-Virus for Linux File Server", (KAV4FS_CONTROL,), _read_kav4fs),
    ("ESET Endpoint Antivirus", ("/opt/eset/eea",), _read_eset("/opt/eset/eea")),
    ("ESET Server Security", ("/opt/eset/efs",), _read_eset("/opt/eset/efs")),
    ("ESET File Security", ("/opt/eset/esets",), _cannot_ask),
    ("Bitdefender Endpoint Security Tools", (BDUITOOL,), _read_bitdefender),
    ("Microsoft Defender", ("/opt/microsoft/mdatp",), _read_mdatp),
    ("Sophos", ("/opt/sophos-spl", "/opt/sophos-av"), _cannot_ask),
    ("Trend Micro Deep Security Agent", ("/opt/ds_agent",), _cannot_ask),
    ("Dr.Web", ("/opt/drweb.com",), _cannot_ask),
    ("Trellix Endpoint Security", ("/opt/McAfee/ens",), _cannot_ask),
    ("CrowdStrike Falcon", ("/opt/CrowdStrike",), _cannot_ask),
    ("SentinelOne", ("/opt/sentinelone",), _cannot_ask),
    ("Cortex XDR", ("/opt/traps",), _cannot_ask),
)


def read(context: ProbeContext) -> Iterator[Reading]:
    host = context.host
    source = "programs of %d known products" % len(PRODUCTS)
    try:
        found = [
            (name, reader)
            for name, paths, reader in PRODUCTS
            if any(host.exists(path) for path in paths)
        ]
    except HostError as error:
        yield unknown("antivirus.products", error, source)
        return
    yield known("antivirus.products", tuple(name for name, _ in found), source)
    for name, reader in found:
        yield from reader(host, name)


PROBE = Probe(
    id="antivirus",
    platforms=("linux",),
    specs=(
        FactSpec(
            "antivirus.products",
            ValueType.STRINGS,
            Text(vi="Phần mềm phòng, chống mã độc đã cài", en="Antivirus products installed"),
        ),
        FactSpec(
            ENABLED,
            ValueType.BOOL,
            Text(vi="Bảo vệ thời gian thực đang bật", en="Real-time protection is on"),
            "antivirus.products",
        ),
        FactSpec(
            VERSION,
            ValueType.STRING,
            Text(vi="Phiên bản phần mềm", en="Version of the product"),
            "antivirus.products",
        ),
        FactSpec(
            SIGNATURES,
            ValueType.DATETIME,
            Text(
                vi="Thời điểm phát hành mẫu nhận diện đang dùng",
                en="When the signatures in use were released",
            ),
            "antivirus.products",
        ),
        FactSpec(
            MANAGED,
            ValueType.BOOL,
            Text(vi="Được quản lý tập trung", en="Managed by a central console"),
            "antivirus.products",
        ),
        FactSpec(
            SERVER,
            ValueType.STRING,
            Text(vi="Máy chủ quản lý tập trung", en="Server of the central console"),
            "antivirus.products",
        ),
    ),
    read=read,
)
