"""What the tables of a report say."""

from __future__ import annotations

from attt_collector.records import UnitKind
from tests.report.fleet import Fleet


def commune(pcs: int = 0) -> Fleet:
    fleet = Fleet()
    fleet.pcs(fleet.unit("TP", "UBND xã Tân Phú", UnitKind.COMMUNE), pcs)
    return fleet


def test_the_annex_gives_no_share_of_what_is_all_unknown() -> None:
    fleet = commune()
    fleet.device(fleet.units[0], None)
    failing = commune()
    failing.pcs(failing.units[0], 1, **{"firewall.enabled": {"host": False}})

    assert indicator_row(fleet, "CT-07") == ("0", "0", "1", "0", "1", "chưa xác định")
    assert indicator_row(failing, "CT-07") == ("0", "1", "0", "0", "1", "0%")


def indicator_row(fleet: Fleet, indicator_id: str) -> tuple[str, ...]:
    """Passed, failed, unknown, not applicable, of, percentage."""
    [annex] = [annex for annex in fleet.report().annexes if annex.id == "indicators"]
    [row] = [row for row in annex.rows if row[0] == indicator_id]
    return row[2:]
