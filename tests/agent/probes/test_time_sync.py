import json
from dataclasses import replace

import pytest

from attt_agent.host import CommandResult
from attt_agent.probes import time_sync


def with_command(host, argv, stdout, exit_code=0, stderr=""):
    result = CommandResult(exit_code, stdout, stderr)
    return replace(host, commands={**host.commands, tuple(argv.split()): result})


def values(facts):
    return tuple(
        facts[f"time_sync.{key}", None]
        for key in ("enabled", "synchronised", "sources", "offset_seconds")
    )


def test_it_works(machine, said):
    expected = {
        ("time_sync.enabled", None): True,
        ("time_sync.synchronised", None): True,
        ("time_sync.sources", None): ("10.10.0.53",),
        ("time_sync.offset_seconds", None): -0.000412,
    }
    assert expected == said(time_sync.PROBE, machine("debian-12-may-ban"))


def test_ntpd(machine, said):
    expected = (True, True, ("10.10.0.53", "10.10.0.54"), 0.00125)
    assert expected == values(said(time_sync.PROBE, machine("debian-12-may-chu")))


def test_a_daemon_that_has_no_source_yet_is_not_synchronised(machine, said):
    assert (True, False, (), "!not_found") == values(said(time_sync.PROBE, machine("rhel-9")))
    expected = (True, False, ("ntp.ubuntu.com",), "!not_found")
    assert expected == values(said(time_sync.PROBE, machine("ubuntu-2204")))


def test_a_machine_without_a_daemon_is_not_enabled_after_looking(machine, said):
    host = replace(machine("debian-12-may-ban"), processes=frozenset({"systemd", "sshd"}))
    assert (False, *["!not_supported"] * 3) == values(said(time_sync.PROBE, host))


def test_it_reports_unknown_when_no_process_can_be_seen(machine, said):
    host = machine("debian-12-may-ban")
    facts = said(time_sync.PROBE, replace(host, processes=frozenset()))
    assert ("!malformed",) * 4 == values(facts)
    assert ("!not_found",) * 4 == values(said(time_sync.PROBE, replace(host, processes=None)))


@pytest.mark.parametrize(
    ("stdout", "exit_code"), [("", 0), ("506 Cannot talk to daemon\n", 1), ("Reference ID : ?", 0)]
)
def test_it_reports_unknown_when_chronyc_gives_no_answer(machine, said, stdout, exit_code):
    host = with_command(machine("debian-12-may-ban"), "chronyc -n tracking", stdout, exit_code)
    assert (True, *["!malformed"] * 3) == values(said(time_sync.PROBE, host))


TRACKING = (
    "Reference ID    : 0A0A0035 (10.10.0.53)\n"
    "Ref time (UTC)  : {}\n"
    "System time     : 0.000412000 seconds fast of NTP time\n"
    "Leap status     : Normal\n"
)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Sat Nov 21 02:00:00 2026", (True, True, ("10.10.0.53",), -0.000412)),
        ("Sat Nov 21 00:59:00 2026", (True, False, ("10.10.0.53",), "!not_found")),
        ("Thu Oct  1 08:42:14 2026", (True, False, ("10.10.0.53",), "!not_found")),
        ("Sun Nov 22 01:04:00 2026", (True, True, ("10.10.0.53",), -0.000412)),
        ("Mon Nov 23 01:00:00 2026", (True, *["!malformed"] * 3)),
        ("", (True, *["!malformed"] * 3)),
    ],
)
def test_a_source_that_was_last_heard_long_ago_is_no_synchronisation(
    machine, said, reference, expected
):
    report = TRACKING.format(reference)
    host = with_command(machine("debian-12-may-ban"), "chronyc -n tracking", report)
    assert expected == values(said(time_sync.PROBE, host))


def test_a_peer_that_is_not_heard_any_more_is_no_synchronisation(machine, said):
    host = machine("debian-12-may-chu")
    peers = host.commands["ntpq", "-pn"].stdout.replace("377    0.801", "0    0.801")
    facts = said(time_sync.PROBE, with_command(host, "ntpq -pn", peers))
    assert (True, False, ("10.10.0.53", "10.10.0.54"), "!not_found") == values(facts)


TIMESYNCD = (
    "       Server: 10.10.0.53 (ntp.tinh.example)\n         Leap: normal\n"
    "       Offset: -5.224ms\n Packet count: 5\n"
)


@pytest.mark.parametrize(
    ("clock", "exit_code", "expected"),
    [
        ("yes", 0, (True, True, ("ntp.tinh.example",), -0.005224)),
        ("no", 0, (True, False, ("ntp.tinh.example",), "!not_found")),
        ("", 0, (True, *["!malformed"] * 3)),
        ("yes", 1, (True, *["!malformed"] * 3)),
    ],
)
def test_timesyncd_passes_only_with_the_kernel_s_word(machine, said, clock, exit_code, expected):
    host = with_command(machine("ubuntu-2204"), "timedatectl timesync-status", TIMESYNCD)
    text = f"System clock synchronized: {clock}\n              NTP service: active\n"
    host = with_command(host, "timedatectl", text, exit_code)
    assert expected == values(said(time_sync.PROBE, host))


