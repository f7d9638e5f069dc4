"""The Windows part of a recording as JSON and back; described in docs/dinh-dang-ban-ghi.md."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from attt_agent.answers import AccountPolicy, LocalAccount, RegistryValue, Service
from attt_agent.windows.registry import written
from attt_rules.contract import parse_time

# Key to its values by name. In place of the values None: the key is there, nobody looked into it;
# in place of a value None: the name is there, nobody read the value.
Registry = Mapping[str, Optional[Mapping[str, Optional[RegistryValue]]]]
WmiRows = Mapping[Tuple[str, str], Tuple[Mapping[str, object], ...]]

_MAX_DWORD = 0xFFFFFFFF


@dataclass(frozen=True)
class WindowsAnswers:
    """windows.json; None: nobody asked."""

    services: Optional[Mapping[str, Service]] = None
    account_policy: Optional[AccountPolicy] = None
    local_accounts: Optional[Tuple[LocalAccount, ...]] = None
    security_center: Optional[Mapping[str, str]] = None


def place_of(path: str) -> str:
    r"""Where a path of a Windows machine lies under `files/`: `C:\Windows\x` → `/C/Windows/x`."""
    plain = path.replace("\\", "/")
    if plain[1:2] == ":":
        plain = "/" + plain[0] + plain[2:]
    return plain.rstrip("/") or "/"


def registry_of(document: Mapping[str, Any]) -> Registry:
    """registry.json as values.

    Raises:
        KeyError, TypeError, ValueError: not the format.
    """
    found: Dict[str, Optional[Dict[str, Optional[RegistryValue]]]] = {}
    for key, values in document.items():
        found[written(key)] = (
            None
            if values is None
            else {name: _registry_value_of(entry) for name, entry in values.items()}
        )
    return found


def _registry_value_of(entry: Mapping[str, Any]) -> Optional[RegistryValue]:
    kind = entry["type"]
    if kind == "unread":
        return None
    value = entry["value"]
    if kind in ("dword", "qword"):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError("%r is no %s" % (value, kind))
        return value
    if kind in ("sz", "expand_sz"):
        if not isinstance(value, str):
            raise ValueError("%r is no %s" % (value, kind))
        return value
    if kind == "multi_sz":
        return _strings(value)
    if kind == "binary":
        return bytes.fromhex(value)
    raise ValueError("type %r is not known" % kind)


def registry_json(registry: Registry) -> Dict[str, Any]:
    """The inverse of `registry_of`; EXPAND_SZ comes out as "sz"."""
    return {
        key: None
        if values is None
        else {name: _registry_value_json(value) for name, value in values.items()}
        for key, values in registry.items()
    }


def _registry_value_json(value: Optional[RegistryValue]) -> Dict[str, Any]:
    if value is None:
        return {"type": "unread"}
    if isinstance(value, int):
        return {"type": "dword" if value <= _MAX_DWORD else "qword", "value": value}
    if isinstance(value, str):
        return {"type": "sz", "value": value}
    if isinstance(value, bytes):
        return {"type": "binary", "value": value.hex()}
    return {"type": "multi_sz", "value": list(value)}


def wmi_of(document: Sequence[Mapping[str, Any]]) -> WmiRows:
    """wmi.json as values.

    Raises:
        KeyError, TypeError, ValueError: not the format.
    """
    return {
        (entry["namespace"], entry["query"]): tuple(
            {name: _wmi_value_of(value) for name, value in row.items()} for row in entry["rows"]
        )
        for entry in document
    }


def _wmi_value_of(value: object) -> object:
    if isinstance(value, list):
        return tuple(_wmi_value_of(part) for part in value)
    if isinstance(value, dict):
        raise ValueError("an object is no WMI value")
    return value


def wmi_json(rows: WmiRows) -> List[Dict[str, Any]]:
    """The inverse of `wmi_of`."""
    return [
        {"namespace": namespace, "query": query, "rows": [dict(row) for row in answer]}
        for (namespace, query), answer in sorted(rows.items())
    ]


def answers_of(document: Mapping[str, Any]) -> WindowsAnswers:
    """windows.json as values.

    Raises:
        KeyError, TypeError, ValueError: not the format.
    """
    services = document.get("services")
    policy = document.get("account_policy")
    accounts = document.get("local_accounts")
    center = document.get("security_center")
    return WindowsAnswers(
        services=None
        if services is None
        else {
            name: Service(_string(entry["state"]), _string(entry["start"]))
            for name, entry in services.items()
        },
        account_policy=None if policy is None else AccountPolicy(**policy),
        local_accounts=None if accounts is None else tuple(_account_of(a) for a in accounts),
        security_center=None
        if center is None
        else {provider: _string(health) for provider, health in center.items()},
    )


def answers_json(answers: WindowsAnswers) -> Dict[str, Any]:
    """The inverse of `answers_of`: only what was asked."""
    document: Dict[str, Any] = {}
    if answers.services is not None:
        document["services"] = {name: asdict(entry) for name, entry in answers.services.items()}
    if answers.account_policy is not None:
        document["account_policy"] = asdict(answers.account_policy)
    if answers.local_accounts is not None:
        document["local_accounts"] = [
            {
                name: value.isoformat() if isinstance(value, datetime) else value
                for name, value in asdict(account).items()
            }
            for account in answers.local_accounts
        ]
    if answers.security_center is not None:
        document["security_center"] = dict(answers.security_center)
    return document


def _account_of(entry: Mapping[str, Any]) -> LocalAccount:
    set_at, logon_at = entry.get("password_set_at"), entry.get("last_logon_at")
    return LocalAccount(
        sid=_string(entry["sid"]),
        enabled=entry["enabled"],
        password_required=entry["password_required"],
        password_set_at=None if set_at is None else parse_time(set_at),
        last_logon_at=None if logon_at is None else parse_time(logon_at),
        password_never_expires=entry["password_never_expires"],
    )


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("%r is no string" % (value,))
    return value


def _strings(value: object) -> Tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("%r is no list" % (value,))
    return tuple(_string(part) for part in value)
