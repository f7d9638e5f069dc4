"""A made-up city of 469 PCs in 10 offices, as the report of Sa Đéc for 2024 describes one.

The figures that report gives are met exactly (469 PCs, 378 on the province's antivirus against a
quota of 330, every account with a password, a firewall in 9 of 9 communes, 10 of 10 dossiers
approved). Everything it does not say is drawn with a fixed seed around what such offices look like,
and includes PCs that fail and facts that could not be read.

Pure: makes snapshots and attestations, stores nothing.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from attt_collector.records import UnitKind
from attt_rules.contract import (
    AssetKind,
    AssetRef,
    Fact,
    FactValue,
    Snapshot,
    Unreadable,
    parse_time,
)

# The moment the report of 10/2024 speaks of.
AS_OF = parse_time("2024-10-31T17:00:00+07:00")
SOURCE = "mô phỏng"
PRODUCER = "attt-collector simulate"
CENTRAL_PRODUCT = "Kaspersky Endpoint Security For Business Select"
_NAMESPACE = uuid.UUID("6d6f2070-686f-6e67-2d73-612d64656332")


@dataclass(frozen=True, slots=True)
class Office:
    """One unit of the city and what it holds; `central` PCs run the province's antivirus."""

    code: str
    name: str
    kind: UnitKind
    pcs: int
    central: int
    quota: int


CITY = Office("sa-dec", "thành phố Sa Đéc", UnitKind.CITY, pcs=208, central=168, quota=150)
COMMUNES = tuple(
    Office(f"sa-dec.{code}", name, UnitKind.COMMUNE, pcs=29, central=central, quota=20)
    for code, name, central in (
        ("p1", "Phường 1", 24),
        ("p2", "Phường 2", 24),
        ("p3", "Phường 3", 24),
        ("p4", "Phường 4", 23),
        ("an-hoa", "Phường An Hòa", 23),
        ("tan-quy-dong", "Phường Tân Quy Đông", 23),
        ("tan-khanh-dong", "Xã Tân Khánh Đông", 23),
        ("tan-quy-tay", "Xã Tân Quy Tây", 23),
        ("tan-phu-dong", "Xã Tân Phú Đông", 23),
    )
)
OFFICES = (CITY, *COMMUNES)

# How many of the 469 PCs do not meet a rule, and how many could not be read; counted from the
# first PC on in a shuffled order of each rule's own.
_SHORTFALLS = {
    "firewall.enabled": (2, 5),
    "password_policy.minimum_length_chars": (61, 3),
    "password_policy.complexity_enforced": (48, 3),
    "lockout.threshold_attempts": (97, 3),
    "updates.last_installed_at": (37, 12),
    "os.end_of_support_at": (54, 0),
    "screen_lock.timeout_seconds": (88, 4),
    "time_sync.synchronised": (9, 6),
    "antivirus.product.signatures_updated_at": (14, 4),
}
TOTAL_PCS = sum(office.pcs for office in OFFICES)


def pcs(office: Office) -> Iterator[tuple[str, bool]]:
    """The office's PCs: asset name, and whether it runs the province's antivirus."""
    for number in range(1, office.pcs + 1):
        yield (
            f"PC-{office.code.removeprefix('sa-dec.').upper()}-{number:03d}",
            (number <= office.central),
        )


def pc_facts(as_of: datetime) -> Iterator[tuple[Office, str, tuple[Fact, ...], datetime]]:
    """(office, asset name, facts, taken_at) of every PC, the same PCs whenever `as_of` is."""
    shortfall = _shortfall_by_position()
    position = 0
    draw = random.Random(2024)  # noqa: S311 - made-up data, not a secret
    for office in OFFICES:
        for name, central in pcs(office):
            taken_at = as_of - timedelta(minutes=draw.randrange(5, 40 * 60))
            said = _Said(taken_at)
            _pc(said, central, shortfall[position], draw)
            yield office, name, tuple(said.facts), taken_at
            position += 1


