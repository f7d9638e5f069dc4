"""`attt-collector report`: the signed document of a unit for a period, in four formats."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from attt_collector.cli import _scope
from attt_collector.judge.evaluate import assess
from attt_collector.judge.site import VIETNAM_TIME
from attt_collector.report import compose, files, render_text, template_reader
from attt_collector.report.period import Period
from attt_collector.settings import CollectorFolder
from attt_collector.store import units
from attt_collector.store.db import Store
from attt_rules import __version__, pack
from attt_rules.contract import Text
from attt_rules.errors import AtttError


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
    default="bao-cao-nam",
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
    period = Period.parse(period_text)
    moment = as_of or period.as_of(_scope.now())
    day = moment.astimezone(VIETNAM_TIME).date()
    if day < period.first:
        raise AtttError(
            "ATTT-611",
            Text(
                vi=f"Ngày lấy số liệu {day.isoformat()} đứng trước kỳ báo cáo {period.words}.",
                en=f"The date of the figures, {day.isoformat()}, lies before the period "
                f"{period.slug}.",
            ),
            Text(
                vi="chọn --as-of trong hoặc sau kỳ báo cáo.",
                en="Choose --as-of inside or after the period.",
            ),
        )
    rules = pack.for_date(min(day, period.last))
    template = template_reader.builtin(template_id, rules)
    with Store.open(folder.database_url) as store, store.read() as conn:
        unit = units.by_code(conn, unit_code)
        parent = units.by_id(conn, unit.parent_id) if unit.parent_id is not None else None
        scope = _scope.units_in_scope(conn, unit_code, moment)
        assessment = assess(conn, rules, scope, moment)
        simulated = store.simulated
    program = f"attt-collector {__version__}"
    origin = compose.Origin(unit, parent, period, simulated, program)
    report = compose.compose(template, assessment, origin)
    written = files.write(report, template.folder, out or folder.reports)
    click.echo(render_text.render(report))
    for path in written.paths():
        click.echo(str(path))
