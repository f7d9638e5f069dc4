"""Rules as `nft -j list ruleset` prints them (libnftables-json(5)).

Sample: {"chain": {"family": "inet", "table": "filter", "name": "input", "type": "filter",
                   "hook": "input", "prio": 0, "policy": "drop"}}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from attt_agent.netfilter.chains import (
    ACCEPT,
    ALL,
    BROAD,
    DENY,
    GOTO,
    JUMP,
    NARROW,
    NONE,
    RETURN,
    UNCLEAR,
    Chain,
    Rule,
    Verdict,
    any_blocks,
    blocks,
    breadth_of_destination,
    breadth_of_ports,
    breadth_of_source_range,
    breadth_of_sources,
    narrower,
    reaches_refusal,
    widest,
)

Table = Tuple[str, str]  # family, name
# Elements of the named sets and maps of one table; None for those that are not listed.
Sets = Mapping[str, Optional[Sequence[Any]]]

VERDICTS = {
    "accept": ACCEPT,
    "drop": DENY,
    "reject": DENY,
    "return": RETURN,
    "continue": NONE,
    "queue": UNCLEAR,
    JUMP: JUMP,
    GOTO: GOTO,
}
HARMLESS = ("counter", "log", "mangle", "notrack", "set", "map", "last", "dup")
BROAD_STATEMENTS = ("limit", "quota")  # a share of everything
INTERFACE = ("iif", "iifname", "iiftype")
PROTOCOL = ("l4proto", "protocol", "nfproto", "nexthdr")
ICMP = ("icmp", "icmpv6", "ipv6-icmp", "igmp")
NUMBERS_OF_ICMP = ("1", "2", "58")
LOOPBACK = "lo"
ANSWERS = {"established", "related"}


def match_breadth(match: Mapping[str, Any], sets: Sets) -> str:
    """The breadth of one `match`.

    Sample: {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lo"}
            {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}
            {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}},
             "right": {"set": [22, {"range": [8000, 8010]}]}}
    """
    left, values = match.get("left"), _values(match.get("right"), sets)
    if not isinstance(left, dict) or values is None:
        return UNCLEAR
    negated = match.get("op", "==") not in ("==", "in")
    ct, meta, payload = left.get("ct"), left.get("meta"), left.get("payload")
    if isinstance(ct, dict) and ct.get("key") == "state":
        if match.get("op") == "!=":
            return NARROW if "new" in values else BROAD
        return NARROW if not negated and ANSWERS.issuperset(map(str, values)) else BROAD
    if negated:
        return BROAD  # all but one port or machine is nearly everything
    if "&" in left:  # some bits of a field; of the TCP flags, SYN is every new connection
        flags = {"payload": {"protocol": "tcp", "field": "flags"}}
        return BROAD if flags in left["&"] else UNCLEAR
    if isinstance(ct, dict) and ct.get("key") == "status":
        return NARROW if set(map(str, values)) == {"dnat"} else UNCLEAR
    if isinstance(meta, dict):
        return _meta(str(meta.get("key")), values)
    if isinstance(payload, dict):
        return _payload(str(payload.get("protocol")), str(payload.get("field")), values)
    fib = left.get("fib")
    if isinstance(fib, dict) and fib.get("result") == "type":
        return BROAD if {"local", "unicast"}.intersection(map(str, values)) else NARROW
    return UNCLEAR


def _values(right: Any, sets: Sets) -> Optional[List[Any]]:
    """The values a match compares with; None when they are in a set that is not listed."""
    if isinstance(right, str) and right.startswith("@"):
        named = sets.get(right[1:])
        if named is None:
            return None
        found = list(named)
    elif isinstance(right, dict) and "set" in right:
        return _values(right["set"], sets)
    else:
        found = list(right) if isinstance(right, list) else [right]
    return [
        part["elem"].get("val") if isinstance(part, dict) and "elem" in part else part
        for part in found
    ]


def _meta(key: str, values: Sequence[Any]) -> str:
    words = [str(value) for value in values]
    if key in INTERFACE:
        return widest(NARROW if word == LOOPBACK else BROAD for word in words)
    if key in PROTOCOL:
        return widest(_protocol(word) for word in words)
    if key == "pkttype":
        return BROAD if {"host", "unicast", "*"}.intersection(words) else NARROW
    return UNCLEAR


def _protocol(word: str) -> str:
    return NARROW if word in ICMP or word in NUMBERS_OF_ICMP else BROAD


def _payload(protocol: str, name: str, values: Sequence[Any]) -> str:
    if protocol in ICMP:
        return NARROW
    if name == "dport":
        return _ports(values)
    if name == "saddr":
        return NARROW if protocol == "ether" else widest(_source(value) for value in values)
    if name == "daddr" and protocol != "ether":
        return widest(_destination(value) for value in values)
    if name in PROTOCOL and protocol in ("ip", "ip6"):
        return widest(_protocol(str(value)) for value in values)
    return BROAD if name in ("sport", "flags") else UNCLEAR


def _ports(values: Sequence[Any]) -> str:
    count = 0
    for value in values:
        if value == "*":
            return BROAD
        interval = isinstance(value, dict) and "range" in value
        first, last = value["range"] if interval else (value, value)
        if not isinstance(first, int) or not isinstance(last, int):
            return UNCLEAR
        count += last - first + 1
    return breadth_of_ports(count)


def _source(value: Any) -> str:
    """Sample: "10.0.0.1" | {"prefix": {"addr": "10.0.0.0", "len": 8}} | {"range": [a, b]}"""
    if isinstance(value, dict) and "range" in value:
        return breadth_of_source_range(str(value["range"][0]), str(value["range"][1]))
    return BROAD if value == "*" else breadth_of_sources(_network(value))


def _destination(value: Any) -> str:
    return BROAD if value == "*" else breadth_of_destination(_network(value))


def _network(value: Any) -> str:
    if isinstance(value, dict) and "prefix" in value:
        return "%s/%s" % (value["prefix"]["addr"], value["prefix"]["len"])
    return str(value)


def parse_rule(expressions: Sequence[Mapping[str, Any]], sets: Optional[Sets] = None) -> List[Rule]:
    """One rule's statements (conditions and a verdict); a verdict map gives a rule per element."""
    breadth = ALL
    for expression in expressions:
        for name, body in expression.items():
            if name in VERDICTS:
                return [_verdict_rule(breadth, name, body)]
            if name == "vmap":
                return _vmap_rules(breadth, body, sets or {})
            if name == "match":
                breadth = narrower(breadth, match_breadth(body, sets or {}))
            elif name in BROAD_STATEMENTS:
                breadth = narrower(breadth, BROAD)
            elif name not in HARMLESS:
                breadth = narrower(breadth, UNCLEAR)  # xt, and what later versions bring
    return [Rule(breadth, NONE)]


