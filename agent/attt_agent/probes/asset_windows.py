r"""What this Windows machine is: edition, build, end of its support, make, form, domain.

Source: HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion (CurrentBuildNumber, UBR, EditionID,
        InstallationType); HKLM\HARDWARE\DESCRIPTION\System\BIOS; WMI root\cimv2 Win32_BIOS,
        Win32_SystemEnclosure, Win32_ComputerSystem.
Sample: CurrentBuildNumber="22631" UBR=4460 EditionID="Professional" InstallationType="Client"
Limits: ProductName is not used: it says "Windows 10" on Windows 11. Extended Security Updates
        (ESU) are bought machine by machine and are not counted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Dict, Iterator, Mapping, Optional, Tuple

from attt_agent.host import Host, HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_agent.registry_reading import CURRENT_VERSION, number_or_none, text, windows_build
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

PRO, ENTERPRISE, LTSC, IOT_LTSC, SERVER = "pro", "enterprise", "ltsc", "iot_ltsc", "server"
# EditionID to the name people know and the servicing channel. Evaluation, Embedded, S-mode and
# semi-annual (…ACor) editions have dates of their own and are left out: their end is unknown.
EDITIONS: Dict[str, Tuple[str, str]] = {
    "Starter": ("Starter", PRO),
    "HomeBasic": ("Home Basic", PRO),
    "HomePremium": ("Home Premium", PRO),
    "Ultimate": ("Ultimate", PRO),
    "Core": ("Home", PRO),
    "CoreSingleLanguage": ("Home Single Language", PRO),
    "CoreCountrySpecific": ("Home China", PRO),
    "Professional": ("Pro", PRO),
    "ProfessionalEducation": ("Pro Education", PRO),
    "ProfessionalWorkstation": ("Pro for Workstations", PRO),
    "Enterprise": ("Enterprise", ENTERPRISE),
    "Education": ("Education", ENTERPRISE),
    "IoTEnterprise": ("IoT Enterprise", ENTERPRISE),
    "ServerRdsh": ("Enterprise multi-session", ENTERPRISE),
    "EnterpriseS": ("Enterprise LTSC", LTSC),
    "IoTEnterpriseS": ("IoT Enterprise LTSC", IOT_LTSC),
    "ServerStandard": ("Standard", SERVER),
    "ServerDatacenter": ("Datacenter", SERVER),
    "ServerSolution": ("Essentials", SERVER),
    "ServerEnterprise": ("Enterprise", SERVER),
    "ServerFoundation": ("Foundation", SERVER),
    "ServerWeb": ("Web", SERVER),
}
CLIENT_RELEASES = {7600: "7", 7601: "7", 9200: "8", 9600: "8.1"}
SERVER_RELEASES = {
    7600: "2008 R2",
    7601: "2008 R2",
    9200: "2012",
    9600: "2012 R2",
    14393: "2016",
    17763: "2019",
    20348: "2022",
    26100: "2025",
}

# The last day with security updates that cost nothing extra, by build. Sources: stored copies of
# endoflife.date (windows.md of 2022, windows-server.md of 2025) and of pages that restate
# Microsoft's life-cycle pages (Windows 11: pureinfotech.com, 2025-10-03), read 2026-11-22; builds
# before 17134 and the LTSC dates from general knowledge of learn.microsoft.com/lifecycle. Server
# 2025 was first announced as 2034-10-10 and later as 2034-11-14: the earlier day stands here.
_BOTH: Dict[int, str] = {
    7600: "2013-04-09",
    7601: "2020-01-14",
    9200: "2016-01-12",
    9600: "2023-01-10",
    10240: "2017-05-09",
    18362: "2020-12-08",
    19041: "2021-12-14",
    19043: "2022-12-13",
    19045: "2025-10-14",
}
END_OF_SUPPORT: Dict[str, Dict[int, str]] = {
    PRO: {
        **_BOTH,
        10586: "2017-10-10",
        14393: "2018-04-10",
        15063: "2018-10-09",
        16299: "2019-04-09",
        17134: "2019-11-12",
        17763: "2020-11-10",
        18363: "2021-05-11",
        19042: "2022-05-10",
        19044: "2023-06-13",
        22000: "2023-10-10",
        22621: "2024-10-08",
        22631: "2025-11-11",
        26100: "2026-10-13",
        26200: "2027-10-12",
    },
    ENTERPRISE: {
        **_BOTH,
        10586: "2018-04-10",
        14393: "2019-04-09",
        15063: "2019-10-08",
        16299: "2020-10-13",
        17134: "2021-05-11",
        17763: "2021-05-11",
        18363: "2022-05-10",
        19042: "2023-05-09",
        19044: "2024-06-11",
        22000: "2024-10-08",
        22621: "2025-10-14",
        22631: "2026-11-10",
        26100: "2027-10-12",
        26200: "2028-10-10",
    },
    LTSC: {
        10240: "2025-10-14",
        14393: "2026-10-13",
        17763: "2029-01-09",
        19044: "2027-01-12",
        26100: "2029-10-09",
    },
    IOT_LTSC: {19044: "2032-01-13", 26100: "2034-10-10"},
    SERVER: {
        7601: "2020-01-14",
        9200: "2023-10-10",
        9600: "2023-10-10",
        14393: "2027-01-12",
        17763: "2029-01-09",
        20348: "2031-10-14",
        26100: "2034-10-10",
    },
}

# SMBIOS 3.7 (DSP0134), 7.4.1 "System enclosure or chassis types".
CHASSIS_FORMS: Dict[int, str] = {
    **dict.fromkeys((3, 4, 5, 6, 7, 13, 15, 16, 24, 35, 36), "desktop"),
    **dict.fromkeys((8, 9, 10, 11, 14, 30, 31, 32), "laptop"),
    **dict.fromkeys((17, 23, 25, 28, 29), "server"),
}
VIRTUAL_VENDORS = ("qemu", "vmware", "innotek", "xen", "bochs", "parallels", "kvm", "openstack")
VIRTUAL_MODELS = ("virtual machine", "virtualbox", "kvm", "hvm domu", "google compute engine")
# What makers of boards leave in place of a value.
PLACEHOLDERS = frozenset(
    (
        "",
        "0",
        "0123456789",
        "123456789",
        "default string",
        "none",
        "not applicable",
        "not available",
        "not specified",
        "o.e.m.",
        "system manufacturer",
        "system product name",
        "system serial number",
        "to be filled by o.e.m.",
        "unknown",
    )
)

BIOS = r"HKLM\HARDWARE\DESCRIPTION\System\BIOS"
CIMV2 = r"root\cimv2"
SERIAL_QUERY = "SELECT SerialNumber FROM Win32_BIOS"
CHASSIS_QUERY = "SELECT ChassisTypes FROM Win32_SystemEnclosure"
DOMAIN_QUERY = "SELECT PartOfDomain FROM Win32_ComputerSystem"


def edition_of(edition_id: str) -> Optional[Tuple[str, str]]:
    """Name and channel of an EditionID; the N and K editions (without media player) are the same.

    None for an edition that this module does not know.
    """
    if edition_id in EDITIONS:
        return EDITIONS[edition_id]
    for suffix in ("KN", "N", "K"):
        if edition_id.endswith(suffix) and edition_id[: -len(suffix)] in EDITIONS:
            return EDITIONS[edition_id[: -len(suffix)]]
    return None


def name_of(build: int, is_server: bool, edition_id: str) -> str:
    """ "Windows 11 Pro", "Windows Server 2019 Standard"."""
    edition = edition_of(edition_id)
    label = edition[0] if edition is not None else edition_id
    if is_server:
        release = SERVER_RELEASES.get(build)
        return " ".join(part for part in ("Windows Server", release, label) if part)
    default = "11" if build >= 22000 else "10"
    release = CLIENT_RELEASES.get(build, default if build >= 10240 else "")
    return " ".join(part for part in ("Windows", release, label) if part)


def end_of_support(build: int, is_server: bool, edition_id: str) -> Optional[datetime]:
    """The end (UTC) of the last supported day; None where the table has no answer."""
    edition = edition_of(edition_id)
    if edition is None or is_server is not (edition[1] == SERVER):
        return None
    day = END_OF_SUPPORT[edition[1]].get(build)
    if day is None:
        return None
    return datetime.strptime(day + " 23:59:59Z", "%Y-%m-%d %H:%M:%S%z")


def is_virtual(vendor: str, model: str) -> bool:
    """HypervisorPresent is no sign: it is true on every PC that uses Hyper-V or VBS itself."""
    return vendor.lower().startswith(VIRTUAL_VENDORS) or any(
        name in model.lower() for name in VIRTUAL_MODELS
    )


def _version(host: Host, build: int) -> str:
    """ "10.0.22631.4460"; before Windows 10 "6.1.7601"."""
    major = number_or_none(host, CURRENT_VERSION, "CurrentMajorVersionNumber")
    if major is None:
        return "%s.%d" % (text(host, CURRENT_VERSION, "CurrentVersion"), build)
    minor = number_or_none(host, CURRENT_VERSION, "CurrentMinorVersionNumber")
    revision = number_or_none(host, CURRENT_VERSION, "UBR")
    version = "%d.%d.%d" % (major, minor or 0, build)
    return version if revision is None else "%s.%d" % (version, revision)


def _read_os(host: Host) -> Iterator[Reading]:
    source = "%s CurrentBuildNumber" % CURRENT_VERSION
    keys = (
        "os.family",
        "os.version",
        "os.name",
        "os.end_of_support_at",
        "session.desktop_present",
    )
    try:
        build = windows_build(host)
    except HostError as error:
        for key in keys:
            yield unknown(key, error, source)
        return
    yield known("os.family", "windows", source)
    try:
        yield known("os.version", _version(host, build), "%s, UBR" % source)
    except HostError as error:
        yield unknown("os.version", error, source)
    source = "%s EditionID, InstallationType" % CURRENT_VERSION
    try:
        edition_id = text(host, CURRENT_VERSION, "EditionID")
        kind = text(host, CURRENT_VERSION, "InstallationType")
    except HostError as error:
        for key in keys[2:]:
            yield unknown(key, error, source)
        return
    is_server = "server" in kind.lower()
    name = name_of(build, is_server, edition_id)
    yield known("os.name", name, source)
    end = end_of_support(build, is_server, edition_id)
    if end is None:
        why = "end of support of %s (%s), build %d, is not known" % (name, edition_id, build)
        yield unknown("os.end_of_support_at", Unreadable.NOT_FOUND, why)
    else:
        told = "Microsoft's life cycle of %s, build %d, without ESU" % (name, build)
        yield known("os.end_of_support_at", end, told)
    if kind in ("Client", "Server", "Server Core", "Nano Server"):
        desktop = kind in ("Client", "Server")
        yield known("session.desktop_present", desktop, "%s InstallationType" % CURRENT_VERSION)
    else:
        yield unknown("session.desktop_present", Unreadable.MALFORMED, "%s: %s" % (source, kind))


def _row(host: Host, query: str) -> Mapping[str, object]:
    """
    Raises:
        HostError: no answer, or an empty one.
    """
    rows = host.wmi(CIMV2, query)
    if not rows:
        raise HostError(Unreadable.NOT_FOUND, "no row")
    return rows[0]


def _named(value: str) -> str:
    if value.strip().lower() in PLACEHOLDERS:
        raise HostError(Unreadable.NOT_FOUND, "placeholder %r" % value[:60])
    return value.strip()


def _read_machine(host: Host) -> Iterator[Reading]:
    for key, name in (
        ("asset.manufacturer", "SystemManufacturer"),
        ("asset.model", "SystemProductName"),
    ):
        source = "%s %s" % (BIOS, name)
        try:
            yield known(key, _named(text(host, BIOS, name)), source)
        except HostError as error:
            yield unknown(key, error, source)
    try:
        serial = _row(host, SERIAL_QUERY).get("SerialNumber")
        if not isinstance(serial, str):
            raise HostError(Unreadable.NOT_FOUND, "no serial number")
        yield known("asset.serial", _named(serial), "Win32_BIOS SerialNumber")
    except HostError as error:
        yield unknown("asset.serial", error, "Win32_BIOS SerialNumber")
    yield _form(host)


def _form(host: Host) -> Reading:
    seen = []
    for name in ("SystemManufacturer", "SystemProductName"):
        try:
            seen.append(text(host, BIOS, name))
        except HostError:
            seen.append("")  # the chassis may still say what it is
    if is_virtual(seen[0], seen[1]):
        return known("asset.form", "virtual", BIOS)
    source = "Win32_SystemEnclosure ChassisTypes"
    try:
        types = _row(host, CHASSIS_QUERY).get("ChassisTypes")
    except HostError as error:
        return unknown("asset.form", error, source)
    first = types[0] if isinstance(types, tuple) and types else None
    form = CHASSIS_FORMS.get(first) if isinstance(first, int) else None
    if form is None:
        return unknown("asset.form", Unreadable.NOT_FOUND, "%s (%s)" % (source, first))
    return known("asset.form", form, source)


def _domain_joined(host: Host) -> Reading:
    """Joined to Active Directory; a PC that is only in Entra ID (Azure AD) is not."""
    key, source = "asset.domain_joined", "Win32_ComputerSystem PartOfDomain"
    try:
        joined = _row(host, DOMAIN_QUERY).get("PartOfDomain")
    except HostError as error:
        return unknown(key, error, source)
    if not isinstance(joined, bool):
        return unknown(key, Unreadable.MALFORMED, source)
    return known(key, joined, source)


def read(context: ProbeContext) -> Iterator[Reading]:
    yield from _read_os(context.host)
    yield from _read_machine(context.host)
    yield _domain_joined(context.host)


PROBE = Probe(
    id="asset_windows",
    platforms=("windows",),
    specs=(
        FactSpec(
            "os.family",
            ValueType.STRING,
            Text(vi="Họ hệ điều hành: linux hoặc windows", en="Operating system family"),
        ),
        FactSpec(
            "os.name", ValueType.STRING, Text(vi="Tên hệ điều hành", en="Operating system name")
        ),
        FactSpec(
            "os.version",
            ValueType.STRING,
            Text(vi="Phiên bản hệ điều hành", en="Operating system version"),
        ),
        FactSpec(
            "os.end_of_support_at",
            ValueType.DATETIME,
            Text(
                vi="Ngày cuối cùng nhà sản xuất còn phát hành bản vá an ninh miễn phí",
                en="End of the last day with free security updates from the vendor",
            ),
        ),
        FactSpec(
            "asset.manufacturer", ValueType.STRING, Text(vi="Hãng sản xuất máy", en="Manufacturer")
        ),
        FactSpec("asset.model", ValueType.STRING, Text(vi="Kiểu máy", en="Model")),
        FactSpec("asset.serial", ValueType.STRING, Text(vi="Số sê-ri của máy", en="Serial number")),
        FactSpec(
            "asset.form",
            ValueType.STRING,
            Text(
                vi="Dạng máy: desktop, laptop, server hoặc virtual (máy ảo)",
                en="Form of the machine: desktop, laptop, server or virtual",
            ),
        ),
        FactSpec(
            "asset.domain_joined",
            ValueType.BOOL,
            Text(vi="Máy đã tham gia miền", en="The machine is joined to a domain"),
        ),
        FactSpec(
            "session.desktop_present",
            ValueType.BOOL,
            Text(vi="Máy có giao diện đồ họa để đăng nhập", en="A graphical login exists"),
        ),
    ),
    read=read,
)
