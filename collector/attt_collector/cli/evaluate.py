"""`attt-collector evaluate`: judge everything again, keep the findings, show the summary."""

from __future__ import annotations

import json
from datetime import datetime

import click

from attt_collector.cli import _scope
from attt_collector.judge.evaluate import assess, keep
from attt_collector.records import VIETNAM_TIME
from attt_collector.report import summary
from attt_collector.settings import CollectorFolder
from attt_collector.store.db import Store
from attt_collector.words import Words
from attt_rules import pack


@click.command(
    help="Đánh giá lại các máy, thiết bị, đơn vị theo bộ quy tắc đang có hiệu lực. Với --as-of chỉ "
    "xem, không ghi lại kết quả. (Judge again by the pack in force; with --as-of nothing is kept.)"
)
@_scope.unit_option
@_scope.as_of_option
@click.option("--json", "as_json", is_flag=True, help="In dạng JSON (print JSON).")
@click.pass_obj
def command(
    folder: CollectorFolder, unit_code: str | None, as_of: datetime | None, as_json: bool
) -> None:
    moment = as_of or _scope.now()
    rules = pack.for_date(moment.astimezone(VIETNAM_TIME).date())
    with Store.open(folder.database_url) as store:
        with store.read() as conn:
            units = _scope.units_in_scope(conn, unit_code, moment)
            assessment = assess(conn, rules, units, moment)
        if as_of is None:
            # A look at the past must not rewrite what was found since.
            store.write(lambda conn: keep(conn, rules, assessment.subjects, moment))
    if as_json:
        click.echo(json.dumps(summary.to_json(assessment), ensure_ascii=False, indent=2))
    else:
        click.echo(summary.text(assessment, Words(folder.language)), nl=False)
