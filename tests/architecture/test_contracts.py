"""What imports and syntax must hold, asked of the real tools."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PY38_SOURCES = sorted(
    [*ROOT.glob("agent/attt_agent/**/*.py"), *ROOT.glob("rules/attt_rules/**/*.py")]
)
ALL_SOURCES = sorted([*PY38_SOURCES, *ROOT.glob("collector/attt_collector/**/*.py")])


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


def test_all_import_contracts_are_kept():
    done = run(str(Path(sys.executable).parent / "lint-imports"), "--no-cache")
    assert 0 == done.returncode, done.stdout
    assert "0 broken" in done.stdout


def test_a_contract_really_breaks_when_it_is_broken(tmp_path):
    """The contracts are not green because they look at nothing."""
    for folder in ("agent", "collector", "rules"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "agent/attt_agent/probes/broken_on_purpose.py").write_text(
        "import subprocess\nimport attt_collector.records\n", encoding="utf-8"
    )
    paths = os.pathsep.join(str(tmp_path / folder) for folder in ("agent", "collector", "rules"))
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 != done.returncode
    assert "4. Probes see the machine only through host BROKEN" in done.stdout
    assert (
        "1. The agent and the collector never meet; both stand on the rules BROKEN" in done.stdout
    )


def test_agent_and_rules_are_python_38_syntax():
    for path in PY38_SOURCES:
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 8))


def test_agent_and_rules_call_nothing_newer_than_python_38():
    done = run(
        str(Path(sys.executable).parent / "vermin"),
        "--quiet",
        "--target=3.8-",
        "--violations",
        "--no-tips",
        "agent/attt_agent",
        "rules/attt_rules",
    )
    assert 0 == done.returncode, done.stdout


ISOLATION_LOOPS = {
    "agent/attt_agent/probe.py",
    "collector/attt_collector/app.py",
    "collector/attt_collector/poll/poller.py",
    "collector/attt_collector/store/db.py",  # the request loop's writer side: handed to the sender
}


def test_exception_is_caught_in_the_isolation_loops_only():
    found = set()
    for path in ALL_SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ExceptHandler):
                continue
            names = [node.type] if not isinstance(node.type, ast.Tuple) else node.type.elts
            if any(
                name is None or getattr(name, "id", "") in ("Exception", "BaseException")
                for name in names
            ):
                reraises = any(
                    isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node)
                )
                if not reraises:
                    found.add(path.relative_to(ROOT).as_posix())
    assert found <= ISOLATION_LOOPS


def imported_names(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


STANDARD_LIBRARY_DOORS = {
    "http.client": ("agent/attt_agent/transport.py",),
    "subprocess": ("agent/attt_agent/programs.py",),
    "ctypes": ("agent/attt_agent/windows/",),
    "winreg": ("agent/attt_agent/windows/registry.py",),
}


@pytest.mark.parametrize("library", sorted(STANDARD_LIBRARY_DOORS))
def test_the_agent_has_one_door_for(library):
    users = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("agent/attt_agent/**/*.py")
        if library in imported_names(path)
    }
    assert users
    assert all(user.startswith(STANDARD_LIBRARY_DOORS[library]) for user in users)


def test_packages_are_named_with_their_prefix():
    """A folder `agent/` must never be imported as `agent`."""
    for path in ALL_SOURCES:
        assert not {"agent", "collector", "rules"} & {
            name.split(".")[0] for name in imported_names(path)
        }
