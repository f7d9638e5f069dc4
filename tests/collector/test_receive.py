"""Taking in a snapshot: what is kept, what is judged, and every reason to refuse."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from attt_collector.judge.evaluate import assess
from attt_collector.judge.receive import receive, receive_polled, unpack
from attt_collector.records import Unit
from attt_collector.store import assets, findings, schema, snapshots, units
from attt_collector.store.db import Store
from attt_rules.contract import (
    ENROLMENT_SIGNING_CONTEXT,
    MAX_BODY_BYTES,
    SNAPSHOT_SIGNING_CONTEXT,
    AssetKind,
    Envelope,
    Status,
)
from attt_rules.errors import AtttError
from attt_rules.pack import for_date
from tests.collector.conftest import NOW, Device, add_commune

PACK = for_date(NOW.date()).id
FIREWALL = "tuong-lua.may-bat"


def facts(device: Device, *, firewall: bool):
    return (
        device.fact("firewall.profiles", ("host",)),
        device.fact("firewall.enabled", firewall, "host"),
        device.fact("firewall.inbound_blocked", firewall, "host"),
    )


def stored_count(store: Store) -> int:
    with store.read() as conn:
        return conn.execute(select(func.count()).select_from(schema.snapshot)).scalar_one()


def statuses(store: Store, asset_id: int) -> dict[str, Status]:
    with store.read() as conn:
        now = findings.current(conn, [asset_id], PACK).get(asset_id, ())
    return {state.rule_id: state.status for state in now}


def refusal(store: Store, raw: bytes) -> AtttError:
    with pytest.raises(AtttError) as refused:
        receive(store, raw, NOW)
    assert 0 == stored_count(store)
    return refused.value


def test_it_works(store: Store, commune: Unit, device: Device) -> None:
    asset = device.enrolled(store, commune)
    snapshot = device.snapshot(*facts(device, firewall=True))
    raw = device.envelope(snapshot)

    receipt = receive(store, raw, NOW)

    assert (snapshot.snapshot_id, NOW, True) == (
        receipt.snapshot_id,
        receipt.received_at,
        receipt.is_new,
    )
    with store.read() as conn:
        stored, said = snapshots.latest_facts(conn, [asset.id], NOW)[asset.id]
        assert raw == snapshots.evidence(conn, stored.id)
        assert NOW == assets.by_id(conn, asset.id).last_received_at
    assert snapshot.facts == said
    assert Status.PASS is statuses(store, asset.id)[FIREWALL]


def test_it_keeps_the_compressed_bytes_as_they_came(
    store: Store, commune: Unit, device: Device
) -> None:
    device.enrolled(store, commune)
    raw = device.envelope(device.snapshot())
    as_it_came = gzip.compress(raw, compresslevel=1, mtime=12345)
    receive(store, raw, NOW, compressed=as_it_came)
    with store.read() as conn:
        assert as_it_came == conn.execute(select(schema.snapshot.c.evidence)).scalar_one()


def test_every_rule_for_a_pc_gets_a_finding_and_silence_is_unknown(
    store: Store, commune: Unit, device: Device
) -> None:
    asset = device.enrolled(store, commune)
    receive(store, device.envelope(device.snapshot()), NOW)
    rules = for_date(NOW.date()).rules.values()
    expected = {rule.id for rule in rules if AssetKind.PC in rule.applies_to}
    found = statuses(store, asset.id)
    assert expected == set(found)
    assert Status.PASS not in found.values()


def test_the_same_snapshot_again_is_acknowledged_and_kept_once(
    store: Store, commune: Unit, device: Device
) -> None:
    device.enrolled(store, commune)
    raw = device.envelope(device.snapshot())
    first = receive(store, raw, NOW)
    second = receive(store, raw, NOW + timedelta(hours=1))
    assert (True, False) == (first.is_new, second.is_new)
    assert first.received_at == second.received_at
    assert 1 == stored_count(store)


def test_other_content_under_the_same_snapshot_id_is_refused(
    store: Store, commune: Unit, device: Device
) -> None:
    device.enrolled(store, commune)
    one = device.snapshot(*facts(device, firewall=True), snapshot_id="same")
    other = device.snapshot(*facts(device, firewall=False), snapshot_id="same")
    receive(store, device.envelope(one), NOW)
    with pytest.raises(AtttError, match="ATTT-220"):
        receive(store, device.envelope(other), NOW)
    assert 1 == stored_count(store)


def test_a_change_of_state_begins_a_new_interval(
    store: Store, commune: Unit, device: Device
) -> None:
    asset = device.enrolled(store, commune)
    for hour, firewall in enumerate((True, True, False)):
        at = NOW + timedelta(hours=hour)
        snapshot = device.snapshot(*facts(device, firewall=firewall), taken_at=at)
        receive(store, device.envelope(snapshot), at)
    with store.read() as conn:
        intervals = findings.history(conn, asset.id, PACK)
    two = NOW + timedelta(hours=2)
    mine = [(each.status, each.since, each.until) for each in intervals if each.rule_id == FIREWALL]
    assert [(Status.PASS, NOW, two), (Status.FAIL, two, None)] == mine


def test_what_a_spool_delivers_late_is_evidence_but_not_the_present_state(
    store: Store, commune: Unit, device: Device
) -> None:
    asset = device.enrolled(store, commune, at=NOW - timedelta(days=30))
    new = device.snapshot(*facts(device, firewall=True), taken_at=NOW)
    old = device.snapshot(*facts(device, firewall=False), taken_at=NOW - timedelta(days=3))
    receive(store, device.envelope(new), NOW)
    receive(store, device.envelope(old), NOW + timedelta(minutes=1))
    assert 2 == stored_count(store)
    assert Status.PASS is statuses(store, asset.id)[FIREWALL]


def test_a_clock_in_the_future_is_accepted_and_recorded_but_does_not_win(
    store: Store, commune: Unit, device: Device
) -> None:
    asset = device.enrolled(store, commune)
    ahead = device.snapshot(*facts(device, firewall=True), taken_at=NOW + timedelta(days=400))
    receive(store, device.envelope(ahead), NOW)
    with store.read() as conn:
        assert 400 * 86400.0 == assets.by_id(conn, asset.id).clock_skew_seconds
    mended = device.snapshot(*facts(device, firewall=False), taken_at=NOW + timedelta(hours=1))
    receive(store, device.envelope(mended), NOW + timedelta(hours=1))
    assert Status.FAIL is statuses(store, asset.id)[FIREWALL]


def test_a_clock_that_fell_back_to_2010_does_not_freeze_the_last_good_state(
    store: Store, commune: Unit, device: Device
) -> None:
    asset = device.enrolled(store, commune)
    receive(store, device.envelope(device.snapshot(*facts(device, firewall=True))), NOW)
    behind = device.snapshot(*facts(device, firewall=False), taken_at=NOW.replace(year=2010))
    receive(store, device.envelope(behind), NOW + timedelta(hours=1))
    assert Status.FAIL is statuses(store, asset.id)[FIREWALL]


def test_a_snapshot_older_than_a_month_is_kept_but_proves_nothing(
    store: Store, commune: Unit, device: Device
) -> None:
    asset = device.enrolled(store, commune, at=NOW - timedelta(days=100))
    old = device.snapshot(*facts(device, firewall=True), taken_at=NOW - timedelta(days=30, hours=1))
    receive(store, device.envelope(old), NOW)
    assert {Status.UNKNOWN} == set(statuses(store, asset.id).values())


def test_a_clock_further_behind_than_any_spool_is_told_by_the_arrival(
    store: Store, commune: Unit, device: Device
) -> None:
    asset = device.enrolled(store, commune, at=NOW - timedelta(days=400))
    receive(store, device.envelope(device.snapshot(*facts(device, firewall=True))), NOW)
    assert Status.PASS is statuses(store, asset.id)[FIREWALL]
    day = timedelta(days=1)
    behind = device.snapshot(*facts(device, firewall=False), taken_at=NOW - 99 * day)
    receive(store, device.envelope(behind), NOW + day)
    assert Status.FAIL is statuses(store, asset.id)[FIREWALL]


def test_unknown_facts_of_a_newer_agent_are_kept(
    store: Store, commune: Unit, device: Device
) -> None:
    asset = device.enrolled(store, commune)
    snapshot = device.snapshot(device.fact("quantum.shield_count", 3))
    wire = snapshot.to_wire() | {"colour": "blue"}
    envelope = device.seal(SNAPSHOT_SIGNING_CONTEXT, json.dumps(wire).encode())
    receive(store, envelope.to_bytes(), NOW)
    with store.read() as conn:
        assert snapshot.facts == snapshots.latest_facts(conn, [asset.id], NOW)[asset.id][1]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "ATTT-213"),
        (b"GET / HTTP/1.1\r\n\r\n", "ATTT-213"),
        (b"\x00\xff\xfe\n{}", "ATTT-213"),
        (b"[" * 4000 + b"\n{}", "ATTT-213"),
        (b'{"other": 1}\n{}', "ATTT-213"),
        (b'{"attt":1,"device_id":"x","signature":"y"}', "ATTT-212"),
        (b'{"attt":1,"device_id":"x","signature":"y"}\n', "ATTT-212"),
        (b'{"attt":1,"device_id":"x","sign', "ATTT-212"),
        (b'{"attt":1,"device_id":"x"}\n{}', "ATTT-214"),
        (b'{"attt":1,"device_id":"x","signature":""}\n{}', "ATTT-214"),
        (b'{"attt":1,"device_id":"x","signature":"y"}\n{}', "ATTT-215"),
        (b"x" * (MAX_BODY_BYTES + 1), "ATTT-211"),
    ],
)
def test_what_is_not_a_signed_envelope_is_refused(store: Store, raw: bytes, code: str) -> None:
    assert code == refusal(store, raw).code


def test_an_unknown_device_may_come_again_after_it_has_enrolled(
    store: Store, commune: Unit, device: Device
) -> None:
    raw = device.envelope(device.snapshot())
    refused = refusal(store, raw)
    assert ("ATTT-215", False) == (refused.code, refused.permanent)
    assert "chưa ghi danh" in refused.message.vi
    device.enrolled(store, commune)
    receive(store, raw, NOW)
    assert 1 == stored_count(store)


def test_a_retired_device_is_refused(store: Store, commune: Unit, device: Device) -> None:
    asset = device.enrolled(store, commune)
    store.write(lambda conn: assets.retire(conn, asset.id, NOW))
    refused = refusal(store, device.envelope(device.snapshot()))
    assert "ATTT-205" == refused.code
    assert "22/11/2026" in refused.message.vi


def test_a_changed_byte_breaks_the_signature(store: Store, commune: Unit, device: Device) -> None:
    device.enrolled(store, commune)
    raw = device.envelope(device.snapshot(*facts(device, firewall=False)))
    assert "ATTT-216" == refusal(store, raw.replace(b"false", b"true ")).code


def test_the_key_of_another_device_signs_nothing_for_this_one(
    store: Store, commune: Unit, device: Device
) -> None:
    device.enrolled(store, commune)
    thief = Device("PC-9999")
    stolen = thief.seal(SNAPSHOT_SIGNING_CONTEXT, device.snapshot().to_json())
    raw = Envelope(device.device_id, stolen.signature, stolen.body).to_bytes()
    assert "ATTT-216" == refusal(store, raw).code


def test_a_signature_for_another_purpose_is_refused(
    store: Store, commune: Unit, device: Device
) -> None:
    device.enrolled(store, commune)
    raw = device.seal(ENROLMENT_SIGNING_CONTEXT, device.snapshot().to_json()).to_bytes()
    assert "ATTT-216" == refusal(store, raw).code


def test_a_device_cannot_speak_for_another(store: Store, commune: Unit, device: Device) -> None:
    device.enrolled(store, commune)
    other = Device("PC-2")
    raw = device.envelope(other.snapshot())
    assert "ATTT-219" == refusal(store, raw).code


def change(path: list[object], value: object) -> Callable[[dict], None]:
    def apply(wire: dict) -> None:
        here = wire
        for step in path[:-1]:
            here = here[step]
        if value is KeyError:
            del here[path[-1]]
        else:
            here[path[-1]] = value

    return apply


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        (change(["contract"], 99), "snapshot"),
        (change(["facts"], KeyError), "facts"),
        (change(["taken_at"], "yesterday"), "taken_at"),
        (change(["taken_at"], 0), "taken_at"),
        (change(["taken_at"], "2026-11-22T08:00:00"), "snapshot"),
        (change(["asset", "kind"], "toaster"), "asset.kind"),
        (change(["asset", "name"], ""), "asset"),
        (change(["facts", 1, "value"], {"a": 1}), "facts[1] firewall.enabled host"),
        (change(["facts", 1, "read_at"], None), "facts[1] firewall.enabled host"),
        (change(["facts", 1, "key"], "No Key"), "facts[1] No Key host"),
        (change(["facts", 2, "unreadable"], "tired"), "facts[2] firewall.inbound_blocked host"),
        (change(["facts", 1], 7), "facts[1]"),
        (change(["facts", 2, "key"], "firewall.enabled"), "snapshot"),
        (change(["simulated"], "yes"), "simulated"),
    ],
)
def test_a_broken_contract_is_refused_and_the_first_place_named(
    store: Store, commune: Unit, device: Device, broken: Callable[[dict], None], place: str
) -> None:
    device.enrolled(store, commune)
    wire = device.snapshot(*facts(device, firewall=True)).to_wire()
    broken(wire)
    raw = device.seal(SNAPSHOT_SIGNING_CONTEXT, json.dumps(wire).encode()).to_bytes()
    refused = refusal(store, raw)
    assert "ATTT-217" == refused.code
    assert f"«{place}»" in refused.message.vi
    assert "PC-0417" in refused.message.vi


@pytest.mark.parametrize("body", [b"not json", b"null", b"[" * 100_000, b'{"contract":1'])
def test_a_signed_body_that_is_no_snapshot_is_refused(
    store: Store, commune: Unit, device: Device, body: bytes
) -> None:
    device.enrolled(store, commune)
    raw = device.seal(SNAPSHOT_SIGNING_CONTEXT, body).to_bytes()
    assert "ATTT-217" == refusal(store, raw).code


def test_simulated_data_never_enters_a_real_store(
    store: Store, commune: Unit, device: Device
) -> None:
    device.enrolled(store, commune)
    refused = refusal(store, device.envelope(device.snapshot(simulated=True)))
    assert "ATTT-218" == refused.code
    assert "mô phỏng" in refused.message.vi


def test_real_data_never_enters_a_simulated_store(simulated_store: Store, device: Device) -> None:
    unit = simulated_store.write(add_commune)
    device.enrolled(simulated_store, unit)
    assert "ATTT-218" == refusal(simulated_store, device.envelope(device.snapshot())).code
    receive(simulated_store, device.envelope(device.snapshot(simulated=True)), NOW)
    assert 1 == stored_count(simulated_store)


def test_it_takes_in_what_the_collector_polled_itself(store: Store, commune: Unit) -> None:
    switch = Device("SW-01", AssetKind.NETWORK_DEVICE)
    asset = store.write(
        lambda conn: assets.enrol(
            conn,
            device_id=switch.device_id,
            unit_id=commune.id,
            kind=switch.kind,
            name=switch.name,
            public_key=None,
            at=NOW,
        )
    )
    snapshot = switch.snapshot(switch.fact("device.uptime_seconds", 60))
    receive_polled(store, asset, snapshot, NOW)
    with store.read() as conn:
        assert snapshot.facts == snapshots.latest_facts(conn, [asset.id], NOW)[asset.id][1]
    # Nobody can send in its name: it has no key.
    with pytest.raises(AtttError, match="ATTT-215"):
        receive(store, switch.envelope(switch.snapshot()), NOW)


def test_a_device_that_signs_cannot_be_polled_past_its_signature(
    store: Store, commune: Unit, device: Device
) -> None:
    asset = device.enrolled(store, commune)
    with pytest.raises(ValueError, match=device.device_id):
        receive_polled(store, asset, device.snapshot(), NOW)


def test_it_unpacks_what_was_packed() -> None:
    assert b"x" * MAX_BODY_BYTES == unpack(gzip.compress(b"x" * MAX_BODY_BYTES))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "ATTT-212"),
        (b"plain text, not gzip", "ATTT-210"),
        (gzip.compress(b"words" * 100)[:-9], "ATTT-212"),
        (gzip.compress(b"words" * 100)[:-1], "ATTT-212"),
        (gzip.compress(b"words")[:-8] + b"\x00" * 8, "ATTT-210"),
        (gzip.compress(b"words") + b"more", "ATTT-210"),
        (gzip.compress(b"x" * (MAX_BODY_BYTES + 1)), "ATTT-211"),
    ],
    ids=["empty", "plain", "cut", "cut-by-one", "wrong-sum", "more-behind", "too-large"],
)
def test_what_cannot_be_unpacked_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(AtttError, match=code):
        unpack(body)


def test_a_zip_bomb_does_not_eat_the_memory() -> None:
    bomb = gzip.compress(b"\x00" * (200 * MAX_BODY_BYTES))
    assert len(bomb) < MAX_BODY_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(AtttError, match="ATTT-211"):
            unpack(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MAX_BODY_BYTES


def test_the_signature_is_checked_before_the_content_is_looked_at(
    store: Store, commune: Unit, device: Device
) -> None:
    """A stranger must not be able to exercise the JSON validator."""
    device.enrolled(store, commune)
    forged = base64.b64encode(bytes(64)).decode()
    raw = Envelope(device.device_id, forged, b"not json at all").to_bytes()
    assert "ATTT-216" == refusal(store, raw).code


TAKEN = NOW.isoformat()


@pytest.mark.parametrize(
    ("taken_at", "read_at", "value"),
    [
        (TAKEN, "1700000000", "true"),
        (TAKEN, "2026-11-22T00:30:00z", "true"),
        (TAKEN, "2026-11-22T00:30:00\u221207:00", "true"),
        (TAKEN, "2026-11-22T00:30:00.1234567Z", "true"),
        ("0001-01-01T00:00:00+14:00", TAKEN, "true"),
        ("9999-12-31T23:59:59-14:00", TAKEN, "true"),
        (TAKEN, TAKEN, '"9999-12-31T23:59:59-14:00"'),
        (TAKEN, TAKEN, '"0001-01-01T00:00:00+14:00"'),
    ],
    ids=["epoch", "small-z", "minus-sign", "7-digits", "year-1", "year-9999", "at-9999", "at-1"],
)
def test_what_is_accepted_can_be_read_back(
    store: Store, commune: Unit, device: Device, taken_at: str, read_at: str, value: str
) -> None:
    """One snapshot that cannot be read back would stop every later judgement of the unit."""
    device.enrolled(store, commune)
    key = "log.oldest_event_at" if value.startswith('"') else "firewall.enabled"
    body = (
        f'{{"contract":1,"snapshot_id":"s","asset":{{"device_id":"{device.device_id}",'
        f'"kind":"pc","name":"pc"}},"taken_at":"{taken_at}","producer":"x","facts":'
        f'[{{"key":"{key}","value":{value},"source":"s","read_at":"{read_at}"}}]}}'
    ).encode()
    raw = device.seal(SNAPSHOT_SIGNING_CONTEXT, body).to_bytes()
    try:
        receive(store, raw, NOW)
    except AtttError as refused:
        assert "ATTT-217" == refused.code
    with store.read() as conn:
        assess(conn, for_date(NOW.date()), units.all_on(conn, NOW.date()), NOW)
