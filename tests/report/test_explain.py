"""From a figure back to devices, facts, sources and hashes."""

from __future__ import annotations

import pytest

from attt_collector.judge.evaluate import Assessment
from attt_collector.records import UnitKind
from attt_collector.report import summary
from attt_collector.report.explain import explain
from attt_collector.words import Words
from attt_rules import pack as packs
from attt_rules.errors import AtttError
from tests.report.fleet import Fleet, city

VI, EN = Words("vi"), Words("en")


def assessment() -> Assessment:
    fleet = city()
    fleet.pcs(fleet.units[1], 1, **{"firewall.enabled": {"host": False}})
    fleet.device(fleet.units[2], None, name="PC-IM-LẶNG")
    return fleet.assess()


def test_it_works() -> None:
    lines = explain(assessment(), "CT-07", VI).splitlines()

    assert lines[:10] == [
        "CT-07  Máy vi tính bật tường lửa",
        "Số liệu: 12/14 máy, đạt 85,71%",
        "Không đạt 1, chưa xác định 1, không áp dụng 0",
        "Tính đến: 08:00 15/10/2024",
        "Bộ quy tắc: vn_l2_2017, bản " + packs.builtin("vn_l2_2017").version,
        "Đối tượng: máy vi tính",
        "Đạt khi: đạt quy tắc tuong-lua.may-bat (L2-CFG-02) «Tường lửa trên máy đang bật và chặn "
        "kết nối vào chưa được phép»",
        "  - Mọi mục của «Hồ sơ tường lửa» đều (không có mục nào: không đạt):  [firewall.profiles]",
        "    - Tường lửa đang bật: có  [firewall.enabled]",
        "    - Chặn kết nối vào không được phép: có  [firewall.inbound_blocked]",
    ]


def test_it_walks_back_to_the_fact_and_the_snapshot() -> None:
    said = explain(assessment(), "CT-07", VI)

    failed = said[said.index("Không đạt (1):") : said.index("Chưa xác định (1):")]
    assert failed.splitlines() == [
        "Không đạt (1):",
        "  PC-0013 - UBND xã Tân Mỹ (HM-01)",
        "    bản chụp snapshot-13 lúc 07:00 15/10/2024, nhận lúc 07:00 15/10/2024, "
        f"sha256 {13:064x}",
        "    firewall.profiles = host",
        "      nguồn: test; đọc lúc 07:00 15/10/2024",
        "    firewall.enabled[host] = không",
        "      nguồn: test; đọc lúc 07:00 15/10/2024",
        "    firewall.inbound_blocked[host] = có",
        "      nguồn: test; đọc lúc 07:00 15/10/2024",
        "",
    ]


def test_it_says_that_a_device_never_reported() -> None:
    said = explain(assessment(), "CT-07", VI)

    unknown = said[said.index("Chưa xác định (1):") : said.index("Đạt (12):")]
    assert "PC-IM-LẶNG - UBND phường 2 (HM-02)\n    chưa gửi bản chụp nào" in unknown
    assert "firewall.profiles: không có dữ kiện nào" in unknown


def test_it_names_the_document_behind_an_attested_figure() -> None:
    said = explain(assessment(), "CT-09", VI)

    assert "[dossier.approved]" in said
    assert "nguồn: QĐ 169/QĐ-STTTT ngày 10/12/2022 (xác nhận: Nguyễn Văn Mẫu)" in said


def test_it_names_the_plan_behind_an_attainment() -> None:
    said = explain(assessment(), "CT-03", VI)

    assert "Số liệu: 13/12 máy, đạt 108,3%" in said
    assert "Mẫu số: tổng quota.central_antivirus_machines của các đơn vị trong phạm vi" in said


@pytest.mark.parametrize("pack_id", packs.builtin_ids())
def test_it_can_explain_every_indicator(pack_id: str) -> None:
    fleet = city()
    fleet.pack_id = pack_id
    assessed = fleet.assess()

    for indicator_id, spec in assessed.pack.indicators.items():
        assert explain(assessed, indicator_id, VI).startswith(f"{indicator_id}  {spec.title.vi}\n")


def test_it_refuses_an_unknown_indicator() -> None:
    with pytest.raises(AtttError) as refused:
        explain(assessment(), "CT-77", VI)
    assert refused.value.code == "ATTT-601"


def test_it_speaks_english_too() -> None:
    said = explain(assessment(), "CT-07", EN) + summary.text(assessment(), EN)

    assert "Figure: 12/14 machines, 85.71%" in said
    assert "Scope: 3 units, 14 machines and devices" in said
    assert "firewall.enabled[host] = no" in said
    assert "has sent no snapshot yet" in said
    # Names of units are names; everything else is English.
    assert "đạt" not in said
    assert "nguồn" not in said


@pytest.mark.parametrize(("words", "said"), [(VI, "0/1 máy, chưa xác định"), (EN, "unknown")])
def test_it_gives_no_share_of_what_is_all_unknown(words: Words, said: str) -> None:
    fleet = Fleet()
    fleet.device(fleet.unit("TP", "UBND xã Tân Phú", UnitKind.COMMUNE), None)

    line = explain(fleet.assess(), "CT-07", words).splitlines()[1]

    assert said in line
    assert "%" not in line


def test_a_small_scope_is_shown_asset_by_asset() -> None:
    said = summary.text(assessment(), VI)

    assert "PC-0013 - UBND xã Tân Mỹ (HM-01)" in said
    assert "[-] Không đạt: Tường lửa trên máy đang bật" in said
    assert "        firewall.enabled[host] = không" in said
    assert "Cách khắc phục: Bật tường lửa trên máy" in said


def test_a_large_scope_is_a_table_only() -> None:
    fleet = city()
    fleet.pcs(fleet.units[0], 9)

    said = summary.text(fleet.assess(), VI)

    assert "L2-CFG-02" in said
    assert "PC-0001" not in said


def test_the_json_has_what_the_table_has() -> None:
    content = summary.to_json(assessment())

    [rule] = [rule for rule in content["rules"] if rule["id"] == "tuong-lua.may-bat"]
    assert (rule["pass"], rule["fail"], rule["unknown"]) == (12, 1, 1)
    [indicator] = [one for one in content["indicators"] if one["id"] == "CT-07"]
    assert (indicator["count"], indicator["of"]) == (12, 14)
    assert {asset["standing"] for asset in content["assets"]} == {"fresh", "silent"}
