"""One device to one snapshot: the same contract as a PC's, made by the collector itself."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from attt_collector.family import Reading, Walk, oid, pick
from attt_collector.poll.credentials import DEFAULT_COMMUNITIES, Community, Credentials
from attt_collector.poll.snmp import TIMEOUTS_SECONDS, Session, answers_default_community
from attt_rules.contract import (
    AssetKind,
    AssetRef,
    Fact,
    FactSpec,
    Snapshot,
    Text,
    Unreadable,
    ValueType,
)

SYS_DESCR = oid("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = oid("1.3.6.1.2.1.1.2.0")
SYS_UPTIME = oid("1.3.6.1.2.1.1.3.0")
# SNMP-FRAMEWORK-MIB::snmpEngineID.0, the nearest thing to a serial number that every maker has.
SNMP_ENGINE_ID = oid("1.3.6.1.6.3.10.2.1.1.0")

DEVICE_KINDS = (
    "firewall",
    "router",
    "switch",
    "access_point",
    "wireless_controller",
    "server",
    "storage",
    "printer",
    "camera",
    "ups",
    "other",
)

ENGINE_ID_KEY = "snmp.engine_id"

SPECS = (
    FactSpec(
        "device.kind",
        ValueType.STRING,
        Text(
            vi="Loại thiết bị, do người thêm thiết bị khai báo",
            en="Kind of device, as declared by the person who added it",
        ),
    ),
    FactSpec(
        "snmp.version",
        ValueType.STRING,
        Text(vi="Phiên bản SNMP đã dùng: v2c hoặc v3", en="SNMP version used: v2c or v3"),
    ),
    FactSpec(
        ENGINE_ID_KEY,
        ValueType.STRING,
        Text(
            vi="Mã máy SNMP (engine ID), để nhận ra một thiết bị ở hai đơn vị",
            en="SNMP engine ID in hex, to tell one device that stands in two units",
        ),
    ),
    FactSpec(
        "snmp.default_community_refused",
        ValueType.BOOL,
        Text(
            vi="Thiết bị không trả lời community mặc định «public», «private» (v1, v2c)",
            en='The device answers to none of the default communities "public" and "private"',
        ),
    ),
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """What a person says of a device: where it is, what it is called, whose it is.

    `kind` is one of DEVICE_KINDS, or None when nobody has said.
    """

    address: str
    name: str
    unit_code: str
    kind: str | None = None
    port: int = 161

    def __str__(self) -> str:
        return f"{self.name} ({self.address}:{self.port})"


def poll_device(
    device: Device,
    credentials: Credentials,
    *,
    now: datetime,
    check_default_community: bool = False,
    timeouts: Sequence[float] = TIMEOUTS_SECONDS,
) -> Snapshot:
    """Asks the device and waits; see `poll` for use inside an event loop.

    Raises:
        PollError: it does not answer, or refuses the credentials. No snapshot comes of that: a
            device that is silent keeps its last one, which grows old.
    """
    return asyncio.run(
        poll(
            device,
            credentials,
            now=now,
            check_default_community=check_default_community,
            timeouts=timeouts,
        )
    )


async def poll(
    device: Device,
    credentials: Credentials,
    *,
    now: datetime,
    check_default_community: bool = False,
    timeouts: Sequence[float] = TIMEOUTS_SECONDS,
) -> Snapshot:
    """Everything the device's family can say, and what the poll itself has shown.

    Args:
        now: when it is asked; aware.
        check_default_community: also try "public" and "private" (v1 and v2c, twice each).

    Raises:
        PollError: as `poll_device`.
    """
    async with Session(
        device.address, device.port, credentials, device=str(device), timeouts=timeouts
    ) as session:
        walk = await session.get((SYS_DESCR, SYS_OBJECT_ID, SNMP_ENGINE_ID))
        family = pick(_system(walk))
        walk = walk.merged(await session.get(family.scalars))
        walk = walk.merged(await session.walk(family.columns))
        readings = [*family.parse(walk), *_own_readings(device, credentials, _engine_id(walk))]
        readings.extend(
            await _default_community(
                device, credentials, session, check_default_community, timeouts[0]
            )
        )
    log.info(
        "polled device=%s address=%s family=%s version=%s values=%d gaps=%d",
        device.name,
        device.address,
        family.id,
        credentials.version,
        len(walk.answers),
        len(walk.gaps),
    )
    return Snapshot(
        snapshot_id=str(uuid.uuid4()),
        asset=AssetRef(
            device_id_of(device, _engine_id(walk)), AssetKind.NETWORK_DEVICE, device.name
        ),
        taken_at=now,
        producer=f"attt-collector {version('attt')}",
        facts=tuple(
            Fact(
                key=reading.key,
                item=reading.item,
                value=reading.value,
                unreadable=reading.unreadable,
                source=reading.source,
                read_at=now,
            )
            for reading in readings
        ),
    )


def device_id_of(device: Device, engine_id: bytes | None) -> str:
    """A name for the device that stays the same at the next poll.

    From its SNMP engine ID when it tells it, else from its name. The unit is part of it, since
    devices that were set up from one copied configuration share an engine ID.
    """
    kind, own = ("engine", engine_id) if engine_id else ("name", device.name.encode())
    named = b"\0".join((kind.encode(), device.unit_code.encode(), own))
    return "snmp-" + hashlib.sha256(named).hexdigest()[:32]


def _engine_id(walk: Walk) -> bytes | None:
    """The engine ID, unless it is one of those that say nothing (RFC 3411: 5 to 32 bytes)."""
    value = walk.get(SNMP_ENGINE_ID)
    if not isinstance(value, bytes) or not 5 <= len(value) <= 32 or len(set(value)) == 1:
        return None
    return value


def _system(walk: Walk) -> dict[str, str]:
    system: dict[str, str] = {}
    description, object_id = walk.get(SYS_DESCR), walk.get(SYS_OBJECT_ID)
    if isinstance(description, bytes):
        system["sysDescr"] = description.decode("utf-8", "replace")
    if isinstance(object_id, tuple):
        system["sysObjectID"] = ".".join(map(str, object_id))
    return system


def _own_readings(
    device: Device, credentials: Credentials, engine_id: bytes | None
) -> list[Reading]:
    readings = [Reading("snmp.version", f"SNMP {credentials.version}", credentials.version)]
    if engine_id is not None:
        source = "SNMP-FRAMEWORK-MIB::snmpEngineID.0"
        readings.append(Reading(ENGINE_ID_KEY, source, engine_id.hex()))
    if device.kind is not None:
        readings.append(Reading("device.kind", "declared when the device was added", device.kind))
    return readings


async def _default_community(
    device: Device, credentials: Credentials, session: Session, asked: bool, seconds: float
) -> list[Reading]:
    key, source = (
        "snmp.default_community_refused",
        "SNMP v1, v2c GET sysUpTime.0 by public, private",
    )
    if isinstance(credentials, Community) and credentials.community in DEFAULT_COMMUNITIES:
        return [Reading(key, "SNMP v2c, this poll", False)]
    if not asked:
        return []
    if await answers_default_community(
        device.address, device.port, SYS_UPTIME, device=str(device), seconds=seconds
    ):
        return [Reading(key, source, False)]
    # Silence is a refusal only if the device can still be reached.
    if await session.still_answers(SYS_UPTIME):
        return [Reading(key, source, True)]
    return [Reading(key, source, unreadable=Unreadable.TIMEOUT)]
