"""Password policy and lockout as PAM really applies them.

Source: /etc/pam.d with its includes (pam.conf(5)); /etc/security/pwquality.conf and .d;
        /etc/passwdqc.conf; /etc/security/{pwhistory,faillock}.conf; /etc/login.defs;
        the ages in /etc/shadow (root only).
Sample: password requisite pam_pwquality.so retry=3 minlen=14 minclass=4
        auth    [default=die] pam_faillock.so authfail deny=5 unlock_time=900
Rule:   what PAM does not really reach counts as absent: a module after pam_unix has accepted the
        password, a quality check that is `optional` or set to `enforcing = 0`, a lockout that
        counts failures but is never asked.
Limits: the policy of this machine only; that of a domain is the domain's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from attt_agent.host import Host, HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

MINIMUM_LENGTH = "password_policy.minimum_length_chars"
CLASSES = "password_policy.required_character_classes"
COMPLEXITY = "password_policy.complexity_enforced"
MAXIMUM_AGE = "password_policy.maximum_age_days"
HISTORY = "password_policy.history_passwords"
THRESHOLD = "lockout.threshold_attempts"
DURATION = "lockout.duration_seconds"

PAM_FOLDERS = ("/etc/pam.d", "/usr/lib/pam.d")
PASSWORD_SERVICES = ("passwd", "common-password", "system-auth")
# The doors people log in by; a lockout that one of them lacks is no lockout.
LOGIN_SERVICES = ("login", "sshd", "gdm-password", "lightdm", "sddm")
AUTH_SERVICES = ("common-auth", "system-auth", "password-auth")
QUALITY_MODULES = ("pam_pwquality", "pam_cracklib", "pam_passwdqc")
MAX_INCLUDE_DEPTH = 8

UNIX_DEFAULT_MINLEN = 6  # pam_unix(8)
BASE_MINLEN = 6  # pwquality.conf(5): cannot be set lower
NEVER_DAYS = 9999  # shadow's default of 99999 means never; nobody's password lives 27 years


@dataclass(frozen=True)
class PamLine:
    """One rule of a PAM stack; `control` without spaces, `module` without path and ".so"."""

    control: str
    module: str
    arguments: Tuple[str, ...]

    def option(self, name: str) -> Optional[str]:
        """The last `name=value`; "" for a bare `name`; None when it is not there."""
        found: Optional[str] = None
        for argument in self.arguments:
            key, _, value = argument.partition("=")
            if key == name:
                found = value
        return found

    @property
    def enforces(self) -> bool:
        """Whether a refusal of this module refuses the whole."""
        if self.control.startswith("["):
            return bool(re.search(r"\bdefault=(die|bad)\b", self.control))
        return self.control in ("required", "requisite")

    @property
    def ends_on_success(self) -> bool:
        """Whether a success here ends the stack at once."""
        return self.control == "sufficient" or "success=done" in self.control

    @property
    def jump(self) -> int:
        """How many lines a success skips."""
        match = re.search(r"\bsuccess=(\d+)", self.control)
        return int(match.group(1)) if match else 0


def parse_pam(text: str, kind: str) -> Iterator[PamLine]:
    """The lines of one kind (auth, password) of one file, includes as module "@".

    Raises:
        ValueError: a line that pam.conf(5) does not allow.
    """
    for raw in text.replace("\\\n", " ").splitlines():
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        if line.startswith("@include"):
            yield PamLine("@include", "@", tuple(line.split()[1:2]))
            continue
        match = re.match(r"-?(\w+)\s+(\[[^\]]*\]|\w+)\s+(\S+)\s*(.*)\Z", line)
        if match is None:
            raise ValueError("not a PAM line: %r" % line[:60])
        if match.group(1).lower() != kind:
            continue
        control = " ".join(match.group(2).lower().split())
        if control in ("include", "substack"):
            yield PamLine(control, "@", (match.group(3),))
            continue
        name = match.group(3).rpartition("/")[2]
        module = name[:-3] if name.endswith(".so") else name
        yield PamLine(control, module, tuple(match.group(4).split()))


def _pam_file(host: Host, service: str) -> Optional[str]:
    for folder in PAM_FOLDERS:
        path = service if service.startswith("/") else "%s/%s" % (folder, service)
        if host.exists(path):
            return path
    return None


def read_stack(host: Host, service: str, kind: str, depth: int = 0) -> List[PamLine]:
    """One service's stack with its includes put in place.

    A substack is put in place as well: what differs (a `done` or `die` in it ends only the
    substack) makes none of the questions asked here come out better than it is.

    Raises:
        HostError: a file is missing, not readable or not understood.
    """
    path = _pam_file(host, service)
    if path is None:
        raise HostError(Unreadable.NOT_FOUND, "PAM service %s" % service)
    if depth > MAX_INCLUDE_DEPTH:
        raise HostError(Unreadable.MALFORMED, "%s: includes itself" % path)
    stack: List[PamLine] = []
    try:
        for line in parse_pam(host.read_text(path), kind):
            if line.module == "@":
                stack += read_stack(host, "".join(line.arguments), kind, depth + 1)
            else:
                stack.append(line)
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, "%s: %s" % (path, error)) from error
    return stack


def parse_settings(text: str) -> Dict[str, str]:
    """ "key = value" lines; a bare key is a flag with the value ""."""
    settings: Dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.split("#", 1)[0].partition("=")
        if key.strip():
            settings[key.strip()] = value.strip()
    return settings


def parse_login_defs(text: str) -> Dict[str, str]:
    """login.defs(5): "KEY value" lines."""
    settings: Dict[str, str] = {}
    for line in text.splitlines():
        fields = line.split("#", 1)[0].split()
        if len(fields) >= 2:
            settings[fields[0]] = fields[1]
    return settings


def _number(text: str) -> int:
    """
    Raises:
        HostError: not a whole number.
    """
    if not re.match(r"[+-]?\d+\Z", text):
        raise HostError(Unreadable.MALFORMED, "not a number: %r" % text[:40])
    return int(text)


# --- password quality -------------------------------------------------------------------------


@dataclass(frozen=True)
class Quality:
    """What a new password must have at least."""

    length_chars: int
    classes: int


def effective_lines(stack: Sequence[PamLine]) -> List[PamLine]:
    """The quality and history modules that every user but root passes before pam_unix.

    Raises:
        HostError: the stack does not lead to pam_unix, or skips a module for users we cannot name.
    """
    unix = next((i for i, line in enumerate(stack) if line.module == "pam_unix"), None)
    if unix is None:
        raise HostError(Unreadable.NOT_SUPPORTED, "no pam_unix in the password stack")
    for index, line in enumerate(stack[:unix]):
        skipped = stack[index + 1 : index + 1 + line.jump]
        if any(other.module in QUALITY_MODULES for other in skipped):
            # Debian's pattern "user = root skips the users' line" leaves the users' policy whole.
            if " ".join(line.arguments) not in ("user = root", "uid = 0", "uid eq 0"):
                raise HostError(Unreadable.MALFORMED, "%s skips a quality check" % line.module)
        elif line.ends_on_success and line.module not in QUALITY_MODULES:
            raise HostError(Unreadable.MALFORMED, "%s may end the stack early" % line.module)
    return [line for line in stack[:unix] if line.enforces] + [stack[unix]]


def pwquality_quality(settings: Mapping[str, str]) -> Quality:
    """pwquality.conf(5), or pam_cracklib(8)'s arguments, which mean the same.

    A credit below 0 demands that many characters of the class; above 0 it makes the shortest
    accepted password shorter. Unset values are those of libpwquality 1.4 (2016); the package's
    commented "# dcredit = 1" of older ones is passed in by the caller.
    """
    credit = [_number(settings.get(key, "0")) for key in CREDITS]
    length = _number(settings.get("minlen", "8")) - sum(max(number, 0) for number in credit)
    demanded = sum(1 for number in credit if number < 0)
    classes = max(demanded, _number(settings.get("minclass", "0")))
    return Quality(max(length, BASE_MINLEN), min(max(classes, 0), 4))


CREDITS = ("dcredit", "ucredit", "lcredit", "ocredit")
CRACKLIB_DEFAULTS = {"minlen": "9", **dict.fromkeys(CREDITS, "1")}  # pam_cracklib(8)


def parse_pwquality_defaults(text: str) -> Dict[str, str]:
    """Credits above 0 in the comments of the shipped file, the built-in values of that version.

    Only what makes the policy weaker is taken from a comment; "# minlen = 14" is just a comment.
    """
    found = re.findall(r"^#\s*([dulo]credit)\s*=\s*([1-9]\d*)\s*$", text, re.MULTILINE)
    return dict(found)


def passwdqc_quality(settings: Mapping[str, str]) -> Quality:
    """passwdqc.conf(5) `min=N0,N1,N2,N3,N4`: lengths for 1 class, 2, a passphrase, 3, 4 classes.

    Raises:
        HostError: not five values.
    """
    values = settings.get("min", "disabled,24,11,8,7").split(",")
    if len(values) != 5:
        raise HostError(Unreadable.MALFORMED, "passwdqc min=%s" % ",".join(values)[:60])
    allowed = [(i, _number(v)) for i, v in enumerate(values) if v != "disabled"]
    if not allowed:
        raise HostError(Unreadable.MALFORMED, "passwdqc accepts no password at all")
    classes = {0: 1, 1: 2, 2: 1, 3: 3, 4: 4}  # a passphrase may be of one class
    return Quality(min(n for _, n in allowed), min(classes[i] for i, _ in allowed))


def _arguments(line: PamLine) -> Dict[str, str]:
    settings: Dict[str, str] = {}
    for argument in line.arguments:
        key, _, value = argument.partition("=")
        settings[key] = value
    return settings


def _optional_text(host: Host, path: str) -> str:
    return host.read_text(path) if host.exists(path) else ""


def _pwquality_settings(host: Host) -> Dict[str, str]:
    """The library reads the folder first; the main file overrides it (pwquality.conf(5))."""
    main = _optional_text(host, "/etc/security/pwquality.conf")
    settings = parse_pwquality_defaults(main)
    folder = "/etc/security/pwquality.conf.d"
    if host.exists(folder):
        for name in host.list_dir(folder):
            if name.endswith(".conf"):
                settings.update(parse_settings(host.read_text("%s/%s" % (folder, name))))
    settings.update(parse_settings(main))
    return settings


def quality_of(host: Host, line: PamLine) -> Quality:
    """
    Raises:
        HostError: the module's settings cannot be read or understood.
    """
    arguments = _arguments(line)
    if line.module == "pam_unix":
        return Quality(_number(arguments.get("minlen", str(UNIX_DEFAULT_MINLEN))), 0)
    if line.module == "pam_cracklib":
        return pwquality_quality({**CRACKLIB_DEFAULTS, **arguments})
    if line.module == "pam_pwquality":
        settings = {**_pwquality_settings(host), **arguments}
        if settings.get("enforcing") == "0":
            return Quality(0, 0)  # it warns and then accepts
        return pwquality_quality(settings)
    if line.module == "pam_passwdqc":
        path = arguments.get("config")
        settings = parse_settings(host.read_text(path)) if path else {}
        merged = {**settings, **arguments}
        if merged.get("enforce") == "none":
            return Quality(0, 0)
        return passwdqc_quality(merged)
    return Quality(0, 0)


def history_of(host: Host, line: PamLine) -> int:
    """How many old passwords are refused (pam_unix(8), pam_pwhistory(8), pwhistory.conf(5))."""
    arguments = _arguments(line)
    if line.module == "pam_pwhistory":
        settings = parse_settings(_optional_text(host, "/etc/security/pwhistory.conf"))
        return _number({**settings, **arguments}.get("remember", "10"))
    return _number(arguments.get("remember", "0")) if line.module == "pam_unix" else 0


def _read_password_stack(host: Host) -> Iterator[Reading]:
    service = "passwd"
    try:
        service = next((s for s in PASSWORD_SERVICES if _pam_file(host, s)), service)
        source = "PAM %s (password)" % service
        lines = effective_lines(read_stack(host, service, "password"))
    except HostError as error:
        for key in (MINIMUM_LENGTH, CLASSES, COMPLEXITY, HISTORY):
            yield unknown(key, error, "PAM %s (password)" % service)
        return
    named = [line.module for line in lines if line.module in QUALITY_MODULES]
    told = "%s: %s" % (source, ", ".join(named or ["pam_unix"]))
    try:
        demands = [quality_of(host, line) for line in lines]
        classes = max(demand.classes for demand in demands)
        yield known(MINIMUM_LENGTH, max(demand.length_chars for demand in demands), told)
        yield known(CLASSES, classes, told)
        yield known(COMPLEXITY, classes == 4, told)
    except HostError as error:
        for key in (MINIMUM_LENGTH, CLASSES, COMPLEXITY):
            yield unknown(key, error, told)
    try:
        yield known(HISTORY, max(history_of(host, line) for line in lines), source)
    except HostError as error:
        yield unknown(HISTORY, error, source)


# --- lockout ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lockout:
    """0 attempts: never locks. 0 seconds: until an administrator unlocks."""

    attempts: int
    seconds: int


NO_LOCKOUT = Lockout(0, 0)


def faillock_settings(settings: Mapping[str, str]) -> Lockout:
    """faillock.conf(5) with the module's arguments on top."""
    attempts = _number(settings.get("deny", "3"))
    unlock = settings.get("unlock_time", "600")
    return (
        Lockout(attempts, 0 if unlock == "never" else _number(unlock)) if attempts else NO_LOCKOUT
    )


