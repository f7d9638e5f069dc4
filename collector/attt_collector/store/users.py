"""Users (người dùng) who log in to the web page; the only door to argon2."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, insert, select, update

from attt_collector.records import User
from attt_collector.store.cell_text import visible
from attt_collector.store.schema import user as _user
from attt_rules.contract import Text
from attt_rules.errors import AtttError

# Defaults of argon2-cffi (RFC 9106, low-memory): 64 MiB and about 0.3 s of CPU a hash, so callers
# that serve others at the same time run it in a thread of its own.
_hasher = PasswordHasher()
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without l, o, 0 and 1: it is read from paper
_LOGIN = re.compile(r"[a-z0-9._-]{1,64}")


def hash_password(password: str) -> str:
    """An argon2id hash with its own salt and parameters."""
    return _hasher.hash(password)


def password_matches(password_hash: str, password: str) -> bool:
    """Whether this is the password; False for a hash that is damaged, too."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def generate_password() -> str:
    """Twenty letters and digits in groups of five: 100 bits."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def check_login(login: str) -> None:
    """Whether this can be a login: what everybody can type, and nobody can take for another.

    Raises:
        AtttError: ATTT-542.
    """
    if _LOGIN.fullmatch(login) is None:
        raise AtttError(
            "ATTT-542",
            Text(
                vi=f"Tên đăng nhập «{visible(login)}» không dùng được.",
                en=f'"{visible(login)}" cannot be a login.',
            ),
            Text(
                vi="dùng từ 1 đến 64 ký tự trong số: a-z (không dấu, không hoa), 0-9, dấu . _ -",
                en="Use 1 to 64 of: a-z (small letters), 0-9 and . _ -",
            ),
        )


def add(
    conn: Connection,
    *,
    login: str,
    password_hash: str,
    unit_id: int | None = None,
    language: str = "vi",
) -> User:
    """A new user; sees everything when `unit_id` is None.

    Raises:
        AtttError: ATTT-542, not a login.
        sqlalchemy.exc.IntegrityError: the login is taken.
    """
    check_login(login)
    statement = insert(_user).values(
        login=login, password_hash=password_hash, unit_id=unit_id, language=language
    )
    key = conn.execute(statement.returning(_user.c.id)).scalar_one()
    return User(key, login, password_hash, unit_id, language, None)


def by_login(conn: Connection, login: str) -> User | None:
    row = conn.execute(select(_user).where(_user.c.login == login)).one_or_none()
    return None if row is None else _record(row)


def by_id(conn: Connection, user_id: int) -> User | None:
    row = conn.execute(select(_user).where(_user.c.id == user_id)).one_or_none()
    return None if row is None else _record(row)


def everyone(conn: Connection) -> tuple[User, ...]:
    """All users, by login, also those who may no longer log in."""
    return tuple(_record(row) for row in conn.execute(select(_user).order_by(_user.c.login)))


def set_password(conn: Connection, user_id: int, password_hash: str) -> None:
    conn.execute(update(_user).where(_user.c.id == user_id).values(password_hash=password_hash))


def set_language(conn: Connection, user_id: int, language: str) -> None:
    conn.execute(update(_user).where(_user.c.id == user_id).values(language=language))


def disable(conn: Connection, user_id: int, at: datetime) -> None:
    """The user may no longer log in; sessions end with the next request (sessions.by_token)."""
    conn.execute(update(_user).where(_user.c.id == user_id).values(disabled_at=at))


def _record(row: Row[tuple[object, ...]]) -> User:
    return User(row.id, row.login, row.password_hash, row.unit_id, row.language, row.disabled_at)
