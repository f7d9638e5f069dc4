"""The state folder on a Windows Python: access list, lock, key, spool."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.wine.rig import WinePython, windows_path

pytestmark = pytest.mark.wine


def test_it_works(python: WinePython) -> None:
    said = python.code("from attt_agent.settings import default_folder; print(default_folder())")
    assert "C:\\ProgramData\\attt" == said.strip()


def test_the_folder_is_made_and_closed(python: WinePython, state: Path) -> None:
    """Wine keeps only a part of an access list; that others are not in it is what shows here."""
    said = python.code(
        "from pathlib import Path\n"
        "from attt_agent.settings import StateFolder\n"
        "from attt_agent.windows import protection\n"
        f"folder = Path({windows_path(state)!r})\n"
        "StateFolder(folder).make()\n"
        "print(protection.access_list_of(folder))\n"
        # Again, over what is there. Wine then maps the list to Unix rights more widely, so that
        # only the call itself and the owner are looked at.
        "StateFolder(folder).make()\n"
        "print(protection.owner_of(folder) in (protection.current_user(),"
        " protection.ADMINISTRATORS))\n"
        "print(protection.access_list_of(Path('C:\\\\windows')))\n"
    )
    ours, owned, open_to_all = said.splitlines()
    assert ";;;SY)" in ours
    assert (";;;WD)" in open_to_all, ";;;WD)" in ours, ";;;BU)" in ours) == (True, False, False)
    assert "True" == owned


def test_a_folder_that_cannot_be_made_is_an_error_with_a_number(
    python: WinePython, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    answer = python.attt(
        "--state-dir",
        windows_path(tmp_path / "file" / "state"),
        "enrol",
        "--server",
        "https://127.0.0.1:1",
        "--code",
        "A",
        "--ca",
        "C:\\none.pem",
    )
    assert 4 == answer.exit_code
    assert answer.stderr.startswith("ATTT-309  Không ghi được")


def test_one_run_at_a_time(python: WinePython, state: Path) -> None:
    said = python.code(
        "import subprocess, sys\n"
        "from pathlib import Path\n"
        "from attt_agent.settings import StateFolder\n"
        "from attt_agent.spool import RunLock, SpoolError\n"
        f"folder = StateFolder(Path({windows_path(state)!r}))\n"
        "folder.make()\n"
        "other = ('from pathlib import Path; from attt_agent.spool import RunLock\\n'\n"
        "         'with RunLock(Path(%r)): print(1)' % str(folder.lock))\n"
        "def second():\n"
        "    done = subprocess.run([sys.executable, '-c', other], stdin=subprocess.PIPE,\n"
        "                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)\n"
        "    return done.stdout.strip(), b'ATTT-320' in done.stderr\n"
        "with RunLock(folder.lock):\n"
        "    print(second())\n"
        "print(second())\n"
        "with RunLock(folder.lock):\n"
        "    print('again')\n"
    )
    assert ["(b'', True)", "(b'1', False)", "again"] == said.splitlines()


def test_the_key_is_made_once(python: WinePython, state: Path) -> None:
    said = python.code(
        "from pathlib import Path\n"
        "from attt_agent.settings import StateFolder\n"
        "from attt_agent.sign import DeviceKey, KeyFileError\n"
        f"folder = StateFolder(Path({windows_path(state)!r}))\n"
        "folder.make()\n"
        "first = DeviceKey.create(folder.key)\n"
        "try:\n"
        "    DeviceKey.create(folder.key)\n"
        "except KeyFileError as error:\n"
        "    print(error.code)\n"
        "print(DeviceKey.load(folder.key).device_id == first.device_id)\n"
    )
    assert ["ATTT-302", "True"] == said.splitlines()
    assert ["device.key"] == [path.name for path in state.iterdir()]


def test_settings_are_replaced_whole(python: WinePython, state: Path) -> None:
    said = python.code(
        "from pathlib import Path\n"
        "from attt_agent import settings\n"
        "from attt_rules.contract import UnitRef\n"
        f"folder = settings.StateFolder(Path({windows_path(state)!r}))\n"
        "folder.make()\n"
        "for name in ('UBND xã Phú Tân', 'UBND xã Hòa Lạc'):\n"
        "    settings.save(folder, settings.Settings(unit=UnitRef('87.1', name)))\n"
        "print(settings.load(folder).unit.name)\n"
    )
    assert "UBND xã Hòa Lạc" == said.strip()
    assert ["agent.ini"] == [path.name for path in state.iterdir()]


def test_a_file_that_somebody_looks_at_is_replaced_a_little_later(
    python: WinePython, state: Path
) -> None:
    """As an antivirus does: it opens what is new, without letting others replace it."""
    said = python.code(
        "import ctypes, threading, time\n"
        "from pathlib import Path\n"
        "from attt_agent import settings\n"
        f"folder = settings.StateFolder(Path({windows_path(state)!r}))\n"
        "folder.make()\n"
        "settings.save(folder, settings.Settings(pack='vn_l2_2017'))\n"
        "kernel32 = ctypes.WinDLL('kernel32')\n"
        "kernel32.CreateFileW.restype = ctypes.c_void_p\n"
        "kernel32.CloseHandle.argtypes = [ctypes.c_void_p]\n"
        "held = kernel32.CreateFileW(str(folder.settings), 0x80000000, 1, None, 3, 0, None)\n"
        "threading.Timer(0.5, kernel32.CloseHandle, [held]).start()\n"
        "begun = time.monotonic()\n"
        "settings.save(folder, settings.Settings(pack='vn_l2_2026'))\n"
        "print(settings.load(folder).pack, time.monotonic() - begun > 0.4)\n"
    )
    assert "vn_l2_2026 True" == said.strip()