def lockout_of(auth: Sequence[PamLine], faillock: Mapping[str, str]) -> Lockout:
    """What really happens at this door after wrong passwords.

    pam_faillock must both count (`authfail`) and be asked: before the password (`preauth`), or on
    the way of a success (`authsucc` that pam_unix does not jump over). In the account stack it
    only resets its count. pam_tally2 does both in one line, if it stands before pam_unix.
    """
    unix = next((i for i, line in enumerate(auth) if line.module == "pam_unix"), None)
    if unix is None:
        raise HostError(Unreadable.NOT_SUPPORTED, "no pam_unix in the auth stack")
    for line in auth[:unix]:
        if line.module in ("pam_tally2", "pam_tally") and line.enforces:
            attempts = _number(line.option("deny") or "0")
            return Lockout(attempts, _number(line.option("unlock_time") or "0"))
    counting = [
        line for line in auth if line.module == "pam_faillock" and "authfail" in line.arguments
    ]
    asked_before = [
        line
        for line in auth[:unix]
        if line.module == "pam_faillock" and "preauth" in line.arguments and line.enforces
    ]
    if not counting or not (asked_before or _success_meets_faillock(auth, unix)):
        return NO_LOCKOUT
    lockouts = [
        faillock_settings({**faillock, **_arguments(line)}) for line in counting + asked_before
    ]
    if any(lockout.attempts == 0 for lockout in lockouts):
        return NO_LOCKOUT
    return max(lockouts, key=lambda lockout: lockout.attempts)


