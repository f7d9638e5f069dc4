import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from attt_agent.host import CommandResult
from attt_agent.probes import updates
from attt_rules.contract import Unreadable

KEYS = ("last_installed_at", "list_refreshed_at", "pending_packages", "pending_security_packages")
APT = ("apt", "list", "--upgradable", "--all-versions")
CHECK = ("dnf", "--cacheonly", "check-update")
ADVISORIES = ("dnf", "--cacheonly", "updateinfo", "list")


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def values(facts):
    return tuple(facts[f"updates.{key}", None] for key in KEYS)


def reboot_done(facts):
    return facts["updates.reboot_done", None]


def with_command(host, argv, stdout, exit_code=0):
    return replace(host, commands={**host.commands, argv: CommandResult(exit_code, stdout, "")})


def test_it_works(machine, said):
    expected = {
        # 08:12:41 in Việt Nam; the new program of 20 November is no patch
        ("updates.last_installed_at", None): utc(2026, 11, 17, 1, 12, 41),
        ("updates.list_refreshed_at", None): utc(2026, 11, 21, 22, 10),
        ("updates.pending_packages", None): 1,
        ("updates.pending_security_packages", None): 0,
        ("updates.reboot_done", None): True,
    }
    assert expected == said(updates.PROBE, machine("debian-12-may-ban"))


def test_old_package_lists_count_nothing(machine, said):
    facts = said(updates.PROBE, machine("debian-12-may-chu"))
    assert ("!not_found", utc(2026, 8, 1), "!not_found", "!not_found") == values(facts)
    assert reboot_done(facts) is False  # 6.1.0-9 runs, 6.1.0-27 is installed


def test_without_a_security_suite_the_security_count_is_unknown(machine, said):
    facts = said(updates.PROBE, machine("ubuntu-2204"))
    expected = (utc(2026, 11, 21, 16, 59, 59), utc(2026, 11, 22, 0, 30), 0, "!not_supported")
    assert expected == values(facts)
    assert reboot_done(facts) is False


def test_dnf(machine, said):
    facts = said(updates.PROBE, machine("rhel-9"))
    assert (utc(2026, 11, 17, 19, 10, 15), utc(2026, 11, 21, 20), 3, 2) == values(facts)
    assert reboot_done(facts) is False


def test_dnf_without_advisories_knows_no_security_count(machine, said):
    host = with_command(machine("rhel-9"), ADVISORIES, "Last metadata expiration check: now\n")
    assert (3, "!not_supported") == values(said(updates.PROBE, host))[2:]


def test_dnf_with_nothing_waiting(machine, said):
    host = with_command(machine("rhel-9"), CHECK, "Last metadata expiration check: now\n")
    assert (0, 0) == values(said(updates.PROBE, host))[2:]


@pytest.mark.parametrize("arch", ["x86_64", "armv7hl", "riscv64", "loongarch64"])
def test_dnf_on_any_processor(machine, said, arch):
    rows = f"\ncurl.{arch}   7.76.1-29.el9   baseos\n"
    rows += f"java-1.8.0-openjdk-headless.{arch}\n     1:1.8.0.412.b08-2.el9   appstream\n"
    host = with_command(machine("rhel-9"), CHECK, rows, 100)
    assert (2, 2) == values(said(updates.PROBE, host))[2:]


def test_it_reports_malformed_when_dnf_has_updates_and_no_row_is_understood(machine, said):
    host = with_command(machine("rhel-9"), CHECK, "Gói nào đó đang chờ\n", 100)
    assert ("!malformed", "!malformed") == values(said(updates.PROBE, host))[2:]


def test_advisories_of_fedora_end_in_a_letter_too():
    text = "FEDORA-2026-0ab3c4d5ef security Important openssl-3.2.4-1.fc43.x86_64 2026-11-01\n"
    assert (1, {"openssl-3.2.4-1.fc43.x86_64"}) == updates.parse_dnf_advisories(text)


HIDDEN_FIX = (
    "Listing...\n"
    "libc6/stable-updates 2.36-9+deb12u9 amd64 [upgradable from: 2.36-9+deb12u7]\n"
    "libc6/stable-security 2.36-9+deb12u8 amd64\n"
    "libc6/now 2.36-9+deb12u7 amd64 [installed,upgradable to: 2.36-9+deb12u9]\n"
    "libc6/stable 2.36-9+deb12u4 amd64\n"
)


def test_a_security_fix_hidden_by_a_later_update_still_counts(machine, said):
    host = with_command(machine("debian-12-may-ban"), APT, HIDDEN_FIX)
    assert (1, 1) == values(said(updates.PROBE, host))[2:]


def test_a_security_fix_that_is_installed_does_not_count(machine, said):
    text = (
        "Listing...\n"
        "libc6/stable-updates 2.36-9+deb12u9 amd64 [upgradable from: 2.36-9+deb12u8]\n"
        "libc6/stable-security,now 2.36-9+deb12u8 amd64 "
        "[installed,upgradable to: 2.36-9+deb12u9]\n"
        "libc6/stable 2.36-9+deb12u4 amd64\n"
    )
    host = with_command(machine("debian-12-may-ban"), APT, text)
    assert (1, 0) == values(said(updates.PROBE, host))[2:]


