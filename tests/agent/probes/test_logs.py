from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from attt_agent.host import CommandResult
from attt_agent.probes import logs
from attt_agent.recorded import RecordedHost
from attt_rules.contract import Unreadable


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_it_works(machine, said):
    expected = {
        ("log.oldest_event_at", None): utc(2026, 10, 1),
        ("log.retention_days", None): 35,  # weekly, 5 old files
    }
    assert expected == said(logs.PROBE, machine("debian-12-may-ban"))


def test_a_journal_that_was_never_archived_is_asked_for_its_head(machine, said):
    facts = said(logs.PROBE, machine("debian-12-may-chu"))
    assert utc(2026, 11, 1) == facts["log.oldest_event_at", None]
    assert 365 == facts["log.retention_days", None]  # MaxRetentionSec=1year


def test_syslog_alone(machine, said):
    facts = said(logs.PROBE, machine("rhel-9"))
    assert utc(2026, 10, 31, 20) == facts["log.oldest_event_at", None]
    assert 28 == facts["log.retention_days", None]


def leftover(days, **parts):
    """A machine whose rotated syslog file is that old, and nothing else."""
    moment = utc(2026, 11, 22)
    old = {"/var/log/syslog.1": moment - timedelta(days=days)}
    return RecordedHost(
        moment=moment,
        folders={"/var/log": ("syslog", "syslog.1")},
        modified={**old, **parts.pop("modified", {})},
        **parts,
    )


DAEMON = frozenset({"systemd", "rsyslogd"})


def oldest(said, host):
    return said(logs.PROBE, host)["log.oldest_event_at", None]


def test_what_an_earlier_installation_left_behind_proves_nothing(said):
    live = {"/var/log/syslog": utc(2026, 11, 21)}
    assert utc(2024, 12, 22) == oldest(said, leftover(700, processes=DAEMON, modified=live))
    nobody = leftover(700, processes=frozenset({"systemd"}), modified=live)
    assert "!not_found" == oldest(said, nobody)
    stale = {"/var/log/syslog": utc(2025, 1, 1)}
    assert "!not_found" == oldest(said, leftover(700, processes=DAEMON, modified=stale))
    future = {"/var/log/syslog": utc(2027, 1, 1)}
    assert "!not_found" == oldest(said, leftover(700, processes=DAEMON, modified=future))


def test_it_reports_unknown_when_the_processes_are_not_known(said):
    live = {"/var/log/syslog": utc(2026, 11, 21)}
    assert "!not_found" == oldest(said, leftover(700, processes=None, modified=live))
    denied = {"process_names": Unreadable.ACCESS_DENIED}
    host = leftover(700, processes=DAEMON, modified=live, errors=denied)
    assert "!access_denied" == oldest(said, host)


def test_an_old_log_of_logons_does_not_vouch_for_the_system_s(said):
    live = dict.fromkeys(("/var/log/syslog", "/var/log/auth.log"), utc(2026, 11, 21))
    host = leftover(
        2, processes=DAEMON, modified={**live, "/var/log/auth.log.1": utc(2024, 12, 22)}
    )
    both = ("syslog", "syslog.1", "auth.log", "auth.log.1")
    assert utc(2026, 11, 20) == oldest(said, replace(host, folders={"/var/log": both}))
    # a system log that was never rotated: nobody knows how far it reaches back
    never = tuple(name for name in both if name != "syslog.1")
    assert "!not_found" == oldest(said, replace(host, folders={"/var/log": never}))


def test_a_journal_that_nobody_writes_any_more_proves_nothing(machine, said):
    host = machine("debian-12-may-ban")
    path = "/var/log/journal/0123456789abcdef0123456789abcdef/system.journal"
    stale = {**host.modified, path: utc(2026, 10, 20)}
    # what is left are the rotated files of syslog, which reach back less far
    assert utc(2026, 10, 31, 17) == oldest(said, replace(host, modified=stale))


def test_it_reports_why_when_the_journal_is_denied(machine, said):
    facts = said(logs.PROBE, machine("ubuntu-2204"))
    assert "!access_denied" == facts["log.oldest_event_at", None]
    # journald's default is a limit by size, not by time
    assert "!not_supported" == facts["log.retention_days", None]


