"""`evaluate`, `explain` and `report` over a real store, from the command line."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, update

from attt_collector.cli import collector
from attt_collector.records import UnitKind
from attt_collector.store import assets, attestations, findings, schema, snapshots, units
from attt_collector.store.db import Store
from attt_rules.contract import AssetKind, AssetRef, Envelope, Snapshot
from attt_rules.errors import AtttError
from tests.report.fleet import AS_OF, good_pc, said

BEFORE = AS_OF - timedelta(days=100)
REPORT_2099 = ("report", "--unit", "HM", "--period", "2099")


def fill(conn: Connection) -> None:
    """A city with one PC, and a ward with a PC whose firewall is off."""
    top = units.add(
        conn,
        code="HM",
        name="UBND Thành phố Hoa Mai",
        kind=UnitKind.CITY,
        parent_id=None,
        valid_from=date(2020, 1, 1),
    )
    ward = units.add(
        conn,
        code="HM-01",
        name="UBND phường 1",
        kind=UnitKind.COMMUNE,
        parent_id=top.id,
        valid_from=date(2020, 1, 1),
    )
    for unit, name, on in ((top, "PC-1", True), (ward, "PC-2", False)):
        asset = assets.enrol(
            conn,
            device_id=f"device-{name}",
            unit_id=unit.id,
            kind=AssetKind.PC,
            name=name,
            public_key=b"k" * 32,
            at=BEFORE,
        )
        taken_at = AS_OF - timedelta(hours=2)
        facts = tuple(said({**good_pc(), "firewall.enabled": {"host": on}}, taken_at))
        ref = AssetRef(asset.device_id, asset.kind, asset.name)
        snapshot = Snapshot(f"snapshot-{name}", ref, taken_at, "test", facts, simulated=True)
        body = snapshot.to_json()
        snapshots.append(
            conn,
            asset,
            snapshot,
            received_at=taken_at,
            sha256=hashlib.sha256(body).hexdigest(),
            evidence=gzip.compress(Envelope(asset.device_id, "", body).to_bytes()),
        )
    attestations.add(
        conn,
        unit_id=ward.id,
        key="site.firewall_present",
        value=True,
        document_number="QĐ 169/QĐ-STTTT",
        document_date=date(2022, 12, 10),
        attested_by="Nguyễn Văn Mẫu",
        valid_from=date(2022, 12, 10),
        at=BEFORE,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "collector.toml").write_text("", encoding="utf-8")
    with Store.create(f"sqlite:///{tmp_path / 'attt.sqlite'}", True, BEFORE) as store:
        store.write(fill)
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    result = CliRunner().invoke(collector, ["--data", str(folder), *words])
    if isinstance(result.exception, AtttError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


AT = ("--as-of", AS_OF.isoformat())


def test_report_writes_every_format(folder: Path) -> None:
    result = run(folder, "report", "--unit", "HM", "--period", "2024", *AT)

    assert result.exit_code == 0
    sentence = "- Số máy vi tính bật tường lửa: 1/2 máy, đạt 50%; 01 máy chưa đạt.\n"
    assert sentence in result.output
    assert "SỐ LIỆU MÔ PHỎNG" in result.output
    stem = folder / "reports" / "bao-cao-nam_HM_2024_2024-10-15"
    names = [f"{stem}{ending}" for ending in (".docx", ".pdf", ".html", ".txt", ".manifest.json")]
    assert result.output.splitlines()[-5:] == names
    assert (folder / "reports").is_dir()
    manifest = json.loads(Path(names[-1]).read_text(encoding="utf-8"))
    assert (manifest["pack_id"], manifest["simulated"]) == ("vn_l2_2017", True)
    assert len(manifest["snapshot_sha256"]) == 2
    for name in names[:-1]:
        digest = hashlib.sha256(Path(name).read_bytes()).hexdigest()
        assert manifest["files"][Path(name).name] == digest
    assert not list((folder / "reports").glob(".*"))


def test_report_again_gives_the_same_files(folder: Path) -> None:
    words = ("report", "--unit", "HM", "--period", "2024", *AT)
    first, second = folder / "a", folder / "b"

    run(folder, *words, "--out", str(first))
    run(folder, *words, "--out", str(second))

    assert [f.name for f in sorted(first.iterdir())] == [f.name for f in sorted(second.iterdir())]
    for file in first.iterdir():
        assert file.read_bytes() == (second / file.name).read_bytes(), file.name


def test_a_report_as_of_another_day_leaves_the_first_alone(folder: Path) -> None:
    words = ("report", "--unit", "HM", "--period", "2024")
    run(folder, *words)
    whole_year = (folder / "reports" / "bao-cao-nam_HM_2024.docx").read_bytes()
    run(folder, *words, "--as-of", "2024-10-14")
    run(folder, *words, "--as-of", "15/10/2024")

    assert whole_year == (folder / "reports" / "bao-cao-nam_HM_2024.docx").read_bytes()
    names = sorted(path.name for path in (folder / "reports").glob("*.docx"))
    assert names == [
        "bao-cao-nam_HM_2024.docx",
        "bao-cao-nam_HM_2024_2024-10-14.docx",
        "bao-cao-nam_HM_2024_2024-10-15.docx",
    ]


def change_ward(folder: Path, valid_from: date, valid_until: date | None) -> None:
    def change(conn: Connection) -> None:
        ward = units.by_code(conn, "HM-01")
        units.change(conn, replace(ward, valid_from=valid_from, valid_until=valid_until))

    with Store.open(f"sqlite:///{folder / 'attt.sqlite'}") as store:
        store.write(change)


def retire_machine(folder: Path) -> None:
    def retire(conn: Connection) -> None:
        ward = units.by_code(conn, "HM-01")
        for asset in assets.in_units(conn, [ward.id], AS_OF):
            conn.execute(
                update(schema.asset).where(schema.asset.c.id == asset.id).values(retired_at=BEFORE)
            )

    with Store.open(f"sqlite:///{folder / 'attt.sqlite'}") as store:
        store.write(retire)


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "dates"),
    [
        (date(2025, 7, 1), None, "từ ngày 01/07/2025;"),
        (date(2020, 1, 1), date(2024, 3, 1), "từ ngày 01/01/2020 đến hết ngày 29/02/2024;"),
    ],
)
def test_a_unit_that_did_not_exist_on_that_day_has_no_report(
    folder: Path, valid_from: date, valid_until: date | None, dates: str
) -> None:
    change_ward(folder, valid_from, valid_until)
    retire_machine(folder)

    with pytest.raises(AtttError) as refused:
        run(folder, "report", "--unit", "HM-01", "--period", "2024", *AT)

    assert "ATTT-613" == refused.value.code
    assert "HM-01 (UBND phường 1)" in refused.value.message.vi
    assert dates in refused.value.message.vi
    assert "15/10/2024" in refused.value.message.vi
    assert not (folder / "reports").exists()


def test_a_unit_that_ended_with_machines_left_still_has_a_report(folder: Path) -> None:
    change_ward(folder, date(2020, 1, 1), date(2024, 3, 1))

    result = run(folder, "report", "--unit", "HM-01", "--period", "2024", *AT)

    assert result.exit_code == 0
    assert "01 máy vẫn ghi danh ở đơn vị đã kết thúc hoạt động" in result.output


def test_evaluate_and_explain_speak_the_language_of_the_settings(folder: Path) -> None:
    (folder / "collector.toml").write_text('[text]\nlanguage = "en"\n', encoding="utf-8")

    explained = run(folder, "explain", "CT-07", *AT).output
    evaluated = run(folder, "evaluate", *AT).output

    assert "Figure: 1/2 machines, 50%" in explained
    assert "Fail (1):" in explained
    assert "Scope: 2 units, 2 machines and devices" in evaluated
    assert "How to fix it:" in evaluated
    for output in (explained, evaluated):
        assert "Đạt" not in output
        assert "đạt" not in output


@pytest.mark.parametrize("day", ["15/10/2024", "2024-10-15", "2024-10-15T23:59:59"])
def test_a_day_may_be_written_as_in_vietnam(folder: Path, day: str) -> None:
    said = run(folder, "explain", "CT-07", "--as-of", day).output

    assert "Tính đến: 23:59 15/10/2024" in said


@pytest.mark.parametrize(
    "day", ["32/10/2024", "10/15/2024", "1/1/24", "2024/10/15", "9999-12-31T23:00-12:00"]
)
def test_a_day_that_is_none_is_refused(folder: Path, day: str) -> None:
    result = run(folder, "explain", "CT-07", "--as-of", day)

    assert result.exit_code == 2
    assert f"«{day}» không phải ngày" in result.output


def test_report_of_one_ward_names_its_machine(folder: Path) -> None:
    result = run(folder, "report", "--unit", "HM-01", "--period", "10/2024", *AT)

    assert "PC-2" in result.output and "PC-1" not in result.output
    assert "Tường lửa trên máy đang bật" in result.output
    assert "UBND xã, phường được trang bị tường lửa: có." in result.output


def test_the_period_picks_the_pack(folder: Path) -> None:
    result = run(folder, "report", "--unit", "HM", "--period", "2026", "--as-of", "2026-11-22")

    assert "Luật An ninh mạng số 116/2025/QH15" in result.output
    # Two years on, what the PCs said in 2024 proves nothing.
    assert "chưa xác định (02 máy chưa có số liệu)" in result.output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("report", "--unit", "KHÔNG-CÓ", "--period", "2024"), "ATTT-520"),
        (("report", "--unit", "HM", "--period", "hai nghìn"), "ATTT-604"),
        (("report", "--unit", "HM", "--period", "2025", *AT), "ATTT-611"),
        (("report", "--unit", "HM", "--period", "2024", "--template", "x"), "ATTT-607"),
        (("explain", "CT-99"), "ATTT-601"),
    ],
)
def test_mistakes_get_an_error_that_helps(folder: Path, words: tuple[str, ...], code: str) -> None:
    with pytest.raises(AtttError) as refused:
        run(folder, *words)
    assert refused.value.code == code
    assert "Cách xử lý:" in str(refused.value)


def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    blocked = folder / "file"
    blocked.write_text("", encoding="utf-8")

    with pytest.raises(AtttError) as refused:
        run(folder, "report", "--unit", "HM", "--period", "2024", *AT, "--out", str(blocked / "x"))

    assert refused.value.code == "ATTT-610"
    assert str(blocked / "x") in str(refused.value)


def test_a_wrong_date_is_refused(folder: Path) -> None:
    result = run(folder, "explain", "CT-07", "--as-of", "hôm qua")

    assert result.exit_code == 2
    assert "hôm qua" in result.output


def test_explain_walks_back_to_the_snapshot(folder: Path) -> None:
    result = run(folder, "explain", "ct-07", "--unit", "HM-01", *AT)

    assert "Số liệu: 0/1 máy, đạt 0%" in result.output
    assert "PC-2 - UBND phường 1 (HM-01)" in result.output
    assert "bản chụp snapshot-PC-2" in result.output
    assert "firewall.enabled[host] = không" in result.output


def test_evaluate_prints_the_table_and_keeps_the_findings(folder: Path) -> None:
    result = run(folder, "evaluate")

    assert result.exit_code == 0
    assert "L2-CFG-02" in result.output
    with Store.open(f"sqlite:///{folder / 'attt.sqlite'}") as store, store.read() as conn:
        found = assets.in_units(conn, [1, 2], AS_OF + timedelta(days=5000))
        kinds = sorted(asset.kind.value for asset in found)
        states = findings.current(conn, [asset.id for asset in found], "vn_l2_2026")
    assert kinds == ["pc", "pc", "site", "site"]
    assert set(states) == {asset.id for asset in found}


def test_evaluate_as_of_the_past_keeps_nothing(folder: Path) -> None:
    result = run(folder, "evaluate", *AT, "--json")

    content = json.loads(result.output)
    [rule] = [rule for rule in content["rules"] if rule["id"] == "tuong-lua.may-bat"]
    assert (rule["pass"], rule["fail"], rule["unknown"]) == (1, 1, 0)
    with Store.open(f"sqlite:///{folder / 'attt.sqlite'}") as store, store.read() as conn:
        assert findings.current(conn, [1, 2, 3, 4], "vn_l2_2017") == {}


@pytest.mark.parametrize("command", [("evaluate",), ("explain", "CT-07"), REPORT_2099])
def test_a_day_that_has_not_come_has_no_figures(folder: Path, command: tuple[str, ...]) -> None:
    result = run(folder, *command, "--as-of", "2099-12-31")

    assert result.exit_code == 2
    assert "chưa đến" in result.output
