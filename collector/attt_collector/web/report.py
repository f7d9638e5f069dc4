"""/bao-cao: makes the report of a unit for a period and hands it over as a file."""

from __future__ import annotations

import threading
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from attt_collector.records import VIETNAM_TIME, Unit
from attt_collector.report import files, making
from attt_collector.report.period import Period
from attt_collector.store.db import Store
from attt_collector.web.access import LoggedIn, SentForm, Viewer, now_of, store_of
from attt_collector.web.assessed import seen_by, tree
from attt_collector.web.page import render
from attt_collector.web.scope import unit_or_404
from attt_rules.errors import AtttError

MEDIA_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
}
# Judging and typesetting take seconds of CPU, and snapshots must still get their turn.
_AT_ONCE = threading.BoundedSemaphore(1)
_WAIT_SECONDS = 20

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ReportFile:
    name: str
    content: bytes


@router.get("/bao-cao")
def show(request: Request, viewer: LoggedIn) -> Response:
    this_year = str(now_of(request).astimezone(VIETNAM_TIME).year)
    return _form(request, viewer, chosen_unit="", period=this_year)


@router.post("/bao-cao")
def download(
    request: Request,
    viewer: SentForm,
    don_vi: Annotated[str, Form()] = "",
    ky: Annotated[str, Form()] = "",
    dang: Annotated[str, Form()] = "docx",
) -> Response:
    store, now = store_of(request), now_of(request)
    unit = unit_or_404(seen_by(store, viewer.user, now), don_vi)
    if dang not in MEDIA_TYPES:
        raise HTTPException(400)
    if not _AT_ONCE.acquire(timeout=_WAIT_SECONDS):
        raise HTTPException(503, headers={"Retry-After": str(_WAIT_SECONDS)})
    try:
        made = make_report(store, unit, ky, dang, now)
    except AtttError as error:
        return _form(request, viewer, chosen_unit=don_vi, period=ky[:7], error=error)
    finally:
        _AT_ONCE.release()
    return Response(
        made.content,
        media_type=MEDIA_TYPES[dang],
        headers={"Content-Disposition": attachment(made.name)},
    )


def attachment(name: str) -> str:
    """The Content-Disposition of a file to keep (RFC 6266): its name, in ASCII too."""
    letters = unicodedata.normalize("NFKD", name.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(sign for sign in letters if not unicodedata.combining(sign))
    ascii_name = "".join(sign if sign.isascii() else "_" for sign in plain)
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"


def make_report(
    store: Store, unit: Unit, period_text: str, file_format: str, now: datetime
) -> ReportFile:
    """The report of a unit and everything below it, in one of the formats of MEDIA_TYPES.

    Raises:
        AtttError: the period is wrong (ATTT-604, 605) or the report cannot be composed or set.
    """
    template, report = making.make(store, unit.code, Period.parse(period_text), now=now)
    content = files.rendered(report, template.folder, file_format)
    return ReportFile(f"{files.file_stem(report)}.{file_format}", content)


def _form(
    request: Request,
    viewer: Viewer,
    *,
    chosen_unit: str,
    period: str,
    error: AtttError | None = None,
) -> Response:
    seen = seen_by(store_of(request), viewer.user, now_of(request))
    return render(
        request,
        "report",
        words=viewer.words,
        viewer=viewer,
        status=200 if error is None else 422,
        units=tree(seen.assessment.units),
        chosen_unit=chosen_unit,
        period=period,
        error=error,
    )
