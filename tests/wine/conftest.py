"""Both Windows Pythons, fetched once, and the registry as a test wants it."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.wine.rig import PREFIX, RELEASES, WinePython, prepared, stop, windows_path

SEED = """
import json, sys, winreg
for key, values in json.loads({document!r}).items():
    root, _, path = key.partition(chr(92))
    handle = winreg.CreateKeyEx(
        getattr(winreg, root), path, 0, winreg.KEY_WRITE | winreg.KEY_WOW64_64KEY
    )
    for name, (kind, value) in values.items():
        if kind == "REG_BINARY":
            value = bytes.fromhex(value)
        winreg.SetValueEx(handle, name, 0, getattr(winreg, kind), value)
    handle.Close()
"""


@pytest.fixture(scope="session", params=sorted(RELEASES))
def python(request: pytest.FixtureRequest) -> Iterator[WinePython]:
    yield prepared(RELEASES[request.param])
    stop()


CLEAR = """
import json, winreg
for key, names in json.loads({document!r}).items():
    root, _, path = key.partition(chr(92))
    access = winreg.KEY_WRITE | winreg.KEY_WOW64_64KEY
    with winreg.OpenKey(getattr(winreg, root), path, 0, access) as handle:
        for name in names:
            winreg.DeleteValue(handle, name)
"""


@pytest.fixture
def seeded(
    python: WinePython,
) -> Iterator[Callable[[dict[str, dict[str, tuple[str, Any]]]], None]]:
    """Write values that wine does not have into its registry; they go when the test is done."""
    written: dict[str, list[str]] = {}

    def write(document: dict[str, dict[str, tuple[str, Any]]]) -> None:
        python.code(SEED.format(document=json.dumps(document)))
        written.update({key: list(values) for key, values in document.items()})

    yield write
    python.code(CLEAR.format(document=json.dumps(written)))


@pytest.fixture
def own_key() -> str:
    """A key below HKLM that no other test uses."""
    return rf"SOFTWARE\attt-test\{uuid.uuid4()}"


@pytest.fixture
def state() -> Iterator[Path]:
    """The state folder of one test, as Linux sees it; `windows_path` is how wine sees it."""
    folder = PREFIX / "drive_c/ProgramData" / f"attt-{uuid.uuid4()}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def in_state(state: Path) -> dict[str, str]:
    """The environment that makes `attt` use `state`."""
    return {"ATTT_STATE": windows_path(state)}
