"""POST /api/v1/snapshots and what every answer of the API has in common."""

from __future__ import annotations

import asyncio
import gzip
import logging
import threading

import pytest
from sqlalchemy import Connection, func, select

from attt_collector.api.errors import RETRY_AFTER_SECONDS
from attt_collector.app import build_app
from attt_collector.records import Unit
from attt_collector.settings import Settings
from attt_collector.store import schema
from attt_collector.store.db import Store
from attt_rules.contract import CONTRACT_VERSION
from tests.collector.conftest import NOW, Client, Device, add_commune

PATH = "/api/v1/snapshots"


def stored_count(store: Store) -> int:
    with store.read() as conn:
        return conn.execute(select(func.count()).select_from(schema.snapshot)).scalar_one()


def test_it_works(client: Client, store: Store, commune: Unit, device: Device) -> None:
    device.enrolled(store, commune)
    snapshot = device.snapshot()
    answer = client.post_envelope(PATH, device.envelope(snapshot))
    assert 202 == answer.status
    assert {"snapshot_id": snapshot.snapshot_id, "received_at": NOW.isoformat()} == answer.json
    assert 1 == stored_count(store)


def test_a_duplicate_is_acknowledged_with_the_first_time(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    device.enrolled(store, commune)
    raw = device.envelope(device.snapshot())
    assert client.post_envelope(PATH, raw) == client.post_envelope(PATH, raw)
    assert 1 == stored_count(store)


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (b"not gzip", "gzip", 400, "ATTT-210"),
        (gzip.compress(b"x" * 2_000_000), "gzip", 413, "ATTT-211"),
        (b"x" * 2_000_000, None, 413, "ATTT-211"),
        (gzip.compress(b"x" * 100)[:-3], "gzip", 400, "ATTT-212"),
        (gzip.compress(b"hello"), "gzip", 400, "ATTT-213"),
        (gzip.compress(b'{"attt":1,"device_id":"x"}\n{}'), "gzip", 401, "ATTT-214"),
        (b'{"attt":1,"device_id":"x","signature":"y"}\n{}', None, 403, "ATTT-215"),
        (b"x", "br", 415, "ATTT-221"),
        (b"x", "gzip, gzip", 415, "ATTT-221"),
    ],
    ids=["plain", "bomb", "large", "cut", "no-envelope", "unsigned", "unknown", "brotli", "twice"],
)
def test_every_wrong_input_has_its_own_answer(
    client: Client, body: bytes, encoding: str | None, status: int, code: str
) -> None:
    answer = client.post(PATH, body, encoding=encoding)
    assert (status, code) == (answer.status, answer.json["code"])
    assert {"code", "message", "remedy", "permanent"} == set(answer.json)
    assert {"vi", "en"} == set(answer.json["message"]) == set(answer.json["remedy"])


def test_an_endless_body_is_cut_off_at_the_limit(client: Client) -> None:
    answer = client.send("POST", PATH, [b"x" * 65536] * 1000)
    assert (413, "ATTT-211") == (answer.status, answer.json["code"])


def test_a_body_that_breaks_off_is_refused_and_may_come_again(client: Client) -> None:
    scope_ends_early = client.send("POST", PATH, [])
    assert (408, "ATTT-222", False) == (
        scope_ends_early.status,
        scope_ends_early.json["code"],
        scope_ends_early.json["permanent"],
    )


def test_refusals_are_counted_and_logged_on_one_line(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "attt.ingest")
    client.post(PATH, b'{"attt":1,"device_id":"a\\nb","signature":"y"}\n{}', encoding=None)
    client.post(PATH, b"??", encoding="gzip")
    assert {"ATTT-215": 1, "ATTT-210": 1} == dict(client.app.state.refusals.by_code)
    lines = [record.getMessage() for record in caplog.records]
    assert 2 == len(lines)
    assert all("\n" not in line for line in lines)
    assert lines[0].startswith(
        "event=refused code=ATTT-215 path='/api/v1/snapshots' remote=192.0.2.7 reason="
    )