def device_facts(as_of: datetime) -> Iterator[tuple[Office, str, tuple[Fact, ...], datetime]]:
    """(office, asset name, facts, taken_at) of each office's border firewall and switch."""
    for number, office in enumerate(OFFICES):
        taken_at = as_of - timedelta(minutes=5 + number)
        short = office.code.removeprefix("sa-dec.").upper()
        firewall = _Said(taken_at)
        _device(firewall, f"FW-{short}", "firewall", "Tường lửa (mô phỏng)")
        _interfaces(
            firewall,
            {
                "ether1": ("Internet - cáp quang FTTH", "internet", 200_000_000),
                "ether2": ("TSLCD - truyền số liệu chuyên dùng", "tslcd", 100_000_000),
                "ether3": ("WAN - mạng diện rộng tỉnh", "wan", 100_000_000),
                "ether4": ("LAN - mạng nội bộ", "lan", 1_000_000_000),
            },
        )
        yield office, f"FW-{short}", tuple(firewall.facts), taken_at
        switch = _Said(taken_at)
        _device(switch, f"SW-{short}", "switch", "Chuyển mạch (mô phỏng)")
        _interfaces(
            switch,
            {f"port{port}": (f"Phòng {port:02d}", None, 1_000_000_000) for port in range(1, 9)},
        )
        yield office, f"SW-{short}", tuple(switch.facts), taken_at


def snapshot_of(
    device_id: str, kind: AssetKind, name: str, facts: tuple[Fact, ...], taken_at: datetime
) -> Snapshot:
    """A snapshot whose id depends on nothing but the device and the time."""
    return Snapshot(
        snapshot_id=str(uuid.uuid5(_NAMESPACE, f"{name} {taken_at.isoformat()}")),
        asset=AssetRef(device_id, kind, name),
        taken_at=taken_at,
        producer=PRODUCER,
        facts=facts,
        simulated=True,
    )


def attestations() -> Iterator[tuple[Office, str, FactValue, str, date]]:
    """(office, fact key, value, document number, document date) that a person would vouch for."""
    plan = date(2024, 1, 15)
    dossier = date(2023, 12, 10)
    for number, office in enumerate(OFFICES, start=1):
        quota = "120/QĐ-STTTT (mô phỏng)"
        approval = f"{160 + number}/QĐ-STTTT (mô phỏng)"
        yield office, "quota.central_antivirus_machines", office.quota, quota, plan
        yield office, "quota.central_antivirus_product", CENTRAL_PRODUCT, quota, plan
        yield office, "dossier.approved", True, approval, dossier
        yield office, "dossier.number", approval, approval, dossier
        yield office, "site.fibre_connected", True, "05/HĐ-VT (mô phỏng)", plan


class _Said:
    """Gathers the facts of one made-up asset."""

    def __init__(self, read_at: datetime) -> None:
        self.read_at = read_at
        self.facts: list[Fact] = []

    def know(self, key: str, value: FactValue, item: str | None = None) -> None:
        self.facts.append(Fact(key, self.read_at, SOURCE, value=value, item=item))

    def cannot(self, key: str, item: str | None = None) -> None:
        self.facts.append(
            Fact(key, self.read_at, SOURCE, unreadable=Unreadable.ACCESS_DENIED, item=item)
        )

    def ago(self, days: float) -> datetime:
        return self.read_at - timedelta(days=days)


def _shortfall_by_position() -> list[dict[str, str]]:
    """For each PC: fact key → "fail" or "unknown" where it falls short."""
    by_position: list[dict[str, str]] = [{} for _ in range(TOTAL_PCS)]
    for key, (failing, unread) in _SHORTFALLS.items():
        order = list(range(TOTAL_PCS))
        random.Random(key).shuffle(order)  # noqa: S311 - made-up data, not a secret
        for position in order[:failing]:
            by_position[position][key] = "fail"
        for position in order[failing : failing + unread]:
            by_position[position][key] = "unknown"
    return by_position


