"""Findings (kết quả kiểm tra) as state intervals: a row is written only when a status changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, insert, select, update

from attt_collector.records import FindingState
from attt_collector.store.schema import finding as _finding
from attt_rules.contract import Finding, Status

_CHUNK = 500  # bound parameters in one statement


@dataclass(frozen=True, slots=True)
class FindingInterval:
    """What a rule said of an asset during [since, until); until is None while it still says so."""

    rule_id: str
    status: Status
    since: datetime
    until: datetime | None


def record(
    conn: Connection, asset_id: int, pack_id: str, findings: Sequence[Finding], at: datetime
) -> int:
    """Make `findings` the state of an asset from `at` on; how many intervals began.

    A rule that no longer says anything of the asset (left out of the pack, say) ends, too: its last
    word must not stay in the counts. When `at` is not after the beginning of the current interval
    (the collector's clock was set back), that interval is corrected instead.
    """
    statement = select(_finding.c.rule_id, _finding.c.status, _finding.c.since).where(
        _finding.c.asset_id == asset_id, _finding.c.pack_id == pack_id, _finding.c.until.is_(None)
    )
    before = {row.rule_id: row for row in conn.execute(statement)}
    began = []
    for each in findings:
        old = before.pop(each.rule_id, None)
        if old is not None and old.status == each.status.value:
            continue
        if old is not None:
            this = and_(
                _finding.c.asset_id == asset_id,
                _finding.c.pack_id == pack_id,
                _finding.c.rule_id == each.rule_id,
                _finding.c.since == old.since,
            )
            if at <= old.since:
                conn.execute(update(_finding).where(this).values(status=each.status.value))
                continue
            conn.execute(update(_finding).where(this).values(until=at))
        began.append(
            {
                "asset_id": asset_id,
                "pack_id": pack_id,
                "rule_id": each.rule_id,
                "since": at,
                "status": each.status.value,
            }
        )
    if began:
        conn.execute(insert(_finding), began)
    if before:
        conn.execute(
            update(_finding)
            .where(
                _finding.c.asset_id == asset_id,
                _finding.c.pack_id == pack_id,
                _finding.c.rule_id.in_(list(before)),
                _finding.c.until.is_(None),
            )
            .values(until=at)
        )
    return len(began)


def current(
    conn: Connection, asset_ids: Iterable[int], pack_id: str
) -> dict[int, tuple[FindingState, ...]]:
    """What every rule of a pack says of each asset now; assets without findings are absent."""
    wanted = list(asset_ids)
    found: dict[int, list[FindingState]] = {}
    for start in range(0, len(wanted), _CHUNK):
        statement = (
            select(_finding)
            .where(
                _finding.c.asset_id.in_(wanted[start : start + _CHUNK]),
                _finding.c.pack_id == pack_id,
                _finding.c.until.is_(None),
            )
            .order_by(_finding.c.rule_id)
        )
        for row in conn.execute(statement):
            state = FindingState(row.asset_id, row.rule_id, Status(row.status), row.since)
            found.setdefault(row.asset_id, []).append(state)
    return {asset_id: tuple(states) for asset_id, states in found.items()}


def history(conn: Connection, asset_id: int, pack_id: str) -> tuple[FindingInterval, ...]:
    """All intervals of an asset, by rule id, then oldest first."""
    statement = (
        select(_finding)
        .where(_finding.c.asset_id == asset_id, _finding.c.pack_id == pack_id)
        .order_by(_finding.c.rule_id, _finding.c.since)
    )
    return tuple(
        FindingInterval(row.rule_id, Status(row.status), row.since, row.until)
        for row in conn.execute(statement)
    )
