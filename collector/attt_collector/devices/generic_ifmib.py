"""Any device that answers SNMPv2-MIB's system group and IF-MIB (RFC 3418, RFC 2863).

Source: system group by GET; ifTable and ifXTable by GETBULK, eight columns of them.
Sample (a Catalyst 3560):
    .1.3.6.1.2.1.31.1.1.1.1.10101  = STRING: "Gi0/1"      ifName
    .1.3.6.1.2.1.2.2.1.8.10101     = INTEGER: 2           ifOperStatus, down
    .1.3.6.1.2.1.31.1.1.1.15.10101 = Gauge32: 10          ifHighSpeed, in 1,000,000 bit/s
    .1.3.6.1.2.1.31.1.1.1.18.10101 = STRING: "WAN - VNPT" ifAlias, typed in by the administrator
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count

from attt_collector.family import DeviceFamily, Oid, Reading, Walk, WalkValue, oid
from attt_rules.contract import FactSpec, FactValue, Text, Unreadable, ValueType

SYS_DESCR = oid("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = oid("1.3.6.1.2.1.1.2.0")
SYS_UPTIME = oid("1.3.6.1.2.1.1.3.0")
SYS_NAME = oid("1.3.6.1.2.1.1.5.0")
SYS_LOCATION = oid("1.3.6.1.2.1.1.6.0")
IF_NUMBER = oid("1.3.6.1.2.1.2.1.0")
IF_DESCR = oid("1.3.6.1.2.1.2.2.1.2")
IF_TYPE = oid("1.3.6.1.2.1.2.2.1.3")
IF_SPEED = oid("1.3.6.1.2.1.2.2.1.5")
IF_ADMIN_STATUS = oid("1.3.6.1.2.1.2.2.1.7")
IF_OPER_STATUS = oid("1.3.6.1.2.1.2.2.1.8")
IF_NAME = oid("1.3.6.1.2.1.31.1.1.1.1")
IF_HIGH_SPEED = oid("1.3.6.1.2.1.31.1.1.1.15")
IF_ALIAS = oid("1.3.6.1.2.1.31.1.1.1.18")

COLUMNS = {
    IF_DESCR: "IF-MIB::ifDescr",
    IF_TYPE: "IF-MIB::ifType",
    IF_SPEED: "IF-MIB::ifSpeed",
    IF_ADMIN_STATUS: "IF-MIB::ifAdminStatus",
    IF_OPER_STATUS: "IF-MIB::ifOperStatus",
    IF_NAME: "IF-MIB::ifName",
    IF_HIGH_SPEED: "IF-MIB::ifHighSpeed",
    IF_ALIAS: "IF-MIB::ifAlias",
}

ADMIN_STATES = {1: "up", 2: "down", 3: "testing"}
OPER_STATES = {
    1: "up",
    2: "down",
    3: "testing",
    4: "unknown",
    5: "dormant",
    6: "notPresent",
    7: "lowerLayerDown",
}

# ifSpeed is a Gauge32: its highest value says "this or more" (RFC 2863, section 3.1.8).
SPEED_DOES_NOT_FIT = 4_294_967_295
MAX_TEXT_CHARS = 4096
# Six facts an interface must fit into one snapshot's 10,000.
MAX_DESCRIBED_INTERFACES = 1_600

# "LAN", "LAN: tầng 2", "WAN - VNPT", "wan2", but not "Landing" and not "lancs".
_ROLE = re.compile(r"\s*(lan|wan|internet|tslcd)(?![^\W\d_])", re.IGNORECASE)

# Word and PDF files cannot hold these.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# IANAifType (registry of interface types) in the order of its numbers, from 1 and from 277;
# 273 to 276 are not given out.
_TYPES_FROM_1 = """
other regular1822 hdh1822 ddnX25 rfc877x25 ethernetCsmacd iso88023Csmacd iso88024TokenBus
iso88025TokenRing iso88026Man starLan proteon10Mbit proteon80Mbit hyperchannel fddi lapb sdlc ds1 e1
basicISDN primaryISDN propPointToPointSerial ppp softwareLoopback eon ethernet3Mbit nsip slip ultra
ds3 sip frameRelay rs232 para arcnet arcnetPlus atm miox25 sonet x25ple iso88022llc localTalk
smdsDxi frameRelayService v35 hssi hippi modem aal5 sonetPath sonetVT smdsIcip propVirtual
propMultiplexor ieee80212 fibreChannel hippiInterface frameRelayInterconnect aflane8023 aflane8025
cctEmul fastEther isdn v11 v36 g703at64k g703at2mb qllc fastEtherFX channel ieee80211 ibm370parChan
escon dlsw isdns isdnu lapd ipSwitch rsrb atmLogical ds0 ds0Bundle bsc async cnr iso88025Dtr eplrs
arap propCnls hostPad termPad frameRelayMPI x213 adsl radsl sdsl vdsl iso88025CRFPInt myrinet
voiceEM voiceFXO voiceFXS voiceEncap voiceOverIp atmDxi atmFuni atmIma pppMultilinkBundle ipOverCdlc
ipOverClaw stackToStack virtualIpAddress mpc ipOverAtm iso88025Fiber tdlc gigabitEthernet hdlc lapf
v37 x25mlp x25huntGroup transpHdlc interleave fast ip docsCableMaclayer docsCableDownstream
docsCableUpstream a12MppSwitch tunnel coffee ces atmSubInterface l2vlan l3ipvlan l3ipxvlan
digitalPowerline mediaMailOverIp dtm dcn ipForward msdsl ieee1394 if-gsn dvbRccMacLayer
dvbRccDownstream dvbRccUpstream atmVirtual mplsTunnel srp voiceOverAtm voiceOverFrameRelay idsl
compositeLink ss7SigLink propWirelessP2P frForward rfc1483 usb ieee8023adLag bgppolicyaccounting
frf16MfrBundle h323Gatekeeper h323Proxy mpls mfSigLink hdsl2 shdsl ds1FDL pos dvbAsiIn dvbAsiOut plc
nfas tr008 gr303RDT gr303IDT isup propDocsWirelessMaclayer propDocsWirelessDownstream
propDocsWirelessUpstream hiperlan2 propBWAp2Mp sonetOverheadChannel digitalWrapperOverheadChannel
aal2 radioMAC atmRadio imt mvl reachDSL frDlciEndPt atmVciEndPt opticalChannel opticalTransport
propAtm voiceOverCable infiniband teLink q2931 virtualTg sipTg sipSig docsCableUpstreamChannel
econet pon155 pon622 bridge linegroup voiceEMFGD voiceFGDEANA voiceDID mpegTransport sixToFour gtp
pdnEtherLoop1 pdnEtherLoop2 opticalChannelGroup homepna gfp ciscoISLvlan actelisMetaLOOP fcipLink
rpr qam lmp cblVectaStar docsCableMCmtsDownstream adsl2 macSecControlledIF macSecUncontrolledIF
aviciOpticalEther atmbond voiceFGDOS mocaVersion1 ieee80216WMAN adsl2plus dvbRcsMacLayer dvbTdm
dvbRcsTdma x86Laps wwanPP wwanPP2 voiceEBS ifPwType ilan pip aluELP gpon vdsl2 capwapDot11Profile
capwapDot11Bss capwapWtpVirtualRadio bits docsCableUpstreamRfPort cableDownstreamRfPort
vmwareVirtualNic ieee802154 otnOdu otnOtu ifVfiType g9981 g9982 g9983 aluEpon aluEponOnu
aluEponPhysicalUni aluEponLogicalLink aluGponOnu aluGponPhysicalUni vmwareNicTeam
"""
_TYPES_FROM_277 = """
docsOfdmDownstream docsOfdmaUpstream gfast sdci xboxWireless fastdsl docsCableScte55d1FwdOob
docsCableScte55d1RetOob docsCableScte55d2DsOob docsCableScte55d2UsOob docsCableNdf docsCableNdr ptm
ghn
"""
INTERFACE_TYPES: dict[int, str] = dict(zip(count(1), _TYPES_FROM_1.split(), strict=False)) | dict(
    zip(count(277), _TYPES_FROM_277.split(), strict=False)
)

Outcome = FactValue | Unreadable


def text_of(value: WalkValue) -> str | Unreadable:
    """An OCTET STRING as text. What is not UTF-8, or not print, is shown as `\\xe9`, never guessed.

    Windows ends its names with a NUL, others pad with blanks: neither is part of the name.
    """
    if not isinstance(value, bytes):
        return Unreadable.MALFORMED
    text = value.decode("utf-8", "backslashreplace").strip("\0 \t\r\n")
    return _CONTROL.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text)[:MAX_TEXT_CHARS]


def state_of(value: WalkValue, words: Mapping[int, str]) -> str | Unreadable:
    """An enumerated INTEGER as its word in the MIB."""
    if not isinstance(value, int):
        return Unreadable.MALFORMED
    return words.get(value, Unreadable.MALFORMED)


def role_of(alias: str) -> str | None:
    """The role an administrator gave a port by beginning its ifAlias with it, else None."""
    match = _ROLE.match(alias)
    return match[1].lower() if match else None


def speed_of(low: WalkValue | Unreadable, high: WalkValue | Unreadable) -> int | Unreadable:
    """Bits per second from ifSpeed and ifHighSpeed, or why there is no saying."""
    if isinstance(high, int) and high > 0:
        return high * 1_000_000
    if isinstance(low, Unreadable):
        return high if isinstance(high, Unreadable) else low
    if not isinstance(low, int) or low < 0:
        return Unreadable.MALFORMED
    if low == SPEED_DOES_NOT_FIT:
        return high if isinstance(high, Unreadable) else Unreadable.NOT_SUPPORTED
    return low


def reading(key: str, source: str, outcome: Outcome, item: str | None = None) -> Reading:
    if isinstance(outcome, Unreadable):
        return Reading(key, source, unreadable=outcome, item=item)
    return Reading(key, source, value=outcome, item=item)


def parse(walk: Walk) -> Iterator[Reading]:
    """Every fact of the system group and of each interface."""
    yield from _parse_system(walk)
    columns = {column: walk.column(column) for column in COLUMNS}
    indexes = sorted(set().union(*columns.values()))
    names = _interface_names(walk, columns, indexes)
    if isinstance(names, Unreadable):
        yield reading("interface.names", "IF-MIB::ifDescr", names)
        return
    yield reading("interface.names", "IF-MIB::ifTable", tuple(names.values()))
    for index in _described(columns, indexes):
        yield from _parse_interface(walk, columns, index, names[index])


def _parse_system(walk: Walk) -> Iterator[Reading]:
    for key, asked, source in (
        ("device.name", SYS_NAME, "SNMPv2-MIB::sysName.0"),
        ("device.description", SYS_DESCR, "SNMPv2-MIB::sysDescr.0"),
        ("device.location", SYS_LOCATION, "SNMPv2-MIB::sysLocation.0"),
    ):
        yield reading(
            key, source, text_of(walk[asked]) if asked in walk else walk.why_missing(asked)
        )

    object_id = walk.get(SYS_OBJECT_ID)
    yield reading(
        "device.object_id",
        "SNMPv2-MIB::sysObjectID.0",
        walk.why_missing(SYS_OBJECT_ID)
        if object_id is None
        else ".".join(map(str, object_id))
        if isinstance(object_id, tuple)
        else Unreadable.MALFORMED,
    )

    uptime_ticks = walk.get(SYS_UPTIME)  # hundredths of a second, back to 0 after 497 days
    yield reading(
        "device.uptime_seconds",
        "SNMPv2-MIB::sysUpTime.0",
        walk.why_missing(SYS_UPTIME)
        if uptime_ticks is None
        else uptime_ticks // 100
        if isinstance(uptime_ticks, int)
        else Unreadable.MALFORMED,
    )


def _interface_names(
    walk: Walk, columns: Mapping[Oid, Mapping[int, WalkValue]], indexes: list[int]
) -> dict[int, str] | Unreadable:
    """ifIndex to a name that no other interface of the device has: ifName, else ifDescr.

    Unreadable when the list is not whole. No rows at all means "no interfaces" only if ifNumber
    says 0: a device that hides ifTable from us looks just like one that has an empty one.
    """
    for column in (IF_DESCR, IF_NAME):
        if walk.gaps.get(column) is Unreadable.TIMEOUT:
            return Unreadable.TIMEOUT
    if IF_DESCR in walk.gaps and (IF_NAME in walk.gaps or not columns[IF_NAME]):
        return walk.gaps[IF_DESCR]
    if not indexes:
        number = walk.get(IF_NUMBER)
        if number is None:
            return walk.why_missing(IF_NUMBER)
        if not isinstance(number, int):
            return Unreadable.MALFORMED
        return {} if number == 0 else Unreadable.NOT_FOUND

    wanted = {index: _own_name(columns, index) for index in indexes}
    times = Counter(wanted.values())
    return {
        index: name if times[name] == 1 else f"{name} (ifIndex {index})"
        for index, name in wanted.items()
    }


def _own_name(columns: Mapping[Oid, Mapping[int, WalkValue]], index: int) -> str:
    for column in (IF_NAME, IF_DESCR):
        name = text_of(columns[column].get(index, b""))
        if name and not isinstance(name, Unreadable):
            return name
    return f"ifIndex {index}"


def _described(columns: Mapping[Oid, Mapping[int, WalkValue]], indexes: list[int]) -> list[int]:
    """The interfaces a snapshot has room for: those with a role first, then by ifIndex."""
    if len(indexes) <= MAX_DESCRIBED_INTERFACES:
        return indexes

    def plain_ports_last(index: int) -> tuple[bool, int]:
        alias = text_of(columns[IF_ALIAS].get(index, b""))
        return role_of(str(alias)) is None, index

    return sorted(indexes, key=plain_ports_last)[:MAX_DESCRIBED_INTERFACES]


def _parse_interface(
    walk: Walk, columns: Mapping[Oid, Mapping[int, WalkValue]], index: int, name: str
) -> Iterator[Reading]:
    def cell(column: Oid) -> WalkValue | Unreadable:
        value = columns[column].get(index)
        return walk.why_missing(column) if value is None else value

    def source(column: Oid) -> str:
        return f"{COLUMNS[column]}.{index}"

    alias = cell(IF_ALIAS)
    alias_text = alias if isinstance(alias, Unreadable) else text_of(alias)
    yield reading("interface.alias", source(IF_ALIAS), alias_text, name)
    if not isinstance(alias_text, Unreadable):
        role = role_of(alias_text)
        if role is not None:
            yield reading("interface.role", source(IF_ALIAS), role, name)

    for key, column, words in (
        ("interface.type", IF_TYPE, INTERFACE_TYPES),
        ("interface.admin_state", IF_ADMIN_STATUS, ADMIN_STATES),
        ("interface.oper_state", IF_OPER_STATUS, OPER_STATES),
    ):
        value = cell(column)
        outcome = value if isinstance(value, Unreadable) else state_of(value, words)
        yield reading(key, source(column), outcome, name)

    high = cell(IF_HIGH_SPEED)
    from_high = isinstance(high, int) and high > 0
    yield reading(
        "interface.speed_bits_per_second",
        source(IF_HIGH_SPEED if from_high else IF_SPEED),
        speed_of(cell(IF_SPEED), high),
        name,
    )


def detect(system: Mapping[str, str]) -> int:
    """Any device, when no family of its vendor knows it better."""
    return 1


def _spec(key: str, type_: ValueType, vi: str, en: str) -> FactSpec:
    per_item = key.startswith("interface.") and key != "interface.names"
    return FactSpec(key, type_, Text(vi=vi, en=en), "interface.names" if per_item else None)


SPECS = (
    _spec("device.name", ValueType.STRING, "Tên thiết bị tự khai (sysName)", "Its own name"),
    _spec(
        "device.description",
        ValueType.STRING,
        "Thiết bị tự mô tả: hãng, dòng máy, phiên bản (sysDescr)",
        "What it calls itself: maker, model, version (sysDescr)",
    ),
    _spec(
        "device.object_id",
        ValueType.STRING,
        "Mã loại thiết bị của hãng (sysObjectID)",
        "The maker's identifier of the product (sysObjectID)",
    ),
    _spec(
        "device.location",
        ValueType.STRING,
        "Nơi đặt, do quản trị viên ghi trên thiết bị (sysLocation)",
        "Where it stands, as written on the device (sysLocation)",
    ),
    _spec(
        "device.uptime_seconds",
        ValueType.INT,
        "Số giây từ khi dịch vụ SNMP khởi động; quay về 0 sau 497 ngày (sysUpTime)",
        "Seconds since its SNMP agent started; back to 0 after 497 days (sysUpTime)",
    ),
    _spec(
        "interface.names",
        ValueType.STRINGS,
        "Các cổng, giao diện mạng của thiết bị",
        "The interfaces of the device",
    ),
    _spec(
        "interface.alias",
        ValueType.STRING,
        "Chú thích do quản trị viên ghi cho cổng (ifAlias)",
        "What the administrator wrote on the interface (ifAlias)",
    ),
    _spec(
        "interface.type",
        ValueType.STRING,
        "Loại giao diện theo danh mục IANAifType, ví dụ ethernetCsmacd",
        "Interface type by its IANAifType name, for example ethernetCsmacd",
    ),
    _spec(
        "interface.speed_bits_per_second",
        ValueType.INT,
        "Tốc độ của giao diện",
        "Speed of the interface",
    ),
    _spec(
        "interface.admin_state",
        ValueType.STRING,
        "Trạng thái quản trị viên đặt: up, down, testing",
        "The state the administrator wants: up, down, testing",
    ),
    _spec(
        "interface.oper_state",
        ValueType.STRING,
        "Trạng thái thực: up, down, testing, unknown, dormant, notPresent, lowerLayerDown",
        "The state it is in: up, down, testing, unknown, dormant, notPresent, lowerLayerDown",
    ),
    _spec(
        "interface.role",
        ValueType.STRING,
        "Vai trò lan, wan, internet, tslcd: từ đầu tiên của chú thích cổng",
        "Role lan, wan, internet, tslcd: the first word of the interface's alias",
    ),
)

FAMILY = DeviceFamily(
    id="generic_ifmib",
    detect=detect,
    scalars=(SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_NAME, SYS_LOCATION, IF_NUMBER),
    columns=tuple(COLUMNS),
    parse=parse,
    specs=SPECS,
)
