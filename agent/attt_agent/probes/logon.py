"""Automatic logon, and the screen lock that an administrator has made binding.

Source: gdm3, lightdm, sddm and lxdm configuration; systemd's units of terminal logins with their
        drop-ins, or /etc/inittab; dconf keyfiles with their locks (GNOME);
        /etc/xdg/kscreenlockerrc (KDE Plasma).
Limits: a service of another name that starts a shell on a terminal is not looked for. A
        system-wide default that a user may override proves nothing, so it is not reported; the
        users' own settings are theirs and are not read.
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple

from attt_agent.agetty import inittab_asks, unit_asks
from attt_agent.host import Host, HostError
from attt_agent.linux import SESSION_FOLDERS, desktop_sessions
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

AUTO_LOGON_OFF = "auto_logon.off"
LOCK_TIMEOUT = "screen_lock.timeout_seconds"
LOCK_PASSWORD = "screen_lock.password_required"  # noqa: S105 (a fact key)

GETTY_UNITS = ("getty@", "serial-getty@", "console-getty", "container-getty@", "autovt@")
# These are for whole families of services, terminal logins among them.
GETTY_DROP_INS = ("service.d", "serial-.service.d", "console-.service.d", "container-.service.d")
# systemd.unit(5), the first wins. On most systems /lib is /usr/lib once more.
VENDOR_FOLDERS = ("/usr/lib/systemd/system", "/lib/systemd/system")
UNIT_FOLDERS = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    *VENDOR_FOLDERS,
    "/run/systemd/generator.late",
)
# agetty.autologin and login.noauth may come as credentials (systemd.system-credentials(7)).
CREDENTIAL_FOLDERS = (
    "/etc/credstore",
    "/etc/credstore.encrypted",
    "/run/credstore",
    "/run/credstore.encrypted",
    "/usr/lib/credstore",
    "/usr/lib/credstore.encrypted",
    "/run/credentials/@system",
)

Ini = Dict[str, Dict[str, str]]


def parse_ini(text: str, into: Optional[Ini] = None) -> Ini:
    """Sections of "key=value"; later values replace earlier ones."""
    sections: Ini = {} if into is None else into
    current = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            current = line[1:-1]
            continue
        key, equals, value = line.partition("=")
        if equals:
            sections.setdefault(current, {})[key.strip()] = value.strip()
    return sections


def gdm_logs_on(settings: Ini) -> bool:
    """Sample: [daemon]
    AutomaticLoginEnable=true
    AutomaticLogin=canbo
    """
    daemon = settings.get("daemon", {})
    return any(
        daemon.get(switch, "").lower() in ("true", "1", "yes") and bool(daemon.get(user))
        for switch, user in (
            ("AutomaticLoginEnable", "AutomaticLogin"),
            ("TimedLoginEnable", "TimedLogin"),
        )
    )


def lightdm_logs_on(settings: Ini) -> bool:
    """Sample: [Seat:*]
    autologin-user=canbo
    """
    return any(
        bool(seat.get("autologin-user")) or seat.get("autologin-guest", "").lower() == "true"
        for name, seat in settings.items()
        if name.startswith(("Seat", "SeatDefaults"))
    )


def sddm_logs_on(settings: Ini) -> bool:
    """Sample: [Autologin]
    User=canbo
    """
    return bool(settings.get("Autologin", {}).get("User"))


def lxdm_logs_on(settings: Ini) -> bool:
    """Sample: [base]
    autologin=canbo
    """
    return bool(settings.get("base", {}).get("autologin"))


# Name of the service, its files in the order in which they are read, and what they mean.
DISPLAY_MANAGERS = (
    (
        "gdm",
        ("/etc/gdm3/custom.conf", "/etc/gdm3/daemon.conf", "/etc/gdm/custom.conf"),
        gdm_logs_on,
    ),
    (
        "lightdm",
        (
            "/usr/share/lightdm/lightdm.conf.d",
            "/etc/xdg/lightdm/lightdm.conf.d",
            "/etc/lightdm/lightdm.conf.d",
            "/etc/lightdm/lightdm.conf",
        ),
        lightdm_logs_on,
    ),
    (
        "sddm",
        ("/usr/lib/sddm/sddm.conf.d", "/etc/sddm.conf.d", "/etc/sddm.conf"),
        sddm_logs_on,
    ),
    ("lxdm", ("/etc/lxdm/lxdm.conf", "/etc/lxdm/default.conf"), lxdm_logs_on),
)


def _is_masked(host: Host, path: str) -> bool:
    """A unit that `systemctl mask` has switched off."""
    try:
        return host.read_link(path) == "/dev/null"
    except HostError:
        return False


def _texts(host: Host, path: str) -> Iterator[Tuple[str, str]]:
    """A file, or the .conf files of a folder, as (path, text); nothing when it is not there."""
    if not host.exists(path) or _is_masked(host, path):
        return
    if not path.endswith(".d"):
        yield path, host.read_text(path)
        return
    for name in host.list_dir(path):
        if name.endswith(".conf"):
            yield "%s/%s" % (path, name), host.read_text("%s/%s" % (path, name))


def _getty_units(host: Host, looked: List[str]) -> Iterator[Tuple[str, str]]:
    """Path and text of each unit and drop-in of a terminal login, as systemd.unit(5) finds them.

    A file hides those of the same name in later folders; a drop-in that takes back what another
    one says is not weighed against it.
    """
    seen: Set[str] = set()
    for folder in UNIT_FOLDERS:
        if not host.exists(folder):
            continue
        looked.append(folder)
        for name in host.list_dir(folder):
            if not name.endswith((".service", ".service.d")) and name != "service.d":
                continue
            if not name.startswith(GETTY_UNITS) and name not in GETTY_DROP_INS:
                continue
            names = [name]
            if name.endswith(".d"):
                entries = host.list_dir("%s/%s" % (folder, name))
                names = ["%s/%s" % (name, entry) for entry in entries if entry.endswith(".conf")]
            for path in names:
                if path not in seen:
                    seen.add(path)
                    yield from _texts(host, "%s/%s" % (folder, path))


def _getty_autologin(host: Host) -> Tuple[Optional[str], List[str]]:
    """The file that logs someone on at a terminal, and the folders that were looked through.

    Raises:
        HostError: a login that is not understood, or no way to know what starts them.
    """
    looked: List[str] = []
    unclear: List[str] = []
    for path, text in _getty_units(host, looked):
        asks = unit_asks(text)
        if asks is False:
            return path, looked
        if asks is None:
            unclear.append(path)
    for folder in CREDENTIAL_FOLDERS:
        for name in host.list_dir(folder) if host.exists(folder) else ():
            if name.endswith(("agetty.autologin", "login.noauth")):
                return "%s/%s" % (folder, name), looked
    if host.exists("/run/systemd/system"):  # systemd runs: sd_booted(3)
        if not set(looked).intersection(VENDOR_FOLDERS):
            raise HostError(Unreadable.NOT_FOUND, "no units of the system's own")
    elif host.exists("/etc/inittab"):
        looked.append("/etc/inittab")
        asks = inittab_asks(host.read_text("/etc/inittab"))
        if asks is False:
            return "/etc/inittab", looked
        if asks is None:
            unclear.append("/etc/inittab")
    else:
        raise HostError(Unreadable.NOT_FOUND, "neither systemd nor /etc/inittab")
    if unclear:
        raise HostError(Unreadable.NOT_SUPPORTED, "%s: not a plain agetty" % ", ".join(unclear))
    return None, looked


def _desktop_autologin(host: Host) -> Tuple[Optional[str], str]:
    """The display manager that logs someone on (or None), and what was looked at.

    Raises:
        HostError: a display manager runs this desktop that we do not know.
    """
    active: Optional[str] = None
    try:
        link = host.read_link("/etc/systemd/system/display-manager.service")
        active = link.rpartition("/")[2].replace(".service", "").replace("gdm3", "gdm")
    except HostError as error:
        if error.reason is not Unreadable.NOT_FOUND:
            raise
    known_names = [name for name, _, _ in DISPLAY_MANAGERS]
    if active is not None and active not in known_names:
        raise HostError(Unreadable.NOT_SUPPORTED, "display manager %s" % active)
    looked: List[str] = []
    for name, paths, logs_on in DISPLAY_MANAGERS:
        if active not in (None, name):
            continue
        settings: Ini = {}
        for path in paths:
            for found, text in _texts(host, path):
                looked.append(found)
                parse_ini(text, settings)
        if logs_on(settings):
            return name, ", ".join(looked)
    if active is None and not looked:
        raise HostError(Unreadable.NOT_FOUND, "a desktop without a display manager that we know")
    return None, ", ".join(looked) or "%s without configuration" % active


def _auto_logon(host: Host, sessions: Sequence[str]) -> Reading:
    source = "systemd units of agetty"
    try:
        terminal, folders = _getty_autologin(host)
        source = "agetty in %s" % ", ".join(folders)
        if terminal is not None:
            return known(AUTO_LOGON_OFF, False, "%s: logs someone on" % terminal)
        if not sessions:
            return known(AUTO_LOGON_OFF, True, "%s; no desktop" % source)
        manager, looked = _desktop_autologin(host)
    except HostError as error:
        return unknown(AUTO_LOGON_OFF, error, source)
    if manager is not None:
        return known(AUTO_LOGON_OFF, False, "%s: %s" % (manager, looked))
    return known(AUTO_LOGON_OFF, True, "%s; %s" % (source, looked))


# --- screen lock ------------------------------------------------------------------------------

IDLE_DELAY = ("org/gnome/desktop/session", "idle-delay")
LOCK_ENABLED = ("org/gnome/desktop/screensaver", "lock-enabled")
LOCK_DELAY = ("org/gnome/desktop/screensaver", "lock-delay")


class Lock:
    """How a desktop locks: seconds until it does (None: never), and whether with a password."""

    def __init__(self, seconds: Optional[int], password: bool, source: str) -> None:
        self.seconds = seconds
        self.password = password
        self.source = source


def parse_dconf_profile(text: str) -> List[str]:
    """Names of the system databases of a profile (dconf(7)).

    Sample: user-db:user
            system-db:local
    """
    return re.findall(r"^\s*system-db:(\S+)", text, re.MULTILINE)


def parse_dconf_number(text: str) -> int:
    """Sample: uint32 900

    Raises:
        ValueError: not a number.
    """
    return int(text.replace("uint32", "").strip())


def gnome_lock(settings: Ini, locks: Sequence[str], source: str) -> Lock:
    """
    Raises:
        HostError: a value is missing, not locked, or not understood.
    """

    def binding(key: Tuple[str, str]) -> str:
        path = "/%s/%s" % key
        value = settings.get(key[0], {}).get(key[1])
        if value is None or path not in locks:
            raise HostError(Unreadable.NOT_FOUND, "%s is not set and locked" % path)
        return value

    try:
        idle = parse_dconf_number(binding(IDLE_DELAY))
        enabled = binding(LOCK_ENABLED)
        delay = parse_dconf_number(binding(LOCK_DELAY))
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, "%s: %s" % (source, error)) from error
    if enabled not in ("true", "false"):
        raise HostError(Unreadable.MALFORMED, "lock-enabled is %r" % enabled[:20])
    if idle == 0 or enabled == "false":
        return Lock(None, False, source)
    return Lock(idle + delay, True, source)


def _read_gnome_lock(host: Host) -> Lock:
    settings: Ini = {}
    locks: List[str] = []
    looked: List[str] = []
    # The first database of a profile wins, so the last is read first.
    for name in reversed(parse_dconf_profile(host.read_text("/etc/dconf/profile/user"))):
        folder = "/etc/dconf/db/%s.d" % name
        looked.append(folder)
        compiled_at = host.modified_at("/etc/dconf/db/%s" % name)
        for entry in host.list_dir(folder):
            path = "%s/%s" % (folder, entry)
            if entry == "locks":
                for lock in host.list_dir(path):
                    locks += host.read_text("%s/%s" % (path, lock)).split()
                continue
            if host.modified_at(path) > compiled_at:
                raise HostError(Unreadable.NOT_FOUND, "%s: «dconf update» not run since" % path)
            parse_ini(host.read_text(path), settings)
    return gnome_lock(settings, locks, ", ".join(looked) or "/etc/dconf/profile/user")


def kde_lock(text: str, source: str) -> Lock:
    """Sample: [Daemon][$i]        ($i: a user cannot change it)
    Autolock=true
    Timeout=10                     (minutes)
    LockGrace=0                    (seconds)

    Raises:
        HostError: a value is missing, not immutable, or not understood.
    """
    sections = parse_ini(text)
    immutable = "Daemon][$i" in sections
    daemon = {**sections.get("Daemon", {}), **sections.get("Daemon][$i", {})}

    def binding(key: str) -> str:
        value = daemon.get("%s[$i]" % key)
        if value is None and immutable:
            value = daemon.get(key)
        if value is None:
            raise HostError(Unreadable.NOT_FOUND, "%s: %s is not set and locked" % (source, key))
        return value

    if binding("Autolock").lower() == "false":
        return Lock(None, False, source)
    try:
        minutes, grace = int(binding("Timeout")), int(binding("LockGrace"))
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, "%s: %s" % (source, error)) from error
    return Lock(minutes * 60 + grace, True, source) if minutes > 0 else Lock(None, False, source)


def _read_kde_lock(host: Host) -> Lock:
    source = "/etc/xdg/kscreenlockerrc"
    return kde_lock(host.read_text(source), source)


def _lock_of(host: Host, session: str) -> Lock:
    name = session.lower()
    if name.startswith(("gnome", "ubuntu")):
        return _read_gnome_lock(host)
    if name.startswith(("plasma", "kde")):
        return _read_kde_lock(host)
    raise HostError(Unreadable.NOT_FOUND, "screen lock of session %s" % session)


def _read_screen_lock(host: Host, sessions: Sequence[str]) -> Iterator[Reading]:
    if not sessions:
        for key in (LOCK_TIMEOUT, LOCK_PASSWORD):
            yield unknown(key, Unreadable.NOT_SUPPORTED, "no desktop on this machine")
        return
    source = "screen lock of %s" % ", ".join(sessions)
    try:
        locks = [_lock_of(host, session) for session in sessions]
    except HostError as error:
        yield unknown(LOCK_TIMEOUT, error, source)
        yield unknown(LOCK_PASSWORD, error, source)
        return
    source = ", ".join(sorted({lock.source for lock in locks}))
    yield known(LOCK_PASSWORD, all(lock.password for lock in locks), source)
    seconds = [lock.seconds for lock in locks if lock.seconds is not None]
    if len(seconds) == len(locks):
        yield known(LOCK_TIMEOUT, max(seconds), source)
    else:
        # No number of seconds is long enough to say "never".
        yield unknown(LOCK_TIMEOUT, Unreadable.NOT_SUPPORTED, "%s: never locks" % source)


def read(context: ProbeContext) -> Iterator[Reading]:
    try:
        sessions = desktop_sessions(context.host)
    except HostError as error:
        for key in (AUTO_LOGON_OFF, LOCK_TIMEOUT, LOCK_PASSWORD):
            yield unknown(key, error, ", ".join(SESSION_FOLDERS))
        return
    yield _auto_logon(context.host, sessions)
    yield from _read_screen_lock(context.host, sessions)


PROBE = Probe(
    id="logon",
    platforms=("linux",),
    specs=(
        FactSpec(
            AUTO_LOGON_OFF,
            ValueType.BOOL,
            Text(
                vi="Không ai được tự động đăng nhập mà không cần mật khẩu",
                en="Nobody is logged on without a password",
            ),
        ),
        FactSpec(
            LOCK_TIMEOUT,
            ValueType.INT,
            Text(
                vi="Số giây không thao tác thì khóa màn hình (chỉ khi người dùng không đổi được)",
                en="Seconds of no input until the screen locks (only where users cannot change it)",
            ),
        ),
        FactSpec(
            LOCK_PASSWORD,
            ValueType.BOOL,
            Text(
                vi="Mở khóa màn hình phải nhập mật khẩu",
                en="A password is needed to unlock the screen",
            ),
        ),
    ),
    read=read,
)
