"""`assets`: what is enrolled, and what a person does when a machine leaves or moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from attt_collector.cli import collector
from attt_collector.judge.receive import receive
from attt_collector.records import Asset, Unit, UnitKind
from attt_collector.settings import CollectorFolder
from attt_collector.store import assets, enrolment_codes, units
from attt_collector.store.db import Store
from attt_rules.contract import AssetKind
from attt_rules.errors import AtttError
from tests.collector.conftest import NOW, Device

ENROLLED = datetime(2025, 7, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a fresh collector: keys and migrations are made once."""
    folder = tmp_path_factory.mktemp("cli") / "collector"
    said(folder, "init")
    return {name: (folder / name).read_bytes() for name in ("collector.toml", "attt.sqlite")}


@pytest.fixture
def folder(tmp_path: Path, initialised: dict[str, bytes]) -> Path:
    for name, content in initialised.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with Store.open(CollectorFolder(folder).database_url) as opened:
        yield opened


@pytest.fixture
def phu_tan(store: Store) -> Unit:
    return add_unit(store, "89.1", "UBND xã Phú Tân")


@pytest.fixture
def cho_vam(store: Store) -> Unit:
    return add_unit(store, "89.2", "UBND xã Chợ Vàm")


def add_unit(store: Store, code: str, name: str, until: date | None = None) -> Unit:
    return store.write(
        lambda conn: units.add(
            conn,
            code=code,
            name=name,
            kind=UnitKind.COMMUNE,
            parent_id=None,
            valid_from=date(2025, 7, 1),
            valid_until=until,
        )
    )


def add_firewall(store: Store, unit: Unit, name: str) -> Asset:
    return store.write(
        lambda conn: assets.enrol(
            conn,
            device_id=f"snmp-{name}",
            unit_id=unit.id,
            kind=AssetKind.NETWORK_DEVICE,
            name=name,
            public_key=None,
            at=ENROLLED,
        )
    )


def run(folder: Path, *words: str, answer: str = "") -> Result:
    return CliRunner().invoke(collector, ["--data", str(folder), *words], input=answer)


def said(folder: Path, *words: str, answer: str = "") -> str:
    result = run(folder, *words, answer=answer)
    assert 0 == result.exit_code, result.output
    return result.output


def refused(folder: Path, *words: str) -> AtttError:
    result = run(folder, *words)
    assert isinstance(result.exception, AtttError), result.output
    return result.exception


def listed(folder: Path, *words: str) -> list[list[str]]:
    return [line.split("\t") for line in said(folder, "assets", "list", *words).splitlines()]


def asset_of(store: Store, device: Device) -> Asset:
    with store.read() as conn:
        found = assets.by_device_id(conn, device.device_id)
    assert found is not None
    return found


def test_it_works(folder: Path, store: Store, phu_tan: Unit, device: Device) -> None:
    device.enrolled(store, phu_tan, ENROLLED)
    assert [[device.device_id, "PC-0417", "Máy vi tính", "89.1", "chưa lần nào"]] == listed(folder)


def test_the_list_shows_the_last_contact_in_vietnams_time(
    folder: Path, store: Store, phu_tan: Unit, device: Device
) -> None:
    device.enrolled(store, phu_tan, ENROLLED)
    receive(store, device.envelope(device.snapshot()), NOW)
    assert "08:00 22/11/2026" == listed(folder)[0][4]


def test_the_list_marks_devices_of_one_unit_with_the_same_name(
    folder: Path, store: Store, phu_tan: Unit, cho_vam: Unit
) -> None:
    for name in ("PC-1", "pc-1", "PC-2"):
        Device(name).enrolled(store, phu_tan, ENROLLED)
    Device("PC-1").enrolled(store, cho_vam, ENROLLED)
    marks = [(row[1], row[3], row[5:]) for row in listed(folder)]
    assert [
        ("PC-1", "89.1", ["TRÙNG TÊN"]),
        ("pc-1", "89.1", ["TRÙNG TÊN"]),
        ("PC-2", "89.1", []),
        ("PC-1", "89.2", []),
    ] == marks


