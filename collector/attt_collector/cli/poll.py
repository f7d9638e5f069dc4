"""`attt-collector poll ADDRESS`: one network device, asked over SNMP, stored and judged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from attt_collector.judge import refusals
from attt_collector.judge.receive import receive_polled
from attt_collector.poll import credentials as secrets
from attt_collector.poll.asset import Identity, settle
from attt_collector.poll.credentials import AuthProtocol, Credentials, PrivacyProtocol
from attt_collector.poll.poller import DEVICE_KINDS, Device, poll_device
from attt_collector.settings import CollectorFolder
from attt_collector.store import units
from attt_collector.store.db import Store
from attt_rules.contract import Snapshot, Text


@click.command(
    help="Đọc một thiết bị mạng qua SNMP (chỉ đọc) và lưu bản chụp. Mật khẩu không bao giờ ghi "
    "trên dòng lệnh. (Read a network device over SNMP, read-only, and store the snapshot. "
    "Secrets never stand on the command line.)"
)
@click.argument("address", metavar="ĐỊA_CHỈ")
@click.option("--unit", "unit_code", required=True, help="Mã đơn vị (code of its unit).")
@click.option("--name", required=True, help="Tên thiết bị trong đơn vị (its name in the unit).")
@click.option(
    "--kind",
    type=click.Choice(DEVICE_KINDS),
    help="Loại thiết bị; lần sau không cần ghi lại (kind of device; kept for later polls).",
)
@click.option("--port", default=161, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--credentials",
    "credentials_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Tệp INI chứa community hoặc người dùng v3, quyền 0600 (INI file, mode 0600).",
)
@click.option(
    "--community-env",
    metavar="TÊN_BIẾN",
    help="Biến môi trường chứa community v2c; không ghi thì hỏi "
    "(variable with the v2c community; asked for when missing).",
)
@click.option("--v3-user", help="Người dùng SNMPv3 (SNMPv3 user).")
@click.option(
    "--auth-protocol",
    type=click.Choice(list(AuthProtocol), case_sensitive=False),
    default=AuthProtocol.SHA256,
    show_default=True,
)
@click.option(
    "--auth-password-env",
    metavar="TÊN_BIẾN",
    help="Biến chứa mật khẩu xác thực; không ghi thì hỏi (asked for when missing).",
)
@click.option(
    "--privacy-protocol",
    type=click.Choice(list(PrivacyProtocol), case_sensitive=False),
    default=PrivacyProtocol.AES128,
    show_default=True,
)
@click.option(
    "--privacy-password-env",
    metavar="TÊN_BIẾN",
    help="Biến chứa mật khẩu mã hóa; không ghi thì hỏi (asked for when missing).",
)
@click.option("--no-privacy", is_flag=True, help="authNoPriv: không mã hóa (without encryption).")
@click.option(
    "--check-default-community",
    is_flag=True,
    help="Thử thêm community «public», «private», hai lần v1 và hai lần v2c "
    '(also try "public" and "private", twice by v1 and v2c).',
)
@click.option(
    "--same-device",
    "identity",
    flag_value=Identity.SAME_DEVICE.value,
    help="Thiết bị cũ vừa đổi tên (a known device under a new name).",
)
@click.option(
    "--other-device",
    "identity",
    flag_value=Identity.OTHER_DEVICE.value,
    help="Thiết bị khác có engine ID bị chép trùng (another device with a copied engine ID).",
)
@click.pass_obj
def command(
    folder: CollectorFolder,
    *,
    address: str,
    unit_code: str,
    name: str,
    kind: str | None,
    port: int,
    credentials_file: Path | None,
    community_env: str | None,
    v3_user: str | None,
    auth_protocol: str,
    auth_password_env: str | None,
    privacy_protocol: str,
    privacy_password_env: str | None,
    no_privacy: bool,
    check_default_community: bool,
    identity: str | None,
) -> None:
    ways = [way for way in (credentials_file, community_env, v3_user) if way is not None]
    if len(ways) > 1:
        raise click.UsageError(
            "chỉ chọn một: --credentials, --community-env, --v3-user "
            "(choose one of --credentials, --community-env, --v3-user)"
        )
    device = Device(address, name, unit_code, kind, port)
    with Store.open(folder.database_url) as store:
        if store.simulated:
            raise refusals.simulated_mixed(name, snapshot_is_simulated=False)
        with store.read() as conn:
            unit = units.by_code(conn, unit_code)
        if credentials_file is not None:
            credentials: Credentials = secrets.read_file(credentials_file)
        elif v3_user is not None:
            auth = _secret(auth_password_env, f"Mật khẩu xác thực của {v3_user} (authentication)")
            privacy = (
                None
                if no_privacy
                else _secret(privacy_password_env, f"Mật khẩu mã hóa của {v3_user} (privacy)")
            )
            credentials = secrets.user(
                v3_user,
                auth_password=auth,
                privacy_password=privacy,
                auth_protocol=auth_protocol,
                privacy_protocol=privacy_protocol,
                source="--v3-user",
            )
        else:
            credentials = secrets.community(
                _secret(community_env, f"Community SNMP v2c của {name} (v2c community)"),
                community_env or "--community-env",
            )
        now = datetime.now(UTC)
        snapshot = poll_device(
            device, credentials, now=now, check_default_community=check_default_community
        )
        asset, snapshot = settle(
            store,
            snapshot,
            device,
            unit_id=unit.id,
            at=now,
            identity=Identity(identity or Identity.UNSAID),
        )
        receive_polled(store, asset, snapshot, now)
    click.echo(summary(device, snapshot).in_language(folder.language))


def summary(device: Device, snapshot: Snapshot) -> Text:
    """What was read, in a few lines; what could not be read is counted, not hidden."""
    facts = {(fact.key, fact.item): fact for fact in snapshot.facts}
    version = facts["snmp.version", None].value
    names = facts["interface.names", None]
    unread = sum(fact.unreadable is not None for fact in snapshot.facts)
    lines_vi = [f"Đã lưu bản chụp của {device}, SNMP {version}."]
    lines_en = [f"Stored a snapshot of {device}, SNMP {version}."]
    if isinstance(names.value, tuple):
        up = sum(
            fact.key == "interface.oper_state" and fact.value == "up" for fact in snapshot.facts
        )
        lines_vi.append(f"Giao diện: {len(names.value)}, đang hoạt động: {up}.")
        lines_en.append(f"Interfaces: {len(names.value)}, up: {up}.")
    else:
        reason = names.unreadable.value if names.unreadable is not None else ""
        lines_vi.append(f"Chưa đọc được danh sách giao diện: {reason}.")
        lines_en.append(f"The list of interfaces could not be read: {reason}.")
    for (key, item), fact in facts.items():
        if key == "interface.role":
            state = facts["interface.oper_state", item]
            said = state.value if state.unreadable is None else state.unreadable.value
            lines_vi.append(f"  {fact.value}: {item} {said}")
            lines_en.append(f"  {fact.value}: {item} {said}")
    if unread:
        lines_vi.append(f"Dữ kiện chưa đọc được: {unread} (chưa xác định, không tính là đạt).")
        lines_en.append(f"Facts that could not be read: {unread} (unknown, never a pass).")
    if version == "v2c":
        lines_vi.append("SNMP v2c gửi community không mã hóa: nên chuyển sang SNMPv3.")
        lines_en.append("SNMP v2c sends the community in clear: better use SNMPv3.")
    return Text(vi="\n".join(lines_vi), en="\n".join(lines_en))


def _secret(variable: str | None, question: str) -> str:
    if variable is not None:
        return secrets.from_environment(variable)
    answer: str = click.prompt(question, hide_input=True, default="", show_default=False, err=True)
    return answer
