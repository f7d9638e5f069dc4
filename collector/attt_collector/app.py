"""Builds the web application; the only place where routes are joined.

Routes are found, not listed: every module of `api` with `routes`, every module of `web` with a
`router` (FastAPI), and the files of `web/static`.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from attt_collector import api, web
from attt_collector.api import errors
from attt_collector.settings import CollectorFolder, Settings
from attt_collector.store.db import Store
from attt_collector.web import errors as pages
from attt_rules.errors import AtttError

_STATIC = Path(__file__).parent / "web" / "static"
_HEADERS = {
    # Everything comes from ourselves; data: is for the small icons inside the style sheet.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_log = logging.getLogger("attt.app")


def build_app(
    store: Store,
    *,
    clock: Callable[[], datetime],
    ca_certificate: bytes,
    settings: Settings,
    folder: CollectorFolder | None = None,
) -> FastAPI:
    """The application over an open store.

    Args:
        clock: the aware time of now; a request takes its time from here only.
        ca_certificate: PEM, what /api/v1/ca answers.
        folder: where reports are written; None when there is no such place.

    What pages and routes find in `request.app.state`: store, clock, settings, folder, refusals,
    ca_certificate.
    """
    app = FastAPI(title="attt-collector", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.store = store
    app.state.clock = clock
    app.state.ca_certificate = ca_certificate
    app.state.settings = settings
    app.state.folder = folder
    app.state.refusals = errors.Refusals()
    for module in _modules(api):
        app.router.routes.extend(getattr(module, "routes", ()))
    for module in _modules(web):
        if hasattr(module, "router"):
            app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_exception_handler(AtttError, _refuse)
    app.add_exception_handler(HTTPException, _no_such_thing)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_middleware(Isolation)
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, AtttError):
        raise error
    request.app.state.refusals.note(error, request)
    refused = errors.answer(error)
    if _is_api(request):
        return refused
    return await run_in_threadpool(
        pages.answer, request, refused.status_code, headers=refused.headers, error=error
    )


async def _no_such_thing(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if _is_api(request):
        return errors.no_such_resource(request.method, request.url.path, error.status_code)
    return await run_in_threadpool(pages.answer, request, error.status_code, headers=error.headers)


async def _bad_request(request: Request, error: Exception) -> Response:
    # Only pages have typed parameters; the API reads its bodies itself.
    return await run_in_threadpool(pages.answer, request, 400)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


class Isolation:
    """The loop that isolates a request: headers for every answer, and no traceback in any.

    What nobody foresaw is logged with its traceback under a random reference; the sender gets that
    reference and ATTT-230.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            reference = secrets.token_hex(4)
            _log.exception("event=request_failed reference=%s path=%r", reference, scope["path"])
            if started:  # half an answer is out; the server has to cut the line
                raise
            request = Request(scope)
            failed: Response = errors.internal_error(reference)
            if not _is_api(request):
                failed = await run_in_threadpool(pages.answer, request, 500, reference=reference)
            await failed(scope, receive, send_with_headers)


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        yield importlib.import_module(f"{package.__name__}.{found.name}")
