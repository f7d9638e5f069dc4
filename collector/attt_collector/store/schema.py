"""The tables. A change here needs a new revision in migrations/versions (a test compares the two).

Moments are stored as whole microseconds since 1970-01-01 UTC (exact, sortable, the same on SQLite
and PostgreSQL); days as dates.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

REVISION = "r0001"  # what Store.open demands; equal to Alembic's head

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware datetime as microseconds since the epoch; comes back in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


# SQLite gives automatic row numbers to INTEGER PRIMARY KEY only, PostgreSQL needs BIGINT.
_Key = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# One row: what this database is. `simulated` is decided once, at init, and never changes.
meta = Table(
    "meta",
    metadata,
    Column("instance_id", String(36), primary_key=True),
    Column("contract", Integer, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)

unit = Table(
    "unit",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("code", String(64), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("parent_id", _Key, ForeignKey("unit.id"), index=True),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
)

asset = Table(
    "asset",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("device_id", String(64), nullable=False, unique=True),
    Column("unit_id", _Key, ForeignKey("unit.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("public_key", LargeBinary),
    Column("enrolled_at", Moment, nullable=False),
    Column("last_received_at", Moment),
    Column("last_taken_at", Moment),
    Column("clock_skew_seconds", Float),
    Column("retired_at", Moment),
)

# `evidence` is the envelope as it arrived, gzip-compressed and never re-encoded. `effective_at` is
# when the facts were true as far as clocks can be believed (snapshots.effective_time).
snapshot = Table(
    "snapshot",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("asset_id", _Key, ForeignKey("asset.id"), nullable=False),
    Column("snapshot_id", String(64), nullable=False),
    Column("taken_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("effective_at", Moment, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    UniqueConstraint("asset_id", "snapshot_id"),
    Index(None, "asset_id", "effective_at"),
)

# State intervals [since, until): a row is written only when a status changes.
finding = Table(
    "finding",
    metadata,
    Column("asset_id", _Key, ForeignKey("asset.id"), primary_key=True),
    Column("pack_id", String(64), primary_key=True),
    Column("rule_id", String(128), primary_key=True),
    Column("since", Moment, primary_key=True),
    Column("until", Moment),
    Column("status", String(16), nullable=False),
    sqlite_with_rowid=False,
)
Index(
    "ix_finding_current",
    finding.c.asset_id,
    finding.c.pack_id,
    sqlite_where=text("until IS NULL"),
    postgresql_where=text("until IS NULL"),
)

# Append-only: a later row of the same unit, key and item lays itself over an earlier one. What was
# wrong is marked as revoked and stays.
attestation = Table(
    "attestation",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("unit_id", _Key, ForeignKey("unit.id"), nullable=False, index=True),
    Column("key", String(128), nullable=False),
    Column("item", String(255)),
    Column("value_json", Text, nullable=False),
    Column("document_number", String(255), nullable=False),
    Column("document_date", Date, nullable=False),
    Column("attested_by", String(255), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    Column("recorded_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

enrolment_code = Table(
    "enrolment_code",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("code_sha256", String(64), nullable=False, unique=True),
    Column("unit_id", _Key, ForeignKey("unit.id"), nullable=False, index=True),
    Column("uses_allowed", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    # The last word against two transactions that both see one use left.
    CheckConstraint("uses <= uses_allowed", name="uses"),
)

# Which device used which code: the answer may be lost, then the device asks again.
enrolment_use = Table(
    "enrolment_use",
    metadata,
    Column("code_id", _Key, ForeignKey("enrolment_code.id"), primary_key=True),
    Column("asset_id", _Key, ForeignKey("asset.id"), primary_key=True),
    Column("used_at", Moment, nullable=False),
)

user = Table(
    "app_user",  # "user" is a reserved word of PostgreSQL
    metadata,
    Column("id", _Key, primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("password_hash", String(255), nullable=False),
    Column("unit_id", _Key, ForeignKey("unit.id")),
    Column("language", String(2), nullable=False),
    Column("disabled_at", Moment),
)

# Only a hash of the cookie is kept: who reads the database cannot take over a session.
session = Table(
    "app_session",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("user_id", _Key, ForeignKey("app_user.id"), nullable=False, index=True),
    Column("csrf_token", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)
