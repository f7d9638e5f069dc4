"""Which asset a polled device is: the one it was last time, or a new one of its unit.

A device is known by its name in its unit, and by its SNMP engine ID. When the two disagree, a
person has to say which is right: guessing wrong hides a device, or counts one twice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from attt_collector.poll.errors import TwoDevicesOrOne
from attt_collector.poll.poller import ENGINE_ID_KEY, Device, device_id_of
from attt_collector.records import Asset
from attt_collector.store import assets, snapshots, units
from attt_collector.store.db import Store
from attt_rules.contract import AssetKind, Snapshot


class Identity(StrEnum):
    """What a person says when name and engine ID disagree."""

    UNSAID = "unsaid"
    SAME_DEVICE = "same"  # it was given another name
    OTHER_DEVICE = "other"  # its engine ID was copied along with a configuration


def settle(
    store: Store,
    snapshot: Snapshot,
    device: Device,
    *,
    unit_id: int,
    at: datetime,
    identity: Identity = Identity.UNSAID,
) -> tuple[Asset, Snapshot]:
    """The asset, added to the unit when it is new, and the snapshot as that asset's.

    What was once declared (`device.kind`) holds until something else is declared, so it is said
    again when this poll does not say it.

    Raises:
        TwoDevicesOrOne: its engine ID is that of an asset with another name, and nobody has said
            what that means.
    """
    asset = store.write(
        lambda conn: _find_or_add(conn, snapshot, device, unit_id=unit_id, at=at, identity=identity)
    )
    facts = snapshot.facts
    if not any(fact.key == "device.kind" for fact in facts):
        with store.read() as conn:
            _, former = snapshots.latest_facts(conn, [asset.id], at).get(asset.id, (None, ()))
        facts += tuple(fact for fact in former if fact.key == "device.kind")
    reference = replace(snapshot.asset, device_id=asset.device_id)
    return asset, replace(snapshot, asset=reference, facts=facts)


def _find_or_add(
    conn: Connection,
    snapshot: Snapshot,
    device: Device,
    *,
    unit_id: int,
    at: datetime,
    identity: Identity,
) -> Asset:
    polled_id = snapshot.asset.device_id
    by_engine = assets.by_device_id(conn, polled_id)
    id_by_name = device_id_of(device, None)
    by_name = next(
        (
            asset
            for asset in assets.in_units(conn, [unit_id], at)
            if asset.name == device.name
            and asset.kind is AssetKind.NETWORK_DEVICE
            and asset.public_key is None
        ),
        None,
    )
    if by_name is not None:
        declared_other = identity is Identity.OTHER_DEVICE or by_name.device_id == id_by_name
        if by_engine is None or by_engine.id == by_name.id or declared_other:
            return by_name
        raise TwoDevicesOrOne(str(device), by_engine.name)
    if by_engine is not None and identity is not Identity.OTHER_DEVICE:
        if by_engine.name == device.name or identity is Identity.SAME_DEVICE:
            return by_engine
        raise TwoDevicesOrOne(str(device), by_engine.name)
    if identity is not Identity.OTHER_DEVICE:
        _refuse_one_of_another_unit(conn, snapshot, device, unit_id=unit_id, at=at)
    return assets.enrol(
        conn,
        device_id=id_by_name if by_engine is not None else polled_id,
        unit_id=unit_id,
        kind=AssetKind.NETWORK_DEVICE,
        name=device.name,
        public_key=None,
        at=at,
    )


def _refuse_one_of_another_unit(
    conn: Connection, snapshot: Snapshot, device: Device, *, unit_id: int, at: datetime
) -> None:
    """One firewall may not count for two communes; a person says when it is another device whose
    configuration, and engine ID with it, was copied.
    """
    engine_id = next((f.value for f in snapshot.facts if f.key == ENGINE_ID_KEY), None)
    if engine_id is None:
        return
    elsewhere = [unit for unit in units.everything(conn) if unit.id != unit_id]
    devices = {
        asset.id: asset
        for asset in assets.in_units(conn, units.ids(elsewhere), at)
        if asset.kind is AssetKind.NETWORK_DEVICE
    }
    names = {unit.id: unit.name for unit in elsewhere}
    for asset_id, (_, facts) in snapshots.latest_facts(conn, devices, at).items():
        if any(f.key == ENGINE_ID_KEY and f.value == engine_id for f in facts):
            asset = devices[asset_id]
            raise TwoDevicesOrOne(str(device), f"{asset.name} ({names[asset.unit_id]})")
