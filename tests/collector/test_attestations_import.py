"""Tables of attestations as people send them: every error by row, all or nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from attt_collector.records import Unit
from attt_collector.store import attestation_table, attestations
from attt_collector.store.db import Store
from attt_collector.store.spreadsheet import TableErrors
from tests.collector.conftest import NOW

TODAY = date(2026, 11, 22)
QUOTA = "quota.central_antivirus_machines"
COUNT = "một số nguyên từ 0 đến 10.000.000"
ATTESTED = "đơn vị;dữ kiện;giá trị;số văn bản;ngày văn bản;người xác nhận;từ ngày;đến ngày"


def import_attested(store: Store, tmp_path: Path, *rows: str) -> attestation_table.Imported:
    path = tmp_path / "xac-nhan.csv"
    path.write_text("\n".join((ATTESTED, *rows)), encoding="utf-8-sig")
    lines = attestation_table.read(path)
    return store.write(lambda conn: attestation_table.import_lines(conn, path, lines, NOW))


def test_attestations_are_imported_with_their_types(
    store: Store, tmp_path: Path, commune: Unit
) -> None:
    rows = (
        "89.30133;dossier.approved;Có;12/QĐ-UBND;05/03/2026;Lê Văn B;;",
        "89.30133;dossier.approved_at;05/03/2026;12/QĐ-UBND;05/03/2026;Lê Văn B;;",
        "89.30133;quota.central_antivirus_machines;1.330;9/KH;2026-01-02;Lê Văn B;;",
        "89.30133;site.wan_connected;không;9/KH;02/01/2026;Lê Văn B;01/02/2026;01/12/2026",
    )
    assert attestation_table.Imported(4, 0) == import_attested(store, tmp_path, *rows)
    with store.read() as conn:
        found = {each.key: each for each in attestations.in_force(conn, [commune.id], TODAY)}
    assert found["dossier.approved"].value is True
    assert "2026-03-05T00:00:00+07:00" == found["dossier.approved_at"].value.isoformat()
    assert 1330 == found["quota.central_antivirus_machines"].value
    assert (False, date(2026, 2, 1), date(2026, 12, 1)) == (
        found["site.wan_connected"].value,
        found["site.wan_connected"].valid_from,
        found["site.wan_connected"].valid_until,
    )
    assert date(2026, 3, 5) == found["dossier.approved"].valid_from
    assert attestation_table.Imported(0, 4) == import_attested(store, tmp_path, *rows)


def test_every_error_of_attestations_is_named(store: Store, tmp_path: Path, commune: Unit) -> None:
    with pytest.raises(TableErrors) as refused:
        import_attested(
            store,
            tmp_path,
            "89.30133;dossier.approved;có;12/QĐ;05/03/2026;B;;",
            "99;dossier.approved;có;12/QĐ;05/03/2026;B;;",
            "89.30133;dossier.approved;có lẽ;12/QĐ;05/03/2026;B;;",
            "89.30133;quota.central_antivirus_machines;trên 150;12/QĐ;05/03/2026;B;;",
            "89.30133;quota.central_antivirus_machines;1.5;12/QĐ;05/03/2026;B;;",
            "89.30133;dossier.approved_at;năm ngoái;12/QĐ;05/03/2026;B;;",
            "89.30133;dossier.number;;;;;;",
            "89.30133;site.fibre_connected;có;12/QĐ;05/03/2026;B;;01/01/2026",
        )
    assert "ATTT-530" == refused.value.code
    assert [
        (3, "không có đơn vị mang mã «99»"),
        (4, "giá trị «có lẽ» của dossier.approved phải là «có» hoặc «không»"),
        (5, f"giá trị «trên 150» của {QUOTA} phải là {COUNT}"),
        (6, f"giá trị «1.5» của {QUOTA} phải là {COUNT}"),
        (7, "giá trị «năm ngoái» của dossier.approved_at phải là một ngày như 01/07/2025"),
        (8, "giá trị «» của dossier.number phải là một giá trị"),
        (8, "thiếu số văn bản"),
        (8, "thiếu người xác nhận"),
        (8, "thiếu ngày văn bản"),
        (9, "ngày kết thúc 01/01/2026 không sau ngày bắt đầu 05/03/2026"),
    ] == [(error.row, error.message.vi) for error in refused.value.errors]
    with store.read() as conn:
        assert () == attestations.in_force(conn, [commune.id], TODAY)


def test_a_key_nobody_can_attest_is_named_with_those_that_can_be(
    store: Store, tmp_path: Path, commune: Unit
) -> None:
    with pytest.raises(TableErrors) as refused:
        import_attested(store, tmp_path, "89.30133;antivirus.products;có;1;05/03/2026;B;;")
    assert "dossier.approved, dossier.number" in refused.value.errors[0].message.vi


def problems(store: Store, tmp_path: Path, *rows: str) -> list[tuple[int, str]]:
    with pytest.raises(TableErrors) as refused:
        import_attested(store, tmp_path, *rows)
    return [(error.row, error.message.vi) for error in refused.value.errors]


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("01/02/2126", "ngày văn bản 01/02/2126 ở tương lai"),
        ("23/11/2026", "ngày văn bản 23/11/2026 ở tương lai"),
        ("01/02/0026", "ngày văn bản 01/02/0026 trước năm 1990"),
        ("31/12/1989", "ngày văn bản 31/12/1989 trước năm 1990"),
    ],
)
def test_a_document_of_another_time_is_refused(
    store: Store, tmp_path: Path, commune: Unit, day: str, said: str
) -> None:
    row = f"89.30133;dossier.approved;có;12/QĐ;{day};B;;"
    assert [(2, f"{said}; kiểm tra lại năm")] == problems(store, tmp_path, row)


def test_a_document_of_today_and_one_of_1990_are_taken(
    store: Store, tmp_path: Path, commune: Unit
) -> None:
    rows = [
        f"89.30133;{key};có;12/QĐ;{day};B;;"
        for key, day in (("dossier.approved", "22/11/2026"), ("site.fibre_connected", "1990-01-01"))
    ]
    assert attestation_table.Imported(2, 0) == import_attested(store, tmp_path, *rows)


def test_days_that_can_be_no_days_of_the_fact_are_refused(
    store: Store, tmp_path: Path, commune: Unit
) -> None:
    found = problems(
        store,
        tmp_path,
        "89.30133;dossier.approved_at;01/02/2126;12/QĐ;05/03/2026;B;;",
        "89.30133;dossier.approved_at;01/02/0026;12/QĐ;05/03/2026;B;;",
        "89.30133;dossier.approved;có;12/QĐ;05/03/2026;B;01/02/0026;",
        "89.30133;dossier.approved;có;12/QĐ;05/03/2026;B;;01/02/9026",
    )
    assert [
        (2, "giá trị của dossier.approved_at: ngày 01/02/2126 ở tương lai; kiểm tra lại năm"),
        (3, "giá trị của dossier.approved_at: ngày 01/02/0026 trước năm 1990; kiểm tra lại năm"),
        (4, "ngày «01/02/0026» không nằm trong các năm 1990 đến 2200; kiểm tra lại năm"),
        (5, "ngày «01/02/9026» không nằm trong các năm 1990 đến 2200; kiểm tra lại năm"),
    ] == found


@pytest.mark.parametrize(
    "count", ["99999999999999999999999999", "10.000.001", "-1", "9" * 5000, "٣"]
)
def test_a_count_beyond_all_offices_is_refused(
    store: Store, tmp_path: Path, commune: Unit, count: str
) -> None:
    ((row, said),) = problems(store, tmp_path, f"89.30133;{QUOTA};{count};9/KH;05/03/2026;B;;")
    assert 2 == row
    assert said.endswith(f"» của {QUOTA} phải là {COUNT}")
    assert len(said) < 200


def test_the_smallest_and_the_largest_count_are_taken(
    store: Store, tmp_path: Path, commune: Unit
) -> None:
    import_attested(
        store,
        tmp_path,
        f"89.30133;{QUOTA};10.000.000;9/KH;05/03/2026;B;;",
        "89.30133;site.machines_declared_count;0;9/KH;05/03/2026;B;;",
    )
    with store.read() as conn:
        values = {each.value for each in attestations.in_force(conn, [commune.id], TODAY)}
    assert {0, 10_000_000} == values


def test_rows_that_contradict_each_other_are_refused_and_both_named(
    store: Store, tmp_path: Path, commune: Unit
) -> None:
    found = problems(
        store,
        tmp_path,
        "89.30133;dossier.approved;có;12/QĐ;05/03/2026;B;;",
        "89.30133;site.fibre_connected;không;12/QĐ;05/03/2026;B;;",
        "89.30133;dossier.approved;không;13/QĐ;05/03/2026;B;;",
    )
    assert [
        (4, "trái với dòng 2: dossier.approved của «89.30133» ở đó là «có», ở đây là «không»")
    ] == found
    with store.read() as conn:
        assert () == attestations.history(conn, commune.id)


def test_rows_that_only_follow_each_other_do_not_contradict(
    store: Store, tmp_path: Path, commune: Unit
) -> None:
    rows = (
        f"89.30133;{QUOTA};30;9/KH;05/03/2025;B;;",
        f"89.30133;{QUOTA};40;9/KH;05/03/2026;B;;",  # the younger document speaks
        "89.30133;site.wan_connected;không;9/KH;05/03/2026;B;05/03/2026;01/07/2026",
        "89.30133;site.wan_connected;có;9/KH;05/03/2026;B;01/07/2026;",
        "89.30133;site.lan_connected;có;9/KH;05/03/2026;B;;",
        "89.30133;site.lan_connected;đạt;9/KH;05/03/2026;B;;",
    )
    assert attestation_table.Imported(5, 1) == import_attested(store, tmp_path, *rows)
    with store.read() as conn:
        found = {each.key: each.value for each in attestations.in_force(conn, [commune.id], TODAY)}
    assert {QUOTA: 40, "site.wan_connected": True, "site.lan_connected": True} == found


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("89.30133;dossier.number;#N/A;1;05/03/2026;B;;", "giá trị «#N/A» là một lỗi của Excel"),
        ("89.30133;dossier.approved;có;#REF!;05/03/2026;B;;", "số văn bản «#REF!» là một lỗi"),
        ("89.30133;dossier.approved;có;1;05/03/2026;B\x1b[2J;;", "người xác nhận «BU+001B[2J» có"),
        ("89.30133;dossier.number;1\u202e2;1;05/03/2026;B;;", "giá trị «1U+202E2» có ký tự"),
        ("x\x1by;dossier.approved;có;1;05/03/2026;B;;", "không có đơn vị mang mã «xU+001By»"),
    ],
)
def test_cells_that_nobody_can_read_are_refused(
    store: Store, tmp_path: Path, commune: Unit, row: str, said: str
) -> None:
    ((number, message),) = problems(store, tmp_path, row)
    assert 2 == number
    assert message.startswith(said)
