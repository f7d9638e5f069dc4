"""The report as plain text, for a terminal or an e-mail; one sentence a line, tables in columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from attt_collector.report.model import Align, Annex, Report

WIDTH = 110
_COUNTRY = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
_MOTTO = "Độc lập - Tự do - Hạnh phúc"


def render(report: Report) -> str:
    """The whole report; sentences are not wrapped, so that each can be searched for."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    header = report.header
    yield from _banner(report)
    left = [*header.parent_authority, *header.authority, "", header.number]
    right = [_COUNTRY, _MOTTO, "", header.place_and_date]
    for index in range(max(len(left), len(right))):
        one = left[index] if index < len(left) else ""
        other = right[index] if index < len(right) else ""
        yield f"{one.center(45)}{other.center(WIDTH - 45)}".rstrip()
    yield ""
    yield header.document_type.center(WIDTH).rstrip()
    for line in header.subject:
        yield line.center(WIDTH).rstrip()
    yield ""
    yield from report.legal_basis
    yield report.opening
    for section in report.sections:
        yield ""
        yield section.title
        for statement in section.statements:
            yield f"- {statement.text}"
    yield ""
    yield report.closing
    yield ""
    signature = list(header.signature)
    recipients = ["Nơi nhận:", *header.recipients]
    for index in range(max(len(signature), len(recipients))):
        one = recipients[index] if index < len(recipients) else ""
        other = signature[index] if index < len(signature) else ""
        yield f"{one:<45}{other.center(WIDTH - 45)}".rstrip()
    for annex in report.annexes:
        yield ""
        yield from _banner(report)
        yield annex.label.center(WIDTH).rstrip()
        yield annex.title.upper().center(WIDTH).rstrip()
        if annex.note:
            yield annex.note
        yield from _table(annex)
    yield from _banner(report)


def _banner(report: Report) -> Iterator[str]:
    if report.banner:
        yield f" {report.banner} ".center(WIDTH, "*")


def _table(annex: Annex) -> Iterator[str]:
    shares = sum(column.share for column in annex.columns)
    room = WIDTH - len(annex.columns) - 1
    widths = [max(4, room * column.share // shares) for column in annex.columns]
    rule = "+" + "+".join("-" * width for width in widths) + "+"
    yield rule
    yield from _row(annex, [column.title for column in annex.columns], widths)
    yield rule
    for row in annex.rows:
        yield from _row(annex, row, widths)
    if annex.total:
        yield rule
        yield from _row(annex, annex.total, widths)
    yield rule


def _row(annex: Annex, cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    wrapped = [textwrap.wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for index in range(max(1, *(len(lines) for lines in wrapped))):
        parts = []
        for column, lines, width in zip(annex.columns, wrapped, widths, strict=True):
            text = lines[index] if index < len(lines) else ""
            parts.append(text.center(width) if column.align is Align.CENTRE else text.ljust(width))
        yield "|" + "|".join(parts) + "|"
