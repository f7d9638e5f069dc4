"""A Windows Python under wine enrols with, and reports to, a real `attt-collector` over TLS."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.wine.rig import Answer, WinePython

from attt_collector.settings import CollectorFolder
from attt_collector.store import assets, snapshots, units
from attt_collector.store.db import Store
from attt_rules.contract import Fact

pytestmark = pytest.mark.wine

UNITS = (
    "mã,tên,loại,cấp trên,từ ngày,đến ngày\n"
    "tinh-thu,Tỉnh dùng thử,province,,2025-07-01,\n"
    "xa-thu,UBND xã dùng thử,commune,tinh-thu,2025-07-01,\n"
)


class RunningCollector:
    """`attt-collector serve` on loopback; may be stopped and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]  # the same one after a restart
        self.call(
            *("init", "--listen", "127.0.0.1", "--name", "127.0.0.1", "--port", str(self.port))
        )
        units = folder.parent / "don-vi.csv"
        units.write_text(UNITS, "utf-8")
        self.call("units", "import", str(units))
        issued = self.call("enrol-code", "xa-thu", "--uses", "9")
        found = re.search(r"--code (\S+) --ca-sha256 (\S+)", issued)
        assert found, issued
        self.code, self.ca_sha256 = found.groups()

    def call(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._command(), *arguments], capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stderr
        return done.stdout

    def _command(self) -> list[str]:
        main = "from attt_collector.cli import main; main()"
        return [sys.executable, "-c", main, "--data", str(self.folder)]

    def start(self) -> None:
        self._log = (self.folder / "serve.log").open("ab")
        self._process = subprocess.Popen(
            [*self._command(), "serve"],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said.startswith("https://"), (self.folder / "serve.log").read_text("utf-8")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def facts_of(self, name: str) -> dict[str, Fact]:
        """The newest facts of the asset with this name, as the store holds them."""
        now = datetime.now(UTC)
        with Store.open(CollectorFolder(self.folder).database_url) as store, store.read() as conn:
            commune = units.by_code(conn, "xa-thu")
            (asset,) = (
                found for found in assets.in_units(conn, [commune.id], now) if found.name == name
            )
            _, facts = snapshots.latest_facts(conn, [asset.id], now)[asset.id]
            return {fact.key: fact for fact in facts if fact.item is None}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    running = RunningCollector(tmp_path_factory.mktemp("collector") / "data")
    running.start()
    yield running
    running.stop()


def enrol(
    python: WinePython, collector: RunningCollector, state: dict[str, str], name: str
) -> Answer:
    return python.attt(
        *("enrol", "--server", collector.url, "--code", collector.code),
        *("--ca-sha256", collector.ca_sha256, "--kind", "pc", "--name", name),
        environment=state,
    )


def waiting(state: Path) -> list[Path]:
    return sorted((state / "spool").glob("*.attt.gz"))


def test_it_works(
    python: WinePython, collector: RunningCollector, state: Path, in_state: dict[str, str]
) -> None:
    name = f"PC-{python.release.version}"
    enrolled = enrol(python, collector, in_state, name)
    assert 0 == enrolled.exit_code, enrolled.stderr
    assert "UBND xã dùng thử" in enrolled.stdout
    sent = python.attt("run", environment=in_state)
    assert 0 == sent.exit_code, sent.stderr
    assert [] == waiting(state)
    facts = collector.facts_of(name)
    assert "windows" == facts["os.family"].value
    assert facts["password_policy.minimum_length_chars"].unreadable is not None


def test_a_wrong_fingerprint_sends_nothing(
    python: WinePython, collector: RunningCollector, state: Path, in_state: dict[str, str]
) -> None:
    answer = python.attt(
        *("enrol", "--server", collector.url, "--code", collector.code),
        *("--ca-sha256", "00" * 32, "--kind", "pc", "--name", "PC-SAI"),
        environment=in_state,
    )
    assert 4 == answer.exit_code
    assert answer.stderr.startswith("ATTT-2")
    assert not (state / "ca.pem").exists()


def test_the_spool_keeps_what_a_collector_that_is_down_did_not_get(
    python: WinePython, collector: RunningCollector, state: Path, in_state: dict[str, str]
) -> None:
    name = f"PC-HANG-DOI-{python.release.version}"
    assert 0 == enrol(python, collector, in_state, name).exit_code
    collector.stop()
    try:
        for kept in (1, 2):
            answer = python.attt("run", environment=in_state)
            assert 3 == answer.exit_code, answer.stderr
            assert kept == len(waiting(state))
        key = (state / "device.key").read_bytes()
    finally:
        collector.start()
    sent = python.attt("run", environment=in_state)
    assert 0 == sent.exit_code, sent.stderr
    assert [] == waiting(state)
    assert key == (state / "device.key").read_bytes()
    assert "windows" == collector.facts_of(name)["os.family"].value
