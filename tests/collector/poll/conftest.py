"""Fixtures for tests against a real snmpd."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.collector.poll.agents import (
    COMMUNITY,
    FIREWALL,
    USERS,
    Agent,
    Relay,
    Snmpd,
    free_port,
)


@pytest.fixture(scope="session")
def start_snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Agent]]:
    """Starts an snmpd with this configuration; all of them end with the tests."""
    running: list[Snmpd] = []

    def start(config: str, *, inside: tuple[str, ...] = (), port: int | None = None) -> Agent:
        port = free_port() if port is None else port
        folder = tmp_path_factory.mktemp("snmpd") / "agent"
        running.append(Snmpd(folder, port, config, inside=inside))
        return Agent(port)

    yield start
    for each in running:
        each.stop()


@pytest.fixture(scope="session")
def firewall(start_snmpd: Callable[..., Agent]) -> Agent:
    """The FortiGate, by community COMMUNITY and the users of USERS; "public" is refused."""
    return start_snmpd(f"rocommunity {COMMUNITY} 127.0.0.1\n{USERS}{FIREWALL}")


@pytest.fixture
def relay() -> Iterator[Callable[..., Relay]]:
    """Starts a relay to a port that falls silent after so many requests, or loses the first."""
    running: list[Relay] = []

    def start(port: int, limit: int, lost: int = 0) -> Relay:
        running.append(Relay(port, limit, lost))
        return running[-1]

    yield start
    for each in running:
        each.stop()
