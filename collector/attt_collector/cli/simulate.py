"""`attt-collector simulate`: fills a simulated collector with a made-up city."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from attt_collector.settings import CollectorFolder
from attt_collector.simulated import city
from attt_collector.simulated.loading import load_city
from attt_collector.store.db import Store
from attt_rules.contract import Text


@click.command(
    help="Nạp một thành phố mô phỏng vào thư mục đã tạo bằng «init --simulated». "
    "(Load a made-up city into a folder made with init --simulated.)"
)
@click.pass_obj
def command(folder: CollectorFolder) -> None:
    with Store.open(folder.database_url) as store:
        loaded = load_city(store, datetime.now(UTC))
    said = Text(
        vi=f"Đã nạp {loaded} bản chụp mô phỏng của {len(city.OFFICES)} đơn vị, "
        f"{city.TOTAL_PCS} máy tính: số liệu tháng 10 năm 2024 và số liệu hôm nay.\n"
        f"Tiếp theo: attt-collector --data {folder.path} report "
        f"--unit {city.CITY.code} --period 10/2024",
        en=f"Loaded {loaded} made-up snapshots of {len(city.OFFICES)} offices and "
        f"{city.TOTAL_PCS} PCs: October 2024 and today.\n"
        f"Next: attt-collector --data {folder.path} report "
        f"--unit {city.CITY.code} --period 10/2024",
    )
    click.echo(said.in_language(folder.language))
