"""attt-collector rules lint: is a rule pack good?"""

from __future__ import annotations

from pathlib import Path

import click

from attt_rules import lint as pack_lint
from attt_rules import pack
from attt_rules.contract import Text
from attt_rules.errors import AtttError, PackErrors


@click.group(name="rules")
def command() -> None:
    """Xem và kiểm tra bộ quy tắc. (Look at and check rule packs.)"""


@command.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
def lint(folder: Path | None) -> None:
    """Kiểm tra bộ quy tắc trong FOLDER, hoặc mọi bộ đi kèm, và in mọi lỗi kèm tệp và dòng.

    (Check the pack in FOLDER, or every built-in one, and print all errors with file and line.)
    """
    folders = [folder] if folder else [pack.BUILTIN_FOLDER / name for name in pack.builtin_ids()]
    for each in folders:
        _lint_one(each)


def _lint_one(folder: Path) -> None:
    if not (folder / "pack.yaml").is_file():
        raise AtttError(
            "ATTT-111",
            Text(
                vi=f"Thư mục «{folder}» không phải bộ quy tắc: thiếu pack.yaml.",
                en=f'The folder "{folder}" is no rule pack: pack.yaml is missing.',
            ),
            Text(
                vi="nêu thư mục chứa pack.yaml, requirements.yaml và rules/.",
                en="Name the folder that holds pack.yaml, requirements.yaml and rules/.",
            ),
        )
    loaded = pack.load(folder)
    findings = pack_lint.lint(loaded)
    if findings:
        raise PackErrors(findings)
    click.echo(
        f"{loaded.id} {loaded.version}: {len(loaded.requirements)} yêu cầu, "
        f"{len(loaded.rules)} quy tắc, {len(loaded.indicators)} chỉ tiêu, không có lỗi. "
        "(requirements, rules, indicators; no error.)"
    )
