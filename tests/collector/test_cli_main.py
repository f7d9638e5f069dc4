"""How the command line itself behaves: old terminals, full disks, closed pipes, wrong options."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pytest
from click.testing import CliRunner

from attt_collector.cli import collector

COMMAND = [sys.executable, "-c", "from attt_collector.cli import main; main()"]
# Root may read everything, so it turns into nobody; the commands are loaded while it still can.
AS_NOBODY = """
import os, click
from attt_collector.cli import collector, main
for name in collector.list_commands(click.Context(collector)):
    collector.get_command(click.Context(collector), name)
os.setgroups([])
os.setegid(65534)
os.seteuid(65534)
main()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collector with a unit and nothing else."""
    made = tmp_path_factory.mktemp("main") / "collector"
    table = made.parent / "units.csv"
    table.write_text("mã;tên;loại;cấp trên\nX;UBND xã Tân Phú;xã;\n", encoding="utf-8")
    for words in (["init"], ["units", "import", str(table)]):
        done = CliRunner().invoke(collector, ["--data", str(made), *words])
        assert 0 == done.exit_code, done.output
    return made


def run(
    folder: Path,
    *words: str,
    stdout: int | IO[Any] = subprocess.PIPE,
    command: Sequence[str] = COMMAND,
    **environment: str,
) -> subprocess.CompletedProcess[bytes]:
    given: Mapping[str, str] = {**os.environ, **environment}
    return subprocess.run(
        [*command, "--data", str(folder), *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
        env=given,
    )


def test_it_works(folder: Path) -> None:
    done = run(folder, "units", "list")
    assert (0, b"") == (done.returncode, done.stderr)
    assert "UBND xã Tân Phú" in done.stdout.decode()


@pytest.mark.parametrize("words", [("explain", "CT-07"), ("evaluate",), ("explain", "CT-99")])
def test_a_terminal_without_vietnamese_letters_shows_question_marks(
    folder: Path, words: tuple[str, ...]
) -> None:
    done = run(folder, *words, PYTHONIOENCODING="latin-1")
    assert done.returncode == (1 if "CT-99" in words else 0)
    assert b"Traceback" not in done.stderr
    assert b"?" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words", [("units", "list"), ("evaluate",), ("evaluate", "--json"), ("--help",)]
)
def test_output_to_a_full_disk_ends_with_an_error(folder: Path, words: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        done = run(folder, *words, stdout=full)
    assert 1 == done.returncode
    assert done.stderr.decode().startswith("ATTT-519  Không ghi được kết quả: ")
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_output_to_a_pipe_that_nobody_reads_ends_in_silence(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(folder, "evaluate", stdout=writing)
    finally:
        os.close(writing)
    assert (141, b"") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("words", "vietnamese", "english"),
    [
        (("report",), "thiếu '--unit'.", "Missing option '--unit'."),
        (("report", "--unut", "X"), "không có tùy chọn «--unut».", "No such option '--unut'."),
        (("init", "--port", "x"), "'--port': ", "Invalid value for '--port'."),
        (("explain", "CT-07", "--as-of", "mai"), "«mai» không phải ngày", '"mai" is not a date'),
        (("no-such-command",), "No such command", "No such command"),
        (("units", "list", "more"), "Got unexpected extra argument", "Got unexpected extra"),
    ],
)
def test_a_wrong_option_is_said_in_both_languages(
    folder: Path, words: tuple[str, ...], vietnamese: str, english: str
) -> None:
    done = run(folder, *words)
    said = done.stderr.decode()
    assert (2, b"") == (done.returncode, done.stdout)
    assert said.startswith("Tham số không đúng: ")
    assert vietnamese in said.splitlines()[0]
    assert "Cách xử lý: xem «attt-collector" in said
    assert english in said


@pytest.fixture
def foreign() -> Iterator[tuple[Path, Sequence[str]]]:
    """A folder, and the command line run by somebody who may not look into it."""
    with tempfile.TemporaryDirectory(prefix="attt-foreign-") as made:
        Path(made).chmod(0o755)
        folder = Path(made) / "collector"
        done = CliRunner().invoke(collector, ["--data", str(folder), "init"])
        assert 0 == done.exit_code, done.output
        if os.geteuid() == 0:
            yield folder, [sys.executable, "-c", AS_NOBODY]
        else:
            folder.chmod(0o000)
            yield folder, COMMAND
            folder.chmod(0o700)


@pytest.mark.parametrize("words", [("units", "list"), ("evaluate",), ("init",), ("serve",)])
def test_a_forgotten_sudo_is_named(
    foreign: tuple[Path, Sequence[str]], words: tuple[str, ...]
) -> None:
    folder, command = foreign
    done = run(folder, *words, command=command)
    said = done.stderr.decode()
    assert 1 == done.returncode
    assert said.startswith("ATTT-518  Tài khoản đang dùng không có quyền đọc thư mục ")
    assert f"sudo -u {folder.owner()} attt-collector --data {folder}" in said
    assert "This user may not read the folder" in said


def test_help_needs_no_right_to_read(foreign: tuple[Path, Sequence[str]]) -> None:
    folder, command = foreign
    done = run(folder, "report", "--help", command=command)
    assert (0, b"") == (done.returncode, done.stderr)


@pytest.mark.parametrize("name", ["nowhere", "a-file", "a-file/below"])
def test_a_folder_that_is_no_collector_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "a-file").write_text("", encoding="utf-8")
    done = run(tmp_path / name, "units", "list")
    assert 1 == done.returncode
    assert done.stderr.decode().startswith(f"ATTT-510  Không có tệp {tmp_path / name}/")
    assert f"attt-collector --data {tmp_path / name} init" in done.stderr.decode()
