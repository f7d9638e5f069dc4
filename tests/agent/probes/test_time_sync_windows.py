import json
from dataclasses import replace

import pytest

from attt_agent.host import CommandResult, Service
from attt_agent.probes import time_sync_windows as time_sync
from attt_agent.registry_reading import POLICIES
from attt_rules.contract import Unreadable

PARAMETERS = time_sync.SETTINGS + r"\Parameters"
ENABLED, SYNCHRONISED = ("time_sync.enabled", None), ("time_sync.synchronised", None)
SOURCES, OFFSET = ("time_sync.sources", None), ("time_sync.offset_seconds", None)


def with_values(host, key, **values):
    merged = {**(host.registry.get(key) or {}), **values}
    return replace(host, registry={**host.registry, key: merged})


def with_status(host, text, exit_code=0):
    return replace(host, commands={time_sync.STATUS_COMMAND: CommandResult(exit_code, text, "")})


def status_of(host):
    return host.commands[time_sync.STATUS_COMMAND].stdout


@pytest.mark.parametrize("name", ["windows-11-en", "windows-8.1-fr", "windows-10-de-doppelt"])
def test_it_works(machine, said, name):
    expected = {
        ENABLED: True,
        SYNCHRONISED: True,
        SOURCES: ("time.tinh.example",),
        OFFSET: 0.0123456,
    }
    assert expected == said(time_sync.PROBE, machine(name))


def test_a_service_that_does_not_run_follows_nothing(machine, said):
    expected = {
        ENABLED: False,
        SYNCHRONISED: "!not_supported",
        SOURCES: ("time.tinh.example",),
        OFFSET: "!not_supported",
    }
    assert expected == said(time_sync.PROBE, machine("windows-7-vi"))


@pytest.mark.parametrize(
    ("kind", "sources"),
    [
        ("NTP", ("time.tinh.example",)),
        ("NT5DS", ("NT5DS",)),
        ("AllSync", ("NT5DS", "time.tinh.example")),
    ],
)
def test_where_the_clock_is_told_to_look(machine, said, kind, sources):
    host = with_values(machine("windows-11-en"), PARAMETERS, Type=kind)
    assert sources == said(time_sync.PROBE, host)[SOURCES]


def test_without_a_source_nothing_is_enabled(machine, said):
    host = with_values(machine("windows-11-en"), PARAMETERS, Type="NoSync")
    facts = said(time_sync.PROBE, host)
    assert facts[ENABLED] is False
    host = with_values(
        machine("windows-11-en"), time_sync.SETTINGS + r"\TimeProviders\NtpClient", Enabled=0
    )
    assert said(time_sync.PROBE, host)[ENABLED] is False


def test_group_policy_goes_first(machine, said):
    host = with_values(
        machine("windows-11-en"),
        time_sync.POLICY + r"\Parameters",
        Type="NTP",
        NtpServer="gio1.tinh.example,0x9 gio2.tinh.example,0x9",
    )
    expected = ("gio1.tinh.example", "gio2.tinh.example")
    assert expected == said(time_sync.PROBE, host)[SOURCES]


def test_it_reports_unknown_when_the_policies_are_denied(machine, said):
    refused = {f"registry_names {POLICIES}": Unreadable.ACCESS_DENIED}
    facts = said(time_sync.PROBE, replace(machine("windows-11-en"), errors=refused))
    assert {"!access_denied"} == set(facts.values())


@pytest.mark.parametrize("state", ["stopped", "other"])
def test_a_service_that_is_starting_or_stopping_does_not_run(machine, said, state):
    host = machine("windows-11-en")
    services = {**host.windows_services, "W32Time": Service(state, "manual")}
    assert said(time_sync.PROBE, replace(host, windows_services=services))[ENABLED] is False


def test_it_reports_unknown_when_w32tm_says_nothing(machine, said):
    facts = said(time_sync.PROBE, with_status(machine("windows-11-en"), ""))
    assert facts[ENABLED] is True
    assert "!malformed" == facts[SYNCHRONISED] == facts[OFFSET]


