"""Loading packs: what ships is good, and a broken pack shows all its errors with file and line."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from attt_rules import pack
from attt_rules.errors import AtttError, PackErrors
from attt_rules.lint import lint

PACK_IDS = pack.builtin_ids()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(pack.BUILTIN_FOLDER, tmp_path / "packs")
    return tmp_path / "packs" / "vn_l2_2026"


def errors_of(folder: Path) -> list[str]:
    with pytest.raises(PackErrors) as caught:
        pack.load(folder)
    return [f"{e.location}: {e.message.en}" for e in caught.value.errors]


def test_it_works():
    assert ("vn_l2_2017", "vn_l2_2026") == PACK_IDS


@pytest.mark.parametrize("pack_id", PACK_IDS)
def test_what_ships_has_no_finding(pack_id):
    assert () == lint(pack.builtin(pack_id))


@pytest.mark.parametrize(
    "day,expected",
    [
        (date(2015, 1, 1), "vn_l2_2017"),
        (date(2024, 10, 31), "vn_l2_2017"),
        (date(2026, 8, 18), "vn_l2_2017"),
        (date(2026, 8, 19), "vn_l2_2026"),
        (date(2026, 12, 14), "vn_l2_2026"),
    ],
)
def test_the_period_picks_the_pack(day, expected):
    assert expected == pack.for_date(day).id


def test_both_packs_hold_the_same_rules_and_figures():
    old, new = (pack.builtin(pack_id) for pack_id in PACK_IDS)
    assert set(old.rules) == set(new.rules)
    assert {r.code for r in old.rules.values()} == {r.code for r in new.rules.values()}
    assert list(old.indicators) == list(new.indicators)


def test_every_indicator_id_is_there_without_a_gap():
    ids = list(pack.builtin("vn_l2_2026").indicators)
    assert [f"CT-{n:02d}" for n in range(1, len(ids) + 1)] == ids


def test_it_shows_all_errors_of_a_broken_pack_with_file_and_line(copy):
    rule = copy / "rules/mat-khau/do-dai.yaml"
    lines = rule.read_text(encoding="utf-8").splitlines()
    severity = next(i for i, line in enumerate(lines, 1) if line.startswith("severity:"))
    lines[severity - 1] = "severity: terrible"
    rule.write_text("\n".join([*lines, "surprise: 1"]), encoding="utf-8")
    (copy / "rules/ma-doc/co-phan-mem.yaml").write_text("id: [unclosed\n", encoding="utf-8")
    found = errors_of(copy)
    assert any(f"vn_l2_2026/rules/mat-khau/do-dai.yaml:{severity}:" in e for e in found)
    assert any(f"do-dai.yaml:{len(lines) + 1}:" in e and "surprise" in e for e in found)
    assert any("rules/ma-doc/co-phan-mem.yaml:" in e and "YAML" in e for e in found)


@pytest.mark.parametrize(
    "text,says",
    [
        ("check: {fact: a.b, matches: '.*'}", "exactly one comparison"),
        ("check: {fact: a.b, eq: 1, ne: 2}", "exactly one comparison"),
        ("check: {all: []}", "non-empty list"),
        ("check: {all: [{fact: a.b, eq: 1}], any: [{fact: a.b, eq: 1}]}", "exactly one of"),
        ("check: {fact: a.b, ge: {param: nothing}}", 'no parameter "nothing"'),
        ("check: {fact: a.b, ge: many}", '"ge" needs'),
        ("check: {fact: a.b, within_days: yes}", '"within_days" needs'),
        ("check: {all_items: {of: a.b, all: [{fact: a.c, eq: 1}], if_empty: maybe}}", "if_empty"),
        ("check: 3", "a condition is a mapping"),
    ],
)
def test_the_condition_language_is_closed(copy, text, says):
    rule = copy / "rules/he-dieu-hanh/con-ho-tro.yaml"
    content = rule.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(content) if line.startswith("check:"))
    end = next(
        (
            i
            for i in range(start + 1, len(content))
            if content[i] and not content[i][0].isspace() and content[i][0] != "#"
        ),
        len(content),
    )
    rule.write_text("\n".join([*content[:start], text, *content[end:]]), encoding="utf-8")
    assert any(says in error and "con-ho-tro.yaml:" in error for error in errors_of(copy))


def test_a_rule_whose_requirement_is_not_listed_is_refused(copy):
    (copy / "requirements.yaml").write_text("[]\n", encoding="utf-8")
    assert sum("is not in requirements.yaml" in error for error in errors_of(copy)) >= 15


def test_a_key_written_twice_is_refused(copy):
    rule = copy / "rules/mat-khau/do-dai.yaml"
    rule.write_text(rule.read_text(encoding="utf-8") + "\nseverity: low\n", encoding="utf-8")
    assert any("stands here twice" in error for error in errors_of(copy))


@pytest.mark.parametrize(
    "made,says",
    [
        ("rules/mat-khau/do-dai.yml", "not .yaml"),
        ("rules/mat-khau/do-dai.yaml.bak", "not .yaml"),
        ("rules/mat-khau/ghi-chu", "not .yaml"),
        ("rules/do-dai.yml", "not .yaml"),
        ("indicators/moi.YML", "not .yaml"),
        ("rules/do-dai.yaml", "rules/<group>/<name>.yaml"),
        ("rules/mat-khau/moi/do-dai.yaml", "rules/<group>/<name>.yaml"),
        ("indicators/nhom/moi.yaml", "indicators/<name>.yaml"),
    ],
)
def test_a_file_that_would_be_left_out_is_refused(copy, made, says):
    (copy / made).parent.mkdir(exist_ok=True)
    (copy / made).write_text("id: x\n", encoding="utf-8")
    with pytest.raises(PackErrors) as caught:
        pack.load(copy)
    (error,) = caught.value.errors
    assert ("ATTT-103", f"vn_l2_2026/{made}") == (error.code, str(error.location))
    assert says in error.message.en


def test_a_rule_renamed_to_yml_does_not_just_disappear(copy):
    rule = copy / "rules/cau-hinh/khoa-man-hinh.yaml"
    rule.rename(rule.with_suffix(".yml"))
    assert any("vn_l2_2026/rules/cau-hinh/khoa-man-hinh.yml: " in e for e in errors_of(copy))


def test_a_twin_of_a_rule_that_is_not_there_is_refused(copy):
    twin = copy.parent / "vn_l2_2017"
    (copy / "rules/mat-khau/do-dai.yaml").unlink()
    assert any("has no such rule" in error for error in errors_of(twin))


def test_an_unknown_pack_is_named_with_those_there_are():
    with pytest.raises(AtttError) as caught:
        pack.builtin("vn_l3")
    assert "vn_l2_2026" in caught.value.remedy.vi


def test_lint_sees_an_example_that_does_not_come_out(copy):
    rule = copy / "rules/mat-khau/do-dai.yaml"
    content = rule.read_text(encoding="utf-8")
    assert "expect: fail" in content
    rule.write_text(content.replace("expect: fail", "expect: pass"), encoding="utf-8")
    assert "ATTT-123" in {error.code for error in lint(pack.load(copy))}
