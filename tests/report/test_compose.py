"""Sentences of the yearly report, composed from made-up fleets judged by the real engine."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest

from attt_collector.judge.indicators import tallies
from attt_collector.records import UnitKind
from attt_collector.report.figures import assessment_figures
from attt_collector.report.model import StatementKind
from attt_rules import pack as packs
from attt_rules.contract import AssetKind, Unreadable
from tests.report.fleet import AS_OF, PRODUCT, Fleet, city, good_pc


def commune(pcs: int = 1) -> Fleet:
    fleet = Fleet()
    fleet.pcs(fleet.unit("TP", "UBND xã Tân Phú", UnitKind.COMMUNE), pcs)
    return fleet


def test_it_works() -> None:
    report = city().report()

    texts = [statement.text for statement in report.statements]
    assert texts[:4] == [
        "Tổng số máy vi tính trong các cơ quan nhà nước Thành phố Hoa Mai là: 12 máy.",
        "100% đơn vị đã kết nối mạng cáp quang (FTTH) (3/3: Ủy ban nhân dân Thành phố Hoa Mai, "
        "02 đơn vị xã, phường).",
        "100% UBND xã, phường được trang bị tường lửa (2/2 xã, phường).",
        "Hệ thống mạng diện rộng WAN, mạng LAN, mạng truyền số liệu chuyên dùng đã được kết nối "
        "đến 100% cơ quan hành chính (3/3 cơ quan).",
    ]
    assert report.header.authority == ("ỦY BAN NHÂN DÂN", "THÀNH PHỐ HOA MAI")


def test_it_reports_central_antivirus_above_its_quota() -> None:
    fleet = commune(378)
    unit = fleet.units[0]
    own_product = {
        "antivirus.product.managed": {"Kaspersky": False},
    }
    fleet.pcs(unit, 91, **own_product)
    fleet.attest(unit, "quota.central_antivirus_machines", 330)
    fleet.attest(unit, "quota.central_antivirus_product", PRODUCT)

    assert fleet.sentence("phong-chong-ma-doc") == (
        "Số máy vi tính được cài đặt phần mềm diệt Virus là 469 máy, trong đó có 378/330 máy đã "
        "được cài đặt phần mềm phòng, chống mã độc tập trung là “Kaspersky Endpoint Security For "
        "Business Select” của tỉnh (đạt 114,5%)."
    )
    assert fleet.sentence("ma-doc-tap-trung-do-phu") == (
        "Tính trên tổng số máy vi tính, số máy đã được cài đặt phần mềm phòng, chống mã độc tập "
        "trung: 378/469 máy, đạt 80,6%; 91 máy chưa đạt."
    )
    assert fleet.sentence("vuot-ban-quyen") == (
        "Lưu ý: số máy cài đặt phần mềm phòng, chống mã độc tập trung vượt số bản quyền được phân "
        "bổ 48 máy (378/330 máy, đạt 114,5%, trên mức 110%); đề nghị rà soát và bổ sung bản quyền."
    )
    assert fleet.sentence("mat-khau") == (
        "Số máy tính có đặt mật khẩu khi sử dụng là 469 máy, chiếm tỷ lệ 100% so với tổng số máy "
        "vi tính."
    )


@pytest.mark.parametrize(("quota", "warned"), [(9, True), (10, False), (12, False)])
def test_it_warns_only_above_110_percent(quota: int, warned: bool) -> None:
    fleet = commune(11 if quota == 10 else 10)
    fleet.attest(fleet.units[0], "quota.central_antivirus_machines", quota)

    warnings = [warning.id for warning in fleet.report().warnings]

    assert ("vuot-ban-quyen" in warnings) == warned


def test_it_says_that_a_quota_is_not_known() -> None:
    assert commune().sentence("phong-chong-ma-doc") == (
        "Số máy vi tính được cài đặt phần mềm diệt Virus là 01 máy, trong đó có 01 máy đã được "
        "cài đặt phần mềm phòng, chống mã độc tập trung của tỉnh (chưa có số liệu bản quyền được "
        "phân bổ nên chưa tính được tỷ lệ)."
    )


def test_it_says_that_a_quota_is_zero() -> None:
    fleet = commune()
    fleet.attest(fleet.units[0], "quota.central_antivirus_machines", 0)

    assert fleet.sentence("phong-chong-ma-doc").endswith("(đơn vị không được phân bổ bản quyền).")


def test_it_warns_when_the_quota_of_some_units_is_missing() -> None:
    fleet = Fleet()
    top = fleet.unit("T", "Tỉnh Mẫu", UnitKind.PROVINCE)
    for number in (1, 2):
        fleet.pcs(fleet.unit(f"T-{number}", f"UBND xã {number}", UnitKind.COMMUNE, top), 1)
    fleet.attest(fleet.units[1], "quota.central_antivirus_machines", 1)

    assert fleet.sentence("thieu-phan-bo") == (
        "Lưu ý: chưa có số liệu bản quyền được phân bổ của Ủy ban nhân dân xã 2; tỷ lệ nêu trên "
        "chỉ tính trên số bản quyền đã biết."
    )


def test_it_names_failed_and_unknown_beside_the_share() -> None:
    fleet = commune(462)
    fleet.pcs(fleet.units[0], 2, **{"firewall.enabled": {"host": False}})
    for _ in range(5):
        fleet.device(fleet.units[0], None)

    assert fleet.sentence("tuong-lua-may") == (
        "Số máy vi tính bật tường lửa: 462/469 máy, đạt 98,51%; 02 máy chưa đạt; còn 05 máy chưa "
        "có số liệu."
    )


def test_it_names_the_packs_own_password_length() -> None:
    fleet = commune()
    assert "tối thiểu từ 8 ký tự trở lên: 01/1" not in fleet.sentence("do-dai-mat-khau")
    assert fleet.sentence("do-dai-mat-khau") == (
        "Số máy vi tính đặt độ dài mật khẩu tối thiểu từ 8 ký tự trở lên: 1/1 máy, đạt 100%."
    )

    fleet.pack_id = "vn_l2_2026"
    fleet.pcs(fleet.units[0], 1, **{"password_policy.minimum_length_chars": 13})

    assert fleet.sentence("do-dai-mat-khau") == (
        "Số máy vi tính đặt độ dài mật khẩu tối thiểu từ 14 ký tự trở lên: 1/2 máy, đạt 50%; "
        "01 máy chưa đạt."
    )


def test_a_changed_fact_changes_the_sentence() -> None:
    weak = commune(0)
    weak.pcs(weak.units[0], 1, **{"password_policy.minimum_length_chars": 7})

    assert weak.sentence("do-dai-mat-khau") == (
        "Số máy vi tính đặt độ dài mật khẩu tối thiểu từ 8 ký tự trở lên: chưa có máy nào đạt "
        "(0/1); 01 máy chưa đạt."
    )


def test_unknown_alone_is_said_to_be_undecided() -> None:
    fleet = commune(0)
    fleet.device(fleet.units[0], None)

    assert fleet.sentence("tuong-lua-may") == (
        "Số máy vi tính bật tường lửa: chưa xác định (01 máy chưa có số liệu)."
    )
    assert fleet.sentence("mat-khau") == (
        "Số máy tính có đặt mật khẩu khi sử dụng: chưa xác định (01 máy chưa có số liệu)."
    )


@pytest.mark.parametrize(
    ("value", "word"), [(True, "có"), (False, "không"), (None, "chưa xác định")]
)
def test_one_office_answers_yes_no_or_undecided(value: bool | None, word: str) -> None:
    fleet = commune()
    if value is not None:
        fleet.attest(fleet.units[0], "site.fibre_connected", value)

    assert fleet.sentence("cap-quang") == f"Đơn vị đã kết nối mạng cáp quang (FTTH): {word}."


def test_an_empty_scope_has_a_sentence_for_everything() -> None:
    fleet = Fleet()
    fleet.unit("T", "UBND Thành phố Trống", UnitKind.CITY)
    report = fleet.report()

    texts = {statement.id: statement.text for statement in report.statements}
    assert texts["tong-so-may"] == (
        "Chưa có máy vi tính nào trong các cơ quan nhà nước Thành phố Trống được ghi danh vào hệ "
        "thống theo dõi."
    )
    assert texts["tuong-lua-xa-phuong"] == (
        "Phạm vi báo cáo không có UBND xã, phường nên không tính tỷ lệ xã, phường được trang bị "
        "tường lửa."
    )
    assert texts["tuong-lua-may"] == (
        "Số máy vi tính bật tường lửa: không có máy vi tính nào thuộc diện kiểm tra."
    )
    assert not any("%" in text for text in texts.values())


def test_nothing_failed_but_something_unknown_is_no_praise() -> None:
    fleet = commune(0)
    fleet.device(fleet.units[0], None)
    texts = {statement.id: statement.text for statement in fleet.report().statements}

    assert texts["quy-tac-chua-dat"].startswith("Chưa phát hiện trường hợp không đạt; tuy nhiên")
    assert texts["may-chua-gui-so-lieu"] == (
        "Lưu ý: 01 máy đã ghi danh nhưng chưa gửi số liệu lần nào, được tính là chưa có số liệu."
    )
    assert texts["khac-phuc"].startswith("Bổ sung số liệu")


def test_when_everything_passes_it_says_so() -> None:
    texts = {statement.id: statement.text for statement in city().report().statements}

    assert texts["quy-tac-chua-dat"] == "Qua kiểm tra, không có trường hợp chưa đạt."
    assert texts["khac-phuc"] == "Tiếp tục duy trì các biện pháp đang áp dụng."


def test_weaknesses_come_worst_first_and_name_few_units() -> None:
    fleet = city()
    fleet.pcs(fleet.units[1], 2, **{"screen_lock.password_required": False})
    fleet.pcs(fleet.units[2], 1, **{"antivirus.product.enabled": {"Kaspersky": False}})

    report = fleet.report()

    weak = [s.text for s in report.statements if s.id.startswith("quy-tac-chua-dat")]
    assert weak[0] == (
        "Còn 01 máy chưa đạt yêu cầu “Máy có phần mềm phòng, chống mã độc đang bật bảo vệ thời "
        "gian thực” tại UBND phường 2 (01)."
    )
    assert weak[-1].endswith("tại UBND xã Tân Mỹ (02).")
    advice = [s for s in report.statements if s.id.startswith("khac-phuc")]
    assert advice[0].text == (
        "Cài phần mềm phòng, chống mã độc do tỉnh cấp và bật bảo vệ thời gian thực (01 máy chưa "
        "đạt)."
    )
    assert advice[0].kind is StatementKind.FREE


def test_more_than_five_units_are_counted_not_named() -> None:
    fleet = Fleet()
    top = fleet.unit("T", "Tỉnh Mẫu", UnitKind.PROVINCE)
    for number in range(1, 7):
        unit = fleet.unit(f"T-{number}", f"UBND xã {number}", UnitKind.COMMUNE, top)
        fleet.pcs(unit, 1, **{"auto_logon.off": False})

    [text] = [s.text for s in fleet.report().statements if s.id.startswith("quy-tac-chua-dat")]

    assert text == (
        "Còn 06 máy chưa đạt yêu cầu “Máy không tự động đăng nhập khi khởi động” tại 06 đơn vị."
    )


def test_one_unit_is_not_named_again_in_its_own_report() -> None:
    fleet = commune(0)
    fleet.pcs(fleet.units[0], 1, **{"auto_logon.off": False})

    [text] = [s.text for s in fleet.report().statements if s.id.startswith("quy-tac-chua-dat")]

    assert text == "Còn 01 máy chưa đạt yêu cầu “Máy không tự động đăng nhập khi khởi động”."


def test_declared_machines_that_never_enrolled_are_a_warning() -> None:
    fleet = commune(9)
    fleet.attest(fleet.units[0], "site.machines_declared_count", 12)

    assert fleet.sentence("may-khai-bao") == (
        "Lưu ý: các đơn vị khai báo 12 máy, mới ghi danh 09 máy; còn 03 máy chưa ghi danh, không "
        "có trong số liệu của báo cáo này."
    )


def test_old_figures_are_a_warning() -> None:
    fleet = commune()
    fleet.device(fleet.units[0], good_pc(), age=timedelta(days=31))

    assert fleet.sentence("may-so-lieu-cu") == (
        "Lưu ý: 01 máy có số liệu cũ hơn 30 ngày, được tính là chưa có số liệu."
    )


def test_the_pack_confesses_its_gaps() -> None:
    text = city().sentence("bo-quy-tac-chua-du")

    assert text.startswith("Lưu ý về bộ quy tắc kiểm tra: ")
    assert "Không được suy ra rằng hệ thống đạt cấp độ 2." in text


def test_a_department_stands_under_its_committee() -> None:
    fleet = Fleet()
    fleet.unit("P", "Phòng Văn hóa - Xã hội", UnitKind.DEPARTMENT)
    report = fleet.report()

    assert report.header.authority == ("PHÒNG VĂN HÓA - XÃ HỘI",)
    assert report.header.signature == ("THỦ TRƯỞNG ĐƠN VỊ",)
    assert report.header.subject[1] == "tại Phòng Văn hóa - Xã hội năm 2024"


def test_words_and_recipients_follow_the_pack() -> None:
    old, new = city(), city()
    new.pack_id = "vn_l2_2026"

    assert old.report().header.recipients[0] == "- Sở Thông tin và Truyền thông tỉnh;"
    assert new.report().header.recipients[0] == "- Công an tỉnh;"
    assert "85/2016/NĐ-CP" in old.report().legal_basis[0]
    assert "116/2025/QH15" in new.report().legal_basis[0]


def test_few_machines_are_listed_with_their_evidence() -> None:
    fleet = commune(0)
    length = {"password_policy.minimum_length_chars": Unreadable.ACCESS_DENIED}
    fleet.device(fleet.units[0], {**good_pc(), **length, "auto_logon.off": False}, name="PC-417")

    [annex] = [annex for annex in fleet.report().annexes if annex.id == "machines"]

    assert annex.rows == (
        (
            "PC-417",
            "UBND xã Tân Phú",
            "L2-CFG-04 Máy không tự động đăng nhập khi khởi động",
            "Không đạt",
            "auto_logon.off = không",
        ),
        (
            "",
            "",
            "L2-ACC-07 Chính sách mật khẩu đòi đủ độ dài tối thiểu",
            "Chưa xác định",
            "password_policy.minimum_length_chars = không đọc được (bị từ chối quyền đọc)",
        ),
        ("", "", "12 quy tắc", "Đạt", ""),
    )


def test_many_machines_are_not_listed() -> None:
    assert "machines" in {annex.id for annex in commune(20).report().annexes}
    assert "machines" not in {annex.id for annex in commune(21).report().annexes}


def test_the_table_by_unit_has_the_totals_of_the_text() -> None:
    fleet = city()
    fleet.pcs(fleet.units[1], 2, **{"firewall.enabled": {"host": False}})

    [annex] = [annex for annex in fleet.report().annexes if annex.id == "units"]

    column = [one.title for one in annex.columns].index("Tường lửa máy")
    assert [row[column] for row in annex.rows] == ["6/6", "3/5", "3/3"]
    assert annex.total[column] == "12/14"
    assert "12/14 máy" in fleet.sentence("tuong-lua-may")


def test_the_manifest_names_everything_it_stands_on() -> None:
    report = city().report(period="10/2024")
    manifest = report.manifest

    assert (manifest.pack_id, manifest.period) == ("vn_l2_2017", "2024-10")
    assert manifest.as_of == AS_OF
    assert manifest.snapshot_sha256 == tuple(f"{number:064x}" for number in range(1, 13))


def test_only_made_up_figures_carry_the_banner() -> None:
    assert city().report(simulated=True).banner == "SỐ LIỆU MÔ PHỎNG"
    assert city().report(simulated=False).banner is None


def test_a_control_character_of_a_machine_does_not_reach_the_document() -> None:
    fleet = commune(0)
    fleet.device(fleet.units[0], {**good_pc(), "auto_logon.off": False}, name="PC\x07\x00")

    [annex] = [annex for annex in fleet.report().annexes if annex.id == "machines"]

    assert annex.rows[0][0] == "PC\ufffd\ufffd"


@pytest.mark.parametrize("pack_id", packs.builtin_ids())
def test_every_mix_of_results_makes_whole_sentences(pack_id: str) -> None:
    """No wording is reached that lacks its figure, whatever passes, fails or is unknown."""
    bad = {key: False for key, value in good_pc().items() if value is True}
    kinds: dict[str, dict[str, object] | None] = {"good": good_pc(), "bad": bad, "silent": None}
    for many in product((0, 1, 2), repeat=len(kinds)):
        fleet = Fleet(pack_id=pack_id)
        unit = fleet.unit("T", "UBND xã Thử", UnitKind.COMMUNE)
        fleet.attest(unit, "quota.central_antivirus_machines", sum(many))
        for number, facts in zip(many, kinds.values(), strict=True):
            for _ in range(number):
                fleet.device(unit, facts)
        fleet.device(unit, None, kind=AssetKind.NETWORK_DEVICE)
        for statement in fleet.report().statements:
            assert statement.text.endswith((".", "!")), statement
            assert not re.search(r"[{}]|\s[;,.]|\(\s|\s\)|  |None|\.\.", statement.text), statement


def test_a_rule_that_applies_to_nothing_is_not_among_those_without_a_fault() -> None:
    fleet = Fleet()
    unit = fleet.unit("HM", "xã Hoa Mai", UnitKind.COMMUNE)
    fleet.pcs(unit, 1, **{"session.desktop_present": False})

    rules = assessment_figures(fleet.assess())["rules"].value

    desktop = {
        t.rule.id for t in tallies(fleet.assess()) if t.total and t.total == t.not_applicable
    }
    assert desktop == {"cau-hinh.khoa-man-hinh"}
    assert rules.of == sum(1 for t in tallies(fleet.assess()) if t.total) - 1


def test_it_warns_of_machines_left_in_a_unit_that_ended() -> None:
    fleet = commune(2)
    assert "may-don-vi-cu" not in [s.id for s in fleet.report().statements]

    fleet.units[0] = replace(fleet.units[0], valid_until=date(2024, 7, 1))

    assert fleet.sentence("may-don-vi-cu").startswith("Lưu ý: 02 máy vẫn ghi danh ở đơn vị đã")
