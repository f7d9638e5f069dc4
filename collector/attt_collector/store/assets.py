"""Assets (tài sản): devices that enrolled, devices that the collector polls, and sites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, Row, insert, or_, select, update

from attt_collector.records import Asset, Unit
from attt_collector.store.schema import asset as _asset
from attt_rules.contract import AssetKind

_CHUNK = 500  # bound parameters in one statement


def enrol(
    conn: Connection,
    *,
    device_id: str,
    unit_id: int,
    kind: AssetKind,
    name: str,
    public_key: bytes | None,
    at: datetime,
) -> Asset:
    """A new asset. `public_key`: 32 bytes of Ed25519, None when it does not sign (polled, site).

    Raises:
        sqlalchemy.exc.IntegrityError: the device_id is taken or the unit does not exist.
    """
    statement = insert(_asset).values(
        device_id=device_id,
        unit_id=unit_id,
        kind=kind.value,
        name=name,
        public_key=public_key,
        enrolled_at=at,
    )
    key = conn.execute(statement.returning(_asset.c.id)).scalar_one()
    return Asset(key, device_id, unit_id, kind, name, public_key, at, None, None, None, None)


def ensure_site(conn: Connection, unit: Unit, at: datetime) -> Asset:
    """The site of a unit as a row of its own, so that its findings have a history."""
    device_id = site_device_id(unit)
    found = by_device_id(conn, device_id)
    if found is not None:
        return found
    return enrol(
        conn,
        device_id=device_id,
        unit_id=unit.id,
        kind=AssetKind.SITE,
        name=unit.name,
        public_key=None,
        at=at,
    )


def site_device_id(unit: Unit) -> str:
    """The device_id under which `ensure_site` keeps the site of a unit."""
    return f"site:{unit.id}"


def by_device_id(conn: Connection, device_id: str) -> Asset | None:
    row = conn.execute(select(_asset).where(_asset.c.device_id == device_id)).one_or_none()
    return None if row is None else _record(row)


def by_id(conn: Connection, asset_id: int) -> Asset:
    """The asset with this id, which must exist."""
    return _record(conn.execute(select(_asset).where(_asset.c.id == asset_id)).one())


def in_units(conn: Connection, unit_ids: Iterable[int], as_of: datetime) -> tuple[Asset, ...]:
    """The assets of these units that were enrolled and not yet retired at `as_of`, by id."""
    wanted = list(unit_ids)
    found: list[Asset] = []
    for start in range(0, len(wanted), _CHUNK):
        statement = select(_asset).where(
            _asset.c.unit_id.in_(wanted[start : start + _CHUNK]),
            _asset.c.enrolled_at <= as_of,
            or_(_asset.c.retired_at.is_(None), _asset.c.retired_at > as_of),
        )
        found.extend(_record(row) for row in conn.execute(statement))
    return tuple(sorted(found, key=lambda each: each.id))


def seen(
    conn: Connection, asset_id: int, *, received_at: datetime, taken_at: datetime, name: str
) -> None:
    """Note contact. The skew is taken_at minus received_at; negative also means "it waited in the
    spool", so only a positive one is certainly the device's clock.
    """
    conn.execute(
        update(_asset)
        .where(
            _asset.c.id == asset_id,
            or_(_asset.c.last_received_at.is_(None), _asset.c.last_received_at <= received_at),
        )
        .values(
            last_received_at=received_at,
            last_taken_at=taken_at,
            clock_skew_seconds=(taken_at - received_at).total_seconds(),
            name=name,
        )
    )


def retire(conn: Connection, asset_id: int, at: datetime) -> None:
    """Take an asset out of every count from `at` on; its history stays."""
    conn.execute(update(_asset).where(_asset.c.id == asset_id).values(retired_at=at))


def move(conn: Connection, asset_id: int, unit_id: int) -> None:
    """Put an asset into another unit; its key, its snapshots and its findings stay its own.

    Only the present unit is kept, so a past day that is judged again counts it there, too.

    Raises:
        sqlalchemy.exc.IntegrityError: the unit does not exist.
    """
    conn.execute(update(_asset).where(_asset.c.id == asset_id).values(unit_id=unit_id))


def sharing_a_name(assets: Iterable[Asset]) -> tuple[Asset, ...]:
    """Those that have a name in common with another of the same unit, in the order given.

    Often one machine that was enrolled again after its disk was wiped: it counts twice until the
    old record is retired. Upper and lower case are one, as in host names.
    """
    devices = [each for each in assets if each.kind is not AssetKind.SITE]
    counts = Counter(_unit_and_name(each) for each in devices)
    return tuple(each for each in devices if counts[_unit_and_name(each)] > 1)


def _unit_and_name(asset: Asset) -> tuple[int, str]:
    return asset.unit_id, asset.name.strip().casefold()


def _record(row: Row[tuple[object, ...]]) -> Asset:
    return Asset(
        row.id,
        row.device_id,
        row.unit_id,
        AssetKind(row.kind),
        row.name,
        row.public_key,
        row.enrolled_at,
        row.last_received_at,
        row.last_taken_at,
        row.clock_skew_seconds,
        row.retired_at,
    )
