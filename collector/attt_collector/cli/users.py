"""`attt-collector users`: who may log in to the web page."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from attt_collector.records import User
from attt_collector.settings import CollectorFolder
from attt_collector.store import sessions, units, users
from attt_collector.store.cell_text import visible
from attt_collector.store.db import Store
from attt_rules.contract import Text
from attt_rules.errors import AtttError


@click.group(help="Tài khoản đăng nhập trang web. (Logins of the web page.)")
def command() -> None:
    pass


@command.command("add", help="Thêm người dùng; in mật khẩu một lần. (Add a user.)")
@click.argument("login", metavar="TÊN")
@click.option(
    "--unit",
    "unit_code",
    help="Chỉ thấy đơn vị này và cấp dưới; bỏ trống là thấy tất cả (sees this subtree only).",
)
@click.pass_obj
def add_user(folder: CollectorFolder, login: str, unit_code: str | None) -> None:
    users.check_login(login)
    password = users.generate_password()
    password_hash = users.hash_password(password)
    with Store.open(folder.database_url) as store:
        with store.read() as conn:
            unit_id = units.by_code(conn, unit_code).id if unit_code else None
            if users.by_login(conn, login) is not None:
                raise _taken(login)
        store.write(
            lambda conn: users.add(
                conn,
                login=login,
                password_hash=password_hash,
                unit_id=unit_id,
                language=folder.language,
            )
        )
    click.echo(_password_text(login, password).in_language(folder.language))


@command.command("reset", help="Đặt lại mật khẩu và đăng xuất mọi nơi. (Set a new password.)")
@click.argument("login", metavar="TÊN")
@click.pass_obj
def reset_password(folder: CollectorFolder, login: str) -> None:
    password = users.generate_password()
    password_hash = users.hash_password(password)
    with Store.open(folder.database_url) as store:
        user = _existing(store, login)
        store.write(lambda conn: users.set_password(conn, user.id, password_hash))
        store.write(lambda conn: sessions.end_all(conn, user.id))
    click.echo(_password_text(login, password).in_language(folder.language))


@command.command("disable", help="Khóa tài khoản. (A user may no longer log in.)")
@click.argument("login", metavar="TÊN")
@click.pass_obj
def disable_user(folder: CollectorFolder, login: str) -> None:
    with Store.open(folder.database_url) as store:
        user = _existing(store, login)
        store.write(lambda conn: users.disable(conn, user.id, datetime.now(UTC)))
    said = Text(vi=f"Đã khóa tài khoản {login}.", en=f"{login} may no longer log in.")
    click.echo(said.in_language(folder.language))


@command.command("list", help="Liệt kê tài khoản. (List the users.)")
@click.pass_obj
def list_users(folder: CollectorFolder) -> None:
    with Store.open(folder.database_url) as store, store.read() as conn:
        codes = {unit.id: unit.code for unit in units.everything(conn)}
        for user in users.everyone(conn):
            cells = [
                user.login,
                codes[user.unit_id]
                if user.unit_id is not None
                else Text(vi="tất cả", en="everything").in_language(folder.language),
            ]
            if user.disabled_at is not None:
                cells.append(Text(vi="đã khóa", en="locked").in_language(folder.language))
            click.echo("\t".join(cells))


def _existing(store: Store, login: str) -> User:
    with store.read() as conn:
        found = users.by_login(conn, login)
    if found is None:
        shown = visible(login)
        raise AtttError(
            "ATTT-541",
            Text(vi=f"Không có tài khoản «{shown}».", en=f'There is no user "{shown}".'),
            Text(
                vi="xem danh sách bằng «attt-collector users list».",
                en='See the list with "attt-collector users list".',
            ),
        )
    return found


def _taken(login: str) -> AtttError:
    return AtttError(
        "ATTT-540",
        Text(vi=f"Đã có tài khoản «{login}».", en=f'There is a user "{login}" already.'),
        Text(
            vi="chọn tên khác, hoặc đặt lại mật khẩu bằng «users reset».",
            en='Choose another name, or set a new password with "users reset".',
        ),
    )


def _password_text(login: str, password: str) -> Text:
    return Text(
        vi=f"Tài khoản {login}, mật khẩu {password} (chỉ hiện một lần).",
        en=f"Login {login}, password {password} (shown only once).",
    )
