"""The report as PDF; the only door to typst.

The words travel as a JSON file beside the page's layout, so nothing in them is ever read as
typst code. Only the fonts shipped here are used: the same report looks the same everywhere.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import typst

from attt_collector.report.model import Report
from attt_rules.contract import Text
from attt_rules.errors import AtttError

FONTS = Path(__file__).parent / "fonts"


def render(report: Report, folder: Path) -> bytes:
    """
    Args:
        folder: of the template, with its page.typ.

    Raises:
        AtttError: ATTT-609 the page cannot be set, for example because page.typ is broken.
    """
    with tempfile.TemporaryDirectory(prefix="attt-report-") as made:
        root = Path(made)
        shutil.copyfile(folder / "page.typ", root / "page.typ")
        content = json.dumps(report.to_json(), ensure_ascii=False)
        (root / "report.json").write_text(content, encoding="utf-8")
        try:
            pages = typst.compile(
                root / "page.typ",
                root=root,
                font_paths=[FONTS],
                ignore_system_fonts=True,
                format="pdf",
                # The file's own date is that of its figures: the same report is the same bytes.
                timestamp=int(report.manifest.as_of.timestamp()),
            )
        except typst.TypstError as problem:
            raise AtttError(
                "ATTT-609",
                Text(
                    vi=f"Không dựng được bản PDF từ {folder.name}/page.typ: {problem}.",
                    en=f"The PDF could not be made from {folder.name}/page.typ.",
                ),
                Text(
                    vi="dùng bản .docx hoặc .html, và sửa page.typ của mẫu báo cáo.",
                    en="Use the .docx or .html, and mend the template's page.typ.",
                ),
            ) from problem
    if not isinstance(pages, bytes):
        raise TypeError("typst gave no single PDF")
    return pages
