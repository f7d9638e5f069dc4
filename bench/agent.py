"""How much of a machine one run of the agent takes, measured from outside on whole processes.

    python bench/agent.py [--runs N]

Two cases: `attt facts --json`, and `attt run` against a collector that is down (snapshot, signature
and spool, then a refused connection). Own CPU and peak memory are the agent's; the CPU of the
commands that its probes start is counted apart. Both use a throw-away state folder.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# Run inside the measured process, at its very end: its own figures and its children's.
_WRAPPER = """
import atexit, json, os, resource, sys
def tell():
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(os.environ["ATTT_BENCH_OUT"], "w") as stream:
        json.dump({"own_cpu_seconds": own.ru_utime + own.ru_stime,
                   "children_cpu_seconds": children.ru_utime + children.ru_stime,
                   "modules": sorted(sys.modules)}, stream)
atexit.register(tell)
from attt_agent.__main__ import main
main()
"""
HEAVY = ("asyncio", "click", "pydantic", "yaml", "sqlite3", "xml", "unittest", "attt_rules.engine")


@dataclass(frozen=True)
class Measured:
    own_cpu_seconds: float
    children_cpu_seconds: float
    peak_rss_bytes: int
    wall_seconds: float
    heavy_modules: tuple[str, ...]


def measure(arguments: list[str], state: Path, expected_exit: int) -> Measured:
    """One whole process.

    Peak memory is VmHWM at the end of the process: ru_maxrss would also count what the forked
    copy of this script weighed before it became the agent.
    """
    out = state / "bench.json"
    wrapper = _WRAPPER.replace(
        '"modules": sorted',
        '"peak_kib": int([line.split()[1] for line in open("/proc/self/status")'
        ' if line.startswith("VmHWM")][0]), "modules": sorted',
    )
    environment = {**os.environ, "ATTT_BENCH_OUT": str(out), "ATTT_STATE": str(state)}
    # An installed package has its byte code beside it; a source tree may be told not to. Compiling
    # in every run would cost 5 MB and 0.1 s that no real machine pays.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(state.parent / "bytecode")
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", wrapper, *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - began
    if done.returncode != expected_exit:
        raise SystemExit(f"attt {arguments}: exit {done.returncode}\n{done.stderr}")
    told = json.loads(out.read_text())
    return Measured(
        told["own_cpu_seconds"],
        told["children_cpu_seconds"],
        told["peak_kib"] * 1024,
        wall,
        tuple(name for name in HEAVY if name in told["modules"]),
    )


def enrolled_state(folder: Path) -> None:
    """A state folder as enrolment leaves it, whose collector is a port where nobody listens."""
    from attt_agent import settings
    from attt_agent.sign import DeviceKey
    from attt_rules.contract import UnitRef

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    state = settings.StateFolder(folder)
    state.make()
    DeviceKey.create(state.key)
    settings.save(
        state,
        settings.Settings(server=f"https://127.0.0.1:{port}", unit=UnitRef("00", "Đơn vị thử")),
    )
    state.ca.write_bytes(_self_signed_ca())


def _self_signed_ca() -> bytes:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench CA")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def show(title: str, runs: list[Measured]) -> None:
    print(f"\n{title}, {len(runs)} runs")
    rows = [
        ("own CPU, s", [run.own_cpu_seconds for run in runs]),
        ("children's CPU, s", [run.children_cpu_seconds for run in runs]),
        ("peak RSS, MiB", [run.peak_rss_bytes / 1048576 for run in runs]),
        ("wall, s", [run.wall_seconds for run in runs]),
    ]
    print(f"  {'':20} {'min':>8} {'median':>8} {'max':>8}")
    for name, values in rows:
        print(f"  {name:20} {min(values):8.3f} {statistics.median(values):8.3f} {max(values):8.3f}")
    heavy = sorted({name for run in runs for name in run.heavy_modules})
    print(f"  heavy modules loaded: {', '.join(heavy) or 'none'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as scratch:
        state = Path(scratch) / "state"
        enrolled_state(state)
        measure(["facts", "--json"], state, 0)  # byte code and disk cache warm
        measure(["run"], state, 3)
        show(
            "attt facts --json",
            [measure(["facts", "--json"], state, 0) for _ in range(runs)],
        )
        show("attt run, collector down (exit 3)", [measure(["run"], state, 3) for _ in range(runs)])


if __name__ == "__main__":
    main()
