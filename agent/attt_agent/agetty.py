"""Whether a terminal login asks for a name and a password, from its command line.

Source: agetty(8) of util-linux; ExecStart of systemd's getty units (systemd.service(5)) and the
        process field of inittab(5).
Sample: ExecStart=-/sbin/agetty -o '-p -- \\\\u' --noclear - $TERM
        1:2345:respawn:/sbin/getty 38400 tty1
Only a plain agetty line with options known to be harmless counts as asking. Any other program or
option may log someone on, so nothing is said about it.
"""

from __future__ import annotations

import re
import shlex
from typing import Dict, List, Optional, Sequence

AGETTY = ("agetty", "/sbin/agetty", "/usr/sbin/agetty", "/bin/agetty", "/usr/bin/agetty")
GETTY = (*AGETTY, "/sbin/getty")  # inittab: Debian's getty is agetty

# Short options, True where a value follows; only what cannot log anyone on.
SHORT: Dict[str, bool] = {
    **dict.fromkeys("8EhiJLmNRsUwcp", False),
    **dict.fromkeys("fHItdP", True),
}
# Long ones, True where a value is required ("--name value" or "--name=value").
LONG: Dict[str, bool] = {
    **dict.fromkeys(
        ("8bits", "remote", "flow-control", "noissue", "noclear", "extract-baud", "nonewline"),
        False,
    ),
    **dict.fromkeys(
        ("hangup", "keep-baud", "detect-case", "wait-cr", "nohints", "nohostname"), False
    ),
    **dict.fromkeys(("long-hostname", "local-line", "noreset", "login-pause"), False),
    **dict.fromkeys(("issue-file", "host", "init-string", "timeout", "delay", "nice"), True),
    **dict.fromkeys(("erase-chars", "kill-chars"), True),
}
# Line, speeds and terminal type; of variables only the one that names the terminal.
_ARGUMENT = re.compile(r"-|\$TERM|\$\{TERM\}|[\w%/][\w%/,.:+-]*")
# What login is given: keep the environment, and the name that was typed. "-f" would trust it.
_LOGIN_WORDS = re.compile(r"-p|--|\\+u")


def asks_for_password(command: str, programs: Sequence[str] = AGETTY) -> Optional[bool]:
    """False: someone is logged on by itself; None: not known.

    Args:
        command: a command line as systemd or inittab holds it, without prefixes such as "-".
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return None  # a quote that is never closed
    if not words:
        return None
    if not words[0].endswith("getty"):
        return None
    if any(re.match(r"--auto", word) for word in words[1:]):
        return False  # mingetty and others know the option too
    return _plain(words[1:]) if words[0] in programs else None


def _plain(words: List[str]) -> Optional[bool]:
    """True for harmless options only, False for -a in any spelling, None for others."""
    left = list(words)
    arguments: List[str] = []
    harmless = True
    while left:
        word = left.pop(0)
        if word == "--":
            arguments += left
            break
        if word.startswith("--"):
            name, equals, _ = word[2:].partition("=")
            if name and "autologin".startswith(name):
                return False  # getopt_long takes any beginning that is not ambiguous
            if name == "login-options":
                value = word.partition("=")[2] if equals else (left.pop(0) if left else "")
                harmless = harmless and _harmless_login(value)
            elif name not in LONG:
                harmless = False
            elif LONG[name] and not equals:
                del left[:1]
        elif word.startswith("-") and word != "-":
            rest = word[1:]
            while rest:
                letter, rest = rest[0], rest[1:]
                if letter == "a":
                    return False
                if letter == "o":
                    value = rest or (left.pop(0) if left else "")
                    harmless, rest = harmless and _harmless_login(value), ""
                elif letter == "L":
                    rest = ""  # its value is optional and attached
                elif letter in SHORT and not SHORT[letter]:
                    continue
                else:
                    harmless = harmless and letter in SHORT
                    if letter in "lrC" or letter in SHORT:  # program, chroot, chdir: a value too
                        if not rest:
                            del left[:1]
                        rest = ""
        else:
            arguments.append(word)
    if len(arguments) > 3 or not all(_ARGUMENT.fullmatch(word) for word in arguments):
        return None
    return True if harmless else None


def _harmless_login(options: str) -> bool:
    return all(_LOGIN_WORDS.fullmatch(word) for word in options.split())


def unit_asks(text: str) -> Optional[bool]:
    """The same of a getty unit or drop-in; True also for one that starts nothing itself.

    Sample: [Service]
            ExecStart=
            ExecStart=-/sbin/agetty --autologin canbo --noclear %I $TERM
    """
    answers: List[Optional[bool]] = []
    for line in text.replace("\\\n", " ").splitlines():
        key, equals, value = line.strip().partition("=")
        key, value = key.strip(), value.strip()
        if not equals or key[:1] in "#;":
            continue
        if key.startswith("Exec") and key[4:] in ("Start", "StartPre", "StartPost", "Condition"):
            if value:  # an empty one takes back what was said before
                answers.append(asks_for_password(value.lstrip("-:+!")))
        elif re.match(r"(Set|Load|Import)Credential", key):
            # agetty reads agetty.autologin, login reads login.noauth (systemd.system-credentials)
            if re.search(r"autologin|noauth", value):
                answers.append(False)
        elif key == "EnvironmentFile" or (key == "Environment" and not _harmless_terminal(value)):
            answers.append(None)
    return False if False in answers else None if None in answers else True


def _harmless_terminal(environment: str) -> bool:
    """$TERM stands on the command line, so it must be no option."""
    return all(
        re.fullmatch(r"TERM=[A-Za-z0-9][\w.+-]*", found.strip("\"'"))
        for found in re.findall(r"[\"']?TERM=\S*", environment)
    )


def inittab_asks(text: str) -> Optional[bool]:
    """The same of all processes that an inittab(5) keeps alive.

    Sample: 1:2345:respawn:/sbin/getty 38400 tty1
    """
    answers: List[Optional[bool]] = []
    for line in text.splitlines():
        fields = line.strip().split(":", 3)
        kept_alive = len(fields) == 4 and fields[2] in ("respawn", "ondemand")
        if kept_alive and not fields[0].startswith("#"):
            answers.append(asks_for_password(fields[3].lstrip("+-"), GETTY))
    return False if False in answers else None if None in answers else True
