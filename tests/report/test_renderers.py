"""Word, PDF, HTML and text of one report say the same sentences, in the layout of NĐ 30/2020."""

from __future__ import annotations

import html
import io
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm
from pypdf import PdfReader

from attt_collector.records import UnitKind
from attt_collector.report import render_docx, render_html, render_pdf, render_text, template_reader
from attt_collector.report.model import SIMULATED_BANNER, Report
from attt_rules.contract import AssetKind, Unreadable, parse_time
from tests.report.fleet import Fleet, city, good_pc

FOLDER = template_reader.FOLDER / "bao_cao_nam"


def mixed(simulated: bool = True) -> Report:
    """Passes, fails, unknowns, a stale and a silent PC, a network device: every annex appears."""
    fleet = city()
    first, second, third = fleet.units
    fleet.pcs(first, 2, **{"firewall.enabled": {"host": False}})
    fleet.pcs(second, 1, **{"password_policy.minimum_length_chars": Unreadable.ACCESS_DENIED})
    fleet.device(second, None)
    fleet.device(third, good_pc(), age=timedelta(days=45), name="PC <b>&amp; “cũ” \\ #x $y [z]_*")
    fleet.device(
        first,
        {
            "device.kind": "firewall",
            "snmp.version": "v2c",
            "snmp.default_community_refused": False,
        },
        kind=AssetKind.NETWORK_DEVICE,
        name="FW-01",
    )
    return fleet.report(simulated=simulated)


@pytest.fixture(scope="module")
def report() -> Report:
    return mixed()


@pytest.fixture(scope="module")
def pdf(report: Report) -> bytes:
    return render_pdf.render(report, FOLDER)


def pages_of_pdf(content: bytes) -> list[str]:
    """The text of each page, running header and watermark left out."""
    pages = []
    for page in PdfReader(io.BytesIO(content)).pages:
        lines = page.extract_text().splitlines()
        kept = [line for line in lines if line.strip() not in ("", SIMULATED_BANNER)]
        if kept and kept[0].strip().isdigit():
            kept = kept[1:]
        pages.append("\n".join(kept))
    return pages


def words_of_pdf(content: bytes) -> str:
    return "\n".join(pages_of_pdf(content))


def words_of_docx(content: bytes) -> str:
    """Body paragraphs and table cells in the order of the document."""
    body = Document(io.BytesIO(content)).element.body
    return "\n".join(
        "".join(text.text or "" for text in paragraph.iter(qn("w:t")))
        for paragraph in body.iter(qn("w:p"))
    )


def words_of_html(page: str) -> str:
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", body))


def squeezed(text: str) -> str:
    """Without spaces, line breaks and soft breaks: what the layout adds or takes away."""
    return re.sub(r"[\s\u200b\u00ad\f]+", "", text)


def all_words(report: Report) -> list[str]:
    """Everything a reader must find, in reading order."""
    header = report.header
    words = [*header.authority, header.document_type, *header.subject, *report.legal_basis]
    words.append(report.opening)
    for section in report.sections:
        words.append(section.title)
        words.extend(f"- {statement.text}" for statement in section.statements)
    words.extend([report.closing, *header.recipients])
    for annex in report.annexes:
        words.extend([annex.label, annex.title.upper(), annex.note])
    return words


def assert_in_order(report: Report, said: str) -> None:
    position, place = 0, squeezed(said)
    for word in all_words(report):
        found = place.find(squeezed(word), position)
        assert found >= 0, f"missing or out of order: {word}"
        position = found


def assert_cells(report: Report, said: str) -> None:
    place = squeezed(said)
    for annex in report.annexes:
        for row in (*annex.rows, annex.total):
            for cell in row:
                assert squeezed(cell) in place, f"{annex.id}: {cell}"


def test_it_has_every_annex(report: Report) -> None:
    assert [annex.id for annex in report.annexes] == [
        "indicators",
        "units",
        "rules",
        "fixes",
        "machines",
    ]
    assert [annex.label for annex in report.annexes] == [
        f"PHỤ LỤC {number}" for number in ("I", "II", "III", "IV", "V")
    ]


