"""/thiet-bi: every device in sight, filtered by status, unit and name through the URL."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from attt_collector.web.access import LoggedIn, now_of, store_of
from attt_collector.web.assessed import seen_by
from attt_collector.web.listing import choices, device_rows, filtered, paged
from attt_collector.web.page import render

router = APIRouter(include_in_schema=False)


@router.get("/thiet-bi")
def show(
    request: Request,
    viewer: LoggedIn,
    tim: str = "",
    trang_thai: Annotated[str, Query(alias="trang-thai")] = "",
    trang: int = 1,
) -> Response:
    seen = seen_by(store_of(request), viewer.user, now_of(request))
    wanted = tim.strip()[:100].casefold()
    found = [s for s in seen.devices if wanted in s.asset.name.casefold()]
    rows, query = device_rows(found, seen.as_of), dict(request.query_params)
    return render(
        request,
        "device_list",
        words=viewer.words,
        viewer=viewer,
        seen=seen,
        wanted=tim.strip()[:100],
        status_slug=trang_thai,
        choices=choices(rows, trang_thai, request.url.path, query),
        listed=paged(filtered(rows, trang_thai), trang, request.url.path, query),
        show_unit=True,
    )
