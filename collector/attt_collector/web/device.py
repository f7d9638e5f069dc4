"""/thiet-bi/{device_id}: everything that is known of one device, down to where it was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from attt_collector.judge.evaluate import Subject
from attt_collector.store import findings as finding_store
from attt_collector.store.db import Store
from attt_collector.web.access import LoggedIn, now_of, store_of
from attt_collector.web.assessed import Seen, is_silent, seen_by, state_of
from attt_collector.web.figures import Bar
from attt_collector.web.page import render
from attt_collector.web.unit import ancestors
from attt_rules.contract import AssetKind, Finding, Status
from attt_rules.pack import Requirement, Rule

# Same order as in lists of devices: what needs work stands first.
_ORDER = (Status.FAIL, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class FindingRow:
    """`since`: from when on the rule says so; None when the store has not noted this status."""

    finding: Finding
    rule: Rule
    requirement: Requirement
    since: datetime | None


@router.get("/thiet-bi/{device_id}")
def show(request: Request, viewer: LoggedIn, device_id: str) -> Response:
    store = store_of(request)
    seen = seen_by(store, viewer.user, now_of(request))
    subject = seen.subject(device_id)
    if subject is None:
        raise HTTPException(404)
    rows = finding_rows(store, seen, subject)
    return render(
        request,
        "device",
        words=viewer.words,
        viewer=viewer,
        seen=seen,
        subject=subject,
        asset=subject.asset,
        above=(*ancestors(seen, subject.unit), subject.unit),
        is_site=subject.asset.kind is AssetKind.SITE,
        state=state_of(subject),
        bar=Bar.of(subject.findings),
        silent=is_silent(subject, seen.as_of),
        rows=rows,
    )


def finding_rows(store: Store, seen: Seen, subject: Subject) -> tuple[FindingRow, ...]:
    """Every finding with its rule and clause, fails first."""
    with store.read() as conn:
        stored = finding_store.current(conn, [subject.asset.id], seen.pack.id)
    noted = {(s.rule_id, s.status): s.since for s in stored.get(subject.asset.id, ())}
    found = []
    for finding in sorted(subject.findings, key=lambda each: _ORDER.index(each.status)):
        rule = seen.pack.rules[finding.rule_id]
        requirement = seen.pack.requirements[rule.requirement]
        since = noted.get((finding.rule_id, finding.status))
        found.append(FindingRow(finding, rule, requirement, since))
    return tuple(found)
