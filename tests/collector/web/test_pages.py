"""What the pages show, and what none of them may contain."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from attt_collector.judge import indicators
from attt_collector.judge.evaluate import assess
from attt_collector.records import VIETNAM_TIME
from attt_collector.store import units, users
from attt_collector.store.db import Store
from attt_rules.pack import for_date
from tests.collector.web.conftest import (
    ENROLLED,
    NOW,
    PASSWORD,
    SOURCE,
    Clock,
    Site,
    Visitor,
    add_pc,
    fill,
    serving,
)

RULE = "tuong-lua.may-bat"


@pytest.fixture(scope="module")
def crawled(reviewer: Visitor) -> dict[str, str]:
    """Every page that can be reached by links from the overview, in Vietnamese and English."""
    found: dict[str, str] = {}
    for language in ("en", "vi"):
        assert 303 == reviewer.post_with_token("/ngon-ngu", {"ngon_ngu": language}).status
        waiting, seen = ["/", "/bao-cao", "/khong-co"], set()
        while waiting:
            path = waiting.pop().split("#")[0]
            if path in seen:
                continue
            seen.add(path)
            page = reviewer.get(path)
            expected = 404 if path == "/khong-co" else 200
            assert expected == page.status, path
            found[f"{language} {path}"] = page.html
            waiting.extend(link for link in page.links if not link.startswith("#"))
    return found


def test_it_works(crawled: dict[str, str]) -> None:
    """Every link of every page leads somewhere."""
    assert len(crawled) > 100
    for path in ("/", "/thiet-bi/dev-a2", "/don-vi/89.1", f"/quy-tac/{RULE}", "/chi-tieu/CT-07"):
        assert f"vi {path}" in crawled


def test_no_page_holds_script_or_style_or_anything_from_elsewhere(crawled: dict[str, str]) -> None:
    for path, html in crawled.items():
        assert "<script" not in html, path
        assert "<style" not in html, path
        assert not re.search(r"\s(on[a-z]+|style)=", html), path
        assert not re.search(r"(src|href|action)=[\"'](?:[a-z]+:)?//", html), path


def test_every_table_has_a_caption_and_headers_with_a_scope(crawled: dict[str, str]) -> None:
    tables = 0
    for path, html in crawled.items():
        for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
            tables += 1
            assert "<caption" in table, path
            assert re.findall(r"<th\b", table), path
            assert not re.search(r"<th\b(?![^>]*\bscope=)", table), path
    assert tables > 20


def test_every_page_has_one_heading_a_language_and_a_way_past_the_menu(
    crawled: dict[str, str],
) -> None:
    for path, html in crawled.items():
        assert 1 == len(re.findall(r"<h1\b", html)), path
        assert f'<html lang="{path[:2]}">' in html, path
        assert 'class="skip-link" href="#noi-dung"' in html, path
        assert 1 == html.count('id="noi-dung"'), path


def test_no_id_stands_twice_on_a_page(crawled: dict[str, str]) -> None:
    for path, html in crawled.items():
        ids = re.findall(r'\sid="([^"]+)"', html)
        assert len(ids) == len(set(ids)), path


def test_every_form_field_has_a_label(crawled: dict[str, str]) -> None:
    for path, html in crawled.items():
        for field in re.findall(r"<(?:input|select)\b[^>]*>", html):
            if 'type="hidden"' in field:
                continue
            found = re.search(r'\bid="([^"]+)"', field)
            assert found is not None, path
            assert f'for="{found.group(1)}"' in html, path


def test_a_real_store_has_no_banner(crawled: dict[str, str]) -> None:
    assert not [path for path, html in crawled.items() if "MÔ PHỎNG" in html]


def test_a_hostile_name_stays_text(crawled: dict[str, str]) -> None:
    assert "PC-B1 &lt;script&gt;alert(1)&lt;/script&gt;" in crawled["vi /thiet-bi/dev-b1"]


def test_the_policy_forbids_what_the_pages_do_not_need(reviewer: Visitor) -> None:
    headers = reviewer.get("/").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "no-store" == headers["cache-control"]


def test_the_overview_shows_what_the_judge_counts(reviewer: Visitor, site: Site) -> None:
    with site.store.read() as conn:
        day = NOW.astimezone(VIETNAM_TIME).date()
        assessment = assess(conn, for_date(day), units.all_on(conn, day), NOW)
    value = indicators.count(assessment)["CT-07"]
    assert (1, 5, 1, 3) == (value.count, value.of, value.failed, value.unknown)
    text = reviewer.get("/").text
    assert "CT-07 Máy vi tính bật tường lửa 1/5 máy 20%" in text
    assert "1 đạt 1 không đạt 3 chưa xác định" in text


def test_the_overview_names_the_silent(reviewer: Visitor) -> None:
    text = reviewer.get("/").text
    assert "Im lặng quá 7 ngày 2" in text
    assert "PC-A3 UBND xã Phú Tân chưa lần nào" in text
    assert "PC-A4 UBND xã Phú Tân 08:00 13/10/2026" in text


def test_the_device_page_shows_value_source_and_time(reviewer: Visitor) -> None:
    text = reviewer.get("/thiet-bi/dev-a2").text
    assert f"Tường lửa đang bật firewall.enabled private không {SOURCE} 05:00 22/11/2026" in text
    assert "Không đạt từ 05:00 22/11/2026" in text
    assert "Cách khắc phục" in text
    assert "TCVN 14423:2026, 4.5.2.1 b theo bản diễn giải" in text


def test_it_reports_unknown_and_why_when_a_fact_is_unreadable(reviewer: Visitor) -> None:
    text = reviewer.get("/thiet-bi/dev-b1").text
    assert "không đọc được: bị từ chối quyền đọc" in text
    assert "Chưa xác định" in text


def test_it_reports_unknown_when_a_device_was_never_heard(reviewer: Visitor) -> None:
    text = reviewer.get("/thiet-bi/dev-a3").text
    assert "chưa gửi bản chụp nào" in text
    assert "Đạt" not in text.replace("Đạt khi", "")


def test_it_says_that_an_old_snapshot_counts_no_more(reviewer: Visitor) -> None:
    page = reviewer.get("/thiet-bi/dev-a4")
    assert "Bản chụp mới nhất đã quá 30 ngày" in page.text
    assert SOURCE in page.text  # the evidence stays


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("", ("PC-A1", "PC-A2", "PC-A3", "PC-A4"), ()),
        ("?trang-thai=khong-dat", ("PC-A2",), ("PC-A3",)),
        ("?trang-thai=chua-xac-dinh", ("PC-A1", "PC-A3", "PC-A4"), ("PC-A2",)),
        ("?trang-thai=im-lang", ("PC-A3", "PC-A4"), ("PC-A1", "PC-A2")),
        ("?trang=99", ("PC-A1",), ()),
    ],
)
def test_the_unit_page_filters_by_its_address(
    reviewer: Visitor, query: str, shown: tuple[str, ...], hidden: tuple[str, ...]
) -> None:
    text = reviewer.get(f"/don-vi/89.1{query}").text
    assert all(name in text for name in shown)
    assert not [name for name in hidden if name in text]


def test_the_unit_page_includes_the_units_below(reviewer: Visitor) -> None:
    assert "PC-A1" in reviewer.get("/don-vi/89").text
    own = reviewer.get("/don-vi/89?pham-vi=rieng").text
    assert "PC-A1" not in own
    assert "Đơn vị này chưa có thiết bị nào" in own


def test_figures_of_a_unit_lead_to_that_units_devices(reviewer: Visitor) -> None:
    links = reviewer.get("/don-vi/89.1").links
    assert "/chi-tieu/CT-07?don-vi=89.1" in links
    text = reviewer.get("/chi-tieu/CT-07?don-vi=89.1").text
    assert "1/4" in text
    assert "PC-B1" not in text


def test_the_rule_page_says_what_is_asked_and_on_what_ground(reviewer: Visitor) -> None:
    text = reviewer.get(f"/quy-tac/{RULE}").text
    assert "L2-CFG-02" in text
    assert "TCVN 14423:2026 4.5.2.1 b theo bản diễn giải" in text
    assert (
        "Mọi mục của «Hồ sơ tường lửa» đều (không có mục nào: không đạt): Tường lửa đang bật: có"
        in text
    )


def test_three_steps_lead_from_a_figure_to_a_source(reviewer: Visitor) -> None:
    assert "/chi-tieu/CT-07" in reviewer.get("/").links
    assert f"/thiet-bi/dev-a2#{RULE}" in reviewer.get("/chi-tieu/CT-07").links
    device = reviewer.get("/thiet-bi/dev-a2")
    assert f'id="{RULE}"' in device.html
    assert SOURCE in device.text


def test_a_new_snapshot_is_seen_at_once(reviewer: Visitor, site: Site) -> None:
    before = reviewer.get("/chi-tieu/CT-01").text
    with site.store.read() as conn:
        unit = units.by_code(conn, "89.2")
    add_pc(site.store, unit.id, "PC-B2", "dev-b2", True)
    after = reviewer.get("/chi-tieu/CT-01").text
    assert "PC-B2" not in before
    assert "PC-B2" in after


def test_time_alone_makes_a_device_silent(simulated_site: Site) -> None:
    visitor = Visitor(simulated_site)
    visitor.log_in("tinh")
    assert "PC-A1" not in visitor.get("/thiet-bi?trang-thai=im-lang").text
    simulated_site.clock.now = NOW + timedelta(days=7)
    visitor.log_in("tinh")
    assert "PC-A1" in visitor.get("/thiet-bi?trang-thai=im-lang").text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/khong-co", 404, "Không tìm thấy trang"),
        ("/quy-tac/khong.co", 404, "Không tìm thấy trang"),
        ("/chi-tieu/CT-99", 404, "Không tìm thấy trang"),
        ("/thiet-bi?trang=x", 400, "Yêu cầu không hợp lệ"),
        ("/dang-xuat", 405, "Thao tác không được hỗ trợ"),
    ],
)
def test_an_error_page_says_what_to_do(
    reviewer: Visitor, path: str, status: int, words: str
) -> None:
    page = reviewer.get(path)
    assert status == page.status
    assert words in page.text
    assert "Về trang Tổng quan" in page.text


@pytest.fixture
def simulated_site(tmp_path: Path) -> Iterator[Site]:
    path = tmp_path / "simulated.sqlite"
    with Store.create(f"sqlite:///{path}", True, ENROLLED) as store:
        fill(store)
        with serving(store, Clock(), tmp_path) as running:
            yield running


def test_made_up_figures_are_marked_on_every_page(simulated_site: Site) -> None:
    visitor = Visitor(simulated_site)
    assert "SỐ LIỆU MÔ PHỎNG" in visitor.get("/dang-nhap").text
    assert "SỐ LIỆU MÔ PHỎNG" in visitor.get("/khong-co").text
    visitor.log_in("tinh")
    for path in ("/", "/thiet-bi/dev-a1", "/don-vi/89.1", "/quy-tac", "/bao-cao", "/khong-co"):
        assert "SỐ LIỆU MÔ PHỎNG — không phải số liệu thật" in visitor.get(path).text


def test_a_broken_store_gives_a_page_with_a_reference(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "attt.sqlite"
    with Store.create(f"sqlite:///{path}", False, ENROLLED) as store:
        fill(store)
        with serving(store, Clock(), tmp_path) as running:
            visitor = Visitor(running)
            visitor.log_in("tinh")
            store._readers.dispose()
            path.write_bytes(b"this is not a database" * 1000)
            with caplog.at_level(logging.ERROR, "attt.app"):
                page = visitor.get("/")
    assert 500 == page.status
    assert "Hệ thống gặp lỗi" in page.text
    found = re.search(r"Mã tham chiếu: ([0-9a-f]{8})", page.text)
    assert found is not None
    assert found.group(1) in caplog.text
    assert "Traceback" not in page.html


def test_two_devices_of_one_name_in_a_unit_are_pointed_out(tmp_path: Path) -> None:
    path = tmp_path / "attt.sqlite"
    with Store.create(f"sqlite:///{path}", False, ENROLLED) as store:
        fill(store)
        with store.read() as conn:
            here, there = (units.by_code(conn, code).id for code in ("89.1", "89.2"))
        add_pc(store, here, "pc-a1", "dev-a1-again", True)
        add_pc(store, there, "PC-A2", "dev-b2", True)
        with serving(store, Clock(), tmp_path) as running:
            visitor = Visitor(running)
            visitor.log_in("tinh")
            words = "Trùng tên trong cùng một đơn vị"
            assert f"{words}: PC-A1, pc-a1." in visitor.get("/don-vi/89.1").text
            assert f"{words}: PC-A1, pc-a1." in visitor.get("/don-vi/89").text
            assert words not in visitor.get("/don-vi/89.2").text


def test_an_empty_store_says_how_to_begin(tmp_path: Path) -> None:
    path = tmp_path / "attt.sqlite"
    with Store.create(f"sqlite:///{path}", False, ENROLLED) as store:
        hashed = users.hash_password(PASSWORD)
        store.write(lambda conn: users.add(conn, login="tinh", password_hash=hashed))
        with serving(store, Clock(), tmp_path) as running:
            visitor = Visitor(running)
            visitor.log_in("tinh")
            assert "attt-collector enrol-code" in visitor.get("/").text
            assert "attt-collector units import" in visitor.get("/bao-cao").text
            for path_shown in ("/thiet-bi", "/chi-tieu", "/quy-tac", "/chi-tieu/CT-03"):
                assert 200 == visitor.get(path_shown).status
