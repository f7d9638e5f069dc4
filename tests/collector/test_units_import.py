"""Tables of units and attestations as people send them: every error by row, all or nothing."""

from __future__ import annotations

import random
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from attt_collector.records import Unit, UnitKind
from attt_collector.store import attestation_table, attestations, unit_table, units
from attt_collector.store.db import Store
from attt_collector.store.spreadsheet import TableErrors
from attt_collector.store.unit_table import Imported
from attt_rules.errors import AtttError
from tests.collector.conftest import NOW

TODAY = date(2026, 11, 22)
HEADER = "mã,tên,loại,cấp trên,từ ngày,đến ngày"
GOOD = f"""{HEADER}
89,Tỉnh An Giang,tỉnh,,01/07/2025,
89.1,UBND xã Phú Tân,xã,89,01/07/2025,
89.2,Sở Khoa học và Công nghệ,Sở,89,2025-07-01,
"""


def load(store: Store, path: Path) -> Imported:
    lines = unit_table.read(path)
    return store.write(lambda conn: unit_table.import_lines(conn, path, lines, TODAY))


def import_text(
    store: Store, tmp_path: Path, text: str, encoding: str = "utf-8", name: str = "don-vi.csv"
) -> Imported:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return load(store, path)


def known(store: Store) -> dict[str, Unit]:
    with store.read() as conn:
        return {unit.code: unit for unit in units.everything(conn)}


def problems(store: Store, tmp_path: Path, *rows: str) -> list[tuple[int, str]]:
    before = known(store)
    with pytest.raises(TableErrors) as refused:
        import_text(store, tmp_path, "\n".join((HEADER, *rows)))
    assert "ATTT-523" == refused.value.code
    assert before == known(store)
    return [(error.row, error.message.vi) for error in refused.value.errors]


def test_it_works(store: Store, tmp_path: Path) -> None:
    assert Imported(3, 0, 0) == import_text(store, tmp_path, GOOD)
    found = known(store)
    commune = found["89.1"]
    assert ("UBND xã Phú Tân", UnitKind.COMMUNE, found["89"].id, date(2025, 7, 1), None) == (
        commune.name,
        commune.kind,
        commune.parent_id,
        commune.valid_from,
        commune.valid_until,
    )


@pytest.mark.parametrize(
    ("delimiter", "encoding", "first"),
    [
        (",", "utf-8", ""),
        (",", "utf-8-sig", ""),
        (";", "utf-8-sig", ""),
        ("\t", "utf-16", ""),
        (";", "utf-8-sig", "sep=;\r\n"),
    ],
)
def test_it_reads_what_excel_writes(
    store: Store, tmp_path: Path, delimiter: str, encoding: str, first: str
) -> None:
    text = first + GOOD.replace(",", delimiter).replace("\n", "\r\n")
    assert 3 == import_text(store, tmp_path, text, encoding).added