def test_the_text_says_everything(report: Report) -> None:
    said = render_text.render(report)

    assert_in_order(report, said)
    for statement in report.statements:
        assert f"- {statement.text}\n" in said


def test_the_html_says_everything(report: Report) -> None:
    said = words_of_html(render_html.render(report, FOLDER))

    assert_in_order(report, said)
    assert_cells(report, said)


def test_the_docx_says_everything(report: Report) -> None:
    said = words_of_docx(render_docx.render(report))

    assert_in_order(report, said)
    assert_cells(report, said)


def test_the_pdf_says_everything(report: Report, pdf: bytes) -> None:
    place = squeezed(words_of_pdf(pdf))
    for statement in report.statements:
        assert squeezed(statement.text) in place, statement.text
    for section in report.sections:
        assert squeezed(section.title) in place
    for annex in report.annexes:
        assert squeezed(annex.title.upper()) in place


def test_the_pdf_embeds_the_shipped_font_only(pdf: bytes) -> None:
    fonts = [
        font.get_object()["/BaseFont"]
        for page in PdfReader(io.BytesIO(pdf)).pages
        for font in page["/Resources"]["/Font"].values()
    ]

    assert fonts
    assert all("LiberationSerif" in font for font in fonts), fonts


def test_made_up_figures_are_marked_on_every_page(report: Report, pdf: bytes) -> None:
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    assert len(pages) > 3
    assert all("SỐ LIỆU MÔ PHỎNG" in page for page in pages)

    docx = Document(io.BytesIO(render_docx.render(report)))
    section = docx.sections[0]
    for header in (section.header, section.first_page_header):
        assert "SỐ LIỆU MÔ PHỎNG" in [paragraph.text for paragraph in header.paragraphs]

    assert render_html.render(report, FOLDER).count("SỐ LIỆU MÔ PHỎNG") >= 2
    assert render_text.render(report).count("SỐ LIỆU MÔ PHỎNG") >= 2


def test_real_figures_are_not_marked() -> None:
    report = mixed(simulated=False)

    real = PdfReader(io.BytesIO(render_pdf.render(report, FOLDER)))
    assert not any("MÔ PHỎNG" in page.extract_text() for page in real.pages)
    assert "MÔ PHỎNG" not in render_html.render(report, FOLDER)
    assert "MÔ PHỎNG" not in render_text.render(report)
    parts = zipfile.ZipFile(io.BytesIO(render_docx.render(report)))
    assert not any("MÔ PHỎNG".encode() in parts.read(name) for name in parts.namelist())


def test_the_docx_has_the_page_of_the_decree(report: Report) -> None:
    docx = Document(io.BytesIO(render_docx.render(report)))
    section = docx.sections[0]

    def millimetres(length: object) -> int:
        return round(length / Mm(1))  # type: ignore[operator]

    assert (millimetres(section.page_width), millimetres(section.page_height)) == (210, 297)
    margins = (
        section.top_margin,
        section.bottom_margin,
        section.left_margin,
        section.right_margin,
    )
    assert [millimetres(margin) for margin in margins] == [20, 20, 30, 15]
    assert section.different_first_page_header_footer
    assert "PAGE" in section.header._element.xml
    assert "PAGE" not in section.first_page_header._element.xml


def test_a_long_name_makes_every_format() -> None:
    """A property of a Word file holds 255 letters; the document itself has the whole name."""
    fleet = Fleet()
    unit = fleet.unit("X", "UBND xã " + "Dài" * 82, UnitKind.COMMUNE)
    fleet.pcs(unit, 1)
    report = fleet.report()

    content = render_docx.render(report)
    title = Document(io.BytesIO(content)).core_properties.title
    assert len(title) == 255
    assert report.header.title.startswith(title[:-1])
    assert title[-1] == "…"
    assert squeezed("Dài" * 82) in squeezed(words_of_docx(content))
    assert squeezed("Dài" * 82) in squeezed(words_of_pdf(render_pdf.render(report, FOLDER)))


def test_the_docx_says_when_it_was_made_in_universal_time(report: Report) -> None:
    parts = zipfile.ZipFile(io.BytesIO(render_docx.render(report)))
    core = parts.read("docProps/core.xml").decode()

    assert report.manifest.as_of == parse_time("2024-10-15T08:00:00+07:00")
    said = re.findall(r">(2024-[^<]*)<", core)
    assert said == ["2024-10-15T01:00:00Z", "2024-10-15T01:00:00Z"]


