"""Writes a report in every format, with the manifest that says what it was made from."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from attt_collector.records import VIETNAM_TIME
from attt_collector.report import render_docx, render_html, render_pdf, render_text
from attt_collector.report.model import Report
from attt_rules.contract import Text
from attt_rules.errors import AtttError


@dataclass(frozen=True, slots=True)
class Written:
    """Where the files of one report lie."""

    docx: Path
    pdf: Path
    html: Path
    text: Path
    manifest: Path

    def paths(self) -> tuple[Path, ...]:
        return self.docx, self.pdf, self.html, self.text, self.manifest


_CODE_BYTES = 150  # file systems end at 255 for the whole name
FORMATS = ("docx", "pdf", "html", "txt")


def file_stem(report: Report, *, dated: bool = False) -> str:
    """The name of a report's files without the ending.

    Args:
        dated: with the day of the figures, so that reports as of different days lie side by side.
    """
    manifest = report.manifest
    stem = f"{manifest.template_id}_{_file_name(manifest.unit_code)}_{manifest.period}"
    day = manifest.as_of.astimezone(VIETNAM_TIME).date()
    return f"{stem}_{day.isoformat()}" if dated else stem


def rendered(report: Report, template_folder: Path, file_format: str) -> bytes:
    """The file of one of FORMATS.

    Raises:
        AtttError: ATTT-609 the PDF cannot be set.
    """
    if file_format == "docx":
        return render_docx.render(report)
    if file_format == "pdf":
        return render_pdf.render(report, template_folder)
    if file_format == "html":
        return render_html.render(report, template_folder).encode("utf-8")
    return render_text.render(report).encode("utf-8")


def write(report: Report, template_folder: Path, out: Path, *, dated: bool = False) -> Written:
    """All formats of a report in the folder `out`, which is made when it is not there.

    Every file is complete or absent: it is written beside its place and then moved there.

    Args:
        dated: see `file_stem`.

    Raises:
        AtttError: ATTT-609 the PDF cannot be set; ATTT-610 the folder cannot be written to.
    """
    stem = file_stem(report, dated=dated)
    content = {f"{stem}.{name}": rendered(report, template_folder, name) for name in FORMATS}
    sums = {name: hashlib.sha256(raw).hexdigest() for name, raw in content.items()}
    content[f"{stem}.manifest.json"] = report.manifest_json(sums).encode("utf-8")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, raw in content.items():
            beside = out / f".{name}.part"
            beside.write_bytes(raw)
            os.replace(beside, out / name)
    except OSError as problem:
        raise AtttError(
            "ATTT-610",
            Text(
                vi=f"Không ghi được báo cáo vào thư mục {out}: {problem.strerror}.",
                en=f"The report cannot be written to {out}: {problem.strerror}.",
            ),
            Text(
                vi="chọn thư mục khác bằng --out hoặc xin quyền ghi.",
                en="Choose another folder with --out or ask for the right to write.",
            ),
            permanent=False,
        ) from problem
    return Written(*(out / name for name in content))


def _file_name(code: str) -> str:
    """A unit's code with nothing in it that a file system could mistake.

    Two codes never give the same name: where letters were replaced or cut away, the hash of the
    code stands behind.
    """
    plain = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in code)
    while len(plain.encode()) > _CODE_BYTES:
        plain = plain[:-1]
    if plain == code:
        return code
    return f"{plain}-{hashlib.sha256(code.encode()).hexdigest()[:12]}"
