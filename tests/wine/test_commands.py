"""`attt` as a whole on a Windows Python: what it says, in which letters, and where it keeps it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.wine.rig import WinePython, windows_path

from attt_agent import probe
from attt_rules.contract import Fact, Unreadable

pytestmark = pytest.mark.wine

Seed = Callable[[dict[str, dict[str, tuple[str, Any]]]], None]

# What wine has no way to know. A value here would be a guess, above all false, 0 or an empty list.
NEVER_KNOWN_HERE = {
    "account.enabled",
    "antivirus.products",
    "lockout.duration_seconds",
    "lockout.threshold_attempts",
    "password_policy.complexity_enforced",
    "password_policy.history_passwords",
    "password_policy.maximum_age_days",
    "password_policy.minimum_length_chars",
    "password_policy.required_character_classes",
    "time_sync.offset_seconds",
    "time_sync.synchronised",
    "updates.last_installed_at",
    "updates.pending_packages",
    "updates.pending_security_packages",
}
EMPTY: tuple[object, ...] = (False, 0, 0.0, "", ())


def facts(python: WinePython) -> list[Fact]:
    answer = python.attt("facts", "--json")
    assert (0, "") == (answer.exit_code, answer.stderr)
    return [Fact.from_wire(entry) for entry in json.loads(answer.stdout)]


def test_it_works(python: WinePython) -> None:
    read = facts(python)
    said = {fact.key for fact in read}
    expected = {
        spec.key for found in probe.find_all() for spec in found.specs if spec.list_key is None
    }
    assert expected == expected & said
    (family,) = [fact for fact in read if fact.key == "os.family"]
    assert "windows" == family.value


def test_no_probe_fails_by_an_exception(python: WinePython) -> None:
    # The runner turns an exception of a probe into "malformed" and names its class.
    broken = [fact for fact in facts(python) if fact.source.startswith("probe ")]
    assert [] == [
        fact for fact in broken if fact.unreadable in (Unreadable.MALFORMED, Unreadable.TIMEOUT)
    ]


def test_nothing_is_said_that_was_not_read(python: WinePython) -> None:
    read = facts(python)
    said = {fact.key: fact.value for fact in read if fact.key in NEVER_KNOWN_HERE}
    assert dict.fromkeys(said) == said
    assert all(fact.source for fact in read)


def test_each_empty_answer_names_something_that_is_there(python: WinePython) -> None:
    empty = [fact for fact in facts(python) if fact.unreadable is None and fact.value in EMPTY]
    # `link.up` and `link.addresses` of interfaces that wine shows; nothing else may be empty.
    assert {fact.key for fact in empty} <= {"link.up", "link.addresses"}


def test_a_seeded_registry_gives_facts(python: WinePython, seeded: Seed) -> None:
    current = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
    seeded(
        {
            current: {
                "EditionID": ("REG_SZ", "Professional"),
                "InstallationType": ("REG_SZ", "Client"),
            },
            rf"{current}\Winlogon": {"AutoAdminLogon": ("REG_SZ", "1")},
        }
    )
    told = {fact.key: fact for fact in facts(python)}
    assert told["auto_logon.off"].value is False
    assert "Windows 7 Pro" == told["os.name"].value
    assert told["os.end_of_support_at"].unreadable is None


def test_the_provincial_host_is_reached_or_not(python: WinePython) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        target = f"127.0.0.1:{port}"
        answer = python.attt("facts", "--json", "--probe", "links_windows", "--wan", target)
    gone = python.attt("facts", "--json", "--probe", "links_windows", "--wan", target)
    told = [
        entry["value"]
        for said in (answer, gone)
        for entry in json.loads(said.stdout)
        if entry["key"] == "link.wan_reachable"
    ]
    assert [True, False] == told


# Wine has no chassis to tell a PC from a server by.
CHECK = ("check", "--pack", "vn_l2_2026", "--kind", "pc")


@pytest.mark.parametrize("encoding", ["cp1252", "cp1258", "cp437", ""])
def test_check_prints_on_every_code_page(
    python: WinePython, in_state: dict[str, str], encoding: str
) -> None:
    """With PYTHONIOENCODING the stream has the code page of an old console."""
    answer = python.attt(*CHECK, environment={**in_state, "PYTHONIOENCODING": encoding})
    assert answer.exit_code in (1, 2), answer.stderr
    assert "Traceback" not in answer.stderr
    assert len(answer.stdout.splitlines()) > 20


def test_check_is_vietnamese_in_utf_8(python: WinePython, in_state: dict[str, str]) -> None:
    answer = python.attt(*CHECK, environment=in_state)
    assert "chưa xác định" in answer.stdout
    assert "\ufffd" not in answer.stdout
    judged = python.attt(*CHECK, "--json", environment=in_state)
    status = {
        finding["code"]: finding["status"] for finding in json.loads(judged.stdout)["findings"]
    }
    # Automatic logon is in the registry of wine too; nothing else can be judged here.
    assert "pass" == status.pop("L2-CFG-04")
    assert {"unknown"} == set(status.values())


def test_an_error_is_vietnamese_and_has_its_number(
    python: WinePython, in_state: dict[str, str]
) -> None:
    answer = python.attt("run", environment=in_state)
    assert 4 == answer.exit_code
    assert answer.stderr.startswith("ATTT-301  Máy này chưa được ghi danh")


def test_a_recording_of_this_windows_replays_its_facts(
    python: WinePython, in_state: dict[str, str], state: Path, tmp_path: Path
) -> None:
    del state
    folder = windows_path(tmp_path / "ghi")
    made = python.attt("record", folder, environment=in_state)
    assert 0 == made.exit_code, made.stderr
    names = {path.name for path in (tmp_path / "ghi").iterdir()}
    assert {"host.json", "registry.json", "wmi.json", "windows.json", "errors.json"} <= names
    replayed = python.attt("facts", "--recorded", folder, "--json")
    assert 0 == replayed.exit_code, replayed.stderr
    again = {
        (entry.key, entry.item): (entry.value, entry.unreadable)
        for entry in map(Fact.from_wire, json.loads(replayed.stdout))
    }
    now = {(fact.key, fact.item): (fact.value, fact.unreadable) for fact in facts(python)}
    # Names and serial numbers are taken out of a recording, and addresses may have changed.
    differing = {name[0] for name in set(now) | set(again) if now.get(name) != again.get(name)}
    assert differing <= {"asset.serial", "link.addresses"}