def _success_meets_faillock(auth: Sequence[PamLine], unix: int) -> bool:
    """Whether a right password passes `authsucc`, which refuses a locked account."""
    if auth[unix].ends_on_success:
        return False
    for line in auth[unix + 1 + auth[unix].jump :]:
        if line.module == "pam_faillock" and "authsucc" in line.arguments:
            return True
        if line.ends_on_success:
            return False
    return False


def _read_lockout(host: Host) -> Iterator[Reading]:
    source = "PAM auth"
    try:
        doors = [s for s in LOGIN_SERVICES if _pam_file(host, s)]
        doors = doors or [s for s in AUTH_SERVICES if _pam_file(host, s)]
        if not doors:
            raise HostError(Unreadable.NOT_FOUND, "no PAM service to log in by")
        source = "PAM auth of %s" % ", ".join(doors)
        faillock = parse_settings(_optional_text(host, "/etc/security/faillock.conf"))
        lockouts = []
        for door in doors:
            lockouts.append(lockout_of(read_stack(host, door, "auth"), faillock))
    except HostError as error:
        yield unknown(THRESHOLD, error, source)
        yield unknown(DURATION, error, source)
        return
    weakest = max(lockouts, key=lambda lockout: lockout.attempts)
    if any(lockout.attempts == 0 for lockout in lockouts):
        weakest = NO_LOCKOUT
    yield known(THRESHOLD, weakest.attempts, source)
    if weakest.attempts:
        yield known(DURATION, weakest.seconds, source)
    else:
        # 0 would read as "until an administrator unlocks", the strictest there is.
        yield unknown(DURATION, Unreadable.NOT_SUPPORTED, "%s: nothing ever locks" % source)


