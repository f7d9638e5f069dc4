"""/don-vi/{code}: one unit's figures and devices, with or without the units below it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from attt_collector.judge.evaluate import Subject
from attt_collector.records import Unit
from attt_collector.store import assets
from attt_collector.web.access import LoggedIn, now_of, store_of
from attt_collector.web.assessed import Seen, part_of, seen_by
from attt_collector.web.figures import MAIN_FIGURES, figures
from attt_collector.web.listing import address, choices, device_rows, filtered, paged
from attt_collector.web.page import render
from attt_collector.web.scope import OWN, unit_or_404
from attt_rules.contract import AssetKind

router = APIRouter(include_in_schema=False)


@router.get("/don-vi/{code}")
def show(
    request: Request,
    viewer: LoggedIn,
    code: str,
    *,
    trang_thai: Annotated[str, Query(alias="trang-thai")] = "",
    pham_vi: Annotated[str, Query(alias="pham-vi")] = "",
    trang: int = 1,
) -> Response:
    store = store_of(request)
    seen = seen_by(store, viewer.user, now_of(request))
    unit = unit_or_404(seen, code)
    whole = part_of(store, seen, unit, with_below=True)
    part = whole if pham_vi != OWN else part_of(store, seen, unit, with_below=False)
    rows, query = device_rows(part.devices, seen.as_of), dict(request.query_params)
    sites = part.assessment.of_kinds([AssetKind.SITE])
    site = next((subject for subject in sites if subject.unit.id == unit.id), None)
    return render(
        request,
        "unit",
        words=viewer.words,
        viewer=viewer,
        seen=part,
        unit=unit,
        site=site,
        above=ancestors(seen, unit),
        below_count=len(whole.assessment.units) - 1,
        own_only=pham_vi == OWN,
        own_href=address(request.url.path, query, pham_vi=OWN),
        whole_href=address(request.url.path, query, pham_vi=""),
        figures=figures(part, viewer.words.language),
        main_count=MAIN_FIGURES,
        part_query=address("", {}, don_vi=code, pham_vi=pham_vi),
        status_slug=trang_thai,
        choices=choices(rows, trang_thai, request.url.path, query),
        listed=paged(filtered(rows, trang_thai), trang, request.url.path, query),
        show_unit=len(part.assessment.units) > 1,
        same_names=same_names(part.devices),
    )


def same_names(devices: Iterable[Subject]) -> tuple[str, ...]:
    """The names that two devices of one unit share, by name."""
    sharing = assets.sharing_a_name(subject.asset for subject in devices)
    return tuple(sorted({asset.name for asset in sharing}))


def ancestors(seen: Seen, unit: Unit) -> tuple[Unit, ...]:
    """The units above it that the viewer may see, from the top."""
    by_id = {each.id: each for each in seen.assessment.units}
    found: list[Unit] = []
    above = by_id.get(unit.parent_id) if unit.parent_id is not None else None
    while above is not None and above not in found:
        found.insert(0, above)
        above = by_id.get(above.parent_id) if above.parent_id is not None else None
    return tuple(found)
