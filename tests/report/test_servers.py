"""Servers are judged like PCs but are in no figure of PCs: the report says so everywhere."""

from __future__ import annotations

from attt_collector.records import UnitKind
from attt_rules.contract import AssetKind
from tests.report.fleet import Fleet, good_pc


def servers(pcs: int = 0, **changed: object) -> Fleet:
    """A commune with PCs that pass everything, a server with changed facts, and a silent one."""
    fleet = Fleet()
    fleet.pcs(fleet.unit("TP", "UBND xã Tân Phú", UnitKind.COMMUNE), pcs)
    fleet.device(fleet.units[0], {**good_pc(), **changed}, kind=AssetKind.SERVER)
    fleet.device(fleet.units[0], None, kind=AssetKind.SERVER)
    return fleet


def test_servers_alone_make_a_report_that_does_not_contradict_itself() -> None:
    texts = [s.text for s in servers(**{"auto_logon.off": False}).report().statements]

    assert texts[0] == (
        "Chưa có máy vi tính nào trong các cơ quan nhà nước xã Tân Phú được ghi danh vào hệ thống "
        "theo dõi; đã ghi danh 02 máy chủ, được kiểm tra theo quy tắc nhưng không tính vào các số "
        "liệu về máy vi tính."
    )
    assert "Còn 01 máy chủ chưa đạt yêu cầu “Máy không tự động đăng nhập khi khởi động”." in texts
    assert "Tắt tự động đăng nhập (01 máy chủ chưa đạt)." in texts
    assert not [text for text in texts if "không có máy nào" in text]
    assert (
        "Lưu ý: 01 máy chủ đã ghi danh nhưng chưa gửi số liệu lần nào, được tính là chưa có số "
        "liệu."
    ) in texts


def test_servers_are_counted_beside_the_pcs_and_named_among_weaknesses() -> None:
    fleet = servers(3, **{"auto_logon.off": False})
    fleet.pcs(fleet.units[0], 1, **{"auto_logon.off": False})

    assert fleet.sentence("tong-so-may") == (
        "Tổng số máy vi tính trong các cơ quan nhà nước xã Tân Phú gồm 04 máy; ngoài ra có 02 máy "
        "chủ, được kiểm tra theo quy tắc nhưng không tính vào các số liệu về máy vi tính."
    )
    assert fleet.sentence("khong-tu-dang-nhap").endswith(": 3/4 máy, đạt 75%; 01 máy chưa đạt.")
    assert fleet.sentence("quy-tac-chua-dat.cau-hinh.khong-tu-dang-nhap") == (
        "Còn 02 máy vi tính, máy chủ chưa đạt yêu cầu “Máy không tự động đăng nhập khi khởi động”."
    )
