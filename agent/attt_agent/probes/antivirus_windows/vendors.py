r"""Antivirus products by their own services, programs and registry.

A product is known by the key names of its services and by its programs, never by the name that
Windows shows: that is in the language of the PC. What a product keeps where is from its vendor's
or Microsoft's public documentation, named at each reader; what is not documented stays
not_supported.

Source: Kaspersky: support.kaspersky.com/ksc/14.2/3644 (AVState), KSC Open API "Global RTP State";
        ESET: …\ESET Security\CurrentVersion\Info, as public inventory agents read it;
        Symantec and Trellix: learn.microsoft.com, Defender for Cloud, "Endpoint protection
        assessment and recommendations".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Callable, FrozenSet, Mapping, Optional, Tuple

from attt_agent.host import Host, HostError, RegistryValue, Service
from attt_agent.registry_reading import text
from attt_rules.contract import Unreadable

Services = Mapping[str, Service]
NOT_DOCUMENTED = HostError(Unreadable.NOT_SUPPORTED, "no documented way to ask")


@dataclass(frozen=True)
class Details:
    """What a product says itself; a `HostError` says why it does not.

    `on` is None where it does not say; `server` is None where there is none.
    """

    on: Optional[bool] = None
    version: object = NOT_DOCUMENTED
    signatures_updated_at: object = NOT_DOCUMENTED
    managed: object = NOT_DOCUMENTED
    server: object = NOT_DOCUMENTED
    source: str = "services"


@dataclass(frozen=True)
class Vendor:
    """One make of product.

    Args:
        services: key names of the services that protect; if none of those installed runs, the
            product does not protect.
        programs: process names, for products whose services are not documented.
        paths: parts of the paths of its programs, in small letters.
        brands: words of its display name that are names, in small letters.
    """

    name: str
    services: str
    paths: Tuple[str, ...]
    brands: Tuple[str, ...]
    programs: FrozenSet[str] = frozenset()
    read: Callable[[Host, Services], Details] = lambda host, services: Details()

    def installed_services(self, services: Services) -> Tuple[str, ...]:
        pattern = re.compile(self.services, re.IGNORECASE)
        return tuple(name for name in services if pattern.fullmatch(name))

    def registered_as(self, name: str, paths: Tuple[str, ...]) -> bool:
        """Whether a Security Center row is of this make."""
        seen = " ".join(paths).lower()
        return any(part in seen for part in self.paths) or any(
            re.search(r"\b%s\b" % re.escape(brand), name.lower()) for brand in self.brands
        )


def is_running(services: Services, name: str) -> Optional[bool]:
    """None for a service that is not installed."""
    for other, service in services.items():
        if other.casefold() == name.casefold():
            return service.state == "running"
    return None


def answer(ask: Callable[[], object]) -> object:
    """What `ask` answers, or the `HostError` it raises."""
    try:
        return ask()
    except HostError as error:
        return error


def _day(host: Host, key: str, name: str, form: str) -> datetime:
    """A date in the product's own fixed form, as the beginning of that day in UTC.

    Raises:
        HostError: missing or in another form.
    """
    said = text(host, key, name)
    match = re.search(form, said)
    if match is None:
        raise HostError(Unreadable.MALFORMED, "%s %s: %r" % (key, name, said[:40]))
    try:
        year, month, day = (int(part) for part in match.groups())
        return datetime(year, month, day, tzinfo=timezone.utc)
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, "%s %s: %s" % (key, name, error)) from error


def _switch(host: Host, key: str, name: str) -> Optional[bool]:
    """A DWORD 0 or 1; None when it is missing or anything else."""
    try:
        value = host.registry_value(key, name)
    except HostError:
        return None
    return {0: False, 1: True}.get(value) if isinstance(value, int) else None


# --- Kaspersky --------------------------------------------------------------------------------

AV_STATE = r"HKLM\SOFTWARE\%sKasperskyLab\Components\34\1103\1.0.0.0\Statistics\AVState"
KASPERSKY_PRODUCTS = r"HKLM\SOFTWARE\%sKasperskyLab\protected"
VIEWS = ("WOW6432Node\\", "")  # 64-bit Windows, 32-bit Windows
NETWORK_AGENT = "klnagent"
RTP_RUNNING, RTP_STOPPED = (4, 5, 6, 7, 8), (1, 2, 9)


def parse_bases_date(said: str) -> datetime:
    """ "20-11-2026 03-12-00", in UTC.

    Raises:
        HostError: another form.
    """
    try:
        return datetime.strptime(said.strip() + "Z", "%d-%m-%Y %H-%M-%S%z")
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, "Protection_BasesDate %r" % said[:40]) from error


def rtp_on(state: object) -> Optional[bool]:
    """Protection_RtpState; 0 (unknown) and 3 (starting) are no answer."""
    number = int(state) if isinstance(state, str) and state.isdigit() else state
    if number in RTP_RUNNING:
        return True
    return False if number in RTP_STOPPED else None


def _av_state(host: Host) -> Mapping[str, RegistryValue]:
    """The Network Agent's account of the product on this machine.

    Raises:
        HostError: there is none, or it cannot be read.
    """
    for view in VIEWS:
        key = AV_STATE % view
        try:
            names = host.registry_names(key)
        except HostError as error:
            if error.reason is not Unreadable.NOT_FOUND:
                raise
            continue
        return {name: host.registry_value(key, name) for name in names}
    raise HostError(Unreadable.NOT_FOUND, AV_STATE % "")


def _kaspersky_version(host: Host) -> str:
    """
    Raises:
        HostError: not there.
    """
    for view in VIEWS:
        try:
            products = host.registry_keys(KASPERSKY_PRODUCTS % view)
        except HostError:
            continue
        for product in products:
            key = "%s\\%s\\environment" % (KASPERSKY_PRODUCTS % view, product)
            try:
                return text(host, key, "ProductVersion")
            except HostError:
                continue
    raise HostError(Unreadable.NOT_FOUND, "%s ProductVersion" % (KASPERSKY_PRODUCTS % ""))


def read_kaspersky(host: Host, services: Services) -> Details:
    """The Network Agent knows protection, bases and server; what it wrote is only worth
    something while it runs."""
    version = answer(lambda: _kaspersky_version(host))
    agent = is_running(services, NETWORK_AGENT)
    if not agent:
        why = "the Network Agent %s" % ("does not run" if agent is False else "is not installed")
        missing = HostError(Unreadable.NOT_SUPPORTED, why)
        return Details(None, version, missing, False, missing, "service %s" % NETWORK_AGENT)
    source = "Network Agent AVState"
    try:
        state = _av_state(host)
    except HostError as error:
        return Details(None, version, error, error, error, source)
    on = rtp_on(state.get("Protection_RtpState"))
    if state.get("Protection_AvInstalled") == 0:
        on = None  # the agent knows nothing of this product
    elif state.get("Protection_AvRunning") == 0 or state.get("Protection_HasRtp") == 0:
        on = False
    bases, server = state.get("Protection_BasesDate"), state.get("Protection_AdmServer")
    server = server.strip() if isinstance(server, str) else ""
    return Details(
        on=on,
        version=version,
        signatures_updated_at=answer(lambda: parse_bases_date(bases))
        if isinstance(bases, str) and bases
        else HostError(Unreadable.NOT_FOUND, "Protection_BasesDate"),
        # An agent that never reached its server is managed by nobody.
        managed=bool(server and state.get("Protection_LastConnected")),
        server=server or HostError(Unreadable.NOT_FOUND, "Protection_AdmServer"),
        source=source,
    )


# --- ESET, Symantec, Trellix ------------------------------------------------------------------

ESET = r"HKLM\SOFTWARE\ESET\ESET Security\CurrentVersion\Info"
ESET_AGENT = "EraAgentSvc"
SYMANTEC = r"HKLM\SOFTWARE\Symantec\Symantec Endpoint Protection\CurrentVersion"
SYMANTEC_SWITCH = (
    r"HKLM\SOFTWARE\WOW6432Node\Symantec\Symantec Endpoint Protection"
    r"\AV\Storages\Filesystem\RealTimeScan"
)
TRELLIX = r"HKLM\SOFTWARE\McAfee\Endpoint\AV"
TRELLIX_CONTENT = r"HKLM\SOFTWARE\McAfee\AVSolution\DS\DS"
TRELLIX_SWITCH = r"HKLM\SOFTWARE\McAfee\AVSolution\MCSHIELDGLOBAL\GLOBAL"


def read_eset(host: Host, services: Services) -> Details:
    """Sample: ProductVersion="10.1.2046.0" ScannerVersion="27001 (20230322)"."""
    agent = is_running(services, ESET_AGENT)
    return Details(
        version=answer(lambda: text(host, ESET, "ProductVersion")),
        signatures_updated_at=answer(
            lambda: _day(host, ESET, "ScannerVersion", r"\((\d{4})(\d\d)(\d\d)\)")
        ),
        managed=bool(agent),
        source="%s, service %s" % (ESET, ESET_AGENT),
    )


def read_symantec(host: Host, services: Services) -> Details:
    """Sample: PRODUCTVERSION="14.3.9210.6000" LatestVirusDefsDate="2026-11-20" OnOff=1."""
    state = SYMANTEC + r"\public-opstate"
    return Details(
        on=_switch(host, SYMANTEC_SWITCH, "OnOff"),
        version=answer(lambda: text(host, SYMANTEC, "PRODUCTVERSION")),
        signatures_updated_at=answer(
            lambda: _day(host, state, "LatestVirusDefsDate", r"\A(\d{4})-(\d\d)-(\d\d)")
        ),
        source=SYMANTEC,
    )


def read_trellix(host: Host, services: Services) -> Details:
    """Sample: ProductVersion="10.7.0.1960" szContentCreationDate="2026-11-20" enableoas=1."""
    return Details(
        on=_switch(host, TRELLIX_SWITCH, "enableoas"),
        version=answer(lambda: text(host, TRELLIX, "ProductVersion")),
        signatures_updated_at=answer(
            lambda: _day(host, TRELLIX_CONTENT, "szContentCreationDate", r"\A(\d{4})-(\d\d)-(\d\d)")
        ),
        source=TRELLIX,
    )


VENDORS: Tuple[Vendor, ...] = (
    Vendor(
        "Kaspersky",
        r"avp|avp\d[\d.]*|avp\.kes\..*|kavfs",
        ("\\kaspersky lab\\",),
        ("kaspersky",),
        read=read_kaspersky,
    ),
    Vendor(
        "Bkav",
        r"bkavservice",
        ("\\bkav",),
        ("bkav",),
        frozenset(("bkavservice.exe", "blupro.exe", "bkavutil.exe")),
    ),
    Vendor(
        "CMC",
        r"cmccore",
        ("\\cmc ", "\\cmc\\"),
        ("cmc",),
        frozenset(("cmccore.exe", "cmctrayicon.exe")),
    ),
    Vendor("ESET", r"ekrn", ("\\eset\\",), ("eset",), read=read_eset),
    Vendor(
        "Trend Micro",
        r"ntrtscan|amsp|ds_agent",
        ("\\trend micro\\",),
        ("trend micro",),
    ),
    Vendor(
        "Symantec Endpoint Protection",
        r"sepmasterservice|symantec antivirus",
        ("\\symantec\\",),
        ("symantec",),
        read=read_symantec,
    ),
    Vendor(
        "Trellix (McAfee)",
        r"mcshield|mfetp",
        ("\\mcafee\\", "\\trellix\\"),
        ("mcafee", "trellix"),
        read=read_trellix,
    ),
    Vendor(
        "Sophos",
        r"savservice|sophos endpoint defense service|sophos file scanner service",
        ("\\sophos\\",),
        ("sophos",),
    ),
    Vendor(
        "Huorong",
        r"hipsdaemon",
        ("\\huorong\\",),
        ("huorong", "火绒安全软件"),
        frozenset(("hipsdaemon.exe",)),
    ),
    Vendor(
        "360",
        r"zhudongfangyu|360rp|qhactivedefense",
        ("\\360\\",),
        ("360",),
        frozenset(("zhudongfangyu.exe", "360rp.exe", "360sd.exe", "qhactivedefense.exe")),
    ),
    Vendor("SentinelOne", r"sentinelagent", ("\\sentinelone\\",), ("sentinel", "sentinelone")),
    Vendor("CrowdStrike Falcon", r"csfalconservice", ("\\crowdstrike\\",), ("crowdstrike",)),
    Vendor(
        "Bitdefender",
        r"epsecurityservice|vsserv",
        ("\\bitdefender\\",),
        ("bitdefender",),
    ),
    Vendor("AVG", r"avg antivirus", ("\\avg\\",), ("avg",)),
    Vendor("Avast", r"avast! antivirus", ("\\avast software\\",), ("avast",)),
)
