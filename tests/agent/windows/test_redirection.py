from __future__ import annotations

import pytest

from attt_agent.windows.redirection import native_path, system_folder

NATIVE = {"SYSTEMROOT": "C:\\Windows"}
REDIRECTED = {"SYSTEMROOT": "D:\\WINNT", "PROCESSOR_ARCHITEW6432": "AMD64"}


def test_it_works() -> None:
    assert "C:\\Windows\\System32" == system_folder(NATIVE)
    assert "D:\\WINNT\\Sysnative" == system_folder(REDIRECTED)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("D:\\WINNT\\System32\\winevt\\Logs", "D:\\WINNT\\Sysnative\\winevt\\Logs"),
        ("d:/winnt/system32/x", "D:\\WINNT\\Sysnative\\x"),
        ("D:\\WINNT\\SYSTEM32", "D:\\WINNT\\Sysnative"),
        ("D:\\WINNT\\System32x\\a", "D:\\WINNT\\System32x\\a"),
        ("D:\\WINNT\\SysWOW64\\a", "D:\\WINNT\\SysWOW64\\a"),
        ("/etc/passwd", "/etc/passwd"),
    ],
)
def test_a_32_bit_python_reaches_the_real_folder(path: str, expected: str) -> None:
    assert expected == native_path(path, REDIRECTED)


def test_a_64_bit_python_sees_it_as_it_is() -> None:
    path = "C:\\Windows\\System32\\drivers\\etc\\hosts"
    assert path == native_path(path, NATIVE)
