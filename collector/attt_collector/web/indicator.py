"""/chi-tieu and /chi-tieu/{id}: a figure of the report, how it is counted, and who is in it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from attt_collector.judge.indicators import units_without_plan
from attt_collector.web.access import LoggedIn
from attt_collector.web.figures import figure, figures
from attt_collector.web.listing import paged
from attt_collector.web.members import figure_members, member_choices, member_filtered
from attt_collector.web.page import render
from attt_collector.web.scope import ChosenPart

router = APIRouter(include_in_schema=False)


@router.get("/chi-tieu")
def show_all(request: Request, viewer: LoggedIn, seen: ChosenPart) -> Response:
    return render(
        request,
        "indicator_list",
        words=viewer.words,
        viewer=viewer,
        seen=seen,
        figures=figures(seen, viewer.words.language),
    )


@router.get("/chi-tieu/{indicator_id}")
def show(
    request: Request,
    viewer: LoggedIn,
    seen: ChosenPart,
    indicator_id: str,
    *,
    trang_thai: Annotated[str, Query(alias="trang-thai")] = "",
    trang: int = 1,
) -> Response:
    spec = seen.pack.indicators.get(indicator_id)
    if spec is None:
        raise HTTPException(404)
    members, query = figure_members(seen, indicator_id), dict(request.query_params)
    return render(
        request,
        "indicator",
        words=viewer.words,
        viewer=viewer,
        seen=seen,
        figure=figure(spec, seen.figures[indicator_id], viewer.words.language),
        rule=seen.pack.rules.get(spec.rule) if spec.rule else None,
        without_plan=units_without_plan(seen.assessment, indicator_id),
        choices=member_choices(members, trang_thai, request.url.path, query),
        listed=paged(member_filtered(members, trang_thai), trang, request.url.path, query),
    )
