"""Attestations (xác nhận): facts that a named person vouches for, with document number and date.

Append-only: of two documents about the same unit, key and item the younger one speaks, then the
later entry. A wrong entry is revoked: it stays in the history and speaks for no day any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from attt_collector.records import VIETNAM_TIME, Attestation
from attt_collector.store.schema import attestation as _attestation
from attt_rules.contract import FactSpec, FactValue, Text, ValueType, parse_time
from attt_rules.errors import AtttError

_CHUNK = 500  # bound parameters in one statement

ATTESTED_SPECS: tuple[FactSpec, ...] = (
    FactSpec(
        "dossier.approved",
        ValueType.BOOL,
        Text(
            vi="hồ sơ đề xuất cấp độ an toàn hệ thống thông tin đã được phê duyệt",
            en="the security level dossier of the unit's information system is approved",
        ),
    ),
    FactSpec(
        "dossier.number",
        ValueType.STRING,
        Text(vi="số quyết định phê duyệt cấp độ", en="number of the approving decision"),
    ),
    FactSpec(
        "dossier.approved_at",
        ValueType.DATETIME,
        Text(vi="ngày phê duyệt cấp độ", en="day the level was approved"),
    ),
    FactSpec(
        "quota.central_antivirus_machines",
        ValueType.INT,
        Text(
            vi="số máy được cấp phần mềm phòng, chống mã độc quản lý tập trung",
            en="how many machines the unit was granted centrally managed antivirus for",
        ),
    ),
    FactSpec(
        "quota.central_antivirus_product",
        ValueType.STRING,
        Text(
            vi="tên phần mềm phòng, chống mã độc quản lý tập trung",
            en="name of the centrally managed antivirus",
        ),
    ),
    FactSpec(
        "site.fibre_connected",
        ValueType.BOOL,
        Text(vi="trụ sở có đường truyền cáp quang", en="the site is connected by fibre"),
    ),
    FactSpec(
        "site.machines_declared_count",
        ValueType.INT,
        Text(vi="số máy vi tính đơn vị tự khai", en="how many computers the unit declares"),
    ),
    FactSpec(
        "site.lan_connected",
        ValueType.BOOL,
        Text(vi="trụ sở có mạng LAN hoạt động", en="the site has a working LAN"),
    ),
    FactSpec(
        "site.wan_connected",
        ValueType.BOOL,
        Text(vi="trụ sở kết nối mạng WAN của tỉnh", en="the site is on the province's WAN"),
    ),
    FactSpec(
        "site.tslcd_connected",
        ValueType.BOOL,
        Text(
            vi="trụ sở kết nối mạng truyền số liệu chuyên dùng",
            en="the site is on the specialised data transmission network (TSLCD)",
        ),
    ),
    FactSpec(
        "site.firewall_present",
        ValueType.BOOL,
        Text(vi="trụ sở có thiết bị tường lửa", en="the site has a firewall device"),
    ),
)


def spec_of(key: str) -> FactSpec | None:
    """What is known of an attested key; None when nobody can attest it."""
    return next((spec for spec in ATTESTED_SPECS if spec.key == key), None)


def add(
    conn: Connection,
    *,
    unit_id: int,
    key: str,
    value: FactValue,
    document_number: str,
    document_date: date,
    attested_by: str,
    valid_from: date,
    at: datetime,
    item: str | None = None,
    valid_until: date | None = None,
) -> tuple[Attestation, bool]:
    """Keep an attestation; with False when exactly this one stands already, not revoked.

    Raises:
        ValueError: nobody can attest this key, or the value has another type.
    """
    spec = spec_of(key)
    if spec is None or not spec.type.accepts(value):
        raise ValueError(f"cannot be attested: {key} = {value!r}")
    wire = value.isoformat() if isinstance(value, datetime) else value
    values = {
        "unit_id": unit_id,
        "key": key,
        "item": item,
        "value_json": json.dumps(wire, ensure_ascii=False),
        "document_number": document_number,
        "document_date": document_date,
        "attested_by": attested_by,
        "valid_from": valid_from,
        "valid_until": valid_until,
    }
    for old in _rows(conn, [unit_id]):
        same = all(getattr(old, name) == wanted for name, wanted in values.items())
        if same and old.revoked_at is None:
            return _record(old), False
    statement = insert(_attestation).values(recorded_at=at, **values).returning(_attestation)
    return _record(conn.execute(statement).one()), True


def revoke(conn: Connection, attestation_id: int, at: datetime) -> Attestation:
    """Mark an entry as wrong; what it lay over speaks again.

    Raises:
        AtttError: ATTT-531, no such entry; 532, it was revoked before.
    """
    this = _attestation.c.id == attestation_id
    row = conn.execute(select(_attestation).where(this)).one_or_none()
    if row is None:
        raise _no_such_entry(attestation_id)
    if row.revoked_at is not None:
        raise _revoked_before(attestation_id, row.revoked_at)
    changed = update(_attestation).where(this).values(revoked_at=at).returning(_attestation)
    return _record(conn.execute(changed).one())


def in_force(conn: Connection, unit_ids: Iterable[int], on: date) -> tuple[Attestation, ...]:
    """What is attested on that day: at most one of each unit, key and item, by unit and key."""
    wanted = list(unit_ids)
    found: dict[tuple[int, str, str], Attestation] = {}
    for start in range(0, len(wanted), _CHUNK):
        for row in _rows(conn, wanted[start : start + _CHUNK]):
            if row.revoked_at is not None:
                continue
            if row.valid_from <= on and (row.valid_until is None or on < row.valid_until):
                name = (row.unit_id, row.key, row.item or "")
                older = found.get(name)
                if older is None or older.document_date <= row.document_date:  # rows come by id
                    found[name] = _record(row)
    return tuple(found[name] for name in sorted(found))


def history(conn: Connection, unit_id: int) -> tuple[Attestation, ...]:
    """Everything ever attested for a unit, oldest first, also what was revoked."""
    return tuple(_record(row) for row in _rows(conn, [unit_id]))


def _rows(conn: Connection, unit_ids: list[int]) -> Iterable[Row[tuple[Any, ...]]]:
    return conn.execute(
        select(_attestation).where(_attestation.c.unit_id.in_(unit_ids)).order_by(_attestation.c.id)
    )


def _record(row: Row[tuple[Any, ...]]) -> Attestation:
    value: Any = json.loads(row.value_json)
    spec = spec_of(row.key)
    if spec is not None and spec.type is ValueType.DATETIME:
        value = parse_time(value)
    elif isinstance(value, list):
        value = tuple(value)
    return Attestation(
        row.id,
        row.unit_id,
        row.key,
        row.item,
        value,
        row.document_number,
        row.document_date,
        row.attested_by,
        row.valid_from,
        row.valid_until,
        row.revoked_at,
    )


_SEE_LIST = Text(
    vi="xem số của từng xác nhận bằng «attt-collector attestations list --all».",
    en='See the number of each with "attt-collector attestations list --all".',
)


def _no_such_entry(attestation_id: int) -> AtttError:
    return AtttError(
        "ATTT-531",
        Text(
            vi=f"Không có xác nhận số {attestation_id}.",
            en=f"There is no attestation {attestation_id}.",
        ),
        _SEE_LIST,
    )


def _revoked_before(attestation_id: int, at: datetime) -> AtttError:
    day = at.astimezone(VIETNAM_TIME)
    return AtttError(
        "ATTT-532",
        Text(
            vi=f"Xác nhận số {attestation_id} đã bị thu hồi ngày {day:%d/%m/%Y}.",
            en=f"Attestation {attestation_id} was revoked on {day:%Y-%m-%d}.",
        ),
        _SEE_LIST,
    )
