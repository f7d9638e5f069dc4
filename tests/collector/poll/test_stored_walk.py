"""Reading of .snmprec recordings."""

from __future__ import annotations

import bz2
import logging
from pathlib import Path

import pytest

from attt_collector.poll import stored_walk
from attt_collector.poll.stored_walk import StoredWalkError

LINES = b"""1.3.6.1.2.1.1.1.0|4|Cisco IOS | a bar in it
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.9.1.617
1.3.6.1.2.1.1.3.0|67|492446481
1.3.6.1.2.1.2.2.1.6.2|4x|005056b1c2d3
1.3.6.1.2.1.4.20.1.1.10.1.1.1|64|10.1.1.1
1.3.6.1.2.1.4.20.1.1.10.1.1.2|64x|0A010102
1.3.6.1.2.1.31.1.1.1.6.2|70|18446744073709551615
"""


def test_it_works(tmp_path: Path) -> None:
    path = tmp_path / "walk.snmprec"
    path.write_bytes(LINES)
    assert {
        (1, 3, 6, 1, 2, 1, 1, 1, 0): b"Cisco IOS | a bar in it",
        (1, 3, 6, 1, 2, 1, 1, 2, 0): (1, 3, 6, 1, 4, 1, 9, 1, 617),
        (1, 3, 6, 1, 2, 1, 1, 3, 0): 492446481,
        (1, 3, 6, 1, 2, 1, 2, 2, 1, 6, 2): bytes.fromhex("005056b1c2d3"),
        (1, 3, 6, 1, 2, 1, 4, 20, 1, 1, 10, 1, 1, 1): bytes([10, 1, 1, 1]),
        (1, 3, 6, 1, 2, 1, 4, 20, 1, 1, 10, 1, 1, 2): bytes([10, 1, 1, 2]),
        (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 2): 18446744073709551615,
    } == dict(stored_walk.read(path))


def test_it_reads_a_packed_recording(tmp_path: Path) -> None:
    plain, packed = tmp_path / "walk.snmprec", tmp_path / "walk.snmprec.bz2"
    plain.write_bytes(LINES)
    packed.write_bytes(bz2.compress(LINES))
    assert stored_walk.read(plain) == stored_walk.read(packed)


def test_it_leaves_out_what_was_not_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "walk.snmprec"
    path.write_bytes(
        b"# a comment\n\n"
        b"1.3.6.1.2.1.25.3.3.1.2.1|2:numeric|min=0,function=sin\n"
        b"1.3.6.1.2.1.2.2.1.6.1|4x|58AC78XXYYZZ\n"
        b"1.3.6.1.2.1.4.20.1.2.10.xx.xx.1|2|13\r\n"
        b"1.3.6.1.2.1.2.1.0|2|24\r\n"
    )
    with caplog.at_level(logging.WARNING):
        assert {(1, 3, 6, 1, 2, 1, 2, 1, 0): 24} == dict(stored_walk.read(path))
    assert [f"masked values left out file={path} lines=2"] == caplog.messages


@pytest.mark.parametrize("line", [b"SNMPv2-MIB::sysName.0 = STRING: a", b"1.3.6.1|4", b"|4|a"])
def test_it_says_which_line_is_no_recording(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "walk.snmprec"
    path.write_bytes(LINES + line)
    with pytest.raises(StoredWalkError) as caught:
        stored_walk.read(path)
    assert "ATTT-414" == caught.value.code
    assert f"{path}:8" in caught.value.message.vi