def _verdict_rule(breadth: str, name: str, body: Any) -> Rule:
    target = str(body.get("target")) if isinstance(body, dict) and name in (JUMP, GOTO) else ""
    return Rule(breadth, VERDICTS[name], target)


def _vmap_rules(breadth: str, vmap: Mapping[str, Any], sets: Sets) -> List[Rule]:
    """Sample: {"key": {"ct": {"key": "state"}},
    "data": {"set": [["established", {"accept": null}], ["invalid", {"drop": null}]]}}
    """
    elements = vmap["data"].get("set") if isinstance(vmap["data"], dict) else None
    if isinstance(vmap["data"], str):
        elements = sets.get(vmap["data"].lstrip("@"))
    if not isinstance(elements, list):
        # It may refuse some and accept others; which, is not listed.
        return [Rule(NARROW, DENY), Rule(narrower(breadth, UNCLEAR), UNCLEAR)]
    rules: List[Rule] = []
    for value, verdict in elements:
        match = {"op": "==", "left": vmap["key"], "right": [value]}
        for name, body in verdict.items():
            share = narrower(breadth, match_breadth(match, sets))
            rules.append(_verdict_rule(share, name, body))
    return rules


@dataclass(frozen=True)
class NftRuleset:
    """Chains per table, and the base chains on the input hook of tables that are not dormant.

    `foreign` tables hold rules of iptables-nft that nft cannot spell out. Of such a rule nothing
    can be said here, not even whether it has a condition, so iptables-save is asked about them.
    Sample: {"xt": {"type": "match", "name": "comment"}}, {"accept": null}    (accepts everything)
    """

    chains: Mapping[Table, Mapping[str, Chain]]
    inputs: Tuple[Tuple[str, str, str], ...]  # family, table, chain
    foreign: FrozenSet[Table]


def parse_nft(text: str) -> NftRuleset:
    """
    Raises:
        ValueError: not what `nft -j list ruleset` prints.
    """
    said = json.loads(text)
    entries = said.get("nftables") if isinstance(said, dict) else None
    if not isinstance(entries, list) or not any("metainfo" in entry for entry in entries):
        raise ValueError("no nftables ruleset")
    dormant: Set[Table] = set()
    sets: Dict[Table, Dict[str, Optional[Sequence[Any]]]] = {}
    chains: Dict[Table, Dict[str, Chain]] = {}
    inputs: List[Tuple[str, str, str]] = []
    foreign: Set[Table] = set()
    for entry in entries:
        if "table" in entry:
            table = entry["table"]
            flags = table.get("flags", [])
            if "dormant" in ([flags] if isinstance(flags, str) else flags):
                dormant.add((str(table["family"]), str(table["name"])))
        for kind in ("set", "map"):
            if kind in entry:
                named = entry[kind]
                elements = named.get("elem")
                where = (str(named["family"]), str(named["table"]))
                # Elements of a set that the kernel fills come and go.
                listed = elements if "dynamic" not in named.get("flags", []) else None
                sets.setdefault(where, {})[str(named["name"])] = listed
        if "chain" in entry:
            chain = entry["chain"]
            where = (str(chain["family"]), str(chain["table"]))
            policy = {"drop": DENY, "accept": ACCEPT}.get(str(chain.get("policy")))
            chains.setdefault(where, {})[str(chain["name"])] = Chain(policy)
            if chain.get("hook") == "input" and chain.get("type") == "filter":
                inputs.append((where[0], where[1], str(chain["name"])))
    for entry in entries:
        if "rule" in entry:
            rule = entry["rule"]
            where = (str(rule["family"]), str(rule["table"]))
            expressions = rule.get("expr", [])
            if any("xt" in expression for expression in expressions):
                foreign.add(where)
            parsed = parse_rule(expressions, sets.get(where, {}))
            chains[where][str(rule["chain"])].rules.extend(parsed)
    awake = tuple(entry for entry in inputs if entry[:2] not in dormant)
    return NftRuleset(chains, awake, frozenset(foreign - dormant))


def judge_nft(ruleset: NftRuleset, family: str) -> Verdict:
    """What the ruleset does for "ip" or "ip6"; every input chain must let a packet through.

    Tables that only iptables-save can spell out are left out.

    Raises:
        ValueError: chains that jump in circles, or to a chain that is not there.
    """
    judged = [
        (ruleset.chains[(chain_family, table)], name)
        for chain_family, table, name in ruleset.inputs
        if chain_family in (family, "inet") and (chain_family, table) not in ruleset.foreign
    ]
    return Verdict(
        any(reaches_refusal(chains, name) for chains, name in judged),
        any_blocks(blocks(chains, name) for chains, name in judged),
    )
