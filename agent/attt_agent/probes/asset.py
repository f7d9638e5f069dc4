"""What this machine is: operating system, end of its support, make, form, domain.

Source: /etc/os-release (os-release(5)); SMBIOS fields in /sys/class/dmi/id (serial for root only);
        /proc/cpuinfo (the `hypervisor` flag a virtual machine sees).
Sample: ID=debian
        VERSION_ID="12"
        SUPPORT_END=2026-12-09        (Fedora, openSUSE, Ubuntu from 2025)
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Dict, Iterator, Mapping, Optional

from attt_agent.host import Host, HostError
from attt_agent.linux import SESSION_FOLDERS, desktop_sessions
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

# The last day with security updates that cost nothing extra (Debian: including the LTS team;
# Ubuntu: standard support, without Pro; Red Hat: maintenance, without ELS).
# Sources: Debian's package distro-info-data 0.58+deb12u6, read 2026-11-22 (debian, ubuntu); the
# others from stored copies of endoflife.date of different ages, not from the vendors' own pages:
# check rhel 10, rocky 10, centos 6 to 8, sles 15.7 and opensuse-leap 15.4 before relying on a day.
END_OF_SUPPORT: Dict[str, Dict[str, str]] = {
    "debian": {
        "7": "2018-05-31",
        "8": "2020-06-30",
        "9": "2022-06-30",
        "10": "2024-06-30",
        "11": "2026-08-31",
        "12": "2028-06-30",
        "13": "2030-06-30",
    },
    "ubuntu": {
        "12.04": "2017-04-28",
        "14.04": "2019-04-25",
        "16.04": "2021-04-30",
        "18.04": "2023-05-31",
        "20.04": "2025-05-29",
        "20.10": "2021-07-22",
        "21.04": "2022-01-20",
        "21.10": "2022-07-14",
        "22.04": "2027-06-01",
        "22.10": "2023-07-20",
        "23.04": "2024-01-25",
        "23.10": "2024-07-11",
        "24.04": "2029-05-31",
        "24.10": "2025-07-10",
        "25.04": "2026-01-15",
        "25.10": "2026-07-09",
        "26.04": "2031-05-29",
    },
    "rhel": {
        "5": "2017-03-31",
        "6": "2020-11-30",
        "7": "2024-06-30",
        "8": "2029-05-31",
        "9": "2032-05-31",
        "10": "2035-05-31",
    },
    "rocky": {"8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"},
    "almalinux": {"8": "2029-03-01", "9": "2032-05-31", "10": "2035-05-31"},
    "ol": {"6": "2021-03-01", "7": "2024-12-01", "8": "2029-07-01", "9": "2032-06-30"},
    "centos": {"6": "2020-11-30", "7": "2024-06-30", "8": "2021-12-31"},
    "centos-stream": {"8": "2024-05-31", "9": "2027-05-31", "10": "2030-01-01"},
    "fedora": {
        "35": "2022-12-13",
        "36": "2023-05-16",
        "37": "2023-12-05",
        "38": "2024-05-21",
        "39": "2024-11-26",
        "40": "2025-05-13",
        "41": "2025-12-15",
        "42": "2026-05-13",
        "43": "2026-12-09",
    },
    "sles": {
        "12.4": "2020-06-30",
        "12.5": "2024-10-31",
        "15.2": "2021-12-31",
        "15.3": "2022-12-31",
        "15.4": "2023-12-31",
        "15.5": "2024-12-31",
        "15.6": "2025-12-31",
        "15.7": "2031-07-31",
    },
    "opensuse-leap": {
        "15.4": "2023-12-07",
        "15.5": "2024-12-31",
        "15.6": "2026-04-30",
        "16.0": "2027-10-31",
    },
}
# Supported as one stream from the first minor release to the last: "9.4" is judged as "9".
BY_MAJOR_VERSION = ("rhel", "rocky", "almalinux", "ol", "centos", "centos-stream")

# SMBIOS 3.7 (DSP0134), 7.4.1 "System enclosure or chassis types".
CHASSIS_FORMS: Dict[str, str] = {
    **dict.fromkeys(("3", "4", "5", "6", "7", "13", "15", "16", "24", "35", "36"), "desktop"),
    **dict.fromkeys(("8", "9", "10", "11", "14", "30", "31", "32"), "laptop"),
    **dict.fromkeys(("17", "23", "25", "28", "29"), "server"),
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

DMI = "/sys/class/dmi/id"


def parse_os_release(text: str) -> Dict[str, str]:
    """KEY=value lines with shell quotes taken off."""
    values: Dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and re.match(r"[A-Z_0-9]+\Z", key):
            if len(value) >= 2 and value[0] in "\"'" and value[-1] == value[0]:
                value = value[1:-1]
            values[key] = value
    return values


def end_of_support(release: Mapping[str, str]) -> Optional[datetime]:
    """The end (UTC) of the last supported day; None for a distribution the table does not name."""
    day: Optional[str] = release.get("SUPPORT_END")
    if day is None:
        name = release.get("ID", "")
        if name == "centos" and "stream" in release.get("NAME", "").lower():
            name = "centos-stream"
        version = release.get("VERSION_ID", "")
        if name in BY_MAJOR_VERSION:
            version = version.partition(".")[0]
        day = END_OF_SUPPORT.get(name, {}).get(version)
    if day is None:
        return None
    try:
        return datetime.strptime(day + " 23:59:59Z", "%Y-%m-%d %H:%M:%S%z")
    except ValueError:
        return None


def is_virtual(vendor: str, model: str, cpuinfo: str) -> bool:
    """A known maker of virtual machines, or a processor that says it has a hypervisor below it.

    Sample: flags : fpu vme ... hypervisor lahf_lm ...
    """
    return (
        vendor.lower().startswith(VIRTUAL_VENDORS)
        or any(name in model.lower() for name in VIRTUAL_MODELS)
        or re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.MULTILINE) is not None
    )


def _read_os(host: Host) -> Iterator[Reading]:
    source = "/proc/sys/kernel/ostype"
    try:
        kernel = host.read_text(source).strip()
        if kernel == "Linux":
            yield known("os.family", "linux", source)
        else:
            yield unknown("os.family", Unreadable.MALFORMED, source)
    except HostError as error:
        yield unknown("os.family", error, source)

    source = "/etc/os-release"
    try:
        release = parse_os_release(host.read_text(source))
    except HostError as error:
        for key in ("os.name", "os.version", "os.end_of_support_at"):
            yield unknown(key, error, source)
        return
    for key, field in (("os.name", "NAME"), ("os.version", "VERSION_ID")):
        if release.get(field):
            yield known(key, release[field], "%s %s" % (source, field))
        else:
            yield unknown(key, Unreadable.NOT_FOUND, "%s %s" % (source, field))
    end = end_of_support(release)
    if end is None:
        why = "end of support of %s %s is not known" % (
            release.get("ID", "?"),
            release.get("VERSION_ID", "?"),
        )
        yield unknown("os.end_of_support_at", Unreadable.NOT_FOUND, why)
    elif "SUPPORT_END" in release:
        yield known("os.end_of_support_at", end, "%s SUPPORT_END" % source)
    else:
        yield known(
            "os.end_of_support_at",
            end,
            "vendor's life cycle of %s %s" % (release["ID"], release["VERSION_ID"]),
        )


def _dmi(host: Host, field: str) -> str:
    """
    Raises:
        HostError: not readable, or a placeholder stands where the value should be.
    """
    value = host.read_text("%s/%s" % (DMI, field)).strip()
    if value.lower() in PLACEHOLDERS:
        raise HostError(Unreadable.NOT_FOUND, "placeholder %r" % value)
    return value


def _read_machine(host: Host) -> Iterator[Reading]:
    for key, field in (
        ("asset.manufacturer", "sys_vendor"),
        ("asset.model", "product_name"),
        ("asset.serial", "product_serial"),
    ):
        source = "%s/%s" % (DMI, field)
        try:
            yield known(key, _dmi(host, field), source)
        except HostError as error:
            yield unknown(key, error, source)
    yield _form(host)


def _form(host: Host) -> Reading:
    seen: Dict[str, str] = {}
    for field in ("sys_vendor", "product_name", "chassis_type"):
        try:
            seen[field] = host.read_text("%s/%s" % (DMI, field)).strip()
        except HostError:
            seen[field] = ""  # a machine without SMBIOS may still have the processor's flag
    try:
        cpuinfo = host.read_head("/proc/cpuinfo", 16384)
    except HostError as error:
        return unknown("asset.form", error, "/proc/cpuinfo")
    if is_virtual(seen["sys_vendor"], seen["product_name"], cpuinfo):
        return known("asset.form", "virtual", "%s, /proc/cpuinfo flags" % DMI)
    source = "%s/chassis_type" % DMI
    form = CHASSIS_FORMS.get(seen["chassis_type"])
    if form is None:
        why = "%s (%s)" % (source, seen["chassis_type"] or "missing")
        return unknown("asset.form", Unreadable.NOT_FOUND, why)
    return known("asset.form", form, source)


def _domain_joined(host: Host) -> Reading:
    """Joined: a key of the machine itself, and a service that takes accounts from the domain."""
    key, source = (
        "asset.domain_joined",
        "/etc/krb5.keytab, /etc/sssd/sssd.conf, /etc/samba/smb.conf",
    )
    try:
        keytab = host.exists("/etc/krb5.keytab")
        sssd = host.exists("/etc/sssd/sssd.conf")
        secrets = host.exists("/var/lib/samba/private/secrets.tdb")
        samba = host.read_text("/etc/samba/smb.conf") if host.exists("/etc/samba/smb.conf") else ""
    except HostError as error:
        return unknown(key, error, source)
    member = re.search(r"^\s*security\s*=\s*(ads|domain)\s*$", samba, re.MULTILINE | re.IGNORECASE)
    return known(key, (keytab and sssd) or (member is not None and (keytab or secrets)), source)


def _desktop_present(host: Host) -> Reading:
    key, source = "session.desktop_present", ", ".join(SESSION_FOLDERS)
    try:
        return known(key, bool(desktop_sessions(host)), source)
    except HostError as error:
        return unknown(key, error, source)


def read(context: ProbeContext) -> Iterator[Reading]:
    yield from _read_os(context.host)
    yield from _read_machine(context.host)
    yield _domain_joined(context.host)
    yield _desktop_present(context.host)


PROBE = Probe(
    id="asset",
    platforms=("linux",),
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
