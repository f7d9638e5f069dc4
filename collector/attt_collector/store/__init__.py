"""The store: SQLAlchemy Core over SQLite (default) or PostgreSQL; one module a noun."""
