"""The template language is closed: what nothing can fill is refused with file and line."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from attt_collector.report import template_reader
from attt_collector.report.figures import ASSESSMENT_FIGURES, FIELDS, TESTS
from attt_collector.report.template import RULE_WORDS, WORDS, TemplateErrors
from attt_rules import pack as packs
from attt_rules.errors import AtttError

ORIGINAL = template_reader.FOLDER / "bao_cao_nam"


@pytest.mark.parametrize("pack_id", packs.builtin_ids())
@pytest.mark.parametrize("template_id", template_reader.template_ids())
def test_it_works(template_id: str, pack_id: str) -> None:
    template = template_reader.builtin(template_id, packs.builtin(pack_id))

    assert template.id == template_id
    assert template.sections and template.annexes


def broken(tmp_path: Path, old: str, new: str) -> tuple[TemplateErrors, int]:
    """The errors of the built-in template with one text replaced, and the line that stands on."""
    folder = tmp_path / "bao_cao_nam"
    shutil.copytree(ORIGINAL, folder)
    file = folder / "template.yaml"
    content = file.read_text(encoding="utf-8")
    assert content.count(old) == 1, old
    file.write_text(content.replace(old, new), encoding="utf-8")
    line = content[: content.index(old)].count("\n") + 1
    with pytest.raises(TemplateErrors) as refused:
        template_reader.load(folder, packs.builtin("vn_l2_2026"))
    return refused.value, line


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("là: {CT-01.count} máy", "là: {CT-01.cout} máy", "{CT-01.cout}"),
        ("là: {CT-01.count} máy", "là: {CT-77.count} máy", "{CT-77.count}"),
        ("là: {CT-01.count} máy", "là: {CT-01.count máy", "{ }"),
        ("là: {CT-01.count} máy", "là: {CT-01.param.minimum_chars}", "param.minimum_chars"),
        ("{CT-12.param.minimum_chars}", "{CT-12.param.min}", "param.min"),
        ("when: CT-03.above_warning", "when: CT-03.above_all", "above_all"),
        ("when: CT-03.above_warning", "when: CT-88.above_warning", "CT-88"),
        ("indicator: CT-21,", "indicator: CT-99,", "CT-99"),
        ("Tình hình {term.cong_tac}", "Tình hình {term.cong_viec}", "term.cong_viec"),
        ("{unit.offices} là", "{unit.office} là", "unit.office"),
        ("{rule.fix} (", "{rule.cost} (", "rule.cost"),
        ('  failed: "; {count} {noun} chưa đạt"', '  failed: "; {number}"', "number"),
        ("needs: pack.incomplete", "needs: pack.missing", "needs"),
        ("figure: CT-15,", "figure: CT-55,", "CT-55"),
        ("id: bao-cao-nam", "id: bao-cao-quy", "bao-cao-quy"),
    ],
)
def test_it_refuses_what_nothing_can_fill(tmp_path: Path, old: str, new: str, named: str) -> None:
    errors, line = broken(tmp_path, old, new)

    assert [(e.location.path, e.location.line) for e in errors.errors] == [
        ("bao_cao_nam/template.yaml", line)
    ]
    assert named in str(errors)
    assert errors.code == "ATTT-606"


def test_it_refuses_a_computed_sentence_without_a_last_resort(tmp_path: Path) -> None:
    old = '          - when: otherwise\n            text: "Tổng số máy vi tính'
    new = '          - when: CT-01.has_count\n            text: "Tổng số máy vi tính'

    errors, _ = broken(tmp_path, old, new)

    assert "tong-so-may" in str(errors)
    assert "otherwise" in str(errors)


def test_it_shows_all_problems_at_once(tmp_path: Path) -> None:
    errors, _ = broken(
        tmp_path,
        "Tổng số máy vi tính {unit.offices} là: {CT-01.count} máy.",
        "{a} {b} {CT-01.c}",
    )

    assert len(errors.errors) == 3


def test_it_refuses_a_file_that_is_not_yaml(tmp_path: Path) -> None:
    errors, _ = broken(tmp_path, "annex_label: PHỤ LỤC", "annex_label: [PHỤ LỤC")

    assert errors.errors[0].code == "ATTT-101"


def test_it_names_the_templates_there_are() -> None:
    with pytest.raises(AtttError) as refused:
        template_reader.builtin("bao-cao-tuan", packs.builtin("vn_l2_2026"))

    assert refused.value.code == "ATTT-607"
    assert "bao-cao-nam" in str(refused.value)


def test_the_readme_names_every_field_test_and_word() -> None:
    readme = (ORIGINAL / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`\{?\.?([A-Za-z_0-9.-]+?)(?:…)?\}?`", readme))
    tails = {name.rpartition(".")[2] for name in named}

    for name in (*FIELDS, *TESTS, *ASSESSMENT_FIGURES):
        assert name in tails | {head.rstrip(".") for head in named}, name
    for word in (*WORDS, *RULE_WORDS):
        assert word in named or word.rpartition(".")[2] in tails, word
