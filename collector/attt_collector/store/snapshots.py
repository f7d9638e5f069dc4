"""Snapshots (bản chụp): append-only, the received bytes kept as evidence.

Facts are not stored a second time: they are read back out of the evidence, so that what is counted
and what can be shown to a reviewer are the same bytes.
"""

from __future__ import annotations

import gzip
import json
import logging
import zlib
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
# The agent gives up what it could not send for 30 days, so nothing honest arrives older than that.
_LONGEST_IN_SPOOL = timedelta(days=30) + _CLOCK_TOLERANCE
# One run of the agent: what it sends with one opening of its spool arrives within this.
_ONE_RUN = timedelta(hours=1)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Appended:
    """is_new: False when it had been stored before. is_newest: nothing later is known."""

    stored: StoredSnapshot
    is_new: bool
    is_newest: bool


def effective_time(taken_at: datetime, received_at: datetime, enrolled_at: datetime) -> datetime:
    """When the facts of a snapshot were true, as far as one snapshot alone can tell.

    The device's own time, because a snapshot may have waited for a week without network; but never
    later than its arrival (a clock in the future must not make it the newest for ever), nor before
    the device was enrolled, nor longer ago than a spool keeps anything (a PC with an empty clock
    battery takes its snapshots in 2010). Then it counts from its arrival.
    """
    earliest = max(enrolled_at - _CLOCK_TOLERANCE, received_at - _LONGEST_IN_SPOOL)
    return taken_at if earliest <= taken_at <= received_at else received_at


def _effective_after(
    newest: Row[datetime, datetime, datetime] | None,
    taken_at: datetime,
    received_at: datetime,
    enrolled_at: datetime,
) -> datetime:
    """The same, knowing the newest snapshot that the device has sent so far.

    An agent sends its oldest first, so a snapshot that says it is older than the newest one known
    comes from a clock that was set back, and counts from its arrival: otherwise the PC would keep
    its last good state until its clock has caught up. There is one honest exception: an agent
    whose first was answered "not enrolled" asks again with its newest and sends the others behind
    it. Such a newest one arrives fresh, and the others within the same run; they keep their own
    time. So a clock that is set back within the hour of a fresh snapshot is believed until the
    next run.
    """
    own = effective_time(taken_at, received_at, enrolled_at)
    if newest is None or own >= newest.effective_at:
        return own
    newest_was_fresh = abs(newest.received_at - newest.taken_at) <= _ONE_RUN
    same_run = received_at - newest.received_at <= _ONE_RUN
    return own if newest_was_fresh and same_run else received_at


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
    same = and_(_snapshot.c.asset_id == asset.id, _snapshot.c.snapshot_id == snapshot.snapshot_id)
    row = conn.execute(_without_evidence().where(same)).one_or_none()
    if row is not None:
        if row.sha256 != sha256:
            raise _conflict(asset, snapshot)
        return Appended(_record(row), is_new=False, is_newest=False)
    newest = conn.execute(
        select(_snapshot.c.taken_at, _snapshot.c.received_at, _snapshot.c.effective_at)
        .where(_snapshot.c.asset_id == asset.id)
        .order_by(_snapshot.c.effective_at.desc(), _snapshot.c.id.desc())
        .limit(1)
    ).one_or_none()
    effective_at = _effective_after(newest, snapshot.taken_at, received_at, asset.enrolled_at)
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
    is_newest = newest is None or newest.effective_at <= effective_at
    return Appended(stored, is_new=True, is_newest=is_newest)


def latest_facts(
    conn: Connection,
    asset_ids: Iterable[int],
    as_of: datetime,
    already: Mapping[int, tuple[Fact, ...]] | None = None,
) -> dict[int, tuple[StoredSnapshot, tuple[Fact, ...]]]:
    """The newest snapshot of each asset at `as_of`, with its facts; absent when there is none.

    Evidence that was damaged in the store has no facts, so every rule says unknown, and leaves a
    line in the log: neither an older snapshot nor the other assets may answer for it.

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
        blobs = {
            row.id: row.evidence
            for row in conn.execute(evidence_of.where(_snapshot.c.id.in_(unread)))
        }
        for each in stored:
            facts = already.get(each.id)
            if facts is None:
                facts = _readable_facts(each, blobs.pop(each.id))
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


# What unpacking and parsing raise at bytes that are not what was stored.
_DAMAGED = (
    OSError,
    EOFError,
    zlib.error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)


def _readable_facts(stored: StoredSnapshot, compressed: bytes) -> tuple[Fact, ...]:
    try:
        return facts_in(compressed)
    except _DAMAGED as error:
        _log.error(
            "event=evidence_damaged asset=%d snapshot=%r error=%r",
            stored.asset_id,
            stored.snapshot_id,
            str(error) or type(error).__name__,
        )
        return ()


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
