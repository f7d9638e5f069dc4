"""agent.ini and the state folder."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from attt_agent import settings
from attt_agent.settings import Settings, SettingsError, StateFolder, format_target, parse_target
from attt_rules.contract import AssetKind, UnitRef

FULL = Settings(
    server="https://attt.tinh.gov.vn:8443",
    unit=UnitRef("87.30133", "UBND xã Phú Tân 100% an toàn"),
    kind=AssetKind.PC,
    name="PC-0417",
    wan_target=("10.10.0.1", 443),
    pack="vn_l2_2026",
)


def test_it_works(state: StateFolder) -> None:
    settings.save(state, FULL)
    assert settings.load(state) == FULL
    assert stat.S_IMODE(state.settings.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o700


def test_nothing_set_is_fine(state: StateFolder) -> None:
    assert settings.load(state) == Settings()
    settings.save(state, Settings())
    assert settings.load(state) == Settings()


def test_a_name_cannot_smuggle_in_a_setting(state: StateFolder) -> None:
    smuggler = Settings(unit=UnitRef("1", "xã A\nserver = https://evil.example"))
    settings.save(state, smuggler)
    assert settings.load(state).server is None


def test_it_closes_a_folder_that_was_open(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    StateFolder(tmp_path).make()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("[attt]\nkind = toaster\n", "toaster"),
        ("[attt]\nwan_target = 10.0.0.1\n", "10.0.0.1"),
        ("[attt]\nservr = https://x\n", "servr"),
        ("[other]\nx = 1\n", "other"),
        ("server = https://x\n", "agent.ini"),
        ("[attt]\nserver = a\nserver = b\n", "server"),
        ("[attt]\nserver = \udcff\n", "agent.ini"),
    ],
)
def test_it_names_the_wrong_setting(state: StateFolder, content: str, named: str) -> None:
    state.settings.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError) as caught:
        settings.load(state)
    assert caught.value.code == "ATTT-300"
    assert named in caught.value.message.vi
    assert str(state.settings) in caught.value.message.en


def test_it_says_when_the_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match="ATTT-309"):
        StateFolder(tmp_path / "file" / "state").make()
    with pytest.raises(SettingsError, match="ATTT-309"):
        settings.save(StateFolder(tmp_path / "missing"), FULL)


@pytest.mark.parametrize("text", ["10.0.0.1:443", "[fd00::1]:8443", "tinh.gov.vn:80"])
def test_a_target_round_trips(text: str) -> None:
    assert text == format_target(parse_target(text))


@pytest.mark.parametrize("text", ["", ":443", "10.0.0.1", "10.0.0.1:", "h:0", "h:65536", "h:http"])
def test_it_refuses_what_is_no_target(text: str) -> None:
    with pytest.raises(ValueError, match="address:port"):
        parse_target(text)