# --- age --------------------------------------------------------------------------------------


def parse_shadow_ages(text: str) -> List[Optional[int]]:
    """Maximum age in days of every password that lets someone in; None where it has none.

    Sample: root:$y$j9T$…:20228:0:99999:7:::     (shadow(5): the fifth field)
    """
    ages: List[Optional[int]] = []
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) == 9 and fields[1] and not fields[1].startswith(("!", "*")):
            ages.append(int(fields[4]) if fields[4].isdigit() else None)
    return ages


def weakest_age(days: Sequence[Optional[int]]) -> int:
    """The longest life of a password; 0 when one of them never expires."""
    if any(value is None or value <= 0 or value >= NEVER_DAYS for value in days):
        return 0
    return max(value for value in days if value is not None)


def _maximum_age(host: Host) -> Reading:
    """login.defs is only for new accounts; those that exist have their own in the shadow file."""
    source = "/etc/login.defs PASS_MAX_DAYS"
    try:
        setting = parse_login_defs(host.read_text("/etc/login.defs")).get("PASS_MAX_DAYS", "-1")
        days: List[Optional[int]] = [_number(setting)]
    except HostError as error:
        return unknown(MAXIMUM_AGE, error, source)
    try:
        days += parse_shadow_ages(host.read_text("/etc/shadow"))
        source += ", /etc/shadow"
    except HostError:
        source += " (existing accounts not read)"
    return known(MAXIMUM_AGE, weakest_age(days), source)


