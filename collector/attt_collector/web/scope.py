"""Which units a page is about: all that the viewer may see, or the unit its address names."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Query, Request

from attt_collector.records import Unit
from attt_collector.web.access import LoggedIn, now_of, store_of
from attt_collector.web.assessed import Seen, part_of, seen_by

OWN = "rieng"  # ?pham-vi=rieng: without the units below


def _chosen(
    request: Request,
    viewer: LoggedIn,
    don_vi: Annotated[str, Query(alias="don-vi")] = "",
    pham_vi: Annotated[str, Query(alias="pham-vi")] = "",
) -> Seen:
    store = store_of(request)
    seen = seen_by(store, viewer.user, now_of(request))
    if not don_vi:
        return seen
    return part_of(store, seen, unit_or_404(seen, don_vi), with_below=pham_vi != OWN)


# What the address names with ?don-vi=CODE, with everything below it unless ?pham-vi=rieng.
ChosenPart = Annotated[Seen, Depends(_chosen)]


def unit_or_404(seen: Seen, code: str) -> Unit:
    """The unit with this code; one outside the viewer's subtree does not exist for them."""
    unit = seen.unit(code)
    if unit is None:
        raise HTTPException(404)
    return unit