def test_it_reports_unknown_when_w32tm_fails(machine, said):
    host = with_status(machine("windows-11-en"), status_of(machine("windows-11-en")), 1)
    assert "!malformed" == said(time_sync.PROBE, host)[SYNCHRONISED]


def test_it_reports_unknown_when_the_lines_stand_in_another_order(machine, said):
    lines = status_of(machine("windows-11-en")).splitlines()
    for wrong in (
        lines[::-1],
        lines[1:],
        [*lines[:5], *lines[6:], lines[5]],
    ):
        host = with_status(machine("windows-11-en"), "\n".join(wrong))
        assert "!malformed" == said(time_sync.PROBE, host)[SYNCHRONISED], wrong


def test_it_reports_unknown_when_the_offset_is_from_yesterday(machine, said):
    text = status_of(machine("windows-11-en")).replace("512.1234567s", "86401.0000000s")
    facts = said(time_sync.PROBE, with_status(machine("windows-11-en"), text))
    assert facts[SYNCHRONISED] is True
    assert "!not_found" == facts[OFFSET]


def test_chinese_labels_with_wide_colons_are_only_labels(machine, said):
    text = status_of(machine("windows-11-en"))
    for english, chinese in (("Leap Indicator:", "Leap 指示符:"), ("Stratum:", "层次：")):
        text = text.replace(english, chinese)
    assert said(time_sync.PROBE, with_status(machine("windows-11-en"), text))[SYNCHRONISED] is True


def test_bytes_of_another_code_page_do_not_matter(machine, said):
    raw = status_of(machine("windows-10-de-doppelt")).encode("cp1252").decode("utf-8", "replace")
    assert "\ufffd" in raw
    facts = said(time_sync.PROBE, with_status(machine("windows-11-en"), raw))
    assert 0.0123456 == facts[OFFSET]


# --- recordings -------------------------------------------------------------------------------

CASES = (
    "de-synced-2024",
    "en-local-cmos-stratum1",
    "en-nist-stratum2",
    "en-pool-stratum3",
    "last-sync-too-old",
    "stratum-1-vm-ic",
    "stratum-2-nist",
    "stratum-4-synced-time-windows",
    "unsynced-local-cmos",
    "unsynced-time-windows",
)


@pytest.mark.parametrize("case", CASES)
def test_recordings_of_w32tm(fixtures, machine, said, case):
    folder = fixtures / "windows" / "timesync" / "w32tm"
    assert set(CASES) == {path.name for path in folder.iterdir()}
    expected = json.loads((folder / case / "expected.json").read_text("utf-8"))["expected"]
    text = (folder / case / "input.txt").read_text("utf-8")
    status = time_sync.parse_status(text)
    assert expected["leap_indicator"] == status.leap
    assert expected["stratum"] == status.stratum
    assert expected.get("seconds_since_good_sync") == status.seconds_since_sync
    facts = said(time_sync.PROBE, with_status(machine("windows-11-en"), text))
    assert expected["synchronized"] is facts[SYNCHRONISED]
    # The offset is said only by /verbose, only of a clock that follows something.
    verbose = "seconds_since_good_sync" in expected
    assert isinstance(facts[OFFSET], float) is (verbose and expected["synchronized"])


CHINESE = """Leap 指示符: 0(无警告)
层次: 3 (次引用 - 与(S)NTP 同步)
精度: -23 (每刻度 119.209ns)
根延迟: 0.2056026s
根分散: 4.0711694s
引用 ID: 0xB65C0C0B (源 IP: 182.92.12.11)
上次成功同步时间: 2025/4/29 8:52:14
源: cn.ntp.org.cn,8
轮询间隔: 6 (64s)

相位偏移: -0.2507314s
ClockRate: 0.0156261s
计算机状态: 1 (等候)
时间源标志:0 (无)
服务器角色: 64 (时间服务)
上次同步错误: 0 (成功地执行了命令。)
上次成功同步时间后的时间: 19.3403555s
"""


def test_the_form_is_the_same_in_chinese():
    """As a public note on domain controllers shows it (Windows Server, 2025)."""
    status = time_sync.parse_status(CHINESE)
    expected = time_sync.Status(0, 3, 0xB65C0C0B, -0.2507314, 19.3403555)
    assert expected == status
    assert status.synchronised
