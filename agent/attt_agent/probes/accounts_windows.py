r"""Local Windows accounts that can log on, and whether each has a password.

Source: NetUserEnum level 3 with SIDs;
        HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions ProductType (LanmanNT: a domain
        controller, whose accounts are the domain's).
Sample: sid=S-1-5-21-…-1001 enabled password_required password_set_at=2026-10-02
Limits: Windows tells nobody whether a password is empty, so "has one" is never said. An account
        that must have one, under a policy that asks for a length, may still hold the empty password
        it was given before that policy. To try an empty password would count as a wrong logon, and
        to read the SAM is what thieves do.
"""

from __future__ import annotations

from typing import Iterator

from attt_agent.host import HostError, LocalAccount
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_agent.registry_reading import text
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

PRODUCT_OPTIONS = r"HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions"
SOURCE = "NetUserEnum"


def item_of(account: LocalAccount) -> str:
    """The RID only: the rest of a SID names the machine, and names are people's."""
    return "rid:%d" % account.rid


def _password_set(account: LocalAccount) -> Reading:
    key, item = "account.password_set", item_of(account)
    if account.password_set_at is None and not account.password_required:
        # Never set, and only an account that needs none may stay so.
        return known(key, False, SOURCE, item)
    if account.password_set_at is None:
        why = "no password set yet, or to be set at the next logon"
    elif not account.password_required:
        why = "the account is free to have an empty password"
    else:
        why = "a password is required and was set; Windows does not say whether it is empty"
    return unknown(key, Unreadable.NOT_SUPPORTED, "%s: %s" % (SOURCE, why), item)


def read(context: ProbeContext) -> Iterator[Reading]:
    host = context.host
    key = "account.enabled"
    try:
        product_type = text(host, PRODUCT_OPTIONS, "ProductType")
        if product_type == "LanmanNT":
            why = "domain controller: its accounts are the domain's"
            yield unknown(key, Unreadable.NOT_SUPPORTED, why)
            return
        accounts = host.local_accounts()
    except HostError as error:
        yield unknown(key, error, "%s, %s" % (SOURCE, PRODUCT_OPTIONS))
        return
    if not accounts:
        # Every Windows has a built-in Administrator (RID 500), switched off or not.
        yield unknown(key, Unreadable.MALFORMED, "%s: no account at all" % SOURCE)
        return
    enabled = [account for account in accounts if account.enabled]
    yield known(key, tuple(item_of(account) for account in enabled), SOURCE)
    for account in enabled:
        yield _password_set(account)


PROBE = Probe(
    id="accounts_windows",
    platforms=("windows",),
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
