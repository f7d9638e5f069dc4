"""The devices behind a count, one by one, each with what was said about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attt_collector.judge import indicators
from attt_collector.judge.indicators import Member
from attt_collector.web.assessed import Seen
from attt_collector.web.listing import SLUG_OF, Choice, address
from attt_rules.contract import Fact, Status

_ORDER = tuple(SLUG_OF)
REASONS_SHOWN = 4


def rule_members(seen: Seen, rule_id: str) -> tuple[Member, ...]:
    """Every asset a rule was asked about, fails first."""
    return _sorted(
        Member(subject, finding.status, finding.evidence, finding.missing)
        for subject in seen.assessment.subjects
        for finding in subject.findings
        if finding.rule_id == rule_id
    )


def figure_members(seen: Seen, indicator_id: str) -> tuple[Member, ...]:
    """Everything that a figure counts or leaves out, fails first."""
    return _sorted(indicators.members(seen.assessment, indicator_id))


def member_filtered(members: tuple[Member, ...], slug: str) -> tuple[Member, ...]:
    """The members with one status; an unknown filter leaves all."""
    if slug not in SLUG_OF.values():
        return members
    return tuple(member for member in members if SLUG_OF[member.status] == slug)


def member_choices(
    members: tuple[Member, ...], slug: str, path: str, query: Mapping[str, str]
) -> tuple[Choice, ...]:
    """All, and each status that occurs."""
    all_of_them = slug not in SLUG_OF.values()
    href = address(path, query, trang_thai="")
    found = [Choice("", None, href, len(members), all_of_them)]
    for status, name in SLUG_OF.items():
        count = sum(1 for member in members if member.status is status)
        if count or name == slug:
            href = address(path, query, trang_thai=name)
            found.append(Choice(name, status, href, count, name == slug))
    return tuple(found)


def reasons(member: Member) -> tuple[Fact, ...]:
    """The few facts a list shows for a member: one of a pass, what could not be read first."""
    facts = sorted(member.evidence, key=lambda fact: fact.unreadable is None)
    return tuple(facts[: 1 if member.status is Status.PASS else REASONS_SHOWN])


def _sorted(members: Iterable[Member]) -> tuple[Member, ...]:
    return tuple(
        sorted(
            members,
            key=lambda m: (_ORDER.index(m.status), m.subject.unit.code, m.subject.asset.name),
        )
    )
