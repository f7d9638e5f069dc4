"""The IT officer of one commune, the provincial reviewer, and what each may see."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import attt_collector.web
from tests.collector.web.conftest import Visitor

PAGES = ("/", "/thiet-bi", "/chi-tieu", "/chi-tieu/CT-01", "/chi-tieu/CT-07", "/quy-tac")
PAGES_WITH_PARAMETERS = ("/don-vi/89.1", "/thiet-bi/dev-a1", "/quy-tac/tuong-lua.may-bat")


def test_it_works(reviewer: Visitor, officer: Visitor) -> None:
    assert "CT-01 Tổng số máy vi tính 5 máy" in reviewer.get("/").text
    assert "CT-01 Tổng số máy vi tính 4 máy" in officer.get("/").text


@pytest.mark.parametrize("path", [*PAGES, *PAGES_WITH_PARAMETERS, "/bao-cao"])
def test_nobody_sees_a_page_without_a_login(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert 303 == answer.status
    assert b"" == answer.content
    assert answer.headers["location"].startswith("/dang-nhap")


def test_every_page_of_the_application_asks_for_a_login(visitor: Visitor) -> None:
    modules = (
        importlib.import_module(f"attt_collector.web.{found.name}")
        for found in pkgutil.iter_modules(attt_collector.web.__path__)
    )
    paths = {
        (method, route.path)
        for module in modules
        if hasattr(module, "router")
        for route in module.router.routes
        for method in route.methods
        if route.path != "/dang-nhap"
    }
    assert len(paths) >= 12
    for method, path in paths:
        filled = path.replace("{code}", "89.1").replace("{device_id}", "dev-a1")
        filled = filled.replace("{rule_id}", "tuong-lua.may-bat").replace("{indicator_id}", "CT-07")
        answer = visitor.get(filled) if method == "GET" else visitor.post(filled, {})
        assert 303 == answer.status, (method, path)
        assert answer.headers["location"].startswith("/dang-nhap")


@pytest.mark.parametrize("path", PAGES)
def test_the_officer_sees_nothing_of_another_commune(officer: Visitor, path: str) -> None:
    page = officer.get(path)
    assert 200 == page.status
    for foreign in ("PC-B1", "dev-b1", "Chợ Vàm", "89.2", "An Giang"):
        assert foreign not in page.html


@pytest.mark.parametrize(
    "path",
    [
        "/don-vi/89",
        "/don-vi/89.2",
        "/don-vi/khong-co",
        "/thiet-bi/dev-b1",
        "/thiet-bi/khong-co",
        "/thiet-bi/site-89.2",
        "/chi-tieu/CT-07?don-vi=89.2",
        "/quy-tac/tuong-lua.may-bat?don-vi=89",
    ],
)
def test_what_is_outside_the_unit_does_not_exist(officer: Visitor, path: str) -> None:
    answer = officer.get(path)
    assert 404 == answer.status
    assert "không thuộc phạm vi đơn vị của bạn" in answer.text
    assert officer.get("/don-vi/khong-co").text == answer.text


@pytest.mark.parametrize("path", ["/don-vi/89", "/don-vi/89.2", "/thiet-bi/dev-b1"])
def test_the_reviewer_sees_every_unit(reviewer: Visitor, path: str) -> None:
    assert 200 == reviewer.get(path).status


def test_searching_does_not_reach_outside_the_unit(officer: Visitor) -> None:
    assert "Không có thiết bị nào khớp" in officer.get("/thiet-bi?tim=PC-B").text
    assert "PC-A1" in officer.get("/thiet-bi?tim=pc-a1").text


def test_the_officer_cannot_have_the_report_of_another_commune(officer: Visitor) -> None:
    for code in ("89", "89.2", "khong-co"):
        form = {"don_vi": code, "ky": "2026", "dang": "html"}
        assert 404 == officer.post_with_token("/bao-cao", form).status


def test_the_report_page_offers_only_the_units_in_sight(
    officer: Visitor, reviewer: Visitor
) -> None:
    assert "Chợ Vàm" not in officer.get("/bao-cao").html
    assert "Chợ Vàm" in reviewer.get("/bao-cao").html