def test_a_busy_store_answers_503_with_retry_after(database: str, device: Device) -> None:
    hold, held = threading.Event(), threading.Event()

    def block(_: Connection) -> None:
        held.set()
        assert hold.wait(10)

    with Store.open(database, queue_limit=1) as store:
        unit = store.write(add_commune)
        device.enrolled(store, unit)
        client = Client(
            build_app(store, clock=lambda: NOW, ca_certificate=b"", settings=Settings())
        )
        raw = device.envelope(device.snapshot())

        async def jam() -> None:
            first = store.write_async(block)
            await asyncio.to_thread(held.wait, 10)
            second = store.write_async(lambda conn: None)
            answer = await asyncio.to_thread(client.post_envelope, PATH, raw)
            hold.set()
            await asyncio.gather(first, second)
            assert (503, "ATTT-501", False) == (
                answer.status,
                answer.json["code"],
                answer.json["permanent"],
            )
            assert str(RETRY_AFTER_SECONDS) == answer.headers["retry-after"]

        asyncio.run(jam())
        assert 0 == stored_count(store)
        assert 202 == client.post_envelope(PATH, raw).status


def test_a_closed_store_answers_503(client: Client, store: Store, commune: Unit) -> None:
    device = Device()
    device.enrolled(store, commune)
    store.close()
    answer = client.post_envelope(PATH, device.envelope(device.snapshot()))
    assert (503, "ATTT-507") == (answer.status, answer.json["code"])


def test_an_unforeseen_error_gives_a_reference_and_no_traceback(
    client: Client, store: Store, device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(schema.finding.drop)
    store.write(schema.snapshot.drop)
    store.write(schema.enrolment_use.drop)
    store.write(schema.asset.drop)
    answer = client.post_envelope(PATH, device.envelope(device.snapshot()))
    assert (500, "ATTT-230", False) == (
        answer.status,
        answer.json["code"],
        answer.json["permanent"],
    )
    assert b"asset" not in answer.body
    assert b"Traceback" not in answer.body
    record = next(each for each in caplog.records if "request_failed" in each.getMessage())
    reference = record.getMessage().split("reference=")[1].split()[0]
    assert reference in answer.json["message"]["vi"]
    assert record.exc_info is not None


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", PATH, 405), ("POST", "/api/v1/snapshot", 404), ("GET", "/api/v2/health", 404)],
)
def test_an_address_that_does_not_exist_has_the_same_error_form(
    client: Client, method: str, path: str, status: int
) -> None:
    answer = client.send(method, path, [b""])
    assert (status, "ATTT-231") == (answer.status, answer.json["code"])


def test_every_answer_carries_the_security_headers(client: Client) -> None:
    for answer in (
        client.get("/api/v1/health"),
        client.get("/no/such/page"),
        client.post(PATH, b"?"),
    ):
        assert answer.headers["content-security-policy"].startswith("default-src 'self'; ")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert "DENY" == answer.headers["x-frame-options"]
        assert "no-store" == answer.headers["cache-control"]


def test_health_says_what_the_service_is(client: Client) -> None:
    answer = client.get("/api/v1/health")
    assert 200 == answer.status
    assert ("ok", CONTRACT_VERSION, False, NOW.isoformat()) == (
        answer.json["status"],
        answer.json["contract"],
        answer.json["simulated"],
        answer.json["collector_time"],
    )


def test_the_ca_certificate_can_be_fetched(client: Client) -> None:
    answer = client.get("/api/v1/ca")
    assert (200, b"PEM") == (answer.status, answer.body)


def test_there_are_no_api_pages_for_strangers(client: Client) -> None:
    assert [404, 404, 404] == [
        client.get(path).status for path in ("/docs", "/redoc", "/openapi.json")
    ]
