"""Snapshots (bản chụp): append-only, the received bytes kept as evidence.

Facts are not stored a second time: they are read back out of the evidence, so that what is counted
and what can be shown to a reviewer are the same bytes.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, and_, insert, select
from sqlalchemy.sql import Select

from attt_collector.records import Asset, StoredSnapshot
from attt_collector.store.schema import asset as _asset
from attt_collector.store.schema import snapshot as _snapshot
from attt_rules.contract import Envelope, Fact, Snapshot, Text
from attt_rules.errors import AtttError

_CHUNK = 500  # bound parameters in one statement
_CLOCK_TOLERANCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Appended:
    """is_new: False when it had been stored before. is_newest: nothing later is known."""

    stored: StoredSnapshot
    is_new: bool
    is_newest: bool


def effective_time(taken_at: datetime, received_at: datetime, enrolled_at: datetime) -> datetime:
    """When the facts of a snapshot were true, as far as clocks can be believed.

    The device's own time, because a snapshot may have waited for a week without network; but never
    later than its arrival (a clock in the future must not make it the newest for ever), and not
    before the device was enrolled (a PC with an empty clock battery takes its snapshots in 2010,
    and would otherwise stay with its last good state).
    """
    if taken_at > received_at or taken_at < enrolled_at - _CLOCK_TOLERANCE:
        return received_at
    return taken_at


def append(
    conn: Connection,
    asset: Asset,
    snapshot: Snapshot,
    *,
    received_at: datetime,
    sha256: str,
    evidence: bytes,
) -> Appended:
    """Keep a snapshot, once.

    Args:
        sha256: hex, of the signed bytes (Envelope.body).
        evidence: the whole envelope, gzip-compressed.

    Raises:
        AtttError: ATTT-220, other bytes are stored under the same snapshot_id.
    """
    effective_at = effective_time(snapshot.taken_at, received_at, asset.enrolled_at)
    same = and_(_snapshot.c.asset_id == asset.id, _snapshot.c.snapshot_id == snapshot.snapshot_id)
    row = conn.execute(_without_evidence().where(same)).one_or_none()
    if row is not None:
        if row.sha256 != sha256:
            raise _conflict(asset, snapshot)
        return Appended(_record(row), is_new=False, is_newest=False)
    newest = conn.execute(
        select(_snapshot.c.effective_at)
        .where(_snapshot.c.asset_id == asset.id)
        .order_by(_snapshot.c.effective_at.desc())
        .limit(1)
    ).scalar()
    key = conn.execute(
        insert(_snapshot)
        .values(
            asset_id=asset.id,
            snapshot_id=snapshot.snapshot_id,
            taken_at=snapshot.taken_at,
            received_at=received_at,
            effective_at=effective_at,
            sha256=sha256,
            evidence=evidence,
        )
        .returning(_snapshot.c.id)
    ).scalar_one()
    stored = StoredSnapshot(
        key, asset.id, snapshot.snapshot_id, snapshot.taken_at, received_at, sha256
    )
    return Appended(stored, is_new=True, is_newest=newest is None or newest <= effective_at)


def latest_facts(
    conn: Connection,
    asset_ids: Iterable[int],
    as_of: datetime,
    already: Mapping[int, tuple[Fact, ...]] | None = None,
) -> dict[int, tuple[StoredSnapshot, tuple[Fact, ...]]]:
    """The newest snapshot of each asset at `as_of`, with its facts; absent when there is none.

    Args:
        already: StoredSnapshot.id -> facts that the caller still has; evidence never changes, so
            they are not read a second time.
    """
    already = already or {}
    known = _snapshot.alias("known")
    newest = (
        select(known.c.id)
        .where(known.c.asset_id == _asset.c.id, known.c.effective_at <= as_of)
        .order_by(known.c.effective_at.desc(), known.c.id.desc())
        .limit(1)
        .correlate(_asset)
        .scalar_subquery()
    )
    wanted = list(asset_ids)
    found: dict[int, tuple[StoredSnapshot, tuple[Fact, ...]]] = {}
    for start in range(0, len(wanted), _CHUNK):
        statement = (
            _without_evidence()
            .select_from(_asset.join(_snapshot, _snapshot.c.id == newest))
            .where(_asset.c.id.in_(wanted[start : start + _CHUNK]))
        )
        stored = [_record(row) for row in conn.execute(statement)]
        unread = [each.id for each in stored if each.id not in already]
        evidence_of = select(_snapshot.c.id, _snapshot.c.evidence)
        read = {
            row.id: facts_in(row.evidence)
            for row in conn.execute(evidence_of.where(_snapshot.c.id.in_(unread)))
        }
        for each in stored:
            facts = already[each.id] if each.id in already else read[each.id]
            found[each.asset_id] = (each, facts)
    return found


def history(conn: Connection, asset_id: int, *, limit: int = 50) -> tuple[StoredSnapshot, ...]:
    """The last snapshots of an asset, newest first."""
    statement = (
        _without_evidence()
        .where(_snapshot.c.asset_id == asset_id)
        .order_by(_snapshot.c.effective_at.desc(), _snapshot.c.id.desc())
        .limit(limit)
    )
    return tuple(_record(row) for row in conn.execute(statement))


def evidence(conn: Connection, stored_id: int) -> bytes:
    """The envelope of a stored snapshot as it was sent, decompressed."""
    statement = select(_snapshot.c.evidence).where(_snapshot.c.id == stored_id)
    return gzip.decompress(conn.execute(statement).scalar_one())


def facts_in(compressed: bytes) -> tuple[Fact, ...]:
    """The facts inside stored evidence."""
    return facts_of(Envelope.from_bytes(gzip.decompress(compressed)).body)


def facts_of(body: bytes) -> tuple[Fact, ...]:
    """The facts inside the signed bytes of a snapshot."""
    return tuple(Fact.from_wire(fact) for fact in json.loads(body)["facts"])


def _without_evidence() -> Select[tuple[object, ...]]:
    return select(*(column for column in _snapshot.c if column.name != "evidence"))


def _record(row: Row[tuple[object, ...]]) -> StoredSnapshot:
    return StoredSnapshot(
        row.id, row.asset_id, row.snapshot_id, row.taken_at, row.received_at, row.sha256
    )


def _conflict(asset: Asset, snapshot: Snapshot) -> AtttError:
    return AtttError(
        "ATTT-220",
        Text(
            vi=f"Máy {asset.name}: bản chụp {snapshot.snapshot_id} đã được lưu với nội dung khác.",
            en=f"{asset.name}: snapshot {snapshot.snapshot_id} is stored already, "
            "with other content.",
        ),
        Text(
            vi="chạy lại «attt run» để có bản chụp mới; nếu còn lặp lại, có thể hai máy dùng chung "
            "một khóa: ghi danh lại từng máy.",
            en='Run "attt run" for a new snapshot; if this comes back, two machines may share one '
            "key: enrol each of them again.",
        ),
    )
