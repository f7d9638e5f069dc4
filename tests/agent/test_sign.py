"""The device key."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from attt_agent.sign import DeviceKey, KeyFileError
from attt_rules.contract import Envelope, device_id_of


def test_it_works(tmp_path: Path) -> None:
    made = DeviceKey.create(tmp_path / "device.key")
    key = DeviceKey.load(tmp_path / "device.key")
    assert made.public_key == key.public_key
    assert key.device_id == device_id_of(key.public_key)
    envelope = Envelope.from_bytes(key.seal(b"attt-snapshot-1\n", b'{"a": 1}').to_bytes())
    signature = base64.b64decode(envelope.signature)
    VerifyKey(key.public_key).verify(b"attt-snapshot-1\n" + envelope.body, signature)


def test_a_signature_serves_one_purpose_only(tmp_path: Path) -> None:
    key = DeviceKey.create(tmp_path / "device.key")
    signature = base64.b64decode(key.seal(b"attt-snapshot-1\n", b"body").signature)
    with pytest.raises(BadSignatureError):
        VerifyKey(key.public_key).verify(b"attt-enrolment-1\nbody", signature)


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    DeviceKey.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path] == list(tmp_path.iterdir())


def test_it_never_replaces_a_key(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    first = DeviceKey.create(path).public_key
    with pytest.raises(KeyFileError, match="ATTT-302"):
        DeviceKey.create(path)
    assert first == DeviceKey.load_or_create(path).public_key
    assert [path] == list(tmp_path.iterdir())


def test_it_says_how_to_enrol_when_there_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError) as caught:
        DeviceKey.load(tmp_path / "device.key")
    assert caught.value.code == "ATTT-301"
    assert caught.value.remedy is not None
    assert "attt enrol" in caught.value.remedy.vi


def test_it_refuses_a_key_that_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    DeviceKey.create(path)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="ATTT-303"):
        DeviceKey.load(path)
    assert path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"attt-device-key-1\n",
        b"attt-device-key-1\nQUJD\n",
        b"attt-device-key-1\n!!!\n",
        b"other\n" + b"A" * 44,
    ],
)
def test_it_keeps_a_damaged_key_and_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "device.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="ATTT-302"):
        DeviceKey.load_or_create(path)
    assert path.read_bytes() == content