def test_it_reads_xlsx_with_numbers_and_dates(store: Store, tmp_path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(["Mã", "Tên", "Loại", "Cấp trên", "Từ ngày", "Đến ngày"])
    sheet.append([89, "Tỉnh An Giang", "Tỉnh", None, date(2025, 7, 1), None])
    sheet.append([None] * 6)
    sheet.append([30133.0, "UBND xã Phú Tân", "Xã", 89, "01/07/2025", None])
    path = tmp_path / "don-vi.xlsx"
    workbook.save(path)
    workbook.close()
    assert 2 == load(store, path).added
    assert known(store)["89"].id == known(store)["30133"].parent_id


def test_english_headers_are_understood(store: Store, tmp_path: Path) -> None:
    text = "code,name,kind,parent,valid_from,valid_until\n89,An Giang,province,,2025-07-01,\n"
    assert 1 == import_text(store, tmp_path, text).added


def test_letters_typed_on_a_mac_are_the_same_letters(store: Store, tmp_path: Path) -> None:
    text = unicodedata.normalize("NFD", GOOD)
    assert text != GOOD
    assert 3 == import_text(store, tmp_path, text).added
    assert "Tỉnh An Giang" == known(store)["89"].name


def test_parents_may_come_later_or_stand_in_the_store(store: Store, tmp_path: Path) -> None:
    rows = GOOD.splitlines()
    import_text(store, tmp_path, "\n".join([rows[0], rows[2], rows[1]]))
    import_text(store, tmp_path, "\n".join([rows[0], rows[3]]))
    assert {"89", "89.1", "89.2"} == set(known(store))


def test_the_order_of_rows_does_not_matter(store: Store, tmp_path: Path) -> None:
    """A chain of twenty units, shuffled: the hardest order for a foreign key."""
    rows = [f"u{n},Đơn vị {n},xã,{f'u{n - 1}' if n else ''},," for n in range(20)]
    random.Random(7).shuffle(rows)
    assert 20 == import_text(store, tmp_path, "\n".join([HEADER, *rows])).added
    found = known(store)
    assert all(found[f"u{n}"].parent_id == found[f"u{n - 1}"].id for n in range(1, 20))


def test_importing_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    import_text(store, tmp_path, GOOD)
    before = known(store)
    assert Imported(0, 0, 3) == import_text(store, tmp_path, GOOD)
    assert before == known(store)


def test_importing_again_brings_up_to_date(store: Store, tmp_path: Path) -> None:
    import_text(store, tmp_path, GOOD)
    before = known(store)["89.1"].id
    changed = GOOD.replace("xã Phú Tân,xã,89,01/07/2025,", "phường Phú Tân,phường,89,,31/12/2026")
    assert Imported(0, 1, 2) == import_text(store, tmp_path, changed)
    after = known(store)["89.1"]
    assert (before, "UBND phường Phú Tân", date(2025, 7, 1), date(2026, 12, 31)) == (
        after.id,
        after.name,
        after.valid_from,
        after.valid_until,
    )


def test_a_missing_parent_is_named(store: Store, tmp_path: Path) -> None:
    assert [(2, "không có đơn vị cấp trên «99», cả trong tệp lẫn trong kho")] == problems(
        store, tmp_path, "89,An Giang,tỉnh,99,,"
    )


def test_every_error_is_named_with_its_row_and_nothing_is_written(
    store: Store, tmp_path: Path
) -> None:
    found = problems(
        store,
        tmp_path,
        "89,Tỉnh An Giang,tỉnh,,01/07/2025,",
        "89,Lần nữa,tỉnh,,,",
        ",Không mã,xã,89,,",
        "89.3,,xã,89,,",
        "89.4,Xã A,làng,89,,",
        "89.5,Xã B,xã,89,31/02/2025,",
        "89.6,Xã C,xã,89,01/07/2025,01/07/2025",
        "89.7,Xã D,xã,98,hôm qua,",
    )
    assert [
        (3, "mã «89» đã có ở dòng 2"),
        (4, "thiếu mã đơn vị"),
        (5, "thiếu tên đơn vị"),
        (6, "không hiểu loại đơn vị «làng»; dùng: tỉnh, huyện, thành phố, xã, phường, sở, phòng"),
        (7, "ngày «31/02/2025» không đúng, hãy viết như 01/07/2025"),
        (8, "ngày kết thúc không sau ngày bắt đầu"),
        (9, "ngày «hôm qua» không đúng, hãy viết như 01/07/2025"),
        (9, "không có đơn vị cấp trên «98», cả trong tệp lẫn trong kho"),
    ] == found


def test_the_children_of_a_broken_row_are_not_called_orphans(store: Store, tmp_path: Path) -> None:
    found = problems(store, tmp_path, "89,,tỉnh,,,", "89.1,Xã A,xã,89,,")
    assert [(2, "thiếu tên đơn vị")] == found


def test_a_circle_of_parents_is_named(store: Store, tmp_path: Path) -> None:
    found = problems(store, tmp_path, "a,A,xã,b,,", "b,B,xã,c,,", "c,C,xã,a,,", "d,D,xã,a,,")
    assert [
        (2, "cấp trên vòng tròn: a → b → c → a"),
        (3, "cấp trên vòng tròn: b → c → a → b"),
        (4, "cấp trên vòng tròn: c → a → b → c"),
    ] == found


def test_a_circle_through_the_store_is_found(store: Store, tmp_path: Path) -> None:
    import_text(store, tmp_path, GOOD)
    found = problems(store, tmp_path, "89,Tỉnh An Giang,tỉnh,89.1,,")
    assert [(2, "cấp trên vòng tròn: 89 → 89.1 → 89")] == found


def test_a_unit_is_not_its_own_parent(store: Store, tmp_path: Path) -> None:
    assert [(2, "cấp trên vòng tròn: a → a")] == problems(store, tmp_path, "a,A,xã,a,,")


def test_a_table_without_units_is_refused(store: Store, tmp_path: Path) -> None:
    assert [(0, "không có đơn vị nào")] == problems(store, tmp_path)


def test_the_whole_message_can_be_read_by_a_person(store: Store, tmp_path: Path) -> None:
    with pytest.raises(TableErrors) as refused:
        import_text(store, tmp_path, f"{HEADER}\n89,An Giang,tỉnh,99,,\n")
    said = str(refused.value).splitlines()
    assert said[0].startswith("ATTT-523  Tệp ")
    assert "don-vi.csv có 1 lỗi; chưa ghi gì vào kho." in said[0]
    assert (
        "  dòng 2: không có đơn vị cấp trên «99», cả trong tệp lẫn trong kho "
        '(row 2: there is no parent "99", neither here nor in the store)'
    ) == said[-1]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "tệp trống"),
        (b"\n\n", "tệp trống"),
        (HEADER.encode() + b"\n89,T\xc8nh,t\xecnh,,,\n", "dòng 2 không phải Unicode"),
        (b"PK\x03\x04\x00\x00\x00", "không phải tệp văn bản"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    store: Store, tmp_path: Path, raw: bytes, said: str
) -> None:
    path = tmp_path / "don-vi.csv"
    path.write_bytes(raw)
    with pytest.raises(AtttError) as refused:
        load(store, path)
    assert "ATTT-521" == refused.value.code
    assert said in refused.value.message.vi


