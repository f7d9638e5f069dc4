"""Patches: when the last came in, how fresh the package lists are, what waits, reboot waiting.

Source: apt   /var/log/dpkg.log and .1 (lines "upgrade"); /var/lib/apt; `apt list --upgradable -a`
        dnf   /var/log/dnf.rpm.log; /var/cache/dnf; `dnf --cacheonly check-update`, `updateinfo`
        zypper /var/log/zypp/history; /var/cache/zypp; `zypper --no-refresh list-updates`
        reboot: /run/reboot-required, needrestart, needs-restarting, or the kernels in /boot.
Cost:   the three list commands take 0.3 to 1 s of a processor, once a run, and no network; the
        simulated upgrade (`apt-get -s`) costs the same and says less. Lists older than 31 days
        are not counted at all: nothing pending in an old list is no good news.
Limits: a new program is no patch, so only upgrades of what was installed count. yum (RHEL 7)
        writes no year into its log: last_installed_at is then not_supported. On apt a security fix
        is what a security suite holds, also where a later version of another suite hides it; as
        long as only packages of a source without such a suite wait (a browser's own), the number
        of security packages is unknown and never 0.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple

from attt_agent.host import CommandResult, Host, HostError
from attt_agent.linux import parse_local, to_utc
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

LAST_INSTALLED = "updates.last_installed_at"
REFRESHED = "updates.list_refreshed_at"
PENDING = "updates.pending_packages"
SECURITY = "updates.pending_security_packages"
REBOOT_DONE = "updates.reboot_done"

FRESH = timedelta(days=31)  # older lists say nothing about today
LIST_SECONDS = 15.0


# --- logs of what was installed ---------------------------------------------------------------


def parse_dpkg_log(text: str) -> Optional[datetime]:
    """Local time (as if UTC) of the last upgrade to another version; None when there is none.

    Sample: 2026-09-22 04:45:23 upgrade linux-libc-dev:amd64 6.1.140-1 6.1.187-1
    """
    last: Optional[datetime] = None
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 6 and fields[2] == "upgrade" and fields[4] != fields[5]:
            try:
                last = parse_local("%s %s" % (fields[0], fields[1]))
            except ValueError:
                continue  # a line cut by a crash
    return last


def parse_dnf_log(text: str) -> Optional[datetime]:
    """Time of the last upgrade in dnf.rpm.log; None when there is none.

    Sample: 2026-11-20T02:10:11+0700 SUBDEBUG Upgrade: openssl-libs-1:3.0.7-28.el9.x86_64
    """
    found = re.findall(
        r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z|[+-]\d{4}) \S+ Upgraded?: ", text, re.MULTILINE
    )
    if not found:
        return None
    day, zone = found[-1]
    moment = datetime.strptime(day + zone.replace("Z", "+0000"), "%Y-%m-%dT%H:%M:%S%z")
    return moment.astimezone(timezone.utc)


def parse_zypp_history(text: str) -> Optional[datetime]:
    """Local time (as if UTC) of the last patch that was applied; None when there is none.

    Sample: 2026-11-19 08:30:02|patch  |SUSE-2026-77|1|noarch|repo|low|security|needed|applied|
    """
    found = re.findall(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\|patch\s*\|.*\|applied\b", text, re.M)
    return parse_local(found[-1]) if found else None


# --- what waits -------------------------------------------------------------------------------


@dataclass(frozen=True)
class AptUpgrade:
    """One package that can be upgraded.

    Args:
        suites: where the version that would be installed comes from.
        security: whether a security suite holds a version above the installed one; None when the
            installed one is not listed, so that older and newer cannot be told apart.
    """

    name: str
    suites: Tuple[str, ...]
    security: Optional[bool]


def parse_apt_upgradable(text: str) -> List[AptUpgrade]:
    """`apt list --upgradable --all-versions` in the C locale, the newest version first.

    Sample: Listing...
            libc6/noble-updates 2.39-0ubuntu8.7 amd64 [upgradable from: 2.39-0ubuntu8.4]
            libc6/noble-security 2.39-0ubuntu8.6 amd64
            libc6/noble,now 2.39-0ubuntu8.4 amd64 [installed,upgradable to: 2.39-0ubuntu8.7]

    A security fix that a later version of another suite has replaced still counts, here 8.6.

    Raises:
        ValueError: the first line is missing, so nothing was listed.
    """
    lines = text.splitlines()
    if not lines or not lines[0].startswith("Listing"):
        raise ValueError("no listing")
    groups: Dict[Tuple[str, str], List[Tuple[Tuple[str, ...], str]]] = {}
    for line in lines[1:]:
        fields = line.split(" ", 3)
        name, slash, suites = fields[0].partition("/")
        if slash and len(fields) >= 3:
            state = fields[3] if len(fields) == 4 else ""
            versions = groups.setdefault((name, fields[2]), [])
            versions.append((tuple(suites.split(",")), state))
    upgrades: List[AptUpgrade] = []
    for (name, _), versions in groups.items():
        candidates = [suites for suites, state in versions if "[upgradable from:" in state]
        if not candidates:
            continue
        installed = [i for i, (_, state) in enumerate(versions) if state.startswith("[installed")]
        newer = versions[: installed[0]] if installed else versions
        security: Optional[bool] = any(
            suite.endswith("-security") for suites, _ in newer for suite in suites
        )
        if not security and not installed:
            security = None
        upgrades.append(AptUpgrade(name, candidates[0], security))
    return upgrades


def parse_release(head: str) -> Tuple[str, Tuple[str, ...]]:
    """(origin, names of the suite) of a Release file, "" for what it does not say.

    Sample: Origin: Google LLC
            Suite: stable
            Codename: stable
    """
    fields = dict(re.findall(r"^(Origin|Suite|Codename):[ \t]*(.*?)[ \t\r]*$", head, re.MULTILINE))
    names = tuple(fields[key] for key in ("Suite", "Codename") if fields.get(key))
    return fields.get("Origin", ""), names


def parse_dnf_packages(text: str) -> Set[str]:
    """name.arch of each row of `dnf check-update` or `dnf list --upgrades`.

    Sample: libxcrypt.x86_64                      4.4.33-3.fc35                      updates
            java-1.8.0-openjdk-headless.riscv64
                                                  1:1.8.0.412.b08-2.el9              appstream
    """
    names: Set[str] = set()
    for line in re.sub(r"\n[ \t]+(?=\S)", " ", text).splitlines():
        if line.startswith("Obsoleting"):
            break  # what follows names the same packages again
        match = re.match(r"(\S+\.\w+)\s+\S+\s+\S+\s*\Z", line)
        if match:
            names.add(match.group(1))
    return names


def parse_dnf_advisories(text: str) -> Tuple[int, Set[str]]:
    """(advisories of any kind, packages of the security ones) of `dnf updateinfo list`.

    Sample: FEDORA-2022-ae162c4397 enhancement    libxcrypt-4.4.33-3.fc35.x86_64
            RHSA-2026:1234         Important/Sec. openssl-libs-1:3.0.7-28.el9.x86_64
            (dnf5) FEDORA-2026-0a security Important openssl-3.2.4-1.fc43.x86_64 2026-11-01
    """
    advisories = 0
    packages: Set[str] = set()
    for line in text.splitlines():
        match = re.match(
            r"([A-Za-z]+[-:]\S*\d\S*)\s+(\S+)\s+(?:\S+\s+)??(\S+-\S+\.\w+)(?:\s|\Z)", line
        )
        if match:
            advisories += 1
            if match.group(2).endswith("/Sec.") or match.group(2) == "security":
                packages.add(match.group(3))
    return advisories, packages


def parse_zypper_table(text: str) -> int:
    """Rows of a zypper table.

    Sample: S | Repository | Name  | Current Version | Available Version | Arch
            --+------------+-------+-----------------+-------------------+-------
            v | Updates    | bash  | 4.4-19.6.1      | 4.4-150400.25.22  | x86_64

    Raises:
        ValueError: neither a table nor zypper's word for none.
    """
    if re.search(r"^No updates found\.", text, re.MULTILINE):
        return 0
    _, ruler, rows = text.partition("-+-")
    if not ruler:
        raise ValueError("no table")
    return sum(1 for row in rows.splitlines()[1:] if row.count("|") >= 3)


# --- package managers -------------------------------------------------------------------------


class PackageManager(ABC):
    """One way to ask; each method raises `HostError` when there is no answer."""

    name = ""

    def __init__(self, host: Host) -> None:
        self.host = host

    @abstractmethod
    def last_installed(self) -> Optional[datetime]: ...

    @abstractmethod
    def list_refreshed(self) -> datetime: ...

    @abstractmethod
    def pending(self) -> Tuple[int, Optional[int], str]:
        """(packages, of them security or None with the reason in the text, source)."""

    def _newest(self, paths: Sequence[str]) -> datetime:
        """The newest modification among the paths that are there."""
        times = [self.host.modified_at(path) for path in paths if self.host.exists(path)]
        if not times:
            raise HostError(Unreadable.NOT_FOUND, "none of %s" % ", ".join(paths)[:200])
        return max(times)

    def _said(self, argv: Sequence[str]) -> str:
        return self._result(argv, (0,)).stdout

    def _result(self, argv: Sequence[str], good_codes: Sequence[int]) -> CommandResult:
        result: CommandResult = self.host.run(argv, LIST_SECONDS)
        if result.exit_code not in good_codes:
            raise HostError(
                Unreadable.MALFORMED, "%s: exit code %d" % (" ".join(argv), result.exit_code)
            )
        text = result.stdout + "\n" + result.stderr
        if not text.strip():
            # Each of these commands says something even when nothing waits.
            raise HostError(Unreadable.MALFORMED, "%s: said nothing" % " ".join(argv))
        return result


class Apt(PackageManager):
    name = "apt"
    logs = ("/var/log/dpkg.log.1", "/var/log/dpkg.log")

    def last_installed(self) -> Optional[datetime]:
        found = [
            parse_dpkg_log(self.host.read_text(path, 16 * 1024 * 1024))
            for path in self.logs
            if self.host.exists(path)
        ]
        times = [time for time in found if time is not None]
        return to_utc(self.host, max(times)) if times else None

    def list_refreshed(self) -> datetime:
        if not self._release_files():
            raise HostError(Unreadable.NOT_FOUND, "no package list in /var/lib/apt/lists")
        # The files in lists/ carry the server's dates, so only the folder's own date counts. It
        # moves when a list changes; the stamp, where update-notifier writes it, on every success.
        return self._newest(("/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists"))

    def pending(self) -> Tuple[int, Optional[int], str]:
        argv = ("apt", "list", "--upgradable", "--all-versions")
        try:
            said = self._result(argv, (0,))
            trouble = re.search(r"^E:.*", said.stderr, re.MULTILINE)
            if trouble:
                # apt then lists nothing, or a part, and may still end with code 0.
                raise ValueError("apt list: %s" % trouble.group()[:100])
            upgrades = parse_apt_upgradable(said.stdout)
        except ValueError as error:
            raise HostError(Unreadable.MALFORMED, str(error)) from error
        if not self._has_security_suite():
            return len(upgrades), None, "no security suite in the package sources"
        security = sum(1 for upgrade in upgrades if upgrade.security)
        if security == 0 and upgrades:
            # Some wait, none of them known to be a security fix: each must be known not to be.
            if any(upgrade.security is None for upgrade in upgrades):
                return len(upgrades), None, "apt does not list what is installed"
            others = self._suites_without_security()
            doubtful = [u.name for u in upgrades if others.intersection(u.suites)]
            if doubtful:
                why = "of %s, whose source tells no security fixes apart"
                return len(upgrades), None, why % ", ".join(doubtful[:3])
        return len(upgrades), security, " ".join(argv)

    def _suites_without_security(self) -> Set[str]:
        """Suites of sources such as a browser's own, which have no security suite beside them."""
        suites: Dict[str, Set[str]] = {}
        for origin, names in self._releases():
            suites.setdefault(origin, set()).update(names or ("unknown",))
        return {
            name
            for names in suites.values()
            if not any(other.endswith("-security") for other in names)
            for name in names
        }

    def _has_security_suite(self) -> bool:
        """By what the lists call themselves: the name of a file holds the name of a server."""
        return any(name.endswith("-security") for _, names in self._releases() for name in names)

    def _releases(self) -> List[Tuple[str, Tuple[str, ...]]]:
        return [
            parse_release(self.host.read_head("/var/lib/apt/lists/%s" % name, 4096))
            for name in self._release_files()
        ]

    def _release_files(self) -> List[str]:
        """Sample: mirror.example_debian-security_dists_bookworm-security_InRelease"""
        names = self.host.list_dir("/var/lib/apt/lists")
        return [name for name in names if re.search(r"_(In)?Release\Z", name)]


