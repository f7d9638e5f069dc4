"""Accounts that can log in, and whether each has a password.

Source: /etc/passwd (passwd(5)); /etc/shadow (shadow(5), for root only).
Sample: root:x:0:0:root:/root:/bin/bash
        root:$y$j9T$…:20228:0:99999:7:::
Limits: accounts of this machine; those of a domain are the domain's. Names are never said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from attt_agent.host import HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

NO_LOGIN_SHELLS = ("nologin", "false", "sync", "halt", "shutdown")


@dataclass(frozen=True)
class Account:
    """A login that has a shell; `secret` is the password field, None while unknown."""

    name: str
    item: str
    secret: Optional[str]
    expired: bool = False

    @property
    def enabled(self) -> bool:
        """A locked account ("!", "*") or an expired one lets nobody in by password."""
        return not self.expired and (self.secret is None or not self.secret.startswith(("!", "*")))


def parse_passwd(text: str) -> List[Account]:
    """The accounts whose shell lets someone in.

    Raises:
        ValueError: no account at all, or a line that is none.
    """
    accounts: List[Account] = []
    lines = [line for line in text.splitlines() if line.strip() and line[0] not in "+-#"]
    for line in lines:
        fields = line.split(":")
        if len(fields) != 7 or not fields[2].isdigit():
            raise ValueError("a line that is no account")
        if fields[6].rpartition("/")[2] not in NO_LOGIN_SHELLS:  # no shell at all means /bin/sh
            secret = None if fields[1] == "x" else fields[1]
            accounts.append(Account(fields[0], "uid:%s" % fields[2], secret))
    if not lines:
        raise ValueError("no account at all")
    return accounts


def parse_shadow(text: str) -> Dict[str, Tuple[str, str]]:
    """Name to password field and expiry of the account in days since 1970, "" for none.

    Where a name comes twice, the first line counts at login; but which line a program finds is
    its own affair, so an empty password is never overlooked, and an expiry counts when all agree.

    Raises:
        ValueError: no entry at all, or a line that is none.
    """
    entries: Dict[str, Tuple[str, str]] = {}
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) != 9:
            raise ValueError("a line that is no entry")
        secret, expiry = fields[1], fields[7]
        if fields[0] in entries:
            first_secret, first_expiry = entries[fields[0]]
            secret = "" if "" in (first_secret, secret) else first_secret
            expiry = expiry if expiry == first_expiry else ""
        entries[fields[0]] = (secret, expiry)
    if not entries:
        raise ValueError("no entry at all")
    return entries


def with_shadow(
    accounts: Sequence[Account], entries: Mapping[str, Tuple[str, str]], as_of: datetime
) -> List[Account]:
    """Accounts with what the shadow file says; one that is not in it cannot log in ("*")."""
    today = int(as_of.timestamp() // 86400)
    full: List[Account] = []
    for account in accounts:
        secret, expiry = entries.get(account.name, ("*", ""))
        full.append(
            Account(
                name=account.name,
                item=account.item,
                secret=secret if account.secret is None else account.secret,
                expired=expiry.isdigit() and int(expiry) <= today,
            )
        )
    return full


def _password_set(same: Sequence[Account], item: str, shadow: Optional[HostError]) -> Reading:
    """Two names may share a number; the number is then as safe as the weaker of them."""
    secrets = [account.secret for account in same]
    if "" in secrets:
        return known("account.password_set", False, "/etc/passwd, /etc/shadow", item)
    if shadow is not None and None in secrets:
        return unknown("account.password_set", shadow, "/etc/shadow", item)
    return known("account.password_set", True, "/etc/shadow", item)


def read(context: ProbeContext) -> Iterator[Reading]:
    host = context.host
    shadow_error: Optional[HostError] = None
    try:
        accounts = parse_passwd(host.read_text("/etc/passwd"))
    except HostError as error:
        yield unknown("account.enabled", error, "/etc/passwd")
        return
    except ValueError as error:
        yield unknown("account.enabled", Unreadable.MALFORMED, "/etc/passwd: %s" % error)
        return
    source = "/etc/passwd, /etc/shadow"
    try:
        entries = parse_shadow(host.read_text("/etc/shadow"))
        accounts = with_shadow(accounts, entries, host.now())
    except HostError as error:
        shadow_error = error
    except ValueError as error:
        shadow_error = HostError(Unreadable.MALFORMED, str(error))
    if shadow_error is not None:
        source = "/etc/passwd (locked accounts not told apart)"
    by_item: Dict[str, List[Account]] = {}
    for account in accounts:
        if account.enabled:
            by_item.setdefault(account.item, []).append(account)
    yield known("account.enabled", tuple(by_item), source)
    for item, same in by_item.items():
        yield _password_set(same, item, shadow_error)


PROBE = Probe(
    id="accounts",
    platforms=("linux",),
    specs=(
        FactSpec(
            "account.enabled",
            ValueType.STRINGS,
            Text(
                vi="Tài khoản có thể đăng nhập tương tác (chỉ số hiệu, không nêu tên)",
                en="Accounts that can log in interactively (numbers, never names)",
            ),
        ),
        FactSpec(
            "account.password_set",
            ValueType.BOOL,
            Text(vi="Tài khoản có đặt mật khẩu", en="The account has a password"),
            "account.enabled",
        ),
    ),
    read=read,
)
