"""What a person sees instead of a page: what happened, and what to do. app.py asks for it."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from attt_collector.web.access import find_viewer
from attt_collector.web.page import render
from attt_collector.words import Words
from attt_rules.errors import AtttError

# (title, what to do) of each status a page can end with.
_WORDS_OF: Mapping[int, tuple[str, str]] = {
    400: ("error.title_400", "error.help_400"),
    403: ("error.title_403", "error.help_403"),
    404: ("error.title_404", "error.help_404"),
    405: ("error.title_405", "error.help_405"),
    422: ("error.title_400", "error.help_400"),
    500: ("error.title_500", "error.help_500"),
    503: ("error.title_503", "error.help_503"),
}


def answer(
    request: Request,
    status: int,
    *,
    headers: Mapping[str, str] | None = None,
    reference: str | None = None,
    error: AtttError | None = None,
) -> Response:
    """The page for a status code, or the redirect when it is one.

    Args:
        headers: of the exception that ended the request; Location, Retry-After and Allow are kept.
        reference: under which the log has the traceback (status 500).
        error: says what happened better than a status code can.
    """
    headers = headers or {}
    if 300 <= status < 400:
        return RedirectResponse(headers["Location"], status)
    # A broken store breaks the look-up of the session as well, and the page must still come.
    viewer = find_viewer(request) if status < 500 else None
    fallback: str = request.app.state.settings.language
    words = viewer.words if viewer is not None else Words(fallback)
    title_key, help_key = _WORDS_OF.get(status, _WORDS_OF[500 if status >= 500 else 400])
    title, advice = words(title_key), words(help_key)
    if error is not None:
        title, advice = f"{error.code}: {words.of(error.message)}", ""
        if error.remedy is not None:
            remedy = words.of(error.remedy)
            advice = remedy[:1].upper() + remedy[1:]
    made = render(
        request,
        "error",
        words=words,
        viewer=viewer,
        status=status,
        title=title,
        help=advice,
        reference=reference,
    )
    for name in ("Retry-After", "Allow"):
        if name in headers:
            made.headers[name] = headers[name]
    return made
