"""How fast the collector takes in snapshots, on this machine, over loopback with TLS.

    python bench/ingest.py [--snapshots 1500] [--clients 8]

Prints: what one snapshot costs before and in the writer, what the real service acknowledges a
second (202 only after the commit) with its latencies, and what reading the facts of a fleet back
out of the evidence costs. Clients and service share the processors, so the service alone is faster.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import http.client
import random
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from nacl.signing import SigningKey

from attt_collector.cli.init import create
from attt_collector.judge.receive import accept, receive
from attt_collector.records import Asset, UnitKind
from attt_collector.settings import CollectorFolder
from attt_collector.store import assets, snapshots, units
from attt_collector.store.db import Store
from attt_rules.contract import (
    SNAPSHOT_SIGNING_CONTEXT,
    AssetKind,
    AssetRef,
    Envelope,
    Fact,
    Snapshot,
    device_id_of,
)


class Device:
    """A PC with a key that says about as much as a real one (some 90 facts, 12 kB)."""

    def __init__(self, number: int) -> None:
        self.key = SigningKey.generate()
        self.public_key = bytes(self.key.verify_key)
        self.ref = AssetRef(device_id_of(self.public_key), AssetKind.PC, f"PC-{number:04d}")

    def enrol(self, store: Store, unit_id: int, now: datetime) -> Asset:
        return store.write(
            lambda conn: assets.enrol(
                conn,
                device_id=self.ref.device_id,
                unit_id=unit_id,
                kind=AssetKind.PC,
                name=self.ref.name,
                public_key=self.public_key,
                at=now,
            )
        )

    def envelope(self, now: datetime) -> bytes:
        snapshot = Snapshot(str(uuid.uuid4()), self.ref, now, "attt bench", facts(now))
        body = snapshot.to_json()
        signature = self.key.sign(SNAPSHOT_SIGNING_CONTEXT + body).signature
        return Envelope(self.ref.device_id, base64.b64encode(signature).decode(), body).to_bytes()


def facts(now: datetime) -> tuple[Fact, ...]:
    accounts = tuple(f"uid:{1000 + number}" for number in range(8))
    links = tuple(f"eth{number}" for number in range(6))
    said: list[tuple[str, object, str | None]] = [
        ("os.family", "windows", None),
        ("os.name", "Windows 11 Pro", None),
        ("os.end_of_support_at", now + timedelta(days=400), None),
        ("antivirus.products", ("Kaspersky",), None),
        ("antivirus.product.enabled", True, "Kaspersky"),
        ("antivirus.product.managed", True, "Kaspersky"),
        ("antivirus.product.signatures_updated_at", now - timedelta(days=1), "Kaspersky"),
        ("firewall.profiles", ("domain", "private", "public"), None),
        ("account.enabled", accounts, None),
        ("password_policy.minimum_length_chars", random.choice((6, 8, 12)), None),
        ("password_policy.required_character_classes", 4, None),
        ("lockout.threshold_attempts", 5, None),
        ("screen_lock.timeout_seconds", 600, None),
        ("time_sync.synchronised", True, None),
        ("updates.last_installed_at", now - timedelta(days=9), None),
        ("log.retention_days", 90, None),
        ("link.interfaces", links, None),
    ]
    said += [("account.password_set", True, account) for account in accounts]
    for profile in ("domain", "private", "public"):
        said += [("firewall.enabled", random.random() < 0.95, profile)]
        said += [("firewall.inbound_blocked", True, profile)]
    for link in links:
        said += [("link.up", True, link), ("link.kind", "ethernet", link)]
        said += [("link.speed_bits_per_second", 1_000_000_000, link)]
        said += [("link.addresses", ("10.20.30.40",), link)]
    said += [(f"asset.note{number}", "x" * 20, None) for number in range(28)]
    return tuple(
        Fact(key, now, "registry HKLM\\SOFTWARE\\Policies\\bench", value, item=item)  # type: ignore[arg-type]
        for key, value, item in said
    )


def print_figure(name: str, value: float, unit: str) -> None:
    print(f"{name:<58} {value:>10.2f} {unit}")


def in_process(folder: CollectorFolder, devices: list[Device], rounds: int) -> None:
    now = datetime.now(UTC)
    with Store.open(folder.database_url) as store:
        raw = [devices[number % len(devices)].envelope(now) for number in range(rounds)]
        packed = [gzip.compress(each) for each in raw]
        print_figure("one snapshot", len(raw[0]) / 1024, "KiB")
        print_figure("one snapshot, gzip", len(packed[0]) / 1024, "KiB")
        accept(store, raw[0], now, compressed=packed[0])  # loads the rule pack
        start = time.perf_counter()
        jobs = [
            accept(store, each, now, compressed=body)
            for each, body in zip(raw, packed, strict=True)
        ]
        print_figure("verify, validate, judge", (time.perf_counter() - start) / rounds * 1e3, "ms")
        start = time.perf_counter()
        store.write(lambda conn: [job(conn) for job in jobs])
        print_figure("write (one transaction)", (time.perf_counter() - start) / rounds * 1e3, "ms")
        again = [device.envelope(now) for device in devices[:50]]
        start = time.perf_counter()
        for each in again:
            receive(store, each, now)
        print_figure(
            "receive, one commit each", (time.perf_counter() - start) / len(again) * 1e3, "ms"
        )
        with store.read() as conn:
            ids = [asset.id for asset in assets.in_units(conn, [1], now)]
            start = time.perf_counter()
            latest = snapshots.latest_facts(conn, ids, now)
            took = time.perf_counter() - start
        print_figure(f"facts of {len(latest)} PCs out of their evidence", took * 1e3, "ms")
        print_figure("  for each PC", took / len(latest) * 1e3, "ms")


def over_tls(folder: CollectorFolder, devices: list[Device], count: int, clients: int) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from attt_collector.cli import main; main()",
            "--data",
            str(folder.path),
            "serve",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = urlsplit(process.stdout.readline().strip()).port
        assert port
        latencies: list[float] = []
        statuses: list[int] = []
        now = datetime.now(UTC)
        bodies = [
            gzip.compress(devices[number % len(devices)].envelope(now), 1)
            for number in range(count)
        ]

        def send(mine: list[bytes]) -> None:
            context = ssl.create_default_context(cafile=str(folder.ca / "ca.pem"))
            connection = http.client.HTTPSConnection("localhost", port, timeout=30, context=context)
            for body in mine:
                start = time.perf_counter()
                connection.request("POST", "/api/v1/snapshots", body, {"Content-Encoding": "gzip"})
                response = connection.getresponse()
                response.read()
                latencies.append(time.perf_counter() - start)
                statuses.append(response.status)
            connection.close()

        threads = [
            threading.Thread(target=send, args=(bodies[number::clients],))
            for number in range(clients)
        ]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - start
        assert set(statuses) == {202}, set(statuses)
        cuts = statistics.quantiles(latencies, n=100)
        print_figure(f"acknowledged over TLS, {clients} clients", len(latencies) / took, "a second")
        print_figure("  half of them within", cuts[49] * 1e3, "ms")
        print_figure("  99 of 100 within", cuts[98] * 1e3, "ms")
        status = Path(f"/proc/{process.pid}/status").read_text("ascii")
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        print_figure("service, peak memory", int(peak.split()[1]) / 1024, "MiB")
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapshots", type=int, default=1500)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--devices", type=int, default=469)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = CollectorFolder(Path(scratch) / "collector")
        now = datetime.now(UTC)
        create(folder, "127.0.0.1", 0, (), simulated=False, now=now)
        devices = [Device(number) for number in range(wanted.devices)]
        with Store.open(folder.database_url) as store:
            unit = store.write(
                lambda conn: units.add(
                    conn,
                    code="1",
                    name="bench",
                    kind=UnitKind.COMMUNE,
                    parent_id=None,
                    valid_from=date(2025, 7, 1),
                )
            )
            for device in devices:
                device.enrol(store, unit.id, now)
        in_process(folder, devices, 469)
        over_tls(folder, devices, wanted.snapshots, wanted.clients)
        size = (folder.path / "attt.sqlite").stat().st_size
        print_figure("database after this", size / 1024 / 1024, "MiB")


if __name__ == "__main__":
    main()
