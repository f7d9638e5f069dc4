"""`attt-collector init`: makes the folder, the CA, the store and the first user."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import click

from attt_collector import trust
from attt_collector.settings import (
    TEMPLATE,
    CollectorFolder,
    is_host,
    read_settings,
)
from attt_collector.store import users
from attt_collector.store.db import Store
from attt_collector.store.errors import database_exists
from attt_rules.contract import Text
from attt_rules.errors import AtttError

ADMINISTRATOR = "admin"


@click.command(
    help="Tạo thư mục, nơi cấp chứng thư, kho dữ liệu và tài khoản quản trị. "
    "(Make the folder, the CA, the store and the administrator.)"
)
@click.option("--listen", default="0.0.0.0", show_default=True, help="Địa chỉ lắng nghe.")  # noqa: S104
@click.option(
    "--port", default=8443, show_default=True, type=click.IntRange(0, 65535), help="Cổng lắng nghe."
)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="Tên hoặc địa chỉ IP mà các máy dùng để gọi đến; có thể lặp lại "
    "(a name or address that devices will use; may be repeated).",
)
@click.option(
    "--simulated",
    is_flag=True,
    help="Kho cho dữ liệu mô phỏng; không bao giờ nhận dữ liệu thật (a store for made-up data).",
)
@click.pass_obj
def command(
    folder: CollectorFolder, listen: str, port: int, names: tuple[str, ...], simulated: bool
) -> None:
    said = create(folder, listen, port, names, simulated=simulated, now=datetime.now(UTC))
    click.echo(said.in_language(folder.language))


def create(
    folder: CollectorFolder,
    listen: str,
    port: int,
    names: tuple[str, ...],
    *,
    simulated: bool,
    now: datetime,
) -> Text:
    """Make a collector; what to tell its administrator, with the password that is shown once.

    Raises:
        AtttError: ATTT-503 there is one already, 513 the folder cannot be made, 514 a bad name.
    """
    for name in (*names, listen):
        if not is_host(name):
            raise _bad_name(name)
    database = folder.path.resolve() / "attt.sqlite"
    if folder.settings_file.exists() or folder.ca.exists() or database.exists():
        raise database_exists(str(folder.path))
    try:
        folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.path.chmod(0o700)
        folder.reports.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _cannot_make(folder, error) from error
    all_names = tuple(dict.fromkeys((*names, socket.gethostname(), "localhost", "127.0.0.1")))
    all_names = tuple(name for name in all_names if is_host(name))
    public_url = f"https://{_in_url(all_names[0])}:{port}"
    text = TEMPLATE.format(
        listen=listen,
        port=port,
        public_url=public_url,
        names=", ".join(f'"{name}"' for name in all_names),
    )
    settings = read_settings(text, folder.settings_file)
    identity = trust.Identity(folder.ca)
    identity.create(now)
    identity.renew(settings.names, now)
    # The settings come last: a folder with collector.toml is a folder that was made to its end.
    password = users.generate_password()
    password_hash = users.hash_password(password)
    with Store.create(f"sqlite:///{database}", simulated, now) as store:
        store.write(lambda conn: users.add(conn, login=ADMINISTRATOR, password_hash=password_hash))
    trust.write_private(folder.settings_file, text.encode())
    return _made(folder, public_url, password, identity, simulated=simulated)


def _made(
    folder: CollectorFolder,
    public_url: str,
    password: str,
    identity: trust.Identity,
    *,
    simulated: bool,
) -> Text:
    fingerprint = trust.fingerprint(identity.ca_certificate())
    kind = (
        Text(vi="dữ liệu MÔ PHỎNG", en="SIMULATED data")
        if simulated
        else Text(vi="dữ liệu thật", en="real data")
    )
    return Text(
        vi=f"Đã tạo máy thu thập ({kind.vi}) tại {folder.path}.\n"
        f"  Địa chỉ:        {public_url}\n"
        f"  Dấu vân tay CA: {fingerprint}\n"
        f"  Tài khoản:      {ADMINISTRATOR}\n"
        f"  Mật khẩu:       {password}   (chỉ hiện một lần)\n"
        f"Tiếp theo: attt-collector --data {folder.path} units import TỆP.csv, rồi serve.",
        en=f"Made a collector ({kind.en}) in {folder.path}.\n"
        f"  Address:        {public_url}\n"
        f"  CA fingerprint: {fingerprint}\n"
        f"  Login:          {ADMINISTRATOR}\n"
        f"  Password:       {password}   (shown only once)\n"
        f"Next: attt-collector --data {folder.path} units import FILE.csv, then serve.",
    )


def _in_url(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _cannot_make(folder: CollectorFolder, error: OSError) -> AtttError:
    reason = error.strerror or str(error)
    return AtttError(
        "ATTT-513",
        Text(
            vi=f"Không tạo được thư mục {folder.path}: {reason}.",
            en=f"The folder {folder.path} cannot be made: {reason}.",
        ),
        Text(
            vi="chạy bằng tài khoản có quyền, hoặc chọn thư mục khác bằng «--data».",
            en="Run as a user with permission, or choose another folder with --data.",
        ),
    )


def _bad_name(name: str) -> AtttError:
    return AtttError(
        "ATTT-514",
        Text(
            vi=f"«{name}» không phải là tên máy hay địa chỉ IP.",
            en=f'"{name}" is neither a host name nor an IP address.',
        ),
        Text(
            vi="nhập tên không dấu, không khoảng trắng, ví dụ attt.tinh.gov.vn hoặc 10.1.2.3.",
            en="Give a name such as attt.tinh.gov.vn, or an address such as 10.1.2.3.",
        ),
    )
