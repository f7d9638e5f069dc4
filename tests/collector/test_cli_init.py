"""`init`: the address it tells, and nothing half made when it cannot come to its end."""

from __future__ import annotations

import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from attt_collector.cli import collector
from attt_collector.trust import Identity, renewal_due
from tests.collector.conftest import NOW

# No file may grow beyond so many bytes: what a full disk does, without one.
LIMITED = """
import resource, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from attt_collector.cli import main
main()
"""


def init(folder: Path, *words: str) -> str:
    done = CliRunner().invoke(collector, ["--data", str(folder), "init", *words])
    assert 0 == done.exit_code, done.output
    return done.output


def init_with(limit: int, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), "--data", str(folder), "init"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def test_it_works(tmp_path: Path) -> None:
    assert f"https://{socket.gethostname()}:8443" in init(tmp_path / "made")


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (("--listen", "127.0.0.1"), "https://127.0.0.1:8443"),
        (("--listen", "127.0.0.53", "--port", "443"), "https://127.0.0.53:443"),
        (("--listen", "::1"), "https://[::1]:8443"),
        (("--listen", "localhost"), "https://localhost:8443"),
        (("--listen", "127.0.0.1", "--name", "attt.example"), "https://attt.example:8443"),
    ],
)
def test_the_address_is_one_that_answers(
    tmp_path: Path, words: tuple[str, ...], address: str
) -> None:
    folder = tmp_path / "made"
    assert f"Địa chỉ:        {address}\n" in init(folder, *words)
    server = tomllib.loads((folder / "collector.toml").read_text("utf-8"))["server"]
    assert address == server["public_url"]
    certificate = Identity(folder / "ca").certificate_file.read_bytes()
    assert not renewal_due(certificate, server["names"], NOW)
    assert server["listen"] in server["names"]


# Where it stops: the CA's key, the CA's certificate, the first page of the store, its tables.
@pytest.mark.parametrize("limit", [0, 400, 1000, 4096, 50_000])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, limit: int) -> None:
    done = init_with(limit, tmp_path / "new" / "collector")
    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("ATTT-513  Không tạo được máy thu thập tại ")
    assert "Traceback" not in done.stderr
    assert [] == list(tmp_path.iterdir())


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert 1 == init_with(4096, tmp_path).returncode
    assert {"reports", "notes.txt"} == {path.name for path in tmp_path.iterdir()}
    assert "mine" == (tmp_path / "notes.txt").read_text("utf-8")
    init(tmp_path)  # and the next try is not refused
