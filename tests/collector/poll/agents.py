"""Debian's snmpd on loopback ports, with values laid over its own to look like a device."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

COMMUNITY = "attt-chi-doc"
AUTH_PASSWORD, PRIVACY_PASSWORD = "mat-khau-xac-thuc", "mat-khau-ma-hoa"

USERS = f"""
createUser nguoidung1 SHA {AUTH_PASSWORD} AES {PRIVACY_PASSWORD}
createUser nguoidung256 SHA-256 {AUTH_PASSWORD} AES {PRIVACY_PASSWORD}
createUser nguoidung512 SHA-512 {AUTH_PASSWORD} AES {PRIVACY_PASSWORD}
createUser chixacthuc SHA-256 {AUTH_PASSWORD}
rouser nguoidung1 priv
rouser nguoidung256 priv
rouser nguoidung512 priv
rouser chixacthuc auth
"""

# A FortiGate with three ports. `override` puts its own values where snmpd's tables would be.
FIREWALL = """
sysName FW-PHUONG-1
sysLocation Tầng 1, UBND phường
override .1.3.6.1.2.1.1.1.0 octet_str "FortiGate-60F v7.2.6"
override .1.3.6.1.2.1.1.2.0 object_id .1.3.6.1.4.1.12356.101.1.644
override .1.3.6.1.2.1.2.1.0 integer 3
""" + "".join(
    f"override .1.3.6.1.2.1.{column}.{index} {kind} {value}\n"
    for index, (name, speed, high_speed, oper, alias) in enumerate(
        [
            ("wan1", 4294967295, 10000, 1, "WAN - VNPT"),
            ("internal", 1000000000, 1000, 2, "LAN: tầng 1"),
            ("dmz", 100000000, 100, 1, ""),
        ],
        start=1,
    )
    for column, kind, value in [
        ("2.2.1.2", "octet_str", f'"{name}"'),
        ("2.2.1.3", "integer", 6),
        ("2.2.1.5", "uinteger", speed),
        ("2.2.1.7", "integer", 1),
        ("2.2.1.8", "integer", oper),
        ("31.1.1.1.1", "octet_str", f'"{name}"'),
        ("31.1.1.1.15", "uinteger", high_speed),
        ("31.1.1.1.18", "octet_str", f'"{alias}"'),
    ]
)


@dataclass(frozen=True)
class Agent:
    """A running snmpd."""

    port: int
    address: str = "127.0.0.1"


def snmpd_program() -> str:
    program = shutil.which("snmpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.fail("snmpd is missing; on Debian: apt-get install --no-install-recommends snmpd")
    return program


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Snmpd:
    """One snmpd with its own folder, so that the users of two daemons do not mix."""

    def __init__(self, folder: Path, port: int, config: str, *, inside: tuple[str, ...] = ()):
        folder.mkdir()
        log = folder / "log"
        (folder / "conf").write_text(f"agentaddress udp:127.0.0.1:{port}\n{config}", "utf-8")
        own_tables = [] if inside else ["-I", "-ifTable,ifXTable,interface"]
        self._process = subprocess.Popen(
            [
                *inside,
                *(snmpd_program(), "-f", "-Lf", str(log), *own_tables),
                *("-C", "-c", str(folder / "conf")),
            ],
            stdin=subprocess.DEVNULL,
            # MIBS empty: Debian ships no MIB files and snmpd would complain of each.
            env={**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(folder / "state")},
        )
        deadline = time.monotonic() + 10
        while not log.exists() or "NET-SNMP version" not in log.read_text("utf-8", "replace"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"snmpd did not start: {log.read_text() if log.exists() else ''}")
            time.sleep(0.02)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


class Relay:
    """Passes datagrams to an agent and back, until `limit` requests have come; then silence.

    The first `lost` of them do not arrive.
    """

    def __init__(self, port: int, limit: int, lost: int = 0) -> None:
        self._target = ("127.0.0.1", port)
        self._limit = limit
        self._lost = lost
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._onward: dict[Any, socket.socket] = {}  # one socket towards the agent for each asker
        self.port: int = self._socket.getsockname()[1]
        self.requests: list[bytes] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            ready, _, _ = select.select([self._socket, *self._onward.values()], [], [], 0.05)
            for sock in ready:
                datagram, sender = sock.recvfrom(65535)
                if sock is not self._socket:
                    asker = next(one for one, own in self._onward.items() if own is sock)
                    self._socket.sendto(datagram, asker)
                    continue
                self.requests.append(datagram)
                if self._lost < len(self.requests) <= self._limit:
                    self._towards_agent(sender).sendto(datagram, self._target)

    def _towards_agent(self, asker: Any) -> socket.socket:
        if asker not in self._onward:
            self._onward[asker] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        return self._onward[asker]

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        for sock in (self._socket, *self._onward.values()):
            sock.close()
