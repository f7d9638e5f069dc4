"""`attt-collector serve`: the service, one process, TLS of its own."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
import uvicorn

from attt_collector import trust
from attt_collector.app import build_app
from attt_collector.schedule import Schedule
from attt_collector.settings import CollectorFolder
from attt_collector.store.db import Store
from attt_rules.contract import Text
from attt_rules.errors import AtttError

_GRACE_SECONDS = 10


def now() -> datetime:
    """The service's clock."""
    return datetime.now(UTC)


@click.command(help="Chạy dịch vụ cho đến khi bị dừng. (Run the service until it is stopped.)")
@click.pass_obj
def command(folder: CollectorFolder) -> None:
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s"
    )
    # One line a run is noise; what a job did is said by attt.schedule.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    settings = folder.settings()
    identity = trust.Identity(folder.ca)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    with _only_one(folder), _listening(settings.listen, settings.port) as listening:
        identity.renew(settings.names, now())
        with Store.open(folder.database_url, upgrade=True) as store:
            app = build_app(
                store,
                clock=now,
                ca_certificate=identity.ca_certificate(),
                settings=settings,
                folder=folder,
            )
            server = _Announced(
                uvicorn.Config(
                    app,
                    ssl_certfile=identity.certificate_file,
                    ssl_keyfile=identity.key_file,
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    # A proxy's word about who calls is believed only when an operator says so.
                    proxy_headers=False,
                    timeout_graceful_shutdown=_GRACE_SECONDS,
                    limit_concurrency=1000,
                )
            )
            schedule = Schedule(store, now)
            schedule.start()
            try:
                server.run(sockets=[listening])
            finally:
                schedule.stop()


def _end(_signal: int, _frame: object) -> None:
    # uvicorn stops gracefully and then sends itself the signal again; its default action would
    # kill us before the writer and the schedule have come to their end.
    raise SystemExit(0)


class _Announced(uvicorn.Server):
    """A server that says on standard output where it listens, once it really answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or ():
            host, port = listening.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            click.echo(f"https://{shown}:{port}")
            sys.stdout.flush()


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    with made:
        yield made


@contextmanager
def _only_one(folder: CollectorFolder) -> Iterator[None]:
    """Two services on one SQLite file would slow each other down and both run the night's jobs."""
    try:
        descriptor = os.open(folder.path / "serve.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise _cannot_lock(folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AtttError(
            "ATTT-515",
            Text(
                vi=f"Đã có một dịch vụ đang chạy trên thư mục {folder.path}.",
                en=f"A service is running on the folder {folder.path} already.",
            ),
            Text(
                vi="dừng dịch vụ kia trước, hoặc dùng thư mục khác bằng «--data».",
                en="Stop that service first, or use another folder with --data.",
            ),
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def _cannot_lock(folder: CollectorFolder, error: OSError) -> AtttError:
    reason = error.strerror or str(error)
    return AtttError(
        "ATTT-516",
        Text(
            vi=f"Không ghi được vào thư mục {folder.path}: {reason}.",
            en=f"The folder {folder.path} cannot be written: {reason}.",
        ),
        Text(
            vi="chạy dịch vụ bằng tài khoản sở hữu thư mục đó.",
            en="Run the service as the user who owns that folder.",
        ),
    )


def _cannot_listen(host: str, port: int, error: OSError) -> AtttError:
    # create_server words it at length; the system's own words are enough.
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return AtttError(
        "ATTT-517",
        Text(
            vi=f"Không lắng nghe được tại {host}, cổng {port}: {reason}.",
            en=f"Cannot listen on {host}, port {port}: {reason}.",
        ),
        Text(
            vi="cổng đang bị dùng, cổng dưới 1024 cần quyền, hoặc địa chỉ không thuộc máy này; sửa "
            "[server] trong collector.toml.",
            en="The port is taken, needs permission (below 1024), or the address is not of this "
            "machine; mend [server] in collector.toml.",
        ),
    )
