"""One run: disk first, then the network; nothing is lost whatever the collector says."""

from __future__ import annotations

import base64
import gzip
import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nacl.signing import VerifyKey
from tests.agent.conftest import Answer, Authority, Request, TlsServer

from attt_agent import settings
from attt_agent.delivery import NotEnrolledError, Outcome, run_once
from attt_agent.recorded import RecordedHost
from attt_agent.settings import Settings, StateFolder
from attt_agent.sign import DeviceKey, KeyFileError
from attt_agent.spool import RunLock, Spool, SpoolError
from attt_agent.transport import RefusedError
from attt_rules.contract import SNAPSHOT_SIGNING_CONTEXT, AssetKind, Envelope, UnitRef

Serve = Callable[[Path, Callable[[Request], Answer]], TlsServer]
AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
HOST = RecordedHost(host_name="PC-0417", moment=AT)


class Collector:
    """Acknowledges everything except what a test tells it to refuse."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.refuse: Callable[[str], tuple[int, bool] | None] = lambda _: None

    def __call__(self, request: Request) -> Answer:
        snapshot_id = str(json.loads(opened(request).body)["snapshot_id"])
        refusal = self.refuse(snapshot_id)
        if refusal is not None:
            status, permanent = refusal
            told = {
                "code": "ATTT-299",
                "message": {"vi": "Không nhận.", "en": "Not taken."},
                "permanent": permanent,
            }
            return status, {"Retry-After": "7"}, json.dumps(told).encode()
        self.received.append(snapshot_id)
        receipt = {"snapshot_id": snapshot_id, "received_at": AT.isoformat()}
        return 202, {}, json.dumps(receipt).encode()


def opened(request: Request) -> Envelope:
    return Envelope.from_bytes(gzip.decompress(request.body))


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def server(serve: Serve, server_certificate: Path, collector: Collector) -> TlsServer:
    return serve(server_certificate, collector)


@pytest.fixture
def enrolled(state: StateFolder, authority: Authority, server: TlsServer) -> Settings:
    DeviceKey.create(state.key)
    state.ca.write_bytes(authority.pem)
    chosen = Settings(server=server.url, unit=UnitRef("1", "Xã A"), kind=AssetKind.PC)
    settings.save(state, chosen)
    return chosen


def without_network(enrolled: Settings) -> Settings:
    return replace(enrolled, server="https://127.0.0.1:1")


def waiting_ids(state: StateFolder) -> list[str]:
    spool = Spool(state.spool)
    return [spool.read(path).snapshot_id for path in spool.waiting()]


def test_it_works(
    state: StateFolder, enrolled: Settings, collector: Collector, server: TlsServer
) -> None:
    outcome = run_once(state, enrolled, HOST)
    assert Outcome(sent=1, clock_offset_seconds=0.0) == outcome
    assert len(collector.received) == 1
    envelope = opened(server.requests[0])
    key = DeviceKey.load(state.key)
    assert envelope.device_id == key.device_id
    VerifyKey(key.public_key).verify(
        SNAPSHOT_SIGNING_CONTEXT + envelope.body,
        base64.b64decode(envelope.signature),
    )
    assert json.loads(envelope.body)["asset"]["name"] == "PC-0417"


def test_a_week_without_network_is_sent_in_order(
    state: StateFolder, enrolled: Settings, collector: Collector
) -> None:
    for day in range(7):
        host = RecordedHost(moment=AT + timedelta(days=day))
        outcome = run_once(state, without_network(enrolled), host)
        assert outcome.waiting == day + 1
        assert outcome.failure is not None
        assert outcome.failure.code == "ATTT-270"
    before = waiting_ids(state)
    outcome = run_once(state, enrolled, HOST)
    assert (outcome.sent, outcome.waiting, outcome.failure) == (8, 0, None)
    assert collector.received[:7] == before


def test_a_busy_collector_keeps_everything(
    state: StateFolder, enrolled: Settings, collector: Collector
) -> None:
    collector.refuse = lambda _: (503, False)
    outcome = run_once(state, enrolled, HOST)
    assert outcome.waiting == 1
    assert isinstance(outcome.failure, RefusedError)
    assert outcome.failure.retry_after_seconds == 7


def test_a_snapshot_that_is_refused_does_not_stop_the_others(
    state: StateFolder, enrolled: Settings, collector: Collector
) -> None:
    run_once(state, without_network(enrolled), HOST)
    (bad,) = waiting_ids(state)
    collector.refuse = lambda snapshot_id: (422, True) if snapshot_id == bad else None
    outcome = run_once(state, enrolled, HOST)
    assert (outcome.sent, outcome.waiting) == (1, 0)
    ((path, error),) = outcome.refused
    assert path.parent == state.spool / "tu-choi"
    assert error.code == "ATTT-299"
    assert "Không nhận." in Path(str(path) + ".txt").read_text()


@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_a_device_that_is_not_welcome_keeps_its_snapshots_and_its_key(
    state: StateFolder, enrolled: Settings, collector: Collector, server: TlsServer, status: int
) -> None:
    for _ in range(4):
        run_once(state, without_network(enrolled), HOST)
    key = state.key.read_bytes()
    collector.refuse = lambda _: (status, True)
    outcome = run_once(state, enrolled, HOST)
    assert (outcome.sent, outcome.waiting, outcome.refused) == (0, 5, [])
    assert outcome.failure is not None
    assert len(server.requests) == 2  # the oldest and the newest, not the whole queue
    assert state.key.read_bytes() == key
    collector.refuse = lambda _: None  # the province has put it right
    assert run_once(state, enrolled, HOST).sent == 6


def test_one_unwelcome_snapshot_cannot_block_the_queue(
    state: StateFolder, enrolled: Settings, collector: Collector
) -> None:
    for _ in range(3):
        run_once(state, without_network(enrolled), HOST)
    bad = waiting_ids(state)[:2]
    collector.refuse = lambda snapshot_id: (403, True) if snapshot_id in bad else None
    outcome = run_once(state, enrolled, HOST)
    assert (outcome.sent, outcome.waiting, outcome.failure) == (2, 0, None)
    assert len(outcome.refused) == 2


def test_a_damaged_file_does_not_stop_the_others(
    state: StateFolder, enrolled: Settings, collector: Collector
) -> None:
    run_once(state, without_network(enrolled), HOST)
    Spool(state.spool).waiting()[0].write_bytes(b"rubbish")
    outcome = run_once(state, enrolled, HOST)
    assert (outcome.sent, outcome.waiting) == (1, 0)
    assert ["ATTT-321"] == [error.code for error in outcome.damaged]


@contextmanager
def no_byte_more() -> Iterator[None]:
    """The kernel takes no further byte into any file, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_does_not_stop_what_waits(
    state: StateFolder, enrolled: Settings, collector: Collector
) -> None:
    for _ in range(2):
        run_once(state, without_network(enrolled), HOST)
    before = waiting_ids(state)
    with no_byte_more():
        outcome = run_once(state, enrolled, HOST)
    assert (outcome.sent, outcome.waiting, outcome.failure) == (2, 0, None)
    assert collector.received == before
    assert outcome.not_kept is not None
    assert outcome.not_kept.code == "ATTT-323"
    assert run_once(state, enrolled, HOST).not_kept is None  # there is room again


