r"""The firewall of Windows as it is in force, or the product that has taken its place.

Source: per profile EnableFirewall and DefaultInboundAction, first of
        HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\<profile> (group policy), then of
        HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\<profile>;
        the service MpsSvc, without which nothing is filtered; root\SecurityCenter2 FirewallProduct
        and Security Center's own health for other products.
Sample: DomainProfile: EnableFirewall=1 DefaultInboundAction=1
        FirewallProduct: displayName="Kaspersky" productState=266256 (0x041010)
Limits: what another product lets in cannot be read. A value that mobile device management (Mdm) or
        the policy of the older kind (StandardProfile) sets against the others is not understood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, List, Mapping, Optional, Tuple

from attt_agent.host import Host, HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_agent.registry_reading import number_or_none, policy_number, text
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

ENABLED = "firewall.enabled"
BLOCKED = "firewall.inbound_blocked"
PRODUCT = "firewall.product"
# What people call a profile, and its name in either store.
PROFILES = (
    ("domain", "DomainProfile", "DomainProfile"),
    ("private", "PrivateProfile", "StandardProfile"),
    ("public", "PublicProfile", "PublicProfile"),
)
POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall"
LOCAL = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
SERVICE = "MpsSvc"
WINDOWS_FIREWALL = "Windows Firewall"

NAMESPACE = r"root\SecurityCenter2"
PRODUCTS_QUERY = "SELECT displayName, pathToSignedReportingExe, productState FROM FirewallProduct"
CURRENT_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion"
PROGRAM_FOLDERS = {
    "%programfiles%": "ProgramFilesDir",
    "%programfiles(x86)%": "ProgramFilesDir (x86)",
}


@dataclass(frozen=True)
class Profile:
    """One profile of Windows' own firewall as the two stores set it."""

    enabled: bool
    inbound_blocked: bool
    source: str


def state_of(product_state: object) -> str:
    """ "on", "off", "snoozed" or "expired" from the bit field productState (bits 12 to 15).

    Raises:
        ValueError: no number, or bits that no source describes.
    """
    number = int(product_state) if isinstance(product_state, (int, str)) else -1
    states = {0x0000: "off", 0x1000: "on", 0x2000: "snoozed", 0x3000: "expired"}
    if number <= 0 or (number & 0xF000) not in states:
        raise ValueError("productState %r" % (product_state,))
    return states[number & 0xF000]


def _setting(host: Host, profile: Tuple[str, str, str], name: str) -> Optional[int]:
    """The value in force; None when no store has it.

    Raises:
        HostError: a store cannot be read, or stores whose order is not known disagree.
    """
    _, in_policy, in_local = profile
    value = policy_number(host, "%s\\%s" % (POLICY, in_policy), name)
    if value is not None:
        return value
    local = number_or_none(host, "%s\\%s" % (LOCAL, in_local), name)
    others = [
        number_or_none(host, "%s\\Mdm\\%s" % (LOCAL, in_local), name, above=LOCAL),
    ]
    if in_policy != "DomainProfile":
        # Written by the templates of Windows XP for "not the domain".
        others.append(policy_number(host, "%s\\StandardProfile" % POLICY, name))
    if any(other is not None and other != local for other in others):
        raise HostError(Unreadable.MALFORMED, "%s: the stores disagree" % name)
    return local


def _profile(host: Host, profile: Tuple[str, str, str]) -> Profile:
    """
    Raises:
        HostError: not readable, or not set anywhere.
    """
    enabled = _setting(host, profile, "EnableFirewall")
    if enabled is None:
        raise HostError(Unreadable.NOT_FOUND, "EnableFirewall is set nowhere")
    action = _setting(host, profile, "DefaultInboundAction")
    if enabled not in (0, 1) or action not in (None, 0, 1):
        raise HostError(Unreadable.MALFORMED, "EnableFirewall %s, action %s" % (enabled, action))
    # What is not allowed is blocked unless the value says otherwise ([MS-FASP]).
    return Profile(
        enabled=enabled == 1,
        inbound_blocked=enabled == 1 and action != 0,
        source=r"%s, FirewallPolicy of SharedAccess: EnableFirewall" % POLICY,
    )


def _service_running(host: Host) -> bool:
    """
    Raises:
        HostError: the services cannot be listed.
    """
    services = {name.casefold(): service for name, service in host.services().items()}
    if not services:
        raise HostError(Unreadable.MALFORMED, "no service at all")
    service = services.get(SERVICE.casefold())
    return service is not None and service.state == "running"


