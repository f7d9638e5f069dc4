"""Attestations in force on a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from attt_collector.records import Attestation, Unit
from attt_collector.store import attestations
from attt_collector.store.db import Store
from attt_rules.contract import FactValue, ValueType
from attt_rules.errors import AtttError
from tests.collector.conftest import NOW

ON = date(2026, 11, 22)


def attest(
    store: Store,
    unit: Unit,
    key: str,
    value: FactValue,
    *,
    signed: date = date(2026, 1, 1),
    since: date = date(2026, 1, 1),
    until: date | None = None,
) -> tuple[Attestation, bool]:
    return store.write(
        lambda conn: attestations.add(
            conn,
            unit_id=unit.id,
            key=key,
            value=value,
            document_number="12/QĐ-UBND",
            document_date=signed,
            attested_by="Nguyễn Văn An",
            valid_from=since,
            valid_until=until,
            at=NOW,
        )
    )


def in_force(store: Store, unit: Unit, on: date = ON) -> dict[str, FactValue]:
    with store.read() as conn:
        return {each.key: each.value for each in attestations.in_force(conn, [unit.id], on)}


def test_it_works(store: Store, commune: Unit) -> None:
    made, is_new = attest(store, commune, "dossier.approved", True)
    assert is_new
    with store.read() as conn:
        assert (made,) == attestations.in_force(conn, [commune.id], ON)


def test_every_type_comes_back_as_it_was(store: Store, commune: Unit) -> None:
    approved = datetime(2026, 3, 5, tzinfo=timezone(timedelta(hours=7)))
    values = {
        "dossier.approved_at": approved,
        "dossier.number": "45/QĐ-STTTT",
        "quota.central_antivirus_machines": 330,
        "site.wan_connected": False,
    }
    for key, value in values.items():
        attest(store, commune, key, value)
    assert values == in_force(store, commune)


def test_it_ends_on_its_last_day(store: Store, commune: Unit) -> None:
    attest(store, commune, "dossier.approved", True, until=ON)
    assert {"dossier.approved": True} == in_force(store, commune, date(2026, 11, 21))
    assert {} == in_force(store, commune, ON)
    assert {} == in_force(store, commune, date(2025, 12, 31))


def test_the_younger_document_speaks_whatever_came_in_first(store: Store, commune: Unit) -> None:
    attest(store, commune, "quota.central_antivirus_machines", 40, signed=date(2026, 5, 1))
    attest(store, commune, "quota.central_antivirus_machines", 30, signed=date(2026, 2, 1))
    assert {"quota.central_antivirus_machines": 40} == in_force(store, commune)


def test_of_two_entries_from_one_document_the_later_speaks(store: Store, commune: Unit) -> None:
    attest(store, commune, "quota.central_antivirus_machines", 30)
    attest(store, commune, "quota.central_antivirus_machines", 33)
    assert {"quota.central_antivirus_machines": 33} == in_force(store, commune)
    with store.read() as conn:
        assert [30, 33] == [each.value for each in attestations.history(conn, commune.id)]


def test_the_same_again_is_not_kept_twice(store: Store, commune: Unit) -> None:
    attest(store, commune, "dossier.approved", True)
    _, is_new = attest(store, commune, "dossier.approved", True)
    assert is_new is False


@pytest.mark.parametrize(
    ("key", "value"), [("dossier.approved", "yes"), ("antivirus.products", True)]
)
def test_what_nobody_can_vouch_for_is_refused(
    store: Store, commune: Unit, key: str, value: FactValue
) -> None:
    with pytest.raises(ValueError, match=key):
        attest(store, commune, key, value)


def test_every_attested_key_has_a_type_and_a_meaning() -> None:
    keys = [spec.key for spec in attestations.ATTESTED_SPECS]
    assert len(set(keys)) == len(keys) == 11
    for spec in attestations.ATTESTED_SPECS:
        assert (spec.type is ValueType.DATETIME) == spec.key.endswith("_at")


def test_a_revoked_entry_speaks_no_more_and_the_older_one_does_again(
    store: Store, commune: Unit
) -> None:
    attest(store, commune, "dossier.approved", False)
    wrong, _ = attest(store, commune, "dossier.approved", True, signed=date(2026, 5, 1))
    revoked = store.write(lambda conn: attestations.revoke(conn, wrong.id, NOW))
    assert (wrong.id, NOW) == (revoked.id, revoked.revoked_at)
    assert {"dossier.approved": False} == in_force(store, commune)
    with store.read() as conn:  # the entry itself stays
        kept = attestations.history(conn, commune.id)
    assert [(False, None), (True, NOW)] == [(each.value, each.revoked_at) for each in kept]


def test_what_was_revoked_may_be_attested_anew(store: Store, commune: Unit) -> None:
    first, _ = attest(store, commune, "dossier.approved", True)
    store.write(lambda conn: attestations.revoke(conn, first.id, NOW))
    _, is_new = attest(store, commune, "dossier.approved", True)
    assert is_new
    assert {"dossier.approved": True} == in_force(store, commune)


def test_nothing_is_revoked_twice_or_unknown(store: Store, commune: Unit) -> None:
    first, _ = attest(store, commune, "dossier.approved", True)
    store.write(lambda conn: attestations.revoke(conn, first.id, NOW))
    later = NOW + timedelta(days=1)
    with pytest.raises(AtttError, match="ATTT-532") as refused:
        store.write(lambda conn: attestations.revoke(conn, first.id, later))
    assert "22/11/2026" in refused.value.message.vi
    with pytest.raises(AtttError, match="ATTT-531"):
        store.write(lambda conn: attestations.revoke(conn, first.id + 1, later))
    with store.read() as conn:
        assert [NOW] == [each.revoked_at for each in attestations.history(conn, commune.id)]
