"""A store in a temporary folder, devices with real keys, and the application without a network."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey
from sqlalchemy import Connection

from attt_collector.app import build_app
from attt_collector.records import Asset, Unit, UnitKind
from attt_collector.settings import Settings
from attt_collector.store import assets, units
from attt_collector.store.db import Store
from attt_rules.contract import (
    ENROLMENT_SIGNING_CONTEXT,
    SNAPSHOT_SIGNING_CONTEXT,
    AssetKind,
    AssetRef,
    EnrolmentRequest,
    Envelope,
    Fact,
    Snapshot,
    device_id_of,
)

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)  # 8 o'clock in Vietnam


@dataclass
class Device:
    """A PC as the wire sees it: a key, a name, and what it signs."""

    name: str = "PC-0417"
    kind: AssetKind = AssetKind.PC
    key: SigningKey = field(default_factory=SigningKey.generate)

    @property
    def public_key(self) -> bytes:
        return bytes(self.key.verify_key)

    @property
    def device_id(self) -> str:
        return device_id_of(self.public_key)

    @property
    def ref(self) -> AssetRef:
        return AssetRef(self.device_id, self.kind, self.name)

    def seal(self, context: bytes, body: bytes) -> Envelope:
        signature = base64.b64encode(self.key.sign(context + body).signature).decode()
        return Envelope(self.device_id, signature, body)

    def snapshot(
        self,
        *facts: Fact,
        taken_at: datetime = NOW,
        snapshot_id: str | None = None,
        simulated: bool = False,
    ) -> Snapshot:
        return Snapshot(
            snapshot_id or str(uuid.uuid4()),
            self.ref,
            taken_at,
            "attt 0.1.0",
            facts or (self.fact("firewall.profiles", ("host",)),),
            simulated=simulated,
        )

    def envelope(self, snapshot: Snapshot) -> bytes:
        return self.seal(SNAPSHOT_SIGNING_CONTEXT, snapshot.to_json()).to_bytes()

    def enrolment(self, code: str, *, simulated: bool = False) -> bytes:
        public_key = base64.b64encode(self.public_key).decode()
        request = EnrolmentRequest(code, public_key, self.ref, NOW, simulated=simulated)
        return self.seal(ENROLMENT_SIGNING_CONTEXT, request.to_json()).to_bytes()

    def fact(self, key: str, value: Any, item: str | None = None) -> Fact:
        return Fact(key, NOW, "a test", value, item=item)

    def enrolled(self, store: Store, unit: Unit, at: datetime = NOW) -> Asset:
        return store.write(
            lambda conn: assets.enrol(
                conn,
                device_id=self.device_id,
                unit_id=unit.id,
                kind=self.kind,
                name=self.name,
                public_key=self.public_key,
                at=at,
            )
        )


@dataclass(frozen=True)
class Answer:
    """What the application answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Calls an ASGI application directly, without a socket."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def get(self, path: str) -> Answer:
        return self.send("GET", path, [b""])

    def post(self, path: str, body: bytes, *, encoding: str | None = "gzip") -> Answer:
        return self.send("POST", path, [body], encoding=encoding)

    def post_envelope(self, path: str, envelope: bytes) -> Answer:
        return self.post(path, gzip.compress(envelope))

    def send(
        self, method: str, path: str, chunks: list[bytes], *, encoding: str | None = None
    ) -> Answer:
        headers = [(b"host", b"localhost")]
        if encoding is not None:
            headers.append((b"content-encoding", encoding.encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("192.0.2.7", 50000),
            "server": ("localhost", 8443),
        }
        incoming = iter(enumerate(chunks, start=1))
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            for number, chunk in incoming:
                return {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        start = sent[0]
        return Answer(
            start["status"],
            {name.decode().lower(): value.decode() for name, value in start["headers"]},
            b"".join(message.get("body", b"") for message in sent[1:]),
        )


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, bytes]:
    """A fresh database for real and one for simulated data: migrations run once, not each test."""
    folder = tmp_path_factory.mktemp("empty")
    made = {}
    for simulated in (False, True):
        path = folder / f"{simulated}.sqlite"
        Store.create(f"sqlite:///{path}", simulated, NOW).close()
        made[simulated] = path.read_bytes()
    return made


@pytest.fixture
def database(tmp_path: Path, empty_database: dict[bool, bytes]) -> str:
    """The URL of a fresh database for real data."""
    path = tmp_path / "attt.sqlite"
    path.write_bytes(empty_database[False])
    return f"sqlite:///{path}"


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store.open(database) as opened:
        yield opened


@pytest.fixture
def simulated_store(tmp_path: Path, empty_database: dict[bool, bytes]) -> Iterator[Store]:
    path = tmp_path / "simulated.sqlite"
    path.write_bytes(empty_database[True])
    with Store.open(f"sqlite:///{path}") as opened:
        yield opened


def add_commune(conn: Connection) -> Unit:
    """A commune for tests that need one and do not look at it."""
    return units.add(
        conn,
        code="89.30133",
        name="UBND xã Phú Tân",
        kind=UnitKind.COMMUNE,
        parent_id=None,
        valid_from=date(2025, 7, 1),
    )


@pytest.fixture
def province(store: Store) -> Unit:
    return store.write(
        lambda conn: units.add(
            conn,
            code="89",
            name="Tỉnh An Giang",
            kind=UnitKind.PROVINCE,
            parent_id=None,
            valid_from=date(2025, 7, 1),
        )
    )


@pytest.fixture
def commune(store: Store, province: Unit) -> Unit:
    return store.write(
        lambda conn: units.add(
            conn,
            code="89.30133",
            name="UBND xã Phú Tân",
            kind=UnitKind.COMMUNE,
            parent_id=province.id,
            valid_from=date(2025, 7, 1),
        )
    )


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def client(store: Store) -> Client:
    app = build_app(store, clock=lambda: NOW, ca_certificate=b"PEM", settings=Settings())
    return Client(app)
