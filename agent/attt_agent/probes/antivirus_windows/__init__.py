r"""Antivirus products on Windows: which, real-time protection, signatures, central console.

Source: first Windows Security Center (its health through wscapi, then the products registered in
        root\SecurityCenter2), then the products' own services, programs and registry; on Windows
        Server, which has no Security Center, these alone.
Rule:   what two sources say differently is unknown. A registration whose programs are gone is
        left out; two registrations of one product count as one.
Limits: the age of signatures is nowhere in Security Center, so it is only known for products whose
        own registry is documented (Defender, Kaspersky with its Network Agent, ESET, Symantec,
        Trellix). Proven on published values and on machines built from them, on no real Windows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Dict, FrozenSet, Iterator, List, Optional, Sequence, Tuple

from attt_agent.host import Host, HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_agent.probes.antivirus_windows.defender import (
    DEFENDER,
    ESSENTIALS,
    read_defender,
    read_essentials,
)
from attt_agent.probes.antivirus_windows.security_center import (
    NAMESPACE,
    Registration,
    is_installed,
    read_health,
    read_registrations,
    vote,
)
from attt_agent.probes.antivirus_windows.vendors import (
    VENDORS,
    Details,
    Services,
    Vendor,
    is_running,
)
from attt_agent.registry_reading import CURRENT_VERSION, text, windows_build
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

PRODUCTS = "antivirus.products"
ENABLED = "antivirus.product.enabled"
VERSION = "antivirus.product.version"
SIGNATURES = "antivirus.product.signatures_updated_at"
MANAGED = "antivirus.product.managed"
SERVER = "antivirus.product.management_server"

SECURITY_CENTER_SERVICE = "wscsvc"
WINDOWS_8 = 9200  # its Defender is the first that is an antivirus
ALL_VENDORS = (DEFENDER, ESSENTIALS, *VENDORS)
# Every product calls itself out of date long before its signatures are this young.
YOUNG = timedelta(days=2)


class Product:
    """One product with its registrations; `vendor` is None for a make that we do not know."""

    def __init__(self, name: str, vendor: Optional[Vendor]) -> None:
        self.name = name
        self.vendor = vendor
        self.rows: List[Registration] = []
        self.doubtful = False  # registered, but nothing of it was seen on the machine


class Machine:
    """What was seen of a machine's products, each question with its own answer or reason."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.services: Services = {}
        self.services_problem: Optional[HostError] = None
        self.rows: Tuple[Registration, ...] = ()
        self.rows_problem: Optional[HostError] = None
        self.health: Optional[str] = None
        self.products: Dict[str, Product] = {}
        self._look()

    def _look(self) -> None:
        try:
            self.services = self.host.services()
            if not self.services:
                raise HostError(Unreadable.MALFORMED, "no service at all")
        except HostError as error:
            self.services_problem = error
        try:
            self.rows = read_registrations(self.host)
            if self.services and not is_running(self.services, SECURITY_CENTER_SERVICE):
                raise HostError(Unreadable.NOT_FOUND, "Security Center is not running")
            self.health = read_health(self.host)
        except HostError as error:
            self.rows, self.rows_problem = (), error
        self._match(self._programs())

    def _programs(self) -> FrozenSet[str]:
        try:
            return frozenset(name.lower() for name in self.host.process_names())
        except HostError:
            return frozenset()  # services show most products without them

    def _match(self, programs: FrozenSet[str]) -> None:
        there = []
        for row in self.rows:
            vendor = next((v for v in ALL_VENDORS if v.registered_as(row.name, row.paths)), None)
            installed = is_installed(self.host, row)
            if installed is False and vendor is not DEFENDER:
                continue  # a registration that its product has left behind
            there.append(row)
            product = self._product(row.name if vendor is None else vendor.name, vendor)
            product.rows.append(row)
            if installed is None and vendor is not DEFENDER:
                seen = vendor is not None and self._shows(vendor, programs)
                product.doubtful = product.doubtful or not seen
        self.rows = tuple(there)
        for vendor in ALL_VENDORS:
            if self._shows(vendor, programs) and (vendor is not DEFENDER or self._defends()):
                self._product(vendor.name, vendor)

    def _shows(self, vendor: Vendor, programs: FrozenSet[str]) -> bool:
        return bool(vendor.installed_services(self.services) or vendor.programs & programs)

    def _product(self, name: str, vendor: Optional[Vendor]) -> Product:
        return self.products.setdefault(name.casefold(), Product(name, vendor))

    def _defends(self) -> bool:
        """Whether the service WinDefend is an antivirus here."""
        try:
            return windows_build(self.host) >= WINDOWS_8
        except HostError:
            return False

    def is_server(self) -> bool:
        try:
            return "server" in text(self.host, CURRENT_VERSION, "InstallationType").lower()
        except HostError:
            return False

    def defender_active(self) -> bool:
        """Whether Defender may be asked: see the limits of `defender`."""
        if not is_running(self.services, "WinDefend"):
            return False
        if self.rows_problem is None:
            return any(
                row.on and DEFENDER.registered_as(row.name, row.paths) for row in self.rows
            ) and not any(
                row.may_be_on and not DEFENDER.registered_as(row.name, row.paths)
                for row in self.rows
            )
        return self.is_server() or len(self.products) == 1

    def incomplete(self) -> Optional[HostError]:
        """Why there may be a product that was not seen; None when there is none."""
        if self.rows_problem is None:
            return None if self.products else self.services_problem
        no_center = self.rows_problem.reason is Unreadable.NOT_SUPPORTED and self.is_server()
        return self.services_problem if no_center else self.rows_problem

    def enabled(self, product: Product, details: Details) -> Tuple[Optional[bool], str]:
        """Whether it is on (None: not known), and who says so ("": nobody says anything)."""
        votes: List[Tuple[str, Optional[bool]]] = []
        if product.rows:
            registered = vote(product.rows, self.rows, self.health)
            states = ", ".join(row.state for row in product.rows)
            source = "%s (%s), health %s" % (NAMESPACE, states, self.health)
            if product.doubtful:
                source, registered = "%s, nothing of it seen" % source, None
            votes.append((source, registered))
        if product.vendor is not None:
            installed = product.vendor.installed_services(self.services)
            if installed and not any(is_running(self.services, name) for name in installed):
                votes.append(("service %s not running" % installed[0], False))
        if details.on is not None:
            votes.append((details.source, details.on))
        words = {True: "on", False: "off", None: "unclear"}
        told = "; ".join("%s: %s" % (source, words[on]) for source, on in votes)
        answers = {on for _, on in votes if on is not None}
        return (answers.pop() if len(answers) == 1 else None), told


