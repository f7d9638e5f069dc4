"""The sentences of the Sa Đéc report of 10/2024 come out of the made-up city with their figures.

Sentence for sentence against the real report where it lies beside the project; the figures are
asserted either way.
"""

from __future__ import annotations

import io
import re
import unicodedata
from datetime import timedelta
from pathlib import Path

import docx
import pytest

from attt_collector.judge import indicators
from attt_collector.judge.evaluate import assess
from attt_collector.records import UnitKind
from attt_collector.report import (
    compose,
    numbers,
    render_docx,
    render_html,
    render_pdf,
    template_reader,
)
from attt_collector.report.model import SIMULATED_BANNER
from attt_collector.report.period import Period
from attt_collector.simulated import city
from attt_collector.simulated.loading import load_city
from attt_collector.store import units
from attt_collector.store.db import Store
from attt_rules import pack
from attt_rules.contract import AssetKind, Fact, parse_time
from attt_rules.errors import AtttError

NOW = parse_time("2026-11-22T08:00:00+07:00")
SEED = Path(__file__).parents[3] / "shared/seeds/000_9128990c522975d5.txt"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Store.create(
        f"sqlite:///{tmp_path_factory.mktemp('city') / 'a.sqlite'}", True, NOW
    ) as made:
        load_city(made, NOW)
        yield made


def report_of(store, period_text: str, as_of=None):
    period = Period.parse(period_text)
    moment = as_of or period.as_of(NOW)
    rules = pack.for_date(min(period.last, moment.date()))
    with store.read() as conn:
        assessment = assess(conn, rules, units.subtree(conn, "sa-dec", moment.date()), moment)
        unit = units.by_code(conn, "sa-dec")
    template = template_reader.builtin("bao-cao-nam", rules)
    origin = compose.Origin(unit, None, period, store.simulated, "test")
    return template, assessment, compose.compose(template, assessment, origin)


@pytest.fixture(scope="module")
def made(store):
    return report_of(store, "10/2024")


@pytest.fixture(scope="module")
def sentences(made):
    return [s.text for section in made[2].sections for s in section.statements]


def one(sentences, start: str) -> str:
    return next(text for text in sentences if start in text)


def test_it_works(made):
    assert "vn_l2_2017" == made[2].manifest.pack_id


@pytest.mark.parametrize("start,figures", [
    ("Tổng số máy vi tính", ["469 máy"]),
    ("cài đặt phần mềm diệt Virus", ["469 máy", "378/330 máy", "114,5%"]),
    ("Tính trên tổng số máy vi tính", ["378/469 máy", "80,6%"]),
    ("vượt số bản quyền", ["48 máy", "378/330", "110%"]),
    ("có đặt mật khẩu khi sử dụng", ["469 máy", "100%"]),
    ("được trang bị tường lửa", ["100%", "9/9"]),
    ("mạng truyền số liệu", ["100%", "10/10", "WAN", "LAN"]),
    ("cáp quang", ["100%", "10/10", "09 đơn vị xã, phường"]),
    ("Hồ sơ đề xuất cấp độ", ["100%", "10/10", "09 đơn vị xã, phường"]),
])  # fmt: skip
def test_each_figure_of_the_seed_comes_out(sentences, start, figures):
    sentence = one(sentences, start)
    assert [] == [figure for figure in figures if figure not in sentence], sentence


def test_central_antivirus_may_exceed_its_quota_but_never_the_fleet(made):
    counted = indicators.count(made[1])
    assert (378, 330) == (counted["CT-03"].count, counted["CT-03"].of)
    assert (378, 469) == (counted["CT-04"].count, counted["CT-04"].of)


def plain(text: str) -> str:
    """Words only: the seed is a converted PDF, broken into lines and with stray spaces."""
    folded = unicodedata.normalize("NFC", text).replace("“", '"').replace("”", '"')
    return re.sub(r"\s+", " ", folded).strip()


