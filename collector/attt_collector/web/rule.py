"""/quy-tac and /quy-tac/{rule_id}: what is asked, on what ground, and who does not meet it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from attt_collector.web.access import LoggedIn
from attt_collector.web.figures import Bar
from attt_collector.web.listing import paged
from attt_collector.web.members import member_choices, member_filtered, rule_members
from attt_collector.web.page import render
from attt_collector.web.scope import ChosenPart

router = APIRouter(include_in_schema=False)


@router.get("/quy-tac")
def show_all(request: Request, viewer: LoggedIn, seen: ChosenPart) -> Response:
    tallies = sorted(seen.tallies, key=lambda tally: tally.rule.code)
    return render(
        request,
        "rule_list",
        words=viewer.words,
        viewer=viewer,
        seen=seen,
        rows=[(t, Bar(t.passed, t.failed, t.unknown)) for t in tallies],
    )


@router.get("/quy-tac/{rule_id}")
def show(
    request: Request,
    viewer: LoggedIn,
    seen: ChosenPart,
    rule_id: str,
    *,
    trang_thai: Annotated[str, Query(alias="trang-thai")] = "",
    trang: int = 1,
) -> Response:
    rule = seen.pack.rules.get(rule_id)
    if rule is None:
        raise HTTPException(404)
    tally = next(each for each in seen.tallies if each.rule.id == rule_id)
    members, query = rule_members(seen, rule_id), dict(request.query_params)
    return render(
        request,
        "rule",
        words=viewer.words,
        viewer=viewer,
        seen=seen,
        rule=rule,
        requirement=seen.pack.requirements[rule.requirement],
        bar=Bar(tally.passed, tally.failed, tally.unknown),
        not_applicable=tally.not_applicable,
        choices=member_choices(members, trang_thai, request.url.path, query),
        listed=paged(member_filtered(members, trang_thai), trang, request.url.path, query),
    )
