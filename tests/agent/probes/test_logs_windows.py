from dataclasses import replace
from datetime import UTC, datetime

from attt_agent.probe import ProbeContext
from attt_agent.probes import logs_windows as logs
from attt_rules.contract import Unreadable

OLDEST, RETENTION = ("log.oldest_event_at", None), ("log.retention_days", None)
NAMES = [f"Archive-{log}-2026-08-03-02-11-09-482.evtx" for log in logs.LOGS]


def test_it_works(machine, said):
    expected = {OLDEST: datetime(2026, 8, 3, 2, 11, 9, tzinfo=UTC), RETENTION: "!not_supported"}
    assert expected == said(logs.PROBE, machine("windows-10-vi-mien"))


def test_a_log_that_is_not_archived_has_no_time_that_can_be_read(machine, said):
    expected = {OLDEST: "!not_supported", RETENTION: "!not_supported"}
    assert expected == said(logs.PROBE, machine("windows-11-en"))


def test_the_log_that_reaches_back_least_counts():
    later = "Archive-Security-2026-10-01-00-00-00-1.evtx"
    assert datetime(2026, 10, 1, tzinfo=UTC) == logs.oldest_of_all([*NAMES[1:], later])
    assert datetime(2026, 8, 3, 2, 11, 9, tzinfo=UTC) == logs.oldest_of_all([*NAMES, later])


def test_all_three_logs_must_be_archived():
    assert logs.oldest_of_all(NAMES[:2]) is None
    assert logs.oldest_of_all([]) is None


def test_other_files_are_no_archives():
    for name in (
        "Security.evtx",
        "Archive-Setup-2026-08-03-02-11-09-482.evtx",
        "Archive-Security-x",
    ):
        assert logs.parse_archive_name(name) is None
    assert logs.parse_archive_name("Archive-Security-2026-13-03-02-11-09-482.evtx") is None


def test_the_policy_on_the_size_goes_first(machine):
    host = machine("windows-11-en")
    key = f"{logs.POLICY}\\Security"
    host = replace(host, registry={**host.registry, key: {"MaxSize": 204800}})
    [reading] = [r for r in logs.read(ProbeContext(host)) if r.key == RETENTION[0]]
    assert "Security 200 MiB, System 20 MiB" in reading.source


def test_it_reports_unknown_when_the_folder_is_denied(machine, said):
    refused = {r"list_dir C:\Windows\System32\winevt\Logs": Unreadable.ACCESS_DENIED}
    facts = said(logs.PROBE, replace(machine("windows-10-vi-mien"), errors=refused))
    assert "!access_denied" == facts[OLDEST]


def test_it_reports_unknown_when_the_settings_are_missing(machine, said):
    host = machine("windows-11-en")
    registry = {k: v for k, v in host.registry.items() if "EventLog" not in k}
    assert "!not_found" == said(logs.PROBE, replace(host, registry=registry))[RETENTION]