class Dnf(PackageManager):
    name = "dnf"
    log = "/var/log/dnf.rpm.log"

    def last_installed(self) -> Optional[datetime]:
        if not self.host.exists(self.log):
            raise HostError(Unreadable.NOT_SUPPORTED, "%s is not there" % self.log)
        return parse_dnf_log(self.host.read_text(self.log, 16 * 1024 * 1024))

    def list_refreshed(self) -> datetime:
        paths: List[str] = []
        for folder in ("/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum"):
            if self.host.exists(folder):
                paths += [
                    "%s/%s/repodata/repomd.xml" % (folder, name)
                    for name in self.host.list_dir(folder)
                ]
        return self._newest(paths)

    def pending(self) -> Tuple[int, Optional[int], str]:
        dnf = ("dnf", "--cacheonly")
        check = (*dnf, "check-update")
        said = self._result(check, (0, 100))
        packages = parse_dnf_packages(said.stdout)
        if not packages and said.exit_code == 100:  # updates exist
            raise HostError(Unreadable.MALFORMED, "%s: exit code 100, no row" % " ".join(check))
        if not packages:
            return 0, 0, " ".join(check)
        argv = (*dnf, "updateinfo", "list")
        advisories, security = parse_dnf_advisories(self._said(argv))
        if not advisories:
            return len(packages), None, "the repositories carry no advisories"
        return len(packages), len(security), " ".join(argv)


