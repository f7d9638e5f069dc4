"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

# Spelled out, not taken from schema.py: a revision must mean the same for ever.
_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_MOMENT = sa.BigInteger


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("instance_id", sa.String(36), nullable=False),
        sa.Column("contract", sa.Integer, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("instance_id", name="pk_meta"),
    )
    op.create_table(
        "unit",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("parent_id", _KEY),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_until", sa.Date),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
        sa.UniqueConstraint("code", name="uq_unit_code"),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name="fk_unit_parent_id"),
    )
    op.create_index("ix_unit_parent_id", "unit", ["parent_id"])
    op.create_table(
        "asset",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("unit_id", _KEY, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("public_key", sa.LargeBinary),
        sa.Column("enrolled_at", _MOMENT, nullable=False),
        sa.Column("last_received_at", _MOMENT),
        sa.Column("last_taken_at", _MOMENT),
        sa.Column("clock_skew_seconds", sa.Float),
        sa.Column("retired_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_asset"),
        sa.UniqueConstraint("device_id", name="uq_asset_device_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_asset_unit_id"),
    )
    op.create_index("ix_asset_unit_id", "asset", ["unit_id"])
    op.create_table(
        "snapshot",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("asset_id", _KEY, nullable=False),
        sa.Column("snapshot_id", sa.String(64), nullable=False),
        sa.Column("taken_at", _MOMENT, nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("effective_at", _MOMENT, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("evidence", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_snapshot"),
        sa.UniqueConstraint("asset_id", "snapshot_id", name="uq_snapshot_asset_id_snapshot_id"),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name="fk_snapshot_asset_id"),
    )
    op.create_index("ix_snapshot_asset_id_effective_at", "snapshot", ["asset_id", "effective_at"])
    op.create_table(
        "finding",
        sa.Column("asset_id", _KEY, nullable=False),
        sa.Column("pack_id", sa.String(64), nullable=False),
        sa.Column("rule_id", sa.String(128), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT),
        sa.Column("status", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "pack_id", "rule_id", "since", name="pk_finding"),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name="fk_finding_asset_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_finding_current",
        "finding",
        ["asset_id", "pack_id"],
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "attestation",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("unit_id", _KEY, nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("item", sa.String(255)),
        sa.Column("value_json", sa.Text, nullable=False),
        sa.Column("document_number", sa.String(255), nullable=False),
        sa.Column("document_date", sa.Date, nullable=False),
        sa.Column("attested_by", sa.String(255), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_until", sa.Date),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_attestation"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_attestation_unit_id"),
    )
    op.create_index("ix_attestation_unit_id", "attestation", ["unit_id"])
    op.create_table(
        "enrolment_code",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("code_sha256", sa.String(64), nullable=False),
        sa.Column("unit_id", _KEY, nullable=False),
        sa.Column("uses_allowed", sa.Integer, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("last_used_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_enrolment_code"),
        sa.UniqueConstraint("code_sha256", name="uq_enrolment_code_code_sha256"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_enrolment_code_unit_id"),
        sa.CheckConstraint("uses <= uses_allowed", name=op.f("ck_enrolment_code_uses")),
    )
    op.create_index("ix_enrolment_code_unit_id", "enrolment_code", ["unit_id"])
    op.create_table(
        "enrolment_use",
        sa.Column("code_id", _KEY, nullable=False),
        sa.Column("asset_id", _KEY, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("code_id", "asset_id", name="pk_enrolment_use"),
        sa.ForeignKeyConstraint(
            ["code_id"], ["enrolment_code.id"], name="fk_enrolment_use_code_id"
        ),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name="fk_enrolment_use_asset_id"),
    )
    op.create_table(
        "app_user",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("unit_id", _KEY),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("disabled_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_app_user"),
        sa.UniqueConstraint("login", name="uq_app_user_login"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_app_user_unit_id"),
    )
    op.create_table(
        "app_session",
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("user_id", _KEY, nullable=False),
        sa.Column("csrf_token", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_app_session"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_app_session_user_id"),
    )
    op.create_index("ix_app_session_user_id", "app_session", ["user_id"])
    op.create_index("ix_app_session_expires_at", "app_session", ["expires_at"])
