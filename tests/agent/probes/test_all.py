"""What holds for every probe on every machine."""

from dataclasses import replace
from pathlib import Path

import pytest

from attt_agent.host import CommandResult
from attt_agent.probe import ProbeContext, find_all, run_all
from attt_agent.recorded import RecordedHost
from attt_rules.contract import Unreadable

HOSTS = Path(__file__).parents[1] / "hosts"
LINUX = tuple(probe for probe in find_all() if "linux" in probe.platforms)
SPECS = {spec.key: spec for probe in LINUX for spec in probe.specs}
NAMES = sorted(path.name for path in HOSTS.iterdir() if (path / "host.json").exists())

# True without looking at anything: Linux has one firewall profile, "host".
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
    return run_all(LINUX, ProbeContext(host, ("10.10.0.10", 443)))


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
    } <= {probe.id for probe in LINUX}
    assert {"debian-12-may-ban", "debian-12-may-chu", "may-trong", "rhel-9", "ubuntu-2204"} <= set(
        NAMES
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("probe", LINUX, ids=lambda probe: probe.id)
def test_no_exception_escapes_and_every_key_is_declared_with_its_type(name, probe):
    host = RecordedHost.load(HOSTS / name)
    specs = {spec.key: spec for spec in probe.specs}
    for reading in probe.read(ProbeContext(host, ("10.10.0.10", 443))):
        spec = specs[reading.key]
        assert spec.per_item is (reading.item is not None)
        assert reading.source
        if reading.unreadable is None:
            assert spec.type.accepts(reading.value), reading


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_said_twice(name):
    host = RecordedHost.load(HOSTS / name)
    said = [
        (reading.key, reading.item) for probe in LINUX for reading in probe.read(ProbeContext(host))
    ]
    assert len(said) == len(set(said))


@pytest.mark.parametrize("name", NAMES)
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


def test_a_recording_that_holds_nothing_says_nothing():
    host = RecordedHost.load(HOSTS / "may-trong")
    readable = {fact.key for fact in facts_of(host) if fact.unreadable is None}
    assert readable <= CONSTANT


@pytest.mark.parametrize("name", NAMES)
def test_programs_that_print_nothing_and_end_well_prove_nothing(name):
    """What every program of a broken PC, and every stub, does: exit code 0 and no output."""
    host = RecordedHost.load(HOSTS / name)
    silent = {argv: CommandResult(0, "", "") for argv in host.commands}
    from_programs = set(FROM_PROGRAMS)
    if name == "ubuntu-2204":
        from_programs -= {"firewall.product"}
    readable = {
        fact.key for fact in facts_of(replace(host, commands=silent)) if fact.unreadable is None
    }
    assert not readable & from_programs
    products = {"antivirus.product.enabled", "antivirus.product.signatures_updated_at"}
    if name != "debian-12-may-chu":  # ClamAV is read from files and processes
        assert not readable & products


class SilentHost(RecordedHost):
    """Has no file at all, but every program there is prints nothing and ends well."""

    def run(self, argv, timeout_seconds=10.0):
        return CommandResult(0, "", "")


def test_a_machine_of_silent_programs_says_nothing():
    readable = {fact.key for fact in facts_of(SilentHost()) if fact.unreadable is None}
    assert readable <= CONSTANT


@pytest.mark.parametrize("name", NAMES)
def test_a_machine_that_refuses_every_program_says_access_denied_and_no_less(name):
    host = RecordedHost.load(HOSTS / name)
    refused = {"run {}".format(" ".join(argv)): Unreadable.ACCESS_DENIED for argv in host.commands}
    facts = facts_of(replace(host, errors={**host.errors, **refused}))
    readable = {fact.key for fact in facts if fact.unreadable is None}
    assert not readable & FROM_PROGRAMS


def test_every_fact_has_its_meaning_in_both_languages():
    for spec in SPECS.values():
        assert spec.meaning.vi != spec.meaning.en


def test_two_runs_say_the_same():
    host = RecordedHost.load(HOSTS / "debian-12-may-ban")
    assert facts_of(host) == facts_of(host)