def _installed(host: Host, path: object) -> bool:
    """Whether the program of a registration is there; an uninstalled product may stay registered.

    Raises:
        HostError: nobody can tell.
    """
    if not isinstance(path, str) or not path:
        raise HostError(Unreadable.NOT_FOUND, "a registration without a program")
    path = path.strip().strip('"')
    for variable, name in PROGRAM_FOLDERS.items():
        if path.lower().startswith(variable):
            path = text(host, CURRENT_VERSION, name) + path[len(variable) :]
    if path[1:3] != ":\\" or not path.lower().endswith((".exe", ".dll")):
        raise HostError(Unreadable.NOT_SUPPORTED, "a registration with the program %r" % path)
    return host.exists(path)


def other_products(host: Host) -> List[str]:
    """Names of other firewalls that are on, installed, and not contradicted by Security Center.

    Raises:
        HostError: nobody can tell.
    """
    rows: Tuple[Mapping[str, object], ...] = host.wmi(NAMESPACE, PRODUCTS_QUERY)
    if not rows:
        return []
    on: List[str] = []
    for row in rows:
        name = row.get("displayName")
        try:
            if not isinstance(name, str) or not name.strip():
                raise ValueError("no name")
            if state_of(row.get("productState")) == "on" and _installed(
                host, row.get("pathToSignedReportingExe")
            ):
                on.append(name.strip())
        except ValueError as error:
            raise HostError(Unreadable.MALFORMED, "FirewallProduct: %s" % error) from error
    if on and host.security_center().get("firewall") != "good":
        raise HostError(Unreadable.MALFORMED, "a firewall says on, Security Center does not agree")
    return on


def _unprotected(
    others: List[str], problem: Optional[HostError], source: str, item: str
) -> Iterator[Reading]:
    """A profile that Windows' own firewall does not protect."""
    source = "%s; %s FirewallProduct" % (source, NAMESPACE)
    if others:
        yield known(ENABLED, True, source, item)
        why = "%s: what it lets in cannot be read" % others[0]
        yield unknown(BLOCKED, Unreadable.NOT_SUPPORTED, why, item)
        yield known(PRODUCT, others[0], source, item)
    elif problem is not None:
        for key in (ENABLED, BLOCKED, PRODUCT):
            yield unknown(key, problem, source, item)
    else:
        yield known(ENABLED, False, source, item)
        yield known(BLOCKED, False, source, item)
        yield unknown(PRODUCT, Unreadable.NOT_FOUND, "%s: none filters" % source, item)


def _other_products(host: Host) -> Tuple[List[str], Optional[HostError]]:
    """Windows Server has no Security Center: there Windows' own firewall is all we can see."""
    try:
        return other_products(host), None
    except HostError as error:
        if error.reason is Unreadable.NOT_SUPPORTED and _is_server(host):
            return [], None
        return [], error


def _is_server(host: Host) -> bool:
    key = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
    try:
        return "server" in text(host, key, "InstallationType").lower()
    except HostError:
        return False


def read(context: ProbeContext) -> Iterator[Reading]:
    host = context.host
    yield known("firewall.profiles", tuple(p[0] for p in PROFILES), "Windows has three profiles")
    asked: Optional[Tuple[List[str], Optional[HostError]]] = None
    try:
        running = _service_running(host)
    except HostError as error:
        for item, _, _ in PROFILES:
            for key in (ENABLED, BLOCKED, PRODUCT):
                yield unknown(key, error, "service %s" % SERVICE, item)
        return
    for profile in PROFILES:
        item = profile[0]
        try:
            state = _profile(host, profile)
        except HostError as error:
            for key in (ENABLED, BLOCKED, PRODUCT):
                yield unknown(key, error, "%s, %s" % (POLICY, LOCAL), item)
            continue
        source = "%s; service %s" % (state.source, SERVICE)
        if state.enabled and running:
            yield known(ENABLED, True, source, item)
            yield known(BLOCKED, state.inbound_blocked, source, item)
            yield known(PRODUCT, WINDOWS_FIREWALL, source, item)
            continue
        if asked is None:
            asked = _other_products(host)
        others, problem = asked
        told = source if running else "%s is not running" % source
        yield from _unprotected(others, problem, told, item)


PROBE = Probe(
    id="firewall_windows",
    platforms=("windows",),
    specs=(
        FactSpec(
            "firewall.profiles",
            ValueType.STRINGS,
            Text(vi="Các hồ sơ tường lửa của máy", en="Firewall profiles of the machine"),
        ),
        FactSpec(
            "firewall.enabled",
            ValueType.BOOL,
            Text(vi="Có tường lửa lọc lưu lượng vào máy", en="A firewall filters incoming traffic"),
            "firewall.profiles",
        ),
        FactSpec(
            "firewall.inbound_blocked",
            ValueType.BOOL,
            Text(
                vi="Lưu lượng vào không được phép thì bị chặn",
                en="Incoming traffic that is not allowed is blocked",
            ),
            "firewall.profiles",
        ),
        FactSpec(
            "firewall.product",
            ValueType.STRING,
            Text(vi="Phần mềm tường lửa", en="Firewall product"),
            "firewall.profiles",
        ),
    ),
    read=read,
)
