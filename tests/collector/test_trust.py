"""Certificates that strict clients accept, keys that stay private, signatures that hold."""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from attt_collector import trust
from attt_rules.errors import AtttError
from tests.collector.conftest import NOW

NAMES = ("localhost", "127.0.0.1")


def handshake(server_folder: Path, ca: Path, name: str) -> None:
    """One TLS handshake over a socket pair, with the checks Python 3.13 does by default."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(server_folder / "server.pem", server_folder / "server.key")
    client = ssl.create_default_context(cafile=str(ca))
    client.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    here, there = socket.socketpair()
    here.settimeout(10)
    there.settimeout(10)
    problems: list[Exception] = []

    def serve() -> None:
        try:
            with there, server.wrap_socket(there, server_side=True) as tls:
                tls.recv(1)
        except (ssl.SSLError, OSError) as error:
            problems.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with here, client.wrap_socket(here, server_hostname=name) as tls:
            tls.sendall(b"x")
    finally:
        thread.join()


@pytest.fixture
def identity(tmp_path: Path) -> trust.Identity:
    # The handshake checks the certificate against the real clock.
    made = trust.Identity(tmp_path / "ca")
    now = real_now()
    made.create(now)
    made.renew(NAMES, now)
    return made


def real_now() -> datetime:
    return datetime.now(UTC)


def test_it_works(identity: trust.Identity) -> None:
    for name in NAMES:
        handshake(identity.folder, identity.folder / "ca.pem", name)


def test_a_client_refuses_a_name_that_is_not_in_the_certificate(identity: trust.Identity) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(identity.folder, identity.folder / "ca.pem", "other.example")


def test_a_client_with_another_ca_refuses(identity: trust.Identity, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(trust.make_ca("another", real_now()).certificate)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(identity.folder, other, "localhost")


def test_private_keys_are_for_their_owner_only(identity: trust.Identity) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in identity.folder.iterdir()}
    assert dict.fromkeys(("ca.key", "ca.pem", "server.key", "server.pem"), 0o600) == modes
    assert 0o700 == stat.S_IMODE(identity.folder.stat().st_mode)


def test_the_fingerprint_is_the_sha256_of_the_certificate(identity: trust.Identity) -> None:
    der = ssl.PEM_cert_to_DER_cert(identity.ca_certificate().decode())
    assert hashlib.sha256(der).hexdigest() == trust.fingerprint(identity.ca_certificate())


@pytest.mark.parametrize(
    ("days", "names", "due"),
    [
        (0, NAMES, False),
        (336, NAMES, False),
        (338, NAMES, True),
        (500, NAMES, True),
        (0, ("localhost",), True),
        (0, (*NAMES, "10.1.2.3"), True),
    ],
)
def test_it_renews_before_the_end_and_when_names_change(
    days: int, names: tuple[str, ...], due: bool
) -> None:
    ca = trust.make_ca("attt CA", NOW)
    server = trust.make_server_certificate(ca, NAMES, NOW)
    assert due == trust.renewal_due(server.certificate, names, NOW + timedelta(days=days))


def test_a_renewed_certificate_stands_under_the_same_ca(identity: trust.Identity) -> None:
    before = identity.certificate_file.read_bytes()
    assert identity.renew(NAMES, real_now()) is False
    assert identity.renew((*NAMES, "attt.example"), real_now()) is True
    assert before != identity.certificate_file.read_bytes()
    handshake(identity.folder, identity.folder / "ca.pem", "attt.example")


def test_it_says_that_the_ca_is_missing(tmp_path: Path) -> None:
    with pytest.raises(AtttError, match="ATTT-512"):
        trust.Identity(tmp_path).renew(NAMES, NOW)


def test_a_signature_is_valid_for_its_key_and_its_words_only() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    signature = base64.b64encode(key.sign(b"words").signature).decode()
    public = bytes(key.verify_key)
    assert trust.signature_is_valid(public, signature, b"words")
    assert not trust.signature_is_valid(public, signature, b"other words")
    assert not trust.signature_is_valid(bytes(other.verify_key), signature, b"words")


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64!", "A" * 88, "ú" * 88])
def test_what_is_no_signature_is_not_valid(signature: str) -> None:
    public = bytes(SigningKey.generate().verify_key)
    assert not trust.signature_is_valid(public, signature, b"words")


def test_an_enrolment_code_is_the_same_however_it_is_typed() -> None:
    code = trust.make_enrolment_code()
    assert 34 == len(code)
    typed = (code.lower(), code.replace("-", ""), f"  {code.replace('-', ' ')} ")
    assert {trust.enrolment_code_hash(code)} == {trust.enrolment_code_hash(each) for each in typed}
    assert trust.enrolment_code_hash(code) != trust.enrolment_code_hash(trust.make_enrolment_code())


def test_writing_a_private_file_replaces_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"old and open to everybody")
    trust.write_private(path, b"new")
    assert b"new" == path.read_bytes()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [path] == list(tmp_path.iterdir())
