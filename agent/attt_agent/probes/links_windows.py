r"""Network interfaces, gateways, name servers, and whether LAN and WAN are connected, on Windows.

Source: the host's interfaces; HKLM\SYSTEM\CurrentControlSet\Control\Network\{4D36E972-…} (which
        adapter has which name) and …\Control\Class\{4D36E972-…}\00nn *IfType, Characteristics (what
        the driver is); WMI root\cimv2 Win32_NetworkAdapterConfiguration (gateways, name servers);
        root\StandardCimv2 MSFT_NetNeighbor (Windows 8 on).
Sample: {…}\Connection Name="Ethernet"; 0001: *IfType=6 Characteristics=0x84
        DefaultIPGateway=["192.168.1.1"] DNSServerSearchOrder=["10.0.0.2", "10.0.0.3"]
Limits: names of interfaces are what Windows calls them in its language, or what people have called
        them; nothing is decided by them.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from attt_agent.host import Host, HostError, Interface
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_agent.registry_reading import number_or_none, text
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

NET_CLASS = "{4D36E972-E325-11CE-BFC1-08002BE10318}"  # GUID_DEVCLASS_NET
CONNECTIONS = r"HKLM\SYSTEM\CurrentControlSet\Control\Network" + "\\" + NET_CLASS
DRIVERS = r"HKLM\SYSTEM\CurrentControlSet\Control\Class" + "\\" + NET_CLASS
CIMV2 = r"root\cimv2"
ADDRESSES_QUERY = (
    "SELECT SettingID, IPEnabled, DefaultIPGateway, DNSServerSearchOrder"
    " FROM Win32_NetworkAdapterConfiguration"
)
STANDARD_CIMV2 = r"root\StandardCimv2"
NEIGHBOURS_QUERY = "SELECT InterfaceAlias, State FROM MSFT_NetNeighbor"
# Probe, delay, stale, reachable: it has answered. Permanent ones are multicast groups.
ANSWERED = (2, 3, 4, 5)

# IANAifType, as drivers put it in *IfType.
ETHERNET, PPP, WIFI, TUNNEL, PROPRIETARY, WWANPP, WWANPP2 = 6, 23, 71, 131, 53, 243, 244
NCF_VIRTUAL, NCF_PHYSICAL = 0x1, 0x4  # Characteristics, netcfgx.h


@dataclass(frozen=True)
class Addressing:
    """Gateways with the adapter ({GUID}, lower case) that leads there, and name servers."""

    gateways: Tuple[Tuple[str, str], ...]
    dns_servers: Tuple[str, ...]


def kind_of(interface_type: int, characteristics: Optional[int]) -> str:
    """ "ethernet", "wifi", "mobile", "tunnel", "virtual" or "other"."""
    if interface_type == WIFI:
        return "wifi"
    if interface_type in (WWANPP, WWANPP2):
        return "mobile"
    if interface_type in (PPP, TUNNEL, PROPRIETARY):
        return "tunnel"
    if interface_type != ETHERNET:
        return "other"
    if characteristics is not None and characteristics & NCF_PHYSICAL:
        return "ethernet"
    return "virtual"  # a switch of Hyper-V, a host-only adapter, a TAP driver


def usable_addresses(interface: Interface) -> List[str]:
    """Addresses that another machine can reach: neither loopback nor link-local."""
    usable: List[str] = []
    for address_text in interface.addresses:
        try:
            address = ipaddress.ip_address(address_text)
        except ValueError:
            continue
        if not (address.is_loopback or address.is_link_local or address.is_unspecified):
            usable.append(address_text)
    return usable


def is_loopback(interface: Interface) -> bool:
    """By its addresses: "Loopback Pseudo-Interface 1" has another name in other languages."""
    try:
        addresses = [ipaddress.ip_address(address) for address in interface.addresses]
    except ValueError:
        return False
    return bool(addresses) and all(address.is_loopback for address in addresses)


def parse_addressing(rows: Sequence[Mapping[str, object]]) -> Addressing:
    """
    Raises:
        ValueError: no row at all (every Windows has adapters without an address), or a row that is
            none of this class.
    """
    if not rows:
        raise ValueError("no adapter at all")
    gateways: Dict[Tuple[str, str], None] = {}
    servers: Dict[str, None] = {}
    for row in rows:
        adapter = row.get("SettingID")
        if not isinstance(adapter, str) or not isinstance(row.get("IPEnabled"), bool):
            raise ValueError("no SettingID or no IPEnabled")
        if not row["IPEnabled"]:
            continue
        for address in _strings(row.get("DefaultIPGateway")):
            gateways.setdefault((adapter.lower(), address))
        for address in _strings(row.get("DNSServerSearchOrder")):
            servers.setdefault(address)
    return Addressing(tuple(gateways), tuple(servers))


def _strings(value: object) -> Tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, tuple) or not all(isinstance(part, str) for part in value):
        raise ValueError("no list of addresses")
    return value


def _adapters(host: Host) -> Dict[str, str]:
    """Name of an interface to its adapter ({GUID}, lower case).

    Raises:
        HostError: the list of connections cannot be read.
    """
    names: Dict[str, str] = {}
    for adapter in host.registry_keys(CONNECTIONS):
        if not adapter.startswith("{"):
            continue
        try:
            name = text(host, "%s\\%s\\Connection" % (CONNECTIONS, adapter), "Name")
        except HostError as error:
            if error.reason is Unreadable.NOT_FOUND:
                continue
            raise
        names[name.casefold()] = adapter.lower()
    return names


def _drivers(host: Host) -> Dict[str, str]:
    """Adapter ({GUID}, lower case) to the key of its driver.

    Raises:
        HostError: the list of drivers cannot be read.
    """
    keys: Dict[str, str] = {}
    for name in host.registry_keys(DRIVERS):
        key = "%s\\%s" % (DRIVERS, name)
        if not name.isdigit():
            continue  # "Properties" is for the system alone
        try:
            keys[text(host, key, "NetCfgInstanceId").lower()] = key
        except HostError as error:
            if error.reason is not Unreadable.NOT_FOUND:
                raise
    return keys


def _kind(host: Host, name: str) -> str:
    """
    Raises:
        HostError: the registry does not say.
    """
    adapter = _adapters(host).get(name.casefold())
    if adapter is None:
        raise HostError(Unreadable.NOT_FOUND, "no connection of that name")
    key = _drivers(host).get(adapter)
    if key is None:
        raise HostError(Unreadable.NOT_FOUND, "no driver of that adapter")
    interface_type = number_or_none(host, key, "*IfType")
    if interface_type is None:
        raise HostError(Unreadable.NOT_FOUND, "%s *IfType" % key)
    return kind_of(interface_type, number_or_none(host, key, "Characteristics"))


def _read_interfaces(host: Host, interfaces: Sequence[Interface]) -> Iterator[Reading]:
    for interface in interfaces:
        name, source = interface.name, "interface %s" % interface.name
        yield known("link.up", interface.up, source, name)
        yield known("link.addresses", interface.addresses, source, name)
        if interface.speed_bits_per_second:
            speed = interface.speed_bits_per_second
            yield known("link.speed_bits_per_second", speed, source, name)
        else:
            why = "%s: the driver says no speed" % source
            yield unknown("link.speed_bits_per_second", Unreadable.NOT_SUPPORTED, why, name)
        source = "%s, %s *IfType" % (CONNECTIONS, DRIVERS)
        try:
            yield known("link.kind", _kind(host, name), source, name)
        except HostError as error:
            yield unknown("link.kind", error, source, name)


def _addressing(host: Host) -> Addressing:
    """
    Raises:
        HostError: no answer, or not understood.
    """
    try:
        return parse_addressing(host.wmi(CIMV2, ADDRESSES_QUERY))
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, str(error)) from error


def _has_neighbour(host: Host, names: Sequence[str]) -> bool:
    """
    Raises:
        HostError: Windows does not say (Windows 7 has no such class).
    """
    wanted = {name.casefold() for name in names}
    for row in host.wmi(STANDARD_CIMV2, NEIGHBOURS_QUERY):
        alias, state = row.get("InterfaceAlias"), row.get("State")
        if isinstance(alias, str) and alias.casefold() in wanted and state in ANSWERED:
            return True
    return False


def _lan_connected(
    host: Host, interfaces: Sequence[Interface], addressing: Optional[Addressing]
) -> Reading:
    key, source = "link.lan_connected", "interfaces, Win32_NetworkAdapterConfiguration"
    connected = [i.name for i in interfaces if i.up and usable_addresses(i)]
    if not connected:
        return known(key, False, "no interface is up with an address")
    try:
        if addressing is not None and addressing.gateways:
            adapters = _adapters(host)
            up = {adapters.get(name.casefold()) for name in connected}
            if any(adapter in up for adapter, _ in addressing.gateways):
                return known(key, True, source)
        source = "%s, MSFT_NetNeighbor" % source
        return known(key, _has_neighbour(host, connected), source)
    except HostError as error:
        return unknown(key, error, source)


def _wan_reachable(context: ProbeContext) -> Reading:
    key = "link.wan_reachable"
    if context.wan_target is None:
        return unknown(key, Unreadable.NOT_SUPPORTED, "no wan target configured")
    address, port = context.wan_target
    source = "TCP %s:%d" % (address, port)
    try:
        return known(key, context.host.tcp_reachable(address, port), source)
    except HostError as error:
        return unknown(key, error, source)


def read(context: ProbeContext) -> Iterator[Reading]:
    host = context.host
    addressing: Optional[Addressing] = None
    source = "Win32_NetworkAdapterConfiguration"
    try:
        addressing = _addressing(host)
        unique: Dict[str, None] = dict.fromkeys(address for _, address in addressing.gateways)
        yield known("link.gateways", tuple(unique), source)
        yield known("link.dns_servers", addressing.dns_servers, source)
    except HostError as error:
        for key in ("link.gateways", "link.dns_servers"):
            yield unknown(key, error, source)
    try:
        everything = host.interfaces()
        if not everything:  # every Windows has at least its loopback
            raise HostError(Unreadable.NOT_FOUND, "no interface at all, not even loopback")
        interfaces = tuple(i for i in everything if not is_loopback(i))
        yield known("link.interfaces", tuple(i.name for i in interfaces), "interfaces")
        yield from _read_interfaces(host, interfaces)
        yield _lan_connected(host, interfaces, addressing)
    except HostError as error:
        yield unknown("link.interfaces", error, "interfaces")
        yield unknown("link.lan_connected", error, "interfaces")
    yield _wan_reachable(context)


PROBE = Probe(
    id="links_windows",
    platforms=("windows",),
    specs=(
        FactSpec(
            "link.interfaces",
            ValueType.STRINGS,
            Text(vi="Các giao diện mạng, trừ loopback", en="Network interfaces without loopback"),
        ),
        FactSpec(
            "link.up",
            ValueType.BOOL,
            Text(vi="Giao diện đang hoạt động", en="The interface is up"),
            "link.interfaces",
        ),
        FactSpec(
            "link.kind",
            ValueType.STRING,
            Text(
                vi="Loại: ethernet, wifi, mobile, tunnel, virtual hoặc other",
                en="Kind: ethernet, wifi, mobile, tunnel, virtual or other",
            ),
            "link.interfaces",
        ),
        FactSpec(
            "link.speed_bits_per_second",
            ValueType.INT,
            Text(vi="Tốc độ giao diện, bit/giây", en="Speed of the interface, bits per second"),
            "link.interfaces",
        ),
        FactSpec(
            "link.addresses",
            ValueType.STRINGS,
            Text(vi="Địa chỉ IP của giao diện", en="IP addresses of the interface"),
            "link.interfaces",
        ),
        FactSpec(
            "link.gateways",
            ValueType.STRINGS,
            Text(vi="Cổng ra mặc định", en="Default gateways"),
        ),
        FactSpec(
            "link.dns_servers",
            ValueType.STRINGS,
            Text(vi="Máy chủ phân giải tên miền", en="Name servers"),
        ),
        FactSpec(
            "link.lan_connected",
            ValueType.BOOL,
            Text(
                vi="Máy đang nối mạng LAN: có giao diện hoạt động, có địa chỉ, có cổng ra hoặc "
                "máy lân cận",
                en="On a LAN: an interface is up with an address and a gateway or a neighbour",
            ),
        ),
        FactSpec(
            "link.wan_reachable",
            ValueType.BOOL,
            Text(
                vi="Kết nối được tới máy chủ của tỉnh qua mạng WAN",
                en="The provincial host answers over the WAN",
            ),
        ),
    ),
    read=read,
)
