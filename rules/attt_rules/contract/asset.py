"""What a fact is about (an asset) and where that stands (a unit)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict


class AssetKind(str, Enum):
    """What rules distinguish; finer kinds (switch, firewall, NAS) are facts."""

    PC = "pc"
    SERVER = "server"
    NETWORK_DEVICE = "network_device"
    SITE = "site"  # one place of a unit: its links, its border, its documents


@dataclass(frozen=True)
class AssetRef:
    """How an asset names itself.

    `device_id` is derived from the device's public key (see `enrolment.device_id_of`), so nobody
    can pick another's; devices that the collector polls get one from the collector.
    """

    device_id: str
    kind: AssetKind
    name: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.device_id) <= 64 or not self.device_id.isascii():
            raise ValueError("device_id must be 1 to 64 ASCII characters")
        if not 1 <= len(self.name) <= 255:
            raise ValueError("an asset name must be 1 to 255 characters")

    def to_wire(self) -> Dict[str, Any]:
        return {"device_id": self.device_id, "kind": self.kind.value, "name": self.name}


@dataclass(frozen=True)
class UnitRef:
    """A unit (đơn vị) as its members know it."""

    code: str
    name: str

    def to_wire(self) -> Dict[str, Any]:
        return {"code": self.code, "name": self.name}
