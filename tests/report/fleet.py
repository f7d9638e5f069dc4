"""A made-up city in memory: real records and facts, judged by the real engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from attt_collector.judge.evaluate import Assessment, judge
from attt_collector.records import Asset, Attestation, StoredSnapshot, Unit, UnitKind
from attt_collector.report import compose, template_reader
from attt_collector.report.model import Report
from attt_collector.report.period import Period
from attt_rules import pack as packs
from attt_rules.contract import AssetKind, Fact, FactValue, Unreadable, parse_time

AS_OF = parse_time("2024-10-15T08:00:00+07:00")
PRODUCT = "Kaspersky Endpoint Security For Business Select"

Facts = dict[str, object]


def good_pc() -> Facts:
    """The facts of a PC that passes every rule; per-item facts are {item: value}."""
    return {
        "antivirus.products": ("Kaspersky",),
        "antivirus.product.enabled": {"Kaspersky": True},
        "antivirus.product.managed": {"Kaspersky": True},
        "antivirus.product.signatures_updated_at": {"Kaspersky": AS_OF - timedelta(days=1)},
        "account.enabled": ("uid:1000",),
        "account.password_set": {"uid:1000": True},
        "auto_logon.off": True,
        "password_policy.minimum_length_chars": 14,
        "password_policy.complexity_enforced": True,
        "lockout.threshold_attempts": 5,
        "firewall.profiles": ("host",),
        "firewall.enabled": {"host": True},
        "firewall.inbound_blocked": {"host": True},
        "time_sync.enabled": True,
        "time_sync.synchronised": True,
        "time_sync.offset_seconds": 0.01,
        "log.retention_days": 90,
        "updates.list_refreshed_at": AS_OF - timedelta(days=1),
        "updates.last_installed_at": AS_OF - timedelta(days=7),
        "updates.pending_packages": 0,
        "updates.pending_security_packages": 0,
        "updates.reboot_done": True,
        "os.end_of_support_at": AS_OF + timedelta(days=700),
        "session.desktop_present": True,
        "screen_lock.timeout_seconds": 600,
        "screen_lock.password_required": True,
    }


@dataclass
class Fleet:
    """Units, devices and attestations as they are added; `assess` judges them."""

    as_of: datetime = AS_OF
    pack_id: str = "vn_l2_2017"
    units: list[Unit] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=list)
    attestations: list[Attestation] = field(default_factory=list)
    latest: dict[int, tuple[StoredSnapshot, tuple[Fact, ...]]] = field(default_factory=dict)

    def unit(self, code: str, name: str, kind: UnitKind, parent: Unit | None = None) -> Unit:
        made = Unit(
            len(self.units) + 1,
            code,
            name,
            kind,
            parent.id if parent else None,
            date(2020, 1, 1),
            None,
        )
        self.units.append(made)
        return made

    def device(
        self,
        unit: Unit,
        facts: Mapping[str, object] | None,
        *,
        kind: AssetKind = AssetKind.PC,
        name: str = "",
        age: timedelta = timedelta(hours=1),
    ) -> Asset:
        """A device; `facts` None means that it has never sent anything."""
        number = len(self.assets) + 1
        asset = Asset(
            number,
            f"device-{number:04d}",
            unit.id,
            kind,
            name or f"PC-{number:04d}",
            None,
            self.as_of - timedelta(days=400),
            None,
            None,
            None,
            None,
        )
        self.assets.append(asset)
        if facts is not None:
            taken_at = self.as_of - age
            stored = StoredSnapshot(
                number, number, f"snapshot-{number}", taken_at, taken_at, f"{number:064x}"
            )
            self.latest[number] = (stored, tuple(said(facts, taken_at)))
        return asset

    def pcs(self, unit: Unit, many: int, **changed: object) -> None:
        for _ in range(many):
            self.device(unit, {**good_pc(), **changed})

    def attest(
        self,
        unit: Unit,
        key: str,
        value: FactValue,
        *,
        valid_from: date = date(2022, 12, 10),
        valid_until: date | None = None,
    ) -> None:
        self.attestations.append(
            Attestation(
                len(self.attestations) + 1,
                unit.id,
                key,
                None,
                value,
                "QĐ 169/QĐ-STTTT",
                date(2022, 12, 10),
                "Nguyễn Văn Mẫu",
                valid_from,
                valid_until,
            )
        )

    def vouch(self, unit: Unit) -> None:
        """Everything a person can vouch for about the place of a unit."""
        for key in ("lan", "wan", "tslcd", "fibre"):
            self.attest(unit, f"site.{key}_connected", True)
        self.attest(unit, "site.firewall_present", True)
        self.attest(unit, "dossier.approved", True)

    def assess(self) -> Assessment:
        return judge(
            packs.builtin(self.pack_id),
            self.units,
            assets=self.assets,
            latest=self.latest,
            attestations=self.attestations,
            as_of=self.as_of,
        )

    def report(self, *, simulated: bool = True, period: str = "2024") -> Report:
        assessment = self.assess()
        template = template_reader.builtin("bao-cao-nam", assessment.pack)
        origin = compose.Origin(
            self.units[0], None, Period.parse(period), simulated, "attt-collector 0.0"
        )
        return compose.compose(template, assessment, origin)

    def sentence(self, statement_id: str) -> str:
        """The text of one statement of the report; fails when it is not there once."""
        [found] = [s.text for s in self.report().statements if s.id == statement_id]
        return found


def said(facts: Mapping[str, object], read_at: datetime) -> list[Fact]:
    made = []
    for key, value in facts.items():
        items = value.items() if isinstance(value, dict) else [(None, value)]
        for item, one in items:
            if isinstance(one, Unreadable):
                made.append(Fact(key, read_at, "test", unreadable=one, item=item))
            else:
                made.append(Fact(key, read_at, "test", one, item=item))
    return made


def city() -> Fleet:
    """Three offices, 12 PCs: the city with 6, two communes with 3 each; everything passes."""
    fleet = Fleet()
    top = fleet.unit("HM", "UBND Thành phố Hoa Mai", UnitKind.CITY)
    for code, name in (("HM-01", "UBND xã Tân Mỹ"), ("HM-02", "UBND phường 2")):
        fleet.unit(code, name, UnitKind.COMMUNE, top)
    for unit, many in zip(fleet.units, (6, 3, 3), strict=True):
        fleet.pcs(unit, many)
        fleet.vouch(unit)
    fleet.attest(top, "quota.central_antivirus_machines", 12)
    fleet.attest(top, "quota.central_antivirus_product", PRODUCT)
    return fleet
