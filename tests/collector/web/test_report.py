"""The report page hands over the same report that the command line writes."""

from __future__ import annotations

from datetime import date

import pytest

from attt_collector.records import UnitKind
from attt_collector.store import units
from tests.collector.web.conftest import Site, Visitor


@pytest.mark.parametrize(
    ("dang", "starts", "media_type"),
    [
        ("docx", b"PK", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("pdf", b"%PDF", "application/pdf"),
        ("html", b"<!doctype html", "text/html; charset=utf-8"),
    ],
)
def test_it_works(reviewer: Visitor, dang: str, starts: bytes, media_type: str) -> None:
    form = {"don_vi": "89.1", "ky": "11/2026", "dang": dang}
    answer = reviewer.post_with_token("/bao-cao", form)
    assert 200 == answer.status
    assert answer.content.lstrip()[:14].lower().startswith(starts.lower())
    assert media_type == answer.headers["content-type"]
    name = f"bao-cao-nam_89.1_2026-11.{dang}"
    expected = f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    assert expected == answer.headers["content-disposition"]


def test_a_code_in_vietnamese_letters_names_the_file(reviewer: Visitor, site: Site) -> None:
    with site.store.read() as conn:
        province = units.by_code(conn, "89").id
    site.store.write(
        lambda conn: units.add(
            conn,
            code="XÃ-ĐÔNG",
            name="UBND xã Đông",
            kind=UnitKind.COMMUNE,
            parent_id=province,
            valid_from=date(2025, 7, 1),
        )
    )
    form = {"don_vi": "XÃ-ĐÔNG", "ky": "2026", "dang": "html"}
    answer = reviewer.post_with_token("/bao-cao", form)
    assert 200 == answer.status
    expected = (
        'attachment; filename="bao-cao-nam_XA-DONG_2026.html"; '
        "filename*=UTF-8''bao-cao-nam_X%C3%83-%C4%90%C3%94NG_2026.html"
    )
    assert expected == answer.headers["content-disposition"]


def test_a_unit_that_is_not_there_yet_has_no_report(reviewer: Visitor) -> None:
    page = reviewer.post_with_token("/bao-cao", {"don_vi": "89.1", "ky": "2024", "dang": "html"})
    assert 422 == page.status
    assert "ATTT-613" in page.text
    assert "từ ngày 01/07/2025" in page.text


def test_the_report_counts_what_the_pages_count(reviewer: Visitor) -> None:
    form = {"don_vi": "89.1", "ky": "2026", "dang": "html"}
    report = reviewer.post_with_token("/bao-cao", form).text
    assert "1/4" in reviewer.get("/chi-tieu/CT-07?don-vi=89.1").text
    assert "1/4" in report
    assert "CT-07" in report


@pytest.mark.parametrize(
    ("period", "code"), [("", "ATTT-604"), ("13/2026", "ATTT-604"), ("2030", "ATTT-605")]
)
def test_a_wrong_period_is_explained_and_the_form_stays_filled(
    reviewer: Visitor, period: str, code: str
) -> None:
    page = reviewer.post_with_token("/bao-cao", {"don_vi": "89.2", "ky": period, "dang": "pdf"})
    assert 422 == page.status
    assert code in page.text
    assert '<option value="89.2" selected>' in page.html


def test_an_unknown_format_is_refused(reviewer: Visitor) -> None:
    form = {"don_vi": "89.1", "ky": "2026", "dang": "exe"}
    assert 400 == reviewer.post_with_token("/bao-cao", form).status
