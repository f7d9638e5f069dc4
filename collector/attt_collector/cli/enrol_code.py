"""`attt-collector enrol-code UNIT`: a code for the devices of one unit."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime, timedelta

import click

from attt_collector import trust
from attt_collector.records import VIETNAM_TIME
from attt_collector.settings import CollectorFolder
from attt_collector.store import enrolment_codes, units
from attt_collector.store.db import Store
from attt_rules.contract import Text


@click.command(
    help="Cấp mã ghi danh cho các máy của một đơn vị. (Issue an enrolment code for a unit.)"
)
@click.argument("unit_code", metavar="MÃ_ĐƠN_VỊ")
@click.option(
    "--uses",
    default=1,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="Số máy được dùng mã này (how many devices may use it).",
)
@click.option(
    "--days",
    default=7,
    show_default=True,
    type=click.IntRange(1, 365),
    help="Số ngày mã còn hiệu lực (days until it expires).",
)
@click.pass_obj
def command(folder: CollectorFolder, unit_code: str, uses: int, days: int) -> None:
    click.echo(issue(folder, unit_code, uses, days, datetime.now(UTC)).in_language(folder.language))


def issue(folder: CollectorFolder, unit_code: str, uses: int, days: int, now: datetime) -> Text:
    """A new code with the command that uses it.

    Raises:
        AtttError: ATTT-520, no such unit.
    """
    fingerprint = trust.fingerprint(trust.Identity(folder.ca).ca_certificate())
    with Store.open(folder.database_url) as store:
        with store.read() as conn:
            unit = units.by_code(conn, unit_code)
        code, record = store.write(
            lambda conn: enrolment_codes.create(
                conn,
                unit_id=unit.id,
                created_by=getpass.getuser(),
                now=now,
                uses=uses,
                lifetime=timedelta(days=days),
            )
        )
    line = (
        f"attt enrol --server {folder.settings().public_url} --code {code} "
        f"--ca-sha256 {fingerprint}"
    )
    until = record.expires_at.astimezone(VIETNAM_TIME)
    return Text(
        vi=f"Mã ghi danh của {unit.name}: {code}\n"
        f"Dùng được cho {uses} máy, đến {until:%H:%M ngày %d/%m/%Y}. Mã chỉ hiện một lần.\n"
        f"Chạy trên từng máy, bằng quyền quản trị:\n  {line}",
        en=f"Enrolment code of {unit.name}: {code}\n"
        f"Good for {uses} devices, until {until:%Y-%m-%d %H:%M}. It is shown only once.\n"
        f"Run on each device, as its administrator:\n  {line}",
    )
