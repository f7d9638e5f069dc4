"""Logging in and out, and the two guards of every form."""

from __future__ import annotations

from datetime import timedelta

import pytest

from attt_collector.store import users
from attt_collector.web.access import (
    PER_ADDRESS,
    PER_LOGIN,
    PER_LOGIN_AND_ADDRESS,
    LoginLimiter,
    local_path,
)
from tests.collector.web.conftest import NOW, PASSWORD, Site, Visitor

WRONG = "không phải mật khẩu này"


def test_it_works(visitor: Visitor) -> None:
    answer = visitor.log_in("tinh")
    assert (303, "/") == (answer.status, answer.headers["location"])
    flags = {part.strip().lower() for part in visitor.set_cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= flags
    assert "Tổng quan" in visitor.get("/").text


def test_only_a_hash_of_the_cookie_is_stored(visitor: Visitor, site: Site) -> None:
    visitor.log_in("tinh")
    (token,) = visitor.cookies.values()
    files = list(site.folder.glob("attt.sqlite*"))
    assert files
    for file in files:
        assert token.encode() not in file.read_bytes()


def test_a_wrong_login_and_a_wrong_password_look_the_same(visitor: Visitor) -> None:
    wrong_password = visitor.log_in("chovam", WRONG)
    wrong_login = visitor.log_in("khong-co", WRONG)
    assert 401 == wrong_password.status == wrong_login.status
    assert wrong_password.html.replace("chovam", "") == wrong_login.html.replace("khong-co", "")
    assert {} == visitor.cookies


def test_a_disabled_user_is_answered_like_a_wrong_password(visitor: Visitor, site: Site) -> None:
    hashed = users.hash_password(PASSWORD)
    user = site.store.write(lambda conn: users.add(conn, login="nghi", password_hash=hashed))
    site.store.write(lambda conn: users.disable(conn, user.id, NOW))
    assert visitor.log_in("nghi").html == visitor.log_in("nghi", WRONG).html


def test_a_user_disabled_later_is_out_at_once(visitor: Visitor, site: Site) -> None:
    hashed = users.hash_password(PASSWORD)
    user = site.store.write(lambda conn: users.add(conn, login="sapnghi", password_hash=hashed))
    visitor.log_in("sapnghi")
    assert 200 == visitor.get("/").status
    site.store.write(lambda conn: users.disable(conn, user.id, NOW))
    assert 303 == visitor.get("/").status


def test_it_refuses_the_sixth_guess_and_says_how_long(visitor: Visitor, site: Site) -> None:
    for _ in range(PER_LOGIN_AND_ADDRESS.attempts):
        assert 401 == visitor.log_in("phutan", WRONG).status
    refused = visitor.log_in("phutan")  # even the right password must wait now
    assert 429 == refused.status
    assert "thử lại sau 15 phút" in refused.text
    assert "900" == refused.headers["retry-after"]
    site.clock.now = NOW + PER_LOGIN_AND_ADDRESS.within
    assert 303 == visitor.log_in("phutan").status


def test_the_limiter_counts_an_address_over_many_logins() -> None:
    limiter = LoginLimiter()
    for number in range(PER_ADDRESS.attempts):
        assert not limiter.wait(f"user{number}", "192.0.2.1", NOW)
        limiter.failed(f"user{number}", "192.0.2.1", NOW)
    assert PER_ADDRESS.within == limiter.wait("anybody", "192.0.2.1", NOW)
    assert not limiter.wait("anybody", "192.0.2.2", NOW)


def test_an_empty_login_does_not_lift_the_limit_of_its_address() -> None:
    limiter = LoginLimiter()
    limiter.failed("", "192.0.2.1", NOW)
    for number in range(PER_ADDRESS.attempts - 1):
        assert not limiter.wait(f"user{number}", "192.0.2.1", NOW)
        limiter.failed(f"user{number}", "192.0.2.1", NOW)
    assert PER_ADDRESS.within == limiter.wait("anybody", "192.0.2.1", NOW)


def test_an_empty_login_waits_like_any_other_and_stops_nobody_else() -> None:
    limiter = LoginLimiter()
    for _ in range(PER_LOGIN_AND_ADDRESS.attempts):
        limiter.failed("", "192.0.2.1", NOW)
    assert PER_LOGIN_AND_ADDRESS.within == limiter.wait("", "192.0.2.1", NOW)
    assert not limiter.wait("tinh", "192.0.2.1", NOW)


def test_an_unknown_address_does_not_lift_the_limit_of_a_login() -> None:
    limiter = LoginLimiter()
    limiter.failed("tinh", "", NOW)
    for number in range(PER_LOGIN.attempts - 1):
        limiter.failed("tinh", f"192.0.2.{number}", NOW)
    assert PER_LOGIN.within == limiter.wait("tinh", "198.51.100.1", NOW)


def test_the_limiter_forgets_a_persons_mistakes_after_a_right_password() -> None:
    limiter = LoginLimiter()
    for _ in range(PER_LOGIN_AND_ADDRESS.attempts):
        limiter.failed("tinh", "192.0.2.1", NOW)
    assert limiter.wait("tinh", "192.0.2.1", NOW)
    limiter.succeeded("tinh", "192.0.2.1")
    assert not limiter.wait("tinh", "192.0.2.1", NOW)


def test_the_limiter_does_not_grow_without_end() -> None:
    limiter = LoginLimiter()
    for number in range(12_000):
        limiter.failed(f"user{number}", f"address{number}", NOW + timedelta(seconds=number))
    assert len(limiter._failures) < 12_000


def test_logging_out_ends_the_session(visitor: Visitor) -> None:
    visitor.log_in("tinh")
    kept = dict(visitor.cookies)
    assert 303 == visitor.post_with_token("/dang-xuat", {}).status
    visitor.cookies = kept  # a copied cookie is of no use any more
    assert "/dang-nhap" == visitor.get("/").headers["location"]


def test_a_session_ends_after_a_working_day(visitor: Visitor, site: Site) -> None:
    visitor.log_in("tinh")
    site.clock.now = NOW + timedelta(hours=9, minutes=59)
    assert 200 == visitor.get("/").status
    site.clock.now = NOW + timedelta(hours=10)
    assert 303 == visitor.get("/").status


def test_a_new_login_ends_the_old_session(visitor: Visitor) -> None:
    visitor.log_in("tinh")
    old = dict(visitor.cookies)
    visitor.log_in("tinh")
    assert old != visitor.cookies
    visitor.cookies = old
    assert 303 == visitor.get("/").status


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:1"])
def test_a_form_from_elsewhere_is_refused(reviewer: Visitor, origin: str | None) -> None:
    form = {"csrf": reviewer.csrf_token(), "ngon_ngu": "en"}
    answer = reviewer.post("/ngon-ngu", form, origin=origin)
    assert 403 == answer.status
    assert "Yêu cầu bị từ chối" in answer.text


def test_a_login_from_elsewhere_is_refused(visitor: Visitor) -> None:
    form = {"ten": "tinh", "mat_khau": PASSWORD}
    assert 403 == visitor.post("/dang-nhap", form, origin="https://evil.example").status
    assert {} == visitor.cookies


@pytest.mark.parametrize("path", ["/ngon-ngu", "/dang-xuat", "/bao-cao"])
@pytest.mark.parametrize("token", ["", "x", "đ" * 43])
def test_a_form_without_the_sessions_token_is_refused(
    reviewer: Visitor, path: str, token: str
) -> None:
    form = {"csrf": token, "ngon_ngu": "en", "don_vi": "89", "ky": "2026"}
    assert 403 == reviewer.post(path, form).status


def test_the_token_of_another_session_is_refused(reviewer: Visitor, officer: Visitor) -> None:
    form = {"csrf": officer.csrf_token(), "ngon_ngu": "en"}
    assert 403 == reviewer.post("/ngon-ngu", form).status


def test_it_goes_on_to_the_page_that_was_asked_for(visitor: Visitor) -> None:
    asked = visitor.get("/thiet-bi?trang-thai=khong-dat")
    assert "/dang-nhap?tiep=%2Fthiet-bi%3Ftrang-thai%3Dkhong-dat" == asked.headers["location"]
    answer = visitor.log_in("tinh", tiep="/thiet-bi?trang-thai=khong-dat")
    assert "/thiet-bi?trang-thai=khong-dat" == answer.headers["location"]


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "x", ""],
)
def test_it_never_leads_elsewhere_after_a_login(wanted: str) -> None:
    assert "/" == local_path(wanted)


def test_the_language_of_the_login_page_is_kept(visitor: Visitor) -> None:
    shown = visitor.get("/dang-nhap?ngon_ngu=en")
    assert "Log in" in shown.text
    visitor.log_in("chovam", ngon_ngu="en")
    assert "Overview" in visitor.get("/").text
    assert 303 == visitor.post_with_token("/ngon-ngu", {"ngon_ngu": "vi"}).status
    assert "Tổng quan" in visitor.get("/").text


def test_an_unknown_language_is_refused(reviewer: Visitor) -> None:
    assert 400 == reviewer.post_with_token("/ngon-ngu", {"ngon_ngu": "xx"}).status