def test_the_list_of_a_unit_holds_its_devices_only(
    folder: Path, store: Store, phu_tan: Unit, cho_vam: Unit
) -> None:
    Device("PC-1").enrolled(store, phu_tan, ENROLLED)
    Device("PC-2").enrolled(store, cho_vam, ENROLLED)
    assert ["PC-2"] == [row[1] for row in listed(folder, "--unit", "89.2")]
    assert "ATTT-520" == refused(folder, "assets", "list", "--unit", "nowhere").code


def test_the_list_holds_what_stands_in_a_unit_that_has_ended(
    folder: Path, store: Store, device: Device
) -> None:
    ended = add_unit(store, "cu", "UBND xã Cũ", until=date(2025, 8, 1))
    device.enrolled(store, ended, ENROLLED)
    assert ["cu"] == [row[3] for row in listed(folder)]
    assert ["cu"] == [row[3] for row in listed(folder, "--unit", "cu")]


def test_a_site_is_not_listed(folder: Path, store: Store, phu_tan: Unit) -> None:
    store.write(lambda conn: assets.ensure_site(conn, phu_tan, ENROLLED))
    assert [] == listed(folder)


def test_retiring_says_what_changes_and_takes_the_device_out(
    folder: Path, store: Store, phu_tan: Unit, device: Device
) -> None:
    device.enrolled(store, phu_tan, ENROLLED)
    Device("PC-2").enrolled(store, phu_tan, ENROLLED)
    output = said(folder, "assets", "retire", device.device_id, answer="y\n")
    assert "PC-0417 (máy vi tính" in output
    assert "máy vi tính của UBND xã Phú Tân: 2 → 1" in output
    assert "ATTT-205" in output
    assert ["PC-2"] == [row[1] for row in listed(folder)]
    assert asset_of(store, device).retired_at is not None


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_nothing_changes_without_a_yes(
    folder: Path, store: Store, phu_tan: Unit, cho_vam: Unit, device: Device, answer: str
) -> None:
    before = device.enrolled(store, phu_tan, ENROLLED)
    assert 1 == run(folder, "assets", "retire", device.device_id, answer=answer).exit_code
    moving = run(folder, "assets", "move", device.device_id, "--unit", "89.2", answer=answer)
    assert 1 == moving.exit_code
    assert before == asset_of(store, device)


def test_yes_is_not_asked_for_twice(
    folder: Path, store: Store, phu_tan: Unit, cho_vam: Unit, device: Device
) -> None:
    device.enrolled(store, phu_tan, ENROLLED)
    moved = said(folder, "assets", "move", device.device_id, "--unit", "89.2", "--yes")
    retired = said(folder, "assets", "retire", device.device_id, "--yes")
    assert "[y/N]" not in moved + retired
    assert [] == listed(folder)


def test_retiring_a_network_device_says_that_its_site_loses_it(
    folder: Path, store: Store, phu_tan: Unit
) -> None:
    firewall = add_firewall(store, phu_tan, "FW-1")
    output = said(folder, "assets", "retire", firewall.device_id, "--yes")
    assert "kết quả của trụ sở UBND xã Phú Tân không dựa vào thiết bị này nữa" in output


def test_moving_says_what_changes_and_the_device_goes_on_reporting(
    folder: Path, store: Store, phu_tan: Unit, cho_vam: Unit, device: Device
) -> None:
    device.enrolled(store, phu_tan, ENROLLED)
    output = said(folder, "assets", "move", device.device_id, "--unit", "89.2", answer="y\n")
    assert "UBND xã Phú Tân: 1 → 0; của UBND xã Chợ Vàm: 0 → 1" in output
    assert "chưa lưu lịch sử chuyển đơn vị" in output
    receive(store, device.envelope(device.snapshot()), NOW)
    moved = asset_of(store, device)
    assert (cho_vam.id, device.public_key, NOW) == (
        moved.unit_id,
        moved.public_key,
        moved.last_received_at,
    )


def test_moving_warns_of_a_namesake(
    folder: Path, store: Store, phu_tan: Unit, cho_vam: Unit, device: Device
) -> None:
    device.enrolled(store, phu_tan, ENROLLED)
    words = ("assets", "move", device.device_id, "--unit", "89.2")
    assert "sẽ trùng tên" not in run(folder, *words, answer="n\n").output
    Device("pc-0417").enrolled(store, cho_vam, ENROLLED)
    assert "UBND xã Chợ Vàm đã có máy tên PC-0417: sẽ trùng tên" in said(folder, *words, "--yes")


