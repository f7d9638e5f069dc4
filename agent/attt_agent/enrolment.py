"""Enrolment (ghi danh): join a unit with its code; afterwards the device key is the identity."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

from attt_agent import settings as settings_file
from attt_agent.host import Host
from attt_agent.settings import StateFolder
from attt_agent.sign import DeviceKey
from attt_agent.snapshot import detect_kind, kind_unknown, name_of
from attt_agent.spool import RunLock
from attt_agent.transport import CollectorClient, fetch_ca
from attt_rules.contract import (
    ENROLMENT_SIGNING_CONTEXT,
    AssetKind,
    AssetRef,
    EnrolmentGrant,
    EnrolmentRequest,
    Text,
)
from attt_rules.errors import AtttError


class EnrolmentError(AtttError):
    """The code cannot be one, or the answer is for another device."""


@dataclass(frozen=True)
class Enrolled:
    """`clock_offset_seconds`: this machine's clock minus the collector's."""

    grant: EnrolmentGrant
    kind: AssetKind
    name: str
    clock_offset_seconds: float


def enrol(
    folder: StateFolder,
    host: Host,
    *,
    server: str,
    code: str,
    ca_sha256: Optional[str] = None,
    ca_file: Optional[Path] = None,
    kind: Optional[AssetKind] = None,
    name: Optional[str] = None,
) -> Enrolled:
    """Get the CA, make the key (or use the one that is there), ask, and write down the answer.

    Until the collector has said yes nothing of an earlier enrolment is changed. When the answer
    got lost, the same call again gets the same answer.

    Raises:
        TransportError, RefusedError: from the network or the collector.
        EnrolmentError, KeyFileError, SettingsError, SpoolError: from this machine.
        SnapshotError: `kind` is not given and cannot be found out.
    """
    folder.make()
    with RunLock(folder.lock):
        before = settings_file.load(folder)
        wanted = replace(before, server=server, kind=kind or detect_kind(host), name=name)
        if wanted.kind is None:
            # Before anything is sent: the collector keeps the kind that it is told here.
            raise kind_unknown(name_of(host, wanted))
        candidate = folder.path / "ca.new.pem"
        settings_file.replace_file(candidate, _ca_certificate(server, ca_sha256, ca_file))
        key = DeviceKey.load_or_create(folder.key)
        asset = AssetRef(key.device_id, wanted.kind, name_of(host, wanted))
        try:
            request = EnrolmentRequest(
                code=code.strip(),
                public_key=base64.b64encode(key.public_key).decode("ascii"),
                asset=asset,
                requested_at=host.now(),
            )
        except ValueError as error:
            raise EnrolmentError(
                "ATTT-281",
                Text(
                    vi="Mã ghi danh phải có từ 1 đến 64 ký tự.",
                    en="An enrolment code has 1 to 64 characters.",
                ),
                Text(
                    vi="chép lại mã do tỉnh cấp cho đơn vị.",
                    en="Copy the code that the province gave to the unit.",
                ),
            ) from error
        with CollectorClient(server, candidate) as client:
            grant = client.enrol(key.seal(ENROLMENT_SIGNING_CONTEXT, request.to_json()))
        if grant.device_id != key.device_id:
            raise EnrolmentError(
                "ATTT-280",
                Text(
                    vi="Máy chủ %s trả lời cho một máy khác (%s)." % (server, grant.device_id),
                    en="The server %s answered for another device (%s)."
                    % (server, grant.device_id),
                ),
                Text(
                    vi="thử lại; nếu lặp lại, báo cho người quản trị máy thu thập.",
                    en="Try again; if it happens again, tell whoever runs the collector.",
                ),
            )
        settings_file.replace_file(folder.ca, candidate.read_bytes())
        candidate.unlink()
        settings_file.save(folder, replace(wanted, unit=grant.unit))
        offset = (host.now() - grant.collector_time).total_seconds()
        return Enrolled(grant, asset.kind, asset.name, offset)


def _ca_certificate(server: str, ca_sha256: Optional[str], ca_file: Optional[Path]) -> bytes:
    if ca_file is None:
        return fetch_ca(server, ca_sha256 or "")
    try:
        return ca_file.read_bytes()
    except OSError as error:
        raise EnrolmentError(
            "ATTT-277",
            Text(
                vi="Không đọc được chứng thư CA %s: %s." % (ca_file, error.strerror or error),
                en="Cannot read the CA certificate %s: %s." % (ca_file, error.strerror or error),
            ),
            Text(vi="kiểm tra đường dẫn và quyền đọc.", en="Check the path and the permissions."),
        ) from error
