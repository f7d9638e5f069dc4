"""POST /ngon-ngu: the language of the pages; kept with the user, so the next login has it too."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from attt_collector.store import users
from attt_collector.web.access import SentForm, local_path, store_of
from attt_collector.words import LANGUAGES

router = APIRouter(include_in_schema=False)


@router.post("/ngon-ngu")
def choose(
    request: Request,
    viewer: SentForm,
    ngon_ngu: Annotated[str, Form()],
    tiep: Annotated[str, Form()] = "/",
) -> Response:
    if ngon_ngu not in LANGUAGES:
        raise HTTPException(400)
    store_of(request).write(lambda conn: users.set_language(conn, viewer.user.id, ngon_ngu))
    return RedirectResponse(local_path(tiep), 303)