def test_without_the_installed_version_no_security_fix_is_not_known(machine, said):
    text = "Listing...\nlibc6/stable-updates 2.36-9 amd64 [upgradable from: 2.36-8]\n"
    host = with_command(machine("debian-12-may-ban"), APT, text)
    assert (1, "!not_supported") == values(said(updates.PROBE, host))[2:]


@pytest.mark.parametrize("suite", ["stable", ""])
def test_a_source_without_a_security_suite_proves_no_zero(machine, said, suite):
    host = machine("debian-12-may-ban")
    name = "dl.google.com_linux_chrome_deb_dists_stable_InRelease"
    lists = "/var/lib/apt/lists"
    host = replace(
        host,
        files={**host.files, f"{lists}/{name}": f"Origin: Google LLC\nSuite: {suite}\n".encode()},
        folders={**host.folders, lists: (*host.folders[lists], name)},
    )
    row = "google-chrome-stable/{} 131.0 amd64 [upgradable from: 130.0]\n"
    row += "google-chrome-stable/now 130.0 amd64 [installed,upgradable to: 131.0]\n"
    chrome = with_command(host, APT, "Listing...\n" + row.format(suite or "unknown"))
    assert (1, "!not_supported") == values(said(updates.PROBE, chrome))[2:]
    # what is known to wait is said whatever else waits
    both = with_command(host, APT, HIDDEN_FIX + "\n" + row.format(suite or "unknown"))
    assert (2, 1) == values(said(updates.PROBE, both))[2:]


def test_it_reports_unknown_when_a_source_cannot_be_told(machine, said):
    name = "/var/lib/apt/lists/mirror.example_debian_dists_bookworm_InRelease"
    host = replace(
        machine("debian-12-may-ban"), errors={f"read_head {name}": Unreadable.ACCESS_DENIED}
    )
    assert ("!access_denied", "!access_denied") == values(said(updates.PROBE, host))[2:]


@pytest.mark.parametrize(("name", "argv"), [("debian-12-may-ban", APT), ("rhel-9", CHECK)])
@pytest.mark.parametrize(("stdout", "exit_code"), [("", 0), ("E: broken\n", 1)])
def test_it_reports_unknown_when_the_command_fails_or_says_nothing(
    machine, said, name, argv, stdout, exit_code
):
    host = with_command(machine(name), argv, stdout, exit_code)
    assert ("!malformed", "!malformed") == values(said(updates.PROBE, host))[2:]


@pytest.mark.parametrize("before", ["", "WARNING: apt does not have a stable CLI interface.\n"])
def test_it_reports_unknown_when_apt_lists_nothing_because_of_an_error(machine, said, before):
    host = machine("debian-12-may-ban")
    stderr = before + "E: The package cache file is corrupted\n"
    result = CommandResult(0, "Listing...\n", stderr)
    host = replace(host, commands={**host.commands, APT: result})
    assert ("!malformed", "!malformed") == values(said(updates.PROBE, host))[2:]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Suite: stable\nCodename: stable\n", "!not_supported"),
        ("", "!not_supported"),
        ("Suite: jammy-security\nCodename: jammy\n", 0),
        ("Suite: stable\nCodename: bookworm-security\n", 0),
    ],
)
def test_the_suite_is_what_the_list_says_and_not_the_name_of_its_file(
    machine, said, fields, expected
):
    lists = "/var/lib/apt/lists"
    name = "packages.vendor-security.com_deb_dists_stable_InRelease"
    host = machine("ubuntu-2204")
    host = replace(
        host,
        files={**host.files, f"{lists}/{name}": f"Origin: Vendor\n{fields}".encode()},
        folders={**host.folders, lists: (*host.folders[lists], name)},
    )
    assert (0, expected) == values(said(updates.PROBE, host))[2:]


def test_without_package_lists_nothing_is_known(machine, said):
    host = machine("debian-12-may-ban")
    folders = {**host.folders, "/var/lib/apt/lists": ("lock", "partial")}
    facts = said(updates.PROBE, replace(host, folders=folders))
    assert ("!not_found",) * 3 == values(facts)[1:]


def test_it_reports_unknown_for_another_package_manager(machine, said):
    host = machine("debian-12-may-ban")
    files = {path: text for path, text in host.files.items() if path != "/var/lib/dpkg/status"}
    assert ("!not_supported",) * 4 == values(said(updates.PROBE, replace(host, files=files)))


def test_it_reports_why_when_the_log_is_denied(machine, said):
    host = replace(
        machine("debian-12-may-ban"),
        errors={"read_text /var/log/dpkg.log": Unreadable.ACCESS_DENIED},
    )
    assert "!access_denied" == values(said(updates.PROBE, host))[0]


