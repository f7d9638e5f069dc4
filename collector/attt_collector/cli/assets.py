"""`attt-collector assets`: what is enrolled, and what a person does when a machine leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import click
from sqlalchemy import Connection

from attt_collector.cli import _scope
from attt_collector.records import VIETNAM_TIME, Asset, Unit
from attt_collector.report.wording import when
from attt_collector.settings import CollectorFolder
from attt_collector.store import assets, units
from attt_collector.store.db import Store
from attt_collector.words import Words
from attt_rules.contract import AssetKind, Text
from attt_rules.errors import AtttError

_yes = click.option("--yes", is_flag=True, help="Không hỏi lại (do not ask).")
_device_id = click.argument("device_id", metavar="ĐỊNH_DANH")


@click.group(
    help="Máy và thiết bị đã ghi danh. (The machines and devices that the collector knows.)"
)
def command() -> None:
    pass


@command.command(
    "list",
    help="Liệt kê: định danh, tên, loại, đơn vị, lần liên hệ cuối; máy trùng tên trong một đơn vị "
    "được đánh dấu. (List id, name, kind, unit and last contact; two of one name in one unit are "
    "marked.)",
)
@_scope.unit_option
@click.pass_obj
def list_assets(folder: CollectorFolder, unit_code: str | None) -> None:
    now = _scope.now()
    with Store.open(folder.database_url) as store, store.read() as conn:
        if unit_code is None:
            scope = units.everything(conn)
        else:
            scope = units.in_scope(conn, unit_code, now.date(), now)
        found = [
            each
            for each in assets.in_units(conn, units.ids(scope), now)
            if each.kind is not AssetKind.SITE
        ]
    codes = {unit.id: unit.code for unit in scope}
    doubled = {each.id for each in assets.sharing_a_name(found)}
    words = Words(folder.language)
    mark = Text(vi="TRÙNG TÊN", en="SAME NAME").in_language(folder.language)
    for each in sorted(found, key=lambda one: (codes[one.unit_id], one.name.casefold(), one.id)):
        last = when(each.last_received_at) if each.last_received_at else words("table.never")
        line = [each.device_id, each.name, words.word(each.kind), codes[each.unit_id], last]
        click.echo("\t".join([*line, mark] if each.id in doubled else line))


@command.command(
    "retire",
    help="Đưa một máy ra khỏi danh sách: từ nay không tính vào chỉ tiêu nào. "
    "(Retire a machine: from now on no figure counts it.)",
)
@_device_id
@_yes
@click.pass_obj
def retire_asset(folder: CollectorFolder, device_id: str, yes: bool) -> None:
    now = _scope.now()
    with Store.open(folder.database_url) as store:
        with store.read() as conn:
            found = _find(conn, device_id, now)
        _ask(folder, found.retiring(), Text(vi="Đưa ra khỏi danh sách?", en="Retire it?"), yes)
        store.write(lambda conn: assets.retire(conn, found.asset.id, now))
    said = Text(
        vi=f"Đã đưa {found.asset.name} ra khỏi danh sách.", en=f"{found.asset.name} is retired."
    )
    click.echo(said.in_language(folder.language))


@command.command(
    "move",
    help="Chuyển một máy sang đơn vị khác; máy giữ khóa và tiếp tục gửi. "
    "(Move a machine to another unit; it keeps its key and goes on reporting.)",
)
@_device_id
@click.option(
    "--unit", "unit_code", metavar="MÃ", required=True, help="Mã đơn vị mới (code of the new unit)."
)
@_yes
@click.pass_obj
def move_asset(folder: CollectorFolder, device_id: str, unit_code: str, yes: bool) -> None:
    now = _scope.now()
    with Store.open(folder.database_url) as store:
        with store.read() as conn:
            found = _find(conn, device_id, now)
            there = units.by_code(conn, unit_code)
            beside = assets.in_units(conn, [there.id], now)
        if there.id == found.unit.id:
            raise _there_already(found.asset, there)
        if not units.is_valid(there, now.date()):
            raise _not_in_force(there)
        _ask(folder, found.moving(there, beside), Text(vi="Chuyển?", en="Move it?"), yes)
        store.write(lambda conn: assets.move(conn, found.asset.id, there.id))
    said = Text(
        vi=f"Đã chuyển {found.asset.name} sang {there.name}.",
        en=f"{found.asset.name} is moved to {there.name}.",
    )
    click.echo(said.in_language(folder.language))


@dataclass(frozen=True, slots=True)
class _Found:
    """A device that may be retired or moved, and what else stands in its unit."""

    asset: Asset
    unit: Unit
    beside: Sequence[Asset]

    def retiring(self) -> Text:
        """What the figures lose."""
        kind, count = _kind(self.asset), _count(self.asset, self.beside)
        name = self.unit.name
        network = self.asset.kind is AssetKind.NETWORK_DEVICE
        return Text(
            vi=f"{self._who().vi}\nTừ bây giờ:\n"
            f"  - không chỉ tiêu nào tính {self.asset.name}; {kind.vi} của {name}: "
            f"{count} → {count - 1}\n"
            + (f"  - kết quả của trụ sở {name} không dựa vào thiết bị này nữa\n" if network else "")
            + "  - bản chụp mới của máy bị từ chối (ATTT-205)\n"
            "  - báo cáo tính đến một ngày trước đây vẫn có máy này",
            en=f"{self._who().en}\nFrom now on:\n"
            f"  - no figure counts {self.asset.name}; {kind.en} of {name}: {count} → {count - 1}\n"
            + (f"  - the results of the site of {name} no longer rest on it\n" if network else "")
            + "  - its new snapshots are refused (ATTT-205)\n"
            "  - a report as of an earlier day still holds it",
        )

    def moving(self, there: Unit, beside_there: Sequence[Asset]) -> Text:
        """What the figures of both units lose and gain."""
        kind, name = _kind(self.asset), self.asset.name
        here, new = _count(self.asset, self.beside), _count(self.asset, beside_there)
        alike = assets.sharing_a_name([*beside_there, _in_unit(self.asset, there)])
        doubled = any(each.id == self.asset.id for each in alike)
        polled = self.asset.public_key is None
        return Text(
            vi=f"{self._who().vi}\nTừ bây giờ:\n"
            f"  - {kind.vi} của {self.unit.name}: {here} → {here - 1}; "
            f"của {there.name}: {new} → {new + 1}\n"
            "  - báo cáo kỳ trước nếu lập lại cũng tính máy ở đơn vị mới: phiên bản này chưa lưu "
            "lịch sử chuyển đơn vị\n"
            + (f"  - {there.name} đã có máy tên {name}: sẽ trùng tên\n" if doubled else "")
            + (
                f"  - lần đọc SNMP sau ghi --unit {there.code}"
                if polled
                else "  - máy giữ khóa, tiếp tục gửi bản chụp, không phải ghi danh lại"
            ),
            en=f"{self._who().en}\nFrom now on:\n"
            f"  - {kind.en} of {self.unit.name}: {here} → {here - 1}; "
            f"of {there.name}: {new} → {new + 1}\n"
            "  - a report of an earlier period that is made again counts it in the new unit, too: "
            "this version keeps no history of moves\n"
            + (f"  - {there.name} has one named {name} already\n" if doubled else "")
            + (
                f"  - poll it with --unit {there.code} from now on"
                if polled
                else "  - it keeps its key and goes on reporting, without enrolling again"
            ),
        )

    def _who(self) -> Text:
        asset, kind = self.asset, _kind(self.asset)
        last = asset.last_received_at
        return Text(
            vi=f"{asset.name} ({kind.vi}, {asset.device_id}) của {self.unit.name}; liên hệ lần "
            f"cuối: {when(last) if last else 'chưa bao giờ'}.",
            en=f"{asset.name} ({kind.en}, {asset.device_id}) of {self.unit.name}; last contact: "
            f"{when(last) if last else 'never'}.",
        )


def _find(conn: Connection, device_id: str, now: datetime) -> _Found:
    asset = assets.by_device_id(conn, device_id)
    if asset is None:
        raise _unknown(device_id)
    if asset.kind is AssetKind.SITE:
        raise _is_a_site(asset)
    if asset.retired_at is not None:
        raise _retired_already(asset, asset.retired_at)
    unit = units.by_id(conn, asset.unit_id)
    return _Found(asset, unit, assets.in_units(conn, [unit.id], now))


def _ask(folder: CollectorFolder, change: Text, question: Text, yes: bool) -> None:
    """Say what will change; go on only after a yes.

    Raises:
        click.exceptions.Exit: no, status 1. click.Abort: nobody is there to answer.
    """
    click.echo(change.in_language(folder.language))
    if not yes and not click.confirm(question.in_language(folder.language)):
        unchanged = Text(vi="Không thay đổi gì.", en="Nothing is changed.")
        click.echo(unchanged.in_language(folder.language))
        raise click.exceptions.Exit(1)


def _count(like: Asset, among: Sequence[Asset]) -> int:
    return sum(1 for each in among if each.kind is like.kind)


def _in_unit(asset: Asset, unit: Unit) -> Asset:
    return replace(asset, unit_id=unit.id)


def _kind(asset: Asset) -> Text:
    vi, en = (Words(language).word(asset.kind) for language in ("vi", "en"))
    return Text(vi=vi.lower(), en=en if en.isupper() else en.lower())  # PC, but server


def _unknown(device_id: str) -> AtttError:
    return AtttError(
        "ATTT-560",
        Text(
            vi=f"Không có máy nào mang định danh «{device_id}».",
            en=f'There is no device with the id "{device_id}".',
        ),
        Text(
            vi="chép đúng cột đầu của «attt-collector assets list».",
            en='Copy the first column of "attt-collector assets list".',
        ),
    )


def _retired_already(asset: Asset, at: datetime) -> AtttError:
    day = at.astimezone(VIETNAM_TIME)
    return AtttError(
        "ATTT-561",
        Text(
            vi=f"{asset.name} đã được đưa ra khỏi danh sách từ ngày {day:%d/%m/%Y}.",
            en=f"{asset.name} was retired on {day:%Y-%m-%d} already.",
        ),
        Text(
            vi="xem các máy còn trong danh sách bằng «attt-collector assets list».",
            en='See what is left with "attt-collector assets list".',
        ),
    )


def _is_a_site(asset: Asset) -> AtttError:
    return AtttError(
        "ATTT-562",
        Text(
            vi=f"«{asset.device_id}» là trụ sở của {asset.name}, không phải một máy.",
            en=f'"{asset.device_id}" is the site of {asset.name}, not a machine.',
        ),
        Text(
            vi="trụ sở đi theo đơn vị: ghi ngày kết thúc của đơn vị bằng «attt-collector units "
            "import».",
            en='A site goes with its unit: give the unit an end with "attt-collector units '
            'import".',
        ),
    )


def _there_already(asset: Asset, unit: Unit) -> AtttError:
    return AtttError(
        "ATTT-563",
        Text(
            vi=f"{asset.name} đang thuộc {unit.name} rồi.",
            en=f"{asset.name} is in {unit.name} already.",
        ),
        Text(vi="kiểm tra lại mã đơn vị sau --unit.", en="Check the code after --unit."),
    )


def _not_in_force(unit: Unit) -> AtttError:
    return AtttError(
        "ATTT-564",
        Text(
            vi=f"Đơn vị {unit.code} ({unit.name}) hôm nay không hoạt động.",
            en=f"The unit {unit.code} ({unit.name}) does not exist today.",
        ),
        Text(
            vi="chọn đơn vị trong «attt-collector units list».",
            en='Choose one of "attt-collector units list".',
        ),
    )
