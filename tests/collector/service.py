"""A real `attt-collector serve` in a process of its own, on loopback with TLS."""

from __future__ import annotations

import gzip
import http.client
import json
import signal
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from attt_collector.cli.init import create
from attt_collector.settings import CollectorFolder


def new_folder(path: Path) -> CollectorFolder:
    """A collector that listens on a free port of loopback."""
    folder = CollectorFolder(path)
    create(folder, "127.0.0.1", 0, (), simulated=False, now=datetime.now(UTC))
    return folder


class Service:
    """Running inside a `with` block; `kill` is what a power cut does to the process."""

    def __init__(self, folder: CollectorFolder) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        self._log = (self.folder.path / "serve.log").open("ab")
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from attt_collector.cli import main; main()",
                "--data",
                str(self.folder.path),
                "serve",
            ],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._process.stdout is not None
        url = urlsplit(self._process.stdout.readline().strip())
        assert url.port, (self.folder.path / "serve.log").read_text("utf-8")
        self.port = url.port
        return self

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> int:
        """End it as systemd does; its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()

    def connect(self) -> http.client.HTTPSConnection:
        """A connection that trusts this collector's CA only."""
        context = ssl.create_default_context(cafile=str(self.folder.ca / "ca.pem"))
        return http.client.HTTPSConnection("localhost", self.port, timeout=20, context=context)


def post(connection: http.client.HTTPSConnection, path: str, envelope: bytes) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    connection.request("POST", path, gzip.compress(envelope), {"Content-Encoding": "gzip"})
    response = connection.getresponse()
    return response.status, json.loads(response.read())
