"""Network interfaces, gateways, name servers, and whether LAN and WAN are connected.

Source: the host's interfaces; /sys/class/net/<interface>; /proc/net/route, /proc/net/ipv6_route,
        /proc/net/arp; /etc/resolv.conf (systemd-resolved: /run/systemd/resolve/resolv.conf).
"""

from __future__ import annotations

import ipaddress
from typing import Dict, Iterator, List, Optional, Tuple

from attt_agent.host import Host, HostError, Interface
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

# linux/if_arp.h, as /sys/class/net/<interface>/type says them.
ARPHRD_ETHERNET = "1"
ARPHRD_TUNNELS = ("65534", "768", "769", "776", "778", "823")  # tun/WireGuard, ipip, ip6, sit, gre
RTF_GATEWAY = 0x2  # linux/route.h
ATF_COM = 0x2  # linux/if_arp.h: the neighbour has answered

Gateway = Tuple[str, str]  # interface, address


def parse_route(text: str) -> List[Gateway]:
    """Default gateways over IPv4; addresses are hexadecimal in the processor's byte order.

    Sample: Iface  Destination Gateway  Flags RefCnt Use Metric Mask     MTU Window IRTT
            eth0   00000000    010200C0 0003  0      0   0      00000000 0   0      0

    Raises:
        ValueError: not the kernel's table.
    """
    lines = text.splitlines()
    if not lines or not lines[0].startswith("Iface"):
        raise ValueError("no heading")
    gateways: List[Gateway] = []
    for line in lines[1:]:
        fields = line.split()
        if len(fields) < 8:
            raise ValueError("short line: %r" % line[:60])
        if fields[1] == "00000000" and fields[7] == "00000000" and int(fields[3], 16) & RTF_GATEWAY:
            # Little-endian on every processor this project runs on (x86, arm64).
            raw = bytes.fromhex(fields[2])[::-1]
            gateways.append((fields[0], str(ipaddress.IPv4Address(raw))))
    return gateways


def parse_ipv6_route(text: str) -> List[Gateway]:
    """Default gateways over IPv6.

    Sample: 000…000 00 000…000 00 fd000000000000000000000000000001 00000400 … 00000003     eth0

    Raises:
        ValueError: not the kernel's table.
    """
    gateways: List[Gateway] = []
    for line in text.splitlines():
        fields = line.split()
        if len(fields) != 10:
            raise ValueError("short line: %r" % line[:60])
        if int(fields[0], 16) == 0 and fields[1] == "00" and int(fields[8], 16) & RTF_GATEWAY:
            gateways.append((fields[9], str(ipaddress.IPv6Address(bytes.fromhex(fields[4])))))
    return gateways


def parse_neighbours(text: str) -> List[str]:
    """Interfaces on which some neighbour has answered (the kernel's ARP table).

    Sample: IP address       HW type     Flags       HW address            Mask     Device
            192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0

    Raises:
        ValueError: not the kernel's table.
    """
    lines = text.splitlines()
    if not lines or not lines[0].startswith("IP address"):
        raise ValueError("no heading")
    interfaces: List[str] = []
    for line in lines[1:]:
        fields = line.split()
        if len(fields) == 6 and int(fields[2], 16) & ATF_COM:
            interfaces.append(fields[5])
    return interfaces


def parse_resolv_conf(text: str) -> List[str]:
    """Addresses of the name servers, in order (resolv.conf(5))."""
    servers: List[str] = []
    for line in text.splitlines():
        fields = line.split("#")[0].split(";")[0].split()
        if len(fields) >= 2 and fields[0] == "nameserver" and fields[1] not in servers:
            servers.append(fields[1])
    return servers


def usable_addresses(interface: Interface) -> List[str]:
    """Addresses that another machine can reach: neither loopback nor link-local."""
    usable: List[str] = []
    for text in interface.addresses:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if not (address.is_loopback or address.is_link_local or address.is_unspecified):
            usable.append(text)
    return usable


