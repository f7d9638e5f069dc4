"""The report page hands over the same report that the command line writes."""

from __future__ import annotations

import pytest

from tests.collector.web.conftest import Visitor


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
    expected = f'attachment; filename="bao-cao-nam_89_1_2026-11.{dang}"'
    assert expected == answer.headers["content-disposition"]


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
