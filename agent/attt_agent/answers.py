"""What a machine answers, and why it did not: the records that `host` hands to probes.

They stand below `host` because the Windows access layer (`windows`) makes them too.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from datetime import datetime
from typing import Optional, Tuple, Union

from attt_rules.contract import Unreadable

# A value of the Windows registry: DWORD and QWORD, SZ and EXPAND_SZ (not expanded), BINARY,
# MULTI_SZ.
RegistryValue = Union[int, str, bytes, Tuple[str, ...]]


class HostError(Exception):
    """The machine could not be asked; `reason` is what a fact says then, `detail` is for people."""

    def __init__(self, reason: Unreadable, detail: str) -> None:
        super().__init__("%s: %s" % (reason.value, detail))
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class CommandResult:
    """What a program answered; its texts are UTF-8 with what is not UTF-8 replaced."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Interface:
    """One network interface, loopback included; `addresses` are IPv4 and IPv6 without prefix."""

    name: str
    up: bool
    speed_bits_per_second: Optional[int]
    addresses: Tuple[str, ...]
    mac: Optional[str]


@dataclass(frozen=True)
class Service:
    """One Windows service or driver.

    Args:
        state: "running", "stopped", or "other" (starting, stopping, paused).
        start: "auto", "manual", "disabled", "boot", "system"; "other": its configuration may not
            be read, or says something this program does not know.
    """

    state: str
    start: str


@dataclass(frozen=True)
class AccountPolicy:
    """What Windows demands of local accounts, as in NetUserModalsGet levels 0 and 3.

    Args:
        maximum_age_seconds: None: passwords never expire.
        lockout_threshold_attempts: 0: accounts are never locked.
        lockout_duration_seconds: None: until an administrator unlocks.
        complexity: None: the part of Windows that knows could not be asked.
    """

    minimum_length_chars: int
    maximum_age_seconds: Optional[int]
    history_passwords: int
    lockout_threshold_attempts: int
    lockout_duration_seconds: Optional[int]
    complexity: Optional[bool]


@dataclass(frozen=True)
class LocalAccount:
    """One account of this machine; its name is never read into facts.

    Args:
        sid: "S-1-5-21-…-500"; the last part (RID) is what facts show.
        password_required: False: the account may have an empty password; True does not prove
            that it has one.
        password_set_at: None: never set, or must be changed at the next logon.
        last_logon_at: on this machine; None: never, or Windows does not say.
    """

    sid: str
    enabled: bool
    password_required: bool
    password_set_at: Optional[datetime]
    last_logon_at: Optional[datetime]
    password_never_expires: bool

    @property
    def rid(self) -> int:
        return int(self.sid.rpartition("-")[2])


def host_error_of(error: OSError, what: str) -> HostError:
    """The `HostError` that says what an operating system error means for `what` (a path)."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        reason = Unreadable.NOT_FOUND
    elif isinstance(error, PermissionError):
        reason = Unreadable.ACCESS_DENIED
    elif isinstance(error, TimeoutError):
        reason = Unreadable.TIMEOUT
    elif error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENODEV, errno.ENXIO):
        reason = Unreadable.NOT_SUPPORTED
    elif error.errno == errno.EINVAL and what.startswith("/sys/"):
        reason = Unreadable.NOT_SUPPORTED  # sysfs: e.g. `speed` of an interface that is down
    else:
        reason = Unreadable.MALFORMED
    return HostError(reason, "%s: %s" % (what, error.strerror or type(error).__name__))
