"""`attt-collector`: one module a command, found by name (`enrol_code.py` is `enrol-code`).

A command module has `command` (a click command); it gets the collector's folder as
`@click.pass_obj`.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

import click

from attt_collector.settings import CollectorFolder
from attt_rules import __version__
from attt_rules.errors import AtttError

DEFAULT_FOLDER = "/var/lib/attt-collector"


class FoundCommands(click.Group):
    """A group that imports a command only when it is run: `units list` need not load the web."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = (found.name for found in pkgutil.iter_modules(__path__))
        return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name.replace('-', '_')}")
        command = getattr(module, "command", None)
        return command if isinstance(command, click.Command) else None


@click.group(
    cls=FoundCommands,
    help="Máy thu thập của attt: nhận bản chụp, đánh giá, lập báo cáo. "
    "(The collector of attt: receives snapshots, judges them, writes the report.)",
)
@click.version_option(__version__, prog_name="attt-collector")
@click.option(
    "--data",
    "folder",
    envvar="ATTT_DATA",
    default=DEFAULT_FOLDER,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="THƯ_MỤC",
    help="Thư mục của máy thu thập (the collector's folder; or the variable ATTT_DATA).",
)
@click.pass_context
def collector(ctx: click.Context, folder: Path) -> None:
    ctx.obj = CollectorFolder(folder)


def main() -> None:
    """Run the command line; an error that a person can act on ends with its text and status 1."""
    try:
        collector(prog_name="attt-collector")
    except AtttError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
