"""docs/tac-tu-windows.md says of every fact where it was seen; this holds it to what there is."""

from __future__ import annotations

from pathlib import Path

from attt_agent import probe
from attt_agent.recorded import RecordedHost

ROOT = Path(__file__).parents[3]
YES, NONE = "có / yes", "—"


def rows() -> dict[str, list[str]]:
    text = (ROOT / "docs/tac-tu-windows.md").read_text("utf-8")
    facts = text.partition("## Dữ kiện")[2].partition("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in facts.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row[1:] for row in cells}


def windows_probes() -> list[probe.Probe]:
    return [found for found in probe.find_all() if "windows" in found.platforms]


def test_it_works() -> None:
    expected = {spec.key for found in windows_probes() for spec in found.specs}
    assert expected == set(rows())


def test_no_row_claims_a_real_windows() -> None:
    assert {"chưa chạy / not run"} == {row[1] for row in rows().values()}


def test_a_recording_gives_what_the_table_says() -> None:
    valued = set()
    for folder in (ROOT / "tests/agent/hosts").glob("windows-*"):
        host = RecordedHost.load(folder)
        facts = probe.run_all(windows_probes(), probe.ProbeContext(host))
        valued |= {fact.key for fact in facts if fact.value is not None}
    assert {key: YES if key in valued else NONE for key in rows()} == {
        key: row[3] for key, row in rows().items()
    }
