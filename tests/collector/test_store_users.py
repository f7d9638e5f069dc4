"""Users and their sessions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from attt_collector.records import Unit, User
from attt_collector.store import schema, sessions, users
from attt_collector.store.db import Store
from attt_rules.errors import AtttError
from tests.collector.conftest import NOW

PASSWORD = "mật khẩu rất dài"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def password_hash() -> str:
    return users.hash_password(PASSWORD)


@pytest.fixture
def officer(store: Store, commune: Unit, password_hash: str) -> User:
    return store.write(
        lambda conn: users.add(conn, login="an", password_hash=password_hash, unit_id=commune.id)
    )


def test_it_works(store: Store, officer: User) -> None:
    with store.read() as conn:
        assert officer == users.by_login(conn, "an") == users.by_id(conn, officer.id)
        assert (officer,) == users.everyone(conn)
    assert users.password_matches(officer.password_hash, PASSWORD)


@pytest.mark.parametrize("password", ["", "mat khau rat dai", PASSWORD + " "])
def test_another_password_does_not_match(password_hash: str, password: str) -> None:
    assert not users.password_matches(password_hash, password)


def test_a_damaged_hash_matches_nothing() -> None:
    assert not users.password_matches("plain", "plain")


def test_the_hash_is_argon2id_with_a_salt_of_its_own(password_hash: str) -> None:
    assert password_hash.startswith("$argon2id$")
    assert password_hash != users.hash_password(PASSWORD)


def test_generated_passwords_differ() -> None:
    made = {users.generate_password() for _ in range(100)}
    assert 100 == len(made)
    assert {23} == {len(password) for password in made}


def test_a_login_is_given_once(store: Store, officer: User) -> None:
    with pytest.raises(IntegrityError):
        store.write(lambda conn: users.add(conn, login="an", password_hash="x"))


@pytest.mark.parametrize(
    "login", ["", "An", "đạt", "an an", "an\n", "a\u202eb", "\u0430n", "a" * 65, "a/b"]
)
def test_a_login_of_other_characters_is_refused(store: Store, login: str) -> None:
    with pytest.raises(AtttError, match="ATTT-542"):
        store.write(lambda conn: users.add(conn, login=login, password_hash="x"))


@pytest.mark.parametrize("login", ["a", "nguyen.van-an_2", "a" * 64])
def test_a_login_of_plain_letters_is_taken(store: Store, login: str) -> None:
    assert login == store.write(lambda conn: users.add(conn, login=login, password_hash="x")).login


def test_a_new_password_replaces_the_old(store: Store, officer: User) -> None:
    store.write(lambda conn: users.set_password(conn, officer.id, "$new"))
    store.write(lambda conn: users.set_language(conn, officer.id, "en"))
    with store.read() as conn:
        found = users.by_id(conn, officer.id)
    assert found is not None
    assert ("$new", "en") == (found.password_hash, found.language)


def test_a_session_lasts_until_its_end(store: Store, officer: User) -> None:
    token, made = store.write(lambda conn: sessions.create(conn, officer.id, NOW))
    with store.read() as conn:
        assert made == sessions.by_token(conn, token, NOW + HOUR)
        assert sessions.by_token(conn, token, made.expires_at) is None
        assert sessions.by_token(conn, token + "x", NOW) is None


def test_the_database_does_not_hold_the_token(store: Store, officer: User) -> None:
    token, _ = store.write(lambda conn: sessions.create(conn, officer.id, NOW))
    with store.read() as conn:
        row = conn.execute(select(schema.session)).one()
    assert token not in [str(value) for value in row]


def test_logging_out_ends_one_session_only(store: Store, officer: User) -> None:
    one, _ = store.write(lambda conn: sessions.create(conn, officer.id, NOW))
    other, _ = store.write(lambda conn: sessions.create(conn, officer.id, NOW))
    store.write(lambda conn: sessions.end(conn, one))
    with store.read() as conn:
        assert sessions.by_token(conn, one, NOW) is None
        assert sessions.by_token(conn, other, NOW) is not None
    store.write(lambda conn: sessions.end_all(conn, officer.id))
    with store.read() as conn:
        assert sessions.by_token(conn, other, NOW) is None


def test_a_disabled_user_is_out_at_once(store: Store, officer: User) -> None:
    token, _ = store.write(lambda conn: sessions.create(conn, officer.id, NOW))
    store.write(lambda conn: users.disable(conn, officer.id, NOW))
    with store.read() as conn:
        assert sessions.by_token(conn, token, NOW) is None


def test_pruning_forgets_only_what_has_ended(store: Store, officer: User) -> None:
    store.write(lambda conn: sessions.create(conn, officer.id, NOW - 20 * HOUR))
    token, _ = store.write(lambda conn: sessions.create(conn, officer.id, NOW))
    assert 1 == store.write(lambda conn: sessions.prune(conn, NOW))
    with store.read() as conn:
        assert sessions.by_token(conn, token, NOW) is not None
