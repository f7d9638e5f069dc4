"""Whatever the contract can say survives the wire; whatever breaks it is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from attt_rules.contract import (
    AssetKind,
    AssetRef,
    EnrolmentRequest,
    Envelope,
    Fact,
    Snapshot,
    Text,
    Unreadable,
    ValueType,
    device_id_of,
    parse_time,
)

AT = datetime(2026, 11, 22, 8, 0, tzinfo=timezone(timedelta(hours=7)))
SNAPSHOTS = TypeAdapter(Snapshot)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
moments = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)
plain_values = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.lists(texts, max_size=5).map(tuple),
)
items = st.one_of(st.none(), texts)


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    number = draw(st.integers(0, 10**6))
    item = draw(items)
    if draw(st.booleans()):
        return Fact(f"a.b{number}", AT, draw(texts), value=draw(plain_values), item=item)
    if draw(st.booleans()):
        return Fact(f"a.b{number}_at", AT, draw(texts), value=draw(moments), item=item)
    reason = draw(st.sampled_from(Unreadable))
    return Fact(f"a.b{number}", AT, draw(texts), unreadable=reason, item=item)


def snapshot_of(*said: Fact) -> Snapshot:
    return Snapshot("id-1", AssetRef("a", AssetKind.PC, "PC-0417"), AT, "attt 0.1.0", said)


def wire_with(**changes: Any) -> bytes:
    wire = snapshot_of(Fact("a.b", AT, "x", value=1)).to_wire()
    wire.update(changes)
    return json.dumps(wire).encode()


def fact_with(**changes: Any) -> bytes:
    fact: dict[str, Any] = {"key": "a.b", "value": 1, "source": "x", "read_at": AT.isoformat()}
    fact.update(changes)
    return wire_with(facts=[{name: value for name, value in fact.items() if value is not ...}])


def test_it_works() -> None:
    snapshot = snapshot_of(Fact("a.b", AT, "x", value=True))
    (fact,) = SNAPSHOTS.validate_json(snapshot.to_json(), strict=True).facts
    assert fact.value is True  # not 1


@settings(max_examples=200, deadline=None)
@given(st.lists(facts(), max_size=6, unique_by=lambda fact: (fact.key, fact.item)))
def test_every_snapshot_survives_the_wire(said: list[Fact]) -> None:
    snapshot = snapshot_of(*said)
    read = SNAPSHOTS.validate_json(snapshot.to_json(), strict=True)
    assert [(f, type(f.value)) for f in said] == [(f, type(f.value)) for f in read.facts]
    assert snapshot == read
    assert tuple(Fact.from_wire(fact) for fact in snapshot.to_wire()["facts"]) == tuple(said)


@settings(max_examples=100, deadline=None)
@given(texts.filter(str.strip), st.binary(min_size=1).filter(bytes.strip))
def test_every_envelope_survives_the_wire(signature: str, body: bytes) -> None:
    envelope = Envelope("a" * 26, signature, body)
    assert envelope == Envelope.from_bytes(envelope.to_bytes())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"{}",
        b'{"attt":1,"device_id":"a","signature":"b"}',
        b'{"attt":1,"device_id":"a","signature":"b"}\n',
        b'{"attt":1,"device_id":"a","signature":"b"}\n  \n',
        b'{"attt":2,"device_id":"a","signature":"b"}\n{}',
        b'{"attt":1,"device_id":"a"}\n{}',
        b'{"attt":1,"device_id":7,"signature":"b"}\n{}',
        b'["attt"]\n{}',
        b"not json\n{}",
        b'{"attt":1,"device_id":"a","signature":"' + b"b" * 5000 + b'"}\n{}',
    ],
)
def test_what_is_no_envelope_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        Envelope.from_bytes(raw)


@pytest.mark.parametrize(
    "raw",
    [
        fact_with(key="Not.A.Key"),
        fact_with(key="single"),
        fact_with(value=...),
        fact_with(unreadable="timeout"),
        fact_with(value=..., unreadable="no_idea"),
        fact_with(source=...),
        fact_with(read_at="2026-11-22T08:00:00"),
        fact_with(key="a.b_at", value="yesterday"),
        fact_with(key="a.b_at", value=12),
        fact_with(value=["a", 3]),
        fact_with(value={"a": 1}),
        fact_with(value="x" * 5000),
        fact_with(value=["x"] * 5000),
        wire_with(contract=2),
        wire_with(snapshot_id=""),
        wire_with(snapshot_id="đ"),
        wire_with(taken_at="2026-11-22"),
        wire_with(asset={"device_id": "a", "kind": "toaster", "name": "x"}),
        wire_with(asset={"device_id": "", "kind": "pc", "name": "x"}),
        wire_with(asset={"device_id": "a", "kind": "pc", "name": "x" * 256}),
        wire_with(
            facts=[
                {"key": "a.b", "value": value, "source": "x", "read_at": AT.isoformat()}
                for value in (1, 2)
            ]
        ),
    ],
)
def test_what_breaks_the_contract_is_refused(raw: bytes) -> None:
    with pytest.raises(ValidationError):
        SNAPSHOTS.validate_json(raw, strict=True)


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        (ValueType.BOOL, True, True),
        (ValueType.BOOL, 1, False),
        (ValueType.INT, True, False),
        (ValueType.INT, 1, True),
        (ValueType.FLOAT, 1, True),
        (ValueType.FLOAT, False, False),
        (ValueType.STRING, "", True),
        (ValueType.STRINGS, "a", False),
        (ValueType.STRINGS, (), True),
        (ValueType.DATETIME, AT, True),
        (ValueType.DATETIME, AT.isoformat(), False),
    ],
)
def test_a_type_knows_its_values(kind: ValueType, value: Any, fits: bool) -> None:
    assert fits == kind.accepts(value)


def test_a_time_needs_its_zone() -> None:
    assert parse_time("2026-11-22T01:00:00Z") == AT == parse_time(AT.isoformat())
    with pytest.raises(ValueError, match="time zone"):
        parse_time("2026-11-22T08:00:00")


@pytest.mark.parametrize("key", ["", "QUJD", "not base64!", "A" * 44])
def test_an_enrolment_needs_a_real_key(key: str) -> None:
    with pytest.raises(ValueError):
        EnrolmentRequest("code", key, AssetRef("a", AssetKind.PC, "x"), AT)


def test_a_device_id_is_that_of_its_key() -> None:
    assert device_id_of(bytes(32)) == device_id_of(bytes(32))
    assert len({device_id_of(bytes([n]) * 32) for n in range(50)}) == 50
    assert len(device_id_of(bytes(32))) == 26


def test_no_text_in_one_language_only() -> None:
    with pytest.raises(ValueError, match="both"):
        Text(vi="Đạt", en=" ")
