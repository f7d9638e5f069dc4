"""collector.toml and the folder it lies in."""

from __future__ import annotations

from pathlib import Path

import pytest

from attt_collector.settings import TEMPLATE, CollectorFolder, Settings, read_settings
from attt_rules.errors import AtttError

FILE = Path("/var/lib/attt-collector/collector.toml")
SAMPLE = Path(__file__).parents[2] / "deploy" / "collector" / "collector.toml"


def test_it_works() -> None:
    text = TEMPLATE.format(
        listen="0.0.0.0", port=9443, public_url="https://attt.example:9443/", names='"attt.example"'
    )
    assert Settings(
        "0.0.0.0", 9443, "https://attt.example:9443", ("attt.example",), "sqlite:///attt.sqlite"
    ) == read_settings(text, FILE)


def test_what_is_not_said_has_its_default() -> None:
    assert Settings() == read_settings("", FILE)


def test_the_sample_that_is_shipped_can_be_read() -> None:
    assert "0.0.0.0" == read_settings(SAMPLE.read_text("utf-8"), SAMPLE).listen


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nport = x\n", "line 2"),
        ("[servr]\nport = 1", "[servr]"),
        ("server = 1", "server"),
        ("[server]\nprot = 8443", "server.prot"),
        ('[server]\nport = "8443"', "server.port"),
        ("[server]\nport = 70000", "server.port"),
        ("[server]\nport = true", "server.port"),
        ('[server]\nlisten = ""', "server.listen"),
        ('[server]\npublic_url = "http://a"', "server.public_url"),
        ("[server]\nnames = []", "server.names"),
        ('[server]\nnames = ["xã phú tân"]', "server.names"),
        ('[store]\nurl = "mysql://a"', "store.url"),
        ('[text]\nlanguage = "fr"', "text.language"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, named: str) -> None:
    with pytest.raises(AtttError) as refused:
        read_settings(text, FILE)
    assert "ATTT-511" == refused.value.code
    assert named in refused.value.message.vi
    assert str(FILE) in refused.value.message.vi


def test_a_relative_store_lies_in_the_folder(tmp_path: Path) -> None:
    folder = CollectorFolder(tmp_path)
    folder.settings_file.write_text("", encoding="utf-8")
    assert f"sqlite:///{tmp_path}/attt.sqlite" == folder.database_url


@pytest.mark.parametrize("url", ["sqlite:////srv/attt.sqlite", "postgresql+psycopg://db/attt"])
def test_another_store_is_taken_as_it_is(tmp_path: Path, url: str) -> None:
    folder = CollectorFolder(tmp_path)
    folder.settings_file.write_text(f'[store]\nurl = "{url}"', encoding="utf-8")
    assert url == folder.database_url


def test_it_says_what_to_do_when_there_is_no_collector(tmp_path: Path) -> None:
    with pytest.raises(AtttError, match=r"ATTT-510(.|\n)*init"):
        CollectorFolder(tmp_path).settings()


def test_settings_in_another_encoding_are_refused(tmp_path: Path) -> None:
    folder = CollectorFolder(tmp_path)
    folder.settings_file.write_bytes("# Cài đặt".encode("utf-16"))
    with pytest.raises(AtttError, match="ATTT-511"):
        folder.settings()
