"""Recorded machines, and what a probe says of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from attt_agent.probe import Probe, ProbeContext, run_all
from attt_agent.recorded import RecordedHost
from attt_rules.contract import Fact

HOSTS = Path(__file__).parents[1] / "hosts"
SHARED_FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures"

Said = dict[tuple[str, str | None], object]


@pytest.fixture
def machine() -> Callable[[str], RecordedHost]:
    """A recorded machine by its name."""
    return lambda name: RecordedHost.load(HOSTS / name)


@pytest.fixture
def said() -> Callable[..., Said]:
    """What a probe says of a host: (key, item) to the value, or "!" and the reason."""

    def told(fact: Fact) -> object:
        return fact.value if fact.unreadable is None else "!" + fact.unreadable.value

    def ask(probe: Probe, host: RecordedHost, wan_target: tuple[str, int] | None = None) -> Said:
        facts = run_all((probe,), ProbeContext(host, wan_target))
        return {(fact.key, fact.item): told(fact) for fact in facts}

    return ask


@pytest.fixture
def fixtures() -> Path:
    """Recordings made by others; they are no part of this repository."""
    if not SHARED_FIXTURES.is_dir():
        pytest.skip(f"no shared fixtures at {SHARED_FIXTURES}")
    return SHARED_FIXTURES