def test_it_reports_unknown_when_the_kernel_s_word_is_missing(machine, said):
    host = with_command(machine("ubuntu-2204"), "timedatectl timesync-status", TIMESYNCD)
    assert (True, *["!not_found"] * 3) == values(said(time_sync.PROBE, host))


def test_a_clock_that_follows_itself_is_not_synchronised():
    tracking = (
        "Reference ID    : 7F7F0101 ()\n"
        "System time     : 0.000000000 seconds fast of NTP time\n"
        "Leap status     : Normal\n"
    )
    assert time_sync.Sync(False, (), None) == time_sync.parse_chronyc_tracking(tracking)
    peers = (
        "     remote   refid  st t when poll reach   delay   offset  jitter\n=====\n"
        "*127.127.1.0  .LOCL. 10 l   33   64  377    0.000    0.000   0.000\n"
    )
    assert time_sync.Sync(False, (), None) == time_sync.parse_ntpq_peers(peers)


def test_an_old_systemd_is_asked_in_its_own_words(machine, said):
    host = with_command(machine("ubuntu-2204"), "timedatectl timesync-status", "", 1)
    host = with_command(host, "timedatectl", "NTP enabled: yes\nNTP synchronized: yes\n")
    expected = (True, True, "!not_supported", "!not_found")
    assert expected == values(said(time_sync.PROBE, host))


@pytest.mark.parametrize(
    ("text", "seconds"), [("-5.224ms", -0.005224), ("+1min 2.5s", 62.5), ("91us", 0.000091)]
)
def test_spans(text, seconds):
    assert seconds == pytest.approx(time_sync.parse_span(text))


def answer(fixtures, case):
    folder = fixtures / "linux" / "timesync" / case
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    return (folder / "input.txt").read_text("utf-8"), expected["expected"]


TIMEDATECTL = (
    "centos-7.7-timedatectl",
    "timedatectl-20121017-ok",
    "timedatectl-20140318-nok",
    "timedatectl-20150407-nok",
    "timedatectl-20150407-ok",
    "timedatectl-20170921-nok",
    "timedatectl-20201026-ok",
    "ubuntu-18.04-timedatectl",
)
NTPQ = (
    "ntpq-no-server-used-v1",
    "ntpq-no-server-used-v3",
    "ntpq-pn-gps",
    "ntpq-stratum-2-synced-v1",
)


@pytest.mark.parametrize("case", TIMEDATECTL)
def test_recording_of_timedatectl(fixtures, case):
    text, expected = answer(fixtures, case)
    said = (expected["synchronized"], expected["ntp_enabled"])
    assert said == time_sync.parse_timedatectl(text)


@pytest.mark.parametrize("case", NTPQ)
def test_recording_of_ntpq(fixtures, case):
    text, expected = answer(fixtures, case)
    sync = time_sync.parse_ntpq_peers(text)
    assert expected["synchronized"] is sync.synchronised
    if "offset_ms" in expected:
        assert expected["offset_ms"] / 1000 == pytest.approx(sync.offset_seconds)
    if "sources" in expected:
        assert expected["sources"] == len(sync.sources)
        assert expected["selected"] in sync.sources


def test_recording_of_chronyc(fixtures):
    text, expected = answer(fixtures, "chronyc-tracking-synced")
    sync = time_sync.parse_chronyc_tracking(text)
    assert expected["synchronized"] is sync.synchronised
    # "System time … slow": the clock is behind, as "Last offset" -0.0026 says in chrony's sign.
    assert 0.002129977 == pytest.approx(sync.offset_seconds)
    assert expected["last_offset_s"] * sync.offset_seconds < 0


def test_recording_of_timesyncd(fixtures):
    text, expected = answer(fixtures, "timedatectl-timesync-status")
    sync = time_sync.parse_timesync_status(text)
    assert expected["synchronized"] is sync.synchronised
    assert expected["offset_ms"] / 1000 == pytest.approx(sync.offset_seconds)
    assert sync.sources[0] in expected["server"]


def test_recording_of_a_timesyncd_that_does_not_run(fixtures):
    text, expected = answer(fixtures, "timesyncd-no-server-used-v1")
    assert expected["synchronized"] is False
    with pytest.raises(ValueError):  # and no answer is unknown, not "not synchronised"
        time_sync.parse_timesync_status(text)


OTHER_VERB = "timedatectl show-timesync, which names no offset; timesync-status is asked instead"
NOT_ASKED = {"timesyncd-no-server-used-v3": OTHER_VERB, "timesyncd-stratum-2-synced-v1": OTHER_VERB}


def test_every_recording_is_tested_or_listed(fixtures):
    tested = {*TIMEDATECTL, *NTPQ, "chronyc-tracking-synced", "timedatectl-timesync-status"}
    tested.add("timesyncd-no-server-used-v1")
    folder = fixtures / "linux" / "timesync"
    assert tested | set(NOT_ASKED) == {path.name for path in folder.iterdir()}
