"""Rules of `nft -j list ruleset`, and what they leave open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from attt_agent.netfilter.chains import ACCEPT, BROAD, DENY, JUMP, NARROW, Rule
from attt_agent.netfilter.nft import judge_nft, parse_nft, parse_rule

TABLE = {"family": "inet", "table": "loc"}
DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}
SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
DADDR = {"payload": {"protocol": "ip", "field": "daddr"}}
STATE = {"ct": {"key": "state"}}


def judged(*rules: list[dict[str, Any]], more: list[dict[str, Any]] | None = None) -> bool | None:
    """Whether an input chain with policy drop blocks what these rules do not accept."""
    base = {"name": "input", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}
    entries: list[dict[str, Any]] = [{"metainfo": {"version": "1.0.6"}}, *(more or [])]
    entries += [{"chain": {**TABLE, **base}}]
    entries += [{"rule": {**TABLE, "chain": "input", "expr": expressions}} for expressions in rules]
    return judge_nft(parse_nft(json.dumps({"nftables": entries})), "ip").blocks


def accept(left: object, right: object, op: str = "==") -> list[dict[str, Any]]:
    return [{"match": {"op": op, "left": left, "right": right}}, {"accept": None}]


def test_it_works() -> None:
    assert judged(accept(STATE, ["established", "related"], "in"), accept(DPORT, 22)) is True
    assert judged([{"accept": None}]) is False


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (DPORT, 22, True),
        (DPORT, {"set": [22, 80, {"range": [8000, 8010]}]}, True),
        (DPORT, {"range": [1, 65535]}, False),
        (DPORT, {"set": [{"range": [1, 1000]}, {"range": [2000, 3000]}]}, False),
        (DPORT, {"set": [{"elem": {"val": 22, "timeout": 60}}]}, True),
        (DPORT, "ssh", None),
        ({"payload": {"protocol": "udp", "field": "sport"}}, 53, False),
        (SADDR, "10.0.0.1", True),
        (SADDR, {"prefix": {"addr": "10.0.0.0", "len": 8}}, True),
        (SADDR, {"prefix": {"addr": "0.0.0.0", "len": 1}}, False),
        (SADDR, {"set": ["10.0.0.1", {"prefix": {"addr": "128.0.0.0", "len": 1}}]}, False),
        (SADDR, {"range": ["10.0.0.1", "10.0.0.9"]}, True),
        (SADDR, {"range": ["1.0.0.0", "223.255.255.255"]}, False),
        (DADDR, "192.168.1.5", False),
        (DADDR, "224.0.0.251", True),
        ({"fib": {"result": "type", "flags": ["daddr"]}}, "local", False),
        ({"fib": {"result": "type", "flags": ["daddr"]}}, "broadcast", True),
        ({"fib": {"result": "oif", "flags": ["saddr"]}}, False, None),
        ({"meta": {"key": "iifname"}}, "lo", True),
        ({"meta": {"key": "iifname"}}, {"set": ["lo", "eth0"]}, False),
        ({"meta": {"key": "l4proto"}}, {"set": ["icmp", "ipv6-icmp"]}, True),
        ({"meta": {"key": "l4proto"}}, {"set": ["icmp", "tcp"]}, False),
        ({"meta": {"key": "pkttype"}}, "host", False),
        ({"meta": {"key": "mark"}}, 1, None),
        ({"payload": {"protocol": "tcp", "field": "flags"}}, "syn", False),
        ({"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, ["fin", "syn"]]}, "syn", False),
        ({"&": [{"meta": {"key": "mark"}}, 255]}, 1, None),
        ({"payload": {"protocol": "icmp", "field": "type"}}, "echo-request", True),
        ({"concat": [SADDR, DPORT]}, {"concat": ["10.0.0.1", 22]}, None),
        (STATE, {"set": ["established", "related"]}, True),
        (STATE, {"set": ["established", "invalid"]}, False),
        ({"ct": {"key": "status"}}, "dnat", True),
        ({"ct": {"key": "mark"}}, 1, None),
        (DPORT, "@khong-co", None),
        ("tcp", 22, None),
    ],
)
def test_what_a_match_leaves_open(left: object, right: object, expected: bool | None) -> None:
    assert expected is judged(accept(left, right))


@pytest.mark.parametrize(
    ("left", "right"), [(DPORT, 25), (SADDR, "10.0.0.1"), ({"meta": {"key": "iifname"}}, "lo")]
)
@pytest.mark.parametrize("op", ["!=", ">", ">=", "<", "<="])
def test_all_but_one_is_nearly_everything(left: object, right: object, op: str) -> None:
    assert judged(accept(left, right, op)) is False


def test_a_share_of_everything_is_broad() -> None:
    assert judged([{"limit": {"rate": 10, "per": "second"}}, {"accept": None}]) is False
    assert judged([{"quota": {"val": 1, "val_unit": "mbytes"}}, {"accept": None}]) is False


def test_a_statement_that_is_not_known_is_unknown_and_never_narrow() -> None:
    assert judged([{"synproxy": None}, {"accept": None}]) is None
    assert judged([{"queue": {"num": 0}}]) is None


def named(kind: str, elements: object, **more: object) -> list[dict[str, Any]]:
    body = {**TABLE, "name": "ten", "type": "inet_service", "elem": elements, **more}
    return [{kind: {key: value for key, value in body.items() if value is not None}}]


def test_a_named_set_is_looked_up() -> None:
    rule = accept(DPORT, "@ten")
    assert judged(rule, more=named("set", [22, 443])) is True
    assert judged(rule, more=named("set", [{"range": [1, 65535]}])) is False
    assert judged(rule, more=named("set", None)) is None
    assert judged(rule, more=named("set", [22], flags=["dynamic"])) is None


def test_a_named_map_is_looked_up() -> None:
    rule = [{"vmap": {"key": DPORT, "data": "@ten"}}]
    assert judged(rule, more=named("map", [[22, {"accept": None}]], map="verdict")) is True
    wide = [[{"range": [1, 65535]}, {"accept": None}]]
    assert judged(rule, more=named("map", wide, map="verdict")) is False
    assert judged(rule) is None


def test_a_verdict_map_is_read_element_by_element() -> None:
    def rules(key: object, elements: object) -> list[Rule]:
        return parse_rule([{"vmap": {"key": key, "data": {"set": elements}}}])

    assert [Rule(NARROW, ACCEPT), Rule(BROAD, DENY)] == rules(
        STATE, [["established", {"accept": None}], ["invalid", {"drop": None}]]
    )
    assert [Rule(NARROW, ACCEPT), Rule(BROAD, JUMP, "vao")] == rules(
        {"meta": {"key": "iifname"}},
        [["lo", {"accept": None}], ["eth0", {"jump": {"target": "vao"}}]],
    )


@pytest.mark.parametrize("flags", [["dormant"], "dormant"])
def test_a_dormant_table_does_nothing(flags: object) -> None:
    table = [{"table": {"family": "inet", "name": "loc", "flags": flags}}]
    assert judged(accept(DPORT, 22), more=table) is False
    assert judged(accept(DPORT, 22), more=[{"table": {"family": "inet", "name": "loc"}}]) is True


@pytest.mark.parametrize("text", ["{}", "[]", '{"nftables": []}'])
def test_it_refuses_what_nft_does_not_print(text: str) -> None:
    with pytest.raises(ValueError):
        parse_nft(text)
