"""`attt-collector init`: makes the folder, the CA, the store and the first user."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import click
from sqlalchemy.exc import DatabaseError

from attt_collector import trust
from attt_collector.settings import (
    TEMPLATE,
    CollectorFolder,
    is_host,
    not_readable,
    read_settings,
)
from attt_collector.store import users
from attt_collector.store.db import Store
from attt_collector.store.errors import database_exists
from attt_rules.contract import Text
from attt_rules.errors import AtttError

ADMINISTRATOR = "admin"
_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared, not listened on


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
        AtttError: ATTT-503 there is one already, 513 the folder cannot be made, 514 a bad name, 518
            the folder is somebody else's. Nothing of what was made then stays behind.
    """
    for name in (*names, listen):
        if not is_host(name):
            raise _bad_name(name)
    database = folder.path.resolve() / "attt.sqlite"
    try:
        exists = folder.settings_file.exists() or folder.ca.exists() or database.exists()
    except PermissionError:
        raise not_readable(folder.path) from None
    if exists:
        raise database_exists(str(folder.path))
    try:
        with _undone_on_failure(folder):
            return _fill(folder, listen, port, names, simulated=simulated, now=now)
    except OSError as error:
        raise _cannot_make(folder, error.strerror or str(error)) from error
    except DatabaseError as error:
        raise _cannot_make(folder, str(error.orig)) from error


@contextmanager
def _undone_on_failure(folder: CollectorFolder) -> Iterator[None]:
    """Whatever ends the making early, a full disk or Ctrl-C: take away what this run made.

    What was there before stays, and so does a folder that somebody else has put something into.
    """
    new_folders = [each for each in (folder.path, *folder.path.parents) if not each.exists()]
    before = set(folder.path.iterdir()) if folder.path.exists() else set()
    try:
        yield
    except FileExistsError:
        raise  # another run is making a collector here: what appeared is not ours
    except BaseException:
        made = set(folder.path.iterdir()) - before if folder.path.exists() else set()
        for path in made:
            if path == folder.ca:
                shutil.rmtree(path, ignore_errors=True)
            elif path.name.startswith(("attt.sqlite", folder.settings_file.name)):
                path.unlink(missing_ok=True)
        with suppress(OSError):  # not empty: not ours alone
            for path in (*(made & {folder.reports}), *new_folders):
                path.rmdir()
        raise


def _fill(
    folder: CollectorFolder,
    listen: str,
    port: int,
    names: tuple[str, ...],
    *,
    simulated: bool,
    now: datetime,
) -> Text:
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.path.chmod(0o700)
    folder.reports.mkdir(mode=0o700, exist_ok=True)
    # Where it listens on one address only, that one is sure to answer.
    own = (socket.gethostname(),) if listen in _EVERY_ADDRESS else (listen, socket.gethostname())
    all_names = tuple(dict.fromkeys((*names, *own, "localhost", "127.0.0.1")))
    all_names = tuple(name for name in all_names if is_host(name))
    public_url = f"https://{_in_url(all_names[0])}:{port}"
    text = TEMPLATE.format(
        listen=listen,
        port=port,
        public_url=public_url,
        names=", ".join(f'"{name}"' for name in all_names),
    )
    settings = read_settings(text, folder.settings_file)
    database = folder.path.resolve() / "attt.sqlite"
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


def _cannot_make(folder: CollectorFolder, reason: str) -> AtttError:
    return AtttError(
        "ATTT-513",
        Text(
            vi=f"Không tạo được máy thu thập tại {folder.path}: {reason}. Không để lại gì.",
            en=f"The collector in {folder.path} cannot be made: {reason}. Nothing is left behind.",
        ),
        Text(
            vi="kiểm tra dung lượng trống của ổ đĩa, chạy bằng tài khoản có quyền ghi, hoặc chọn "
            "thư mục khác bằng «--data».",
            en="Check the free space of the disk, run as a user who may write there, or choose "
            "another folder with --data.",
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
