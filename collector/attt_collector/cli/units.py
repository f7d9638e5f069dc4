"""`attt-collector units`: the list of offices."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from attt_collector.records import VIETNAM_TIME
from attt_collector.settings import CollectorFolder
from attt_collector.store import unit_table, units
from attt_collector.store.db import Store
from attt_collector.words import Words
from attt_rules.contract import Text


@click.group(help="Danh sách đơn vị. (The list of units.)")
def command() -> None:
    pass


@command.command(
    "import",
    help="Nhập đơn vị từ tệp CSV hoặc XLSX có các cột: mã, tên, loại, cấp trên, từ ngày, đến ngày. "
    "Có lỗi thì không ghi gì. (Import units from a table; all or nothing.)",
)
@click.argument("file", metavar="TỆP", type=click.Path(path_type=Path))
@click.pass_obj
def import_units(folder: CollectorFolder, file: Path) -> None:
    today = datetime.now(UTC).astimezone(VIETNAM_TIME).date()
    lines = unit_table.read(file)
    with Store.open(folder.database_url) as store:
        done = store.write(lambda conn: unit_table.import_lines(conn, file, lines, today))
    said = Text(
        vi=f"Đã nhập {file}: thêm {done.added}, sửa {done.changed}, giữ nguyên {done.unchanged} "
        "đơn vị.",
        en=f"Imported {file}: {done.added} units added, {done.changed} changed, "
        f"{done.unchanged} unchanged.",
    )
    click.echo(said.in_language(folder.language))


@command.command("list", help="Liệt kê đơn vị đang hoạt động. (List the units of today.)")
@click.option("--all", "every", is_flag=True, help="Cả đơn vị đã kết thúc (ended ones, too).")
@click.pass_obj
def list_units(folder: CollectorFolder, every: bool) -> None:
    today = datetime.now(UTC).astimezone(VIETNAM_TIME).date()
    with Store.open(folder.database_url) as store, store.read() as conn:
        known = units.everything(conn)
    codes = {unit.id: unit.code for unit in known}
    words = Words(folder.language)
    for unit in known:
        if every or units.is_valid(unit, today):
            parent = codes[unit.parent_id] if unit.parent_id is not None else "-"
            until = unit.valid_until.isoformat() if unit.valid_until else "-"
            click.echo(
                f"{unit.code}\t{unit.name}\t{words.word(unit.kind)}\t{parent}\t"
                f"{unit.valid_from.isoformat()}\t{until}"
            )