class Zypper(PackageManager):
    name = "zypper"
    log = "/var/log/zypp/history"

    def last_installed(self) -> Optional[datetime]:
        time = parse_zypp_history(self.host.read_text(self.log, 16 * 1024 * 1024))
        return None if time is None else to_utc(self.host, time)

    def list_refreshed(self) -> datetime:
        folder = "/var/cache/zypp/solv"
        names = self.host.list_dir(folder)
        return self._newest(["%s/%s/solv" % (folder, name) for name in names if name != "@System"])

    def pending(self) -> Tuple[int, Optional[int], str]:
        zypper = ("zypper", "--non-interactive", "--no-refresh")
        try:
            packages = parse_zypper_table(self._said((*zypper, "list-updates")))
            argv = (*zypper, "list-patches", "--category", "security")
            return packages, parse_zypper_table(self._said(argv)), " ".join(argv)
        except ValueError as error:
            raise HostError(Unreadable.MALFORMED, "zypper: %s" % error) from error


def _package_manager(host: Host) -> PackageManager:
    """
    Raises:
        HostError: none that we know.
    """
    for path, found in (
        ("/var/lib/dpkg/status", Apt),
        ("/usr/bin/zypper", Zypper),
        ("/usr/bin/dnf", Dnf),
    ):
        if host.exists(path):
            manager: PackageManager = found(host)
            return manager
    raise HostError(Unreadable.NOT_SUPPORTED, "neither apt, dnf nor zypper")


