"""What several probes ask of a Linux machine in the same way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from attt_agent.host import HostError
from attt_agent.linux import desktop_sessions, local_time, parse_utc_offset
from attt_agent.recorded import RecordedHost
from attt_rules.contract import Unreadable

VIETNAM = b"TZif2\x00\n<+07>-7\n"


def test_it_works() -> None:
    host = RecordedHost(files={"/etc/localtime": VIETNAM})
    assert datetime(2018, 8, 22, 21, 11, tzinfo=UTC) == local_time(host, "2018-08-23 04:11:00")


@pytest.mark.parametrize(
    ("footer", "hours"), [("<+07>-7", 7), ("UTC0", 0), ("EST5EDT,M3.2.0,M11.1.0", -5)]
)
def test_the_time_zone_of_the_machine(footer: str, hours: int) -> None:
    assert timedelta(hours=hours) == parse_utc_offset(f"TZif2\x00\n{footer}\n")


@pytest.mark.parametrize("text", ["", "hôm qua", "2018-08-23", "2018-13-01 00:00:00"])
def test_it_reports_malformed_for_what_is_no_time(text: str) -> None:
    with pytest.raises(HostError) as caught:
        local_time(RecordedHost(files={"/etc/localtime": VIETNAM}), text)
    assert caught.value.reason is Unreadable.MALFORMED


def test_a_machine_without_session_files_has_no_desktop() -> None:
    assert () == desktop_sessions(RecordedHost(files={"/etc/passwd": b""}))
    wayland = "/usr/share/wayland-sessions"
    host = RecordedHost(folders={wayland: ("plasma.desktop", "README")})
    assert ("plasma",) == desktop_sessions(host)


def test_a_folder_that_may_not_be_listed_is_not_taken_for_empty() -> None:
    folder = "/usr/share/xsessions"
    host = RecordedHost(
        folders={folder: ()}, errors={f"list_dir {folder}": Unreadable.ACCESS_DENIED}
    )
    with pytest.raises(HostError):
        desktop_sessions(host)
