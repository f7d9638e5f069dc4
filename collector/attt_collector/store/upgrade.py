"""Brings the tables to the newest revision; with migrations/, the only door to Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_MIGRATIONS = Path(__file__).parent / "migrations"


def configuration() -> Config:
    """Alembic's configuration without an alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def upgrade(conn: Connection) -> None:
    """Run what is missing, inside the transaction that `conn` stands in."""
    config = configuration()
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
