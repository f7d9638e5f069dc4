"""`attt-collector report`: the signed document of a unit for a period, in four formats."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from attt_collector.cli import _scope
from attt_collector.report import files, making, render_text
from attt_collector.report.period import Period
from attt_collector.settings import CollectorFolder
from attt_collector.store.db import Store


@click.command(
    help="Lập báo cáo của một đơn vị và các đơn vị cấp dưới: .docx, .pdf, .html, .txt. Kỳ báo cáo "
    "quyết định bộ quy tắc. (Write the report of a unit and everything below it; the period picks "
    "the rule pack.)"
)
@click.option("--unit", "unit_code", required=True, metavar="MÃ", help="Mã đơn vị (unit code).")
@click.option(
    "--period",
    "period_text",
    required=True,
    metavar="KỲ",
    help="Kỳ báo cáo: 2026 hoặc 10/2026 (a year or a month and a year).",
)
@_scope.as_of_option
@click.option(
    "--template",
    "template_id",
    default=making.DEFAULT_TEMPLATE,
    show_default=True,
    metavar="MẪU",
    help="Mẫu báo cáo (report template).",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="THƯ_MỤC",
    help="Thư mục ghi báo cáo; không ghi: thư mục reports của máy thu thập "
    "(where to write; the collector's folder reports when missing).",
)
@click.pass_obj
def command(
    folder: CollectorFolder,
    *,
    unit_code: str,
    period_text: str,
    as_of: datetime | None,
    template_id: str,
    out: Path | None,
) -> None:
    with Store.open(folder.database_url) as store:
        template, report = making.make(
            store,
            unit_code,
            Period.parse(period_text),
            now=_scope.now(),
            as_of=as_of,
            template_id=template_id,
        )
    dated = as_of is not None
    written = files.write(report, template.folder, out or folder.reports, dated=dated)
    click.echo(render_text.render(report))
    for path in written.paths():
        click.echo(str(path))
