"""SNMP polling against an snmpd on loopback: facts a second and CPU per device.

Run: python bench/snmp.py [PORTS] [POLLS]   (48 ports and 20 polls unless told; needs snmpd)

The device is faked with `override` lines (a switch of PORTS ports), so that each poll asks the
eight columns of generic_ifmib. snmpd runs on the same machine: the wall clock includes its work,
the CPU figure is the collector's alone.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from attt_collector.poll.credentials import Community, Credentials, User
from attt_collector.poll.poller import Device, poll

COMMUNITY, PASSWORD = "bench-read-only", "bench-password"
COLUMNS = {
    "2.2.1.2": ("octet_str", '"GigabitEthernet1/0/{}"'),
    "2.2.1.3": ("integer", "6"),
    "2.2.1.5": ("uinteger", "1000000000"),
    "2.2.1.7": ("integer", "1"),
    "2.2.1.8": ("integer", "1"),
    "31.1.1.1.1": ("octet_str", '"Gi1/0/{}"'),
    "31.1.1.1.15": ("uinteger", "1000"),
    "31.1.1.1.18": ("octet_str", '"LAN: room {}"'),
}


def configuration(port: int, ports: int) -> str:
    lines = [
        f"agentaddress udp:127.0.0.1:{port}",
        f"rocommunity {COMMUNITY} 127.0.0.1",
        f"createUser bench SHA-256 {PASSWORD} AES {PASSWORD}",
        "rouser bench priv",
    ]
    for column, (kind, value) in COLUMNS.items():
        for index in range(1, ports + 1):
            lines.append(f"override .1.3.6.1.2.1.{column}.{index} {kind} {value.format(index)}")
    return "\n".join(lines) + "\n"


async def polls(port: int, credentials: Credentials, count: int, at_once: int) -> int:
    """Polls `count` times, `at_once` side by side; the number of facts read."""
    device = Device("127.0.0.1", "bench", "bench", port=port)
    slots = asyncio.Semaphore(at_once)

    async def one() -> int:
        async with slots:
            return len((await poll(device, credentials, now=datetime.now(UTC))).facts)

    return sum(await asyncio.gather(*(one() for _ in range(count))))


def main() -> None:
    ports = int(sys.argv[1]) if len(sys.argv) > 1 else 48
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "snmpd.conf")
        config.write_text(configuration(port, ports))
        agent = subprocess.Popen(
            [
                *("snmpd", "-f", "-Lf", f"{folder}/log", "-I", "-ifTable,ifXTable,interface"),
                *("-C", "-c", str(config)),
            ],
            env={**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": f"{folder}/state"},
        )
        try:
            time.sleep(1)
            print(f"{ports} ports, {len(COLUMNS)} columns, {count} polls each")
            print("credentials        at once   polls/s    facts/s   CPU ms/poll    CPU us/fact")
            users: dict[str, Credentials] = {
                "v2c": Community(COMMUNITY),
                "v3 SHA-256 AES": User("bench", PASSWORD, privacy_password=PASSWORD),
            }
            for label, credentials in users.items():
                for at_once in (1, 10):
                    report(label, at_once, port, credentials, count)
        finally:
            agent.kill()
            agent.wait()


def report(label: str, at_once: int, port: int, credentials: Credentials, count: int) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    facts = asyncio.run(polls(port, credentials, count, at_once))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{label:18} {at_once:7} {count / wall:9.1f} {facts / wall:10.0f} "
        f"{1000 * cpu / count:13.1f} {1e6 * cpu / facts:14.0f}"
    )


if __name__ == "__main__":
    main()
