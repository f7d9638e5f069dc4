from dataclasses import replace

import pytest

from attt_agent.host import HostError
from attt_agent.probes import logon
from attt_rules.contract import Unreadable


def test_it_works(machine, said):
    expected = {
        ("auto_logon.off", None): True,
        ("screen_lock.timeout_seconds", None): 600,
        ("screen_lock.password_required", None): True,
    }
    assert expected == said(logon.PROBE, machine("debian-12-may-ban"))


def test_a_terminal_may_log_on_by_itself_too(machine, said):
    expected = {
        ("auto_logon.off", None): False,
        ("screen_lock.timeout_seconds", None): "!not_supported",
        ("screen_lock.password_required", None): "!not_supported",
    }
    assert expected == said(logon.PROBE, machine("debian-12-may-chu"))


def test_a_server_without_desktop_is_looked_at_before_it_passes(machine, said):
    host = machine("rhel-9")
    assert said(logon.PROBE, host)["auto_logon.off", None] is True
    closed = {"list_dir /etc/systemd/system": Unreadable.ACCESS_DENIED}
    facts = said(logon.PROBE, replace(host, errors=closed))
    assert "!access_denied" == facts["auto_logon.off", None]
    files = {path: text for path, text in host.files.items() if "systemd" not in path}
    assert "!not_found" == said(logon.PROBE, replace(host, files=files))["auto_logon.off", None]


def test_gdm_logs_on(machine, said):
    facts = said(logon.PROBE, machine("ubuntu-2204"))
    assert facts["auto_logon.off", None] is False
    # two desktops, neither with a lock that its users cannot change
    assert "!not_found" == facts["screen_lock.timeout_seconds", None]
    assert "!not_found" == facts["screen_lock.password_required", None]


@pytest.mark.parametrize(
    ("logs_on", "text", "expected"),
    [
        (logon.gdm_logs_on, "[daemon]\nAutomaticLoginEnable=true\n", False),
        (logon.gdm_logs_on, "[daemon]\n#AutomaticLogin=a\nAutomaticLoginEnable=true", False),
        (logon.gdm_logs_on, "[daemon]\nTimedLoginEnable=True\nTimedLogin=a", True),
        (logon.gdm_logs_on, "[daemon]\nAutomaticLoginEnable=false\nAutomaticLogin=a", False),
        (logon.lightdm_logs_on, "[Seat:*]\nautologin-user=a", True),
        (logon.lightdm_logs_on, "[SeatDefaults]\nautologin-user=a", True),
        (logon.lightdm_logs_on, "[Seat:*]\n#autologin-user=a\nautologin-user=", False),
        (logon.sddm_logs_on, "[Autologin]\nUser=a\nSession=plasma", True),
        (logon.sddm_logs_on, "[Autologin]\nUser=", False),
        (logon.lxdm_logs_on, "[base]\nautologin=a", True),
        (logon.lxdm_logs_on, "[base]\n# autologin=a", False),
    ],
)
def test_display_managers(logs_on, text, expected):
    assert expected is logs_on(logon.parse_ini(text))


def with_unit(host, path, line):
    folder, _, name = path.rpartition("/")
    folders = {
        key: (*names, name) if key == folder else names for key, names in host.folders.items()
    }
    text = f"[Service]\nExecStart=\nExecStart={line}\n".encode()
    return replace(host, files={**host.files, path: text}, folders=folders)


DROP_IN = "getty@tty1.service.d/a.conf"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-/sbin/agetty --noclear %I $TERM", True),
        ("-/sbin/agetty --autologin root %I", False),
        ("-/sbin/agetty -aroot %I", False),
        ("-/sbin/agetty -Ja root %I", False),
        ("-/bin/login -f root", "!not_supported"),
        ("-/sbin/agetty -n -l /usr/local/bin/al %I", "!not_supported"),
        ("-/bin/bash", "!not_supported"),
    ],
)
def test_a_terminal_passes_only_with_a_plain_agetty(machine, said, line, expected):
    host = with_unit(machine("rhel-9"), f"/etc/systemd/system/{DROP_IN}", line)
    assert expected == said(logon.PROBE, host)["auto_logon.off", None]


@pytest.mark.parametrize(
    "path",
    [
        f"/usr/lib/systemd/system/{DROP_IN}",
        f"/lib/systemd/system/{DROP_IN}",
        f"/run/systemd/system/{DROP_IN}",
        "/run/systemd/system/serial-getty@ttyS0.service",
        "/usr/local/lib/systemd/system/console-getty.service",
        "/etc/systemd/system/serial-.service.d/a.conf",
        "/etc/systemd/system/service.d/a.conf",
    ],
)
def test_units_of_every_folder_are_looked_at(machine, said, path):
    host = machine("rhel-9")
    if path.startswith("/run"):
        host = replace(host, folders={**host.folders, "/run/systemd/system": (path.split("/")[4],)})
    host = with_unit(host, path, "-/sbin/agetty --autologin root %I")
    assert said(logon.PROBE, host)["auto_logon.off", None] is False


