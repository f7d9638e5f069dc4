"""Names stand as their owners write them, and numbers as the language of the page does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Connection

from attt_collector.judge.receive import receive_polled
from attt_collector.records import UnitKind
from attt_collector.store import assets, units
from attt_collector.store.db import Store
from attt_rules.contract import AssetKind, AssetRef, Fact, Snapshot
from tests.collector.web.conftest import (
    ENROLLED,
    NOW,
    SOURCE,
    Clock,
    Visitor,
    add_pc,
    fill,
    firewall_facts,
    serving,
)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """The reviewer of a province with names in small letters, and with large numbers."""
    path = tmp_path_factory.mktemp("named") / "attt.sqlite"
    with Store.create(f"sqlite:///{path}", False, ENROLLED) as store:
        fill(store)

        def small(conn: Connection) -> int:
            unit = units.by_code(conn, "89.1")
            units.change(conn, replace(unit, name="văn phòng xã"))
            return unit.id

        def third(conn: Connection) -> int:
            return units.add(
                conn,
                code="89.3",
                name="UBND xã Ba",
                kind=UnitKind.COMMUNE,
                parent_id=units.by_code(conn, "89").id,
                valid_from=date(2025, 7, 1),
            ).id

        add_pc(store, store.write(small), "vm", "dev-vm", False)
        unit_id = store.write(third)
        for name in ("dev-b3", "dev-b4"):
            add_pc(store, unit_id, name, name, False)
        said = (
            *firewall_facts(False, NOW),
            Fact("updates.pending_packages", NOW, SOURCE, value=12345),
            Fact("time_sync.offset_seconds", NOW, SOURCE, value=0.125),
        )
        with store.read() as conn:
            asset = assets.by_device_id(conn, "dev-b3")
        assert asset is not None
        reference = AssetRef("dev-b3", AssetKind.PC, "dev-b3")
        receive_polled(store, asset, Snapshot("new", reference, NOW, "a test", said), NOW)
        with serving(store, Clock(), path.parent) as running:
            visitor = Visitor(running)
            visitor.log_in("tinh")
            yield visitor


def test_a_name_is_never_written_otherwise(named: Visitor) -> None:
    device = named.get("/thiet-bi/dev-vm").html
    assert "<title>vm · attt</title>" in device
    assert '<h1 class="page-title">vm</h1>' in device
    unit = named.get("/don-vi/89.1").html
    assert '<h1 class="page-title">văn phòng xã</h1>' in unit
    for path in (
        "/",
        "/thiet-bi",
        "/chi-tieu/CT-07",
        "/quy-tac/tuong-lua.may-bat",
        "/thiet-bi/dev-vm",
    ):
        text = named.get(path).text
        assert "Vm" not in text, path
        assert "Văn phòng xã" not in text, path


def test_no_share_is_shown_of_what_is_all_unknown(named: Visitor) -> None:
    for path in ("/don-vi/89.2", "/chi-tieu?don-vi=89.2"):
        card = re.search(r"CT-07.*?</a>", named.get(path).html, re.DOTALL)
        assert card is not None
        assert "chưa xác định</span>" in card[0]
        assert "%</span>" not in card[0]
    assert "0/1 máy chưa xác định" in named.get("/chi-tieu/CT-07?don-vi=89.2").text
    assert "0/2 máy 0%" in named.get("/chi-tieu/CT-07?don-vi=89.3").text


def test_english_pages_have_english_numbers(named: Visitor) -> None:
    named.post_with_token("/ngon-ngu", {"ngon_ngu": "en"})
    try:
        text = named.get("/").text
        device = named.get("/thiet-bi/dev-b3").text
    finally:
        named.post_with_token("/ngon-ngu", {"ngon_ngu": "vi"})
    assert "1/8 machines 12.5%" in text
    assert "12,345 " in device
    assert "0.125 " in device
    assert "12,5%" in named.get("/").text
    assert "12.345 " in named.get("/thiet-bi/dev-b3").text
