"""Takes in snapshots: verify, validate, judge, and keep, or say exactly why not.

Everything that costs time (signature, validation, rules) happens before the writer is asked; the
writer's transaction holds the evidence, the findings and the asset's last contact together.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from attt_collector import trust
from attt_collector.judge import refusals
from attt_collector.judge.evaluate import Standing, standing_of
from attt_collector.records import VIETNAM_TIME, Asset, StoredSnapshot
from attt_collector.store import assets, findings, snapshots
from attt_collector.store.db import Store
from attt_collector.store.errors import asset_retired
from attt_rules.contract import (
    MAX_BODY_BYTES,
    SNAPSHOT_SIGNING_CONTEXT,
    Envelope,
    Finding,
    Snapshot,
    Status,
)
from attt_rules.engine import Engine, FactSet
from attt_rules.pack import Pack, for_date

# Frozen at import: building the validator takes a hundred times longer than one snapshot.
_snapshots = TypeAdapter(Snapshot)
_GZIP = 31  # zlib's number for "a gzip header and nothing else"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is answered. `is_new` is False when the same snapshot had been stored before."""

    snapshot_id: str
    received_at: datetime
    device_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Accepted:
    asset: Asset
    snapshot: Snapshot
    received_at: datetime
    sha256: str
    evidence: bytes
    pack_id: str
    findings: tuple[Finding, ...]

    def store(self, conn: Connection) -> Receipt:
        appended = snapshots.append(
            conn,
            self.asset,
            self.snapshot,
            received_at=self.received_at,
            sha256=self.sha256,
            evidence=self.evidence,
        )
        if appended.is_new:
            assets.seen(
                conn,
                self.asset.id,
                received_at=self.received_at,
                taken_at=self.snapshot.taken_at,
                name=self.snapshot.asset.name,
            )
        if appended.is_newest:  # what a spool delivers late is evidence, not the present state
            findings.record(conn, self.asset.id, self.pack_id, self.findings, self.received_at)
        return Receipt(
            self.snapshot.snapshot_id,
            appended.stored.received_at,
            self.asset.device_id,
            appended.is_new,
        )


def unpack(compressed: bytes) -> bytes:
    """The envelope inside a gzip body; stops at the limit, so that a bomb cannot fill the memory.

    Raises:
        AtttError: ATTT-210 not gzip, 211 more than MAX_BODY_BYTES, 212 cut short.
    """
    stream = zlib.decompressobj(_GZIP)
    try:
        raw = stream.decompress(compressed, MAX_BODY_BYTES + 1)
    except zlib.error:
        raise refusals.not_gzip() from None
    if len(raw) > MAX_BODY_BYTES:
        raise refusals.too_large()
    if not stream.eof:
        raise refusals.truncated()
    if stream.unused_data:
        raise refusals.not_gzip()
    return raw


def receive(
    store: Store, raw: bytes, received_at: datetime, *, compressed: bytes | None = None
) -> Receipt:
    """Take in one envelope and return once it is on the disk.

    Args:
        raw: Envelope bytes, decompressed.
        compressed: the gzip body as it came; made here when the envelope came without one.

    Raises:
        AtttError: one of judge/refusals.py, or StoreBusy, StoreFailed.
    """
    return store.write(accept(store, raw, received_at, compressed=compressed))


def accept(
    store: Store, raw: bytes, received_at: datetime, *, compressed: bytes | None = None
) -> Callable[[Connection], Receipt]:
    """Everything of `receive` but the writing: what it returns is for Store.write or write_async.

    Raises:
        AtttError: one of judge/refusals.py.
    """
    if len(raw) > MAX_BODY_BYTES:
        raise refusals.too_large()
    envelope = open_envelope(raw)
    with store.read() as conn:
        asset = assets.by_device_id(conn, envelope.device_id)
    if asset is None or asset.public_key is None:
        raise refusals.unknown_device(envelope.device_id)
    if asset.retired_at is not None:
        raise asset_retired(asset.name, asset.retired_at)
    signed = SNAPSHOT_SIGNING_CONTEXT + envelope.body
    if not trust.signature_is_valid(asset.public_key, envelope.signature, signed):
        raise refusals.bad_signature(asset.name)
    snapshot = _validated(envelope.body, asset.name)
    if snapshot.asset.device_id != envelope.device_id:
        raise refusals.other_device(asset.name, snapshot.asset.device_id)
    evidence = compressed if compressed is not None else gzip.compress(raw, mtime=0)
    return _judged(
        store, asset, snapshot, body=envelope.body, evidence=evidence, received_at=received_at
    )