def test_it_reports_unknown_when_journalctl_says_nothing(machine, said):
    host = machine("debian-12-may-chu")
    silent = {argv: CommandResult(0, "", "") for argv in host.commands}
    facts = said(logs.PROBE, replace(host, commands=silent))
    assert "!malformed" == facts["log.oldest_event_at", None]


def test_the_journal_of_the_machine_it_was_cloned_from_does_not_count(machine, said):
    host = machine("debian-12-may-chu")
    old = "/var/log/journal/ffffffffffffffffffffffffffffffff"
    own = "0123456789abcdef0123456789abcdef"
    name = f"system@{own}-0000000000000001-0005b3573c04ac60.journal"
    folders = {**host.folders, old: (name,)}
    folders["/var/log/journal"] = (own, old.rpartition("/")[2])
    files = {**host.files, "/etc/machine-id": own.encode() + b"\n"}
    facts = said(logs.PROBE, replace(host, folders=folders, files=files))
    assert utc(2026, 11, 1) == facts["log.oldest_event_at", None]


def test_it_looked_and_found_no_log(machine, said):
    host = machine("debian-12-may-chu")
    folders = {"/var/log": ("dpkg.log",)}
    facts = said(logs.PROBE, replace(host, folders=folders, modified={}))
    assert "!not_found" == facts["log.oldest_event_at", None]
    assert "!not_supported" == facts["log.retention_days", None]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "system@%s-0000000000000001-0005b3573c04ac60.journal" % ("0" * 32),
            utc(2020, 11, 5, 7, 42, 14),
        ),
        ("system@0005b3573c04ac60-0123456789abcdef.journal~", utc(2020, 11, 5, 7, 42, 14)),
        ("system.journal", None),
        ("user-1000@%s-0000000000000001-0005b3573c04ac60.journal" % ("0" * 32), None),
    ],
)
def test_names_of_journals(name, expected):
    started = logs.parse_journal_name(name)
    assert expected == (started and started.replace(microsecond=0))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", None),
        ("#MaxRetentionSec=1month", None),
        ("MaxRetentionSec=0", None),
        ("MaxRetentionSec=90day", 90),
        ("MaxRetentionSec=2week 1d", 15),
        ("MaxRetentionSec=2592000", 30),
        ("MaxRetentionSec=1year\nMaxRetentionSec=", None),
    ],
)
def test_retention_of_the_journal(text, days):
    assert days == pytest.approx(logs.parse_max_retention(f"[Journal]\n{text}\n"))


def test_it_refuses_a_span_it_does_not_know():
    with pytest.raises(ValueError):
        logs.parse_max_retention("MaxRetentionSec=3 fortnights")


@pytest.mark.parametrize(
    ("body", "days"),
    [
        ("rotate 7\ndaily", 7),
        ("rotate 12\nmonthly", 360),
        ("", 28),
        ("rotate 52\nmaxage 30", 30),
        ("size 100M\nrotate 9", None),
        ("maxsize 100M\nrotate 9", None),
        ("rotate 3\npostrotate\n rotate 99\nendscript", 21),
        ("# rotate 99", 28),
    ],
)
def test_retention_of_syslog(body, days):
    text = f"/var/log/mail.log {{ rotate 1 }}\n/var/log/syslog /var/log/kern.log {{\n{body}\n}}\n"
    assert days == logs.parse_logrotate(text, "weekly\nrotate 4\n")


def test_it_refuses_settings_without_a_period_or_a_system_log():
    with pytest.raises(ValueError):
        logs.parse_logrotate("/var/log/syslog { rotate 4 }", "")
    with pytest.raises(ValueError):
        logs.parse_logrotate("/var/log/apt/history.log { monthly\nrotate 12 }", "weekly\n")


def test_a_syslog_daemon_without_rotation_is_unknown(machine, said):
    host = machine("rhel-9")
    files = {path: text for path, text in host.files.items() if "logrotate.d" not in path}
    facts = said(logs.PROBE, replace(host, files=files))
    assert "!not_found" == facts["log.retention_days", None]


def test_it_reports_why_when_the_settings_are_denied(machine, said):
    host = replace(
        machine("rhel-9"), errors={"read_text /etc/logrotate.d/rsyslog": Unreadable.ACCESS_DENIED}
    )
    assert "!access_denied" == said(logs.PROBE, host)["log.retention_days", None]


# linux/audit of the shared recordings holds auditd.conf files: auditd limits its logs by size
# and number (max_log_file, num_logs), from which no number of days follows, so it is not read.
