"""The database itself: one writer, group commit, and no acknowledgement of what is not stored."""

from __future__ import annotations

import asyncio
import stat
import threading
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, OperationalError

from attt_collector.records import Unit, UnitKind
from attt_collector.store import schema, units
from attt_collector.store.db import Store
from attt_collector.store.errors import StoreBusy, StoreClosed, StoreFailed
from attt_collector.store.upgrade import configuration
from attt_rules.errors import AtttError
from tests.collector.conftest import NOW


def add(conn: Connection, code: str) -> Unit:
    return units.add(
        conn,
        code=code,
        name=code,
        kind=UnitKind.COMMUNE,
        parent_id=None,
        valid_from=date(2025, 7, 1),
    )


def codes(store: Store) -> list[str]:
    with store.read() as conn:
        return [unit.code for unit in units.everything(conn)]


def test_it_works(store: Store) -> None:
    unit = store.write(lambda conn: add(conn, "89"))
    with store.read() as conn:
        assert unit == units.by_code(conn, "89")


def test_it_keeps_what_was_written_after_it_is_opened_again(database: str) -> None:
    with Store.open(database) as store:
        store.write(lambda conn: add(conn, "89"))
    with Store.open(database) as store:
        assert ["89"] == codes(store)


def test_it_makes_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    with Store.create(f"sqlite:///{path}", True, NOW) as store:
        store.write(lambda conn: add(conn, "89"))
        modes = {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.glob("new.sqlite*")}
        assert {0o600} == modes
        assert store.simulated is True


def test_it_refuses_to_create_over_a_database_that_exists(database: str) -> None:
    with pytest.raises(AtttError, match="ATTT-503"):
        Store.create(database, False, NOW)


def test_it_says_that_there_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(AtttError, match="ATTT-504"):
        Store.open(f"sqlite:///{tmp_path}/nothing.sqlite")
    assert [] == list(tmp_path.iterdir())


def test_it_refuses_a_file_that_is_not_a_database(tmp_path: Path) -> None:
    path = tmp_path / "attt.sqlite"
    path.write_bytes(b"this is a letter, not a database\n" * 100)
    with pytest.raises(AtttError, match="ATTT-505"):
        Store.open(f"sqlite:///{path}")


def test_it_refuses_a_database_of_somebody_else(tmp_path: Path) -> None:
    path = tmp_path / "attt.sqlite"
    path.touch()
    with pytest.raises(AtttError, match="ATTT-505"):
        Store.open(f"sqlite:///{path}", upgrade=True)


def test_it_refuses_a_database_of_another_version(database: str) -> None:
    with Store.open(database) as store:
        store.write(lambda conn: conn.execute(text("UPDATE alembic_version SET version_num='x'")))
    with pytest.raises(AtttError, match="ATTT-506"):
        Store.open(database)


def test_the_migrations_make_exactly_the_tables_of_the_schema(store: Store) -> None:
    with store.read() as conn:
        differences = compare_metadata(MigrationContext.configure(conn), schema.metadata)
    assert [] == differences


def test_the_schema_names_the_newest_revision() -> None:
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    assert head == schema.REVISION


def test_it_upgrades_without_losing_anything(database: str) -> None:
    with Store.open(database) as store:
        store.write(lambda conn: add(conn, "89"))
    with Store.open(database, upgrade=True) as store:
        assert ["89"] == codes(store)


def test_it_uses_the_durable_settings_of_sqlite(store: Store) -> None:
    def pragmas(conn: Connection) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return {name: conn.execute(text(f"PRAGMA {name}")).scalar() for name in names}

    # 2 is FULL
    assert {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1} == store.write(pragmas)


def test_a_reader_cannot_write(store: Store) -> None:
    with store.read() as conn, pytest.raises(OperationalError, match="readonly"):
        add(conn, "89")


def test_a_reader_sees_one_moment(store: Store) -> None:
    store.write(lambda conn: add(conn, "1"))
    with store.read() as conn:
        before = units.everything(conn)
        store.write(lambda conn: add(conn, "2"))
        assert before == units.everything(conn)
    assert ["1", "2"] == codes(store)


def test_a_failing_write_undoes_only_its_own_work(store: Store) -> None:
    def half(conn: Connection) -> None:
        add(conn, "half")
        raise ValueError("changed my mind")

    before, failed, after = in_one_batch(
        store, lambda conn: add(conn, "before"), half, lambda conn: add(conn, "after")
    )
    assert isinstance(before, Unit)
    assert isinstance(failed, ValueError)
    assert isinstance(after, Unit)
    assert ["after", "before"] == codes(store)


def test_it_hands_back_what_the_database_refuses(store: Store) -> None:
    store.write(lambda conn: add(conn, "89"))
    with pytest.raises(IntegrityError):
        store.write(lambda conn: add(conn, "89"))
    with pytest.raises(IntegrityError):  # foreign keys are checked
        store.write(
            lambda conn: units.change(conn, Unit(1, "89", "x", UnitKind.CITY, 7, date.max, None))
        )