def test_the_absent_file_means_nothing_where_nobody_writes_it(machine, said):
    host = machine("debian-12-may-ban")
    files = {path: text for path, text in host.files.items() if "postinst.d" not in path}
    assert "!not_found" == reboot_done(said(updates.PROBE, replace(host, files=files)))


def test_the_newest_kernel_runs(machine, said):
    host = machine("debian-12-may-chu")
    files = {**host.files, "/proc/sys/kernel/osrelease": b"6.1.0-27-amd64\n"}
    assert reboot_done(said(updates.PROBE, replace(host, files=files))) is True


def test_kernels_are_compared_by_number():
    names = ["vmlinuz-5.14.0-427.el9.x86_64", "vmlinuz-5.14.0-70.el9.x86_64", "config-6.1.0"]
    assert "5.14.0-427.el9.x86_64" == updates.newest_kernel(names)
    assert updates.newest_kernel(["vmlinuz-0-rescue-0123", "grub"]) is None


def test_reinstalling_the_same_version_is_no_patch():
    assert updates.parse_dpkg_log("2026-09-22 04:45:23 upgrade bash:amd64 5.2 5.2\n") is None


def test_zypper(machine, said):
    history = (
        "2026-11-19 08:30:02|patch  |SUSE-2026-77|1|noarch|repo|low|security|needed|applied|\n"
        "2026-11-20 08:30:02|install|gimp|2.10|x86_64||repo|abc|\n"
    )
    table = (
        "Loading repository data...\n"
        "S | Repository | Name | Current Version | Available Version | Arch\n"
        "--+------------+------+-----------------+-------------------+-------\n"
        "v | Updates    | bash | 4.4-1           | 4.4-2             | x86_64\n"
    )
    zypper = ("zypper", "--non-interactive", "--no-refresh")
    host = replace(
        machine("may-trong"),
        moment=utc(2026, 11, 22),
        files={"/usr/bin/zypper": b"", "/var/log/zypp/history": history.encode()},
        modified={"/var/cache/zypp/solv/repo-oss/solv": utc(2026, 11, 20)},
    )
    host = with_command(host, (*zypper, "list-updates"), table)
    host = with_command(
        host, (*zypper, "list-patches", "--category", "security"), "No updates found.\n"
    )
    expected = (utc(2026, 11, 19, 8, 30, 2), utc(2026, 11, 20), 1, 0)
    assert expected == values(said(updates.PROBE, host))


def answer(fixtures, case):
    folder = fixtures / "linux" / "updates" / case
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    return [(folder / name).read_text("utf-8") for name in expected["inputs"]], expected["expected"]


APT_CASES = tuple(
    f"apt-upgradable-{os}"
    for os in ("debian10", "debian11", "debian13", "ubuntu2004", "ubuntu2404")
)
DNF_CASES = ("dnf-fedora35", "dnf-fedora40", "dnf-rhel8")


@pytest.mark.parametrize("case", APT_CASES)
def test_recording_of_apt(fixtures, case):
    [text], expected = answer(fixtures, case)
    upgrades = updates.parse_apt_upgradable(text)
    assert expected["pending"] == len(upgrades)
    security = [upgrade.security for upgrade in upgrades]
    assert expected["pending_security_by_suite"] == security.count(True)
    # recorded without --all-versions: that the others are no security fixes is not known
    assert security.count(None) == len(upgrades) - security.count(True)


@pytest.mark.parametrize("case", DNF_CASES)
def test_recording_of_dnf(fixtures, case):
    [upgrades, advisories], expected = answer(fixtures, case)
    assert expected["any_pending"] is bool(updates.parse_dnf_packages(upgrades))
    # none of the three recordings lists a security advisory; Fedora 35 lists two others
    expected_advisories = 2 if case == "dnf-fedora35" else 0
    assert (expected_advisories, set()) == updates.parse_dnf_advisories(advisories)


def test_recording_of_needrestart(fixtures):
    [text], expected = answer(fixtures, "debian-clean-needrestart")
    assert expected["reboot_needed"] is not updates.parse_needrestart(text)


@pytest.mark.parametrize("case", ["rhel-clean-reboothint", "rhel-reboot-required-reboothint"])
def test_recording_of_needs_restarting(fixtures, case):
    [text], expected = answer(fixtures, case)
    assert expected["reboot_needed"] is not updates.parse_reboothint(text)


def test_every_recording_is_tested(fixtures):
    tested = {*APT_CASES, *DNF_CASES, "debian-clean-needrestart"}
    tested |= {"rhel-clean-reboothint", "rhel-reboot-required-reboothint"}
    assert tested == {path.name for path in (fixtures / "linux" / "updates").iterdir()}


@pytest.mark.parametrize("text", ["", "NEEDRESTART-KSTA: 0\n"])
def test_a_kernel_state_that_needrestart_does_not_know_is_unknown(text):
    with pytest.raises(ValueError):
        updates.parse_needrestart(text)
