"""The collector's nouns, as frozen records; store/ reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

from attt_rules.contract import AssetKind, FactValue, Status

# Documents, periods and "today" of a Vietnamese office; no summer time since 1975.
VIETNAM_TIME = timezone(timedelta(hours=7))


class UnitKind(StrEnum):
    """The level of a unit; district and city ended on 01/7/2025 and stay for history."""

    PROVINCE = "province"
    DISTRICT = "district"
    CITY = "city"
    COMMUNE = "commune"  # xã, phường, đặc khu
    DEPARTMENT = "department"  # sở, ngành, phòng, ban


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit (đơn vị) during [valid_from, valid_until)."""

    id: int
    code: str
    name: str
    kind: UnitKind
    parent_id: int | None
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Asset:
    """A device of a unit. `public_key` (32 bytes) is None for devices the collector polls itself.

    `clock_skew_seconds` is taken_at minus received_at of the last snapshot: positive means the
    device's clock is ahead.
    """

    id: int
    device_id: str
    unit_id: int
    kind: AssetKind
    name: str
    public_key: bytes | None
    enrolled_at: datetime
    last_received_at: datetime | None
    last_taken_at: datetime | None
    clock_skew_seconds: float | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attestation:
    """A fact that a named person vouches for during [valid_from, valid_until).

    `revoked_at`: since when it is known to be wrong; from then on it never held.
    """

    id: int
    unit_id: int
    key: str
    item: str | None
    value: FactValue
    document_number: str
    document_date: date
    attested_by: str
    valid_from: date
    valid_until: date | None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """Where a snapshot is kept; `sha256` (hex) is of the signed bytes."""

    id: int
    asset_id: int
    snapshot_id: str
    taken_at: datetime
    received_at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class FindingState:
    """What a rule says of an asset now, and since when it says so."""

    asset_id: int
    rule_id: str
    status: Status
    since: datetime


@dataclass(frozen=True, slots=True)
class IndicatorValue:
    """A counted figure (chỉ tiêu).

    count: how many pass (for kind count: how many there are). of: the denominator, being the
    population (ratio) or the planned quantity (attainment); None when there is none (count) or it
    is not known (attainment without a quota). failed + unknown + count + not_applicable is the
    population. Unknown stays in `of`; not applicable does not.
    """

    id: str
    count: int
    of: int | None
    failed: int
    unknown: int
    not_applicable: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class User:
    """Someone who may log in; sees the subtree of `unit_id`, everything when it is None."""

    id: int
    login: str
    password_hash: str
    unit_id: int | None
    language: str
    disabled_at: datetime | None
