"""The collector's answers of every released version, read by the agent from a real TLS server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.agent.conftest import (  # fixtures and server shared with the agent's own tests
    Authority,
    TlsServer,
    authority,
    serve,
    server_certificate,
)

from attt_agent.transport import CollectorClient, RefusedError
from attt_rules.contract import Envelope, UnitRef, parse_time
from attt_rules.errors import AtttError

__all__ = ["authority", "serve", "server_certificate"]
GOLDEN = Path(__file__).parent / "golden"


def answers(kind: str) -> list[Any]:
    found = []
    for path in sorted(GOLDEN.glob("*.json")):
        sample = json.loads(path.read_text("utf-8"))
        if sample["kind"] == kind:
            found.append(pytest.param(sample["wire"], id=path.stem))
    assert found, kind
    return found


def client_of(
    serve: Any, certificate: Path, authority: Authority, status: int, wire: object
) -> CollectorClient:
    body = json.dumps(wire).encode()
    server: TlsServer = serve(certificate, lambda _: (status, {}, body))
    return CollectorClient(server.url, authority.path)


@pytest.mark.parametrize("wire", answers("receipt"))
def test_it_works(
    wire: dict[str, Any], serve: Any, server_certificate: Path, authority: Authority
) -> None:
    with client_of(serve, server_certificate, authority, 202, wire) as client:
        receipt = client.send_snapshot(b"", wire["snapshot_id"])
    assert receipt.received_at == parse_time(wire["received_at"])


@pytest.mark.parametrize("wire", answers("enrolment-grant"))
def test_a_grant_is_read(
    wire: dict[str, Any], serve: Any, server_certificate: Path, authority: Authority
) -> None:
    with client_of(serve, server_certificate, authority, 201, wire) as client:
        grant = client.enrol(Envelope("a", "b", b"{}"))
    assert grant.unit == UnitRef(**wire["unit"])
    assert wire == grant.to_wire()


@pytest.mark.parametrize("wire", answers("refusal"))
def test_a_refusal_is_read(
    wire: dict[str, Any], serve: Any, server_certificate: Path, authority: Authority
) -> None:
    with (
        client_of(serve, server_certificate, authority, 403, wire) as client,
        pytest.raises(AtttError) as caught,
    ):
        client.enrol(Envelope("a", "b", b"{}"))
    error = caught.value
    assert isinstance(error, RefusedError)
    assert (wire["code"], wire["permanent"]) == (error.code, error.permanent)
    assert wire["message"] == {"vi": error.message.vi, "en": error.message.en}
