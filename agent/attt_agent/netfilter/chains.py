"""Chains of rules, and what becomes of traffic that no service was opened for.

Nothing is assumed of a condition that is not understood: a rule that accepts under it may accept
everything or nearly nothing, so whether the rest is blocked is then not known.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import FrozenSet, Iterable, List, Mapping, Optional, Set

MAX_CHAIN_DEPTH = 16

ACCEPT, DENY, JUMP, GOTO, RETURN, NONE = "accept", "deny", "jump", "goto", "return", "none"
# A program decides about the packet, or a rule accepts under a condition that is not understood.
UNCLEAR = "unclear"
# How much of the traffic from other machines a rule's conditions let through: all of it, a broad
# share (a whole interface, a whole transport protocol, every new connection), what nobody can say
# here (`UNCLEAR`), or something narrow (a few ports, the machines of some networks).
ALL, BROAD, NARROW = "all", "broad", "narrow"
_ORDER = (ALL, BROAD, UNCLEAR, NARROW)

# More ports than this, or more addresses, are no opening for a service or for known machines. The
# numbers are ours: passive FTP and RPC are given some hundred ports; 10.0.0.0/8 is a country's
# largest private network, and a provider's IPv6 block is a /32 or a /29.
MAX_NARROW_PORTS = 1024
MIN_PREFIX_IPV4 = 8
MIN_PREFIX_IPV6 = 16
# Destinations that are not the machine's own addresses.
_NOT_ITS_OWN = tuple(
    ipaddress.ip_network(text)
    for text in ("224.0.0.0/4", "255.255.255.255/32", "127.0.0.0/8", "ff00::/8", "::1/128")
)


@dataclass(frozen=True)
class Rule:
    """One rule, reduced to what decides about traffic that no service was opened for."""

    breadth: str
    action: str
    target: str = ""  # chain of a jump or goto


@dataclass
class Chain:
    """`policy` is None for a chain that is only jumped to."""

    policy: Optional[str] = None
    rules: List[Rule] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """What a set of tables does with incoming traffic.

    Args:
        filters: something is or may be refused.
        blocks: what no rule allows is refused; None when a rule is not understood.
    """

    filters: bool
    blocks: Optional[bool]


def outcomes_of(chains: Mapping[str, Chain], name: str, depth: int = 0) -> FrozenSet[str]:
    """What may become of traffic that meets no narrow rule: ACCEPT, DENY, UNCLEAR and NONE.

    NONE: it goes on behind the jump. Shares of traffic are not told apart, so where one rule
    takes a share out of a chain and a later one accepts, ACCEPT is among the outcomes.

    Raises:
        ValueError: chains that jump in circles, or to a chain that is not there.
    """
    if depth > MAX_CHAIN_DEPTH or name not in chains:
        raise ValueError("chain %r" % name[:60])
    found: Set[str] = set()
    policy = chains[name].policy or NONE  # also of what returns from a base chain
    for rule in chains[name].rules:
        if rule.breadth == NARROW or rule.action == NONE:
            continue
        outcomes = frozenset((rule.action,))
        leaves = rule.action == RETURN
        if rule.action in (JUMP, GOTO):
            outcomes = outcomes_of(chains, rule.target, depth + 1)
            leaves = rule.action == GOTO and NONE in outcomes
        if rule.breadth == UNCLEAR and ACCEPT in outcomes:
            outcomes = outcomes - {ACCEPT} | {UNCLEAR}
        found |= outcomes - {NONE, RETURN}
        if leaves:
            found.add(policy)
        if rule.breadth == ALL and (rule.action != JUMP or NONE not in outcomes):
            return frozenset(found)
    found.add(policy)
    return frozenset(found)


def blocks(chains: Mapping[str, Chain], name: str) -> Optional[bool]:
    """Whether a chain on the input hook refuses what no rule allows; None when not known.

    Raises:
        ValueError: as `outcomes_of`.
    """
    outcomes = outcomes_of(chains, name)
    if ACCEPT in outcomes or NONE in outcomes:
        return False
    return None if UNCLEAR in outcomes else True


def any_blocks(answers: Iterable[Optional[bool]]) -> Optional[bool]:
    """Of chains or tables that a packet must pass all of: one that blocks is enough."""
    said = list(answers)
    return True if True in said else None if None in said else False


def reaches_refusal(chains: Mapping[str, Chain], name: str, depth: int = 0) -> bool:
    """Whether any rule below `name` refuses something."""
    if depth > MAX_CHAIN_DEPTH or name not in chains:
        raise ValueError("chain %r" % name[:60])
    return chains[name].policy == DENY or any(
        rule.action == DENY
        or (rule.action in (JUMP, GOTO) and reaches_refusal(chains, rule.target, depth + 1))
        for rule in chains[name].rules
    )


def narrower(one: str, other: str) -> str:
    """Two conditions of one rule: both must hold."""
    return _ORDER[max(_ORDER.index(one), _ORDER.index(other))]


def widest(breadths: Iterable[str]) -> str:
    """Values of which any may hold; none at all is narrow."""
    return min(breadths, key=_ORDER.index, default=NARROW)


def breadth_of_ports(count: int) -> str:
    """Of so many destination ports."""
    return NARROW if count <= MAX_NARROW_PORTS else BROAD


def breadth_of_sources(network: str) -> str:
    """Of a source, "10.0.0.0/8" or one address."""
    try:
        parsed = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return UNCLEAR
    least = MIN_PREFIX_IPV4 if parsed.version == 4 else MIN_PREFIX_IPV6
    return NARROW if parsed.prefixlen >= least else BROAD


def breadth_of_source_range(first: str, last: str) -> str:
    """Of sources from one address to another, both of them included."""
    try:
        one, other = ipaddress.ip_address(first), ipaddress.ip_address(last)
        count = int(other) - int(one) + 1
    except ValueError:
        return UNCLEAR
    bits = 32 - MIN_PREFIX_IPV4 if one.version == 4 else 128 - MIN_PREFIX_IPV6
    return NARROW if count <= 2**bits else BROAD


def breadth_of_destination(network: str) -> str:
    """Of a destination: one of the machine's own addresses opens all of its services."""
    try:
        parsed = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return UNCLEAR
    for other in _NOT_ITS_OWN:
        inside = (
            parsed.version == other.version
            and parsed.network_address in other
            and parsed.prefixlen >= other.prefixlen
        )
        if inside:
            return NARROW
    return BROAD