def _read_packages(host: Host) -> Iterator[Reading]:
    source = "package manager"
    try:
        manager = _package_manager(host)
    except HostError as error:
        for key in (LAST_INSTALLED, REFRESHED, PENDING, SECURITY):
            yield unknown(key, error, source)
        return
    source = "log of %s" % manager.name
    try:
        last = manager.last_installed()
        if last is None:
            yield unknown(LAST_INSTALLED, Unreadable.NOT_FOUND, "%s: no upgrade in it" % source)
        else:
            yield known(LAST_INSTALLED, last, source)
    except HostError as error:
        yield unknown(LAST_INSTALLED, error, source)

    source = "package lists of %s" % manager.name
    try:
        refreshed = manager.list_refreshed()
        yield known(REFRESHED, refreshed, source)
    except HostError as error:
        for key in (REFRESHED, PENDING, SECURITY):
            yield unknown(key, error, source)
        return
    if host.now() - refreshed > FRESH:
        for key in (PENDING, SECURITY):
            yield unknown(key, Unreadable.NOT_FOUND, "%s older than %d days" % (source, FRESH.days))
        return
    try:
        packages, security, told = manager.pending()
    except HostError as error:
        for key in (PENDING, SECURITY):
            yield unknown(key, error, source)
        return
    yield known(PENDING, packages, told)
    if security is None:
        yield unknown(SECURITY, Unreadable.NOT_SUPPORTED, told)
    else:
        yield known(SECURITY, security, told)