def kind_of(name: str, host: Host) -> str:
    """
    Raises:
        HostError: /sys/class/net does not say.
    """
    folder = "/sys/class/net/%s" % name
    hardware_type = host.read_text("%s/type" % folder).strip()
    device_type = ""
    for line in host.read_text("%s/uevent" % folder).splitlines():
        if line.startswith("DEVTYPE="):
            device_type = line[len("DEVTYPE=") :]
    if device_type == "wlan" or host.exists("%s/wireless" % folder):
        return "wifi"
    if device_type == "wwan":
        return "mobile"
    if hardware_type in ARPHRD_TUNNELS or device_type in ("wireguard", "vxlan", "gre"):
        return "tunnel"
    if not host.exists("%s/device" % folder):
        return "virtual"  # bridge, bond, VLAN, veth, dummy: no hardware of its own
    return "ethernet" if hardware_type == ARPHRD_ETHERNET else "other"


def _read_interfaces(host: Host, interfaces: Tuple[Interface, ...]) -> Iterator[Reading]:
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
        source = "/sys/class/net/%s" % name
        try:
            yield known("link.kind", kind_of(name, host), source, name)
        except HostError as error:
            yield unknown("link.kind", error, source, name)


def _gateways(host: Host) -> List[Gateway]:
    """
    Raises:
        HostError: a table cannot be read or understood.
    """
    try:
        gateways = parse_route(host.read_text("/proc/net/route"))
        try:
            gateways += parse_ipv6_route(host.read_text("/proc/net/ipv6_route"))
        except HostError as error:
            if error.reason is not Unreadable.NOT_FOUND:  # a kernel without IPv6 has no such file
                raise
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, "routing table: %s" % error) from error
    return gateways


def _dns_servers(host: Host) -> Reading:
    source = "/etc/resolv.conf"
    try:
        servers = parse_resolv_conf(host.read_text(source))
        if servers == ["127.0.0.53"]:  # systemd-resolved's own address hides the real ones
            source = "/run/systemd/resolve/resolv.conf"
            servers = parse_resolv_conf(host.read_text(source))
    except HostError as error:
        return unknown("link.dns_servers", error, source)
    return known("link.dns_servers", tuple(servers), source)


def _lan_connected(
    host: Host, interfaces: Tuple[Interface, ...], gateways: Optional[List[Gateway]]
) -> Reading:
    key, source = "link.lan_connected", "interfaces, /proc/net/route, /proc/net/arp"
    addressed = {i.name for i in interfaces if i.up and usable_addresses(i)}
    if not addressed:
        return known(key, False, "no interface is up with an address")
    if gateways is None:
        return unknown(key, Unreadable.NOT_FOUND, "%s: routing table not read" % source)
    if any(name in addressed for name, _ in gateways):
        return known(key, True, source)
    try:
        neighbours = parse_neighbours(host.read_text("/proc/net/arp"))
    except HostError as error:
        return unknown(key, error, source)
    except ValueError:
        return unknown(key, Unreadable.MALFORMED, "/proc/net/arp")
    return known(key, any(name in addressed for name in neighbours), source)


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
    gateways: Optional[List[Gateway]] = None
    source = "/proc/net/route, /proc/net/ipv6_route"
    try:
        gateways = _gateways(host)
        unique: Dict[str, None] = dict.fromkeys(address for _, address in gateways)
        yield known("link.gateways", tuple(unique), source)
    except HostError as error:
        yield unknown("link.gateways", error, source)
    yield _dns_servers(host)
    try:
        everything = host.interfaces()
        if not everything:  # every Linux has at least `lo`
            raise HostError(Unreadable.NOT_FOUND, "no interface at all, not even loopback")
        interfaces = tuple(i for i in everything if i.name != "lo")
        yield known("link.interfaces", tuple(i.name for i in interfaces), "interfaces")
        yield from _read_interfaces(host, interfaces)
        yield _lan_connected(host, interfaces, gateways)
    except HostError as error:
        yield unknown("link.interfaces", error, "interfaces")
        yield unknown("link.lan_connected", error, "interfaces")
    yield _wan_reachable(context)


PROBE = Probe(
    id="links",
    platforms=("linux",),
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
