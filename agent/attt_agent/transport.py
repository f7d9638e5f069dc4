"""The way to the collector: the only door to http.client and ssl.

Only the province's own CA is trusted, and the collector's name is checked; the system's store of
certificate authorities plays no part. One connection serves a whole run.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple
from urllib.parse import urlsplit

from attt_rules import __version__
from attt_rules.contract import EnrolmentGrant, Envelope, Text, UnitRef, parse_time
from attt_rules.errors import AtttError

TIMEOUT_SECONDS = 20.0
MAX_ANSWER_BYTES = 256 * 1024

# OpenSSL's X509_V_ERR_* that deserve words of their own.
_NOT_YET_VALID, _EXPIRED, _NAME_MISMATCH, _ADDRESS_MISMATCH = 9, 10, 62, 64


class TransportError(AtttError):
    """No usable answer: nobody there, not our collector, or not its language."""


class RefusedError(AtttError):
    """The collector answered with an error of its own: its code, words, remedy and permanence.

    Args:
        http_status: 400 to 599.
        retry_after_seconds: what a busy collector asks for; None when it did not say.
    """

    def __init__(
        self,
        *,
        code: str,
        message: Text,
        remedy: Optional[Text],
        permanent: bool,
        http_status: int,
        retry_after_seconds: Optional[int],
    ) -> None:
        super().__init__(code, message, remedy, permanent)
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Receipt:
    """The collector has committed this snapshot; `received_at` is its clock, not ours."""

    snapshot_id: str
    received_at: datetime


class CollectorClient:
    """A client of one collector, over one connection. Use it as a context manager.

    Args:
        server: "https://name[:port]".
        ca_path: PEM of the one CA that may vouch for the collector.

    Raises:
        TransportError: not an https address, or no readable CA certificate.
    """

    def __init__(
        self, server: str, ca_path: Path, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._server = server
        self._host, self._port = _address_of(server)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(cafile=str(ca_path))
        except OSError as error:  # ssl.SSLError, for what is no certificate, is one too
            raise TransportError(
                "ATTT-277",
                Text(
                    vi="Không đọc được chứng thư CA %s: %s." % (ca_path, error.strerror or error),
                    en="Cannot read the CA certificate %s: %s."
                    % (ca_path, error.strerror or error),
                ),
                Text(
                    vi="ghi danh lại bằng «attt enrol --ca-sha256 …», khóa của máy vẫn giữ nguyên.",
                    en='Enrol again with "attt enrol --ca-sha256 …"; the device key stays.',
                ),
            ) from error
        self._connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=timeout_seconds, context=context
        )
        self._used = False

    def __enter__(self) -> CollectorClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send_snapshot(self, gzipped: bytes, snapshot_id: str) -> Receipt:
        """
        Returns:
            Only after the collector has said 202, that is, after it has committed.

        Raises:
            RefusedError, TransportError: not acknowledged; keep the snapshot.
        """
        headers = {"Content-Type": "application/x-attt-envelope", "Content-Encoding": "gzip"}
        answer = self._ask("POST", "/api/v1/snapshots", gzipped, headers, 202)
        try:
            receipt = Receipt(str(answer["snapshot_id"]), parse_time(answer["received_at"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._not_understood("202, %s" % type(error).__name__) from error
        if receipt.snapshot_id != snapshot_id:
            raise self._not_understood("202 for another snapshot")
        return receipt

    def enrol(self, envelope: Envelope) -> EnrolmentGrant:
        """
        Raises:
            RefusedError, TransportError: not enrolled; the same request may be sent again.
        """
        headers = {"Content-Type": "application/x-attt-envelope"}
        answer = self._ask("POST", "/api/v1/enrolments", envelope.to_bytes(), headers, 201)
        try:
            unit = answer["unit"]
            return EnrolmentGrant(
                device_id=str(answer["device_id"]),
                unit=UnitRef(str(unit["code"]), str(unit["name"])),
                collector_time=parse_time(answer["collector_time"]),
                simulated=answer.get("simulated") is True,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._not_understood("201, %s" % type(error).__name__) from error

    def _ask(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], expected: int
    ) -> Dict[str, Any]:
        sent = dict(headers)
        sent["User-Agent"] = "attt/%s" % __version__
        sent["Accept"] = "application/json"
        status, raw, retry_after = self._exchange(method, path, body, sent)
        parsed = _json_object(raw)
        if status == expected and parsed is not None:
            return parsed
        if status >= 400:
            raise self._refusal(status, parsed, retry_after)
        raise self._not_understood("HTTP %d" % status)

    def _exchange(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Tuple[int, bytes, Optional[str]]:
        while True:
            reused, self._used = self._used, True
            try:
                self._connection.request(method, path, body, dict(headers))
                response = self._connection.getresponse()
                raw = response.read(MAX_ANSWER_BYTES + 1)
                if len(raw) > MAX_ANSWER_BYTES or not response.isclosed():
                    self._connection.close()  # not worth reading on
                return response.status, raw, response.getheader("Retry-After")
            except ssl.SSLCertVerificationError as error:
                self._connection.close()
                raise self._not_trusted(error) from error
            except (ConnectionError, http.client.HTTPException, ssl.SSLError) as error:
                self._connection.close()
                # A kept connection may have been closed by the other side while it was idle.
                # Asking again is safe: both calls may be repeated without harm.
                if reused:
                    self._used = False
                    continue
                raise self._unreachable(error) from error
            except OSError as error:
                self._connection.close()
                raise self._unreachable(error) from error

    def _refusal(
        self, status: int, parsed: Optional[Dict[str, Any]], retry_after: Optional[str]
    ) -> AtttError:
        wait = int(retry_after) if retry_after and retry_after.strip().isdigit() else None
        code = (parsed or {}).get("code")
        message = _text((parsed or {}).get("message"))
        if isinstance(code, str) and code.startswith("ATTT-") and message is not None:
            return RefusedError(
                code=code[:16],
                message=message,
                remedy=_text((parsed or {}).get("remedy")),
                permanent=(parsed or {}).get("permanent") is True,
                http_status=status,
                retry_after_seconds=wait,
            )
        if status == 503:  # a reverse proxy in front of a collector that is restarting
            return RefusedError(
                code="ATTT-278",
                message=Text(
                    vi="Bộ thu thập %s đang bận." % self._server,
                    en="The collector %s is busy." % self._server,
                ),
                remedy=Text(vi="máy sẽ tự gửi lại sau.", en="This machine will send again later."),
                permanent=False,
                http_status=status,
                retry_after_seconds=wait,
            )
        return self._not_understood("HTTP %d" % status)

    def _not_understood(self, what: str) -> TransportError:
        return TransportError(
            "ATTT-274",
            Text(
                vi="Máy chủ %s trả lời không đúng quy ước (%s)." % (self._server, what),
                en="The server %s gave an answer that is not understood (%s)."
                % (self._server, what),
            ),
            Text(
                vi="kiểm tra địa chỉ máy chủ, và cấu hình proxy ngược nếu có.",
                en="Check the server's address, and the reverse proxy if there is one.",
            ),
            permanent=False,
        )

    def _unreachable(self, error: Exception) -> TransportError:
        return _unreachable(self._server, error)

    def _not_trusted(self, error: ssl.SSLCertVerificationError) -> TransportError:
        number = error.verify_code
        if number in (_NAME_MISMATCH, _ADDRESS_MISMATCH):
            return TransportError(
                "ATTT-272",
                Text(
                    vi="Chứng thư của máy chủ không phải cấp cho tên %s." % self._host,
                    en="The server's certificate was not made out to the name %s." % self._host,
                ),
                Text(
                    vi="dùng đúng tên đã khai khi tạo máy thu thập, hoặc cấp lại chứng thư.",
                    en="Use the name the collector was set up with, or issue the certificate anew.",
                ),
                permanent=False,
            )
        if number in (_EXPIRED, _NOT_YET_VALID):
            return TransportError(
                "ATTT-273",
                Text(
                    vi="Chứng thư của máy chủ %s %s theo đồng hồ của máy này."
                    % (
                        self._server,
                        "đã hết hạn" if number == _EXPIRED else "chưa có hiệu lực",
                    ),
                    en="The certificate of %s %s by this machine's clock."
                    % (
                        self._server,
                        "has expired" if number == _EXPIRED else "is not valid yet",
                    ),
                ),
                Text(
                    vi="kiểm tra ngày giờ của máy (NTP) trước; nếu đúng giờ thì báo tỉnh gia hạn.",
                    en="Check this machine's clock (NTP) first; if it is right, tell the province.",
                ),
                permanent=False,
            )
        return TransportError(
            "ATTT-271",
            Text(
                vi="Máy chủ %s không có chứng thư do CA của tỉnh cấp; đã ngừng kết nối."
                % self._server,
                en="The certificate of %s was not issued by the province's CA; not connected."
                % self._server,
            ),
            Text(
                vi="có thể sai máy chủ hoặc có kẻ chen giữa; hỏi tỉnh vân tay CA rồi ghi danh lại.",
                en="A wrong server or someone in between; ask for the CA fingerprint, enrol again.",
            ),
            permanent=False,
        )


def fetch_ca(server: str, sha256: str, timeout_seconds: float = TIMEOUT_SECONDS) -> bytes:
    """First contact: the CA certificate (PEM), accepted only by its fingerprint.

    Args:
        sha256: of the certificate's DER form, 64 hexadecimal digits; colons and spaces are fine.
            It must come to the person by another way than this network.

    Raises:
        TransportError: unreachable, or the fingerprint is another one.
    """
    wanted = "".join(sha256.replace(":", " ").split()).lower()
    if len(wanted) != 64 or any(digit not in "0123456789abcdef" for digit in wanted):
        raise TransportError(
            "ATTT-275",
            Text(
                vi="Vân tay CA phải có 64 chữ số thập lục phân (SHA-256), nhận được %d ký tự."
                % len(wanted),
                en="A CA fingerprint has 64 hexadecimal digits (SHA-256); got %d characters."
                % len(wanted),
            ),
            Text(
                vi="chép lại nguyên vân tay do tỉnh cấp kèm mã ghi danh.",
                en="Copy the whole fingerprint that came with the enrolment code.",
            ),
        )
    host, port = _address_of(server)
    # Nobody is trusted here: whatever comes is worth nothing unless the fingerprint matches.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=context)
    try:
        connection.request("GET", "/api/v1/ca")
        response = connection.getresponse()
        raw = response.read(MAX_ANSWER_BYTES)
        status = response.status
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(server, error) from error
    finally:
        connection.close()
    certificate = _first_certificate(raw) if status == 200 else None
    got = hashlib.sha256(certificate).hexdigest() if certificate else None
    if certificate is None or got != wanted:
        raise TransportError(
            "ATTT-276",
            Text(
                vi="Chứng thư CA mà %s đưa ra không khớp vân tay (%s); không tin máy chủ này."
                % (server, got or "HTTP %d" % status),
                en="The CA certificate that %s offers does not match the fingerprint (%s)."
                % (server, got or "HTTP %d" % status),
            ),
            Text(
                vi="kiểm tra địa chỉ và vân tay; nếu đúng cả hai, báo ngay cho tỉnh.",
                en="Check address and fingerprint; if both are right, tell the province at once.",
            ),
        )
    # Made anew from the very bytes that were checked: nothing else in the answer gets in.
    return ssl.DER_cert_to_PEM_cert(certificate).encode("ascii")


def _first_certificate(raw: bytes) -> Optional[bytes]:
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
    _, found, rest = raw.partition(begin)
    body, closed, _ = rest.partition(end)
    if not found or not closed:
        return None
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except ValueError:
        return None


def _address_of(server: str) -> Tuple[str, int]:
    try:
        parts = urlsplit(server)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if (
        parts.scheme != "https"
        or not host
        or parts.path not in ("", "/")
        or parts.query
        or parts.username
    ):
        raise TransportError(
            "ATTT-279",
            Text(
                vi="Địa chỉ máy chủ không đúng: %s." % server,
                en="Not a server address: %s." % server,
            ),
            Text(
                vi="viết dạng https://ten-may-chu:8443",
                en="Write it as https://server-name:8443",
            ),
        )
    return host, 443 if port is None else port


def _unreachable(server: str, error: Exception) -> TransportError:
    if isinstance(error, socket.gaierror):
        why = Text(vi="không phân giải được tên", en="the name is not resolved")
    elif isinstance(error, ConnectionRefusedError):
        why = Text(vi="bị từ chối kết nối", en="connection refused")
    elif isinstance(error, (socket.timeout, TimeoutError)):
        why = Text(vi="quá thời gian chờ", en="timed out")
    elif isinstance(error, ssl.SSLError):
        why = Text(vi="bắt tay TLS không thành", en="the TLS handshake failed")
    else:
        why = Text(vi="đứt kết nối", en="connection lost")
    return TransportError(
        "ATTT-270",
        Text(
            vi="Không kết nối được máy chủ %s: %s." % (server, why.vi),
            en="Cannot reach the server %s: %s." % (server, why.en),
        ),
        Text(
            vi="kiểm tra mạng WAN và địa chỉ máy chủ; máy sẽ tự gửi lại ở lượt sau.",
            en="Check the WAN link and the address; this machine will send again next time.",
        ),
        permanent=False,
    )


def _json_object(raw: bytes) -> Optional[Dict[str, Any]]:
    try:
        parsed = json.loads(raw.decode("utf-8"))
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _text(value: object) -> Optional[Text]:
    if not isinstance(value, dict):
        return None
    vi, en = value.get("vi"), value.get("en")
    if not isinstance(vi, str) or not isinstance(en, str) or not vi.strip() or not en.strip():
        return None
    return Text(vi=vi[:2000], en=en[:2000])