def _pc(said: _Said, central: bool, short: dict[str, str], draw: random.Random) -> None:
    def know(key: str, good: FactValue, bad: FactValue, item: str | None = None) -> None:
        outcome = short.get(key)
        if outcome == "unknown":
            said.cannot(key, item)
        else:
            said.know(key, bad if outcome == "fail" else good, item)

    old = short.get("os.end_of_support_at") == "fail"
    said.know("os.family", "windows")
    said.know("os.name", "Windows 7 Professional" if old else "Windows 10 Enterprise LTSC 2021")
    said.know("os.version", "6.1.7601" if old else "10.0.19044")
    know(
        "os.end_of_support_at",
        parse_time("2027-01-12T00:00:00+00:00"),
        parse_time("2020-01-14T00:00:00+00:00"),
    )
    said.know("asset.form", draw.choice(("desktop", "desktop", "desktop", "laptop")))
    said.know("session.desktop_present", True)
    product = CENTRAL_PRODUCT if central else draw.choice(("Microsoft Defender", "Bkav Pro"))
    said.know("antivirus.products", (product,))
    said.know("antivirus.product.enabled", True, product)
    said.know("antivirus.product.managed", central, product)
    if central:
        said.know("antivirus.product.management_server", "ksc.mo-phong.example", product)
    know(
        "antivirus.product.signatures_updated_at",
        said.ago(draw.uniform(0.1, 0.9)),
        said.ago(draw.uniform(20, 90)),
        product,
    )
    said.know("account.enabled", ("uid:1001",))
    said.know("account.password_set", True, "uid:1001")
    know("password_policy.minimum_length_chars", 14, 6)
    know("password_policy.complexity_enforced", True, False)
    said.know("password_policy.required_character_classes", 4)
    know("lockout.threshold_attempts", 5, 0)
    said.know("lockout.duration_seconds", 1800)
    know("auto_logon.off", True, False)
    know("screen_lock.timeout_seconds", 600, 3600)
    said.know("screen_lock.password_required", True)
    said.know("firewall.profiles", ("domain", "private", "public"))
    for profile in ("domain", "private", "public"):
        know("firewall.enabled", True, False, profile)
        said.know("firewall.inbound_blocked", True, profile)
    said.know("time_sync.enabled", True)
    know("time_sync.synchronised", True, False)
    said.know("time_sync.offset_seconds", round(draw.uniform(-0.4, 0.4), 3))
    know(
        "updates.last_installed_at",
        said.ago(draw.uniform(1, 25)),
        said.ago(draw.uniform(60, 400)),
    )
    said.know("updates.list_refreshed_at", said.ago(draw.uniform(0.1, 6)))
    said.know("updates.pending_packages", 0)
    said.know("updates.pending_security_packages", 0)
    said.know("updates.reboot_done", True)
    said.know("log.retention_days", 90)
    said.know("log.oldest_event_at", said.ago(draw.uniform(40, 200)))
    said.know("link.lan_connected", True)
    said.know("link.wan_reachable", True)


def _device(said: _Said, name: str, kind: str, description: str) -> None:
    said.know("device.name", name)
    said.know("device.description", description)
    said.know("device.kind", kind)
    said.know("device.uptime_seconds", 40 * 86400)
    said.know("snmp.version", "v3")
    said.know("snmp.default_community_refused", True)


def _interfaces(said: _Said, interfaces: dict[str, tuple[str, str | None, int]]) -> None:
    said.know("interface.names", tuple(interfaces))
    for name, (alias, role, speed) in interfaces.items():
        said.know("interface.alias", alias, name)
        said.know("interface.type", "ethernetCsmacd", name)
        said.know("interface.speed_bits_per_second", speed, name)
        said.know("interface.admin_state", "up", name)
        said.know("interface.oper_state", "up", name)
        if role is not None:
            said.know("interface.role", role, name)
