"""Every sample that was ever on the wire still parses, and means the same."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from pydantic import TypeAdapter

from attt_rules.contract import (
    EnrolmentRequest,
    Envelope,
    Fact,
    Snapshot,
    Unreadable,
    device_id_of,
)

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(GOLDEN.glob("*.json"))}
KINDS = {
    "snapshot",
    "snapshot-newer",
    "envelope",
    "enrolment-request",
    "enrolment-grant",
    "receipt",
    "refusal",
}


def samples(kind: str) -> list[Any]:
    found = [
        pytest.param(sample["wire"], id=name)
        for name, sample in SAMPLES.items()
        if sample["kind"] == kind
    ]
    assert found, kind
    return found


def as_sent(wire: object) -> bytes:
    return json.dumps(wire, ensure_ascii=False).encode("utf-8")


def test_it_works() -> None:
    assert {sample["kind"] for sample in SAMPLES.values()} == KINDS
    assert "v1-snapshot-pc" in SAMPLES


@pytest.mark.parametrize("wire", samples("snapshot"))
def test_a_snapshot_comes_back_as_it_was_sent(wire: dict[str, Any]) -> None:
    snapshot = TypeAdapter(Snapshot).validate_json(as_sent(wire), strict=True)
    assert wire == json.loads(snapshot.to_json())
    assert tuple(Fact.from_wire(fact) for fact in wire["facts"]) == snapshot.facts


def test_the_samples_hold_every_type_and_every_reason() -> None:
    wire = SAMPLES["v1-snapshot-pc"]["wire"]
    facts = TypeAdapter(Snapshot).validate_json(as_sent(wire), strict=True).facts
    types = {type(fact.value).__name__ for fact in facts}
    assert types == {"NoneType", "bool", "datetime", "float", "int", "str", "tuple"}
    assert set(Unreadable) == {fact.unreadable for fact in facts} - {None}


@pytest.mark.parametrize("wire", samples("snapshot-newer"))
def test_what_a_later_version_adds_does_no_harm(wire: dict[str, Any]) -> None:
    snapshot = TypeAdapter(Snapshot).validate_json(as_sent(wire), strict=True)
    assert [fact["key"] for fact in wire["facts"]] == [fact.key for fact in snapshot.facts]


@pytest.mark.parametrize("wire", samples("envelope"))
def test_an_envelope_opens_and_its_signature_holds(wire: dict[str, str]) -> None:
    raw = wire["bytes"].encode("utf-8")
    envelope = Envelope.from_bytes(raw)
    assert envelope.to_bytes() == raw
    public_key = base64.b64decode(wire["public_key"])
    assert device_id_of(public_key) == envelope.device_id
    signature = base64.b64decode(envelope.signature)
    VerifyKey(public_key).verify(wire["context"].encode() + envelope.body, signature)
    with pytest.raises(BadSignatureError):
        VerifyKey(public_key).verify(envelope.body, signature)


@pytest.mark.parametrize("wire", samples("enrolment-request"))
def test_an_enrolment_request_comes_back_as_it_was_sent(wire: dict[str, Any]) -> None:
    request = TypeAdapter(EnrolmentRequest).validate_json(as_sent(wire), strict=True)
    assert wire == json.loads(request.to_json())
