"""`attt-collector explain CT-07`: from a figure back to devices, facts and evidence."""

from __future__ import annotations

from datetime import datetime

import click

from attt_collector.cli import _scope
from attt_collector.judge.evaluate import assess
from attt_collector.records import VIETNAM_TIME
from attt_collector.report.explain import explain
from attt_collector.settings import CollectorFolder
from attt_collector.store.db import Store
from attt_collector.words import Words
from attt_rules import pack


@click.command(
    help="Giải thích một chỉ tiêu: định nghĩa, máy nào đạt, không đạt, chưa xác định, và bằng "
    "chứng. (Explain an indicator: its definition, who passes, fails or is unknown, and why.)"
)
@click.argument("indicator", metavar="CHỈ_TIÊU")
@_scope.unit_option
@_scope.as_of_option
@click.pass_obj
def command(
    folder: CollectorFolder, indicator: str, unit_code: str | None, as_of: datetime | None
) -> None:
    moment = as_of or _scope.now()
    rules = pack.for_date(moment.astimezone(VIETNAM_TIME).date())
    with Store.open(folder.database_url) as store, store.read() as conn:
        units = _scope.units_in_scope(conn, unit_code, moment)
        assessment = assess(conn, rules, units, moment)
    click.echo(explain(assessment, indicator.upper(), Words(folder.language)), nl=False)
