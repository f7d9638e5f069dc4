"""`attt-collector attestations`: what a person vouches for, with a document."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from attt_collector.records import VIETNAM_TIME, Attestation
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


@command.command(
    "list",
    help="Liệt kê xác nhận đang có hiệu lực: số, đơn vị, dữ kiện, giá trị, số và ngày văn bản, "
    "người xác nhận, từ ngày, đến ngày, tình trạng. (List those in force today.)",
)
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Cả xác nhận đã thu hồi, đã hết hoặc chưa có hiệu lực "
    "(revoked, ended and future ones, too).",
)
@click.pass_obj
def list_attestations(folder: CollectorFolder, every: bool) -> None:
    today = datetime.now(UTC).astimezone(VIETNAM_TIME).date()
    with Store.open(folder.database_url) as store, store.read() as conn:
        codes = {unit.id: unit.code for unit in units.everything(conn)}
        speaking = attestations.in_force(conn, codes, today)
        listed = (
            [each for unit_id in codes for each in attestations.history(conn, unit_id)]
            if every
            else speaking
        )
    in_force = {each.id for each in speaking}
    for each in listed:
        cells = (
            str(each.id),
            codes[each.unit_id],
            each.key,
            attestation_table.shown_value(each.value).in_language(folder.language),
            each.document_number,
            each.document_date.isoformat(),
            each.attested_by,
            each.valid_from.isoformat(),
            each.valid_until.isoformat() if each.valid_until else "-",
            _state(each, in_force).in_language(folder.language),
        )
        click.echo("\t".join(cells))


@command.command(
    "revoke",
    help="Thu hồi một xác nhận ghi sai; xác nhận vẫn còn trong lịch sử, không còn hiệu lực. "
    "(Revoke an attestation that is wrong; it stays in the history.)",
)
@click.argument("attestation_id", metavar="SỐ", type=click.IntRange(min=1))
@click.pass_obj
def revoke_attestation(folder: CollectorFolder, attestation_id: int) -> None:
    now = datetime.now(UTC)
    with Store.open(folder.database_url) as store:
        gone = store.write(lambda conn: attestations.revoke(conn, attestation_id, now))
        with store.read() as conn:
            unit = units.by_id(conn, gone.unit_id)
    value = attestation_table.shown_value(gone.value)
    said = Text(
        vi=f"Đã thu hồi xác nhận số {gone.id}: {gone.key} = {value.vi} của đơn vị {unit.code}, "
        f"theo {gone.document_number}.",
        en=f"Revoked attestation {gone.id}: {gone.key} = {value.en} of unit {unit.code}, "
        f"by {gone.document_number}.",
    )
    click.echo(said.in_language(folder.language))


def _state(each: Attestation, in_force: set[int]) -> Text:
    if each.revoked_at is not None:
        day = each.revoked_at.astimezone(VIETNAM_TIME).date()
        return Text(vi=f"đã thu hồi {day}", en=f"revoked {day}")
    if each.id in in_force:
        return Text(vi="đang hiệu lực", en="in force")
    return Text(vi="không còn hoặc chưa có hiệu lực", en="not in force")
