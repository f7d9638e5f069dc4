"""The service is killed while PCs are sending: what was acknowledged is there, once."""

from __future__ import annotations

import http.client
import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from attt_collector.records import Asset
from attt_collector.settings import CollectorFolder
from attt_collector.store import schema
from attt_collector.store.db import Store
from tests.collector.conftest import Device, add_commune
from tests.collector.service import Service, new_folder, post

CLIENTS = 6

# CPython 3.11: SSLSocket._create leaves its socket open when the peer resets the connection just
# before the handshake, which is what a killed service does to a client that has just connected.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"
)


@dataclass
class Line:
    """The wire between PCs and the service; `service` is None while it is down."""

    up: threading.Event = field(default_factory=threading.Event)
    service: Service | None = None


class Sender(threading.Thread):
    """A PC with a spool: a snapshot leaves the spool only after a 202."""

    def __init__(self, line: Line, device: Device) -> None:
        super().__init__(daemon=True)
        self.line = line
        self.device = device
        self.spool: dict[str, bytes] = {}
        self.acknowledged: set[str] = set()
        self.finishing = threading.Event()
        self.lost_answers = 0
        self.problem: object = None

    def run(self) -> None:
        while not (self.finishing.is_set() and not self.spool):
            if not self.line.up.wait(0.05):
                continue
            service = self.line.service
            if service is None:
                continue
            try:
                self._send_over(service)
            except (OSError, http.client.HTTPException):
                self.lost_answers += 1  # killed between receiving and acknowledging, or before

    def _send_over(self, service: Service) -> None:
        connection = service.connect()
        try:
            while self.line.service is service and self.problem is None:
                if not self.spool:
                    if self.finishing.is_set():
                        return
                    self._take_snapshot()
                snapshot_id, raw = next(iter(self.spool.items()))
                status, answer = post(connection, "/api/v1/snapshots", raw)
                if status != 202 or answer["snapshot_id"] != snapshot_id:
                    self.problem = (status, answer)
                    self.finishing.set()
                    self.spool.clear()
                    return
                self.acknowledged.add(snapshot_id)
                del self.spool[snapshot_id]
        finally:
            connection.close()

    def _take_snapshot(self) -> None:
        snapshot_id = str(uuid.uuid4())
        on = bool(len(self.acknowledged) % 2)
        snapshot = self.device.snapshot(
            self.device.fact("firewall.profiles", ("host",)),
            self.device.fact("firewall.enabled", on, "host"),
            self.device.fact("firewall.inbound_blocked", on, "host"),
            snapshot_id=snapshot_id,
            taken_at=datetime.now(UTC),
        )
        self.spool[snapshot_id] = self.device.envelope(snapshot)


@contextmanager
def sending(line: Line, devices: list[Device]) -> Iterator[list[Sender]]:
    senders = [Sender(line, device) for device in devices]
    for sender in senders:
        sender.start()
    try:
        yield senders
    finally:
        for sender in senders:
            sender.finishing.set()
        for sender in senders:
            sender.join(60)


def stored_ids(folder: CollectorFolder) -> Counter[str]:
    with Store.open(folder.database_url) as store, store.read() as conn:
        return Counter(conn.execute(select(schema.snapshot.c.snapshot_id)).scalars())


def acknowledged_by(senders: list[Sender]) -> set[str]:
    return set().union(*(set(sender.acknowledged) for sender in senders))


def check_kills(tmp_path: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    folder = new_folder(tmp_path / "collector")
    devices = [Device(f"PC-{number:04d}") for number in range(CLIENTS)]
    with Store.open(folder.database_url) as store:
        unit = store.write(add_commune)
        assets: list[Asset] = [
            device.enrolled(store, unit, at=datetime.now(UTC)) for device in devices
        ]
    line = Line()
    with sending(line, devices) as senders:
        for _ in range(kills):
            with Service(folder) as service:
                before = len(acknowledged_by(senders))
                line.service = service
                line.up.set()
                wait_for_more(senders, before)
                threading.Event().wait(chance.uniform(0.0, 0.4))
                service.kill()
                line.up.clear()
                line.service = None
            # What a client had been told by now must have survived.
            told = acknowledged_by(senders)
            assert set() == told - set(stored_ids(folder))
        with Service(folder) as service:
            line.service = service
            line.up.set()
            for sender in senders:
                sender.finishing.set()
            for sender in senders:
                sender.join(60)
            assert [] == [sender.name for sender in senders if sender.is_alive()]
            assert 0 == service.stop()

    assert [None] * CLIENTS == [sender.problem for sender in senders]
    stored = stored_ids(folder)
    assert acknowledged_by(senders) == set(stored)  # nothing missing, nothing unaccounted for
    assert {1} == set(stored.values())  # and nothing doubled
    assert sum(sender.lost_answers for sender in senders) > 0  # the kills did hit someone
    check_findings(folder, [asset.id for asset in assets])


def wait_for_more(senders: list[Sender], before: int) -> None:
    """Wait until the restarted service has acknowledged something."""
    for _ in range(2000):
        if len(acknowledged_by(senders)) > before:
            return
        assert all(sender.problem is None for sender in senders), [
            sender.problem for sender in senders
        ]
        threading.Event().wait(0.01)
    raise AssertionError("the service acknowledged nothing for 20 seconds")


def check_findings(folder: CollectorFolder, asset_ids: list[int]) -> None:
    """One open interval for each asset and rule, and intervals that join without a gap."""
    finding = schema.finding
    with Store.open(folder.database_url) as store, store.read() as conn:
        open_ones = conn.execute(
            select(finding.c.asset_id, finding.c.rule_id, func.count())
            .where(finding.c.until.is_(None))
            .group_by(finding.c.asset_id, finding.c.rule_id)
        ).all()
        assert set(asset_ids) == {row[0] for row in open_ones}
        assert {1} == {row[2] for row in open_ones}
        ends = conn.execute(
            select(finding.c.asset_id, finding.c.rule_id, finding.c.until).where(
                finding.c.until.is_not(None)
            )
        ).all()
        begins = {
            tuple(row)
            for row in conn.execute(select(finding.c.asset_id, finding.c.rule_id, finding.c.since))
        }
        assert [] == [tuple(row) for row in ends if tuple(row) not in begins]


def test_nothing_acknowledged_is_lost_when_the_service_is_killed(tmp_path: Path) -> None:
    check_kills(tmp_path, kills=3, seed=20261122)


@pytest.mark.crash
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_acknowledged_is_lost_over_many_kills(tmp_path: Path, seed: int) -> None:
    check_kills(tmp_path, kills=20, seed=seed)
