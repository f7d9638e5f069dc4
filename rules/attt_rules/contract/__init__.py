"""The contract between agent, collector and rules: plain dataclasses, Python 3.8."""

from attt_rules.contract.asset import AssetKind, AssetRef, UnitRef
from attt_rules.contract.enrolment import (
    ENROLMENT_SIGNING_CONTEXT,
    EnrolmentGrant,
    EnrolmentRequest,
    device_id_of,
)
from attt_rules.contract.fact import (
    MAX_LIST_ITEMS,
    UNIT_SUFFIXES,
    Fact,
    FactSpec,
    FactValue,
    Unreadable,
    ValueType,
    parse_time,
)
from attt_rules.contract.finding import Finding, Status
from attt_rules.contract.snapshot import (
    CONTRACT_VERSION,
    MAX_BODY_BYTES,
    SNAPSHOT_SIGNING_CONTEXT,
    Envelope,
    Snapshot,
)
from attt_rules.contract.text import Text

__all__ = [
    "CONTRACT_VERSION",
    "ENROLMENT_SIGNING_CONTEXT",
    "MAX_BODY_BYTES",
    "MAX_LIST_ITEMS",
    "SNAPSHOT_SIGNING_CONTEXT",
    "UNIT_SUFFIXES",
    "AssetKind",
    "AssetRef",
    "EnrolmentGrant",
    "EnrolmentRequest",
    "Envelope",
    "Fact",
    "FactSpec",
    "FactValue",
    "Finding",
    "Snapshot",
    "Status",
    "Text",
    "UnitRef",
    "Unreadable",
    "ValueType",
    "device_id_of",
    "parse_time",
]
