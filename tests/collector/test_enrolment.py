"""Enrolment over the API: the IT officer of a commune joins devices with a code of the unit."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from attt_collector.app import build_app
from attt_collector.records import Unit, UnitKind
from attt_collector.settings import Settings
from attt_collector.store import assets, enrolment_codes, schema, units
from attt_collector.store.db import Store
from attt_rules.contract import ENROLMENT_SIGNING_CONTEXT, AssetKind, Envelope
from tests.collector.conftest import NOW, Answer, Client, Device

PATH = "/api/v1/enrolments"


def new_code(
    store: Store, unit: Unit, *, uses: int = 1, lifetime: timedelta = timedelta(days=7)
) -> str:
    code, _ = store.write(
        lambda conn: enrolment_codes.create(
            conn, unit_id=unit.id, created_by="an", now=NOW, uses=uses, lifetime=lifetime
        )
    )
    return code


def uses_of(store: Store, unit: Unit) -> int:
    with store.read() as conn:
        return sum(code.uses for code in enrolment_codes.of_unit(conn, unit.id))


def count_assets(store: Store) -> int:
    with store.read() as conn:
        return len(conn.execute(select(schema.asset.c.id)).all())


@contextmanager
def at(store: Store, moment: datetime) -> Iterator[Client]:
    app = build_app(store, clock=lambda: moment, ca_certificate=b"PEM", settings=Settings())
    yield Client(app)


def refused(answer: Answer, status: int, code: str) -> dict:
    assert (status, code) == (answer.status, answer.json["code"])
    assert answer.json["message"]["vi"]
    assert answer.json["message"]["en"]
    assert answer.json["remedy"]["vi"]
    return answer.json


def test_it_works(client: Client, store: Store, commune: Unit, device: Device) -> None:
    code = new_code(store, commune)
    answer = client.post_envelope(PATH, device.enrolment(code))
    assert 201 == answer.status
    assert {
        "device_id": device.device_id,
        "unit": {"code": "89.30133", "name": "UBND xã Phú Tân"},
        "collector_time": NOW.isoformat(),
        "simulated": False,
    } == answer.json
    with store.read() as conn:
        asset = assets.by_device_id(conn, device.device_id)
    assert asset is not None
    assert (commune.id, device.public_key, "PC-0417") == (
        asset.unit_id,
        asset.public_key,
        asset.name,
    )
    sent = client.post_envelope("/api/v1/snapshots", device.envelope(device.snapshot()))
    assert 202 == sent.status


def test_an_uncompressed_request_is_taken_too(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    code = new_code(store, commune)
    assert 201 == client.post(PATH, device.enrolment(code), encoding=None).status


def test_the_code_is_not_in_the_database(store: Store, commune: Unit) -> None:
    code = new_code(store, commune).replace("-", "")
    with store.read() as conn:
        row = conn.execute(select(schema.enrolment_code)).one()
    assert code not in " ".join(str(value) for value in row)


def test_a_code_may_be_typed_in_small_letters_without_dashes(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    code = new_code(store, commune).lower().replace("-", " ")
    assert 201 == client.post_envelope(PATH, device.enrolment(code)).status


def test_a_lost_answer_can_be_asked_for_again(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    code = new_code(store, commune)
    first = client.post_envelope(PATH, device.enrolment(code))
    again = client.post_envelope(PATH, device.enrolment(code))
    assert (201, 201) == (first.status, again.status)
    assert first.json == again.json
    assert (1, 1) == (uses_of(store, commune), count_assets(store))


def test_a_lost_answer_is_given_again_even_after_the_code_expired(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    code = new_code(store, commune)
    client.post_envelope(PATH, device.enrolment(code))
    with at(store, NOW + timedelta(days=8)) as later:
        assert 201 == later.post_envelope(PATH, device.enrolment(code)).status


def test_a_wrong_code_is_refused(client: Client, commune: Unit, device: Device) -> None:
    answer = client.post_envelope(PATH, device.enrolment("AAAA-BBBB"))
    assert "PC-0417" in refused(answer, 403, "ATTT-201")["message"]["vi"]


def test_a_used_code_is_refused_for_the_next_device(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    code = new_code(store, commune)
    client.post_envelope(PATH, device.enrolment(code))
    answer = client.post_envelope(PATH, Device("PC-2").enrolment(code))
    said = refused(answer, 403, "ATTT-202")
    assert "enrol-code 89.30133" in said["remedy"]["vi"]
    assert 1 == count_assets(store)


def test_a_code_for_three_devices_takes_three(client: Client, store: Store, commune: Unit) -> None:
    code = new_code(store, commune, uses=3)
    answers = [client.post_envelope(PATH, Device(f"PC-{n}").enrolment(code)) for n in range(4)]
    assert [201, 201, 201, 403] == [answer.status for answer in answers]


def test_an_expired_code_is_refused_with_its_date(
    store: Store, commune: Unit, device: Device
) -> None:
    code = new_code(store, commune)
    with at(store, NOW + timedelta(days=7)) as later:
        answer = later.post_envelope(PATH, device.enrolment(code))
    said = refused(answer, 403, "ATTT-204")
    assert "29/11/2026" in said["message"]["vi"]
    assert "2026-11-29" in said["message"]["en"]
    assert 0 == count_assets(store)


def test_an_expired_code_is_dated_by_the_day_in_vietnam(
    store: Store, commune: Unit, device: Device
) -> None:
    midnight = NOW.replace(hour=17)  # the 23rd begins in Vietnam
    code = new_code(store, commune, lifetime=midnight - NOW)
    with at(store, midnight) as later:
        answer = later.post_envelope(PATH, device.enrolment(code))
    said = refused(answer, 403, "ATTT-204")
    assert "hết hạn lúc 00:00 ngày 23/11/2026" in said["message"]["vi"]
    assert "expired on 2026-11-23 at 00:00 (Vietnam time)" in said["message"]["en"]


def test_a_retired_device_does_not_come_back_by_itself(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    asset = device.enrolled(store, commune)
    store.write(lambda conn: assets.retire(conn, asset.id, NOW))
    answer = client.post_envelope(PATH, device.enrolment(new_code(store, commune)))
    refused(answer, 403, "ATTT-205")


def test_a_code_of_another_unit_never_moves_a_device(
    client: Client, store: Store, province: Unit, commune: Unit, device: Device
) -> None:
    device.enrolled(store, commune)
    other = store.write(
        lambda conn: units.add(
            conn,
            code="89.30140",
            name="UBND xã Chợ Vàm",
            kind=UnitKind.COMMUNE,
            parent_id=province.id,
            valid_from=date(2025, 7, 1),
        )
    )
    answer = client.post_envelope(PATH, device.enrolment(new_code(store, other)))
    said = refused(answer, 409, "ATTT-203")
    assert "UBND xã Phú Tân" in said["message"]["vi"]
    assert "UBND xã Chợ Vàm" in said["message"]["vi"]
    with store.read() as conn:
        asset = assets.by_device_id(conn, device.device_id)
    assert asset is not None
    assert (commune.id, 0) == (asset.unit_id, uses_of(store, other))


def test_a_second_code_of_the_same_unit_changes_nothing(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    device.enrolled(store, commune)
    answer = client.post_envelope(PATH, device.enrolment(new_code(store, commune)))
    assert 201 == answer.status
    assert (0, 1) == (uses_of(store, commune), count_assets(store))


def test_two_devices_with_one_name_stay_two(client: Client, store: Store, commune: Unit) -> None:
    code = new_code(store, commune, uses=2)
    for _ in range(2):
        assert 201 == client.post_envelope(PATH, Device("MAYTINH").enrolment(code)).status
    assert 2 == count_assets(store)


def test_the_request_must_be_signed_with_the_key_it_names(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    code = new_code(store, commune)
    body = Envelope.from_bytes(device.enrolment(code)).body
    thief = Device("PC-9999").seal(ENROLMENT_SIGNING_CONTEXT, body)
    for raw in (
        thief.to_bytes(),
        Envelope(device.device_id, thief.signature, body).to_bytes(),
    ):
        refused(client.post_envelope(PATH, raw), 401, "ATTT-207")
    assert 0 == count_assets(store)


def test_a_device_cannot_choose_its_own_id(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    body = json.loads(Envelope.from_bytes(device.enrolment(new_code(store, commune))).body)
    body["asset"]["device_id"] = "pc-of-the-chairman"
    raw = device.seal(ENROLMENT_SIGNING_CONTEXT, json.dumps(body).encode()).to_bytes()
    refused(client.post_envelope(PATH, raw), 401, "ATTT-207")


@pytest.mark.parametrize("kind", [AssetKind.NETWORK_DEVICE, AssetKind.SITE])
def test_only_a_pc_or_a_server_enrols_itself(
    client: Client, store: Store, commune: Unit, kind: AssetKind
) -> None:
    raw = Device("X", kind).enrolment(new_code(store, commune))
    refused(client.post_envelope(PATH, raw), 422, "ATTT-206")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", ""),
        ("code", None),
        ("public_key", base64.b64encode(b"short").decode()),
        ("public_key", "not base64!"),
        ("requested_at", "2026-11-22T08:00:00"),
        ("contract", 2),
        ("asset", []),
    ],
)
def test_a_broken_request_is_refused(
    client: Client, store: Store, commune: Unit, device: Device, field: str, value: object
) -> None:
    body = json.loads(Envelope.from_bytes(device.enrolment(new_code(store, commune))).body)
    body[field] = value
    raw = device.seal(ENROLMENT_SIGNING_CONTEXT, json.dumps(body).encode()).to_bytes()
    refused(client.post_envelope(PATH, raw), 422, "ATTT-206")


def test_a_snapshot_signature_is_not_an_enrolment_signature(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    body = Envelope.from_bytes(device.enrolment(new_code(store, commune))).body
    raw = device.seal(b"attt-snapshot-1\n", body).to_bytes()
    refused(client.post_envelope(PATH, raw), 401, "ATTT-207")


def test_a_simulated_device_never_joins_a_real_collector(
    client: Client, store: Store, commune: Unit, device: Device
) -> None:
    raw = device.enrolment(new_code(store, commune), simulated=True)
    refused(client.post_envelope(PATH, raw), 409, "ATTT-208")


def test_an_oversized_request_is_refused(client: Client) -> None:
    body = gzip.compress(b"x" * (2 * 1024 * 1024))
    refused(client.post(PATH, body), 413, "ATTT-211")


def test_pruning_keeps_used_and_running_codes(
    store: Store, client: Client, commune: Unit, device: Device
) -> None:
    client.post_envelope(PATH, device.enrolment(new_code(store, commune)))
    new_code(store, commune)
    new_code(store, commune, lifetime=timedelta(days=365))
    later = NOW + timedelta(days=98)
    assert 1 == store.write(lambda conn: enrolment_codes.prune(conn, later))
    with store.read() as conn:
        left = enrolment_codes.of_unit(conn, commune.id)
    assert [0, 1] == [code.uses for code in left]
