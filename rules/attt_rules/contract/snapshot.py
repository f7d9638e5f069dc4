"""Snapshot (bản chụp): everything one asset said at one time, and the envelope it travels in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, Tuple

from attt_rules.contract.asset import AssetRef
from attt_rules.contract.fact import Fact, check_time

CONTRACT_VERSION = 1
MAX_BODY_BYTES = 1024 * 1024  # of the envelope, after decompression
MAX_FACTS = 10_000

# What is signed starts with this line, so that a signature made for one purpose
# can never be passed off as one made for another.
SNAPSHOT_SIGNING_CONTEXT = b"attt-snapshot-1\n"


@dataclass(frozen=True)
class Snapshot:
    """All facts of one asset at one time.

    `snapshot_id` is a UUID made by the sender; the pair (device_id, snapshot_id) is stored once,
    however often it arrives. `simulated` marks made-up data: a real collector refuses it, and a
    collector for made-up data refuses the real.
    """

    snapshot_id: str
    asset: AssetRef
    taken_at: datetime
    producer: str  # program and version, "attt 0.1.0"
    facts: Tuple[Fact, ...]
    contract: int = CONTRACT_VERSION
    simulated: bool = False

    def __post_init__(self) -> None:
        if self.contract != CONTRACT_VERSION:
            raise ValueError("contract version %r is not known" % self.contract)
        check_time(self.taken_at, "taken_at")
        if not 1 <= len(self.snapshot_id) <= 64 or not self.snapshot_id.isascii():
            raise ValueError("snapshot_id must be 1 to 64 ASCII characters")
        if len(self.facts) > MAX_FACTS:
            raise ValueError("more than %d facts" % MAX_FACTS)
        seen = set()
        for fact in self.facts:
            name = (fact.key, fact.item)
            if name in seen:
                raise ValueError("said twice: %s %s" % (fact.key, fact.item or ""))
            seen.add(name)

    def to_wire(self) -> Dict[str, Any]:
        wire: Dict[str, Any] = {
            "contract": self.contract,
            "snapshot_id": self.snapshot_id,
            "asset": self.asset.to_wire(),
            "taken_at": self.taken_at.isoformat(),
            "producer": self.producer,
            "facts": [fact.to_wire() for fact in self.facts],
        }
        if self.simulated:
            wire["simulated"] = True
        return wire

    def to_json(self) -> bytes:
        """The bytes that are signed, sent and kept as evidence; UTF-8, no line break inside."""
        return json.dumps(self.to_wire(), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


@dataclass(frozen=True)
class Envelope:
    """A signed snapshot as it travels by POST or on a USB stick: one header line, then the bytes.

        {"attt": 1, "device_id": "…", "signature": "<base64 Ed25519>"}\\n
        {"contract": 1, "snapshot_id": …}

    The signature covers SNAPSHOT_SIGNING_CONTEXT and then exactly the second part, byte for byte,
    so nothing needs to be put into a canonical form.
    """

    device_id: str
    signature: str
    body: bytes

    def to_bytes(self) -> bytes:
        header = {"attt": 1, "device_id": self.device_id, "signature": self.signature}
        return json.dumps(header, separators=(",", ":")).encode("ascii") + b"\n" + self.body

    @classmethod
    def from_bytes(cls, raw: bytes) -> Envelope:
        """
        Raises:
            ValueError: no header line, not JSON, a field missing, or nothing after the header.
        """
        header_line, newline, body = raw.partition(b"\n")
        if not newline or not body.strip():
            raise ValueError("cut short: a header line and a snapshot were expected")
        if len(header_line) > 4096:
            raise ValueError("the header line is too long")
        header = json.loads(header_line.decode("utf-8"))
        if not isinstance(header, dict) or header.get("attt") != 1:
            raise ValueError("not an attt envelope")
        device_id, signature = header.get("device_id"), header.get("signature")
        if not isinstance(device_id, str) or not isinstance(signature, str):
            raise ValueError("unsigned: device_id or signature is missing")
        return cls(device_id=device_id, signature=signature, body=body)
