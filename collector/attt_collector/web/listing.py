"""A list of devices with its filters in the URL: shared by every page that shows one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from urllib.parse import urlencode

from attt_collector.judge.evaluate import Subject
from attt_collector.web.assessed import is_silent, state_of
from attt_collector.web.figures import Bar
from attt_rules.contract import Status

T = TypeVar("T")
ROWS_A_PAGE = 100
SILENT = "im-lang"
# How a status stands in an address; unaccented Vietnamese, as every address here.
SLUG_OF: Mapping[Status, str] = {
    Status.FAIL: "khong-dat",
    Status.UNKNOWN: "chua-xac-dinh",
    Status.PASS: "dat",
    Status.NOT_APPLICABLE: "khong-ap-dung",
}
_ORDER = tuple(SLUG_OF)


@dataclass(frozen=True, slots=True)
class DeviceRow:
    subject: Subject
    state: Status
    bar: Bar
    silent: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One filter: its address, how many rows it leaves, and whether it is the present one."""

    slug: str
    status: Status | None
    href: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Paged(Generic[T]):
    """One page of rows; `pages` is at least 1."""

    rows: tuple[T, ...]
    count: int
    page: int
    pages: int
    previous: str | None
    next: str | None


def device_rows(subjects: Iterable[Subject], as_of: datetime) -> tuple[DeviceRow, ...]:
    """Worst devices first, then by name."""
    rows = [
        DeviceRow(each, state_of(each), Bar.of(each.findings), is_silent(each, as_of))
        for each in subjects
    ]
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                _ORDER.index(row.state),
                -row.bar.failed,
                -row.bar.unknown,
                row.subject.asset.name,
            ),
        )
    )


def filtered(rows: tuple[DeviceRow, ...], slug: str) -> tuple[DeviceRow, ...]:
    """The rows that a filter leaves; an unknown filter leaves all."""
    if slug == SILENT:
        return tuple(row for row in rows if row.silent)
    if slug in SLUG_OF.values():
        return tuple(row for row in rows if SLUG_OF[row.state] == slug)
    return rows


def choices(
    rows: tuple[DeviceRow, ...], slug: str, path: str, query: Mapping[str, str]
) -> tuple[Choice, ...]:
    """All, each status that occurs, and silent; with how many devices each leaves."""
    known = (SILENT, *SLUG_OF.values())
    found = [Choice("", None, address(path, query, trang_thai=""), len(rows), slug not in known)]
    for status, name in SLUG_OF.items():
        count = sum(1 for row in rows if row.state is status)
        if count or name == slug:
            href = address(path, query, trang_thai=name)
            found.append(Choice(name, status, href, count, name == slug))
    silent = sum(1 for row in rows if row.silent)
    href = address(path, query, trang_thai=SILENT)
    found.append(Choice(SILENT, None, href, silent, slug == SILENT))
    return tuple(found)


def paged(rows: tuple[T, ...], page: int, path: str, query: Mapping[str, str]) -> Paged[T]:
    """The rows of one page; a page that does not exist becomes the nearest that does."""
    pages = max(1, -(-len(rows) // ROWS_A_PAGE))
    page = min(max(page, 1), pages)
    start = (page - 1) * ROWS_A_PAGE
    return Paged(
        rows[start : start + ROWS_A_PAGE],
        len(rows),
        page,
        pages,
        address(path, query, trang=str(page - 1)) if page > 1 else None,
        address(path, query, trang=str(page + 1)) if page < pages else None,
    )


def address(path: str, query: Mapping[str, str], **changed: str) -> str:
    """A path with a query of which some parts are changed; `trang_thai` is written trang-thai.

    Another filter starts at its first page, and what is empty is left out.
    """
    parts = {name: value for name, value in query.items() if name != "trang"}
    parts.update({name.replace("_", "-"): value for name, value in changed.items()})
    parts = {name: value for name, value in parts.items() if value}
    return f"{path}?{urlencode(parts)}" if parts else path