def test_a_file_that_is_no_workbook_says_so(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "don-vi.xlsx"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(AtttError, match=r"ATTT-521.*không phải tệp XLSX"):
        load(store, path)


def test_a_missing_file_says_so(store: Store, tmp_path: Path) -> None:
    with pytest.raises(AtttError, match="ATTT-521"):
        load(store, tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("mã,tên", "thiếu cột «loại»"),
        ("mã,tên,loại,màu sắc", "không hiểu cột «màu sắc»"),
        ("mã,tên,loại,code", "cột lặp lại «mã»"),
    ],
)
def test_a_header_that_is_not_understood_says_so(
    store: Store, tmp_path: Path, header: str, said: str
) -> None:
    with pytest.raises(AtttError) as refused:
        import_text(store, tmp_path, header + "\n1,2,3,4\n")
    assert "ATTT-522" == refused.value.code
    assert said in refused.value.message.vi


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
        (5, "giá trị «trên 150» của quota.central_antivirus_machines phải là một số nguyên"),
        (6, "giá trị «1.5» của quota.central_antivirus_machines phải là một số nguyên"),
        (7, "giá trị «năm ngoái» của dossier.approved_at phải là một ngày như 01/07/2025"),
        (8, "giá trị «» của dossier.number phải là một giá trị"),
        (8, "thiếu số văn bản"),
        (8, "thiếu người xác nhận"),
        (8, "thiếu ngày văn bản"),
        (9, "ngày kết thúc không sau ngày bắt đầu"),
    ] == [(error.row, error.message.vi) for error in refused.value.errors]
    with store.read() as conn:
        assert () == attestations.in_force(conn, [commune.id], TODAY)


def test_a_key_nobody_can_attest_is_named_with_those_that_can_be(
    store: Store, tmp_path: Path, commune: Unit
) -> None:
    with pytest.raises(TableErrors) as refused:
        import_attested(store, tmp_path, "89.30133;antivirus.products;có;1;05/03/2026;B;;")
    assert "dossier.approved, dossier.number" in refused.value.errors[0].message.vi
