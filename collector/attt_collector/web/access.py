"""Who may see what: sessions, the two guards of every form, and a limit on password guessing.

The cookie holds 256 random bits, the store only their hash. A form must come from our own pages
(Origin) and carry the session's token.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import Depends, Form, HTTPException, Request

from attt_collector.records import User
from attt_collector.store import sessions, users
from attt_collector.store.db import Store
from attt_collector.words import Words

LOGIN_PATH = "/dang-nhap"
_MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Viewer:
    """A user who has logged in. `token` is the cookie's, `csrf_token` what their forms carry."""

    user: User
    token: str
    csrf_token: str

    @property
    def words(self) -> Words:
        return Words(self.user.language)


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def now_of(request: Request) -> datetime:
    """What time the app says it is."""
    now: datetime = request.app.state.clock()
    return now


def cookie_name(store: Store) -> str:
    """Each store has its own: cookies know no ports, and two collectors may share a host."""
    return f"__Host-attt-{store.instance_id[:8]}"


def find_viewer(request: Request) -> Viewer | None:
    """Who is looking; None when nobody has logged in or the session is over."""
    store = store_of(request)
    token = request.cookies.get(cookie_name(store), "")
    if not token:
        return None
    with store.read() as conn:
        session = sessions.by_token(conn, token, now_of(request))
        user = users.by_id(conn, session.user_id) if session is not None else None
    if session is None or user is None:
        return None
    return Viewer(user, token, session.csrf_token)


def _require_viewer(request: Request) -> Viewer:
    viewer = find_viewer(request)
    if viewer is None:
        query = f"?{request.url.query}" if request.url.query else ""
        wanted = f"{request.url.path}{query}" if request.method == "GET" else "/"
        again = f"?{urlencode({'tiep': wanted})}" if wanted != "/" else ""
        raise HTTPException(303, headers={"Location": f"{LOGIN_PATH}{again}"})
    return viewer


def require_own_origin(request: Request) -> None:
    """Refuse a form that another site made the browser send.

    Only host and port are compared: behind a reverse proxy the scheme differs.
    """
    origin = urlsplit(request.headers.get("origin", ""))
    if not origin.netloc or origin.netloc != request.headers.get("host"):
        raise HTTPException(403)


LoggedIn = Annotated[Viewer, Depends(_require_viewer)]


def _require_form(request: Request, viewer: LoggedIn, csrf: Annotated[str, Form()] = "") -> Viewer:
    require_own_origin(request)
    if not secrets.compare_digest(csrf.encode(), viewer.csrf_token.encode()):
        raise HTTPException(403)
    return viewer


SentForm = Annotated[Viewer, Depends(_require_form)]


def local_path(wanted: str) -> str:
    """`wanted` when it is a path of ours, else "/": nobody is sent elsewhere after a login."""
    parts = urlsplit(wanted)
    if not wanted.startswith("/") or wanted.startswith("//") or parts.netloc or parts.scheme:
        return "/"
    if any(ord(sign) < 33 or sign == "\\" for sign in wanted):
        return "/"
    return wanted


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `attempts` failures `within` a span."""

    attempts: int
    within: timedelta


# A person mistypes a few times; a whole office may sit behind one address.
PER_LOGIN_AND_ADDRESS = Limit(5, timedelta(minutes=15))
PER_ADDRESS = Limit(30, timedelta(minutes=15))
# Guessing from many addresses. Higher than the others, because it also locks out the owner.
PER_LOGIN = Limit(60, timedelta(minutes=15))

# (login, address); None is "any". An empty login is a login like any other.
_Key = tuple[str | None, str | None]


@dataclass(slots=True)
class LoginLimiter:
    """Counts failed logins, in the memory of this process."""

    _failures: dict[_Key, deque[datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, login: str, address: str, now: datetime) -> timedelta:
        """How long this login must wait from this address; zero when it may try."""
        with self._lock:
            waits = [self._wait(key, limit, now) for key, limit in _keys(login, address)]
        return max(waits)

    def failed(self, login: str, address: str, now: datetime) -> None:
        with self._lock:
            if len(self._failures) > _MAX_KEYS:
                self._forget(now)
            for key, limit in _keys(login, address):
                kept = self._failures.setdefault(key, deque(maxlen=limit.attempts))
                kept.append(now)

    def succeeded(self, login: str, address: str) -> None:
        """Forget a person's own mistakes; those of the address stay."""
        with self._lock:
            self._failures.pop((login, address), None)

    def _wait(self, key: _Key, limit: Limit, now: datetime) -> timedelta:
        kept = self._failures.get(key)
        if kept is None or len(kept) < limit.attempts:
            return timedelta()
        return max(timedelta(), kept[0] + limit.within - now)

    def _forget(self, now: datetime) -> None:
        longest = max(each.within for each in (PER_LOGIN_AND_ADDRESS, PER_ADDRESS, PER_LOGIN))
        self._failures = {
            key: kept for key, kept in self._failures.items() if kept[-1] + longest > now
        }


def _keys(login: str, address: str) -> tuple[tuple[_Key, Limit], ...]:
    return (
        ((login, address), PER_LOGIN_AND_ADDRESS),
        ((None, address), PER_ADDRESS),
        ((login, None), PER_LOGIN),
    )
