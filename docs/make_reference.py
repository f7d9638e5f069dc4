"""Writes the reference pages from the code itself; `--check` only says whether they are current.

docs/du-kien.md    every fact key: type, meaning, producer
docs/ma-loi.md     every error code: message and where it is raised
docs/lenh.md       every command and option of attt and attt-collector
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from attt_agent import probe
from attt_agent.cli import cli as agent_cli
from attt_collector import family
from attt_collector.cli import collector as collector_cli
from attt_collector.judge.site import SITE_SPECS
from attt_collector.poll.poller import SPECS as POLL_SPECS
from attt_collector.store.attestations import ATTESTED_SPECS
from attt_rules.contract import FactSpec

DOCS = Path(__file__).parent
ROOT = DOCS.parent


def producers() -> Iterator[tuple[str, FactSpec]]:
    """(where it is read, spec) of every fact that anything here can say."""
    for each in probe.find_all():
        for spec in each.specs:
            yield f"agent/attt_agent/probes/{each.id}.py", spec
    for device_family in family.find_all():
        for spec in device_family.specs:
            yield f"collector/attt_collector/devices/{device_family.id}.py", spec
    for spec in POLL_SPECS:
        yield "collector/attt_collector/poll/poller.py", spec
    for spec in SITE_SPECS:
        yield "collector/attt_collector/judge/site.py", spec
    for spec in ATTESTED_SPECS:
        yield "xác nhận / attested", spec


def facts_page() -> str:
    lines = [
        "# Dữ kiện — Facts",
        "",
        "*Trang này do `make docs` viết ra từ mã. This page is written by `make docs`.*",
        "",
        "| khóa / key | kiểu / type | nghĩa | meaning | nơi đọc / producer |",
        "|---|---|---|---|---|",
    ]
    seen: dict[str, str] = {}
    for where, spec in producers():
        each = f" × `{spec.list_key}`" if spec.list_key else ""
        seen.setdefault(
            spec.key,
            f"| `{spec.key}`{each} | {spec.type.value} | {spec.meaning.vi} | {spec.meaning.en} "
            f"| {where} |",
        )
    return "\n".join([*lines, *(seen[key] for key in sorted(seen))]) + "\n"


def _words(node: ast.expr) -> str:
    """The text of a constant, f-string or "..." % (...) with its blanks shown as …"""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        text = _words(node.left)
        for blank in ("%s", "%d", "%r", "%.1f"):
            text = text.replace(blank, "…")
        return text.replace("%%", "%")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _words(node.func.value)
    return "…"


def _error_calls(path: Path) -> Iterator[tuple[str, str, str]]:
    """(code, vi, en) of each call that names an error code and a Text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        codes = [
            arg.value
            for arg in (*node.args, *(keyword.value for keyword in node.keywords))
            if isinstance(arg, ast.Constant) and str(arg.value).startswith("ATTT-")
        ]
        if not codes:
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == "Text":
                said = {keyword.arg: _words(keyword.value) for keyword in inner.keywords}
                if {"vi", "en"} <= set(said):
                    yield str(codes[0]), said["vi"], said["en"]
                break


def errors_page() -> str:
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for folder in ("rules", "agent", "collector"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for code, vi, en in _error_calls(path):
                where = path.relative_to(ROOT).as_posix()
                found.setdefault((code, vi), (en, where))
    lines = [
        "# Mã lỗi — Error codes",
        "",
        "*Trang này do `make docs` viết ra từ mã; «…» là chỗ điền tên máy, tệp, ngày. This page is "
        "written by `make docs`; “…” stands for a name or a date.*",
        "",
        "| mã | điều đã xảy ra | what happened | nơi báo / raised in |",
        "|---|---|---|---|",
    ]
    for (code, vi), (en, where) in sorted(found.items()):
        cells = [" ".join(text.split()).replace("|", "\\|") for text in (vi, en)]
        lines.append(f"| {code} | {cells[0]} | {cells[1]} | `{where}` |")
    return "\n".join(lines) + "\n"


def _contexts(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[click.Context]:
    """A context for a command and for every command below it."""
    context = click.Context(
        command, parent=parent, info_name=name, terminal_width=96, **command.context_settings
    )
    yield context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            child = command.get_command(context, below)
            if child is not None:
                yield from _contexts(child, below, context)


def commands_page() -> str:
    lines = [
        "# Lệnh — Commands",
        "",
        "*Trang này do `make docs` viết ra từ mã. This page is written by `make docs`.*",
    ]
    for name, root in (("attt", agent_cli), ("attt-collector", collector_cli)):
        for context in _contexts(root, name):
            words = context.command.get_help(context)
            lines += ["", f"## {context.command_path}", "", "```", words, "```"]
    return "\n".join(lines) + "\n"


PAGES = {"du-kien.md": facts_page, "ma-loi.md": errors_page, "lenh.md": commands_page}


def main() -> int:
    stale = []
    for name, page in PAGES.items():
        path, text = DOCS / name, page()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
            print(f"docs/{name}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