def in_one_batch(store: Store, *writes: Callable[[Connection], object]) -> list[object]:
    """The results or exceptions of writes that the writer finds queued together."""
    hold, held = threading.Event(), threading.Event()

    def first(conn: Connection) -> None:
        held.set()
        assert hold.wait(10)

    async def together() -> list[object]:
        waiting: list[asyncio.Future[object]] = [store.write_async(first)]
        assert held.wait(10)
        waiting += [store.write_async(write) for write in writes]
        hold.set()
        return (await asyncio.gather(*waiting, return_exceptions=True))[1:]

    return asyncio.run(together())


def test_a_full_disk_stores_exactly_what_was_acknowledged(store: Store) -> None:
    def flood(conn: Connection) -> None:
        pages = conn.execute(text("PRAGMA page_count")).scalar_one()
        conn.execute(text(f"PRAGMA max_page_count={pages + 8}"))
        for number in range(1000):
            add(conn, f"flood-{number}-" + "x" * 40)

    before, full, after = in_one_batch(
        store, lambda conn: add(conn, "before"), flood, lambda conn: add(conn, "after")
    )
    assert isinstance(full, OperationalError)
    acknowledged = [unit.code for unit in (after, before) if isinstance(unit, Unit)]
    assert acknowledged == codes(store)
    # Once there is room again the same store goes on.
    store.write(lambda conn: conn.execute(text("PRAGMA max_page_count=1000000")))
    store.write(lambda conn: add(conn, "room"))
    assert "room" in codes(store)


def test_it_acknowledges_nothing_of_a_batch_whose_transaction_was_lost(store: Store) -> None:
    """SQLite may roll a whole transaction back by itself (a disk error, no memory)."""

    def lose(conn: Connection) -> None:
        conn.exec_driver_sql("ROLLBACK")
        raise OSError("disk I/O error")

    answers = in_one_batch(
        store, lambda conn: add(conn, "before"), lose, lambda conn: add(conn, "after")
    )
    assert [StoreFailed] * 3 == [type(answer) for answer in answers]
    assert [] == codes(store)
    store.write(lambda conn: add(conn, "again"))
    assert ["again"] == codes(store)


def test_it_says_that_it_is_busy_when_too_much_waits(database: str) -> None:
    hold, held = threading.Event(), threading.Event()

    def first(conn: Connection) -> None:
        held.set()
        assert hold.wait(10)

    async def crowd(store: Store) -> list[object]:
        waiting = [store.write_async(first)]
        assert held.wait(10)
        waiting += [store.write_async(lambda conn, n=n: add(conn, str(n))) for n in range(3)]
        with pytest.raises(StoreBusy) as refused:
            store.write_async(lambda conn: add(conn, "too many"))
        assert refused.value.permanent is False
        hold.set()
        return list(await asyncio.gather(*waiting))

    with Store.open(database, queue_limit=3) as store:
        asyncio.run(crowd(store))
        assert ["0", "1", "2"] == codes(store)


def test_many_threads_write_without_losing_anything(store: Store) -> None:
    def write_many(name: str) -> None:
        for number in range(20):
            store.write(partial(add, code=f"{name}.{number}"))

    threads = [threading.Thread(target=write_many, args=(f"{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 160 == len(codes(store))


def test_it_finishes_what_is_queued_before_it_closes(database: str) -> None:
    async def leave() -> None:
        store = Store.open(database)
        waiting = [store.write_async(lambda conn, n=n: add(conn, str(n))) for n in range(50)]
        store.close()
        await asyncio.gather(*waiting)

    asyncio.run(leave())
    with Store.open(database) as store:
        assert 50 == len(codes(store))


def test_it_takes_nothing_after_it_was_closed(database: str) -> None:
    store = Store.open(database)
    store.close()
    with pytest.raises(StoreClosed):
        store.write(lambda conn: add(conn, "late"))


def test_a_write_inside_a_write_is_refused_instead_of_waiting_for_ever(store: Store) -> None:
    with pytest.raises(RuntimeError, match="inside a write"):
        store.write(lambda _: store.write(lambda conn: add(conn, "89")))


def test_a_writer_that_is_stopped_from_inside_tells_who_waits_and_goes_on(store: Store) -> None:
    def stopped(_conn: Connection) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        store.write(stopped)
    assert 1 == store.write(lambda conn: conn.execute(text("SELECT 1")).scalar_one())


def test_a_store_that_cannot_be_opened_now_is_not_called_damaged(database: str) -> None:
    """As on a full disk: SQLite cannot make its side files, and the data is as good as before."""
    path = Path(database.removeprefix("sqlite:///"))
    Store.open(database).close()
    path.with_name(path.name + "-wal").mkdir()

    with pytest.raises(AtttError) as refused:
        Store.open(database)

    assert "ATTT-508" == refused.value.code
    assert "đừng khôi phục bản sao lưu cũ" in refused.value.remedy.vi
