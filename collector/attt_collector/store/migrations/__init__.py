"""Alembic revisions of the store; see ../schema.py."""
