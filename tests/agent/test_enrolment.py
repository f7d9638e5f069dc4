"""Joining a unit."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import VerifyKey
from tests.agent.conftest import Answer, Authority, Request, TlsServer

from attt_agent import settings
from attt_agent.enrolment import EnrolmentError, enrol
from attt_agent.recorded import RecordedHost
from attt_agent.settings import Settings, StateFolder
from attt_agent.sign import DeviceKey
from attt_agent.snapshot import SnapshotError
from attt_agent.transport import RefusedError, TransportError
from attt_rules.contract import ENROLMENT_SIGNING_CONTEXT, AssetKind, Envelope, UnitRef

Serve = Callable[[Path, Callable[[Request], Answer]], TlsServer]
AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
# No file of a desktop among those that there are.
HOST = RecordedHost(host_name="PC-0417", moment=AT, files={"/etc/hostname": b"PC-0417\n"})


class Collector:
    """Hands out its CA, and grants whatever carries the code XA-1234."""

    def __init__(self, ca_pem: bytes) -> None:
        self.ca_pem = ca_pem
        self.device_id: str | None = None

    def __call__(self, request: Request) -> Answer:
        if request.path == "/api/v1/ca":
            return 200, {}, self.ca_pem
        envelope = Envelope.from_bytes(request.body)
        wire = json.loads(envelope.body)
        VerifyKey(base64.b64decode(wire["public_key"])).verify(
            ENROLMENT_SIGNING_CONTEXT + envelope.body, base64.b64decode(envelope.signature)
        )
        if wire["code"] != "XA-1234":
            told = {
                "code": "ATTT-203",
                "message": {"vi": "Mã ghi danh sai.", "en": "Wrong code."},
                "permanent": True,
            }
            return 403, {}, json.dumps(told).encode()
        grant = {
            "device_id": self.device_id or envelope.device_id,
            "unit": {"code": "87.30133", "name": "UBND xã Phú Tân"},
            "collector_time": AT.isoformat(),
            "simulated": False,
        }
        return 201, {}, json.dumps(grant).encode()


@pytest.fixture
def collector(authority: Authority) -> Collector:
    return Collector(authority.pem)


@pytest.fixture
def server(serve: Serve, server_certificate: Path, collector: Collector) -> TlsServer:
    return serve(server_certificate, collector)


def test_it_works(state: StateFolder, server: TlsServer, authority: Authority) -> None:
    done = enrol(state, HOST, server=server.url, code=" XA-1234\n", ca_sha256=authority.sha256)
    assert done.grant.unit == UnitRef("87.30133", "UBND xã Phú Tân")
    assert (done.kind, done.name, done.clock_offset_seconds) == (AssetKind.SERVER, "PC-0417", 0.0)
    assert done.grant.device_id == DeviceKey.load(state.key).device_id
    assert settings.load(state) == Settings(
        server=server.url, unit=done.grant.unit, kind=AssetKind.SERVER
    )
    assert state.ca.read_bytes().split() == authority.pem.split()
    assert {"agent.ini", "ca.pem", "device.key", "lock"} == {p.name for p in state.path.iterdir()}


def test_it_takes_the_ca_from_a_file(
    state: StateFolder, server: TlsServer, authority: Authority
) -> None:
    enrol(
        state,
        HOST,
        server=server.url,
        code="XA-1234",
        ca_file=authority.path,
        kind=AssetKind.PC,
        name="Máy văn thư",
    )
    assert [request.path for request in server.requests] == ["/api/v1/enrolments"]
    asset = json.loads(Envelope.from_bytes(server.requests[0].body).body)["asset"]
    assert (asset["kind"], asset["name"]) == ("pc", "Máy văn thư")
    assert settings.load(state).kind is AssetKind.PC


def test_a_machine_of_unknown_kind_is_asked_about_before_anything_is_sent(
    state: StateFolder, server: TlsServer, authority: Authority
) -> None:
    windows = RecordedHost(host_name="PC-0417", moment=AT, platform="windows")
    with pytest.raises(SnapshotError) as caught:
        enrol(state, windows, server=server.url, code="XA-1234", ca_sha256=authority.sha256)
    assert caught.value.code == "ATTT-312"
    assert "--kind pc" in caught.value.remedy.vi
    assert "--kind server" in caught.value.remedy.en
    assert server.requests == []
    assert not state.key.exists()
    done = enrol(
        state,
        windows,
        server=server.url,
        code="XA-1234",
        ca_sha256=authority.sha256,
        kind=AssetKind.PC,
    )
    assert done.kind is AssetKind.PC


def test_the_same_call_again_uses_the_same_key(
    state: StateFolder, server: TlsServer, authority: Authority
) -> None:
    first = enrol(state, HOST, server=server.url, code="XA-1234", ca_file=authority.path)
    again = enrol(state, HOST, server=server.url, code="XA-1234", ca_file=authority.path)
    assert first.grant.device_id == again.grant.device_id


def test_a_refusal_leaves_an_earlier_enrolment_alone(
    state: StateFolder, server: TlsServer, authority: Authority
) -> None:
    enrol(state, HOST, server=server.url, code="XA-1234", ca_file=authority.path, name="cũ")
    files = {p.name: p.read_bytes() for p in (state.settings, state.ca, state.key)}
    with pytest.raises(RefusedError) as caught:
        enrol(state, HOST, server=server.url, code="sai", ca_file=authority.path, name="mới")
    assert caught.value.code == "ATTT-203"
    assert {p.name: p.read_bytes() for p in (state.settings, state.ca, state.key)} == files


def test_a_wrong_fingerprint_sends_no_code(
    state: StateFolder, server: TlsServer, other_authority: Authority
) -> None:
    with pytest.raises(TransportError, match="ATTT-276"):
        enrol(state, HOST, server=server.url, code="XA-1234", ca_sha256=other_authority.sha256)
    assert [request.path for request in server.requests] == ["/api/v1/ca"]
    assert not state.key.exists()


def test_a_server_that_only_shows_the_ca_gets_no_code(
    serve: Serve, state: StateFolder, authority: Authority, other_authority: Authority
) -> None:
    # Someone in between hands out the right CA certificate (it is public) but has no key of it.
    between = serve(other_authority.issue(["127.0.0.1"]), Collector(authority.pem))
    with pytest.raises(TransportError, match="ATTT-271"):
        enrol(state, HOST, server=between.url, code="XA-1234", ca_sha256=authority.sha256)
    assert [request.path for request in between.requests] == ["/api/v1/ca"]


def test_it_refuses_an_answer_for_another_device(
    state: StateFolder, server: TlsServer, authority: Authority, collector: Collector
) -> None:
    collector.device_id = "b" * 26
    with pytest.raises(EnrolmentError, match="ATTT-280"):
        enrol(state, HOST, server=server.url, code="XA-1234", ca_file=authority.path)
    assert settings.load(state) == Settings()


@pytest.mark.parametrize("code", ["", " ", "x" * 65])
def test_it_refuses_what_cannot_be_a_code(
    state: StateFolder, server: TlsServer, authority: Authority, code: str
) -> None:
    with pytest.raises(EnrolmentError, match="ATTT-281"):
        enrol(state, HOST, server=server.url, code=code, ca_file=authority.path)
    assert server.requests == []


def test_it_names_the_ca_file_that_is_missing(state: StateFolder, tmp_path: Path) -> None:
    with pytest.raises(EnrolmentError) as caught:
        enrol(
            state, HOST, server="https://127.0.0.1:1", code="XA-1234", ca_file=tmp_path / "no.pem"
        )
    assert caught.value.code == "ATTT-277"
    assert "no.pem" in caught.value.message.vi
