"""The SNMP session against Debian's snmpd: what works, and what each wrong thing is called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from attt_collector.family import Oid, Walk, oid
from attt_collector.poll import snmp
from attt_collector.poll.credentials import AuthProtocol, Community, Credentials, User
from attt_collector.poll.errors import PollError
from attt_collector.poll.snmp import Session, answers_default_community
from attt_rules.contract import Unreadable
from tests.collector.poll.agents import (
    AUTH_PASSWORD,
    COMMUNITY,
    FIREWALL,
    PRIVACY_PASSWORD,
    Agent,
    free_port,
)

pytestmark = pytest.mark.snmpd

SYS_DESCR = oid("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = oid("1.3.6.1.2.1.1.2.0")
SYS_UPTIME = oid("1.3.6.1.2.1.1.3.0")
IF_DESCR = oid("1.3.6.1.2.1.2.2.1.2")
IF_OPER_STATUS = oid("1.3.6.1.2.1.2.2.1.8")
IF_ALIAS = oid("1.3.6.1.2.1.31.1.1.1.18")
NOT_THERE = oid("1.3.6.1.4.1.99999.1.1")
PATIENT = (2.0, 4.0)  # for answers that must come, also on a busy machine
QUICK = (1.0,)  # for silence

GOOD_USER = User("nguoidung256", AUTH_PASSWORD, privacy_password=PRIVACY_PASSWORD)


def get(agent_port: int, credentials: Credentials, *oids: Oid, timeouts: Any = PATIENT) -> Walk:
    async def run() -> Walk:
        async with Session(
            "127.0.0.1", agent_port, credentials, device="FW-1", timeouts=timeouts
        ) as session:
            return await session.get(oids or (SYS_DESCR,))

    return asyncio.run(run())


def walk(
    agent_port: int,
    *columns: Oid,
    credentials: Credentials | None = None,
    timeouts: Any = PATIENT,
) -> Walk:
    async def run() -> Walk:
        async with Session(
            "127.0.0.1",
            agent_port,
            credentials or Community(COMMUNITY),
            device="FW-1",
            timeouts=timeouts,
        ) as session:
            await session.get([SYS_DESCR])
            return await session.walk(columns)

    return asyncio.run(run())


def error_of(agent_port: int, credentials: Credentials) -> PollError:
    with pytest.raises(PollError) as caught:
        get(agent_port, credentials, timeouts=QUICK)
    assert "FW-1" in caught.value.message.vi
    return caught.value


def test_it_works(firewall: Agent) -> None:
    answered = get(firewall.port, Community(COMMUNITY), SYS_DESCR, SYS_OBJECT_ID, NOT_THERE)
    assert {
        SYS_DESCR: b"FortiGate-60F v7.2.6",
        SYS_OBJECT_ID: oid("1.3.6.1.4.1.12356.101.1.644"),
    } == dict(answered)
    assert {} == dict(answered.gaps)


@pytest.mark.parametrize(
    "user",
    [
        User("nguoidung1", AUTH_PASSWORD, AuthProtocol.SHA1, PRIVACY_PASSWORD),
        GOOD_USER,
        User("nguoidung512", AUTH_PASSWORD, AuthProtocol.SHA512, PRIVACY_PASSWORD),
        User("chixacthuc", AUTH_PASSWORD),
    ],
    ids=lambda user: user.user,
)
def test_it_reads_by_v3(firewall: Agent, user: User) -> None:
    assert {SYS_DESCR: b"FortiGate-60F v7.2.6"} == dict(get(firewall.port, user))


def test_it_walks_columns_side_by_side(firewall: Agent) -> None:
    answered = walk(firewall.port, IF_DESCR, NOT_THERE, IF_OPER_STATUS, credentials=GOOD_USER)
    assert {1: b"wan1", 2: b"internal", 3: b"dmz"} == answered.column(IF_DESCR)
    assert {1: 1, 2: 2, 3: 1} == answered.column(IF_OPER_STATUS)
    assert 6 == len(answered)
    assert {} == dict(answered.gaps)


def test_it_walks_on_over_many_answers(start_snmpd: Callable[..., Agent]) -> None:
    rows = "".join(
        f'override .1.3.6.1.2.1.2.2.1.2.{index} octet_str "port{index}"\n'
        for index in range(1, 151)
    )
    agent = start_snmpd(f"rocommunity {COMMUNITY} 127.0.0.1\n{FIREWALL}{rows}")
    assert list(range(1, 151)) == list(walk(agent.port, IF_DESCR, IF_OPER_STATUS).column(IF_DESCR))


def test_it_calls_a_wrong_auth_password_so(firewall: Agent) -> None:
    user = User("nguoidung256", "sai-mat-khau", privacy_password=PRIVACY_PASSWORD)
    assert "ATTT-402" == error_of(firewall.port, user).code


def test_it_calls_a_wrong_auth_protocol_a_refused_password(firewall: Agent) -> None:
    user = User("nguoidung256", AUTH_PASSWORD, AuthProtocol.SHA1, PRIVACY_PASSWORD)
    assert "ATTT-402" == error_of(firewall.port, user).code


def test_it_calls_an_unknown_user_so(firewall: Agent) -> None:
    error = error_of(firewall.port, User("khongco", AUTH_PASSWORD, privacy_password="ma-hoa-123"))
    assert "ATTT-403" == error.code
    assert "khongco" in error.message.vi


def test_it_tells_a_wrong_privacy_password_from_a_dead_device(firewall: Agent) -> None:
    wrong = User("nguoidung256", AUTH_PASSWORD, privacy_password="sai-mat-khau")
    assert "ATTT-408" == error_of(firewall.port, wrong).code
    assert "ATTT-401" == error_of(free_port(), wrong).code


def test_it_says_when_the_device_demands_encryption(firewall: Agent) -> None:
    error = error_of(firewall.port, User("nguoidung256", AUTH_PASSWORD))
    assert "ATTT-410" == error.code


def test_it_names_the_possible_causes_of_silence(firewall: Agent) -> None:
    error = error_of(firewall.port, Community("sai-community"))
    assert "ATTT-401" == error.code
    assert not error.permanent
    assert error.remedy is not None
    assert "community" in error.remedy.vi
    assert "sai-community" not in str(error)


def test_it_says_when_the_address_is_none(firewall: Agent) -> None:
    async def run() -> None:
        async with Session(
            "khong-co.invalid", 161, Community(COMMUNITY), device="FW-1", timeouts=QUICK
        ) as session:
            await session.get([SYS_DESCR])

    with pytest.raises(PollError) as caught:
        asyncio.run(run())
    assert "ATTT-409" == caught.value.code


def test_it_asks_again_when_an_answer_is_lost(
    firewall: Agent, relay: Callable[[int, int], Any]
) -> None:
    silent = relay(firewall.port, 0)
    with pytest.raises(PollError):
        get(silent.port, Community(COMMUNITY), timeouts=(0.5, 0.5, 0.5))
    assert 3 == len(silent.requests)


def test_it_reports_a_timeout_in_the_middle(
    firewall: Agent, relay: Callable[[int, int], Any]
) -> None:
    answered = walk(relay(firewall.port, 2).port, IF_DESCR, IF_OPER_STATUS, IF_ALIAS)
    assert {} == dict(answered.gaps)  # three rows fit one answer
    answered = walk(
        relay(firewall.port, 1).port, IF_DESCR, IF_OPER_STATUS, IF_ALIAS, timeouts=QUICK
    )
    assert dict.fromkeys((IF_DESCR, IF_OPER_STATUS, IF_ALIAS), Unreadable.TIMEOUT) == dict(
        answered.gaps
    )


def test_it_keeps_the_rows_before_the_silence(
    firewall: Agent, relay: Callable[[int, int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snmp, "VALUES_PER_RESPONSE", 2)
    answered = walk(relay(firewall.port, 2).port, IF_DESCR, IF_OPER_STATUS, timeouts=QUICK)
    assert {1: b"wan1"} == answered.column(IF_DESCR)
    assert dict.fromkeys((IF_DESCR, IF_OPER_STATUS), Unreadable.TIMEOUT) == dict(answered.gaps)


def test_it_stops_at_a_table_that_does_not_end(
    firewall: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snmp, "MAX_ROWS", 2)
    assert {IF_DESCR: Unreadable.MALFORMED} == dict(walk(firewall.port, IF_DESCR).gaps)


def test_it_gives_up_on_a_walk_that_takes_too_long(
    firewall: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snmp, "MAX_WALK_SECONDS", 0.0)
    assert {IF_DESCR: Unreadable.TIMEOUT} == dict(walk(firewall.port, IF_DESCR).gaps)


def test_it_does_not_see_what_the_view_hides(start_snmpd: Callable[..., Agent]) -> None:
    agent = start_snmpd(f"rocommunity {COMMUNITY} 127.0.0.1 .1.3.6.1.2.1.1\n{FIREWALL}")
    answered = walk(agent.port, IF_DESCR, IF_OPER_STATUS)
    assert {} == dict(answered)
    assert {} == dict(answered.gaps)


def answers_a_default(port: int) -> bool:
    return asyncio.run(
        answers_default_community("127.0.0.1", port, SYS_UPTIME, device="FW-1", seconds=QUICK[0])
    )


def test_it_finds_the_default_community(start_snmpd: Callable[..., Agent]) -> None:
    assert answers_a_default(start_snmpd("rocommunity public 127.0.0.1\n").port)
    assert answers_a_default(start_snmpd("rwcommunity private 127.0.0.1\n").port)
    assert not answers_a_default(start_snmpd(f"rocommunity {COMMUNITY} 127.0.0.1\n").port)


def test_it_finds_the_default_community_although_packets_are_lost(
    start_snmpd: Callable[..., Agent], relay: Callable[..., Any]
) -> None:
    agent = start_snmpd("rocommunity public 127.0.0.1\n")
    assert answers_a_default(relay(agent.port, 100, lost=4).port)


def test_it_tries_the_default_community_twice_by_each_version(
    firewall: Agent, relay: Callable[..., Any]
) -> None:
    refusing = relay(firewall.port, 100)
    assert not answers_a_default(refusing.port)
    asked = [
        (datagram[4], next(c for c in (b"public", b"private") if c in datagram))
        for datagram in refusing.requests
    ]  # 0 is v1, 1 is v2c
    assert sorted(2 * [(v, c) for v in (0, 1) for c in (b"public", b"private")]) == sorted(asked)


def test_it_never_writes_and_never_walks_by_single_steps(
    firewall: Agent, relay: Callable[[int, int], Any]
) -> None:
    passed = relay(firewall.port, 100)
    walk(passed.port, IF_DESCR, IF_OPER_STATUS, IF_ALIAS)
    # In an SNMPv2c message the PDU's tag follows the community: a0 GET, a5 GETBULK.
    tags = {
        datagram[datagram.index(COMMUNITY.encode()) + len(COMMUNITY)]
        for datagram in passed.requests
    }
    assert {0xA0, 0xA5} == tags
