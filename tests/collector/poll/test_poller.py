"""A whole poll, from snmpd to a snapshot, and from the command line to the store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from attt_collector.cli import collector
from attt_collector.poll.credentials import Community, Credentials, User
from attt_collector.poll.errors import NoAnswer
from attt_collector.poll.poller import SPECS, Device, poll_device
from attt_collector.records import UnitKind
from attt_collector.settings import TEMPLATE, CollectorFolder
from attt_collector.store import assets, snapshots, units
from attt_collector.store.db import Store
from attt_rules.contract import AssetKind, Fact, FactValue, Snapshot, Unreadable
from attt_rules.errors import AtttError
from tests.collector.poll.agents import (
    AUTH_PASSWORD,
    COMMUNITY,
    FIREWALL,
    PRIVACY_PASSWORD,
    Agent,
    free_port,
)

pytestmark = pytest.mark.snmpd

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
PATIENT = (2.0, 4.0)  # for answers that must come, also on a busy machine
QUICK = (1.0,)  # for silence
ROOT = Path(__file__).resolve().parents[3]


def polled(agent: Agent, credentials: Credentials | None = None, **options: Any) -> Snapshot:
    options.setdefault("timeouts", PATIENT)
    device = Device(agent.address, "FW-1", "P1", "firewall", agent.port)
    credentials = credentials or Community(COMMUNITY)
    return poll_device(device, credentials, now=NOW, **options)


def said(facts: tuple[Fact, ...]) -> dict[tuple[str, str | None], FactValue | Unreadable | None]:
    return {(fact.key, fact.item): fact.unreadable or fact.value for fact in facts}


def test_it_works(firewall: Agent) -> None:
    snapshot = polled(firewall)
    facts = said(snapshot.facts)
    uptime = facts.pop(("device.uptime_seconds", None))
    assert isinstance(uptime, int)
    assert facts.pop(("snmp.engine_id", None)).startswith("80001f88")  # net-snmp's own number
    assert {
        ("device.name", None): "FW-PHUONG-1",
        ("device.description", None): "FortiGate-60F v7.2.6",
        ("device.location", None): "Tầng 1, UBND phường",
        ("device.object_id", None): "1.3.6.1.4.1.12356.101.1.644",
        ("device.kind", None): "firewall",
        ("snmp.version", None): "v2c",
        ("interface.names", None): ("wan1", "internal", "dmz"),
        ("interface.role", "wan1"): "wan",
        ("interface.role", "internal"): "lan",
    } | {
        (f"interface.{key}", item): value
        for item, alias, speed, oper in (
            ("wan1", "WAN - VNPT", 10_000_000_000, "up"),
            ("internal", "LAN: tầng 1", 1_000_000_000, "down"),
            ("dmz", "", 100_000_000, "up"),
        )
        for key, value in (
            ("alias", alias),
            ("type", "ethernetCsmacd"),
            ("speed_bits_per_second", speed),
            ("admin_state", "up"),
            ("oper_state", oper),
        )
    } == facts
    assert AssetKind.NETWORK_DEVICE is snapshot.asset.kind
    assert "FW-1" == snapshot.asset.name
    assert NOW == snapshot.taken_at
    assert snapshot.producer.startswith("attt-collector ")
    sources = {(fact.key, fact.item): fact.source for fact in snapshot.facts}
    assert "IF-MIB::ifOperStatus.2" == sources["interface.oper_state", "internal"]


def test_it_knows_the_device_again_whatever_the_credentials(firewall: Agent) -> None:
    user = User("nguoidung256", AUTH_PASSWORD, privacy_password=PRIVACY_PASSWORD)
    by_user, by_community = polled(firewall, user), polled(firewall)
    assert by_user.asset == by_community.asset
    assert by_user.snapshot_id != by_community.snapshot_id
    assert "v3" == said(by_user.facts)["snmp.version", None]


def test_it_tells_two_devices_apart(firewall: Agent, start_snmpd: Callable[..., Agent]) -> None:
    other = start_snmpd(f"rocommunity {COMMUNITY} 127.0.0.1\n{FIREWALL}")
    assert polled(firewall).asset.device_id != polled(other).asset.device_id


def test_it_names_a_device_that_hides_its_engine_id_by_its_name(
    start_snmpd: Callable[..., Agent],
) -> None:
    agent = start_snmpd(f"rocommunity {COMMUNITY} 127.0.0.1 .1.3.6.1.2.1\n{FIREWALL}")
    first, second = polled(agent), polled(agent)
    assert first.asset == second.asset


def test_it_makes_no_snapshot_of_a_silent_device() -> None:
    with pytest.raises(NoAnswer):
        polled(Agent(free_port()), timeouts=QUICK)


def test_it_never_takes_silence_for_no_interfaces(
    firewall: Agent, relay: Callable[[int, int], Any]
) -> None:
    facts = said(polled(Agent(relay(firewall.port, 2).port), timeouts=QUICK).facts)
    assert "FW-PHUONG-1" == facts["device.name", None]
    assert Unreadable.TIMEOUT is facts["interface.names", None]


def test_it_reports_unreadable_when_the_view_hides_the_interfaces(
    start_snmpd: Callable[..., Agent],
) -> None:
    agent = start_snmpd(f"rocommunity {COMMUNITY} 127.0.0.1 .1.3.6.1.2.1.1\n{FIREWALL}")
    assert Unreadable.NOT_SUPPORTED is said(polled(agent).facts)["interface.names", None]


def test_it_says_nothing_of_public_unless_asked(firewall: Agent) -> None:
    asked = ("snmp.default_community_refused", None)
    assert asked not in said(polled(firewall).facts)
    assert True is said(polled(firewall, check_default_community=True, timeouts=QUICK).facts)[asked]


def test_it_finds_a_device_that_answers_public(start_snmpd: Callable[..., Agent]) -> None:
    asked = ("snmp.default_community_refused", None)
    agent = start_snmpd(
        f"rocommunity {COMMUNITY} 127.0.0.1\nrocommunity public 127.0.0.1\n{FIREWALL}"
    )
    assert False is said(polled(agent, check_default_community=True, timeouts=QUICK).facts)[asked]
    assert False is said(polled(agent, Community("public")).facts)[asked]


def test_it_does_not_take_a_lost_device_for_one_that_refuses_public(
    firewall: Agent, relay: Callable[[int, int], Any]
) -> None:
    # Three requests make the poll; the four that try "public" and the last one are lost.
    agent = Agent(relay(firewall.port, 3).port)
    facts = said(polled(agent, check_default_community=True, timeouts=QUICK).facts)
    assert ("wan1", "internal", "dmz") == facts["interface.names", None]
    assert Unreadable.TIMEOUT is facts["snmp.default_community_refused", None]


def test_it_says_only_what_it_declares(firewall: Agent) -> None:
    specs = {spec.key: spec for spec in SPECS}
    own = [
        fact
        for fact in polled(firewall, check_default_community=True, timeouts=QUICK).facts
        if not fact.key.startswith(("device.", "interface.")) or fact.key == "device.kind"
    ]
    assert set(specs) == {fact.key for fact in own}
    for fact in own:
        assert fact.value is not None
        assert specs[fact.key].type.accepts(fact.value)


# From the command line to the store


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[CollectorFolder]:
    folder = CollectorFolder(tmp_path / "collector")
    make_store(folder, simulated=False)
    yield folder


def make_store(folder: CollectorFolder, *, simulated: bool) -> None:
    folder.path.mkdir()
    folder.settings_file.write_text(
        TEMPLATE.format(
            listen="127.0.0.1", port=8443, public_url="https://localhost", names='"localhost"'
        ),
        encoding="utf-8",
    )
    with Store.create(folder.database_url, simulated=simulated, now=NOW) as store:
        store.write(
            lambda conn: units.add(
                conn,
                code="P1",
                name="Phường 1",
                kind=UnitKind.COMMUNE,
                parent_id=None,
                valid_from=date(2025, 7, 1),
            )
        )


def run(folder: CollectorFolder, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(
        collector, ["--data", str(folder.path), "poll", "127.0.0.1", *arguments], env=environment
    )


def stored(folder: CollectorFolder) -> dict[str, dict[tuple[str, str | None], Any]]:
    with Store.open(folder.database_url) as store, store.read() as conn:
        now = datetime.now(UTC)
        known = assets.in_units(conn, [units.by_code(conn, "P1").id], now)
        latest = snapshots.latest_facts(conn, [asset.id for asset in known], now)
        return {asset.name: said(latest[asset.id][1]) for asset in known}


def test_it_stores_what_it_polled(firewall: Agent, folder: CollectorFolder) -> None:
    place = ("--unit", "P1", "--name", "FW-1", "--port", str(firewall.port))
    first = run(folder, *place, "--kind", "firewall", "--community-env", "TEST_C", TEST_C=COMMUNITY)
    assert 0 == first.exit_code, first.output
    assert "Giao diện: 3, đang hoạt động: 2." in first.output
    assert "wan: wan1 up" in first.output
    assert COMMUNITY not in first.output

    secrets = folder.path / "fw.ini"
    secrets.write_text(
        f"[snmp]\nversion = 3\nuser = nguoidung256\nauth_password = {AUTH_PASSWORD}\n"
        f"privacy_password = {PRIVACY_PASSWORD}\n"
    )
    secrets.chmod(0o600)
    second = run(folder, *place, "--credentials", str(secrets))
    assert 0 == second.exit_code, second.output
    devices = stored(folder)
    assert ["FW-1"] == list(devices)
    assert "v3" == devices["FW-1"]["snmp.version", None]
    assert "firewall" == devices["FW-1"]["device.kind", None]


def test_it_asks_for_passwords_without_showing_them(
    firewall: Agent, folder: CollectorFolder
) -> None:
    result = CliRunner().invoke(
        collector,
        [
            *("--data", str(folder.path), "poll", "127.0.0.1", "--unit", "P1", "--name", "FW-1"),
            *("--port", str(firewall.port), "--v3-user", "nguoidung256"),
        ],
        input=f"{AUTH_PASSWORD}\n{PRIVACY_PASSWORD}\n",
    )
    assert 0 == result.exit_code, result.output
    assert AUTH_PASSWORD not in result.output
    assert PRIVACY_PASSWORD not in result.output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--unit", "KHONG-CO", "--community-env", "TEST_C"), "ATTT-520"),
        (("--unit", "P1", "--community-env", "NO_SUCH_VARIABLE"), "ATTT-407"),
        (("--unit", "P1", "--v3-user", "attt", "--auth-password-env", "EMPTY"), "ATTT-407"),
    ],
)
def test_it_stops_before_it_asks_the_device(
    folder: CollectorFolder, arguments: tuple[str, ...], code: str
) -> None:
    result = run(folder, *arguments, "--name", "FW-1", TEST_C=COMMUNITY, EMPTY="")
    assert isinstance(result.exception, AtttError)
    assert code == result.exception.code
    assert {} == stored(folder)


def test_it_refuses_one_way_too_many(folder: CollectorFolder) -> None:
    result = run(
        folder,
        *("--unit", "P1", "--name", "FW-1", "--community-env", "TEST_C", "--v3-user", "attt"),
        TEST_C=COMMUNITY,
    )
    assert 2 == result.exit_code
    assert "--v3-user" in result.output


def test_it_keeps_real_devices_out_of_a_simulated_store(firewall: Agent, tmp_path: Path) -> None:
    folder = CollectorFolder(tmp_path / "simulated")
    make_store(folder, simulated=True)
    result = run(
        folder,
        *("--unit", "P1", "--name", "FW-1", "--port", str(firewall.port)),
        *("--community-env", "TEST_C"),
        TEST_C=COMMUNITY,
    )
    assert isinstance(result.exception, AtttError)
    assert "ATTT-218" == result.exception.code
    assert {} == stored(folder)


# A link that really goes down: snmpd's own ifTable in a network namespace of its own

POLL_INSIDE = """
import json, sys
from datetime import UTC, datetime
from attt_collector.poll.credentials import Community
from attt_collector.poll.poller import Device, poll_device
device = Device("127.0.0.1", "SW-1", "P1", port=int(sys.argv[1]))
snapshot = poll_device(device, Community(sys.argv[2]), now=datetime.now(UTC))
print(json.dumps({fact.item: fact.value for fact in snapshot.facts if fact.key == sys.argv[3]}))
"""


@pytest.fixture
def namespace() -> Iterator[tuple[str, ...]]:
    """A network namespace with a veth pair, wan0 and peer0: how to run a command in it."""
    if os.geteuid() != 0:
        pytest.fail("making a network namespace needs root")
    name = f"attt-test-{os.getpid()}"
    inside = ("ip", "netns", "exec", name)

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True)

    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        ip("-n", name, "link", "add", "wan0", "type", "veth", "peer", "name", "peer0")
        ip("-n", name, "link", "set", "wan0", "up")
        ip("-n", name, "link", "set", "peer0", "up")
        yield inside
    finally:
        ip("netns", "delete", name)


def test_it_sees_a_link_go_down(
    namespace: tuple[str, ...], start_snmpd: Callable[..., Agent]
) -> None:
    def states(port: int, key: str) -> dict[str, str]:
        program = subprocess.run(
            [*namespace, sys.executable, "-c", POLL_INSIDE, str(port), COMMUNITY, key],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'collector'}:{ROOT / 'rules'}"},
        )
        found: dict[str, str] = json.loads(program.stdout)
        return found

    def agent(port: int) -> int:
        config = f"rocommunity {COMMUNITY} 127.0.0.1\n"
        return start_snmpd(config, inside=namespace, port=port).port

    before = states(agent(16161), "interface.oper_state")
    assert ("up", "up") == (before["wan0"], before["peer0"])
    subprocess.run([*namespace, "ip", "link", "set", "peer0", "down"], check=True)
    # snmpd keeps its tables for some seconds; a fresh one reads the kernel at once.
    port = agent(16162)
    after, wanted = states(port, "interface.oper_state"), states(port, "interface.admin_state")
    assert ("down", "down") == (after["wan0"], after["peer0"])
    assert ("up", "down") == (wanted["wan0"], wanted["peer0"])
