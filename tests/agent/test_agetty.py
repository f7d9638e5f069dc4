"""What a terminal login does, from its command line."""

from __future__ import annotations

import pytest

from attt_agent.agetty import GETTY, asks_for_password, inittab_asks, unit_asks


def test_it_works() -> None:
    assert asks_for_password("/sbin/agetty -o '-p -- \\\\u' --noclear - $TERM") is True
    assert asks_for_password("/sbin/agetty --autologin root --noclear %I $TERM") is False
    assert asks_for_password("/bin/login -f root") is None


# As systemd 215 to 257 and Debian's, Ubuntu's and Red Hat's versions of it have them.
@pytest.mark.parametrize(
    "command",
    [
        "/sbin/agetty --noclear %I $TERM",
        "/sbin/agetty --noclear %I 38400 linux",
        "/sbin/agetty -o '-p -- \\\\u' --noclear %I $TERM",
        "/sbin/agetty -o '-- \\\\u' --noreset --noclear - ${TERM}",
        "/sbin/agetty -o '-p -- \\\\u' --keep-baud 115200,57600,38400,9600 - $TERM",
        "/sbin/agetty -o '-p -- \\\\u' --noclear --keep-baud pts/%I 115200,38400,9600 $TERM",
        "/sbin/agetty --login-options='-p -- \\\\u' --issue-file=/etc/issue -L=never tty1",
        "agetty -8JLs -t 60 ttyS0 9600 vt220",
    ],
)
def test_plain_lines_ask_for_a_password(command: str) -> None:
    assert asks_for_password(command) is True


@pytest.mark.parametrize(
    "options",
    [
        "--autologin root",
        "--autologin=root",
        "--auto root",
        "--a root",
        "-a root",
        "-aroot",
        "-Ja root",
        "-Jaroot",
        "-t 60 -a root",
        "-l /usr/local/bin/al -a root",
        "-o '-p -f -- \\\\u' --noclear -a canbo",
    ],
)
def test_every_spelling_of_automatic_logon_is_seen(options: str) -> None:
    assert asks_for_password(f"/sbin/agetty {options} %I $TERM") is False


@pytest.mark.parametrize(
    "command",
    [
        "",
        "/bin/bash",
        "/bin/login -f root",
        "/sbin/agetty -n -l /usr/local/bin/al %I",
        "/sbin/agetty -l/opt/a %I",
        "/sbin/agetty -r /opt %I",
        "/sbin/agetty -o '-f root' %I",
        "/sbin/agetty --login-options '-p -f root' %I",
        "/sbin/agetty --login-program=/bin/sh %I",
        "/sbin/agetty --skip-login %I",
        "/sbin/agetty --no-such-option %I",
        "/sbin/agetty $OPTIONS %I",
        "/sbin/agetty tty1 ; /bin/bash",
        "/sbin/agetty tty1 9600 vt100 more",
        "/sbin/agetty -o '-p tty1",
        "/opt/kiosk/agetty tty1",
        "@/sbin/agetty -agetty tty1",
    ],
)
def test_it_reports_unknown_for_anything_else(command: str) -> None:
    assert asks_for_password(command) is None


def test_another_getty_that_logs_on_is_seen() -> None:
    assert asks_for_password("/sbin/mingetty --autologin root tty1") is False
    assert asks_for_password("/sbin/mingetty tty1") is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("ExecStart=\nExecStart=-/sbin/agetty --noclear - $TERM", True),
        ("ExecStart=-/sbin/agetty \\\n  --noclear \\\n  --autologin root - $TERM", False),
        ("# ExecStart=-/sbin/agetty --autologin root", True),
        ("TTYVTDisallocate=no", True),
        ("ExecStartPre=/usr/local/bin/unlock", None),
        ("ExecStart=-/bin/bash\nExecStart=-/sbin/agetty -a root tty1", False),
        ("SetCredential=agetty.autologin:root", False),
        ("ImportCredential=agetty.*", True),
        ("LoadCredential=login.noauth:/etc/yes", False),
        ("Environment=TERM=linux", True),
        ("Environment='TERM=--autologin=root'", None),
        ("EnvironmentFile=/etc/default/getty", None),
        ("UnsetEnvironment=LANG LANGUAGE", True),
    ],
)
def test_units(lines: str, expected: bool | None) -> None:
    assert expected is unit_asks(f"[Service]\n{lines}\n")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1:2345:respawn:/sbin/getty 38400 tty1", True),
        ("1:2345:respawn:/sbin/getty -a canbo 38400 tty1", False),
        ("1:2345:respawn:/bin/login -f root tty1 </dev/tty1", None),
        ("#T0:23:respawn:/sbin/getty -L ttyS0 9600 vt100", True),
        ("si::sysinit:/etc/init.d/rcS", True),
    ],
)
def test_inittab(line: str, expected: bool | None) -> None:
    assert expected is inittab_asks(f"id:2:initdefault:\n{line}\n")
    assert "/sbin/getty" in GETTY
