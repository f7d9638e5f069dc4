"""Enrolment codes (mã ghi danh): one unit, n uses, an end; only a hash of the code is kept."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from attt_collector import trust
from attt_collector.records import VIETNAM_TIME, Asset, Unit
from attt_collector.store import assets, units
from attt_collector.store.errors import asset_retired
from attt_collector.store.schema import enrolment_code as _code
from attt_collector.store.schema import enrolment_use as _use
from attt_rules.contract import AssetRef, Text
from attt_rules.errors import AtttError

DEFAULT_LIFETIME = timedelta(days=7)
_KEPT_AFTER_END = timedelta(days=90)  # so that "expired" can still be told from "wrong"


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """A code as stored; the code itself was printed once and is not known any more."""

    id: int
    unit_id: int
    uses_allowed: int
    uses: int
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class EnrolmentRefused(AtttError):
    """A device may not join with this code."""


def create(
    conn: Connection,
    *,
    unit_id: int,
    created_by: str,
    now: datetime,
    uses: int = 1,
    lifetime: timedelta = DEFAULT_LIFETIME,
) -> tuple[str, EnrolmentCode]:
    """A new code, for printing once, and its record."""
    code = trust.make_enrolment_code()
    statement = insert(_code).values(
        code_sha256=trust.enrolment_code_hash(code),
        unit_id=unit_id,
        uses_allowed=uses,
        uses=0,
        created_by=created_by,
        created_at=now,
        expires_at=now + lifetime,
    )
    return code, _record(conn.execute(statement.returning(_code)).one())


def redeem(
    conn: Connection, code: str, ref: AssetRef, public_key: bytes, at: datetime
) -> tuple[Unit, Asset]:
    """Let a device join the unit of a code. The same key may ask again: it gets the same answer.

    Raises:
        AtttError: ATTT-201 wrong code, 202 used up, 203 the key stands in another unit,
            204 expired, 205 the device was retired.
    """
    found = _find(conn, code)
    if found is None:
        raise _wrong_code(ref)
    unit = units.by_id(conn, found.unit_id)
    known = assets.by_device_id(conn, ref.device_id)
    if known is not None:
        if known.retired_at is not None:
            raise asset_retired(known.name, known.retired_at)
        if known.unit_id != unit.id:
            raise _in_another_unit(known, units.by_id(conn, known.unit_id), unit)
        if _has_used(conn, found.id, known.id):
            return unit, known  # its answer was lost
    if at >= found.expires_at:
        raise _expired(ref, unit, found.expires_at)
    if known is not None:
        return unit, known  # in this unit already: a second code changes nothing
    if found.uses >= found.uses_allowed:
        raise _used_up(ref, unit, found.uses_allowed)
    asset = assets.enrol(
        conn,
        device_id=ref.device_id,
        unit_id=unit.id,
        kind=ref.kind,
        name=ref.name,
        public_key=public_key,
        at=at,
    )
    conn.execute(
        update(_code).where(_code.c.id == found.id).values(uses=_code.c.uses + 1, last_used_at=at)
    )
    conn.execute(insert(_use).values(code_id=found.id, asset_id=asset.id, used_at=at))
    return unit, asset


def of_unit(conn: Connection, unit_id: int) -> tuple[EnrolmentCode, ...]:
    """The codes of a unit, newest first."""
    statement = select(_code).where(_code.c.unit_id == unit_id).order_by(_code.c.id.desc())
    return tuple(_record(row) for row in conn.execute(statement))


def prune(conn: Connection, now: datetime) -> int:
    """Forget codes that ended 90 days ago and were never used; how many. Used ones are history."""
    statement = delete(_code).where(
        _code.c.expires_at < now - _KEPT_AFTER_END,
        ~exists().where(_use.c.code_id == _code.c.id),
    )
    return conn.execute(statement).rowcount


def _find(conn: Connection, code: str) -> EnrolmentCode | None:
    wanted = trust.enrolment_code_hash(code)
    row = conn.execute(select(_code).where(_code.c.code_sha256 == wanted)).one_or_none()
    if row is None or not hmac.compare_digest(row.code_sha256, wanted):
        return None
    return _record(row)


def _has_used(conn: Connection, code_id: int, asset_id: int) -> bool:
    statement = select(_use.c.used_at).where(_use.c.code_id == code_id, _use.c.asset_id == asset_id)
    return conn.execute(statement).one_or_none() is not None


def _record(row: Row[tuple[object, ...]]) -> EnrolmentCode:
    return EnrolmentCode(
        row.id,
        row.unit_id,
        row.uses_allowed,
        row.uses,
        row.created_by,
        row.created_at,
        row.expires_at,
        row.last_used_at,
    )


def _new_code_for(unit: Unit) -> Text:
    return Text(
        vi=f"xin quản trị mã mới («attt-collector enrol-code {unit.code}») rồi chạy lại "
        "«attt enrol».",
        en=f'Ask the administrator for a new code ("attt-collector enrol-code {unit.code}"), '
        'then run "attt enrol" again.',
    )


def _wrong_code(ref: AssetRef) -> EnrolmentRefused:
    return EnrolmentRefused(
        "ATTT-201",
        Text(
            vi=f"Máy {ref.name} chưa được ghi danh: mã ghi danh không đúng.",
            en=f"{ref.name} is not enrolled: the enrolment code is wrong.",
        ),
        Text(
            vi="nhập lại đúng mã đã được cấp, hoặc xin mã mới của đơn vị.",
            en="Type the code again as it was given, or ask for a new one of the unit.",
        ),
    )


def _used_up(ref: AssetRef, unit: Unit, allowed: int) -> EnrolmentRefused:
    return EnrolmentRefused(
        "ATTT-202",
        Text(
            vi=f"Máy {ref.name} chưa được ghi danh: mã ghi danh của {unit.name} đã dùng hết "
            f"{allowed} lượt.",
            en=f"{ref.name} is not enrolled: the code of {unit.name} was good for {allowed} "
            "devices, and all are used.",
        ),
        _new_code_for(unit),
    )


def _expired(ref: AssetRef, unit: Unit, at: datetime) -> EnrolmentRefused:
    ended = at.astimezone(VIETNAM_TIME)
    return EnrolmentRefused(
        "ATTT-204",
        Text(
            vi=f"Máy {ref.name} chưa được ghi danh: mã ghi danh của {unit.name} đã hết hạn lúc "
            f"{ended:%H:%M ngày %d/%m/%Y}.",
            en=f"{ref.name} is not enrolled: the code of {unit.name} expired on {ended:%Y-%m-%d} "
            f"at {ended:%H:%M} (Vietnam time).",
        ),
        _new_code_for(unit),
    )


def _in_another_unit(asset: Asset, there: Unit, here: Unit) -> EnrolmentRefused:
    return EnrolmentRefused(
        "ATTT-203",
        Text(
            vi=f"Máy {asset.name} đã ghi danh tại {there.name}; mã này là của {here.name}, máy "
            "không được tự chuyển đơn vị.",
            en=f"{asset.name} is enrolled in {there.name} already; this code is of {here.name}, "
            "and a device is not moved by a code.",
        ),
        Text(
            vi=f"dùng mã của {there.name}; nếu máy thật sự chuyển sang {here.name}, quản trị chạy "
            f"«attt-collector assets move {asset.device_id} --unit {here.code}»: máy giữ khóa cũ.",
            en=f"Use a code of {there.name}; if the device really moves to {here.name}, the "
            "administrator runs "
            f'"attt-collector assets move {asset.device_id} --unit {here.code}": it keeps its key.',
        ),
    )
