"""What Windows Security Center thinks of its providers: wscapi.

Source: WscGetSecurityProviderHealth (Windows Vista and later, never on Windows Server).
Not run anywhere: wine has no wscapi.dll, so only "not on this Windows" was seen there; the values
come from the documentation (wscapi.h).
"""

from __future__ import annotations

import ctypes
from typing import Dict, Mapping

from attt_agent.answers import HostError
from attt_agent.windows.library import function, load
from attt_agent.windows.wmi import hresult_error
from attt_rules.contract import Unreadable

# WSC_SECURITY_PROVIDER_*. Antispyware is not asked: since Windows 10 1607 it says nothing of its
# own; nor are Internet settings, which no rule needs.
_PROVIDERS = {
    "firewall": 0x1,
    "automatic_updates": 0x2,
    "antivirus": 0x4,
    "user_account_control": 0x20,
}
_HEALTH = {0: "good", 1: "not_monitored", 2: "poor", 3: "snooze"}
_S_FALSE = 1  # the Security Center service is not running, and the value says nothing


def health() -> Mapping[str, str]:
    """Provider to its health; `not_supported` without a running Security Center."""
    ask = function(
        load("wscapi"),
        "WscGetSecurityProviderHealth",
        ctypes.c_int32,
        ctypes.c_uint32,
        ctypes.POINTER(ctypes.c_int32),
    )
    told: Dict[str, str] = {}
    for provider, number in _PROVIDERS.items():
        answer = ctypes.c_int32(-1)
        result = ask(number, ctypes.byref(answer))
        what = "Security Center, %s" % provider
        if result == _S_FALSE:
            raise HostError(Unreadable.NOT_SUPPORTED, "%s: the service is not running" % what)
        if result < 0:
            raise hresult_error(result, what)
        if answer.value not in _HEALTH:
            raise HostError(Unreadable.MALFORMED, "%s: health %d" % (what, answer.value))
        told[provider] = _HEALTH[answer.value]
    return told
