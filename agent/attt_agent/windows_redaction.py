r"""What in a recorded Windows machine names a person or this very machine.

Told by the names of the registry values and WMI properties, never by guessing at texts: who is
logged on, serial numbers, the machine's SID, product keys, and a stored logon password. Home
folders (`C:\Users\…`) give names too.
"""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Optional, Tuple

from attt_agent.answers import RegistryValue
from attt_agent.windows_format import WmiRows

PASSWORD_PLACEHOLDER = "matkhauthaythe"  # noqa: S105 (what stands in place of a real one)

_PEOPLE = frozenset(
    (
        "defaultusername",
        "altdefaultusername",
        "lastusedusername",
        "lastloggedonuser",
        "lastloggedonsamuser",
        "lastloggedondisplayname",
        "registeredowner",
        "primaryownername",
        "primaryownercontact",
        "username",
        "fullname",
        "installedby",
    )
)
_PASSWORDS = frozenset(("defaultpassword", "altdefaultpassword"))
_MACHINES = frozenset(
    (
        "computername",
        "csname",
        "dnshostname",
        "hostname",
        "nv hostname",
        "systemname",
        "pscomputername",
    )
)
_SERIALS = frozenset(
    (
        "serialnumber",
        "systemserialnumber",
        "baseboardserialnumber",
        "identifyingnumber",
        "uuid",
        "machineguid",
        "machineid",
        "productid",
        "smbiosassettag",
        "digitalproductid",
        "digitalproductid4",
        "computerhardwareid",
        "computerhardwareids",
    )
)
_HOME = re.compile(r"([A-Za-z]:[\\/]+(?:Users|Documents and Settings)[\\/]+)([^\\/:*?\"<>|\r\n]+)")
# Folders and owners that are nobody, and words whose replacement everywhere would spoil the
# recording: an owner called "Microsoft" must not rename every product.
_NOBODY = frozenset(
    (
        "admin",
        "administrator",
        "all users",
        "default",
        "default user",
        "defaultapppool",
        "home",
        "microsoft",
        "owner",
        "pc",
        "public",
        "system",
        "user",
        "windows",
        "windows user",
    )
)
# The three numbers that tell one machine or domain from all others; what follows is the RID.
_MACHINE_SID = re.compile(r"S-1-5-21-(\d+-\d+-\d+)", re.IGNORECASE)
_CLOUD_SID = re.compile(r"S-1-12-1-(\d+-\d+-\d+-\d+)", re.IGNORECASE)


class WindowsRedaction:
    """Learns names and serial numbers from the answers, and takes them out of these.

    `people` and `serials` are for the replacement in all other texts of the recording.
    """

    def __init__(
        self, registry: Mapping[str, Mapping[str, Optional[RegistryValue]]], wmi: WmiRows
    ) -> None:
        self._sids: Dict[str, int] = {}
        self._homes: Dict[str, str] = {}
        self._people: Dict[str, None] = {}
        self.serials: Dict[str, str] = {}
        for values in registry.values():
            for name, value in values.items():
                self._learn(name, value)
        for rows in wmi.values():
            for row in rows:
                for name, told in row.items():
                    self._learn(name, told)

    @property
    def people(self) -> List[str]:
        return list(self._people)

    def _learn(self, name: str, value: object) -> None:
        if isinstance(value, tuple):
            for part in value:
                self._learn(name, part)
        if not isinstance(value, str):
            return
        for found in _HOME.finditer(value):
            self._add_person(found.group(2))
        if name.casefold() in _PEOPLE:
            self._add_person(value)
            self._add_person(value.rpartition("\\")[2])  # DOMAIN\name
        elif name.casefold() in _SERIALS:
            self.serials[value] = value

    def _add_person(self, name: str) -> None:
        if name.strip() and name.casefold() not in _NOBODY:
            self._people.setdefault(name)

    def text(self, text: str) -> str:
        """Without SIDs of a real machine, domain or cloud account (the RID stays) and without
        home folders of people who were named nowhere else.
        """
        text = _HOME.sub(lambda found: found.group(1) + self._home(found.group(2)), text)
        text = _MACHINE_SID.sub(lambda found: self._sid("S-1-5-21-%d-%d-%d", found.group(1)), text)
        return _CLOUD_SID.sub(lambda found: self._sid("S-1-12-1-%d-%d-%d-0", found.group(1)), text)

    def _home(self, name: str) -> str:
        if name in self._people or name.casefold() in _NOBODY:
            return name  # replaced with all other words, or nobody's
        return self._homes.setdefault(name, "nguoi-%d" % (len(self._homes) + 1))

    def _sid(self, shape: str, numbers: str) -> str:
        if numbers == "0-0-0":
            return shape % (0, 0, 0)
        count = self._sids.setdefault(numbers, len(self._sids) + 1)
        return shape % (1000 + count, 2000 + count, 3000 + count)

    def values(
        self, values: Mapping[str, Optional[RegistryValue]]
    ) -> Mapping[str, Optional[RegistryValue]]:
        """The values of one key without passwords, serial numbers and machine names."""
        return {name: self._registry_value(name, value) for name, value in values.items()}

    def _registry_value(self, name: str, value: Optional[RegistryValue]) -> Optional[RegistryValue]:
        if isinstance(value, str):
            return self._string(name, value)
        if isinstance(value, tuple):
            return tuple(self._string(name, part) for part in value)
        if isinstance(value, bytes) and name.casefold() in _SERIALS | _PASSWORDS:
            return bytes(len(value))
        return value

    def rows(self, rows: Tuple[Mapping[str, object], ...]) -> Tuple[Mapping[str, object], ...]:
        """The same for the rows of a WMI query."""
        return tuple(
            {
                name: self._string(name, value) if isinstance(value, str) else value
                for name, value in row.items()
            }
            for row in rows
        )

    def _string(self, name: str, text: str) -> str:
        folded = name.casefold()
        if folded in _PASSWORDS:
            return PASSWORD_PLACEHOLDER if text else text
        if folded in _MACHINES:
            return "may-1" if text else text
        if folded in _SERIALS:
            return re.sub(r"[0-9A-Za-z]", "0", text)
        return text
