"""The queue on disk: what is in it survives everything but its own limits."""

from __future__ import annotations

import base64
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from attt_agent.spool import Entry, RunLock, Spool, SpoolError
from attt_rules.contract import Envelope

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


def envelope(snapshot_id: str, padding: int = 0) -> Envelope:
    noise = base64.b64encode(os.urandom(padding)).decode() if padding else ""
    body = json.dumps({"snapshot_id": snapshot_id, "noise": noise}).encode()
    return Envelope("a" * 26, "c2ln", body)


def ids(spool: Spool) -> list[str]:
    return [spool.read(path).snapshot_id for path in spool.waiting()]


def test_it_works(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    assert spool.waiting() == ()
    assert spool.put(envelope("one"), NOW) == ()
    assert spool.put(envelope("two"), NOW) == ()
    assert ids(spool) == ["one", "two"]
    first = spool.read(spool.waiting()[0])
    assert Envelope.from_bytes(gzip.decompress(first.gzipped)) == envelope("one")
    spool.remove(first)
    assert ids(spool) == ["two"]


def test_it_keeps_the_order_when_the_clock_goes_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number, moment in enumerate([NOW, NOW - timedelta(days=9000), NOW - timedelta(hours=1)]):
        spool.put(envelope(str(number)), moment)
    assert ids(spool) == ["0", "1", "2"]


def test_a_number_is_never_used_twice(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put(envelope("one"), NOW)
    aside = spool.refuse(spool.read(spool.waiting()[0]), "no")
    spool.put(envelope("two"), NOW)
    assert aside.name[:10] < spool.waiting()[0].name[:10]


def test_it_drops_the_oldest_when_it_is_full(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=35_000)
    for number in range(3):
        assert spool.put(envelope(str(number), 10_000), NOW) == ()
    (dropped,) = spool.put(envelope("3", 10_000), NOW)
    assert ids(spool) == ["1", "2", "3"]
    assert dropped.name.startswith("0000000001-")
    assert "đầy" in dropped.reason.vi
    assert "full" in dropped.reason.en


def test_it_keeps_the_newest_even_when_that_alone_is_too_large(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=1_000)
    spool.put(envelope("small"), NOW)
    assert len(spool.put(envelope("large", 10_000), NOW)) == 1
    assert ids(spool) == ["large"]


def test_it_drops_what_is_older_than_thirty_days(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put(envelope("old"), NOW - timedelta(days=31))
    spool.put(envelope("week"), NOW - timedelta(days=7))
    assert ids(spool) == ["old", "week"]
    (dropped,) = spool.put(envelope("new"), NOW)
    assert ids(spool) == ["week", "new"]
    assert "30" in dropped.reason.vi


@pytest.mark.parametrize("years_off", [-56, 73])
def test_a_clock_that_jumps_drops_nothing(tmp_path: Path, years_off: int) -> None:
    spool = Spool(tmp_path)
    spool.put(envelope("before"), NOW)
    assert spool.put(envelope("jump"), NOW + timedelta(days=365 * years_off)) == ()
    assert spool.put(envelope("after"), NOW) == ()
    assert ids(spool) == ["before", "jump", "after"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip at all",
        gzip.compress(envelope("x").to_bytes())[:-9],
        gzip.compress(b"no header line"),
        gzip.compress(b'{"attt":1}\n{}'),
        gzip.compress(envelope("x").to_bytes().replace(b"snapshot_id", b"snapshot_no")),
        gzip.compress(b"x" * 2_000_000),
    ],
    ids=["empty", "not-gzip", "cut", "no-header", "unsigned", "no-snapshot-id", "bomb"],
)
def test_it_sets_a_damaged_file_aside_and_goes_on(tmp_path: Path, content: bytes) -> None:
    spool = Spool(tmp_path)
    spool.put(envelope("one"), NOW)
    spool.put(envelope("two"), NOW)
    damaged, good = spool.waiting()
    damaged.write_bytes(content)
    with pytest.raises(SpoolError) as caught:
        spool.read(damaged)
    assert caught.value.code == "ATTT-321"
    assert damaged.name in caught.value.message.vi
    assert (tmp_path / "hong" / damaged.name).read_bytes() == content
    assert spool.waiting() == (good,)


def test_it_keeps_a_refused_snapshot_with_the_reason(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put(envelope("one"), NOW)
    aside = spool.refuse(spool.read(spool.waiting()[0]), "ATTT-210  Bản chụp sai.")
    assert aside.parent == tmp_path / "tu-choi"
    assert Path(str(aside) + ".txt").read_text() == "ATTT-210  Bản chụp sai.\n"
    assert spool.waiting() == ()


def test_what_is_set_aside_does_not_grow_for_ever(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(9):
        spool.put(envelope(str(number), 700_000), NOW)
        spool.refuse(spool.read(spool.waiting()[0]), "no")
    kept = sum(path.stat().st_size for path in (tmp_path / "tu-choi").glob("*.gz"))
    assert 4_000_000 < kept <= 5 * 1024 * 1024
    assert len(list((tmp_path / "tu-choi").glob("*.txt"))) == len(
        list((tmp_path / "tu-choi").glob("*.gz"))
    )
    assert list((tmp_path / "tu-choi").glob("0000000009-*.gz"))


def test_it_refuses_what_no_collector_would_take(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="ATTT-322"):
        Spool(tmp_path).put(envelope("huge", 900_000), NOW)
    assert list(tmp_path.iterdir()) == []


def test_it_removes_what_a_killed_run_left_half_written(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put(envelope("one"), NOW)
    half = tmp_path / ".0000000002-20261122T010000Z.attt.gz.tmp"
    half.write_bytes(b"\x1f\x8b")
    assert ids(spool) == ["one"]
    spool.put(envelope("two"), NOW)
    assert not half.exists()
    assert ids(spool) == ["one", "two"]


def test_it_says_when_the_disk_does_not_take_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SpoolError) as caught:
        Spool(tmp_path / "file" / "spool").put(envelope("one"), NOW)
    assert caught.value.code == "ATTT-323"
    assert not caught.value.permanent


WRITER = """
import sys
from datetime import datetime, timezone
from pathlib import Path
from attt_agent.spool import Spool, RunLock
sys.path.insert(0, sys.argv[2])
from tests.agent.test_spool import envelope
folder = Path(sys.argv[1])
with RunLock(folder / "lock"):
    spool = Spool(folder / "spool", max_bytes=10**12)
    print("ready", flush=True)
    number = 0
    while True:
        number += 1
        spool.put(envelope("%d" % number, 600_000), datetime.now(timezone.utc))
        print(number, flush=True)
"""


def test_nothing_written_is_lost_when_it_is_killed_in_the_middle(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    interrupted = 0
    for attempt in range(8):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(root)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            deadline = time.monotonic() + 10
            # Let some be written, then kill it in the middle of the next write.
            while time.monotonic() < deadline:
                names = os.listdir(folder / "spool") if (folder / "spool").exists() else []
                if len(names) > attempt and any(name.endswith(".tmp") for name in names):
                    break
            process.send_signal(signal.SIGKILL)
            acknowledged = [int(line) for line in process.stdout.read().split()]
        spool = Spool(folder / "spool", max_bytes=10**12)
        found = [int(text) for text in ids(spool)]
        assert found[: len(acknowledged)] == acknowledged
        assert len(found) - len(acknowledged) in (0, 1)  # on disk, and not yet told
        interrupted += bool(list((folder / "spool").glob(".*.tmp")))
        with RunLock(folder / "lock"):  # the lock died with its owner
            spool.put(envelope("next"), datetime.now(UTC))
        assert not list((folder / "spool").glob(".*.tmp"))
        assert ids(spool)[-1] == "next"
    assert interrupted > 0, "no kill fell into a write; the test proved nothing"


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with RunLock(tmp_path / "lock"), pytest.raises(SpoolError) as caught:
        RunLock(tmp_path / "lock").__enter__()
    assert caught.value.code == "ATTT-320"
    assert not caught.value.permanent
    with RunLock(tmp_path / "lock"):
        pass


def test_removing_says_when_it_cannot(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="ATTT-323"):
        Spool(tmp_path).remove(Entry(tmp_path / "gone", "one", b""))
