"""`attt-collector`: one module a command, found by name (`enrol_code.py` is `enrol-code`).

A command module has `command` (a click command); it gets the collector's folder as
`@click.pass_obj`.
"""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import click

from attt_collector.settings import CollectorFolder
from attt_rules import __version__
from attt_rules.contract import Text
from attt_rules.errors import AtttError

DEFAULT_FOLDER = "/var/lib/attt-collector"
# What a full or failing disk says, also when standard output goes there.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_STOPPED = 130
EXIT_PIPE = 141  # as a shell says for SIGPIPE


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
    # Whether it can be used is said by whoever reads it: with a code, and not before --help.
    type=click.Path(path_type=Path, readable=False),
    metavar="THƯ_MỤC",
    help="Thư mục của máy thu thập (the collector's folder; or the variable ATTT_DATA).",
)
@click.pass_context
def collector(ctx: click.Context, folder: Path) -> None:
    ctx.obj = CollectorFolder(folder)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The command `attt-collector`; never returns.

    Exit codes: 0 done; 1 an error with its ATTT number; 2 the command was not understood; 130
    stopped by Ctrl-C; 141 nobody reads the output any more.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal of an old code page shows "?" rather than failing half way.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        with collector.make_context("attt-collector", given) as context:
            collector.invoke(context)
        sys.stdout.flush()
        sys.exit(0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except click.UsageError as error:
        click.echo(usage_words(error), err=True)
        sys.exit(EXIT_USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_ERROR)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EXIT_STOPPED)
    except AtttError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_ERROR)
    except BrokenPipeError:
        # `attt-collector evaluate | head`
        _drop_output()
        sys.exit(EXIT_PIPE)
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        _drop_output()
        click.echo(str(_output_failed(error)), err=True)
        sys.exit(EXIT_ERROR)


def usage_words(error: click.UsageError) -> str:
    """What click has against the command line, Vietnamese first; click itself knows English only.

    The messages of our own options are in both languages already.
    """
    english = error.format_message()
    hint = ""
    if isinstance(error, click.BadParameter) and error.param is not None:
        hint = error.param.get_error_hint(error.ctx)
    if isinstance(error, click.MissingParameter):
        what = f"thiếu {hint}." if hint else english
    elif isinstance(error, click.NoSuchOption):
        what = f"không có tùy chọn «{error.option_name}»."
    elif hint:
        what = f"{hint}: {error.message}"
        english = f"Invalid value for {hint}."
    else:
        what = english
    command = error.ctx.command_path if error.ctx is not None else "attt-collector"
    return (
        f"Tham số không đúng: {what}\n"
        f"          Cách xử lý: xem «{command} --help».\n"
        f'          ({english} See "{command} --help".)'
    )


def _drop_output() -> None:
    """Python flushes once more at its end, and would complain once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _output_failed(error: OSError) -> AtttError:
    reason = error.strerror or str(error)
    return AtttError(
        "ATTT-519",
        Text(
            vi=f"Không ghi được kết quả: {reason}.",
            en=f"The result could not be written: {reason}.",
        ),
        Text(
            vi="kiểm tra dung lượng trống của nơi nhận kết quả rồi chạy lại.",
            en="Check the free space where the result goes, then run it again.",
        ),
    )
