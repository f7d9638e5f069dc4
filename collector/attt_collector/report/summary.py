"""The result of an evaluation for a terminal: rule by rule, and asset by asset when few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attt_collector.judge import indicators
from attt_collector.judge.evaluate import Assessment, Subject
from attt_collector.report import numbers
from attt_collector.report.explain import evidence_lines, standing_words
from attt_collector.report.wording import when
from attt_collector.words import Words
from attt_rules.contract import AssetKind, Status

# A longer list is read in the report's annexes or with `explain`, not on a terminal.
ASSETS_LISTED_UP_TO = 20

_MARKS = {
    Status.PASS: "[+]",
    Status.FAIL: "[-]",
    Status.UNKNOWN: "[?]",
    Status.NOT_APPLICABLE: "[ ]",
}


def text(assessment: Assessment, words: Words) -> str:
    """A table of all rules; below it every asset with its evidence when they are 20 or fewer."""
    return "\n".join(_lines(assessment, words)) + "\n"


def to_json(assessment: Assessment) -> dict[str, Any]:
    """The whole assessment in plain JSON types."""
    return {
        "as_of": assessment.as_of.isoformat(),
        "pack": {"id": assessment.pack.id, "version": assessment.pack.version},
        "units": [unit.code for unit in assessment.units],
        "rules": [
            {
                "id": tally.rule.id,
                "code": tally.rule.code,
                "pass": tally.passed,
                "fail": tally.failed,
                "unknown": tally.unknown,
                "not_applicable": tally.not_applicable,
            }
            for tally in indicators.tallies(assessment)
        ],
        "indicators": [
            {
                "id": value.id,
                "count": value.count,
                "of": value.of,
                "failed": value.failed,
                "unknown": value.unknown,
                "not_applicable": value.not_applicable,
            }
            for value in indicators.count(assessment).values()
        ],
        "assets": [_asset_json(subject) for subject in assessment.subjects],
    }


def _asset_json(subject: Subject) -> dict[str, Any]:
    return {
        "device_id": subject.asset.device_id,
        "name": subject.asset.name,
        "kind": subject.asset.kind.value,
        "unit": subject.unit.code,
        "standing": subject.standing.value,
        "snapshot_sha256": subject.snapshot.sha256 if subject.snapshot else None,
        "findings": [
            {
                "rule": finding.rule_id,
                "status": finding.status.value,
                "evidence": [fact.to_wire() for fact in finding.evidence],
                "missing": list(finding.missing),
            }
            for finding in subject.findings
        ],
    }


def _lines(assessment: Assessment, words: Words) -> Iterator[str]:
    pack = assessment.pack
    yield words.of(pack.title)
    yield words("terminal.pack", id=pack.id, version=pack.version)
    yield words("terminal.as_of", when=when(assessment.as_of))
    devices = [s for s in assessment.subjects if s.asset.kind is not AssetKind.SITE]
    yield words(
        "terminal.scope",
        units=numbers.counted(len(assessment.units), words.language),
        devices=numbers.counted(len(devices), words.language),
    )
    yield ""
    yield (
        f"{words('terminal.head_code'):<10} {words('terminal.head_pass'):>7} "
        f"{words('terminal.head_fail'):>7} {words('terminal.head_unknown'):>8} "
        f"{words('terminal.head_not_applicable'):>10}  {words('terminal.head_rule')}"
    )
    for tally in indicators.tallies(assessment):
        passed, failed, unknown, not_applicable = (
            numbers.integer(count, words.language)
            for count in (tally.passed, tally.failed, tally.unknown, tally.not_applicable)
        )
        yield (
            f"{tally.rule.code:<10} {passed:>7} {failed:>7} {unknown:>8} "
            f"{not_applicable:>10}  {words.of(tally.rule.title)}"
        )
    yield ""
    if len(devices) > ASSETS_LISTED_UP_TO:
        yield words("terminal.hint")
        return
    for number, subject in enumerate(assessment.subjects):
        if number:
            yield ""
        yield from _asset_lines(assessment, subject, words)


def _asset_lines(assessment: Assessment, subject: Subject, words: Words) -> Iterator[str]:
    is_site = subject.asset.kind is AssetKind.SITE
    unit = subject.unit
    name = words("terminal.site_name", unit=unit.name) if is_site else subject.asset.name
    yield f"{name} - {unit.name} ({unit.code})"
    yield f"  {standing_words(subject, words)}"
    for finding in subject.findings:
        rule = assessment.pack.rules[finding.rule_id]
        mark, word = _MARKS[finding.status], words.word(finding.status)
        yield f"  {mark} {word}: {words.of(rule.title)} ({rule.code})"
        yield from evidence_lines(finding.evidence, finding.missing, "        ", words)
        if finding.status is Status.FAIL:
            yield f"        {words('terminal.fix', fix=words.of(rule.fix))}"
