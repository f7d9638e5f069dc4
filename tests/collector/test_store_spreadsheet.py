"""Tables that cannot be read: why, in words, and what to do; never a traceback."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from attt_collector.store.spreadsheet import Line, read_table
from attt_rules.errors import AtttError

COLUMNS = {
    "code": ("mã", "code"),
    "name": ("tên", "name"),
    "kind": ("loại", "kind"),
    "day": ("day",),
}
GOOD = "mã,tên,loại\n89,Tỉnh An Giang,tỉnh\n".encode()
SHEET = "xl/worksheets/sheet1.xml"


def read(path: Path) -> list[Line]:
    return read_table(path, COLUMNS, ("code", "name", "kind"))


def written(tmp_path: Path, raw: bytes, name: str = "don-vi.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(raw)
    return path


def workbook(path: Path, *rows: Iterable[object]) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows or (("mã", "tên", "loại"), (89, "Tỉnh An Giang", "tỉnh")):
        sheet.append(list(row))
    book.save(path)
    book.close()
    return path


def with_part(path: Path, part: str, content: bytes) -> Path:
    """The same workbook with other bytes in one of its parts."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    assert part in parts
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, was in parts.items():
            new.writestr(name, content if name == part else was)
    return path


def refused(path: Path) -> AtttError:
    with pytest.raises(AtttError) as caught:
        read(path)
    assert "ATTT-521" == caught.value.code
    assert str(path) in caught.value.message.vi
    return caught.value


def remedy(error: AtttError) -> str:
    assert error.remedy is not None
    return error.remedy.vi


def test_it_works(tmp_path: Path) -> None:
    (line,) = read(written(tmp_path, GOOD))
    assert (2, "89", "Tỉnh An Giang") == (line.number, line.text("code"), line.text("name"))
    assert line.has("kind")
    assert not line.has("day")


def test_a_workbook_called_csv_is_read_as_a_workbook(tmp_path: Path) -> None:
    (line,) = read(workbook(tmp_path / "don-vi.xlsx").rename(tmp_path / "don-vi.csv"))
    assert "Tỉnh An Giang" == line.text("name")


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.99])
def test_a_workbook_that_was_cut_says_so(tmp_path: Path, kept: float) -> None:
    path = workbook(tmp_path / "don-vi.xlsx")
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * kept)])
    assert "không phải tệp XLSX, hoặc tệp đã hỏng" in refused(path).message.vi


@pytest.mark.parametrize(
    "part",
    [
        SHEET,
        "xl/workbook.xml",
        "xl/styles.xml",
        "xl/_rels/workbook.xml.rels",
        "[Content_Types].xml",
    ],
)
def test_a_workbook_with_a_broken_part_says_so(tmp_path: Path, part: str) -> None:
    path = workbook(tmp_path / "don-vi.xlsx")
    with zipfile.ZipFile(path) as book:
        whole = book.read(part)
    for broken in (
        whole[: len(whole) // 2],
        b"",
        b"<a>",
        b"\x00\xff",
        b"<?xml version='1.0'?><a/>",
    ):
        with_part(path, part, broken)
        try:
            read(path)
        except AtttError as error:
            assert "ATTT-521" == error.code
            assert "XLSX" in error.message.vi or "trống" in error.message.vi


def test_a_sheet_cut_in_half_says_so(tmp_path: Path) -> None:
    path = workbook(tmp_path / "don-vi.xlsx")
    with zipfile.ZipFile(path) as book:
        whole = book.read(SHEET)
    error = refused(with_part(path, SHEET, whole[: len(whole) // 2]))
    assert "tệp đã hỏng" in error.message.vi
    assert "Lưu thành" in remedy(error)


def test_a_workbook_locked_by_a_password_says_so(tmp_path: Path) -> None:
    error = refused(written(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.xlsx"))
    assert "mật khẩu" in error.message.vi


def test_a_date_out_of_range_is_a_cell_that_is_no_day(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        ("mã", "tên", "loại", "day"),
        (1, "A", "xã", date(2026, 1, 2)),
        (2, "B", "xã", date(2026, 1, 2)),
    )
    with zipfile.ZipFile(path) as book:
        sheet = book.read(SHEET)
    serial = b"<v>46024</v>"
    assert 2 == sheet.count(serial)
    with_part(path, SHEET, sheet.replace(serial, b"<v>99999999</v>", 1))
    broken, good = read(path)
    assert date(2026, 1, 2) == good.day("day")
    with pytest.raises(ValueError, match="#VALUE!"):
        broken.day("day")
    assert [] == list(recwarn)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    error = refused(tmp_path / "nothing.csv")
    assert "không có tệp này" in error.message.vi
    assert "No such file" not in error.message.vi
    assert "Excel" not in remedy(error)
    assert "đường dẫn" in remedy(error)


@pytest.mark.parametrize("name", ["folder", "folder.xlsx"])
def test_a_folder_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    error = refused(tmp_path / name)
    assert "đây là thư mục" in error.message.vi
    assert "Excel" not in remedy(error)


def test_a_row_is_counted_as_a_spreadsheet_shows_it(tmp_path: Path) -> None:
    raw = GOOD + '90,"Tỉnh\nB",tỉnh\n\n91,Tỉnh C,tỉnh\n'.encode()
    assert [2, 3, 5] == [line.number for line in read(written(tmp_path, raw))]


def test_a_quote_that_is_never_closed_says_so(tmp_path: Path) -> None:
    error = refused(written(tmp_path, GOOD + b'90,"' + b"x" * 140_000))
    assert "dấu ngoặc kép" in error.message.vi
    assert "field" not in error.message.vi


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "tệp trống"),
        (b"\n\n", "tệp trống"),
        (b"code,name,kind" + b"\n89,T\xc8nh,t\xecnh,,,\n", "dòng 2 không phải Unicode"),
        (b"a\x00b\n", "không phải tệp văn bản"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "don-vi.csv"
    path.write_bytes(raw)
    with pytest.raises(AtttError) as refused:
        read(path)
    assert "ATTT-521" == refused.value.code
    assert said in refused.value.message.vi


def test_a_file_that_is_no_workbook_says_so(tmp_path: Path) -> None:
    path = tmp_path / "don-vi.xlsx"
    path.write_text(GOOD.decode(), encoding="utf-8")
    with pytest.raises(AtttError, match=r"ATTT-521.*không phải tệp XLSX"):
        read(path)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("mã,tên", "thiếu cột «loại»"),
        ("mã,tên,loại,màu sắc", "không hiểu cột «màu sắc»"),
        ("mã,tên,loại,code", "cột lặp lại «mã»"),
    ],
)
def test_a_header_that_is_not_understood_says_so(tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(AtttError) as refused:
        read(written(tmp_path, (header + "\n1,2,3,4\n").encode()))
    assert "ATTT-522" == refused.value.code
    assert said in refused.value.message.vi
