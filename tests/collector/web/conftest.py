"""A province with two communes, the real application on a real socket, and someone who browses it.

PC-A1 passes the firewall rule, PC-A2 fails it, PC-A3 enrolled and never spoke, PC-A4 fell silent
40 days ago (all of Phú Tân); PC-B1 of Chợ Vàm could not be read, and bears a hostile name.
"""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Connection

from attt_collector.app import build_app
from attt_collector.judge.receive import receive_polled
from attt_collector.records import UnitKind
from attt_collector.settings import Settings
from attt_collector.store import assets, attestations, units, users
from attt_collector.store.db import Store
from attt_collector.trust import Identity
from attt_rules.contract import AssetKind, AssetRef, Fact, Snapshot, Unreadable

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)  # 8 o'clock in Vietnam
ENROLLED = NOW - timedelta(days=60)
SOURCE = r"registry HKLM\SYSTEM\EnableFirewall"
HOSTILE_NAME = "PC-B1 <script>alert(1)</script>"
PASSWORD = "một mật khẩu thử"


@dataclass
class Clock:
    """What the application takes for now."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Site:
    """A running application."""

    app: FastAPI
    store: Store
    clock: Clock
    folder: Path
    port: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Page:
    """An answer of the site."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def html(self) -> str:
        return self.content.decode()

    @property
    def text(self) -> str:
        """What a person reads: no tags, spaces joined."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.html)).split())

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(unescape(href) for href in re.findall(r'<a\b[^>]*\bhref="([^"]*)"', self.html))


@dataclass
class Visitor:
    """A browser without eyes: keeps cookies and sends Origin with forms."""

    site: Site
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookie: str = ""

    def get(self, path: str) -> Page:
        return self.send("GET", path)

    def post(self, path: str, form: Mapping[str, str], *, origin: str | None = "") -> Page:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if origin is not None:
            headers["Origin"] = origin or f"http://{self.site.host}"
        return self.send("POST", path, urlencode(form), headers)

    def post_with_token(self, path: str, form: Mapping[str, str]) -> Page:
        return self.post(path, {"csrf": self.csrf_token(), **form})

    def csrf_token(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/quy-tac").html)
        assert found is not None
        return found.group(1)

    def log_in(self, login: str, password: str = PASSWORD, **form: str) -> Page:
        return self.post("/dang-nhap", {"ten": login, "mat_khau": password, **form})

    def send(
        self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
    ) -> Page:
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)
        try:
            sent = dict(headers or {})
            if self.cookies:
                sent["Cookie"] = "; ".join(
                    f"{name}={value}" for name, value in self.cookies.items()
                )
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        self.set_cookie = answer.getheader("set-cookie") or ""
        if self.set_cookie:
            name, _, value = self.set_cookie.split(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return Page(answer.status, dict(answer.getheaders()), content)


@contextmanager
def serving(
    store: Store, clock: Clock, folder: Path, identity: Identity | None = None
) -> Iterator[Site]:
    """The application on a loopback port of its own, with TLS when it has an identity."""
    app = build_app(store, clock=clock, ca_certificate=b"PEM", settings=Settings())
    site = Site(app, store, clock, folder)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        ssl_certfile=identity.certificate_file if identity else None,
        ssl_keyfile=identity.key_file if identity else None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="test-server")
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server takes too long to start"
            time.sleep(0.01)
        site.port = server.servers[0].sockets[0].getsockname()[1]
        yield site
    finally:
        server.should_exit = True
        thread.join()


def firewall_facts(state: bool | Unreadable, read_at: datetime) -> tuple[Fact, ...]:
    """What a PC says of its firewall: one profile, on or off, or why it could not be read."""
    said = [Fact("firewall.profiles", read_at, SOURCE, value=("private",))]
    for key in ("firewall.enabled", "firewall.inbound_blocked"):
        if isinstance(state, bool):
            said.append(Fact(key, read_at, SOURCE, value=state, item="private"))
        else:
            said.append(Fact(key, read_at, SOURCE, unreadable=state, item="private"))
    return tuple(said)


def add_pc(
    store: Store,
    unit_id: int,
    name: str,
    device_id: str,
    state: bool | Unreadable | None,
    at: datetime = NOW - timedelta(hours=3),
) -> None:
    """A PC that has said its firewall state at `at`, or nothing ever when state is None."""
    asset = store.write(
        lambda conn: assets.enrol(
            conn,
            device_id=device_id,
            unit_id=unit_id,
            kind=AssetKind.PC,
            name=name,
            public_key=None,
            at=ENROLLED,
        )
    )
    if state is not None:
        said = firewall_facts(state, at)
        reference = AssetRef(device_id, AssetKind.PC, name)
        snapshot = Snapshot(
            f"{device_id}-{at:%H%M%S}", reference, at, "a test", said, simulated=store.simulated
        )
        receive_polled(store, asset, snapshot, at + timedelta(seconds=30))


def fill(store: Store) -> None:
    """The province of the module's docstring, with a user for it and for each commune."""
    hashed = users.hash_password(PASSWORD)

    def found(conn: Connection) -> tuple[int, int]:
        opened = date(2025, 7, 1)
        province = units.add(
            conn,
            code="89",
            name="Tỉnh An Giang",
            kind=UnitKind.PROVINCE,
            parent_id=None,
            valid_from=opened,
        )
        communes = []
        for code, name in (("89.1", "UBND xã Phú Tân"), ("89.2", "UBND xã Chợ Vàm")):
            made = units.add(
                conn,
                code=code,
                name=name,
                kind=UnitKind.COMMUNE,
                parent_id=province.id,
                valid_from=opened,
            )
            communes.append(made.id)
        users.add(conn, login="tinh", password_hash=hashed)
        users.add(conn, login="phutan", password_hash=hashed, unit_id=communes[0])
        users.add(conn, login="chovam", password_hash=hashed, unit_id=communes[1])
        attestations.add(
            conn,
            unit_id=communes[0],
            key="dossier.approved",
            value=True,
            document_number="12/QĐ-UBND",
            document_date=date(2026, 9, 1),
            attested_by="Trưởng phòng",
            valid_from=date(2026, 9, 1),
            at=ENROLLED,
        )
        return communes[0], communes[1]

    phu_tan, cho_vam = store.write(found)
    add_pc(store, phu_tan, "PC-A1", "dev-a1", True)
    add_pc(store, phu_tan, "PC-A2", "dev-a2", False)
    add_pc(store, phu_tan, "PC-A3", "dev-a3", None)
    add_pc(store, phu_tan, "PC-A4", "dev-a4", True, NOW - timedelta(days=40))
    add_pc(store, cho_vam, HOSTILE_NAME, "dev-b1", Unreadable.ACCESS_DENIED)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The real application over a real store; one for all tests of a module."""
    path = tmp_path_factory.mktemp("site") / "attt.sqlite"
    with Store.create(f"sqlite:///{path}", False, ENROLLED) as store:
        fill(store)
        with serving(store, Clock(), path.parent) as running:
            yield running


@pytest.fixture(autouse=True)
def _same_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that moves the clock does not move it for the next one."""
    yield
    if "site" in request.fixturenames:
        request.getfixturevalue("site").clock.now = NOW


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """Somebody who has not logged in."""
    return Visitor(site)


def _logged_in(site: Site, login: str) -> Visitor:
    visitor = Visitor(site)
    assert 303 == visitor.log_in(login).status
    return visitor


@pytest.fixture(scope="module")
def reviewer(site: Site) -> Visitor:
    """The provincial reviewer, who sees every unit."""
    return _logged_in(site, "tinh")


@pytest.fixture(scope="module")
def officer(site: Site) -> Visitor:
    """The IT officer of Phú Tân commune."""
    return _logged_in(site, "phutan")


@pytest.fixture
def artefacts() -> Path:
    """Where screenshots are kept."""
    folder = Path(__file__).parents[3] / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder
