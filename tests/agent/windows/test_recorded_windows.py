"""Windows machines on paper: what is answered, what is not, and what is taken out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from attt_agent.host import (
    AccountPolicy,
    CommandResult,
    HostError,
    LocalAccount,
    RegistryValue,
    Service,
)
from attt_agent.recorded import RecordedHost, RecordingError
from attt_agent.recording import RecordingHost
from attt_rules.contract import Unreadable

RUN = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion"
WINLOGON = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon"
PROFILES = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
PERSON = "S-1-5-21-3623811015-3361044348-30300820-1013"
QUERY = "SELECT Name, SerialNumber, UUID, UserName FROM Win32_ComputerSystemProduct"
POLICY = AccountPolicy(8, 7776000, 24, 5, None, True)
ACCOUNT = LocalAccount(PERSON, True, True, datetime(2026, 10, 1, tzinfo=UTC), None, False)

WINDOWS = RecordedHost(
    platform="windows",
    host_name="PC-NGUYENAN",
    moment=datetime(2026, 11, 22, 1, 0, tzinfo=UTC),
    files={"/C/ProgramData/x/status.txt": b"C:\\Users\\NguyenAn\\x", "/C/a.log": b"PC-NGUYENAN"},
    absent=frozenset(("C:\\nothing",)),
    commands={("w32tm",): CommandResult(0, "D:\\Users\\khach\\a S-1-12-1-1-2-3-4", "")},
    registry={
        RUN: {"ProgramFilesDir": "C:\\Program Files", "count": 3, "big": 2**40, "raw": b"\x01\xff"},
        RUN + r"\Uninstall": {},
        RUN + r"\Uninstall\Kaspersky": {"DisplayName": "Kaspersky", "": "mặc định"},
        RUN + r"\Uninstall\Đã gỡ": None,
        WINLOGON: {
            "DefaultUserName": "nguyenan",
            "DefaultPassword": "matkhau123",
            "AutoAdminLogon": "1",
            "RegisteredOwner": "Microsoft",
            "LastUsedUsername": None,
        },
        PROFILES: {},
        PROFILES + "\\" + PERSON: {"ProfileImagePath": "C:\\Users\\nguyenan"},
        r"HKLM\SOFTWARE\Microsoft\Cryptography": {"MachineGuid": "11aabb22-1111"},
        r"HKLM\SYSTEM\CurrentControlSet\Control": {"multi": ("một", "hai")},
    },
    wmi_rows={
        (r"root\cimv2", QUERY): (
            {
                "Name": "OptiPlex 3080",
                "SerialNumber": "7XK2Q93",
                "UUID": "4C4C4544-0058-4B10-8032-B7C04F513933",
                "UserName": "PC-NGUYENAN\\nguyenan",
                "productState": 397568,
                "list": ("a", None),
            },
        )
    },
    windows_services={"wscsvc": Service("running", "auto")},
    windows_account_policy=POLICY,
    windows_accounts=(ACCOUNT,),
    windows_security_center={"antivirus": "good", "firewall": "snooze"},
)


def reason_of(ask: Callable[[], object]) -> Unreadable:
    with pytest.raises(HostError) as failed:
        ask()
    return failed.value.reason


def recorded(folder: Path, machine: RecordedHost = WINDOWS) -> RecordedHost:
    """The machine after one round through `attt record`."""
    recording = RecordingHost(machine)
    recording.try_hostname()
    for key in machine.registry:
        for name in (*(machine.registry[key] or ()), "absent"):
            try:
                recording.registry_value(key, name)
            except HostError:
                continue
    for namespace, query in machine.wmi_rows:
        recording.wmi(namespace, query)
    recording.run(("w32tm",))
    recording.services()
    recording.account_policy()
    recording.local_accounts()
    recording.security_center()
    recording.read_text("C:\\ProgramData\\x\\status.txt")
    recording.read_text("C:\\a.log")
    recording.exists("C:\\nothing")
    recording.write(folder)
    return RecordedHost.load(folder)


def everything_in(folder: Path) -> str:
    return "\n".join(
        f"{path.relative_to(folder)}\n{path.read_text('utf-8')}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )


def test_it_works() -> None:
    assert "Kaspersky" == WINDOWS.registry_value(RUN + r"\Uninstall\Kaspersky", "DisplayName")
    assert "mặc định" == WINDOWS.registry_value(RUN + r"\Uninstall\Kaspersky", "")
    assert ("", "DisplayName") == WINDOWS.registry_names(RUN + r"\Uninstall\Kaspersky")
    assert ("Kaspersky", "Đã gỡ") == WINDOWS.registry_keys(RUN + r"\Uninstall")
    assert 397568 == WINDOWS.wmi(r"ROOT\CIMV2", QUERY)[0]["productState"]
    assert {"wscsvc": Service("running", "auto")} == WINDOWS.services()
    assert POLICY == WINDOWS.account_policy()
    assert (ACCOUNT,) == WINDOWS.local_accounts()
    assert "snooze" == WINDOWS.security_center()["firewall"]


def test_keys_and_names_are_the_same_in_capitals() -> None:
    long = RUN.replace("HKLM", "hkey_local_machine").upper()
    assert 3 == WINDOWS.registry_value(long, "COUNT")
    assert ("Uninstall",) == WINDOWS.registry_keys(long)


def test_an_empty_recording_knows_nothing() -> None:
    empty = RecordedHost(platform="windows")
    for ask in (
        lambda: empty.registry_value(RUN, "x"),
        lambda: empty.registry_names(RUN),
        lambda: empty.registry_keys(RUN),
        lambda: empty.wmi(r"root\cimv2", QUERY),
        empty.services,
        empty.account_policy,
        empty.local_accounts,
        empty.security_center,
        lambda: empty.exists("C:\\x"),
    ):
        assert Unreadable.NOT_FOUND is reason_of(ask)


def test_a_key_that_is_only_on_the_way_was_not_looked_into() -> None:
    way = r"HKLM\SOFTWARE\Microsoft"
    assert Unreadable.NOT_FOUND is reason_of(lambda: WINDOWS.registry_names(way))
    assert Unreadable.NOT_FOUND is reason_of(lambda: WINDOWS.registry_keys(way))
    gone = RUN + r"\Uninstall\Đã gỡ"
    assert Unreadable.NOT_FOUND is reason_of(lambda: WINDOWS.registry_names(gone))


def test_a_name_without_a_value_is_listed_and_not_read() -> None:
    assert "LastUsedUsername" in WINDOWS.registry_names(WINLOGON)
    asked = reason_of(lambda: WINDOWS.registry_value(WINLOGON, "LastUsedUsername"))
    assert Unreadable.NOT_FOUND is asked


@pytest.mark.parametrize(
    ("call", "ask"),
    [
        (f"registry_value {WINLOGON} x", lambda host: host.registry_value(WINLOGON, "x")),
        (f"registry_names {WINLOGON.lower()}", lambda host: host.registry_names(WINLOGON)),
        (f"registry_keys {WINLOGON}", lambda host: host.registry_keys(WINLOGON)),
        (r"wmi root\cimv2", lambda host: host.wmi(r"root\CIMV2", QUERY)),
        (rf"wmi root\cimv2 {QUERY}", lambda host: host.wmi(r"root\cimv2", QUERY)),
        ("services", lambda host: host.services()),
        ("account_policy", lambda host: host.account_policy()),
        ("local_accounts", lambda host: host.local_accounts()),
        ("security_center", lambda host: host.security_center()),
    ],
)
def test_a_recorded_failure_is_replayed(call: str, ask: Callable[[RecordedHost], object]) -> None:
    host = RecordedHost(platform="windows", errors={call: Unreadable.ACCESS_DENIED})
    assert Unreadable.ACCESS_DENIED is reason_of(lambda: ask(host))


def test_paths_of_windows_are_found_below_files() -> None:
    assert "PC-NGUYENAN" == WINDOWS.read_text("c:/A.LOG")
    assert ("status.txt",) == WINDOWS.list_dir("C:\\ProgramData\\x\\")
    assert WINDOWS.exists("c:\\programdata")
    assert not WINDOWS.exists("C:\\nothing")
    assert not WINDOWS.exists("C:\\Program")


def test_a_round_through_a_recording_changes_no_answer(tmp_path: Path) -> None:
    again = recorded(tmp_path / "r")
    for key in (RUN, RUN + r"\Uninstall", RUN + r"\Uninstall\Kaspersky"):
        assert WINDOWS.registry_names(key) == again.registry_names(key)
        assert WINDOWS.registry_keys(key) == again.registry_keys(key)
        for name in WINDOWS.registry_names(key):
            assert WINDOWS.registry_value(key, name) == again.registry_value(key, name)
    assert ("một", "hai") == again.registry_value(r"HKLM\SYSTEM\CurrentControlSet\Control", "multi")
    row = again.wmi(r"root\cimv2", QUERY)[0]
    assert ("OptiPlex 3080", 397568, ("a", None)) == (row["Name"], row["productState"], row["list"])
    assert WINDOWS.services() == again.services()
    assert POLICY == again.account_policy()
    assert 1013 == again.local_accounts()[0].rid
    assert ACCOUNT.password_set_at == again.local_accounts()[0].password_set_at
    assert WINDOWS.security_center() == again.security_center()
    assert "may-1" == again.read_text("C:\\a.log")
    assert Unreadable.NOT_FOUND is reason_of(lambda: again.registry_value(RUN, "absent"))


def test_one_question_about_a_key_records_what_else_is_in_it(tmp_path: Path) -> None:
    recording = RecordingHost(WINDOWS)
    assert 3 == recording.registry_value(RUN, "Count")
    recording.write(tmp_path / "r")
    again = RecordedHost.load(tmp_path / "r")
    assert WINDOWS.registry_names(RUN) == again.registry_names(RUN)
    assert ("Uninstall",) == again.registry_keys(RUN)
    assert 3 == again.registry_value(RUN, "count")
    # Listed is not read: neither the other values nor what is in the key below.
    assert Unreadable.NOT_FOUND is reason_of(lambda: again.registry_value(RUN, "big"))
    assert Unreadable.NOT_FOUND is reason_of(lambda: again.registry_names(RUN + r"\Uninstall"))


def test_names_sids_serials_and_passwords_are_taken_out(tmp_path: Path) -> None:
    recorded(tmp_path / "r")
    said = everything_in(tmp_path / "r")
    for secret in (
        "nguyenan",
        "NGUYENAN",
        "NguyenAn",
        "matkhau123",
        "3623811015",
        "7XK2Q93",
        "4C4C4544",
        "11aabb22",
        "khach",
        "S-1-12-1-1-2-3-4",
    ):
        assert secret not in said
    for kept in ("Kaspersky", "Program Files", "Microsoft", "OptiPlex 3080", "AutoAdminLogon"):
        assert kept in said


def test_one_machine_keeps_one_sid(tmp_path: Path) -> None:
    again = recorded(tmp_path / "r")
    sid = again.local_accounts()[0].sid
    assert (sid,) == again.registry_keys(PROFILES)
    assert sid.startswith("S-1-5-21-") and sid.endswith("-1013")
    assert "C:\\Users\\user1" == again.registry_value(PROFILES + "\\" + sid, "ProfileImagePath")
    assert "user1" == again.registry_value(WINLOGON, "DefaultUserName")


def test_a_password_in_the_registry_stays_a_password(tmp_path: Path) -> None:
    again = recorded(tmp_path / "r")
    assert again.registry_value(WINLOGON, "DefaultPassword")


def test_a_linux_recording_has_no_windows_files(tmp_path: Path) -> None:
    RecordingHost(RecordedHost()).write(tmp_path / "r")
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert not names & {"registry.json", "wmi.json", "windows.json"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("registry.json", {"SOFTWARE\\x": {}}),
        ("registry.json", {"HKLM\\x": {"a": {"type": "dword", "value": "1"}}}),
        ("registry.json", {"HKLM\\x": {"a": {"type": "dword", "value": -1}}}),
        ("registry.json", {"HKLM\\x": {"a": {"type": "sz", "value": 1}}}),
        ("registry.json", {"HKLM\\x": {"a": {"type": "binary", "value": "zz"}}}),
        ("registry.json", {"HKLM\\x": {"a": {"type": "link", "value": ""}}}),
        ("registry.json", {"HKLM\\x": {"a": {"value": 1}}}),
        ("registry.json", {"HKLM\\x": {"a": {"type": "multi_sz", "value": "one"}}}),
        ("wmi.json", [{"namespace": "root", "rows": []}]),
        ("wmi.json", [{"namespace": "root", "query": "q", "rows": [{"a": {}}]}]),
        ("windows.json", {"services": {"x": {"state": "running"}}}),
        ("windows.json", {"account_policy": {"minimum_length_chars": 8}}),
        ("windows.json", {"local_accounts": [{"sid": "S-1-5-21-1-2-3-500"}]}),
        ("windows.json", {"security_center": {"antivirus": 1}}),
    ],
)
def test_what_is_out_of_the_format_is_named(tmp_path: Path, name: str, content: Any) -> None:
    (tmp_path / name).write_text(json.dumps(content), "utf-8")
    with pytest.raises(RecordingError) as failed:
        RecordedHost.load(tmp_path)
    assert "ATTT-304" == failed.value.code
    assert name in failed.value.message.vi


def test_the_types_of_the_format_are_the_values_of_the_program(tmp_path: Path) -> None:
    document = {
        "HKEY_LOCAL_MACHINE\\X": {
            "dword": {"type": "dword", "value": 1},
            "qword": {"type": "qword", "value": 2**40},
            "sz": {"type": "sz", "value": "chữ"},
            "expand_sz": {"type": "expand_sz", "value": "%a%"},
            "multi_sz": {"type": "multi_sz", "value": ["a"]},
            "binary": {"type": "binary", "value": "01ff"},
            "unread": {"type": "unread"},
        },
        "HKLM\\X\\Y": None,
    }
    (tmp_path / "registry.json").write_text(json.dumps(document), "utf-8")
    (tmp_path / "host.json").write_text('{"format": 1, "platform": "windows"}', "utf-8")
    host = RecordedHost.load(tmp_path)
    expected: dict[str, RegistryValue] = {
        "dword": 1,
        "qword": 2**40,
        "sz": "chữ",
        "expand_sz": "%a%",
        "multi_sz": ("a",),
        "binary": b"\x01\xff",
    }
    assert expected == {name: host.registry_value("HKLM\\x", name) for name in expected}
    assert ("Y",) == host.registry_keys("HKLM\\X")
    assert tuple(sorted([*expected, "unread"])) == host.registry_names("HKLM\\X")
