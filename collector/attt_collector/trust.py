"""Identity: the collector's own CA, its server certificate, and signatures of devices.

The only door to `cryptography`. Certificates carry subject and authority key identifiers, key usage
and subject alternative names, because Python 3.13 clients refuse chains without them.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from attt_rules.contract import Text
from attt_rules.errors import AtttError

CA_LIFETIME = timedelta(days=3650)  # agents pin it; a new CA means visiting every device
SERVER_LIFETIME = timedelta(days=397)
RENEW_BEFORE_END = timedelta(days=60)
_BACKDATED = timedelta(days=1)  # clocks of PCs are not exact

# Base32 without padding: survives a telephone, a sticky note and a keyboard in any case.
_CODE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CODE_CHARACTERS = 28  # 140 bits


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    private_key: bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """The folder `ca/` of a collector: its CA and its server certificate, both with their keys."""

    folder: Path

    @property
    def certificate_file(self) -> Path:
        """The server's certificate, for whoever opens the TLS port."""
        return self.folder / "server.pem"

    @property
    def key_file(self) -> Path:
        return self.folder / "server.key"

    def create(self, now: datetime) -> None:
        """Make the CA of a new collector."""
        self.folder.mkdir(mode=0o700)
        ca = make_ca(f"attt CA {now:%Y-%m-%d}", now)
        write_private(self.folder / "ca.key", ca.private_key)
        write_private(self.folder / "ca.pem", ca.certificate)

    def ca_certificate(self) -> bytes:
        """The certificate (PEM) that agents pin.

        Raises:
            AtttError: ATTT-512, this folder was not made by init.
        """
        return self._read("ca.pem")

    def renew(self, names: Sequence[str], now: datetime) -> bool:
        """Make the server certificate when there is none, it ends soon or `names` changed.

        Raises:
            AtttError: ATTT-512, the CA is not there.
        """
        if (
            self.certificate_file.exists()
            and self.key_file.exists()
            and not renewal_due(self.certificate_file.read_bytes(), names, now)
        ):
            return False
        ca = KeyPair(self.ca_certificate(), self._read("ca.key"))
        made = make_server_certificate(ca, names, now)
        write_private(self.key_file, made.private_key)
        write_private(self.certificate_file, made.certificate)
        return True

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            raise AtttError(
                "ATTT-512",
                Text(
                    vi=f"Thiếu tệp {self.folder / name} của nơi cấp chứng thư.",
                    en=f"The file {self.folder / name} of the certificate authority is missing.",
                ),
                Text(
                    vi="khôi phục thư mục «ca» từ bản sao lưu; tạo mới thì mọi máy phải ghi danh "
                    "lại.",
                    en='Restore the folder "ca" from the backup; with a new one every device has '
                    "to enrol again.",
                ),
            ) from None


def make_ca(name: str, now: datetime) -> KeyPair:
    """A self-signed CA (EC P-256) that may sign server certificates and nothing below them."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    public = key.public_key()
    certificate = (
        _certificate(subject, subject, public, now, CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(_pem(certificate), _private_pem(key))


def make_server_certificate(ca: KeyPair, names: Sequence[str], now: datetime) -> KeyPair:
    """A server certificate under `ca`.

    Args:
        names: host names and IP addresses that clients may use; at least one.

    Raises:
        ValueError: no name, or a name that is neither a host name nor an address.
    """
    if not names:
        raise ValueError("a server certificate needs a name")
    issuer = x509.load_pem_x509_certificate(ca.certificate)
    issuer_key = serialization.load_pem_private_key(ca.private_key, password=None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key of the CA is not an elliptic curve key")
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    # The common name is for people only, and limited to 64 characters.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    certificate = (
        _certificate(subject, issuer.subject, public, now, SERVER_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA256())
    )
    return KeyPair(_pem(certificate), _private_pem(key))


def renewal_due(certificate: bytes, names: Sequence[str], now: datetime) -> bool:
    """Whether a server certificate (PEM) ends within 60 days or is for other names than these."""
    loaded = x509.load_pem_x509_certificate(certificate)
    if now >= loaded.not_valid_after_utc - RENEW_BEFORE_END:
        return True
    said = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(said) != {_general_name(name) for name in names}


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate (PEM), 64 hex digits: what an agent is told to pin."""
    return x509.load_pem_x509_certificate(certificate).fingerprint(hashes.SHA256()).hex()


def signature_is_valid(public_key: bytes, signature: str, message: bytes) -> bool:
    """Whether `signature` (base64) is that of `message` by an Ed25519 key (32 bytes)."""
    try:
        raw = base64.b64decode(signature, validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(raw, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def make_enrolment_code() -> str:
    """A random code of 140 bits, printed as seven groups of four."""
    letters = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_CHARACTERS))
    return "-".join(letters[start : start + 4] for start in range(0, _CODE_CHARACTERS, 4))


def enrolment_code_hash(code: str) -> str:
    """SHA-256 (hex) of a code, however it was typed. The code is random, so it needs no salt."""
    plain = "".join(code.split()).replace("-", "").upper()
    return hashlib.sha256(plain.encode()).hexdigest()


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + lifetime)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode("ascii"))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
