"""/dang-nhap, /dang-xuat: how a session begins and ends."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from math import ceil
from typing import Annotated
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from attt_collector.records import User
from attt_collector.store import sessions, users
from attt_collector.store.db import Store
from attt_collector.web.access import (
    LOGIN_PATH,
    LoginLimiter,
    SentForm,
    cookie_name,
    find_viewer,
    local_path,
    now_of,
    require_own_origin,
    store_of,
)
from attt_collector.web.page import render
from attt_collector.words import LANGUAGES, Words

# Checking a password takes 64 MiB and about 0.3 s. One at a time, and only a short queue: a flood
# of logins must neither fill the memory nor hold up the snapshots.
_WAITING_LIMIT = 8
_LOGIN_CHARS = 64
_PASSWORD_CHARS = 1024

router = APIRouter(include_in_schema=False)
_log = logging.getLogger("attt.web")


@dataclass(slots=True)
class _Door:
    """The limits of one store's login page."""

    limiter: LoginLimiter = field(default_factory=LoginLimiter)
    checker: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="password")
    )
    waiting: int = 0


_doors: WeakKeyDictionary[Store, _Door] = WeakKeyDictionary()
_doors_lock = threading.Lock()


def _door_of(store: Store) -> _Door:
    with _doors_lock:
        return _doors.setdefault(store, _Door())


@router.get(LOGIN_PATH)
def show(request: Request, tiep: str = "/", ngon_ngu: str = "") -> Response:
    wanted = local_path(tiep)
    if find_viewer(request) is not None:
        return RedirectResponse(wanted, 303)
    return _form(request, _language(request, ngon_ngu), wanted, ngon_ngu)


@router.post(LOGIN_PATH, dependencies=[Depends(require_own_origin)])
async def log_in(
    request: Request,
    ten: Annotated[str, Form()] = "",
    mat_khau: Annotated[str, Form()] = "",
    tiep: Annotated[str, Form()] = "/",
    ngon_ngu: Annotated[str, Form()] = "",
) -> Response:
    store, now, wanted = store_of(request), now_of(request), local_path(tiep)
    login, address = ten.strip()[:_LOGIN_CHARS], request.client.host if request.client else ""
    language, door = _language(request, ngon_ngu), _door_of(store)
    words = Words(language)

    wait = door.limiter.wait(login, address, now)
    if wait:
        _log.warning("event=login_limited login=%r address=%s", login, address)
        minutes = ceil(wait.total_seconds() / 60)
        said = words("login.too_many", minutes=minutes)
        refused = _form(request, language, wanted, ngon_ngu, login=login, error=said, status=429)
        refused.headers["Retry-After"] = str(ceil(wait.total_seconds()))
        return refused
    if door.waiting >= _WAITING_LIMIT:
        said = words("login.busy")
        refused = _form(request, language, wanted, ngon_ngu, login=login, error=said, status=503)
        refused.headers["Retry-After"] = "5"
        return refused

    door.waiting += 1
    try:
        user = await asyncio.get_running_loop().run_in_executor(
            door.checker, _checked, store, login, mat_khau[:_PASSWORD_CHARS]
        )
    finally:
        door.waiting -= 1
    if user is None:
        door.limiter.failed(login, address, now)
        _log.warning("event=login_failed login=%r address=%s", login, address)
        said = words("login.wrong")
        return _form(request, language, wanted, ngon_ngu, login=login, error=said, status=401)
    door.limiter.succeeded(login, address)
    _log.info("event=login user=%d address=%s", user.id, address)
    chosen = ngon_ngu if ngon_ngu in LANGUAGES else None
    token = await store.write_async(
        lambda conn: _begin(conn, user, now, request.cookies.get(cookie_name(store)), chosen)
    )
    answer = RedirectResponse(wanted, 303)
    answer.set_cookie(
        cookie_name(store),
        token,
        max_age=int(sessions.LIFETIME.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("/dang-xuat")
def log_out(request: Request, viewer: SentForm) -> Response:
    store = store_of(request)
    store.write(lambda conn: sessions.end(conn, viewer.token))
    answer = RedirectResponse(LOGIN_PATH, 303)
    answer.delete_cookie(cookie_name(store), path="/", secure=True, httponly=True, samesite="lax")
    return answer


def _checked(store: Store, login: str, password: str) -> User | None:
    """The user when login and password are right. Takes as long when there is no such user."""
    with store.read() as conn:
        user = users.by_login(conn, login)
    right = users.password_matches(user.password_hash if user else _nobody(), password)
    return user if user is not None and right and user.disabled_at is None else None


@cache
def _nobody() -> str:
    return users.hash_password(users.generate_password())


def _begin(
    conn: Connection, user: User, now: datetime, old_token: str | None, language: str | None
) -> str:
    if old_token:
        sessions.end(conn, old_token)
    sessions.prune(conn, now)
    if language is not None and language != user.language:
        users.set_language(conn, user.id, language)
    token, _ = sessions.create(conn, user.id, now)
    return token


def _language(request: Request, chosen: str) -> str:
    fallback: str = request.app.state.settings.language
    return chosen if chosen in LANGUAGES else fallback


def _form(
    request: Request,
    language: str,
    wanted: str,
    chosen: str,
    *,
    login: str = "",
    error: str | None = None,
    status: int = 200,
) -> Response:
    return render(
        request,
        "login",
        words=Words(language),
        status=status,
        wanted=wanted,
        chosen=chosen if chosen in LANGUAGES else "",
        login=login,
        error=error,
    )