def _details(machine: Machine, product: Product) -> Details:
    if product.vendor is DEFENDER:
        return read_defender(machine.host, machine.services, machine.defender_active())
    if product.vendor is ESSENTIALS:
        return read_essentials(machine.host, machine.services)
    if product.vendor is None:
        return Details()
    if machine.services_problem is not None:
        problem = machine.services_problem
        return Details(None, problem, problem, problem, problem)
    return product.vendor.read(machine.host, machine.services)


def _signatures(product: Product, said: object, now: datetime) -> object:
    """The product's date, unless the product also calls itself out of date."""
    outdated = any(row.up_to_date is False for row in product.rows)
    if isinstance(said, datetime) and outdated and now - said < YOUNG:
        return HostError(Unreadable.MALFORMED, "Security Center calls them out of date")
    return said


def _product_readings(machine: Machine, product: Product) -> Iterator[Reading]:
    item = product.name
    details = _details(machine, product)
    enabled, told = machine.enabled(product, details)
    if enabled is not None:
        yield known(ENABLED, enabled, told, item)
    elif told:
        yield unknown(ENABLED, Unreadable.MALFORMED, "sources disagree: %s" % told, item)
    else:
        why = "nothing documented says whether %s is on" % item
        yield unknown(ENABLED, Unreadable.NOT_SUPPORTED, why, item)
    signatures = _signatures(product, details.signatures_updated_at, machine.host.now())
    for key, said in (
        (VERSION, details.version),
        (SIGNATURES, signatures),
        (MANAGED, details.managed),
        (SERVER, details.server),
    ):
        if isinstance(said, HostError):
            yield unknown(key, said, details.source, item)
        elif isinstance(said, (bool, str, datetime)):
            yield known(key, said, details.source, item)


def read(context: ProbeContext) -> Iterator[Reading]:
    machine = Machine(context.host)
    source = "%s, services and programs of %d makes" % (NAMESPACE, len(ALL_VENDORS))
    products: Sequence[Product] = tuple(machine.products.values())
    readings = [reading for p in products for reading in _product_readings(machine, p)]
    incomplete = machine.incomplete()
    protected = any(r.key == ENABLED and r.value is True for r in readings)
    if incomplete is not None and not protected:
        # A product that was not seen may protect this PC: "none is on" would be said too soon.
        yield unknown(PRODUCTS, incomplete, source)
        return
    yield known(PRODUCTS, tuple(product.name for product in products), source)
    yield from readings


PROBE = Probe(
    id="antivirus_windows",
    platforms=("windows",),
    specs=(
        FactSpec(
            PRODUCTS,
            ValueType.STRINGS,
            Text(vi="Phần mềm phòng, chống mã độc đã cài", en="Antivirus products installed"),
        ),
        FactSpec(
            ENABLED,
            ValueType.BOOL,
            Text(vi="Bảo vệ thời gian thực đang bật", en="Real-time protection is on"),
            PRODUCTS,
        ),
        FactSpec(
            VERSION,
            ValueType.STRING,
            Text(vi="Phiên bản phần mềm", en="Version of the product"),
            PRODUCTS,
        ),
        FactSpec(
            SIGNATURES,
            ValueType.DATETIME,
            Text(
                vi="Thời điểm phát hành mẫu nhận diện đang dùng",
                en="When the signatures in use were released",
            ),
            PRODUCTS,
        ),
        FactSpec(
            MANAGED,
            ValueType.BOOL,
            Text(vi="Được quản lý tập trung", en="Managed by a central console"),
            PRODUCTS,
        ),
        FactSpec(
            SERVER,
            ValueType.STRING,
            Text(vi="Máy chủ quản lý tập trung", en="Server of the central console"),
            PRODUCTS,
        ),
    ),
    read=read,
    time_limit_seconds=30.0,  # two WMI classes may each take 10
)
