"""attt: check | facts | enrol | run | record.

Exit codes: 0 done and well; `check`: 1 a rule fails, 2 something is unknown; `run`: 3 kept in the
spool for the next run; 4 an error with its ATTT number; 64 the command was not understood.
What a command needs is imported inside it: `attt run` must stay small.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import NoReturn, Optional, Sequence, Tuple

import click

from attt_agent import messages
from attt_agent.host import Host, LocalHost
from attt_agent.messages import Messages
from attt_agent.settings import (
    NoPermissionError,
    Settings,
    StateFolder,
    default_folder,
    parse_target,
)
from attt_rules import __version__
from attt_rules.contract import AssetKind, Fact, Text
from attt_rules.errors import AtttError

EXIT_ERROR = 4
EXIT_USAGE = 64
EXIT_PIPE = 141  # as a shell says for SIGPIPE


class _Session:
    """What every command gets: the language and the state folder."""

    def __init__(self, language: str, folder: StateFolder) -> None:
        self.say: Messages = messages.load(language)
        self.folder = folder

    def settings(self) -> Settings:
        from attt_agent import settings

        return settings.load(self.folder)

    def settings_or_none(self) -> Settings:
        """For commands that only look: anybody may run them, the settings are root's."""
        try:
            return self.settings()
        except NoPermissionError:
            self.note(self.say("settings.not_read", folder=self.folder.path))
            return Settings()

    def note(self, text: str) -> None:
        from attt_agent.terminal import note

        note(text)


