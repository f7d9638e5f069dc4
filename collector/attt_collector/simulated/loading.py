"""Puts the made-up city into a simulated store, through the same door as polled devices.

The city is loaded twice: as it stood when the report of 10/2024 was written, and as it stands now,
so that the report of that month can be repeated and the pages show a living fleet.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from attt_collector.judge.receive import receive_polled
from attt_collector.records import Asset, Unit
from attt_collector.simulated import city
from attt_collector.store import assets, attestations, units
from attt_collector.store.db import Store
from attt_rules.contract import AssetKind, Fact, Text, parse_time
from attt_rules.errors import AtttError

VOUCHED_BY = "Người dùng thử (mô phỏng)"
_ENROLLED_AT = parse_time("2024-01-15T08:00:00+07:00")
_UNITS_FROM = date(2004, 1, 1)
_IN_THE_SPOOL = timedelta(seconds=20)


def load_city(store: Store, now: datetime) -> int:
    """Fills an empty simulated store; how many snapshots went in.

    Raises:
        AtttError: ATTT-550 the store is not a simulated one, 551 it holds units already.
    """
    if not store.simulated:
        raise AtttError(
            "ATTT-550",
            Text(
                vi="Cơ sở dữ liệu này chứa số liệu thật; không nạp số liệu mô phỏng vào đây.",
                en="This database holds real data; made-up data is not loaded into it.",
            ),
            Text(
                vi="tạo thư mục riêng bằng «attt-collector --data THU-MUC init --simulated».",
                en='Make a folder of its own with "attt-collector --data DIR init --simulated".',
            ),
        )
    by_code = store.write(_add_units)
    loaded = 0
    fleets = [(AssetKind.PC, city.pc_facts), (AssetKind.NETWORK_DEVICE, city.device_facts)]
    for kind, facts_at in fleets:
        known: dict[str, Asset] = {}
        for moment in (city.AS_OF, now):
            for office, name, facts, taken_at in facts_at(moment):
                if name not in known:
                    known[name] = _enrol(store, by_code[office.code], kind, name)
                _receive(store, known[name], facts, taken_at)
                loaded += 1
    store.write(lambda conn: _attest(conn, by_code, now))
    return loaded


def _add_units(conn: Connection) -> dict[str, Unit]:
    if units.everything(conn):
        raise AtttError(
            "ATTT-551",
            Text(
                vi="Cơ sở dữ liệu mô phỏng này đã có đơn vị.",
                en="This simulated database holds units already.",
            ),
            Text(
                vi="dùng một thư mục mới cho thành phố mô phỏng.",
                en="Use a new folder for the made-up city.",
            ),
        )
    by_code: dict[str, Unit] = {}
    for office in city.OFFICES:
        parent = by_code[city.CITY.code].id if office is not city.CITY else None
        by_code[office.code] = units.add(
            conn,
            code=office.code,
            name=office.name,
            kind=office.kind,
            parent_id=parent,
            valid_from=_UNITS_FROM,
        )
    return by_code


def _enrol(store: Store, unit: Unit, kind: AssetKind, name: str) -> Asset:
    device_id = f"mp-{uuid.uuid5(uuid.NAMESPACE_OID, f'{unit.code}/{name}').hex[:20]}"
    return store.write(
        lambda conn: assets.enrol(
            conn,
            device_id=device_id,
            unit_id=unit.id,
            kind=kind,
            name=name,
            public_key=None,  # nobody signs what was made up
            at=_ENROLLED_AT,
        )
    )


def _receive(store: Store, asset: Asset, facts: Iterable[Fact], taken_at: datetime) -> None:
    snapshot = city.snapshot_of(asset.device_id, asset.kind, asset.name, tuple(facts), taken_at)
    receive_polled(store, asset, snapshot, taken_at + _IN_THE_SPOOL)


def _attest(conn: Connection, by_code: dict[str, Unit], now: datetime) -> None:
    for office, key, value, number, day in city.attestations():
        attestations.add(
            conn,
            unit_id=by_code[office.code].id,
            key=key,
            value=value,
            document_number=number,
            document_date=day,
            attested_by=VOUCHED_BY,
            valid_from=day,
            at=now,
        )