@pytest.mark.parametrize("start,quoted", [
    ("cài đặt phần mềm diệt Virus",
     "Số máy vi tính được cài đặt phần mềm diệt Virus là 469 máy, trong đó có 378/330 máy đã được "
     "cài đặt phần mềm phòng, chống mã độc tập trung là "
     '"Kaspersky Endpoint Security For Business Select" của tỉnh'),
    ("có đặt mật khẩu khi sử dụng",
     "Số máy tính có đặt mật khẩu khi sử dụng là 469 máy, chiếm tỷ lệ 100% so với tổng số máy "
     "vi tính"),
    ("được trang bị tường lửa", "100% UBND xã, phường được trang bị tường lửa"),
    ("mạng truyền số liệu",
     "Hệ thống mạng diện rộng WAN, mạng LAN, mạng truyền số liệu chuyên dùng đã được kết nối đến "
     "100% cơ quan hành chính"),
])  # fmt: skip
def test_the_words_are_those_of_the_real_report(sentences, start, quoted):
    assert quoted in plain(one(sentences, start))
    if not SEED.exists():
        pytest.skip(f"the real report is not beside the project ({SEED.name})")
    assert quoted in plain(SEED.read_text(encoding="utf-8"))


def test_every_document_says_on_every_page_that_it_is_made_up(made):
    template, _, report = made
    document = docx.Document(io.BytesIO(render_docx.render(report)))
    for section in document.sections:
        headers = (
            [section.header, section.first_page_header]
            if section.different_first_page_header_footer
            else [section.header]
        )
        for header in headers:
            assert SIMULATED_BANNER in "".join(p.text for p in header.paragraphs)
    assert SIMULATED_BANNER in render_html.render(report, template.folder)
    assert render_pdf.render(report, template.folder).startswith(b"%PDF")
    assert report.manifest.simulated


def test_the_same_city_today_is_judged_by_the_pack_of_today(store):
    _, assessment, report = report_of(store, "2026")
    assert "vn_l2_2026" == report.manifest.pack_id
    assert 469 == indicators.count(assessment)["CT-01"].count


def test_a_report_for_a_past_month_is_the_same_whenever_it_is_made(store, made):
    _, _, again = report_of(store, "10/2024")
    assert made[2] == again


def test_thousands_are_written_as_in_the_seed():
    assert "31.860" == numbers.integer(31860)


def test_half_a_year_of_silence_turns_every_machine_unknown(store):
    later = NOW + timedelta(days=180)
    _, assessment, _ = report_of(store, "2026", as_of=later)
    counted = indicators.count(assessment)
    assert (0, 469, 469) == (counted["CT-02"].count, counted["CT-02"].of, counted["CT-02"].unknown)


def test_a_real_store_refuses_the_city(tmp_path):
    with (
        Store.create(f"sqlite:///{tmp_path / 'real.sqlite'}", False, NOW) as real,
        pytest.raises(AtttError) as refused,
    ):
        load_city(real, NOW)
    assert "ATTT-550" == refused.value.code


def test_the_city_cannot_be_loaded_twice(store):
    with pytest.raises(AtttError) as refused:
        load_city(store, NOW)
    assert "ATTT-551" == refused.value.code


def test_parts_of_the_city_add_up():
    assert (469, 378, 330) == (
        sum(o.pcs for o in city.OFFICES),
        sum(o.central for o in city.OFFICES),
        sum(o.quota for o in city.OFFICES),
    )
    assert 9 == sum(o.kind is UnitKind.COMMUNE for o in city.OFFICES)
    assert 10 == len(city.OFFICES)


def test_every_made_up_snapshot_says_so():
    for facts_at, kind in (
        (city.pc_facts, AssetKind.PC),
        (city.device_facts, AssetKind.NETWORK_DEVICE),
    ):
        for _, name, facts, taken_at in facts_at(NOW):
            snapshot = city.snapshot_of("mp-1", kind, name, facts, taken_at)
            assert snapshot.simulated
            assert all(isinstance(fact, Fact) and "mô phỏng" in fact.source for fact in facts)
