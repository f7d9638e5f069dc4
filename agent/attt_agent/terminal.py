"""Facts and findings as lines for a terminal and as JSON for programs."""

from __future__ import annotations

import errno
import io
import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Dict, Iterator, Optional, Sequence, TextIO, Tuple

from attt_agent.messages import Messages
from attt_rules.contract import AssetKind, Fact, Finding, Status, Text
from attt_rules.errors import AtttError

if TYPE_CHECKING:
    from attt_rules.pack import Pack, Rule

_ORDER = (Status.FAIL, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)


def prepare_streams() -> None:
    """Let every letter through, or "?" in its place rather than an end half way.

    Into a pipe or a file a Windows Python writes the PC's old code page, which lacks Vietnamese
    letters: there it is UTF-8, unless PYTHONIOENCODING says otherwise. A Windows console takes
    every letter in either case.
    """
    utf_8 = sys.platform == "win32" and not os.environ.get("PYTHONIOENCODING")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8" if utf_8 else None, errors="replace")


def fact_line(fact: Fact, say: Messages) -> str:
    """`firewall.enabled [host] = có    ← nft -j list ruleset`."""
    name = fact.key if fact.item is None else "%s [%s]" % (fact.key, fact.item)
    return "%s = %s    ← %s" % (name, _value(fact, say), fact.source)


def _value(fact: Fact, say: Messages) -> str:
    value = fact.value
    if fact.unreadable is not None:
        reason = say("unreadable.%s" % fact.unreadable.value)
        return say("facts.unreadable", reason=reason)
    if isinstance(value, bool):
        return say("value.true" if value else "value.false")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return ", ".join(value) if value else say("value.none")
    return str(value)


def check_lines(
    findings: Sequence[Finding], pack: Pack, kind: AssetKind, say: Messages
) -> Iterator[str]:
    """Rule by rule, failures first: status, title, clause, evidence and, for a fail, the fix."""
    if not findings:
        yield say("check.none", pack=pack.id, kind=say("kind.%s" % kind.value))
        return
    for finding in sorted(findings, key=lambda f: _ORDER.index(f.status)):
        rule = pack.rules[finding.rule_id]
        yield ""
        yield "[%s] %s  %s" % (
            say("status.%s" % finding.status.value),
            rule.code,
            rule.title.in_language(say.language),
        )
        for clause in clauses(pack, rule):
            yield "    %s" % say("check.clause", clause=clause)
        for fact in finding.evidence:
            yield "    %s" % fact_line(fact, say)
        for key in finding.missing:
            yield "    %s" % say("check.missing", key=key)
        if finding.status is Status.FAIL:
            yield "    %s" % say("check.fix", fix=rule.fix.in_language(say.language))
    yield ""
    counts = count_by_status(findings)
    yield say(
        "check.summary",
        total=len(findings),
        passed=counts[Status.PASS],
        failed=counts[Status.FAIL],
        unknown=counts[Status.UNKNOWN],
        not_applicable=counts[Status.NOT_APPLICABLE],
    )


def check_json(
    findings: Sequence[Finding], pack: Pack, name: str, kind: AssetKind, as_of: datetime
) -> Dict[str, Any]:
    """The same for programs; texts in both languages, facts as on the wire."""
    return {
        "asset": {"name": name, "kind": kind.value},
        "pack": pack.id,
        "as_of": as_of.isoformat(),
        "summary": {status.value: n for status, n in count_by_status(findings).items()},
        "findings": [_finding_json(finding, pack) for finding in findings],
    }


def _finding_json(finding: Finding, pack: Pack) -> Dict[str, Any]:
    rule = pack.rules[finding.rule_id]
    return {
        "rule": rule.id,
        "code": rule.code,
        "status": finding.status.value,
        "severity": rule.severity.value,
        "title": {"vi": rule.title.vi, "en": rule.title.en},
        "clauses": list(clauses(pack, rule)),
        "evidence": [fact.to_wire() for fact in finding.evidence],
        "missing": list(finding.missing),
        "fix": {"vi": rule.fix.vi, "en": rule.fix.en},
    }


def clauses(pack: Pack, rule: Rule) -> Tuple[str, ...]:
    """What the rule stands on: document, edition and clause of its requirement."""
    requirement = pack.requirements[rule.requirement]
    told = []
    for said in requirement.citations:
        # "TCVN 14423:2026" says its edition itself.
        edition = "" if said.edition in said.document else "(%s)" % said.edition
        told.append(" ".join(part for part in (said.document, edition, said.clause) if part))
    return tuple(told)


def count_by_status(findings: Sequence[Finding]) -> Dict[Status, int]:
    """Every status, also those that nothing has."""
    counts = dict.fromkeys(Status, 0)
    for finding in findings:
        counts[finding.status] += 1
    return counts


def exit_code_of(findings: Sequence[Finding]) -> int:
    """0 all applicable rules pass, 1 one fails, 2 none fails and something is unknown."""
    counts = count_by_status(findings)
    if counts[Status.FAIL]:
        return 1
    # No rule at all is no clean bill either.
    applicable = counts[Status.PASS] + counts[Status.UNKNOWN]
    return 2 if counts[Status.UNKNOWN] or not applicable else 0


# What a write into a full or broken device says; all else that fails is not the output's fault.
_NO_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def output_error(error: OSError) -> Optional[AtttError]:
    """The error for a person when `error` came from writing to the standard output, or None.

    The stream's descriptor is turned to nowhere then: what is still in the buffer would fail
    once more at the end of the program, behind everybody's back.
    """
    if error.errno not in _NO_OUTPUT or error.filename is not None:
        return None
    abandon(sys.stdout)
    why = error.strerror or type(error).__name__
    return AtttError(
        "ATTT-331",
        Text(
            vi="Không ghi được kết quả ra đầu ra chuẩn: %s." % why,
            en="The result cannot be written to the standard output: %s." % why,
        ),
        Text(
            vi="kết quả in ra bị thiếu, đừng dùng; giải phóng ổ đĩa rồi chạy lại.",
            en="What was printed is not complete, do not use it; free some space and run again.",
        ),
        permanent=False,
    )


def abandon(stream: TextIO) -> None:
    """Nothing that is still to be written to this stream goes anywhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def note(text: str) -> None:
    """A word to the person, on the standard error stream.

    Where that takes nothing either, the exit code must still be the one we choose: Python's own
    for an error would be 1, with which `attt check` says that a rule fails.
    """
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        abandon(sys.stderr)


def error_lines(error: AtttError, say: Messages) -> Iterator[str]:
    """Vietnamese with the English below, or English alone for who asked for it."""
    if say.language != "en":
        yield str(error)
        return
    yield "%s  %s" % (error.code, error.message.en)
    if error.remedy is not None:
        yield "          %s" % say("error.remedy", remedy=error.remedy.en)