def test_only_the_first_annex_begins_a_page(report: Report, pdf: bytes) -> None:
    pages = [
        [annex.label for annex in report.annexes if re.search(rf"{annex.label}\s*\n", page)]
        for page in pages_of_pdf(pdf)
    ]
    with_annexes = [labels for labels in pages if labels]
    assert [label for labels in with_annexes for label in labels] == [
        annex.label for annex in report.annexes
    ]
    assert len(with_annexes) < len(report.annexes)

    docx = Document(io.BytesIO(render_docx.render(report)))
    breaks = [p.text for p in docx.paragraphs if p.paragraph_format.page_break_before]
    assert breaks == ["PHỤ LỤC I"]


def test_the_pdf_of_one_commune_is_short() -> None:
    fleet = Fleet()
    unit = fleet.unit("TP", "UBND xã Tân Phú", UnitKind.COMMUNE)
    fleet.pcs(unit, 1, **{"firewall.enabled": {"host": False}})
    assert len(pages_of_pdf(render_pdf.render(fleet.report(), FOLDER))) <= 6


def test_the_docx_names_times_new_roman_in_every_slot(report: Report) -> None:
    docx = Document(io.BytesIO(render_docx.render(report)))
    fonts = docx.styles["Normal"].element.rPr.rFonts

    for slot in ("ascii", "hAnsi", "cs", "eastAsia"):
        assert fonts.get(qn(f"w:{slot}")) == "Times New Roman"


def test_the_pdf_has_the_page_of_the_decree(pdf: bytes) -> None:
    pages = PdfReader(io.BytesIO(pdf)).pages

    width, height = (float(side) / 72 * 25.4 for side in pages[0].mediabox[2:])
    assert (210, 297) == (round(width), round(height))  # A4, in mm
    # The first page has no number; the second has its own, in the top margin, first of all.
    first, second = (page.extract_text().splitlines() for page in pages[:2])
    assert "1" not in [line.strip() for line in first]
    assert "2" in [line.strip() for line in second[:4]]


def test_the_national_title_fits_on_one_line(pdf: bytes) -> None:
    lines = pages_of_pdf(pdf)[0].splitlines()

    assert any("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in line for line in lines)


def test_the_same_report_gives_the_same_bytes(report: Report, pdf: bytes) -> None:
    assert render_docx.render(report) == render_docx.render(mixed())
    assert pdf == render_pdf.render(mixed(), FOLDER)
    assert render_html.render(report, FOLDER) == render_html.render(mixed(), FOLDER)


def test_a_hostile_name_is_words_and_nothing_else() -> None:
    name = "</td><script>alert(1)</script> {{ 7*7 }} #panic() \\u{41}"
    fleet = Fleet()
    unit = fleet.unit("X", "UBND xã <i>Thử</i> #x", UnitKind.COMMUNE)
    fleet.device(unit, {**good_pc(), "auto_logon.off": False}, name=name)
    report = fleet.report()

    page = render_html.render(report, FOLDER)
    assert "<script" not in page
    assert squeezed(name) in squeezed(words_of_html(page))
    assert name in words_of_docx(render_docx.render(report))
    assert "#panic()" in words_of_pdf(render_pdf.render(report, FOLDER))


def test_the_html_loads_nothing(report: Report) -> None:
    page = render_html.render(report, FOLDER)

    assert not re.search(r"<script|<link|<img|<iframe|url\(|@import|https?://|\son\w+=", page)


def test_the_shipped_fonts_are_the_ones_their_readme_names() -> None:
    import hashlib

    readme = (render_pdf.FONTS / "README.md").read_text(encoding="utf-8")
    fonts = sorted(Path(render_pdf.FONTS).glob("*.ttf"))

    assert len(fonts) == 4
    for font in fonts:
        digest = hashlib.sha256(font.read_bytes()).hexdigest()
        assert f"| {font.name} | `{digest}` |" in readme
    assert "SIL OPEN FONT LICENSE" in (render_pdf.FONTS / "OFL.txt").read_text(encoding="utf-8")
