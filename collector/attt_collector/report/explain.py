"""Walks a figure back: indicator -> who counts how -> rule -> facts -> source, snapshot, hash."""

from __future__ import annotations

from collections.abc import Iterator

from attt_collector.judge import indicators
from attt_collector.judge.evaluate import Assessment, Standing, Subject
from attt_collector.judge.indicators import Member
from attt_collector.records import IndicatorValue
from attt_collector.report import numbers
from attt_rules.contract import Fact, FactValue, Status
from attt_rules.pack import (
    AllOf,
    AnyItem,
    AnyOf,
    Compare,
    Condition,
    IndicatorKind,
    IndicatorSpec,
    Not,
)

STATUS_WORDS = {
    Status.FAIL: "Không đạt",
    Status.UNKNOWN: "Chưa xác định",
    Status.PASS: "Đạt",
    Status.NOT_APPLICABLE: "Không áp dụng",
}
KIND_WORDS = {
    "pc": "máy vi tính",
    "server": "máy chủ",
    "network_device": "thiết bị mạng",
    "site": "trụ sở đơn vị",
}
_OPERATORS = {
    "eq": "=",
    "ne": "≠",
    "ge": "≥",
    "le": "≤",
    "in": "thuộc",
}


def explain(assessment: Assessment, indicator_id: str) -> str:
    """Everything behind one figure, as text; what lowers the figure comes first.

    Raises:
        AtttError: ATTT-601 the pack has no such indicator.
    """
    spec = indicators.spec_of(assessment, indicator_id)
    members = indicators.members(assessment, indicator_id)
    value = indicators.count(assessment)[indicator_id]
    return "\n".join((*_figure(assessment, spec, value), *_members(members))) + "\n"


def evidence_lines(facts: tuple[Fact, ...], missing: tuple[str, ...], indent: str) -> Iterator[str]:
    """Each fact with its value or the reason there is none, its source and its time."""
    for fact in facts:
        yield f"{indent}{numbers.fact_name(fact)} = {numbers.printable(numbers.fact_words(fact))}"
        source = numbers.printable(fact.source)
        yield f"{indent}  nguồn: {source}; đọc lúc {numbers.moment(fact.read_at)}"
    for key in missing:
        yield f"{indent}{key}: không có dữ kiện nào"


def standing_words(subject: Subject) -> str:
    """Which snapshot speaks for an asset, and whether it still may."""
    if subject.snapshot is None:
        if subject.standing is Standing.SILENT:
            return "chưa gửi bản chụp nào"
        return "dữ kiện của máy thu thập và văn bản xác nhận"
    snapshot = subject.snapshot
    late = " (đã quá hạn, không dùng để kết luận)" if subject.standing is Standing.STALE else ""
    return (
        f"bản chụp {snapshot.snapshot_id} lúc {numbers.moment(snapshot.taken_at)}{late}, "
        f"nhận lúc {numbers.moment(snapshot.received_at)}, sha256 {snapshot.sha256}"
    )


def condition_words(condition: Condition) -> str:
    """A condition as one line: firewall.enabled = có và ..."""
    if isinstance(condition, Compare):
        return _compare_words(condition)
    if isinstance(condition, Not):
        return f"không phải ({condition_words(condition.part)})"
    joined = [condition_words(part) for part in condition.parts]
    if isinstance(condition, AllOf):
        return " và ".join(f"({one})" if " hoặc " in one else one for one in joined)
    if isinstance(condition, AnyOf):
        return " hoặc ".join(f"({one})" if " và " in one else one for one in joined)
    inner = " và ".join(joined)
    if isinstance(condition, AnyItem):
        return f"có ít nhất một mục của {condition.of} mà {inner}"
    if_empty = {True: "đạt", False: "không đạt", None: "chưa xác định"}[condition.if_empty]
    return f"mọi mục của {condition.of} đều {inner} (không có mục nào: {if_empty})"


def _compare_words(condition: Compare) -> str:
    value = condition.value
    if condition.op == "within_days":
        return f"{condition.fact} trong vòng {_words(value)} ngày trước thời điểm đánh giá"
    if condition.op == "valid_for_days":
        return f"{condition.fact} còn ít nhất {_words(value)} ngày sau thời điểm đánh giá"
    return f"{condition.fact} {_OPERATORS[condition.op]} {_words(value)}"


def _words(value: FactValue | tuple[FactValue, ...]) -> str:
    if isinstance(value, tuple):
        return ", ".join(numbers.fact_value(one) for one in value)
    return numbers.fact_value(value)


def _figure(assessment: Assessment, spec: IndicatorSpec, value: IndicatorValue) -> Iterator[str]:
    yield f"{spec.id}  {spec.title.vi}"
    if spec.kind is IndicatorKind.COUNT:
        yield f"Số liệu: {numbers.counted(value.count)} {spec.noun.vi}"
    else:
        write = (
            numbers.attainment_percent
            if spec.kind is IndicatorKind.ATTAINMENT
            else numbers.ratio_percent
        )
        if value.of is None:
            of = f"{numbers.integer(value.count)} (chưa có số liệu phân bổ)"
        elif value.of == 0:
            of = f"{numbers.fraction(value.count, value.of)} (không tính được tỷ lệ)"
        else:
            share = write(value.count, value.of, spec.decimals)
            of = f"{numbers.fraction(value.count, value.of)} {spec.noun.vi}, đạt {share}"
        yield (
            f"Số liệu: {of}; không đạt {numbers.integer(value.failed)}, "
            f"chưa xác định {numbers.integer(value.unknown)}, "
            f"không áp dụng {numbers.integer(value.not_applicable)}"
        )
    yield f"Tính đến: {numbers.moment(assessment.as_of)}"
    yield f"Bộ quy tắc: {assessment.pack.id}, bản {assessment.pack.version}"
    kinds = ", ".join(KIND_WORDS[kind.value] for kind in spec.kinds)
    when = f", khi {condition_words(spec.when)}" if spec.when is not None else ""
    yield f"Đối tượng: {kinds}{when}"
    if spec.rule is not None:
        rule = assessment.pack.rules[spec.rule]
        yield f"Đạt khi: đạt quy tắc {rule.id} ({rule.code}) «{rule.title.vi}»"
        yield f"         {condition_words(rule.check)}"
    elif spec.check is not None:
        yield f"Đạt khi: {condition_words(spec.check)}"
    if spec.planned is not None:
        yield f"Mẫu số: tổng {spec.planned} của các đơn vị trong phạm vi"


def _members(members: tuple[Member, ...]) -> Iterator[str]:
    for status, word in STATUS_WORDS.items():
        found = [member for member in members if member.status is status]
        if not found:
            continue
        yield ""
        yield f"{word} ({numbers.integer(len(found))}):"
        for member in found:
            subject = member.subject
            yield f"  {subject.asset.name} - {subject.unit.name} ({subject.unit.code})"
            yield f"    {standing_words(subject)}"
            yield from evidence_lines(member.evidence, member.missing, "    ")
