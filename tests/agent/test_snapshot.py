"""Facts into a snapshot, without people's names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from attt_agent.recorded import RecordedHost
from attt_agent.settings import Settings
from attt_agent.snapshot import (
    SnapshotError,
    detect_kind,
    kind_of,
    name_of,
    snapshot_of,
    take,
    without_names,
)
from attt_rules.contract import AssetKind, AssetRef, Fact, Unreadable

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NO_DESKTOP_READ = Fact("session.desktop_present", AT, "x", unreadable=Unreadable.ACCESS_DENIED)
PEOPLE = {"an": "uid:1000", "an-pc": "uid:1001", "ubuntu": "uid:1002"}


def fact(key: str, value: object, source: str = "x", item: str | None = None) -> Fact:
    return Fact(key, AT, source, value=value, item=item)  # type: ignore[arg-type]


def clean(one: Fact) -> Fact:
    (result,) = without_names([one], PEOPLE)
    return result


def test_it_works() -> None:
    host = RecordedHost(
        host_name="PC-0417",
        moment=AT,
        files={"/etc/os-release": b'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n'},
    )
    snapshot = take(host, Settings(kind=AssetKind.PC), "a" * 26, "0000-1111")
    assert snapshot.asset == AssetRef("a" * 26, AssetKind.PC, "PC-0417")
    assert snapshot.taken_at == AT
    assert "Debian GNU/Linux" in {f.value for f in snapshot.facts if f.key == "os.name"}


def test_the_settings_name_the_asset_before_the_host_does() -> None:
    host = RecordedHost(host_name="localhost")
    assert name_of(host, Settings(name="Máy văn thư")) == "Máy văn thư"
    assert name_of(host, Settings()) == "localhost"
    assert name_of(RecordedHost(), Settings()) == "-"


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ([fact("session.desktop_present", True)], AssetKind.PC),
        ([fact("asset.form", "laptop")], AssetKind.PC),
        ([fact("session.desktop_present", False), fact("asset.form", "desktop")], AssetKind.SERVER),
        ([fact("session.desktop_present", False)], AssetKind.SERVER),
        ([NO_DESKTOP_READ, fact("asset.form", "server")], AssetKind.SERVER),
        ([NO_DESKTOP_READ, fact("asset.form", "laptop")], AssetKind.PC),
    ],
)
def test_it_knows_a_pc_from_a_server(facts: list[Fact], kind: AssetKind) -> None:
    assert kind_of(facts) == kind


@pytest.mark.parametrize("form", ["desktop", "virtual", None])
def test_it_reports_unknown_when_neither_desktop_nor_form_decides(form: str | None) -> None:
    known = [] if form is None else [fact("asset.form", form)]
    assert kind_of([NO_DESKTOP_READ, *known]) is None
    assert kind_of(known) is None
    assert detect_kind(RecordedHost(moment=AT)) is None
    assert detect_kind(RecordedHost(moment=AT, platform="windows")) is None


def test_no_snapshot_of_a_machine_of_unknown_kind() -> None:
    with pytest.raises(SnapshotError) as caught:
        take(RecordedHost(host_name="PC-0417", moment=AT), Settings(), "a" * 26, "0000-1111")
    assert caught.value.code == "ATTT-312"
    assert "PC-0417" in caught.value.message.vi
    assert "--kind pc" in caught.value.remedy.vi


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("/home/an/.config", "/home/uid:1000/.config"),
        ("/home/khach/x", "/home/<user>/x"),
        (r"C:\\Users\\khach\\x".replace("\\\\", "\\"), "C:\\Users\\<user>\\x"),
        ("AutomaticLogin=an", "AutomaticLogin=uid:1000"),
        ("logged on: an.", "logged on: uid:1000."),
        ("an-pc", "uid:1001"),
        ("an-toan, lan, quan an toàn", "an-toan, lan, quan uid:1000 toàn"),
        ("an.gov.vn", "an.gov.vn"),
    ],
)
def test_it_takes_login_names_out(said: str, sent: str) -> None:
    assert clean(fact("trial.text", said)).value == sent
    assert clean(fact("trial.text", "x", source=said)).source == sent
    assert clean(fact("trial.list", (said, "b"))).value == (sent, "b")
    assert clean(fact("trial.enabled", True, item=said)).item == sent


def test_an_account_name_does_not_change_the_system() -> None:
    assert clean(fact("os.name", "ubuntu an")).value == "ubuntu an"


def test_two_strangers_do_not_become_one_answer() -> None:
    facts = [
        fact("trial.enabled", True, item="/home/mot"),
        fact("trial.enabled", False, item="/home/hai"),
    ]
    (result,) = without_names(facts, {})
    assert (result.item, result.value) == ("/home/<user>", None)
    assert result.unreadable is Unreadable.MALFORMED


def test_it_reports_facts_over_the_limit() -> None:
    twice = [fact("trial.enabled", True), fact("trial.enabled", True)]
    with pytest.raises(SnapshotError) as caught:
        snapshot_of(twice, AssetRef("a", AssetKind.PC, "PC-0417"), AT, "id")
    assert caught.value.code == "ATTT-310"
    assert "PC-0417" in caught.value.message.vi
