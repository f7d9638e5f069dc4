"""Sessions of the web page: a random token in the cookie, only its hash in the database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from attt_collector.store.schema import session as _session
from attt_collector.store.schema import user as _user

LIFETIME = timedelta(hours=10)  # one working day


@dataclass(frozen=True, slots=True)
class Session:
    """A login. `csrf_token` goes into every form and is compared when one comes back."""

    user_id: int
    csrf_token: str
    created_at: datetime
    expires_at: datetime


def create(
    conn: Connection, user_id: int, now: datetime, lifetime: timedelta = LIFETIME
) -> tuple[str, Session]:
    """A new session and the token for the cookie (256 bits), which is not stored."""
    token = secrets.token_urlsafe(32)
    made = Session(user_id, secrets.token_urlsafe(32), now, now + lifetime)
    conn.execute(
        insert(_session).values(
            token_sha256=_hash(token),
            user_id=user_id,
            csrf_token=made.csrf_token,
            created_at=made.created_at,
            expires_at=made.expires_at,
        )
    )
    return token, made


def by_token(conn: Connection, token: str, now: datetime) -> Session | None:
    """The session of a cookie; None when it has ended or its user may no longer log in."""
    statement = (
        select(_session)
        .join(_user, _user.c.id == _session.c.user_id)
        .where(
            _session.c.token_sha256 == _hash(token),
            _session.c.expires_at > now,
            _user.c.disabled_at.is_(None),
        )
    )
    row = conn.execute(statement).one_or_none()
    if row is None:
        return None
    return Session(row.user_id, row.csrf_token, row.created_at, row.expires_at)


def end(conn: Connection, token: str) -> None:
    """Log out; nothing happens when the session has ended already."""
    conn.execute(delete(_session).where(_session.c.token_sha256 == _hash(token)))


def end_all(conn: Connection, user_id: int) -> None:
    """Log a user out everywhere (after a new password)."""
    conn.execute(delete(_session).where(_session.c.user_id == user_id))


def prune(conn: Connection, now: datetime) -> int:
    """Forget sessions that have ended; how many."""
    return conn.execute(delete(_session).where(_session.c.expires_at <= now)).rowcount


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
