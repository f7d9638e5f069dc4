"""Tables of units as people send them: every error by row, all or nothing."""

from __future__ import annotations

import random
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from attt_collector.records import Unit, UnitKind
from attt_collector.store import unit_table, units
from attt_collector.store.db import Store
from attt_collector.store.spreadsheet import TableErrors
from attt_collector.store.unit_table import Imported

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


ENDED = GOOD.replace("xã,89,01/07/2025,", "xã,89,01/07/2025,30/06/2026")


def test_a_column_that_is_not_there_leaves_what_is_stored(store: Store, tmp_path: Path) -> None:
    import_text(store, tmp_path, ENDED)
    before = known(store)
    again = "mã,tên,loại\n89.1,UBND xã Phú Tân,xã\n89.2,Sở KHCN,sở\n"
    assert Imported(0, 1, 1) == import_text(store, tmp_path, again)
    after = known(store)
    assert before["89.1"] == after["89.1"]
    assert before["89"].id == after["89.2"].parent_id
    assert date(2025, 7, 1) == after["89.2"].valid_from


def test_an_empty_cell_of_a_column_that_is_there_means_none(store: Store, tmp_path: Path) -> None:
    import_text(store, tmp_path, ENDED)
    again = "mã,tên,loại,cấp trên,đến ngày\n89.1,UBND xã Phú Tân,xã,,\n"
    assert Imported(0, 1, 0) == import_text(store, tmp_path, again)
    after = known(store)["89.1"]
    assert (None, None, date(2025, 7, 1)) == (after.parent_id, after.valid_until, after.valid_from)


def test_a_circle_through_a_parent_that_is_not_in_the_table_is_found(
    store: Store, tmp_path: Path
) -> None:
    import_text(store, tmp_path, GOOD)
    with pytest.raises(TableErrors) as refused:
        import_text(store, tmp_path, "mã,tên,loại,cấp trên\n89,Tỉnh An Giang,tỉnh,89.1\n")
    assert "cấp trên vòng tròn: 89 → 89.1 → 89" in str(refused.value)


def test_an_end_before_the_stored_beginning_is_refused(store: Store, tmp_path: Path) -> None:
    import_text(store, tmp_path, GOOD)
    with pytest.raises(TableErrors) as refused:
        import_text(store, tmp_path, "mã,tên,loại,đến ngày\n89.1,UBND xã Phú Tân,xã,30/06/2025\n")
    assert "ngày kết thúc 30/06/2025 không sau ngày bắt đầu 01/07/2025" in str(refused.value)


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
        (8, "ngày kết thúc 01/07/2025 không sau ngày bắt đầu 01/07/2025"),
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


def test_a_table_without_units_is_not_said_to_be_wrong_in_a_row(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(TableErrors) as refused:
        import_text(store, tmp_path, HEADER)
    assert "  không có đơn vị nào (there is no unit)" == str(refused.value).splitlines()[-1]


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("89 1", "89 1"),
        ("89/1", "89/1"),
        ("X\x1b[31m", "XU+001B[31m"),
        ('"X\n1"', "XU+000A1"),
        ("X\u202e1", "XU+202E1"),
        ("\u0410-1", "\u0410-1"),  # a Cyrillic A
        ("..", ".."),
        ("-x", "-x"),
        ("#REF!", "#REF!"),
    ],
)
def test_a_code_with_other_characters_is_refused(
    store: Store, tmp_path: Path, code: str, shown: str
) -> None:
    found = problems(store, tmp_path, f"{code},Xã A,xã,,,")
    assert 1 == len(found)
    assert found[0][1].startswith(f"mã «{shown}» ")
    assert "\x1b" not in found[0][1]


def test_vietnamese_letters_may_stand_in_a_code(store: Store, tmp_path: Path) -> None:
    assert 1 == import_text(store, tmp_path, f"{HEADER}\nSở-KHCN_Đ.1,Sở,sở,,,").added


def test_codes_that_differ_only_in_case_are_refused(store: Store, tmp_path: Path) -> None:
    assert [(3, "mã «xĐ» chỉ khác chữ hoa, chữ thường với mã «Xđ» ở dòng 2")] == problems(
        store, tmp_path, "Xđ,Xã A,xã,,,", "xĐ,Xã B,xã,,,"
    )
    import_text(store, tmp_path, f"{HEADER}\nXđ,Xã A,xã,,,")
    assert [(2, "mã «XĐ» chỉ khác chữ hoa, chữ thường với mã «Xđ» đã có trong kho")] == problems(
        store, tmp_path, "XĐ,Xã A,xã,,,"
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Xã\x1b[31mA", "tên «XãU+001B[31mA» có ký tự không nhìn thấy được: U+001B"),
        ('"Xã\nA"', "tên «XãU+000AA» có ký tự không nhìn thấy được: U+000A"),
        ("Xã\u202eA", "tên «XãU+202EA» có ký tự không nhìn thấy được: U+202E"),
        ("Xã\u200bA", "tên «XãU+200BA» có ký tự không nhìn thấy được: U+200B"),
        ("#N/A", "tên «#N/A» là một lỗi của Excel"),
        ("#ref!", "tên «#ref!» là một lỗi của Excel"),
        ("A" * 201, "tên dài quá 200 ký tự"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(
    store: Store, tmp_path: Path, name: str, said: str
) -> None:
    assert [(2, said)] == problems(store, tmp_path, f"89,{name},xã,,,")


def test_a_name_of_200_letters_is_taken(store: Store, tmp_path: Path) -> None:
    assert 1 == import_text(store, tmp_path, f"{HEADER}\n89,{'Ư' * 200},xã,,,").added


def test_what_is_quoted_in_an_error_cannot_steer_a_terminal(store: Store, tmp_path: Path) -> None:
    evil = "\x1b[2J"
    found = problems(store, tmp_path, f"89,An Giang,{evil},{evil}x,{evil},{evil}")
    assert 4 == len(found)
    assert all("U+001B[2J" in said and "\x1b" not in said for _, said in found)
