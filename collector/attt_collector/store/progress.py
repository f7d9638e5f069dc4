"""How far the store has come: tells what keeps a computed result whether it still holds."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from attt_collector.store.schema import asset, attestation, snapshot, unit

_NEWEST = select(
    *(
        select(func.max(table.c.id)).scalar_subquery()
        for table in (unit, asset, attestation, snapshot)
    )
)


def mark(conn: Connection) -> tuple[int, ...]:
    """The newest unit, asset, attestation and snapshot; grows with each that is added.

    What changes in place (a unit renamed, an asset retired) does not move it: whoever keeps a
    result needs a limit in time as well.
    """
    return tuple(newest or 0 for newest in conn.execute(_NEWEST).one())
