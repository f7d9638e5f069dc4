"""`make demo ARGS=--once`, as a new user would run it: ends 0 and speaks of this very machine."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import docx
import pytest

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, ROOT / "deploy/demo/demo.py", "--once"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "d"
    done = subprocess.run(
        [*DEMO, "--folder", folder], capture_output=True, text=True, check=False, timeout=300
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return folder, done.stdout


def test_it_works(shown):
    folder, said = shown
    for name in (
        "that/reports/bao-cao-nam_don-vi-thu",
        "mo-phong/reports/bao-cao-nam_sa-dec_2024-10",
    ):
        for ending in ("docx", "pdf", "html"):
            found = list(folder.glob(f"{name}*.{ending}"))
            assert 1 == len(found)
            assert str(found[0]) in said


def test_it_names_this_machine_rule_by_rule_with_evidence(shown):
    _, said = shown
    assert f"{socket.gethostname().split('.')[0]} - Đơn vị dùng thử" in said
    assert "password_policy.minimum_length_chars" in said
    assert "nguồn:" in said


def test_the_document_says_what_the_agent_read_here(shown):
    folder, _ = shown
    facts = json.loads(
        subprocess.run(
            [Path(sys.executable).parent / "attt", "facts", "--json"],
            capture_output=True, text=True, check=True,
        ).stdout
    )  # fmt: skip
    length = next(f for f in facts if f["key"] == "password_policy.minimum_length_chars")
    document = docx.Document(next(folder.glob("that/reports/*.docx")))
    words = "\n".join(p.text for p in document.paragraphs)
    sentence = next(line for line in words.splitlines() if "độ dài mật khẩu tối thiểu từ" in line)
    if "unreadable" in length:
        assert "chưa xác định" in sentence
    else:
        assert ("1/1 máy, đạt 100%" in sentence) is (length["value"] >= 14)


def test_made_up_data_is_labelled_and_apart(shown):
    folder, _ = shown
    real = docx.Document(next(folder.glob("that/reports/*.docx")))
    made_up = docx.Document(next(folder.glob("mo-phong/reports/*.docx")))

    def headers(document):
        return [p.text for s in document.sections for p in s.header.paragraphs]

    assert any("MÔ PHỎNG" in text for text in headers(made_up))
    assert not any("MÔ PHỎNG" in text for text in headers(real))
    assert (folder / "that/attt.sqlite").exists()
    assert (folder / "mo-phong/attt.sqlite").exists()


def test_it_never_deletes_a_folder_that_is_not_its_own(tmp_path):
    kept = tmp_path / "mine.txt"
    kept.write_text("keep me", encoding="utf-8")
    done = subprocess.run(
        [*DEMO, "--folder", tmp_path], capture_output=True, text=True, check=False, timeout=60
    )
    assert 1 == done.returncode
    assert "--folder" in done.stderr
    assert kept.exists()
