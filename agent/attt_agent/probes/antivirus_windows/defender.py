r"""Microsoft Defender Antivirus and, on Windows 7, Microsoft Security Essentials.

Source: WMI root\Microsoft\Windows\Defender MSFT_MpComputerStatus; services WinDefend, MsMpSvc;
        HKLM\SOFTWARE\Microsoft\Windows Defender; …\Windows Advanced Threat Protection\Status.
Sample: AMRunningMode="Normal" AMServiceEnabled=true AntivirusEnabled=true
        RealTimeProtectionEnabled=true AntivirusSignatureLastUpdated="20240601094035.000000+000"
Limits: the class is asked only where Defender is the active product: on Windows 10 1903 it hangs
        when another one is. The "Windows Defender" of Windows 7 finds spyware only and is no
        antivirus.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Mapping, Optional

from attt_agent.host import Host, HostError
from attt_agent.probes.antivirus_windows.vendors import (
    Details,
    Services,
    Vendor,
    answer,
    is_running,
)
from attt_agent.registry_reading import filetime, number_or_none, policy_number
from attt_rules.contract import Unreadable

NAMESPACE = r"root\Microsoft\Windows\Defender"
STATUS_QUERY = "SELECT * FROM MSFT_MpComputerStatus"
DEFENDER = Vendor(
    "Microsoft Defender",
    r"windefend",
    ("windowsdefender:", "\\windows defender\\"),
    ("windows defender", "microsoft defender"),
)
ESSENTIALS = Vendor(
    "Microsoft Security Essentials",
    r"msmpsvc",
    ("\\microsoft security client\\",),
    ("security essentials", "system center endpoint protection"),
)
DEFENDER_KEY = r"HKLM\SOFTWARE\Microsoft\Windows Defender"
ESSENTIALS_KEY = r"HKLM\SOFTWARE\Microsoft\Microsoft Antimalware"
CLOUD_STATUS = r"HKLM\SOFTWARE\Microsoft\Windows Advanced Threat Protection\Status"
POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender"
# Programs that manage Defender from a console other than Microsoft's cloud.
CONSOLES = ("CcmExec", "IntuneManagementExtension")


def parse_cim_time(said: object) -> datetime:
    """CIM_DATETIME "20240601094035.000000+000"; the last part is minutes ahead of UTC.

    Raises:
        HostError: another form.
    """
    try:
        if not isinstance(said, str) or len(said) != 25 or said[21] not in "+-":
            raise ValueError(said)
        moment = datetime.strptime(said[:21], "%Y%m%d%H%M%S.%f").replace(tzinfo=timezone.utc)
        offset = timedelta(minutes=int(said[22:]))
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, "CIM time %.40r" % (said,)) from error
    return moment - offset if said[21] == "+" else moment + offset


def real_time_protection(status: Mapping[str, object]) -> Optional[bool]:
    """Whether Defender itself protects: None when it does not say.

    In passive mode and in EDR block mode another product is the antivirus, whatever else is on.
    Older versions have no AMRunningMode.
    """
    mode = status.get("AMRunningMode")
    switches = [
        status.get("AMServiceEnabled"),
        status.get("AntivirusEnabled"),
        status.get("RealTimeProtectionEnabled"),
    ]
    if mode not in (None, "Normal") or False in switches:
        return False
    return True if all(switch is True for switch in switches) else None


def _switched_off(host: Host) -> Optional[bool]:
    """False: a switch of the registry says off; None: the registry alone proves nothing."""
    try:
        policies = [
            policy_number(host, POLICY, "DisableAntiSpyware"),
            policy_number(host, POLICY + r"\Real-Time Protection", "DisableRealtimeMonitoring"),
        ]
        local = number_or_none(
            host,
            DEFENDER_KEY + r"\Real-Time Protection",
            "DisableRealtimeMonitoring",
            above=DEFENDER_KEY,
        )
    except HostError:
        return None
    return False if 1 in (*policies, local) else None


def _signatures(host: Host, key: str) -> datetime:
    """AVSignatureApplied: a FILETIME of the definitions in use.

    Raises:
        HostError: not there, or no FILETIME.
    """
    value = host.registry_value(key + r"\Signature Updates", "AVSignatureApplied")
    if not isinstance(value, bytes) or len(value) != 8:
        raise HostError(Unreadable.MALFORMED, "AVSignatureApplied")
    return filetime(int.from_bytes(value, "little"))


def _managed(host: Host, services: Services) -> bool:
    """
    Raises:
        HostError: not readable, or a console is there that may or may not manage Defender.
    """
    onboarded = number_or_none(host, CLOUD_STATUS, "OnboardingState", above=r"HKLM\SOFTWARE")
    if onboarded == 1:
        return True
    console = next((name for name in CONSOLES if is_running(services, name) is not None), None)
    if console is not None:
        raise HostError(Unreadable.NOT_SUPPORTED, "service %s may manage it" % console)
    return False


def read_defender(host: Host, services: Services, active: bool) -> Details:
    """
    Args:
        active: whether Defender may be asked; see Limits.
    """
    source = "MSFT_MpComputerStatus, %s" % DEFENDER_KEY
    status: Mapping[str, object] = {}
    problem = HostError(Unreadable.NOT_SUPPORTED, "another product is active: not asked")
    on = _switched_off(host)
    if active:
        try:
            rows = host.wmi(NAMESPACE, STATUS_QUERY)
            if not rows:
                raise HostError(Unreadable.NOT_FOUND, "no row")
            status = rows[0]
            on = real_time_protection(status)
        except HostError as error:
            problem = error
    version = status.get("AMProductVersion")
    updated = status.get("AntivirusSignatureLastUpdated")
    return Details(
        on=on,
        version=version if isinstance(version, str) and version else problem,
        signatures_updated_at=answer(
            lambda: _signatures(host, DEFENDER_KEY) if updated is None else parse_cim_time(updated)
        ),
        managed=answer(lambda: _managed(host, services)),
        server=HostError(Unreadable.NOT_SUPPORTED, "Defender has no server of its own"),
        source=source,
    )


def read_essentials(host: Host, services: Services) -> Details:
    disabled = answer(
        lambda: number_or_none(
            host,
            ESSENTIALS_KEY + r"\Real-Time Protection",
            "DisableRealtimeMonitoring",
            above=ESSENTIALS_KEY,
        )
    )
    return Details(
        on=False if disabled == 1 else None,
        signatures_updated_at=answer(lambda: _signatures(host, ESSENTIALS_KEY)),
        source=ESSENTIALS_KEY,
    )
