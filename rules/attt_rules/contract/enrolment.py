"""Enrolment (ghi danh): how a device joins a unit with a code."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict

from attt_rules.contract.asset import AssetRef, UnitRef
from attt_rules.contract.fact import check_time
from attt_rules.contract.snapshot import CONTRACT_VERSION

ENROLMENT_SIGNING_CONTEXT = b"attt-enrolment-1\n"


def device_id_of(public_key: bytes) -> str:
    """The id that a 32-byte Ed25519 public key gives its owner: 26 lower-case base32 characters."""
    digest = hashlib.sha256(public_key).digest()[:16]
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()


@dataclass(frozen=True)
class EnrolmentRequest:
    """Sent in the same kind of envelope as a snapshot, signed with ENROLMENT_SIGNING_CONTEXT.

    The signature proves that the sender owns the private key of `public_key` (base64, 32 bytes).
    The same request may be repeated with the same code when its answer was lost.
    """

    code: str
    public_key: str
    asset: AssetRef
    requested_at: datetime
    contract: int = CONTRACT_VERSION
    simulated: bool = False

    def __post_init__(self) -> None:
        if self.contract != CONTRACT_VERSION:
            raise ValueError("contract version %r is not known" % self.contract)
        check_time(self.requested_at, "requested_at")
        if not 1 <= len(self.code) <= 64:
            raise ValueError("a code has 1 to 64 characters")
        if len(base64.b64decode(self.public_key, validate=True)) != 32:
            raise ValueError("public_key is not 32 bytes")

    def to_json(self) -> bytes:
        wire: Dict[str, Any] = {
            "contract": self.contract,
            "code": self.code,
            "public_key": self.public_key,
            "asset": self.asset.to_wire(),
            "requested_at": self.requested_at.isoformat(),
        }
        if self.simulated:
            wire["simulated"] = True
        return json.dumps(wire, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


@dataclass(frozen=True)
class EnrolmentGrant:
    """The collector's answer; `collector_time` lets the device see how far its clock is off."""

    device_id: str
    unit: UnitRef
    collector_time: datetime
    simulated: bool = False

    def to_wire(self) -> Dict[str, Any]:
        return {
            "device_id": self.device_id,
            "unit": self.unit.to_wire(),
            "collector_time": self.collector_time.isoformat(),
            "simulated": self.simulated,
        }
