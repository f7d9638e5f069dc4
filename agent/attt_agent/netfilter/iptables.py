"""Rules as `iptables-save` and `ip6tables-save` print them (iptables-extensions(8)).

Sample: -A INPUT -p tcp -m multiport --dports 80,443,8000:8010 -j ACCEPT
        -A INPUT -j REJECT --reject-with icmp-host-prohibited
"""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

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
    blocks,
    breadth_of_destination,
    breadth_of_ports,
    breadth_of_source_range,
    breadth_of_sources,
    narrower,
    reaches_refusal,
)

ACTIONS = {"ACCEPT": ACCEPT, "DROP": DENY, "REJECT": DENY, "RETURN": RETURN}
ASK_A_PROGRAM = ("NFQUEUE", "QUEUE")
ICMP = ("icmp", "icmpv6", "ipv6-icmp", "igmp")
LOOPBACK = "lo"
# Of connections that this machine began, or that it forwards on purpose.
ANSWERS = {"ESTABLISHED", "RELATED", "DNAT"}
# What others decide to do, or nearly all traffic does.
BROAD_OPTIONS = ("--syn", "--tcp-flags", "--sport", "--sports", "--ports", "--limit", "--pkt-type")
NO_CONDITION = (
    "--comment",
    "--reject-with",
    "--log-prefix",
    "--log-level",
    "--limit-burst",
    "-m",
    "--match",
)
NARROW_OPTIONS = ("--icmp-type", "--icmpv6-type", "--mac-source")


def parse_rule(words: Sequence[str]) -> Tuple[str, Rule]:
    """ "-A INPUT -p tcp --dport 22 -j ACCEPT" as (chain, rule)."""
    breadth, action, target = ALL, NONE, ""
    negated = False
    position = 2
    while position < len(words):
        option = words[position]
        position += 1
        if option == "!":
            negated = True
            continue
        if option in NO_CONDITION:
            position += 1  # one word, whatever it begins with
            continue
        values: List[str] = []
        while position < len(words) and not _begins_option(words[position]):
            values.append(words[position])
            position += 1
        value = values[0] if values else ""
        if option in ("-j", "--jump", "-g", "--goto"):
            jump = JUMP if option in ("-j", "--jump") else GOTO
            action = UNCLEAR if value in ASK_A_PROGRAM else ACTIONS.get(value, jump)
            target = value
        else:
            breadth = narrower(breadth, _breadth(option, value, negated))
        negated = False
    return words[1], Rule(breadth, action, target)


def _begins_option(word: str) -> bool:
    return word == "!" or (word.startswith("-") and word != "-")


def _breadth(option: str, value: str, negated: bool) -> str:
    words = value.split(",")
    if option in ("--state", "--ctstate"):
        if negated:
            return NARROW if "NEW" in words else BROAD
        return NARROW if ANSWERS.issuperset(words) else BROAD
    if negated or option in BROAD_OPTIONS:
        return BROAD  # all but one port or machine is nearly everything
    if option in ("-i", "--in-interface"):
        return NARROW if value == LOOPBACK else BROAD
    if option in ("-p", "--protocol"):
        return NARROW if value in ICMP else BROAD
    if option in ("--dport", "--dports", "--destination-port", "--destination-ports"):
        return _ports(words)
    if option in ("-s", "--source"):
        return breadth_of_sources(value)
    if option == "--src-range":
        first, _, last = value.partition("-")
        return breadth_of_source_range(first, last)
    if option in ("-d", "--destination"):
        return breadth_of_destination(value)
    if option == "--dst-type":
        return NARROW if not {"LOCAL", "UNICAST"}.intersection(words) else BROAD
    return NARROW if option in NARROW_OPTIONS else UNCLEAR


def _ports(words: Sequence[str]) -> str:
    """Sample: 80,443,8000:8010"""
    count = 0
    for word in words:
        first, colon, last = word.partition(":")
        first, last = first or "0", (last or "65535") if colon else first
        if not first.isdigit() or not last.isdigit():
            return UNCLEAR
        count += int(last) - int(first) + 1
    return breadth_of_ports(count)


def parse_iptables(text: str) -> Dict[str, Chain]:
    """The filter table of `iptables-save`, or `iptables -S`, which prints that table alone.

    Raises:
        ValueError: no INPUT chain.
    """
    chains: Dict[str, Chain] = {}
    table = "filter"
    for line in text.splitlines():
        words = _words(line)
        if not words or line.startswith("#"):
            continue
        if words[0].startswith("*"):
            table = words[0][1:]
        elif table != "filter":
            continue
        elif words[0].startswith(":") and len(words) >= 2:
            chains[words[0][1:]] = Chain(ACTIONS.get(words[1]))
        elif words[0] == "-P" and len(words) == 3:
            chains[words[1]] = Chain(ACTIONS.get(words[2]))
        elif words[0] == "-N" and len(words) == 2:
            chains[words[1]] = Chain()
        elif words[0] == "-A" and len(words) >= 2:
            name, rule = parse_rule(words)
            chains.setdefault(name, Chain()).rules.append(rule)
    if "INPUT" not in chains:
        raise ValueError("no INPUT chain")
    # LOG, NFLOG, SET and the like are no chains and let the packet go on.
    for chain in chains.values():
        chain.rules = [
            Rule(rule.breadth, NONE)
            if rule.action in (JUMP, GOTO) and rule.target not in chains
            else rule
            for rule in chain.rules
        ]
    return chains


def _words(line: str) -> List[str]:
    """A line's words; a quoted text is one word."""
    words: List[str] = []
    for index, part in enumerate(line.split('"')):
        words += [part] if index % 2 else part.split()
    return words


def judge_iptables(chains: Dict[str, Chain]) -> Verdict:
    """
    Raises:
        ValueError: chains that jump in circles, or to a chain that is not there.
    """
    return Verdict(reaches_refusal(chains, "INPUT"), blocks(chains, "INPUT"))
