"""The report as one self-contained HTML page; the only door to Jinja2 for reports."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from attt_collector.report.model import Report


def render(report: Report, folder: Path) -> str:
    """
    Args:
        folder: of the template, with its page.html.j2.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(report=report)