def receive_polled(
    store: Store, asset: Asset, snapshot: Snapshot, received_at: datetime
) -> Receipt:
    """Take in a snapshot that the collector took itself (SNMP), so nobody had to sign it.

    Raises:
        ValueError: the asset signs for itself, or the snapshot is of another one.
        AtttError: ATTT-218, 205, 220, or StoreBusy, StoreFailed.
    """
    if asset.public_key is not None or snapshot.asset.device_id != asset.device_id:
        raise ValueError(f"not a snapshot that this collector may take: {asset.device_id}")
    if asset.retired_at is not None:
        raise asset_retired(asset.name, asset.retired_at)
    body = snapshot.to_json()
    evidence = gzip.compress(Envelope(asset.device_id, "", body).to_bytes(), mtime=0)
    return store.write(
        _judged(store, asset, snapshot, body=body, evidence=evidence, received_at=received_at)
    )


def open_envelope(raw: bytes) -> Envelope:
    """The parts of an envelope; nothing in them is believed yet.

    Raises:
        AtttError: ATTT-212 cut short, 213 not an envelope, 214 unsigned.
    """
    try:
        envelope = Envelope.from_bytes(raw)
    except (ValueError, RecursionError):
        raise _unreadable_envelope(raw) from None
    if not envelope.signature:
        raise refusals.unsigned()
    return envelope


def _unreadable_envelope(raw: bytes) -> refusals.Refused:
    header_line, newline, body = raw.partition(b"\n")
    try:
        header = json.loads(header_line[:4096])
    except (ValueError, RecursionError):
        # An envelope that lost its end inside the header is not JSON any more.
        cut = header_line.startswith(b'{"attt"') and not newline
        return refusals.truncated() if cut else refusals.not_an_envelope()
    if not isinstance(header, dict) or header.get("attt") != 1:
        return refusals.not_an_envelope()
    if not newline or not body.strip():
        return refusals.truncated()
    return refusals.unsigned()


def _validated(body: bytes, name: str) -> Snapshot:
    try:
        snapshot = _snapshots.validate_json(body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise refusals.contract_broken(
            name, _place(first["loc"], body), first["msg"], error.error_count()
        ) from None
    # Facts are read back from the evidence by another parser than the one that let them in. What
    # the two do not read alike would be stored and then stop every later judgement of the unit.
    try:
        alike = snapshots.facts_of(body) == snapshot.facts
    except (ValueError, KeyError, TypeError):
        alike = False
    if not alike:
        raise refusals.contract_broken(name, "facts", "not in the contract's own form", 1)
    return snapshot


def _place(location: tuple[int | str, ...], body: bytes) -> str:
    """Where a snapshot breaks the contract, with the fact's key: `facts[3] link.up`."""
    if len(location) < 2 or location[0] != "facts" or not isinstance(location[1], int):
        return ".".join(str(part) for part in location) or "snapshot"
    fact = json.loads(body)["facts"][location[1]]
    named: Mapping[str, Any] = fact if isinstance(fact, dict) else {}
    words = [f"facts[{location[1]}]", str(named.get("key", ""))[:128], str(named.get("item", ""))]
    return " ".join(word for word in words if word)[:400]


def _judged(
    store: Store,
    asset: Asset,
    snapshot: Snapshot,
    *,
    body: bytes,
    evidence: bytes,
    received_at: datetime,
) -> Callable[[Connection], Receipt]:
    if snapshot.simulated != store.simulated:
        raise refusals.simulated_mixed(asset.name, snapshot_is_simulated=snapshot.simulated)
    sha256 = hashlib.sha256(body).hexdigest()
    pack, engine = _engine_for(received_at.astimezone(VIETNAM_TIME).date())
    judged = engine.evaluate(asset.kind, FactSet(snapshot.facts), received_at)
    stored = StoredSnapshot(
        0, asset.id, snapshot.snapshot_id, snapshot.taken_at, received_at, sha256
    )
    if standing_of(asset, stored, received_at) is not Standing.FRESH:
        judged = tuple(replace(finding, status=Status.UNKNOWN) for finding in judged)
    return _Accepted(asset, snapshot, received_at, sha256, evidence, pack.id, judged).store


@lru_cache(maxsize=4)
def _engine_for(day: date) -> tuple[Pack, Engine]:
    pack = for_date(day)
    return pack, Engine(pack)
