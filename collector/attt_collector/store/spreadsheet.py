"""Reads the tables people send: CSV as Excel writes it in Vietnam, and XLSX.

The only door to openpyxl. Every cell comes out as text in Unicode form C, as a date, or as None, so
that "mã" typed on a Mac and on a PC is the same word.
"""

from __future__ import annotations

import csv
import errno
import io
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from attt_collector.reasons import os_reason
from attt_collector.store.cell_text import visible
from attt_rules.contract import Text
from attt_rules.errors import AtttError

Cell = str | date | None
_DELIMITERS = (";", "\t", ",")
_MAX_BYTES = 32 * 1024 * 1024
_ZIP = b"PK\x03\x04"  # every XLSX is a zip file, whatever its name says
_OLE = b"\xd0\xcf\x11\xe0"  # XLS before 2007, and an XLSX that is encrypted
# What openpyxl, zipfile and the XML parsers below them (both raise a SyntaxError) throw at a file
# that was cut, changed or made by something else.
_BROKEN_WORKBOOK = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,
    EOFError,
    OSError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table; `number` is the row that a spreadsheet shows (the header is row 1)."""

    number: int
    cells: Mapping[str, Cell]

    def has(self, column: str) -> bool:
        """Whether the table has this column at all; its cell may still be empty."""
        return column in self.cells

    def text(self, column: str) -> str:
        """The cell as text, empty when there is nothing in it."""
        cell = self.cells.get(column)
        if cell is None:
            return ""
        return cell.isoformat() if isinstance(cell, date) else cell

    def day(self, column: str) -> date | None:
        """The cell as a day: a date cell, 2026-11-22 or 22/11/2026; None when it is empty.

        Raises:
            ValueError: it is something else.
        """
        cell = self.cells.get(column)
        if cell is None or isinstance(cell, date):
            return cell
        for form in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"):
            try:
                return datetime.strptime(cell, form).date()  # noqa: DTZ007 (a day has no zone)
            except ValueError:
                continue
        raise ValueError(cell)


@dataclass(frozen=True, slots=True)
class LineError:
    """One thing that is wrong; row 0 means the file as a whole."""

    row: int
    message: Text


class TableErrors(AtttError):
    """Everything that is wrong with a file; nothing of it was taken over."""

    def __init__(self, code: str, path: Path, errors: Sequence[LineError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.row))
        super().__init__(
            code,
            Text(
                vi=f"Tệp {path} có {len(errors)} lỗi; chưa ghi gì vào kho.",
                en=f"The file {path} has {len(errors)} errors; nothing was written.",
            ),
            Text(
                vi="sửa từng dòng nêu dưới đây rồi nhập lại cả tệp.",
                en="Mend each row named below, then import the whole file again.",
            ),
        )

    def __str__(self) -> str:
        rows = [
            f"  dòng {error.row}: {error.message.vi} (row {error.row}: {error.message.en})"
            if error.row
            else f"  {error.message.vi} ({error.message.en})"
            for error in self.errors
        ]
        return "\n".join([super().__str__(), *rows])


def read_table(
    path: Path, columns: Mapping[str, Iterable[str]], required: Iterable[str]
) -> list[Line]:
    """The lines below the header; empty lines are left out.

    Args:
        columns: the name of a column -> every header it may have (any case).
        required: columns that the header must have.

    Raises:
        AtttError: ATTT-521 the file cannot be read, 522 its header is not understood.
    """
    raw = _bytes(path)
    called_workbook = path.suffix.lower() in (".xlsx", ".xlsm")
    is_workbook = called_workbook or raw.startswith((_ZIP, _OLE))
    rows = _xlsx_rows(path, raw) if is_workbook else _csv_rows(path, raw)
    header = next(((number, row) for number, row in rows if any(row)), None)
    if header is None:
        raise _unreadable(path, Text(vi="tệp trống", en="the file is empty"))
    names = {_fold(alias): name for name, aliases in columns.items() for alias in aliases}
    found = [names.get(_fold(cell)) if isinstance(cell, str) else None for cell in header[1]]
    unknown = [str(cell) for cell, name in zip(header[1], found, strict=True) if cell and not name]
    missing = [name for name in required if name not in found]
    twice = sorted({name for name in found if name is not None and found.count(name) > 1})
    if unknown or missing or twice:
        raise _bad_header(path, columns, unknown, missing, twice)
    lines = []
    for number, row in rows:
        if number <= header[0] or not any(row):
            continue
        cells = {
            name: row[index] if index < len(row) else None
            for index, name in enumerate(found)
            if name is not None
        }
        lines.append(Line(number, cells))
    return lines


def _csv_rows(path: Path, raw: bytes) -> list[tuple[int, list[Cell]]]:
    text = _decoded(path, raw)
    first = text.split("\n", 1)[0]
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        delimiter = first.strip()[4]  # Excel's own way to say it; not a line of the table
        text, skipped = text.split("\n", 1)[1] if "\n" in text else "", 1
    else:
        delimiter = max(_DELIMITERS, key=first.count)
        skipped = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        # Not line_num: a cell may have several lines, a spreadsheet shows one row all the same.
        return [
            (number, [_cell(cell) for cell in row])
            for number, row in enumerate(reader, start=1 + skipped)
        ]
    except csv.Error as error:
        # Only an overlong cell is left to complain of: the delimiter is ours, NUL is refused above.
        raise _unreadable(
            path,
            Text(
                vi="có ô dài quá 131072 ký tự; thường do một dấu ngoặc kép không được đóng",
                en="a cell is over 131072 characters; often a quotation mark was not closed",
            ),
        ) from error


def _decoded(path: Path, raw: bytes) -> str:
    # Excel's "Unicode Text" is UTF-16 with a mark at its beginning.
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        place = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(
            path,
            Text(
                vi=f"dòng {place} không phải Unicode (UTF-8); có thể tệp dùng bảng mã cũ TCVN3, "
                "VNI hoặc Windows-1258",
                en=f"row {place} is not Unicode (UTF-8); it may be in the old code pages TCVN3, "
                "VNI or Windows-1258",
            ),
        ) from error
    if "\x00" in text:
        raise _unreadable(path, Text(vi="đây không phải tệp văn bản", en="this is not a text file"))
    return text


def _xlsx_rows(path: Path, raw: bytes) -> list[tuple[int, list[Cell]]]:
    from openpyxl import load_workbook

    if raw.startswith(_OLE):
        raise _unreadable(
            path,
            Text(
                vi="tệp bị khóa bằng mật khẩu, hoặc là tệp Excel cũ (.xls)",
                en="it is locked by a password, or an old Excel file (.xls)",
            ),
        )
    # A date out of range comes as the text "#VALUE!" and is named by its row like any other
    # mistake; openpyxl's warning on the terminal would say it a second time, in English.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            workbook = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
            try:
                sheet = workbook.worksheets[0]
                return [
                    (number, [_cell(cell) for cell in row])
                    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1)
                ]
            finally:
                workbook.close()
        except _BROKEN_WORKBOOK as error:
            raise _unreadable(
                path,
                Text(
                    vi="đây không phải tệp XLSX, hoặc tệp đã hỏng",
                    en="this is not an XLSX file, or it is damaged",
                ),
            ) from error


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError as error:
        reason = Text(vi="không có tệp này", en="there is no such file")
        raise _unreadable(path, reason, _CHECK_PATH) from error
    except OSError as error:
        # Windows says "permission denied" of a folder.
        said = IsADirectoryError(errno.EISDIR, "") if path.is_dir() else error
        raise _unreadable(path, os_reason(said), _CHECK_PATH) from error
    if len(raw) > _MAX_BYTES:
        raise _unreadable(
            path,
            Text(vi="tệp lớn hơn 32 MiB", en="the file is larger than 32 MiB"),
            Text(
                vi="chia tệp thành nhiều tệp nhỏ hơn rồi nhập lần lượt.",
                en="Split it into smaller files and import them one by one.",
            ),
        )
    return raw


def _cell(value: Any) -> Cell:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # Excel keeps the code 30 as 30.0
    text = unicodedata.normalize("NFC", str(value)).strip()
    return text or None


def _fold(header: str) -> str:
    return " ".join(unicodedata.normalize("NFC", header).replace("_", " ").casefold().split())


_SAVE_AS = Text(
    vi="trong Excel chọn Lưu thành → «CSV UTF-8» hoặc «Sổ làm việc Excel (.xlsx)».",
    en='In Excel choose Save as → "CSV UTF-8" or "Excel Workbook (.xlsx)".',
)
_CHECK_PATH = Text(
    vi="kiểm tra lại tên, đường dẫn và quyền đọc của tệp.",
    en="Check the file's name and path, and that you may read it.",
)


def _unreadable(path: Path, reason: Text, remedy: Text = _SAVE_AS) -> AtttError:
    return AtttError(
        "ATTT-521",
        Text(
            vi=f"Không đọc được tệp {path}: {reason.vi}.",
            en=f"The file {path} cannot be read: {reason.en}.",
        ),
        remedy,
    )


def _bad_header(
    path: Path,
    columns: Mapping[str, Iterable[str]],
    unknown: list[str],
    missing: list[str],
    twice: list[str],
) -> AtttError:
    first = {name: next(iter(aliases)) for name, aliases in columns.items()}
    vi, en = [], []
    if missing:
        vi.append("thiếu cột " + ", ".join(f"«{first[name]}»" for name in missing))
        en.append("no column " + ", ".join(missing))
    if unknown:
        vi.append("không hiểu cột " + ", ".join(f"«{visible(name)}»" for name in unknown))
        en.append("unknown column " + ", ".join(visible(name) for name in unknown))
    if twice:
        vi.append("cột lặp lại " + ", ".join(f"«{first[name]}»" for name in twice))
        en.append("column given twice " + ", ".join(twice))
    return AtttError(
        "ATTT-522",
        Text(
            vi=f"Tệp {path}, dòng tiêu đề: {'; '.join(vi)}.",
            en=f"The file {path}, header row: {'; '.join(en)}.",
        ),
        Text(
            vi="các cột dùng được: " + ", ".join(f"{first[name]} ({name})" for name in columns),
            en="Columns that can be used: " + ", ".join(columns),
        ),
    )
