"""What holds for every probe on every machine."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from attt_agent.host import CommandResult
from attt_agent.probe import ProbeContext, find_all, run_all
from attt_agent.recorded import RecordedHost
from attt_rules.contract import Unreadable

HOSTS = Path(__file__).parents[1] / "hosts"
PLATFORMS = ("linux", "windows")
PROBES = {
    platform: tuple(probe for probe in find_all() if platform in probe.platforms)
    for platform in PLATFORMS
}
SPECS = {spec.key: spec for probe in PROBES["linux"] for spec in probe.specs}
MACHINES = {
    path.name: json.loads((path / "host.json").read_text("utf-8")).get("platform", "linux")
    for path in sorted(HOSTS.iterdir())
    if (path / "host.json").exists()
}
NAMES = [name for name, platform in MACHINES.items() if platform == "linux"]
WINDOWS_NAMES = [name for name, platform in MACHINES.items() if platform == "windows"]
RUNS = [(name, probe) for name, platform in MACHINES.items() for probe in PROBES[platform]]

# True without looking at anything: Linux has one firewall profile, "host", and Windows three.
CONSTANT = {"firewall.profiles"}
# What a machine may still say when all of its programs print nothing: facts from files,
# processes and interfaces. Everything else must then be unreadable.
FROM_PROGRAMS = {
    "firewall.enabled",
    "firewall.inbound_blocked",
    "firewall.product",
    "time_sync.synchronised",
    "time_sync.sources",
    "time_sync.offset_seconds",
    "updates.pending_packages",
    "updates.pending_security_packages",
}


def facts_of(host):
    return run_all(PROBES[host.platform], ProbeContext(host, ("10.10.0.10", 443)))


def readable(host):
    return {fact.key for fact in facts_of(host) if fact.unreadable is None}


def test_it_works():
    assert {
        "accounts",
        "antivirus",
        "asset",
        "firewall",
        "links",
        "logon",
        "logs",
        "password_policy",
        "time_sync",
        "updates",
    } <= {probe.id for probe in PROBES["linux"]}
    assert {"debian-12-may-ban", "debian-12-may-chu", "may-trong", "rhel-9", "ubuntu-2204"} <= set(
        NAMES
    )
    assert len(WINDOWS_NAMES) >= 8


def test_windows_says_the_same_keys_as_linux_in_the_same_words():
    specs = {spec.key: spec for probe in PROBES["windows"] for spec in probe.specs}
    assert SPECS == specs
    linux = {probe.id for probe in PROBES["linux"]}
    assert {f"{subject}_windows" for subject in linux} == {p.id for p in PROBES["windows"]}


@pytest.mark.parametrize(("name", "probe"), RUNS, ids=lambda value: getattr(value, "id", value))
def test_no_exception_escapes_and_every_key_is_declared_with_its_type(name, probe):
    host = RecordedHost.load(HOSTS / name)
    specs = {spec.key: spec for spec in probe.specs}
    for reading in probe.read(ProbeContext(host, ("10.10.0.10", 443))):
        spec = specs[reading.key]
        assert spec.per_item is (reading.item is not None)
        assert reading.source
        if reading.unreadable is None:
            assert spec.type.accepts(reading.value), reading


@pytest.mark.parametrize("name", MACHINES)
def test_nothing_is_said_twice(name):
    host = RecordedHost.load(HOSTS / name)
    said = [
        (reading.key, reading.item)
        for probe in PROBES[host.platform]
        for reading in probe.read(ProbeContext(host))
    ]
    assert len(said) == len(set(said))


@pytest.mark.parametrize("name", MACHINES)
def test_every_item_has_every_fact_of_its_list(name):
    facts = facts_of(RecordedHost.load(HOSTS / name))
    values = {(fact.key, fact.item): fact for fact in facts}
    for key, spec in SPECS.items():
        if spec.list_key is None:
            assert (key, None) in values
            continue
        for item in values[spec.list_key, None].value or ():
            assert "not said" not in values[key, item].source


@pytest.mark.parametrize("list_key", sorted({spec.list_key for spec in SPECS.values()} - {None}))
def test_some_recording_has_items_of_every_list(list_key):
    """Else the test above would loop over nothing."""
    lists = [
        fact.value
        for name in NAMES
        for fact in facts_of(RecordedHost.load(HOSTS / name))
        if fact.key == list_key
    ]
    assert len(lists) == len(NAMES)
    assert any(lists)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_recording_that_holds_nothing_says_nothing(platform):
    host = replace(RecordedHost.load(HOSTS / "may-trong"), platform=platform)
    assert readable(host) <= CONSTANT


def test_a_windows_that_answers_every_question_with_nothing_says_nothing():
    """Empty keys, empty lists, a program that prints nothing and ends well."""
    assert readable(RecordedHost.load(HOSTS / "windows-rong")) <= CONSTANT


def test_a_windows_that_refuses_every_question_says_access_denied():
    facts = facts_of(RecordedHost.load(HOSTS / "windows-10-bi-tu-choi"))
    said = {fact.unreadable for fact in facts if fact.key not in CONSTANT}
    # What no version of Windows tells us is not_supported, whoever asks.
    assert {Unreadable.ACCESS_DENIED, Unreadable.NOT_SUPPORTED} == said
    unsaid = {fact.key for fact in facts if fact.unreadable is Unreadable.NOT_SUPPORTED}
    assert {"updates.pending_packages", "updates.pending_security_packages"} == unsaid


def emptied(host, part):
    """The machine with one kind of its answers turned into nothing."""
    empty = {
        "registry": {"registry": {key: {} for key in host.registry}},
        "wmi": {"wmi_rows": dict.fromkeys(host.wmi_rows, ())},
        "services": {"windows_services": {}},
        "accounts": {"windows_accounts": ()},
        "security center": {"windows_security_center": {}},
        "programs": {"commands": dict.fromkeys(host.commands, CommandResult(0, "", ""))},
    }
    return replace(host, **empty[part])


# What must not be said any more when one kind of answers is nothing.
FROM_PART = {
    "registry": {
        "auto_logon.off",
        "firewall.enabled",
        "firewall.inbound_blocked",
        "os.name",
        "os.end_of_support_at",
        "screen_lock.timeout_seconds",
        "screen_lock.password_required",
        "time_sync.enabled",
        "updates.last_installed_at",
    },
    "wmi": {"asset.serial", "asset.domain_joined", "link.gateways", "link.dns_servers"},
    "services": {"firewall.enabled", "firewall.inbound_blocked", "time_sync.enabled"},
    "accounts": {"account.enabled", "account.password_set"},
    "security center": set(),
    "programs": {"time_sync.synchronised", "time_sync.offset_seconds"},
}


@pytest.mark.parametrize("name", WINDOWS_NAMES)
@pytest.mark.parametrize("part", FROM_PART)
def test_a_part_of_windows_that_answers_nothing_proves_nothing(name, part):
    host = RecordedHost.load(HOSTS / name)
    assert not readable(emptied(host, part)) & FROM_PART[part]


@pytest.mark.parametrize("name", WINDOWS_NAMES)
@pytest.mark.parametrize("part", FROM_PART)
def test_no_part_of_windows_makes_a_machine_better_by_answering_nothing(name, part):
    """What was not known to be good does not become good when less is known."""
    good_when_true = {"antivirus.product.enabled", "firewall.enabled", "firewall.inbound_blocked"}

    def good(host):
        facts = facts_of(host)
        return {(f.key, f.item) for f in facts if f.key in good_when_true and f.value is True}

    host = RecordedHost.load(HOSTS / name)
    # A disagreement ends when one side falls silent; that side is then the unread one.
    before = {(f.key, f.item) for f in facts_of(host) if f.unreadable is Unreadable.MALFORMED}
    assert good(emptied(host, part)) - before <= good(host)


@pytest.mark.parametrize("name", NAMES)
def test_programs_that_print_nothing_and_end_well_prove_nothing(name):
    """What every program of a broken PC, and every stub, does: exit code 0 and no output."""
    host = RecordedHost.load(HOSTS / name)
    silent = {argv: CommandResult(0, "", "") for argv in host.commands}
    from_programs = set(FROM_PROGRAMS)
    if name == "ubuntu-2204":
        from_programs -= {"firewall.product"}
    still = readable(replace(host, commands=silent))
    assert not still & from_programs
    products = {"antivirus.product.enabled", "antivirus.product.signatures_updated_at"}
    if name != "debian-12-may-chu":  # ClamAV is read from files and processes
        assert not still & products


class SilentHost(RecordedHost):
    """Has no file at all, but every program there is prints nothing and ends well."""

    def run(self, argv, timeout_seconds=10.0):
        return CommandResult(0, "", "")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_machine_of_silent_programs_says_nothing(platform):
    assert readable(SilentHost(platform=platform)) <= CONSTANT


@pytest.mark.parametrize("name", NAMES)
def test_a_machine_that_refuses_every_program_says_access_denied_and_no_less(name):
    host = RecordedHost.load(HOSTS / name)
    refused = {"run {}".format(" ".join(argv)): Unreadable.ACCESS_DENIED for argv in host.commands}
    assert not readable(replace(host, errors={**host.errors, **refused})) & FROM_PROGRAMS


def test_every_fact_has_its_meaning_in_both_languages():
    for spec in SPECS.values():
        assert spec.meaning.vi != spec.meaning.en


@pytest.mark.parametrize("name", ["debian-12-may-ban", "windows-10-vi-mien"])
def test_two_runs_say_the_same(name):
    host = RecordedHost.load(HOSTS / name)
    assert facts_of(host) == facts_of(host)
