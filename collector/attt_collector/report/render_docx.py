"""The report as an editable Word file; the only door to python-docx.

Layout of NĐ 30/2020/NĐ-CP, Phụ lục I. The font is *named* Times New Roman, which every office PC
has; nothing is embedded. Tables are written as XML: python-docx's own table API is 25 times slower
per row. The same report gives the same bytes: fixed properties, fixed times inside the zip.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any
from xml.sax.saxutils import escape

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

from attt_collector.report.model import Align, Annex, Report, Statement, StatementKind

FONT = "Times New Roman"
_TEXT_WIDTH_MM = 165
_LEFT_MM, _RIGHT_MM = 66, 99  # the national title must fit on one line at 13 pt
_TWIPS_PER_MM = 56.693
_PROPERTY_LETTERS = 255  # what python-docx allows
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_RED = RGBColor(0xB0, 0x00, 0x20)


def render(report: Report) -> bytes:
    """The whole .docx file."""
    document = Document()
    _page(document, report)
    _style(document)
    _properties(document, report)
    _letterhead(document, report)
    _title(document, report)
    for basis in report.legal_basis:
        _paragraph(document, basis, italic=True)
    _paragraph(document, report.opening)
    for section in report.sections:
        heading = _paragraph(document, section.title, bold=True)
        heading.paragraph_format.keep_with_next = True
        for statement in section.statements:
            _statement(document, statement)
    closing = _paragraph(document, report.closing)
    closing.paragraph_format.space_after = Pt(16)
    closing.paragraph_format.keep_with_next = True  # the signature never stands alone
    _signature(document, report)
    for index, annex in enumerate(report.annexes):
        _annex(document, annex, new_page=index == 0)
    raw = io.BytesIO()
    document.save(raw)
    return _with_fixed_times(raw.getvalue())


def _page(document: Any, report: Report) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(20), Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(15)
    section.header_distance, section.footer_distance = Mm(8), Mm(8)
    # The number stands in the top margin from the second page on.
    section.different_first_page_header_footer = True
    number = section.header.paragraphs[0]
    number.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field = parse_xml(
        f'<w:fldSimple {nsdecls("w")} w:instr=" PAGE "><w:r><w:t>2</w:t></w:r></w:fldSimple>'
    )
    number._p.append(field)
    if report.banner:
        _banner(section.header.add_paragraph(), report.banner)
        _banner(section.first_page_header.paragraphs[0], report.banner)


def _banner(paragraph: Any, text: str) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = paragraph.add_run(text)
    run.bold = True
    run.font.size = Pt(10)
    run.font.color.rgb = _RED


def _style(document: Any) -> None:
    normal = document.styles["Normal"]
    normal.font.name = FONT
    normal.font.size = Pt(14)
    properties = normal.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    # Theme fonts of the default template would win over the named one.
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for slot in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{slot}"), FONT)
    properties.append(parse_xml(f'<w:lang {nsdecls("w")} w:val="vi-VN" w:eastAsia="vi-VN"/>'))
    header = document.styles["Header"]
    header.font.size = Pt(13)


def _properties(document: Any, report: Report) -> None:
    core = document.core_properties
    # python-docx writes whatever time it is given with a Z behind it.
    moment = report.manifest.as_of.astimezone(UTC).replace(tzinfo=None)
    core.author = ""
    core.last_modified_by = ""
    core.comments = ""
    core.language = "vi-VN"
    core.title = _property(report.header.title)
    core.subject = report.banner or ""
    core.created = moment
    core.modified = moment
    core.revision = 1


def _property(text: str) -> str:
    """The text as far as a property of the file may hold it."""
    if len(text) <= _PROPERTY_LETTERS:
        return text
    return text[: _PROPERTY_LETTERS - 1] + "…"


def _paragraph(document: Any, text: str, *, bold: bool = False, italic: bool = False) -> Any:
    paragraph = document.add_paragraph()
    layout = paragraph.paragraph_format
    layout.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    layout.first_line_indent = Mm(10)
    layout.space_before = Pt(0)
    layout.space_after = Pt(6)
    layout.line_spacing = 1.1
    run = paragraph.add_run(text)
    run.bold = bold
    run.italic = italic
    return paragraph


def _statement(document: Any, statement: Statement) -> None:
    _paragraph(document, f"- {statement.text}", italic=statement.kind is StatementKind.WARNING)


def _letterhead(document: Any, report: Report) -> None:
    header = report.header
    left = [_p(line, size=13) for line in header.parent_authority]
    left.extend(_p(line, size=13, bold=True) for line in header.authority)
    left.append(_rule(width_mm=24, room_mm=_LEFT_MM))
    right = [
        _p("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", size=13, bold=True),
        _p("Độc lập - Tự do - Hạnh phúc", size=13.5, bold=True),
        _rule(width_mm=62, room_mm=_RIGHT_MM),
    ]
    second = [
        [_p(header.number, size=13)],
        [_p(header.place_and_date, size=13.5, italic=True)],
    ]
    _add(document, _frame([[left, right], second], (_LEFT_MM, _RIGHT_MM)))


def _title(document: Any, report: Report) -> None:
    for index, text in enumerate((report.header.document_type, *report.header.subject)):
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        layout = paragraph.paragraph_format
        layout.space_before, layout.space_after = Pt(0 if index else 14), Pt(0)
        paragraph.add_run(text).bold = True
    rule = parse_xml(_rule(width_mm=45, room_mm=_TEXT_WIDTH_MM, declare=True, after=10))
    document.element.body.insert_element_before(rule, "w:sectPr")


def _signature(document: Any, report: Report) -> None:
    header = report.header
    left = [_p("Nơi nhận:", size=12, bold=True, italic=True, align="left")]
    left.extend(_p(line, size=11, align="left") for line in header.recipients)
    right = [_p(line, size=14, bold=True) for line in header.signature]
    right.extend([_p("", size=14)] * 4)  # room for a signature and a name
    _add(document, _frame([[left, right]], (75, 90)))


def _annex(document: Any, annex: Annex, *, new_page: bool) -> None:
    lines = [annex.label] if annex.label else []
    for index, text in enumerate([*lines, annex.title.upper()]):
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        starts = index == 0
        paragraph.paragraph_format.space_before = Pt(18 if starts and not new_page else 0)
        paragraph.paragraph_format.space_after = Pt(3)
        paragraph.paragraph_format.page_break_before = starts and new_page
        paragraph.paragraph_format.keep_with_next = True
        paragraph.add_run(text).bold = True
    if annex.note:
        note = document.add_paragraph()
        note.alignment = WD_ALIGN_PARAGRAPH.CENTER
        note.paragraph_format.space_after = Pt(6)
        note.paragraph_format.keep_with_next = True
        run = note.add_run(annex.note)
        run.italic = True
        run.font.size = Pt(12)
    _add(document, _grid(annex))


def _add(document: Any, table_xml: str) -> None:
    document.element.body.insert_element_before(parse_xml(table_xml), "w:sectPr")


def _p(
    text: str,
    *,
    size: float,
    bold: bool = False,
    italic: bool = False,
    align: str = "center",
    keep_with_next: bool = False,
) -> str:
    keep = "<w:keepNext/>" if keep_with_next else ""
    weight = "<w:b/>" if bold else ""
    slant = "<w:i/>" if italic else ""
    return (
        f'<w:p><w:pPr>{keep}<w:spacing w:before="0" w:after="0"/><w:jc w:val="{align}"/></w:pPr>'
        f'<w:r><w:rPr>{weight}{slant}<w:sz w:val="{round(size * 2)}"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'
    )


def _rule(*, width_mm: float, room_mm: float, declare: bool = False, after: float = 0) -> str:
    """An empty paragraph with a top border, as wide as the rule under a title."""
    side = round((room_mm - width_mm) / 2 * _TWIPS_PER_MM)
    namespace = f" {nsdecls('w')}" if declare else ""
    return (
        f"<w:p{namespace}><w:pPr>"
        '<w:pBdr><w:top w:val="single" w:sz="6" w:space="1" w:color="000000"/></w:pBdr>'
        f'<w:spacing w:before="40" w:after="{round(after * 20)}" w:line="120" w:lineRule="exact"/>'
        f'<w:ind w:left="{side}" w:right="{side}"/></w:pPr></w:p>'
    )


def _frame(rows: Sequence[Sequence[Sequence[str]]], widths_mm: Sequence[float]) -> str:
    """A table without borders; each cell is a list of paragraphs as XML."""
    made = []
    for row in rows:
        cells = "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{_twips(width)}" w:type="dxa"/></w:tcPr>'
            f"{''.join(cell)}</w:tc>"
            for cell, width in zip(row, widths_mm, strict=True)
        )
        made.append(f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr>")
    grid = "".join(f'<w:gridCol w:w="{_twips(width)}"/>' for width in widths_mm)
    return (
        f"<w:tbl {nsdecls('w')}><w:tblPr>"
        f'<w:tblW w:w="{_twips(sum(widths_mm))}" w:type="dxa"/>'
        '<w:tblLayout w:type="fixed"/>'
        '<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/></w:tblCellMar>'
        f"</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(made)}</w:tbl>"
    )


def _grid(annex: Annex) -> str:
    """A bordered table whose first row repeats on every page."""
    shares = sum(column.share for column in annex.columns)
    widths = [_twips(_TEXT_WIDTH_MM * column.share / shares) for column in annex.columns]
    borders = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f"<w:tbl {nsdecls('w')}><w:tblPr>"
        f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        f"<w:tblBorders>{borders}</w:tblBorders>"
        '<w:tblLayout w:type="fixed"/>'
        '<w:tblCellMar><w:left w:w="57" w:type="dxa"/><w:right w:w="57" w:type="dxa"/>'
        f"</w:tblCellMar></w:tblPr><w:tblGrid>{grid}</w:tblGrid>"
        f"{''.join(_grid_rows(annex, widths))}</w:tbl>"
    )


def _grid_rows(annex: Annex, widths: Sequence[int]) -> Iterator[str]:
    titles = [column.title for column in annex.columns]
    centred = [Align.CENTRE] * len(titles)
    aligns = [column.align for column in annex.columns]
    yield _grid_row(titles, widths, centred, bold=True, repeats=True, keep_with_next=True)
    for index, row in enumerate(annex.rows, start=1):
        # The total does not stand alone on the next page.
        before_total = bool(annex.total) and index == len(annex.rows)
        yield _grid_row(row, widths, aligns, keep_with_next=before_total)
    if annex.total:
        yield _grid_row(annex.total, widths, aligns, bold=True)


def _grid_row(
    cells: Sequence[str],
    widths: Sequence[int],
    aligns: Sequence[Align],
    *,
    bold: bool = False,
    repeats: bool = False,
    keep_with_next: bool = False,
) -> str:
    made = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>'
        f"{_p(cell, size=10.5, bold=bold, align=align.value, keep_with_next=keep_with_next)}</w:tc>"
        for cell, width, align in zip(cells, widths, aligns, strict=True)
    )
    header = "<w:tblHeader/>" if repeats else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{header}</w:trPr>{made}</w:tr>"


def _twips(millimetres: float) -> int:
    return round(millimetres * _TWIPS_PER_MM)


def _with_fixed_times(raw: bytes) -> bytes:
    """The same zip with every member dated 1980: python-docx writes the time of saving."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as source,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            member = zipfile.ZipInfo(name, _ZIP_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o600 << 16
            target.writestr(member, source.read(name))
    return made.getvalue()