def _target(
    _context: click.Context, _parameter: click.Parameter, value: Optional[str]
) -> Optional[Tuple[str, int]]:
    try:
        return None if value is None else parse_target(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


_recorded = click.option(
    "--recorded",
    type=click.Path(file_okay=False, path_type=Path),
    help="Đọc từ bản ghi thay cho máy này / read a recording instead of this machine.",
)
_wan = click.option(
    "--wan",
    metavar="HOST:PORT",
    callback=_target,
    help="Máy chủ của tỉnh để thử mạng WAN / the provincial host that stands for the WAN.",
)
_json = click.option("--json", "as_json", is_flag=True, help="JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="attt")
@click.option("--lang", type=click.Choice(messages.LANGUAGES), default="vi", envvar="ATTT_LANG")
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ATTT_STATE",
    help="Thư mục thiết lập, khóa, hàng đợi / folder of settings, key and spool.",
)
@click.pass_context
def cli(context: click.Context, lang: str, state_dir: Optional[Path]) -> None:
    """Kiểm tra an toàn thông tin của máy này / check this machine's information security."""
    context.obj = _Session(lang, StateFolder(state_dir or default_folder()))


@cli.command()
@_json
@_recorded
@_wan
@click.option("--probe", "probe_ids", multiple=True, help="Chỉ đầu dò này / only this probe.")
@click.pass_obj
def facts(
    session: _Session,
    *,
    as_json: bool,
    recorded: Optional[Path],
    wan: Optional[Tuple[str, int]],
    probe_ids: Sequence[str],
) -> None:
    """In dữ kiện đọc được, kèm nguồn / print what was read, with sources."""
    from attt_agent.terminal import fact_line

    read, _, _ = _read(session, recorded, wan, probe_ids)
    if as_json:
        click.echo(json.dumps([fact.to_wire() for fact in read], ensure_ascii=False, indent=1))
        return
    for fact in read:
        click.echo(fact_line(fact, session.say))


@cli.command()
@_json
@_recorded
@_wan
@click.option("--pack", "pack_id", help="Bộ quy tắc / rule pack, vn_l2_2026.")
@click.option("--kind", type=click.Choice(["pc", "server"]))
@click.pass_context
def check(
    context: click.Context,
    *,
    as_json: bool,
    recorded: Optional[Path],
    wan: Optional[Tuple[str, int]],
    pack_id: Optional[str],
    kind: Optional[str],
) -> None:
    """Đối chiếu máy này với bộ quy tắc / judge this machine by the rules.

    Mã thoát 0 đạt, 1 có quy tắc không đạt, 2 có quy tắc chưa xác định.
    """
    from attt_agent import snapshot, terminal
    from attt_rules import pack as packs
    from attt_rules.engine import Engine, FactSet

    session: _Session = context.obj
    read, host, settings = _read(session, recorded, wan, ())
    as_of = host.now()
    chosen = pack_id or settings.pack
    pack = packs.builtin(chosen) if chosen else packs.for_date(as_of.date())
    name = snapshot.name_of(host, settings)
    of_kind = AssetKind(kind) if kind else settings.kind or snapshot.kind_of(read)
    if of_kind is None:
        raise snapshot.kind_unknown(name)
    findings = Engine(pack).evaluate(of_kind, FactSet(read), as_of)
    if as_json:
        document = terminal.check_json(findings, pack, name, of_kind, as_of)
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        say = session.say
        head = say(
            "check.head",
            name=name,
            kind=say("kind.%s" % of_kind.value),
            pack=pack.id,
            as_of=_minute(as_of),
        )
        click.echo(head)
        for line in terminal.check_lines(findings, pack, of_kind, say):
            click.echo(line)
    context.exit(terminal.exit_code_of(findings))


@cli.command()
@click.option("--server", required=True, metavar="URL", help="https://ten-may-chu:8443")
@click.option("--code", required=True, help="Mã ghi danh của đơn vị / the unit's code.")
@click.option("--ca-sha256", metavar="HEX", help="Vân tay CA của tỉnh / the CA's fingerprint.")
@click.option(
    "--ca",
    "ca_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Tệp chứng thư CA / the CA certificate.",
)
@click.option("--kind", type=click.Choice(["pc", "server"]))
@click.option("--name", help="Tên máy trong báo cáo / the machine's name in reports.")
@click.pass_obj
def enrol(
    session: _Session,
    *,
    server: str,
    code: str,
    ca_sha256: Optional[str],
    ca_file: Optional[Path],
    kind: Optional[str],
    name: Optional[str],
) -> None:
    """Ghi danh máy này vào đơn vị / join a unit."""
    from attt_agent import enrolment
    from attt_agent.scheduled import clock_warning

    if (ca_sha256 is None) == (ca_file is None):
        raise click.UsageError("--ca-sha256 HEX | --ca FILE")
    say = session.say
    done = enrolment.enrol(
        session.folder,
        LocalHost(),
        server=server,
        code=code,
        ca_sha256=ca_sha256,
        ca_file=ca_file,
        kind=AssetKind(kind) if kind else None,
        name=name,
    )
    click.echo(
        say(
            "enrol.done",
            name=done.name,
            kind=say("kind.%s" % done.kind.value),
            unit_name=done.grant.unit.name,
            unit_code=done.grant.unit.code,
            device_id=done.grant.device_id,
        )
    )
    if done.grant.simulated:
        session.note(say("enrol.simulated"))
    warning = clock_warning(done.clock_offset_seconds, say)
    if warning:
        session.note(warning)


@cli.command()
@click.pass_context
def run(context: click.Context) -> None:
    """Chụp, giữ vào hàng đợi, gửi tất cả / take a snapshot, spool it, send everything.

    Mã thoát 3: chưa gửi được, bản chụp còn giữ trên máy.
    """
    from attt_agent import scheduled

    session: _Session = context.obj
    context.exit(scheduled.run(session.folder, session.say))


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@_wan
@click.pass_obj
def record(session: _Session, folder: Path, wan: Optional[Tuple[str, int]]) -> None:
    """Ghi lại máy này vào thư mục FOLDER / write this machine down, names replaced."""
    from attt_agent.probe import ProbeContext, find_all, run_all
    from attt_agent.recording import RecordingHost

    host = RecordingHost(LocalHost())
    target = wan or session.settings_or_none().wan_target
    run_all(find_all(), ProbeContext(host=host, wan_target=target))
    host.try_hostname()
    host.write(folder)
    click.echo(session.say("record.done", folder=folder))


def _read(
    session: _Session,
    recorded: Optional[Path],
    wan: Optional[Tuple[str, int]],
    probe_ids: Sequence[str],
) -> Tuple[Tuple[Fact, ...], Host, Settings]:
    from dataclasses import replace

    from attt_agent import snapshot
    from attt_agent.probe import find_all
    from attt_agent.recorded import RecordedHost

    host: Host
    if recorded is not None:
        # Another machine's recording has nothing to do with this one's settings.
        host, settings = RecordedHost.load(recorded), Settings()
    else:
        host, settings = LocalHost(), session.settings_or_none()
    if wan is not None:
        settings = replace(settings, wan_target=wan)
    probes = find_all()
    known = ", ".join(probe.id for probe in probes)
    for wanted in probe_ids:
        if wanted not in {probe.id for probe in probes}:
            raise AtttError(
                "ATTT-330",
                Text(vi="Không có đầu dò «%s»." % wanted, en='There is no probe "%s".' % wanted),
                Text(vi="chọn một trong: %s." % known, en="Choose one of: %s." % known),
            )
    chosen = [probe for probe in probes if not probe_ids or probe.id in probe_ids]
    return snapshot.read_facts(host, settings, chosen), host, settings


def _minute(moment: datetime) -> str:
    return moment.astimezone().strftime("%d/%m/%Y %H:%M %z")


def main(arguments: Optional[Sequence[str]] = None) -> NoReturn:
    """The command `attt`; never returns. Errors for people end here, with exit code 4."""
    from attt_agent.terminal import abandon, error_lines, note, output_error, prepare_streams

    prepare_streams()
    say = messages.load("vi")
    try:
        with cli.make_context(
            "attt", list(sys.argv[1:] if arguments is None else arguments)
        ) as context:
            say = messages.load(str(context.params.get("lang") or "vi"))
            cli.invoke(context)
        sys.exit(0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_ERROR)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:
        # `attt facts | head`: nobody reads on, and flushing at exit would complain once more.
        abandon(sys.stdout)
        sys.exit(EXIT_PIPE)
    except OSError as error:
        lost = output_error(error)
        if lost is None:
            raise
        note("\n".join(error_lines(lost, say)))
        sys.exit(EXIT_ERROR)
    except AtttError as error:
        note("\n".join(error_lines(error, say)))
        sys.exit(EXIT_ERROR)
