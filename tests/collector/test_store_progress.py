"""The mark that tells whether something new is stored."""

from __future__ import annotations

from attt_collector.store import assets, progress
from attt_collector.store.db import Store
from tests.collector.conftest import NOW, Device, add_commune


def test_it_works(store: Store) -> None:
    def mark() -> tuple[int, ...]:
        with store.read() as conn:
            return progress.mark(conn)

    empty = mark()
    assert (0, 0, 0, 0) == empty
    unit = store.write(add_commune)
    with_unit = mark()
    assert with_unit > empty
    asset = Device().enrolled(store, unit)
    with_asset = mark()
    assert with_asset > with_unit
    store.write(lambda conn: assets.retire(conn, asset.id, NOW))
    assert with_asset == mark()
