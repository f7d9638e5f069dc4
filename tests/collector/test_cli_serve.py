"""The real service: TLS under its own CA, one at a time, and a clean end."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from attt_collector import trust
from attt_collector.store.db import Store
from tests.collector.conftest import Device, add_commune
from tests.collector.service import Service, new_folder, post


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = new_folder(tmp_path_factory.mktemp("serve") / "collector")
    with Service(folder) as running:
        yield running
        assert 0 == running.stop()


def test_it_works(service: Service) -> None:
    device = Device()
    now = datetime.now(UTC)
    # Another process writes beside the service, as `units import` does.
    with Store.open(service.folder.database_url) as store:
        device.enrolled(store, store.write(add_commune), at=now)
    connection = service.connect()
    try:
        raw = device.envelope(device.snapshot(taken_at=now))
        status, answer = post(connection, "/api/v1/snapshots", raw)
        assert 202 == status, answer
    finally:
        connection.close()


def test_the_ca_it_offers_is_the_one_to_pin(service: Service) -> None:
    connection = service.connect()
    try:
        connection.request("GET", "/api/v1/ca")
        pem = connection.getresponse().read()
    finally:
        connection.close()
    fingerprint = trust.fingerprint(trust.Identity(service.folder.ca).ca_certificate())
    assert fingerprint == trust.fingerprint(pem)


def test_a_client_that_does_not_know_the_ca_refuses(service: Service) -> None:
    connection = service.connect()
    connection._context = ssl.create_default_context()
    try:
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.request("GET", "/api/v1/health")
    finally:
        connection.close()


def test_it_does_not_say_which_server_it_is(service: Service) -> None:
    connection = service.connect()
    try:
        connection.request("GET", "/api/v1/health")
        response = connection.getresponse()
        response.read()
        assert response.getheader("server") is None
    finally:
        connection.close()


def run_serve(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from attt_collector.cli import main; main()",
            "--data",
            str(folder),
            "serve",
        ],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def test_a_second_service_on_one_folder_is_refused(service: Service) -> None:
    done = run_serve(service.folder.path)
    assert (1, "") == (done.returncode, done.stdout)
    assert "ATTT-515" in done.stderr


def test_a_port_that_is_taken_is_said(service: Service, tmp_path: Path) -> None:
    folder = new_folder(tmp_path / "other")
    text = folder.settings_file.read_text("utf-8")
    folder.settings_file.write_text(
        text.replace("port = 0", f"port = {service.port}"), encoding="utf-8"
    )
    done = run_serve(folder.path)
    assert 1 == done.returncode
    assert "ATTT-517" in done.stderr