def test_a_unit_of_the_administrator_hides_the_one_of_the_system(machine, said):
    host = with_unit(
        machine("rhel-9"), "/usr/lib/systemd/system/getty@.service", "-/sbin/agetty -a root %I"
    )
    assert said(logon.PROBE, host)["auto_logon.off", None] is False
    host = with_unit(host, "/etc/systemd/system/getty@.service", "-/sbin/agetty --noclear %I")
    assert said(logon.PROBE, host)["auto_logon.off", None] is True


def test_a_credential_may_log_on_too(machine, said):
    host = machine("rhel-9")
    files = {**host.files, "/etc/credstore/agetty.autologin": b"root"}
    assert said(logon.PROBE, replace(host, files=files))["auto_logon.off", None] is False


def test_it_reports_unknown_when_nothing_says_what_starts_terminals(machine, said):
    host = machine("rhel-9")
    folders = {key: names for key, names in host.folders.items() if key != "/run/systemd/system"}
    host = replace(host, folders=folders)  # files of systemd, but another init may run
    assert "!not_found" == said(logon.PROBE, host)["auto_logon.off", None]
    inittab = b"1:2345:respawn:/sbin/getty 38400 tty1\n"
    host = replace(host, files={**host.files, "/etc/inittab": inittab})
    assert said(logon.PROBE, host)["auto_logon.off", None] is True


def test_it_reports_unknown_for_a_display_manager_it_does_not_know(machine, said):
    host = machine("debian-12-may-ban")
    links = {"/etc/systemd/system/display-manager.service": "/lib/systemd/system/greetd.service"}
    assert "!not_supported" == said(logon.PROBE, replace(host, links=links))["auto_logon.off", None]


def test_a_masked_terminal_logs_nobody_on(machine, said):
    host = machine("debian-12-may-ban")
    unit = "/etc/systemd/system/getty@tty1.service"
    folder = (*host.folders["/etc/systemd/system"], "getty@tty1.service")
    host = replace(
        host,
        folders={**host.folders, "/etc/systemd/system": folder},
        links={**host.links, unit: "/dev/null"},
    )
    assert said(logon.PROBE, host)["auto_logon.off", None] is True


def lock_facts(machine, said, path, old, new):
    host = machine("debian-12-may-ban")
    text = host.files[path].replace(old.encode(), new.encode())
    facts = said(logon.PROBE, replace(host, files={**host.files, path: text}))
    return facts["screen_lock.timeout_seconds", None], facts["screen_lock.password_required", None]


KEYFILE = "/etc/dconf/db/tinh.d/00-khoa"
LOCKS = "/etc/dconf/db/tinh.d/locks/khoa"


def test_a_screen_that_never_locks_has_no_number_of_seconds(machine, said):
    never = ("!not_supported", False)
    assert never == lock_facts(machine, said, KEYFILE, "uint32 600", "uint32 0")
    assert never == lock_facts(machine, said, KEYFILE, "lock-enabled=true", "lock-enabled=false")


def test_the_delay_before_the_lock_is_added(machine, said):
    assert (630, True) == lock_facts(machine, said, KEYFILE, "delay=uint32 0", "delay=uint32 30")


def test_a_setting_that_users_may_change_is_unknown(machine, said):
    unknown = ("!not_found", "!not_found")
    assert unknown == lock_facts(machine, said, LOCKS, "/org/gnome/desktop/session/idle-delay", "")


def test_it_reports_malformed_when_a_number_is_none(machine, said):
    unknown = ("!malformed", "!malformed")
    assert unknown == lock_facts(machine, said, KEYFILE, "uint32 600", "ten minutes")


def test_a_keyfile_that_was_never_compiled_is_unknown(machine, said):
    host = machine("debian-12-may-ban")
    later = {**host.modified, KEYFILE: host.moment}
    facts = said(logon.PROBE, replace(host, modified=later))
    assert "!not_found" == facts["screen_lock.timeout_seconds", None]


def test_plasma():
    text = "[Daemon][$i]\nAutolock=true\nTimeout=10\nLockGrace=5\n"
    lock = logon.kde_lock(text, "kscreenlockerrc")
    assert (605, True) == (lock.seconds, lock.password)
    single = "[Daemon]\nAutolock[$i]=true\nTimeout[$i]=10\nLockGrace[$i]=0\n"
    assert 600 == logon.kde_lock(single, "kscreenlockerrc").seconds
    off = logon.kde_lock(text.replace("true", "false"), "kscreenlockerrc")
    assert (None, False) == (off.seconds, off.password)
    for weak in (text.replace("[$i]", ""), text.replace("LockGrace=5\n", "")):
        with pytest.raises(HostError):
            logon.kde_lock(weak, "kscreenlockerrc")