def read(context: ProbeContext) -> Iterator[Reading]:
    yield _maximum_age(context.host)
    yield from _read_password_stack(context.host)
    yield from _read_lockout(context.host)


PROBE = Probe(
    id="password_policy",
    platforms=("linux",),
    specs=(
        FactSpec(
            MINIMUM_LENGTH,
            ValueType.INT,
            Text(vi="Độ dài mật khẩu tối thiểu, ký tự", en="Minimum password length, characters"),
        ),
        FactSpec(
            CLASSES,
            ValueType.INT,
            Text(
                vi="Số loại ký tự bắt buộc (0–4: hoa, thường, số, đặc biệt)",
                en="Character classes demanded (0-4: upper, lower, digit, other)",
            ),
        ),
        FactSpec(
            COMPLEXITY,
            ValueType.BOOL,
            Text(vi="Bắt buộc đủ bốn loại ký tự", en="All four character classes are demanded"),
        ),
        FactSpec(
            MAXIMUM_AGE,
            ValueType.INT,
            Text(
                vi="Số ngày mật khẩu còn hiệu lực; 0 là không hết hạn",
                en="Days a password lives; 0 = never expires",
            ),
        ),
        FactSpec(
            HISTORY,
            ValueType.INT,
            Text(vi="Số mật khẩu cũ không được dùng lại", en="Old passwords that are refused"),
        ),
        FactSpec(
            THRESHOLD,
            ValueType.INT,
            Text(
                vi="Số lần đăng nhập sai thì khóa; 0 là không khóa",
                en="Wrong attempts until the account locks; 0 = never locks",
            ),
        ),
        FactSpec(
            DURATION,
            ValueType.INT,
            Text(
                vi="Thời gian khóa, giây; 0 là đến khi quản trị viên mở",
                en="Seconds an account stays locked; 0 = until an administrator unlocks",
            ),
        ),
    ),
    read=read,
)
