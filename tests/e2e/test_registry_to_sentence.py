"""The whole way, hop by hop: from a file on one PC to a sentence in the signed document.

The one test to read first. Everything in it is real: a recorded machine, the probes, a device key,
the store, the rules, the report and a Word file opened again.
"""

from __future__ import annotations

import io
import shutil
from datetime import date, timedelta
from pathlib import Path

import docx
import pytest

from attt_agent.recorded import RecordedHost
from attt_agent.settings import Settings
from attt_agent.sign import DeviceKey
from attt_agent.snapshot import take
from attt_collector.judge import indicators
from attt_collector.judge.evaluate import assess
from attt_collector.judge.receive import receive
from attt_collector.records import UnitKind
from attt_collector.report import compose, explain, render_docx, template_reader
from attt_collector.report.period import Period
from attt_collector.store import assets, units
from attt_collector.store.db import Store
from attt_collector.words import Words
from attt_rules import pack
from attt_rules.contract import SNAPSHOT_SIGNING_CONTEXT, AssetKind, Status

HOSTS = Path(__file__).parents[1] / "agent/hosts"
INDICATOR = "CT-12"  # machines whose minimum password length meets the rule


class Office:
    """One commune with one PC, whose recorded files a test may change."""

    def __init__(self, folder: Path) -> None:
        self.recording = folder / "may"
        shutil.copytree(HOSTS / "debian-12-may-ban", self.recording)
        self.key = DeviceKey.create(folder / "device.key")
        self.host = RecordedHost.load(self.recording)
        self.now = self.host.now()
        self.store = Store.create(f"sqlite:///{folder / 'attt.sqlite'}", False, self.now)
        self.unit = self.store.write(self._add_unit)

    def _add_unit(self, conn):
        unit = units.add(
            conn, code="phu-tan", name="xã Phú Tân", kind=UnitKind.COMMUNE, parent_id=None,
            valid_from=date(2025, 7, 1),
        )  # fmt: skip
        assets.enrol(
            conn, device_id=self.key.device_id, unit_id=unit.id, kind=AssetKind.PC, name="PC-0417",
            public_key=self.key.public_key, at=self.now - timedelta(days=1),
        )  # fmt: skip
        return unit

    def set_minimum_length(self, chars: int) -> None:
        file = self.recording / "files/etc/security/pwquality.conf"
        file.write_text(f"minlen = {chars}\nminclass = 4\n", encoding="utf-8")

    def sentence(self) -> str:
        """What the Word file says about password length after this PC has reported once more."""
        # 1-2. Read, and say as facts.  3. One snapshot, signed by the device.
        host = RecordedHost.load(self.recording)
        snapshot = take(
            host, Settings(name="PC-0417", kind=AssetKind.PC), self.key.device_id,
            f"snapshot-{self.now.timestamp()}",
        )  # fmt: skip
        envelope = self.key.seal(SNAPSHOT_SIGNING_CONTEXT, snapshot.to_json())
        # 4. Received: verified, kept as evidence, judged, in one transaction.
        receive(self.store, envelope.to_bytes(), self.now)
        # 5. Judged again as of now.  6. Counted.  7. Composed.
        rules = pack.for_date(self.now.date())
        with self.store.read() as conn:
            self.assessment = assess(
                conn, rules, units.subtree(conn, "phu-tan", self.now.date()), self.now
            )
        origin = compose.Origin(self.unit, None, Period.parse(str(self.now.year)), False, "test")
        report = compose.compose(
            template_reader.builtin("bao-cao-nam", rules), self.assessment, origin
        )
        # 8. Rendered, and opened again.
        paragraphs = docx.Document(io.BytesIO(render_docx.render(report))).paragraphs
        self.now += timedelta(minutes=1)
        return next(p.text for p in paragraphs if "độ dài mật khẩu tối thiểu từ" in p.text)


@pytest.fixture
def office(tmp_path):
    made = Office(tmp_path)
    yield made
    made.store.close()


def test_it_works(office):
    office.set_minimum_length(14)
    assert "1/1 máy, đạt 100%" in office.sentence()


def test_the_sentence_follows_the_file(office):
    office.set_minimum_length(13)
    before = office.sentence()
    office.set_minimum_length(14)
    after = office.sentence()
    assert "chưa có máy nào đạt (0/1); 01 máy chưa đạt" in before
    assert "1/1 máy, đạt 100%" in after


def test_a_file_that_cannot_be_read_is_not_a_pass(office):
    """The same PC, but its PAM policy may not be read: unknown, said so, and still counted."""
    shutil.rmtree(office.recording / "files/etc/pam.d")
    said = office.sentence()
    assert "chưa xác định (01 máy chưa có số liệu)" in said
    value = indicators.count(office.assessment)[INDICATOR]
    assert (0, 1, 1) == (value.count, value.of, value.unknown)


def test_explain_walks_the_same_way_back(office):
    office.set_minimum_length(9)
    office.sentence()
    member = next(m for m in indicators.members(office.assessment, INDICATOR))
    assert Status.FAIL is member.status
    evidence = next(f for f in member.evidence if f.key == "password_policy.minimum_length_chars")
    assert 9 == evidence.value
    words = explain.explain(office.assessment, INDICATOR, Words("vi"))
    assert "PC-0417" in words
    assert "password_policy.minimum_length_chars = 9" in words
    assert member.subject.snapshot.sha256 in words
