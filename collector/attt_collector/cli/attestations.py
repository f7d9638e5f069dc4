"""`attt-collector attestations`: what a person vouches for, with a document."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from attt_collector.judge.site import VIETNAM_TIME
from attt_collector.settings import CollectorFolder
from attt_collector.store import attestation_table, attestations, units
from attt_collector.store.db import Store
from attt_rules.contract import Text


@click.group(help="Xác nhận kèm văn bản. (Attestations.)")
def command() -> None:
    pass


@command.command(
    "import",
    help="Nhập xác nhận từ tệp CSV hoặc XLSX có các cột: mã đơn vị, dữ kiện, giá trị, số văn bản, "
    "ngày văn bản, người xác nhận, từ ngày, đến ngày. Có lỗi thì không ghi gì. "
    "(Import attestations from a table; all or nothing.)",
)
@click.argument("file", metavar="TỆP", type=click.Path(path_type=Path))
@click.pass_obj
def import_attestations(folder: CollectorFolder, file: Path) -> None:
    now = datetime.now(UTC)
    lines = attestation_table.read(file)
    with Store.open(folder.database_url) as store:
        done = store.write(lambda conn: attestation_table.import_lines(conn, file, lines, now))
    said = Text(
        vi=f"Đã nhập {file}: thêm {done.added}, đã có sẵn {done.unchanged} xác nhận.",
        en=f"Imported {file}: {done.added} attestations added, {done.unchanged} known already.",
    )
    click.echo(said.in_language(folder.language))


@command.command("list", help="Liệt kê xác nhận đang có hiệu lực. (List those in force today.)")
@click.pass_obj
def list_attestations(folder: CollectorFolder) -> None:
    today = datetime.now(UTC).astimezone(VIETNAM_TIME).date()
    with Store.open(folder.database_url) as store, store.read() as conn:
        codes = {unit.id: unit.code for unit in units.everything(conn)}
        for each in attestations.in_force(conn, codes, today):
            click.echo(
                f"{codes[each.unit_id]}\t{each.key}\t{each.value}\t{each.document_number}\t"
                f"{each.document_date.isoformat()}\t{each.attested_by}"
            )