def test_a_snapshot_that_cannot_be_made_does_not_stop_what_waits(
    state: StateFolder, enrolled: Settings, server: TlsServer
) -> None:
    run_once(state, without_network(enrolled), HOST)
    outcome = run_once(state, replace(enrolled, kind=None), HOST)
    assert (outcome.sent, outcome.waiting, outcome.failure) == (1, 0, None)
    assert outcome.not_kept is not None
    assert outcome.not_kept.code == "ATTT-312"
    again = run_once(state, replace(enrolled, kind=None), HOST)
    assert (again.sent, again.failure) == (0, None)
    assert len(server.requests) == 1  # with nothing to send nobody is asked


def test_a_disk_that_takes_no_reason_of_a_refusal_still_says_what_was_done(
    state: StateFolder, enrolled: Settings, collector: Collector
) -> None:
    run_once(state, without_network(enrolled), HOST)
    collector.refuse = lambda _: (422, True)
    with no_byte_more():
        outcome = run_once(state, enrolled, HOST)
    assert outcome.failure is not None
    assert outcome.not_kept is not None
    assert {"ATTT-323"} == {outcome.failure.code, outcome.not_kept.code}


def test_a_missing_ca_keeps_the_snapshot(state: StateFolder, enrolled: Settings) -> None:
    state.ca.unlink()
    outcome = run_once(state, enrolled, HOST)
    assert outcome.waiting == 1
    assert outcome.failure is not None
    assert outcome.failure.code == "ATTT-277"


@pytest.mark.parametrize("days", [-9000, 9000])
def test_a_wrong_clock_sends_and_says_how_far_it_is_off(
    state: StateFolder, enrolled: Settings, days: int
) -> None:
    outcome = run_once(state, enrolled, RecordedHost(moment=AT + timedelta(days=days)))
    assert (outcome.sent, outcome.clock_offset_seconds) == (1, days * 86400.0)
    assert DeviceKey.load(state.key)


def test_it_asks_for_enrolment_first(state: StateFolder) -> None:
    with pytest.raises(NotEnrolledError, match="ATTT-301"):
        run_once(state, Settings(), HOST)
    with pytest.raises(KeyFileError, match="ATTT-301"):
        run_once(state, Settings(server="https://127.0.0.1:1"), HOST)


def test_a_second_run_waits_for_nobody(state: StateFolder, enrolled: Settings) -> None:
    with RunLock(state.lock), pytest.raises(SpoolError, match="ATTT-320"):
        run_once(state, enrolled, HOST)
