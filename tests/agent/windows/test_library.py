from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from attt_agent.host import HostError, LocalHost
from attt_agent.windows.library import error_of
from attt_agent.windows.wmi import hresult_error
from attt_rules.contract import Unreadable


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (2, Unreadable.NOT_FOUND),
        (5, Unreadable.ACCESS_DENIED),
        (126, Unreadable.NOT_SUPPORTED),
        (1314, Unreadable.ACCESS_DENIED),
        (1722, Unreadable.NOT_SUPPORTED),
        (2114, Unreadable.NOT_SUPPORTED),
        (2140, Unreadable.MALFORMED),
        (0, Unreadable.MALFORMED),
    ],
)
def test_error_numbers_become_reasons(code: int, expected: Unreadable) -> None:
    error = error_of(code, "NetUserEnum")
    assert (expected, f"NetUserEnum: Windows error {code}") == (error.reason, error.detail)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (0x80041003, Unreadable.ACCESS_DENIED),
        (0x80070005, Unreadable.ACCESS_DENIED),
        (0x8004100E, Unreadable.NOT_SUPPORTED),
        (0x80041010, Unreadable.NOT_SUPPORTED),
        (0x80040154, Unreadable.NOT_SUPPORTED),
        (0x800706BA, Unreadable.NOT_SUPPORTED),
        (0x80070422, Unreadable.NOT_SUPPORTED),
        (0x80041017, Unreadable.MALFORMED),
        (0x8000FFFF, Unreadable.MALFORMED),
    ],
)
def test_com_errors_become_reasons(result: int, expected: Unreadable) -> None:
    signed = result - 2**32  # as ctypes hands it over
    error = hresult_error(signed, "wmi")
    assert (expected, f"wmi: HRESULT 0x{result:08X}") == (error.reason, error.detail)


@pytest.mark.skipif(sys.platform == "win32", reason="this is what other systems say")
@pytest.mark.parametrize(
    "ask",
    [
        lambda host: host.registry_value(r"HKLM\SOFTWARE", "x"),
        lambda host: host.registry_names(r"HKLM\SOFTWARE"),
        lambda host: host.registry_keys(r"HKLM\SOFTWARE"),
        lambda host: host.wmi(r"root\cimv2", "SELECT * FROM Win32_BIOS"),
        lambda host: host.services(),
        lambda host: host.account_policy(),
        lambda host: host.local_accounts(),
        lambda host: host.security_center(),
    ],
)
def test_what_only_windows_has_is_not_supported_elsewhere(
    ask: Callable[[LocalHost], object],
) -> None:
    with pytest.raises(HostError) as failed:
        ask(LocalHost())
    assert Unreadable.NOT_SUPPORTED is failed.value.reason
