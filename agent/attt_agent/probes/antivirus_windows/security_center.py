r"""What antivirus products tell Windows Security Center.

Source: WscGetSecurityProviderHealth; WMI root\SecurityCenter2 AntiVirusProduct.
Sample: displayName="Kaspersky Endpoint Security" productState=266240 (0x041000: on, up to date)
        pathToSignedReportingExe="C:\Program Files (x86)\Kaspersky Lab\…\wmiav.exe"
Bits:   there is no public description by Microsoft; what follows is what published sources agree
        on: 12-15 the state, 4-7 the signatures, 16-23 the kind of provider (4: antivirus).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, List, Mapping, Optional, Sequence, Tuple

from attt_agent.host import Host, HostError
from attt_agent.registry_reading import text
from attt_rules.contract import Unreadable

NAMESPACE = r"root\SecurityCenter2"
PRODUCTS_QUERY = (
    "SELECT displayName, pathToSignedProductExe, pathToSignedReportingExe, productState"
    " FROM AntiVirusProduct"
)
ON, OFF, SNOOZED, EXPIRED = "on", "off", "snoozed", "expired"
UNCLEAR = (
    "unclear"  # a value that no source describes, such as 344064 (0x054000), seen in the field
)
STATES = {0x0000: OFF, 0x1000: ON, 0x2000: SNOOZED, 0x3000: EXPIRED}
SIGNATURES = {0x00: True, 0x10: False}
ANTIVIRUS_PROVIDER = 0x040000

CURRENT_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion"
PROGRAM_FOLDERS = {
    "%programfiles%": "ProgramFilesDir",
    "%programfiles(x86)%": "ProgramFilesDir (x86)",
}


@dataclass(frozen=True)
class Registration:
    """One row. `up_to_date` is the product's own word about its signatures, not their age; None:
    it says nothing that is understood.
    """

    name: str
    state: str
    up_to_date: Optional[bool]
    paths: Tuple[str, ...] = ()

    @property
    def on(self) -> bool:
        return self.state == ON

    @property
    def may_be_on(self) -> bool:
        return self.state in (ON, UNCLEAR)


def decode_product_state(product_state: object) -> Tuple[str, Optional[bool]]:
    """State and "signatures up to date"; UNCLEAR and None where no source describes the bits."""
    if isinstance(product_state, str) and product_state.isascii() and product_state.isdigit():
        product_state = int(product_state)
    if isinstance(product_state, bool) or not isinstance(product_state, int) or product_state < 0:
        return UNCLEAR, None
    if not product_state & ANTIVIRUS_PROVIDER:
        return UNCLEAR, None
    state = STATES.get(product_state & 0xF000, UNCLEAR)
    return state, SIGNATURES.get(product_state & 0xF0)


def parse_row(row: Mapping[str, object]) -> Registration:
    """
    Raises:
        ValueError: a registration without a name.
    """
    name = row.get("displayName")
    if not isinstance(name, str) or not name.strip():
        raise ValueError("a registration without a name")
    state, up_to_date = decode_product_state(row.get("productState"))
    paths = [row.get("pathToSignedReportingExe"), row.get("pathToSignedProductExe")]
    return Registration(
        name.strip(), state, up_to_date, tuple(p for p in paths if isinstance(p, str) and p)
    )


def read_registrations(host: Host) -> Tuple[Registration, ...]:
    """
    Raises:
        HostError: Security Center cannot be asked (Windows Server has none), or says something
            that is not understood.
    """
    rows = host.wmi(NAMESPACE, PRODUCTS_QUERY)
    try:
        return tuple(parse_row(row) for row in rows)
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, "AntiVirusProduct: %s" % error) from error


def read_health(host: Host) -> Optional[str]:
    """ "good", "poor", "snooze", "not_monitored"; None when it could not be asked."""
    try:
        return host.security_center().get("antivirus")
    except HostError:
        return None


def is_installed(host: Host, registration: Registration) -> Optional[bool]:
    """Whether one of its programs is there; None when that cannot be told.

    A product that was removed may stay registered, state and all.
    """
    answers: List[Optional[bool]] = []
    for path in registration.paths:
        if "://" in path:
            continue  # "windowsdefender://" is no file
        try:
            answers.append(host.exists(_program(host, path)))
        except HostError:
            answers.append(None)
    if True in answers:
        return True
    return False if answers and None not in answers else None


def _program(host: Host, registered: str) -> str:
    """The path of a program without quotes and variables.

    Raises:
        HostError: it has arguments, or a variable that is not known: nobody can look for it.
    """
    path = registered.strip().strip('"')
    for variable, name in PROGRAM_FOLDERS.items():
        if path.lower().startswith(variable):
            path = text(host, CURRENT_VERSION, name) + path[len(variable) :]
    if path[1:3] != ":\\" or not path.lower().endswith((".exe", ".dll")):
        raise HostError(Unreadable.NOT_SUPPORTED, registered)
    return path


def vote(
    own: Sequence[Registration], everyone: Iterable[Registration], health: Optional[str]
) -> Optional[bool]:
    """Whether a product is on, as far as its rows and Security Center's health agree.

    Args:
        own: rows of this product (an update may leave two), removed products left out.
        everyone: rows of all products, likewise.
        health: of the antivirus provider; None when not known.
    """
    if not own or any(row.state == UNCLEAR for row in own):
        return None
    another = any(row.may_be_on for row in everyone if row not in own)
    if all(row.on for row in own):
        told_why = any(row.up_to_date is False for row in everyone)
        contradicted = health == "snooze" or (health == "poor" and not told_why)
        return None if contradicted else True
    if not any(row.on for row in own):
        return None if health == "good" and not another else False
    # Two rows that disagree: Security Center knows whether anything protects this PC.
    return True if health == "good" and not another else None
