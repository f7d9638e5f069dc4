"""Conditions in words."""

from __future__ import annotations

from attt_collector.report.wording import Clause, in_words
from attt_collector.words import Words
from attt_rules.pack import AllItems, AllOf, AnyItem, AnyOf, Compare, Not, builtin, builtin_ids

VI = Words("vi")


def test_it_works() -> None:
    condition = AnyItem(
        "antivirus.products",
        (
            Compare("antivirus.product.enabled", "eq", True),
            Compare("antivirus.product.signatures_updated_at", "within_days", 7),
        ),
    )
    clause = in_words(VI, condition)
    assert "Có ít nhất một mục của «Phần mềm phòng, chống mã độc» mà:" == clause.text
    expected = (
        "Bảo vệ thời gian thực đang bật: có",
        "Cập nhật mẫu nhận diện lần cuối: trong vòng 7 ngày gần đây",
    )
    assert expected == tuple(part.text for part in clause.parts)


def test_every_operator_and_joint_has_its_own_words() -> None:
    leaf = Compare("device.uptime_seconds", "ge", 1)
    found = {
        in_words(VI, condition).text
        for condition in (
            *(
                Compare("device.uptime_seconds", op, 1)
                for op in ("eq", "ne", "ge", "le", "within_days", "valid_for_days")
            ),
            Compare("link.kind", "in", ("wifi", "mobile")),
            AllOf((leaf,)),
            AnyOf((leaf,)),
            Not(leaf),
            AnyItem("interface.names", (leaf,)),
            AllItems("interface.names", (leaf,), None),
        )
    }
    assert 12 == len(found)
    assert "Loại kết nối: là một trong wifi, mobile" in found


def test_an_unknown_fact_is_shown_by_its_key() -> None:
    assert Clause("x.y: có", "x.y") == in_words(VI, Compare("x.y", "eq", True))


def test_every_rule_of_every_pack_can_be_said_in_both_languages() -> None:
    for pack_id in builtin_ids():
        for rule in builtin(pack_id).rules.values():
            vietnamese, english = in_words(VI, rule.check), in_words(Words("en"), rule.check)
            assert vietnamese.text != english.text, rule.id
