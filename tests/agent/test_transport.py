"""Talking to a collector: real sockets, real TLS, certificates of a CA made for the test."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.agent.conftest import Answer, Authority, Request, TlsServer

from attt_agent.transport import CollectorClient, RefusedError, TransportError, fetch_ca
from attt_rules.contract import Envelope, UnitRef

Serve = Callable[[Path, Callable[[Request], Answer]], TlsServer]
RECEIVED_AT = "2026-11-22T08:00:00+07:00"


def json_answer(status: int, value: object, **headers: str) -> Answer:
    return status, {"Content-Type": "application/json", **headers}, json.dumps(value).encode()


def accept(request: Request) -> Answer:
    body = Envelope.from_bytes(gzip.decompress(request.body)).body
    snapshot_id = json.loads(body)["snapshot_id"]
    return json_answer(202, {"snapshot_id": snapshot_id, "received_at": RECEIVED_AT})


def gzipped(snapshot_id: str = "one") -> bytes:
    body = json.dumps({"snapshot_id": snapshot_id}).encode()
    return gzip.compress(Envelope("a" * 26, "c2ln", body).to_bytes(), mtime=0)


def failure_of(server_url: str, ca: Path, timeout_seconds: float = 5.0) -> TransportError:
    with (
        CollectorClient(server_url, ca, timeout_seconds) as client,
        pytest.raises(TransportError) as caught,
    ):
        client.send_snapshot(gzipped(), "one")
    assert not caught.value.permanent
    assert caught.value.remedy is not None
    return caught.value


def test_it_works(serve: Serve, server_certificate: Path, authority: Authority) -> None:
    server = serve(server_certificate, accept)
    with CollectorClient(server.url, authority.path) as client:
        receipt = client.send_snapshot(gzipped(), "one")
    assert receipt.snapshot_id == "one"
    assert receipt.received_at.isoformat() == RECEIVED_AT
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/api/v1/snapshots")
    assert request.headers["Content-Encoding"] == "gzip"
    assert request.body == gzipped()


def test_it_sends_all_over_one_connection(
    serve: Serve, server_certificate: Path, authority: Authority
) -> None:
    server = serve(server_certificate, accept)
    with CollectorClient(server.url, authority.path) as client:
        for name in ("one", "two", "three"):
            client.send_snapshot(gzipped(name), name)
    assert len(server.requests) == 3
    assert len({request.connection for request in server.requests}) == 1


def test_it_connects_again_when_the_server_hung_up(
    serve: Serve, server_certificate: Path, authority: Authority
) -> None:
    def accept_and_hang_up(request: Request) -> Answer:
        status, headers, body = accept(request)
        # Says nothing of closing, then closes: an idle connection that timed out.
        if len(server.requests) == 1:
            threading.Timer(0.05, hang_up).start()
        return status, headers, body

    def hang_up() -> None:
        for connection in connections:
            connection.shutdown(socket.SHUT_RDWR)
        connections.clear()

    server = serve(server_certificate, accept_and_hang_up)
    connections: list[socket.socket] = []
    get_request = server._server.get_request

    def remember() -> object:
        connection, address = get_request()
        connections.append(connection)
        return connection, address

    server._server.get_request = remember  # type: ignore[method-assign,assignment]
    with CollectorClient(server.url, authority.path) as client:
        client.send_snapshot(gzipped("one"), "one")
        while connections:
            threading.Event().wait(0.01)
        client.send_snapshot(gzipped("two"), "two")
    assert len({request.connection for request in server.requests}) == 2


def test_it_refuses_a_server_of_another_ca(
    serve: Serve, other_authority: Authority, authority: Authority
) -> None:
    server = serve(other_authority.issue(["127.0.0.1"]), accept)
    error = failure_of(server.url, authority.path)
    assert error.code == "ATTT-271"
    assert server.url in error.message.vi
    assert server.requests == []


def test_it_refuses_a_server_of_another_name(serve: Serve, authority: Authority) -> None:
    server = serve(authority.issue(["attt.tinh-khac.gov.vn"]), accept)
    error = failure_of(server.url, authority.path)
    assert error.code == "ATTT-272"
    assert "127.0.0.1" in error.message.vi
    error = failure_of(f"https://localhost:{server.port}", authority.path)
    assert error.code == "ATTT-272"
    assert server.requests == []


@pytest.mark.parametrize(
    ("begins", "ends", "words"), [(-9, -2, "hết hạn"), (2, 9, "chưa có hiệu lực")]
)
def test_it_points_at_the_clock_when_the_dates_do_not_fit(
    serve: Serve, authority: Authority, begins: int, ends: int, words: str
) -> None:
    server = serve(authority.issue(["127.0.0.1"], begins, ends), accept)
    error = failure_of(server.url, authority.path)
    assert error.code == "ATTT-273"
    assert words in error.message.vi
    assert error.remedy is not None
    assert "NTP" in error.remedy.vi


def test_the_system_s_authorities_play_no_part(
    serve: Serve,
    other_authority: Authority,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(other_authority.path))
    server = serve(other_authority.issue(["127.0.0.1"]), accept)
    assert failure_of(server.url, authority.path).code == "ATTT-271"


def test_it_says_that_nobody_is_there(authority: Authority) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        error = failure_of(f"https://127.0.0.1:{closed.getsockname()[1]}", authority.path)
    assert error.code == "ATTT-270"
    assert "từ chối" in error.message.vi
    error = failure_of("https://no-such-host.invalid", authority.path)
    assert (error.code, "tên" in error.message.vi) == ("ATTT-270", True)


def test_it_does_not_wait_for_ever(authority: Authority) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        error = failure_of(url, authority.path, timeout_seconds=0.2)
    assert error.code == "ATTT-270"
    assert "thời gian" in error.message.vi


def test_it_understands_that_something_else_listens(authority: Authority) -> None:
    with socket.socket() as plain:
        plain.bind(("127.0.0.1", 0))
        plain.listen()

        def answer() -> None:
            connection, _ = plain.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        error = failure_of(f"https://127.0.0.1:{plain.getsockname()[1]}", authority.path)
        thread.join()
    assert (error.code, "TLS" in error.message.vi) == ("ATTT-270", True)


def test_it_passes_on_the_collector_s_own_words(
    serve: Serve, server_certificate: Path, authority: Authority
) -> None:
    told = {
        "code": "ATTT-204",
        "message": {"vi": "Mã ghi danh đã hết hạn.", "en": "The code expired."},
        "remedy": {"vi": "xin mã mới.", "en": "Get a new one."},
        "permanent": True,
    }
    server = serve(server_certificate, lambda _: json_answer(403, told))
    with (
        CollectorClient(server.url, authority.path) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.enrol(Envelope("a" * 26, "c2ln", b"{}"))
    error = caught.value
    assert (error.code, error.permanent, error.http_status) == ("ATTT-204", True, 403)
    assert error.message.vi == "Mã ghi danh đã hết hạn."
    assert error.remedy is not None
    assert error.remedy.en == "Get a new one."


@pytest.mark.parametrize("own_words", [True, False])
def test_it_hears_how_long_a_busy_collector_wants_it_to_wait(
    serve: Serve, server_certificate: Path, authority: Authority, own_words: bool
) -> None:
    busy = {"code": "ATTT-230", "message": {"vi": "Bận.", "en": "Busy."}, "permanent": False}
    answer = (
        json_answer(503, busy, **{"Retry-After": "30"})
        if own_words
        else (503, {"Retry-After": "30"}, b"<html>nginx</html>")
    )
    server = serve(server_certificate, lambda _: answer)
    with (
        CollectorClient(server.url, authority.path) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.send_snapshot(gzipped(), "one")
    assert caught.value.retry_after_seconds == 30
    assert not caught.value.permanent
    assert caught.value.code == ("ATTT-230" if own_words else "ATTT-278")


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>hello</html>"),
        (301, {"Location": "https://other"}, b""),
        (403, {}, b"<html>blocked by proxy</html>"),
        (400, {}, b'{"code": "E1", "message": "no", "permanent": true}'),
        (202, {}, b"{}"),
        (202, {}, b"[1]"),
        (202, {}, b'{"snapshot_id": "one", "received_at": "yesterday"}'),
        (202, {}, b'{"snapshot_id": "another", "received_at": "2026-11-22T08:00:00+07:00"}'),
        (202, {}, b"x" * 300_000),
    ],
)
def test_a_strange_answer_is_no_receipt_and_no_refusal(
    serve: Serve, server_certificate: Path, authority: Authority, answer: Answer
) -> None:
    server = serve(server_certificate, lambda _: answer)
    assert failure_of(server.url, authority.path).code == "ATTT-274"


def test_it_enrols(serve: Serve, server_certificate: Path, authority: Authority) -> None:
    grant = {
        "device_id": "a" * 26,
        "unit": {"code": "87.30133", "name": "UBND xã Phú Tân"},
        "collector_time": RECEIVED_AT,
        "simulated": False,
    }
    server = serve(server_certificate, lambda _: json_answer(201, grant))
    sent = Envelope("a" * 26, "c2ln", b'{"code": "x"}')
    with CollectorClient(server.url, authority.path) as client:
        granted = client.enrol(sent)
    assert granted.unit == UnitRef("87.30133", "UBND xã Phú Tân")
    assert server.requests[0].path == "/api/v1/enrolments"
    assert Envelope.from_bytes(server.requests[0].body) == sent


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
def test_it_names_the_ca_file_that_is_no_use(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(TransportError) as caught:
        CollectorClient("https://127.0.0.1", tmp_path / "ca.pem")
    assert caught.value.code == "ATTT-277"
    assert str(tmp_path / "ca.pem") in caught.value.message.vi


@pytest.mark.parametrize(
    "url",
    ["http://host", "host:8443", "https://", "https://h:port", "https://h/x", "https://u@h", ""],
)
def test_it_wants_an_https_address(url: str, authority: Authority) -> None:
    with pytest.raises(TransportError, match="ATTT-279"):
        CollectorClient(url, authority.path)


def test_first_contact_trusts_only_the_fingerprint(
    serve: Serve, server_certificate: Path, authority: Authority, other_authority: Authority
) -> None:
    sent = b"Bag of nonsense\n" + authority.pem + other_authority.pem
    server = serve(server_certificate, lambda _: (200, {}, sent))
    colons = ":".join(
        authority.sha256.upper()[i : i + 2] for i in range(0, len(authority.sha256), 2)
    )
    for fingerprint in (authority.sha256, colons):
        pem = fetch_ca(server.url, fingerprint)
        assert pem.split() == authority.pem.split()
    assert server.requests[0].path == "/api/v1/ca"
    with pytest.raises(TransportError) as caught:
        fetch_ca(server.url, other_authority.sha256)
    assert caught.value.code == "ATTT-276"
    assert caught.value.permanent


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"no PEM"),
        (404, {}, b""),
        (200, {}, b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"),
    ],
)
def test_first_contact_refuses_what_is_no_certificate(
    serve: Serve, server_certificate: Path, authority: Authority, answer: Answer
) -> None:
    server = serve(server_certificate, lambda _: answer)
    with pytest.raises(TransportError, match="ATTT-276"):
        fetch_ca(server.url, authority.sha256)


@pytest.mark.parametrize("fingerprint", ["", "abc", "z" * 64])
def test_first_contact_wants_a_whole_fingerprint(fingerprint: str) -> None:
    with pytest.raises(TransportError, match="ATTT-275"):
        fetch_ca("https://127.0.0.1:1", fingerprint)
