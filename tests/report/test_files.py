"""The names of report files: one report never takes another's place unasked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attt_collector.report import files, template_reader
from attt_collector.report.model import Report
from attt_rules.contract import parse_time
from tests.report.fleet import city

FOLDER = template_reader.FOLDER / "bao_cao_nam"
REPORT = city().report()


def of(code: str) -> Report:
    return replace(REPORT, manifest=replace(REPORT.manifest, unit_code=code))


def test_it_works(tmp_path: Path) -> None:
    written = files.write(REPORT, FOLDER, tmp_path)

    assert "bao-cao-nam_HM_2024.docx" == written.docx.name
    assert {path.name for path in written.paths()} == {path.name for path in tmp_path.iterdir()}


def test_two_codes_never_share_a_name() -> None:
    codes = ["H20.3", "H20_3", "H20/3", "H20 3", "H20:3", "h20\u0301", "h20\u0302", "Đ" * 64]
    codes += ["\U00020000" * 64, "\U00020000" * 63]
    stems = [files.file_stem(of(code)) for code in codes]

    assert len(codes) == len(set(stems))
    for stem in stems:
        assert not set('/\\:*?"<>| ') & set(stem)
        assert len(f".{stem}.manifest.json.part".encode()) <= 255


def test_a_plain_code_stays_readable() -> None:
    assert "bao-cao-nam_H20.3_2024" == files.file_stem(of("H20.3"))
    assert "bao-cao-nam_xã-1_2024" == files.file_stem(of("xã-1"))


@pytest.mark.parametrize(
    ("as_of", "day"),
    [
        ("2024-11-22T23:59:59+07:00", "2024-11-22"),
        ("2024-11-22T17:30:00+00:00", "2024-11-23"),  # half past midnight in Vietnam
    ],
)
def test_a_report_as_of_another_day_has_the_day_in_its_name(as_of: str, day: str) -> None:
    manifest = replace(REPORT.manifest, as_of=parse_time(as_of))
    report = replace(REPORT, manifest=manifest)

    assert f"bao-cao-nam_HM_2024_{day}" == files.file_stem(report, dated=True)
    assert "bao-cao-nam_HM_2024" == files.file_stem(report)
