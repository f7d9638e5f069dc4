"""The database: readers with connections of their own, and one writer thread with group commit.

SQLite allows one writer at a time, and a durable commit costs one fsync. So whoever writes hands a
function to the writer thread; everything that has queued up while the last commit was running goes
into the next one. Batches grow by themselves under load, and there is no delay without load.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from attt_collector.store import schema
from attt_collector.store.errors import (
    StoreBusy,
    StoreClosed,
    StoreFailed,
    database_exists,
    database_missing,
    database_not_opened,
    database_outdated,
    database_unknown,
)
from attt_rules.contract import CONTRACT_VERSION
from attt_rules.errors import AtttError

T = TypeVar("T")
QUEUE_LIMIT = 512
_BATCH_LIMIT = 128  # a longer batch gains nothing and delays those who wait
_BUSY_TIMEOUT_MS = 20_000  # a short command of the command line may write beside the service

_log = logging.getLogger("attt.store")


class _Job:
    """A queued function with the future its sender waits for."""

    __slots__ = ("fn", "future")

    def __init__(self, fn: Callable[[Connection], Any]) -> None:
        self.fn = fn
        self.future: Future[Any] = Future()


class Store:
    """An open database; made by `create` or `open`, ended by `close` (or a `with` block).

    simulated: whether everything in it is made up. instance_id: a UUID given at creation.
    """

    def __init__(self, url: str, *, queue_limit: int = QUEUE_LIMIT) -> None:
        self._readers = _engine(url, writes=False)
        self._writer = _engine(url, writes=True)
        self._queue: deque[_Job] = deque()
        self._queue_limit = queue_limit
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self.simulated = False
        self.instance_id = ""

    @classmethod
    def create(cls, url: str, simulated: bool, now: datetime) -> Store:
        """Make the tables and the description of a new database, and open it.

        Raises:
            AtttError: ATTT-503, there is a database already.
        """
        from attt_collector.store.upgrade import upgrade

        path = _sqlite_path(url)
        if path is not None:
            try:
                # Made here so that nobody else may read it; -wal and -shm get the same mode.
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                raise database_exists(str(path)) from None
        engine = _engine(url, writes=True)
        try:
            if inspect(engine).has_table(schema.meta.name):
                raise database_exists(engine.url.render_as_string(hide_password=True))
            with engine.begin() as conn:
                upgrade(conn)
                conn.execute(
                    insert(schema.meta).values(
                        instance_id=str(uuid.uuid4()),
                        contract=CONTRACT_VERSION,
                        simulated=simulated,
                        created_at=now,
                    )
                )
        finally:
            engine.dispose()
        return cls.open(url)

    @classmethod
    def open(cls, url: str, *, upgrade: bool = False, queue_limit: int = QUEUE_LIMIT) -> Store:
        """Open a database that `create` made; with `upgrade` bring its tables up to date first.

        Raises:
            AtttError: ATTT-504 no such database, 505 not one of ours, 506 of another version.
        """
        path = _sqlite_path(url)
        if path is not None and not path.is_file():
            raise database_missing(str(path))
        store = cls(url, queue_limit=queue_limit)
        try:
            if upgrade:
                store._upgrade()
            store._read_meta()
        except BaseException:
            store.close()
            raise
        return store

    def _upgrade(self) -> None:
        name = self._readers.url.render_as_string(hide_password=True)
        try:
            with self.read() as conn:
                # Anything that is not ours is left alone, and refused by _read_meta.
                ours = inspect(conn).has_table(schema.meta.name)
                due = ours and _revision(conn) != schema.REVISION
        except DatabaseError as error:
            raise _not_read(name, error) from error
        if due:
            from attt_collector.store.upgrade import upgrade

            with self._writer.begin() as conn:
                upgrade(conn)

    def _read_meta(self) -> None:
        name = self._readers.url.render_as_string(hide_password=True)
        try:
            with self.read() as conn:
                if not inspect(conn).has_table(schema.meta.name):
                    raise database_unknown(name)
                revision = _revision(conn)
                if revision != schema.REVISION:
                    raise database_outdated(name, str(revision), schema.REVISION)
                row = conn.execute(select(schema.meta)).one()
        except DatabaseError as error:
            raise _not_read(name, error) from error
        self.simulated = row.simulated
        self.instance_id = row.instance_id

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database and cannot write."""
        with self._readers.connect() as conn:
            yield conn

    def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn(conn)` in the writer thread and return its result once it is on the disk.

        `fn` stands in a savepoint of its own: when it raises, its work and nobody else's is undone,
        and the exception comes out here.

        Raises:
            StoreBusy: too much is queued already. StoreFailed: the commit did not succeed.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("write() inside a write would wait for itself; pass conn on instead")
        return self._submit(fn).result()

    def write_async(self, fn: Callable[[Connection], T]) -> asyncio.Future[T]:
        """`write` for coroutines: the future is done once the work is on the disk."""
        return asyncio.wrap_future(self._submit(fn))

    @property
    def queued(self) -> int:
        """How many functions wait for the writer."""
        return len(self._queue)

    def _submit(self, fn: Callable[[Connection], T]) -> Future[T]:
        job = _Job(fn)
        with self._changed:
            if self._closed:
                raise StoreClosed()
            if len(self._queue) >= self._queue_limit:
                raise StoreBusy(len(self._queue))
            self._queue.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
                self._thread.start()
            self._changed.notify()
        return job.future

    def close(self) -> None:
        """Finish what is queued, then let go of the database; may be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._readers.dispose()
        self._writer.dispose()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._closed:
                    self._changed.wait()
                if not self._queue:
                    return
                count = min(len(self._queue), _BATCH_LIMIT)
                taken = [self._queue.popleft() for _ in range(count)]
            batch = [job for job in taken if job.future.set_running_or_notify_cancel()]
            try:
                outcomes = _commit(self._writer, batch)
            # Whatever comes: whoever waits must hear of it, and the next batch must find a writer.
            except BaseException as stopped:  # noqa: BLE001
                outcomes = [(None, stopped)] * len(batch)
            for job, (result, error) in zip(batch, outcomes, strict=True):
                if error is None:
                    job.future.set_result(result)
                else:
                    job.future.set_exception(error)


def _commit(engine: Engine, batch: list[_Job]) -> list[tuple[Any, BaseException | None]]:
    """Run a batch in one transaction; a (result, error) for each job, in order."""
    outcomes: list[tuple[Any, BaseException | None]] = []
    try:
        with engine.begin() as conn:
            for job in batch:
                try:
                    with conn.begin_nested():
                        result = job.fn(conn)
                    outcomes.append((result, None))
                # Part of the request isolation loop: handed to the sender, never swallowed.
                except Exception as error:  # noqa: BLE001
                    outcomes.append((None, error))
                    _demand_transaction(conn, error)
    except SQLAlchemyError as error:
        _log.error("event=commit_failed writes=%d error=%r", len(batch), str(error))
        failed = StoreFailed(str(getattr(error, "orig", None) or error))
        failed.__cause__ = error
        return [(None, failed)] * len(batch)
    return outcomes


def _demand_transaction(conn: Connection, error: Exception) -> None:
    """A full disk makes SQLite roll back the whole transaction, and a later commit then does
    nothing and says nothing. Whoever stood in the same batch must not be told that it is stored.
    """
    in_transaction = getattr(conn.connection.dbapi_connection, "in_transaction", True)
    if not in_transaction:
        raise SQLAlchemyError(f"the transaction was rolled back: {error}")


def _revision(conn: Connection) -> str | None:
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _not_read(name: str, error: DatabaseError) -> AtttError:
    """A full disk or a missing permission is no reason to go back to an old backup."""
    said = getattr(error.orig, "sqlite_errorname", "")
    if said.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")) or not said:
        return database_unknown(name)
    return database_not_opened(name, str(error.orig))


def _sqlite_path(url: str) -> Path | None:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)


def _engine(url: str, *, writes: bool) -> Engine:
    # The one connection of the writer stays open: SQLite checkpoints on the last close. Readers are
    # bounded by the threads that serve pages; a pool that ran dry would block ingest behind them.
    if writes:
        engine = create_engine(url, pool_size=1, max_overflow=0)
    else:
        engine = create_engine(url, pool_size=8, max_overflow=-1)
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves; sqlite3 would guess
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        if writes:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA wal_autocheckpoint=4000")
        else:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def say_begin(conn: Connection) -> None:
        # Deferred for readers; a writer takes the lock at once, so that it never fails half-way.
        conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