def test_moving_a_polled_device_says_how_to_poll_it_then(
    folder: Path, store: Store, phu_tan: Unit, cho_vam: Unit
) -> None:
    firewall = add_firewall(store, phu_tan, "FW-1")
    output = said(folder, "assets", "move", firewall.device_id, "--unit", "89.2", "--yes")
    assert "lần đọc SNMP sau ghi --unit 89.2" in output


def test_the_remedy_of_a_refused_enrolment_is_a_command_that_works(
    folder: Path, store: Store, phu_tan: Unit, cho_vam: Unit, device: Device
) -> None:
    device.enrolled(store, phu_tan, ENROLLED)
    code, _ = store.write(
        lambda conn: enrolment_codes.create(
            conn, unit_id=cho_vam.id, created_by="an", now=NOW, uses=1
        )
    )

    def join() -> None:
        store.write(
            lambda conn: enrolment_codes.redeem(conn, code, device.ref, device.public_key, NOW)
        )

    with pytest.raises(AtttError) as caught:
        join()
    assert "ATTT-203" == caught.value.code
    assert caught.value.remedy is not None
    vietnamese, english = (
        text.split(f"{mark}attt-collector ")[1].split(end)[0].split()
        for text, mark, end in (
            (caught.value.remedy.vi, "«", "»"),
            (caught.value.remedy.en, '"', '"'),
        )
    )
    assert vietnamese == english
    said(folder, *vietnamese, "--yes")
    assert cho_vam.id == asset_of(store, device).unit_id
    join()


def test_an_unknown_id_is_refused(folder: Path, phu_tan: Unit) -> None:
    for words in (("retire", "nobody"), ("move", "nobody", "--unit", "89.1")):
        error = refused(folder, "assets", *words, "--yes")
        assert "ATTT-560" == error.code
        assert "nobody" in error.message.vi


def test_a_retired_device_is_neither_retired_again_nor_moved(
    folder: Path, store: Store, phu_tan: Unit, cho_vam: Unit, device: Device
) -> None:
    asset = device.enrolled(store, phu_tan, ENROLLED)
    store.write(lambda conn: assets.retire(conn, asset.id, NOW.replace(hour=17)))
    for words in (("retire", device.device_id), ("move", device.device_id, "--unit", "89.2")):
        error = refused(folder, "assets", *words, "--yes")
        assert "ATTT-561" == error.code
        assert "23/11/2026" in error.message.vi


def test_a_site_is_no_machine(folder: Path, store: Store, phu_tan: Unit) -> None:
    site = store.write(lambda conn: assets.ensure_site(conn, phu_tan, ENROLLED))
    assert "ATTT-562" == refused(folder, "assets", "retire", site.device_id, "--yes").code


def test_a_move_needs_another_unit_that_is_there_today(
    folder: Path, store: Store, phu_tan: Unit, device: Device
) -> None:
    device.enrolled(store, phu_tan, ENROLLED)
    add_unit(store, "cu", "UBND xã Cũ", until=date(2025, 8, 1))
    codes = {
        unit: refused(folder, "assets", "move", device.device_id, "--unit", unit, "--yes").code
        for unit in ("89.1", "cu", "nowhere")
    }
    assert {"89.1": "ATTT-563", "cu": "ATTT-564", "nowhere": "ATTT-520"} == codes


def test_it_speaks_english_when_the_settings_say_so(
    folder: Path, store: Store, phu_tan: Unit, cho_vam: Unit
) -> None:
    settings = folder / "collector.toml"
    text = settings.read_text("utf-8").replace('language = "vi"', 'language = "en"')
    settings.write_text(text, encoding="utf-8")
    devices = [Device("PC-1"), Device("PC-1")]
    for device in devices:
        device.enrolled(store, phu_tan, ENROLLED)
    assert ["PC", "89.1", "never", "SAME NAME"] == listed(folder)[0][2:]
    words = ("assets", "move", devices[0].device_id, "--unit", "89.2", "--yes")
    assert "PC of UBND xã Phú Tân: 2 → 1; of UBND xã Chợ Vàm: 0 → 1" in said(folder, *words)
    assert "PC-1 is retired." in said(folder, "assets", "retire", devices[1].device_id, "--yes")