# --- reboot -----------------------------------------------------------------------------------


def parse_needrestart(text: str) -> bool:
    """Whether the running kernel is the newest, from `needrestart -b -k`.

    Sample: NEEDRESTART-KSTA: 1        (1 newest; 2 a compatible one waits; 3 a new one waits)

    Raises:
        ValueError: 0 (unknown), or no such line.
    """
    match = re.search(r"^NEEDRESTART-KSTA: ([123])$", text, re.MULTILINE)
    if match is None:
        raise ValueError("kernel state unknown")
    return match.group(1) == "1"


def parse_reboothint(text: str) -> bool:
    """Whether no reboot waits, from `needs-restarting --reboothint` (dnf-utils).

    Sample: Reboot should not be necessary.
            Reboot is required to ensure that your system benefits from these updates.

    Raises:
        ValueError: neither sentence.
    """
    if "Reboot is required" in text:
        return False
    if "Reboot should not be necessary" in text:
        return True
    raise ValueError("no hint")


def newest_kernel(names: Sequence[str]) -> Optional[str]:
    """The highest release among vmlinuz-<release> files, numbers compared as numbers."""
    releases = [name[len("vmlinuz-") :] for name in names if name.startswith("vmlinuz-")]
    releases = [release for release in releases if "rescue" not in release]

    def order(release: str) -> List[Tuple[int, str]]:
        return [(int(p) if p.isdigit() else -1, p) for p in re.findall(r"\d+|[a-z]+", release)]

    return max(releases, key=order) if releases else None


def _read_reboot(host: Host) -> Reading:
    source = "/run/reboot-required"
    try:
        if host.exists("/run/reboot-required") or host.exists("/var/run/reboot-required"):
            return known(REBOOT_DONE, False, source)
        # Only where one of these writes the file does its absence mean something.
        for hook in ("update-notifier", "unattended-upgrades"):
            if host.exists("/etc/kernel/postinst.d/%s" % hook):
                return known(REBOOT_DONE, True, "%s (written by %s)" % (source, hook))
        for path, argv, parse in (
            ("/usr/sbin/needrestart", ("needrestart", "-b", "-k"), parse_needrestart),
            ("/usr/bin/needs-restarting", ("needs-restarting", "--reboothint"), parse_reboothint),
        ):
            if host.exists(path):
                source = " ".join(argv)
                result = host.run(argv, LIST_SECONDS)
                return known(REBOOT_DONE, parse(result.stdout), source)
        source = "/boot, /proc/sys/kernel/osrelease"
        newest = newest_kernel(host.list_dir("/boot"))
        running = host.read_text("/proc/sys/kernel/osrelease").strip()
    except HostError as error:
        return unknown(REBOOT_DONE, error, source)
    except ValueError as error:
        return unknown(REBOOT_DONE, Unreadable.MALFORMED, "%s: %s" % (source, error))
    if newest is None or not running:
        return unknown(REBOOT_DONE, Unreadable.NOT_FOUND, "%s: no kernel there" % source)
    return known(REBOOT_DONE, newest == running, "%s (kernel only)" % source)


def read(context: ProbeContext) -> Iterator[Reading]:
    yield _read_reboot(context.host)
    yield from _read_packages(context.host)


PROBE = Probe(
    id="updates",
    platforms=("linux",),
    specs=(
        FactSpec(
            LAST_INSTALLED,
            ValueType.DATETIME,
            Text(vi="Lần cài bản cập nhật gần nhất", en="When an update was last installed"),
        ),
        FactSpec(
            REFRESHED,
            ValueType.DATETIME,
            Text(
                vi="Lần làm mới danh sách gói gần nhất",
                en="When the package lists were last refreshed",
            ),
        ),
        FactSpec(
            PENDING,
            ValueType.INT,
            Text(vi="Số gói đang chờ cập nhật", en="Packages that wait for an update"),
        ),
        FactSpec(
            SECURITY,
            ValueType.INT,
            Text(
                vi="Số gói đang chờ bản vá an ninh", en="Packages that wait for a security update"
            ),
        ),
        FactSpec(
            REBOOT_DONE,
            ValueType.BOOL,
            Text(vi="Không còn chờ khởi động lại", en="No reboot is waiting"),
        ),
    ),
    read=read,
    time_limit_seconds=45.0,
)
