"""`make demo`: the main job, done for real on this machine with the commands a unit would use.

Two collectors with a folder, a database, a CA and a port each: one takes in this machine, the other
holds a made-up city. Nothing can pass from one to the other; the contract forbids it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
VIETNAM = timezone(timedelta(hours=7))
UNIT = "don-vi-thu"
UNITS_FILE = Path(__file__).parent / "don-vi.csv"
CITY = "sa-dec"
MARKER = ".attt-demo"


class DemoFailed(Exception):
    """A command of the demonstration ended badly; its output is the message."""


@dataclass(frozen=True)
class Collector:
    """A running collector of the demonstration."""

    folder: Path
    url: str
    login: str
    password: str


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the services are stopped too
    try:
        with ExitStack() as stack:
            real, made_up = _run(_emptied(options.folder.resolve()), stack)
            _say_where(real, made_up)
            if options.once:
                return 0
            print("\nBấm Ctrl-C để kết thúc. (Press Ctrl-C to end.)", flush=True)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        print("\nĐã dừng. (Stopped.)")
        return 0
    except DemoFailed as problem:
        print(f"\nBản chạy thử dừng lại. (The demonstration stopped.)\n{problem}", file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo ARGS=", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end by itself instead of serving on")
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / "demo-data",
        help="where everything is written; an earlier demonstration in it is replaced "
        "(default: demo-data)",
    )
    return parser.parse_args()


def _emptied(place: Path) -> Path:
    """The folder, new; only what an earlier demonstration wrote is ever deleted."""
    if place.exists():
        if not (place / MARKER).exists() and any(place.iterdir()):
            raise DemoFailed(
                f"{place} không phải thư mục của bản chạy thử, nên không bị xóa; chọn thư mục khác "
                "bằng --folder.\n(It is not a demonstration's folder and is left alone; choose "
                "another with --folder.)"
            )
        shutil.rmtree(place)
    place.mkdir(parents=True)
    (place / MARKER).touch()
    return place


def _say_where(real: Collector, made_up: Collector) -> None:
    _heading("4. Trang web", "Web pages")
    for label, collector in (
        ("máy này / this machine", real),
        ("thành phố MÔ PHỎNG / the made-up city", made_up),
    ):
        print(f"  {label}\n    {collector.url}")
        print(f"    tài khoản / login:   {collector.login}")
        print(f"    mật khẩu / password: {collector.password}")
    print(
        "  Chứng thư do CA của bản chạy thử ký nên trình duyệt sẽ hỏi lại một lần.\n"
        "  (Its certificate is signed by the demonstration's own CA: the browser will ask once.)"
    )


def _run(place: Path, stack: ExitStack) -> tuple[Collector, Collector]:
    _heading("0. Chuẩn bị", "Preparation")
    real = _start(place / "that", stack, simulated=False)
    print(f"  máy thu thập / collector: {real.url}, dữ liệu / data: {_shown(real.folder)}")
    made_up = _start(place / "mo-phong", stack, simulated=True)
    print(f"  mô phỏng / made-up:      {made_up.url}, dữ liệu / data: {_shown(made_up.folder)}")

    _heading("1. Máy này", "This machine")
    _collector(real, "units", "import", str(UNITS_FILE))
    code = _found(r"--code (\S+) --ca-sha256 (\S+)", _collector(real, "enrol-code", UNIT))
    state = place / "tac-tu"
    enrolled = _call(
        BIN / "attt", "--state-dir", state, "enrol", "--server", real.url,
        "--code", code[0], "--ca-sha256", code[1], "--kind", "pc",
    )  # fmt: skip
    print(_indented(enrolled))
    print(_indented(_call(BIN / "attt", "--state-dir", state, "run")))
    print(_indented(_collector(real, "evaluate", "--unit", UNIT)))

    now = datetime.now(VIETNAM)
    _heading("2. Phần ATTT của báo cáo: đơn vị có máy này", "The ATTT section: this machine's unit")
    print(_indented(_collector(real, "report", "--unit", UNIT, "--period", f"{now.year}")))

    _heading(
        "3. Phần ATTT của báo cáo: thành phố MÔ PHỎNG, tháng 10/2024",
        "The ATTT section: the made-up city, October 2024",
    )
    print(_indented(_collector(made_up, "simulate")))
    print(_indented(_collector(made_up, "report", "--unit", CITY, "--period", "10/2024")))
    return real, made_up


def _start(folder: Path, stack: ExitStack, *, simulated: bool) -> Collector:
    """Makes a collector and runs its service until the demonstration ends."""
    port = _free_port()
    init = [BIN / "attt-collector", "--data", folder, "init", "--listen", "127.0.0.1",
            "--name", "127.0.0.1", "--port", str(port)]  # fmt: skip
    said = _call(*init, *(["--simulated"] if simulated else []))
    login, password = _found(r"Tài khoản:\s+(\S+)\s+Mật khẩu:\s+(\S+)", said)
    log = stack.enter_context((folder / "serve.log").open("w", encoding="utf-8"))
    service = subprocess.Popen(
        [BIN / "attt-collector", "--data", folder, "serve"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
        env=_environment(), start_new_session=True,
    )  # fmt: skip
    stack.callback(_stop, service)
    assert service.stdout is not None
    url = service.stdout.readline().strip()
    if not url:
        service.wait(timeout=30)
        raise DemoFailed((folder / "serve.log").read_text(encoding="utf-8"))
    return Collector(folder, f"https://127.0.0.1:{port}", login, password)


def _stop(service: subprocess.Popen[str]) -> None:
    service.terminate()
    try:
        service.wait(timeout=20)
    except subprocess.TimeoutExpired:
        service.kill()
        service.wait()
    if service.stdout is not None:
        service.stdout.close()


def _collector(collector: Collector, *arguments: str) -> str:
    return _call(BIN / "attt-collector", "--data", collector.folder, *arguments)


def _call(*argv: str | Path) -> str:
    done = subprocess.run(
        [str(part) for part in argv], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, env=_environment(),
    )  # fmt: skip
    if done.returncode != 0:
        words = " ".join(str(part) for part in argv[:4])
        raise DemoFailed(f"{words} … → {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _environment() -> dict[str, str]:
    # A terminal without UTF-8 (LANG=C) must not stop Vietnamese from being printed.
    return {**os.environ, "PYTHONUTF8": "1"}


def _found(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    if match is None:
        raise DemoFailed(f"no «{pattern}» in:\n{text}")
    return match.groups()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _heading(vietnamese: str, english: str) -> None:
    line = f"── {vietnamese} ({english}) "
    print(f"\n{line}{'─' * max(3, 96 - len(line))}", flush=True)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.rstrip().splitlines())


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
