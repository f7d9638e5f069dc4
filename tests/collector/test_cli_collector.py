"""The command line: what an administrator types and reads."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from attt_agent.cli import cli as agent_cli
from attt_collector import trust
from attt_collector.cli import FoundCommands, collector
from attt_collector.settings import CollectorFolder
from attt_collector.store import users
from attt_collector.store.db import Store
from attt_rules.errors import AtttError

UNITS = "mã;tên;loại;cấp trên\n89;Tỉnh An Giang;tỉnh;\n89.1;UBND xã Phú Tân;xã;89\n"


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(collector, ["--data", str(folder), *words])


def said(folder: Path, *words: str) -> str:
    result = run(folder, *words)
    assert 0 == result.exit_code, result.output
    return result.output


def refused(folder: Path, *words: str) -> AtttError:
    result = run(folder, *words)
    assert isinstance(result.exception, AtttError), result.output
    return result.exception


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("cli") / "collector"
    return folder, said(folder, "init", "--name", "attt.example", "--port", "9443")


def test_it_works(made: tuple[Path, str]) -> None:
    folder, output = made
    fingerprint = trust.fingerprint((folder / "ca" / "ca.pem").read_bytes())
    assert "https://attt.example:9443" in output
    assert fingerprint in output
    password = re.search(r"Mật khẩu: +(\S+)", output)
    assert password is not None
    with Store.open(CollectorFolder(folder).database_url) as store, store.read() as conn:
        admin = users.by_login(conn, "admin")
    assert admin is not None
    assert admin.unit_id is None
    assert store.simulated is False
    assert users.password_matches(admin.password_hash, password[1])


def test_the_folder_and_its_secrets_are_for_their_owner_only(made: tuple[Path, str]) -> None:
    folder, _ = made
    modes = {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in (
            folder,
            folder / "ca",
            folder / "ca" / "ca.key",
            folder / "attt.sqlite",
            folder / "collector.toml",
        )
    }
    assert {
        ".": 0o700,
        "ca": 0o700,
        "ca/ca.key": 0o600,
        "attt.sqlite": 0o600,
        "collector.toml": 0o600,
    } == modes


def test_init_never_overwrites(made: tuple[Path, str]) -> None:
    folder, _ = made
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert "ATTT-503" == refused(folder, "init").code
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_init_makes_a_store_for_simulated_data(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    assert "MÔ PHỎNG" in said(folder, "init", "--simulated")
    with Store.open(CollectorFolder(folder).database_url) as store:
        assert store.simulated is True


def test_init_refuses_a_name_that_cannot_be_one(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert "ATTT-514" == refused(folder, "init", "--name", "xã phú tân").code
    assert not folder.exists()


def test_units_are_imported_and_listed(made: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = made
    table = tmp_path / "don-vi.csv"
    table.write_text(UNITS, encoding="utf-8-sig")
    first = said(folder, "units", "import", str(table))
    assert "thêm" in first
    assert "thêm 0, sửa 0, giữ nguyên 2 đơn vị" in said(folder, "units", "import", str(table))
    rows = [line.split("\t")[:4] for line in said(folder, "units", "list").splitlines()]
    assert ["89.1", "UBND xã Phú Tân", "Xã, phường, đặc khu", "89"] in rows


def test_attestations_are_imported_and_listed(made: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = made
    units_table = tmp_path / "don-vi.csv"
    units_table.write_text(UNITS, encoding="utf-8-sig")
    said(folder, "units", "import", str(units_table))
    table = tmp_path / "xac-nhan.csv"
    table.write_text(
        "đơn vị;dữ kiện;giá trị;số văn bản;ngày văn bản;người xác nhận\n"
        "89.1;dossier.approved;có;12/QĐ-UBND;05/03/2026;Lê Văn B\n",
        encoding="utf-8-sig",
    )
    said(folder, "attestations", "import", str(table))
    listed = said(folder, "attestations", "list")
    words = "89.1\tdossier.approved\tcó\t12/QĐ-UBND\t2026-03-05\tLê Văn B\t2026-03-05\t-"
    assert f"1\t{words}\tđang hiệu lực\n" == listed
    assert "89.1" in said(folder, "attestations", "revoke", "1")
    assert "" == said(folder, "attestations", "list")
    every = said(folder, "attestations", "list", "--all")
    assert every.startswith(f"1\t{words}\tđã thu hồi ")
    assert "ATTT-532" == refused(folder, "attestations", "revoke", "1").code
    assert "ATTT-531" == refused(folder, "attestations", "revoke", "2").code


def test_a_code_comes_with_the_command_that_uses_it(made: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = made
    table = tmp_path / "don-vi.csv"
    table.write_text(UNITS, encoding="utf-8-sig")
    said(folder, "units", "import", str(table))
    output = said(folder, "enrol-code", "89.1", "--uses", "5", "--days", "3")
    assert "UBND xã Phú Tân" in output
    assert "5 máy" in output
    line = output.splitlines()[-1].split()
    # The agent has exactly these options: the line can be pasted as it stands.
    assert ["attt", "enrol"] == line[:2]
    enrol = agent_cli.get_command(click.Context(agent_cli), "enrol")
    assert enrol is not None
    options = {name for option in enrol.params for name in option.opts}
    assert {"--server", "--code", "--ca-sha256"} == {word for word in line if word[:2] == "--"}
    assert {"--server", "--code", "--ca-sha256"} <= options
    given = dict(zip(line[2::2], line[3::2], strict=True))
    assert "https://attt.example:9443" == given["--server"]
    assert trust.fingerprint((folder / "ca" / "ca.pem").read_bytes()) == given["--ca-sha256"]


def test_a_code_for_an_unknown_unit_is_refused(made: tuple[Path, str]) -> None:
    assert "ATTT-520" == refused(made[0], "enrol-code", "nowhere").code


def test_users_are_added_reset_and_disabled(made: tuple[Path, str]) -> None:
    folder, _ = made
    first = said(folder, "users", "add", "an")
    assert "ATTT-540" == refused(folder, "users", "add", "an").code
    assert first != said(folder, "users", "reset", "an")
    assert "an\ttất cả\n" in said(folder, "users", "list")
    said(folder, "users", "disable", "an")
    assert "an\ttất cả\tđã khóa\n" in said(folder, "users", "list")
    assert "ATTT-542" == refused(folder, "users", "add", "An").code
    assert "ATTT-541" == refused(folder, "users", "reset", "nobody").code


def test_english_is_spoken_when_the_settings_say_so(tmp_path: Path) -> None:
    folder = tmp_path / "english"
    said(folder, "init")
    settings = folder / "collector.toml"
    text = settings.read_text("utf-8").replace('language = "vi"', 'language = "en"')
    settings.write_text(text, encoding="utf-8")
    table = tmp_path / "units.csv"
    table.write_text(UNITS, encoding="utf-8")
    assert "2 units added" in said(folder, "units", "import", str(table))
    assert "\tCommune or ward\t" in said(folder, "units", "list")
    assert "admin\teverything\n" == said(folder, "users", "list")
    said(folder, "users", "disable", "admin")
    assert "admin\teverything\tlocked\n" == said(folder, "users", "list")


def test_without_a_collector_it_says_what_to_do(tmp_path: Path) -> None:
    for words in (["units", "list"], ["users", "list"], ["serve"]):
        assert "ATTT-510" == refused(tmp_path, *words).code


def test_every_module_of_the_folder_is_a_command() -> None:
    group = FoundCommands("attt-collector")
    context = click.Context(group)
    names = group.list_commands(context)
    assert {"init", "serve", "units", "attestations", "enrol-code", "users"} <= set(names)
    for name in names:
        assert group.get_command(context, name) is not None, name


def test_an_error_ends_with_its_text_and_status_1(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from attt_collector.cli import main; main()",
            "--data",
            str(tmp_path),
            "units",
            "list",
        ],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("ATTT-510  Không có tệp ")
    assert "Traceback" not in done.stderr
