"""Where secrets come from, and which are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from attt_collector.poll import credentials as secrets
from attt_collector.poll.credentials import (
    AuthProtocol,
    Community,
    CredentialsError,
    PrivacyProtocol,
    User,
)

V3 = """[snmp]
version = 3
user = attt
auth_protocol = sha-512
auth_password = xac%thuc;2026
privacy_password = ma#hoa$2026
"""


def written(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "snmp.ini"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_it_works(tmp_path: Path) -> None:
    expected = User(
        "attt", "xac%thuc;2026", AuthProtocol.SHA512, "ma#hoa$2026", PrivacyProtocol.AES128
    )
    assert expected == secrets.read_file(written(tmp_path, V3))


def test_it_reads_a_community(tmp_path: Path) -> None:
    text = "[snmp]\nversion = v2c\ncommunity = attt-chi-doc\n"
    assert Community("attt-chi-doc") == secrets.read_file(written(tmp_path, text))


def test_it_never_prints_a_secret() -> None:
    shown = repr([Community("bi-mat-1"), User("attt", "bi-mat-2", privacy_password="bi-mat-3")])
    assert "bi-mat" not in shown
    assert "attt" in shown


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_it_refuses_a_file_that_others_can_read(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, V3, mode)
    with pytest.raises(CredentialsError) as caught:
        secrets.read_file(path)
    assert "ATTT-406" == caught.value.code
    assert f"chmod 600 {path}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[snmp]\nversion = 1\ncommunity = public\n", "ATTT-404"),
        ("[snmp]\nversion = 3\nuser = attt\n", "ATTT-405"),
        ("[snmp]\nversion = 3\nuser = attt\nprivacy_password = mat-khau-2\n", "ATTT-405"),
        ("[snmp]\nversion = 3\nauth_password = mat-khau-1\n", "ATTT-407"),
        ("[snmp]\nversion = 3\nuser = attt\nauth_password = ngan\n", "ATTT-407"),
        (V3 + "privacy_protocol = DES\n", "ATTT-407"),
        (V3.replace("sha-512", "MD5"), "ATTT-407"),
        ("[snmp]\nversion = 2c\n", "ATTT-407"),
        ("[snmp]\nversion = 2c\ncommunity = cộng đồng\n", "ATTT-407"),
        ("[snmp]\ncommunity = attt\n", "ATTT-407"),
        ("community = bi-mat-1\n", "ATTT-407"),
        ("[other]\ncommunity = bi-mat-1\n", "ATTT-407"),
    ],
)
def test_it_refuses_what_is_not_safe_or_not_whole(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        secrets.read_file(written(tmp_path, text))
    assert code == caught.value.code
    assert "bi-mat" not in str(caught.value)
    assert caught.value.__cause__ is None or "bi-mat" not in str(caught.value.__cause__)


def test_it_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError) as caught:
        secrets.read_file(tmp_path / "none.ini")
    assert "none.ini" in caught.value.message.vi


def test_it_takes_a_secret_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTT_TEST_COMMUNITY", "attt-chi-doc")
    assert "attt-chi-doc" == secrets.from_environment("ATTT_TEST_COMMUNITY")
    monkeypatch.setenv("ATTT_TEST_COMMUNITY", "")
    with pytest.raises(CredentialsError):
        secrets.from_environment("ATTT_TEST_COMMUNITY")
