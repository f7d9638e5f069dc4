"""A report as it is signed: sentences, tables and a manifest, frozen.

Every renderer gets the same Report and prints the same sentences; none of them computes, words or
formats anything.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

SIMULATED_BANNER = "SỐ LIỆU MÔ PHỎNG"


class StatementKind(StrEnum):
    COMPUTED = "computed"  # counted figures
    WARNING = "warning"  # something the signer must know before signing
    FREE = "free"  # wording of the template or of a rule, without a figure of its own


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "center"


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence (câu báo cáo) and the indicators its figures come from."""

    id: str
    text: str
    indicator_ids: tuple[str, ...]
    kind: StatementKind


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its sentences; level 1 is "I.", level 2 is "1."."""

    id: str
    title: str
    level: int
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    share: int  # width as a share of the page, in any unit common to the table
    align: Align = Align.LEFT


@dataclass(frozen=True, slots=True)
class Annex:
    """A table (phụ lục). Every row has as many cells as there are columns; `total` may be empty."""

    id: str
    label: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in (*self.rows, *((self.total,) if self.total else ())):
            if len(row) != len(self.columns):
                raise ValueError(f"{self.id}: a row has {len(row)} cells: {row!r}")


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above the text and below it, by NĐ 30/2020; one tuple entry is one line."""

    parent_authority: tuple[str, ...]
    authority: tuple[str, ...]
    number: str
    place_and_date: str
    document_type: str
    subject: tuple[str, ...]
    signature: tuple[str, ...]
    recipients: tuple[str, ...]

    @property
    def title(self) -> str:
        """Type and subject on one line, as a file or a page names the report."""
        return " ".join((f"{self.document_type}:", *self.subject))


@dataclass(frozen=True, slots=True)
class Manifest:
    """Enough to compose the same report again and to prove what it was composed from."""

    unit_code: str
    unit_name: str
    period: str
    as_of: datetime
    pack_id: str
    pack_version: str
    template_id: str
    template_version: str
    program: str
    simulated: bool
    snapshot_sha256: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "as_of": self.as_of.isoformat()}


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report (báo cáo)."""

    header: Header
    legal_basis: tuple[str, ...]
    opening: str
    sections: tuple[Section, ...]
    closing: str
    annexes: tuple[Annex, ...]
    manifest: Manifest

    @property
    def banner(self) -> str | None:
        """Printed on every page of a report on made-up data; None for a real one."""
        return SIMULATED_BANNER if self.manifest.simulated else None

    @property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(statement for section in self.sections for statement in section.statements)

    @property
    def warnings(self) -> tuple[Statement, ...]:
        return tuple(s for s in self.statements if s.kind is StatementKind.WARNING)

    def to_json(self) -> dict[str, Any]:
        """Every word of the report as plain JSON types, for renderers that read a file."""
        content = asdict(self)
        content["manifest"] = self.manifest.to_json()
        content["banner"] = self.banner
        return content

    def manifest_json(self, files: dict[str, str]) -> str:
        """The manifest as JSON text, with the sentences and the sha256 of each file written.

        Args:
            files: name of a written file -> its sha256 in hex.
        """
        content = {
            **self.manifest.to_json(),
            "statements": [asdict(statement) for statement in self.statements],
            "files": dict(sorted(files.items())),
        }
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"
