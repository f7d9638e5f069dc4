"""The host firewall on Linux, as the kernel applies it: who loaded the rules does not matter.

Source: `nft -j list ruleset` (libnftables-json(5)), which also sees what iptables-nft, firewalld
        and ufw load; `iptables-save` and `ip6tables-save` for the older tables and for rules that
        nft cannot spell out; /proc/net/ip_tables_names; /etc/ufw/ufw.conf for the product's name.
Sample: {"chain": {"family": "inet", "table": "filter", "name": "input", "type": "filter",
                   "hook": "input", "prio": 0, "policy": "drop"}}
        -A INPUT -j REJECT --reject-with icmp-host-prohibited
Limits: needs root; without it every answer is access_denied, never "off".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from attt_agent.host import Host, HostError
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

PROFILE = "host"  # Linux has one profile
MAX_CHAIN_DEPTH = 16

ACCEPT, DENY, JUMP, GOTO, RETURN, NONE = "accept", "deny", "jump", "goto", "return", "none"
# How much of the traffic from other machines a rule's conditions let through: all of it, a broad
# share (a whole interface, a whole transport protocol, every new connection), or something narrow.
ALL, BROAD, NARROW = "all", "broad", "narrow"


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
    """What a set of tables does with incoming traffic."""

    filters: bool  # something is or may be refused
    blocks: bool  # what no rule allows is refused


def default_of(chains: Mapping[str, Chain], name: str, depth: int = 0) -> str:
    """ACCEPT, DENY or NONE (falls through) for traffic that meets no narrow rule.

    Raises:
        ValueError: chains that jump in circles, or to a chain that is not there.
    """
    if depth > MAX_CHAIN_DEPTH or name not in chains:
        raise ValueError("chain %r" % name[:60])
    for rule in chains[name].rules:
        if rule.breadth == NARROW or rule.action == NONE:
            continue
        outcome = rule.action
        if rule.action in (JUMP, GOTO):
            outcome = default_of(chains, rule.target, depth + 1)
        if outcome == ACCEPT:
            return ACCEPT  # a broad rule that accepts leaves the rest open, whatever follows
        if rule.breadth == ALL:
            if outcome == DENY:
                return DENY
            if rule.action in (GOTO, RETURN):
                break
    return chains[name].policy or NONE


def reaches_refusal(chains: Mapping[str, Chain], name: str, depth: int = 0) -> bool:
    """Whether any rule below `name` refuses something."""
    if depth > MAX_CHAIN_DEPTH or name not in chains:
        raise ValueError("chain %r" % name[:60])
    return chains[name].policy == DENY or any(
        rule.action == DENY
        or (rule.action in (JUMP, GOTO) and reaches_refusal(chains, rule.target, depth + 1))
        for rule in chains[name].rules
    )


# --- nft --------------------------------------------------------------------------------------

HARMLESS = ("counter", "log", "mangle", "notrack")
BROAD_META = ("iif", "iifname", "iiftype", "l4proto", "protocol", "nfproto")
ICMP = ("icmp", "icmpv6", "ipv6-icmp", "igmp")
LOOPBACK = "lo"


def _match_breadth(match: Mapping[str, Any]) -> str:
    """The breadth of one nft `match`.

    Sample: {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lo"}
            {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}
    """
    left, right = match.get("left"), match.get("right")
    if not isinstance(left, dict):
        return NARROW
    values = right.get("set", right) if isinstance(right, dict) else right
    words = [str(v) for v in values] if isinstance(values, list) else [str(values)]
    meta, ct = left.get("meta"), left.get("ct")
    if isinstance(meta, dict) and meta.get("key") in BROAD_META:
        negated = match.get("op") == "!="
        narrow = all(word == LOOPBACK or word in ICMP for word in words)
        return BROAD if negated or not narrow else NARROW
    if isinstance(ct, dict) and ct.get("key") == "state":
        negated = match.get("op") == "!="
        return BROAD if ("new" in words) != negated else NARROW
    return NARROW


def parse_nft_rule(expressions: Sequence[Mapping[str, Any]]) -> List[Rule]:
    """One rule's statements (conditions and a verdict); a verdict map gives a rule per element."""
    breadth = ALL
    for expression in expressions:
        for name, body in expression.items():
            if name in VERDICTS:
                return [_verdict_rule(breadth, name, body)]
            if name == "vmap":
                return _vmap_rules(breadth, body)
            if name == "match":
                breadth = _narrower(breadth, _match_breadth(body))
            elif name not in HARMLESS:
                breadth = NARROW  # limit, set lookups, xt and what later versions bring
    return [Rule(breadth, NONE)]


VERDICTS = {
    "accept": ACCEPT,
    "drop": DENY,
    "reject": DENY,
    "return": RETURN,
    JUMP: JUMP,
    GOTO: GOTO,
}


def _verdict_rule(breadth: str, name: str, body: Any) -> Rule:
    target = str(body.get("target")) if isinstance(body, dict) and name in (JUMP, GOTO) else ""
    return Rule(breadth, VERDICTS[name], target)


def _vmap_rules(breadth: str, vmap: Mapping[str, Any]) -> List[Rule]:
    """Sample: {"key": {"ct": {"key": "state"}},
    "data": {"set": [["established", {"accept": null}], ["invalid", {"drop": null}]]}}
    """
    elements = vmap["data"].get("set") if isinstance(vmap["data"], dict) else None
    if not isinstance(elements, list):
        return [Rule(NARROW, DENY)]  # a named map: it may refuse, and opens no broad door we know
    rules: List[Rule] = []
    for value, verdict in elements:
        match = {"op": "==", "left": vmap["key"], "right": value}
        for name, body in verdict.items():
            rules.append(_verdict_rule(_narrower(breadth, _match_breadth(match)), name, body))
    return rules


def _narrower(one: str, other: str) -> str:
    order = (ALL, BROAD, NARROW)
    return order[max(order.index(one), order.index(other))]


@dataclass(frozen=True)
class NftRuleset:
    """Chains per (family, table), and the base chains on the input hook.

    `foreign` tables hold rules of iptables-nft that nft cannot spell out. Of such a rule nothing
    can be said here, not even whether it has a condition, so iptables-save is asked about them.
    Sample: {"xt": {"type": "match", "name": "comment"}}, {"accept": null}    (accepts everything)
    """

    chains: Mapping[Tuple[str, str], Mapping[str, Chain]]
    inputs: Tuple[Tuple[str, str, str], ...]  # family, table, chain
    foreign: FrozenSet[Tuple[str, str]]


def parse_nft(text: str) -> NftRuleset:
    """
    Raises:
        ValueError: not what `nft -j list ruleset` prints.
    """
    said = json.loads(text)
    entries = said.get("nftables") if isinstance(said, dict) else None
    if not isinstance(entries, list) or not any("metainfo" in entry for entry in entries):
        raise ValueError("no nftables ruleset")
    chains: Dict[Tuple[str, str], Dict[str, Chain]] = {}
    inputs: List[Tuple[str, str, str]] = []
    foreign: Set[Tuple[str, str]] = set()
    for entry in entries:
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
            chains[where][str(rule["chain"])].rules.extend(parse_nft_rule(expressions))
    return NftRuleset(chains, tuple(inputs), frozenset(foreign))


def judge_nft(ruleset: NftRuleset, family: str) -> Verdict:
    """What the ruleset does for "ip" or "ip6"; every input chain must let a packet through.

    Tables that only iptables-save can spell out are left out.
    """
    filters = blocks = False
    for chain_family, table, name in ruleset.inputs:
        if chain_family in (family, "inet") and (chain_family, table) not in ruleset.foreign:
            chains = ruleset.chains[(chain_family, table)]
            filters = filters or reaches_refusal(chains, name)
            blocks = blocks or default_of(chains, name) == DENY
    return Verdict(filters, blocks)


# --- iptables ---------------------------------------------------------------------------------

IPTABLES_ACTIONS = {"ACCEPT": ACCEPT, "DROP": DENY, "REJECT": DENY, "RETURN": RETURN}
# Options that are no condition, with the number of words that follow them.
NO_CONDITION = {"--comment": 1, "--reject-with": 1, "--log-prefix": 1, "--log-level": 1}


def parse_iptables_rule(words: Sequence[str]) -> Tuple[str, Rule]:
    """ "-A INPUT -p tcp --dport 22 -j ACCEPT" as (chain, rule)."""
    breadth, action, target = ALL, NONE, ""
    chain = words[1]
    position = 2
    negated = False
    while position < len(words):
        word = words[position]
        value = words[position + 1] if position + 1 < len(words) else ""
        position += 2
        if word == "!":
            negated = True
            position -= 1
            continue
        if word in ("-j", "-g"):
            action = IPTABLES_ACTIONS.get(value, JUMP if word == "-j" else GOTO)
            target = value
        elif word in NO_CONDITION or word == "-m":
            pass
        elif word in ("-i", "--in-interface"):
            breadth = _narrower(breadth, BROAD if negated or value != LOOPBACK else NARROW)
        elif word in ("-p", "--protocol"):
            breadth = _narrower(breadth, NARROW if value in ICMP and not negated else BROAD)
        elif word in ("--state", "--ctstate"):
            breadth = _narrower(breadth, BROAD if ("NEW" in value) != negated else NARROW)
        else:
            breadth = NARROW
            if value.startswith("-"):
                position -= 1  # a flag without a value
        negated = False
    return chain, Rule(breadth, action, target)


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
            chains[words[0][1:]] = Chain(IPTABLES_ACTIONS.get(words[1]))
        elif words[0] == "-P" and len(words) == 3:
            chains[words[1]] = Chain(IPTABLES_ACTIONS.get(words[2]))
        elif words[0] == "-N" and len(words) == 2:
            chains[words[1]] = Chain()
        elif words[0] == "-A" and len(words) >= 2:
            name, rule = parse_iptables_rule(words)
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


def judge_iptables(chains: Mapping[str, Chain]) -> Verdict:
    return Verdict(reaches_refusal(chains, "INPUT"), default_of(chains, "INPUT") == DENY)


# --- this machine -----------------------------------------------------------------------------


def _ask(host: Host, argv: Sequence[str]) -> str:
    """
    Raises:
        HostError: missing, without rights, or failed.
    """
    result = host.run(argv)
    if result.exit_code != 0:
        told = result.stderr.lower()
        denied = "not permitted" in told or "denied" in told or "must be root" in told
        reason = Unreadable.ACCESS_DENIED if denied else Unreadable.MALFORMED
        raise HostError(reason, "%s: exit code %d" % (argv[0], result.exit_code))
    return result.stdout


def _legacy_tables(host: Host, path: str) -> bool:
    """Whether the kernel holds tables of the older kind; a kernel without them has no file."""
    try:
        return bool(host.read_text(path).split())
    except HostError as error:
        if error.reason is Unreadable.NOT_FOUND:
            return False
        raise


def _ipv6_in_use(host: Host) -> bool:
    """Sample: fe800000000000000216… 02 40 20 80     eth0"""
    try:
        lines = host.read_text("/proc/net/if_inet6").splitlines()
    except HostError as error:
        if error.reason is Unreadable.NOT_FOUND:  # IPv6 is switched off
            return False
        raise
    return any(line.split()[-1:] != [LOOPBACK] for line in lines if line.strip())


def _iptables_verdict(host: Host, program: str) -> Verdict:
    try:
        return judge_iptables(parse_iptables(_ask(host, (program, "-t", "filter"))))
    except ValueError as error:
        raise HostError(Unreadable.MALFORMED, "%s: %s" % (program, error)) from error


def _nft_ruleset(host: Host) -> Optional[NftRuleset]:
    """None when there is no nft program."""
    try:
        text = _ask(host, ("nft", "-j", "list", "ruleset"))
    except HostError as error:
        if error.reason is Unreadable.NOT_FOUND:
            return None
        raise
    try:
        return parse_nft(text)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise HostError(Unreadable.MALFORMED, "nft: %s" % type(error).__name__) from error


def _verdicts(host: Host) -> Tuple[List[Verdict], List[str]]:
    """One verdict per IP version in use, and what was asked.

    Raises:
        HostError: some rules may exist that could not be looked at.
    """
    families = [("ip", "iptables-save", "/proc/net/ip_tables_names")]
    if _ipv6_in_use(host):
        families.append(("ip6", "ip6tables-save", "/proc/net/ip6_tables_names"))
    nft = _nft_ruleset(host)
    asked = ["nft list ruleset"] if nft is not None else []
    verdicts: List[Verdict] = []
    for family, program, legacy_path in families:
        parts: List[Verdict] = []
        if nft is not None:
            try:
                parts.append(judge_nft(nft, family))
            except ValueError as error:
                raise HostError(Unreadable.MALFORMED, "nft: %s" % error) from error
        foreign = nft is not None and any(where[0] == family for where in nft.foreign)
        if nft is None or foreign or _legacy_tables(host, legacy_path):
            parts.append(_iptables_verdict(host, program))
            asked.append(program)
        verdicts.append(
            Verdict(any(part.filters for part in parts), any(part.blocks for part in parts))
        )
    return verdicts, asked


BUILT_IN = ("ip_tables_names", "ip6_tables_names", "netfilter")


def _nothing_installed(host: Host) -> bool:
    """No program that could load rules, and a kernel that has no part to hold them.

    A kernel with such a part built in shows no module; then the rules stay unknown.
    """
    try:
        modules = host.read_text("/proc/modules")
        built_in = any(host.exists("/proc/net/%s" % name) for name in BUILT_IN)
    except HostError:
        return False
    parts = ("nf_tables", "ip_tables", "ip6_tables", "x_tables", "nfnetlink")
    loaded = {line.split()[0] for line in modules.splitlines() if line.strip()}
    return bool(loaded) and not built_in and not loaded.intersection(parts)


def _product(host: Host, asked: Sequence[str]) -> str:
    if "firewalld" in host.process_names():
        return "firewalld"
    if host.exists("/etc/ufw/ufw.conf"):
        settings = host.read_text("/etc/ufw/ufw.conf").lower().replace(" ", "").splitlines()
        if "enabled=yes" in settings:
            return "ufw"
    return "iptables" if any("iptables" in program for program in asked) else "nftables"


def read(context: ProbeContext) -> Iterator[Reading]:
    host = context.host
    source = "nft, iptables-save"
    enabled, blocked, product = "firewall.enabled", "firewall.inbound_blocked", "firewall.product"
    yield known("firewall.profiles", (PROFILE,), "Linux has one profile")
    try:
        verdicts, asked = _verdicts(host)
        source = ", ".join(asked)
    except HostError as error:
        asked = []
        if error.reason is not Unreadable.NOT_FOUND or not _nothing_installed(host):
            for key in (enabled, blocked, product):
                yield unknown(key, error, source, PROFILE)
            return
        source = "/proc/modules, /proc/net: no packet filter in the kernel, no program for one"
        verdicts = [Verdict(False, False)]
    filters = any(verdict.filters for verdict in verdicts)
    yield known(enabled, filters, source, PROFILE)
    yield known(blocked, all(verdict.blocks for verdict in verdicts), source, PROFILE)
    if not filters:
        yield unknown(product, Unreadable.NOT_FOUND, "nothing filters", PROFILE)
        return
    try:
        yield known(product, _product(host, asked), "processes, /etc/ufw/ufw.conf", PROFILE)
    except HostError as error:
        yield unknown(product, error, "processes, /etc/ufw/ufw.conf", PROFILE)


PROBE = Probe(
    id="firewall",
    platforms=("linux",),
    specs=(
        FactSpec(
            "firewall.profiles",
            ValueType.STRINGS,
            Text(vi="Các hồ sơ tường lửa của máy", en="Firewall profiles of the machine"),
        ),
        FactSpec(
            "firewall.enabled",
            ValueType.BOOL,
            Text(vi="Có tường lửa lọc lưu lượng vào máy", en="A firewall filters incoming traffic"),
            "firewall.profiles",
        ),
        FactSpec(
            "firewall.inbound_blocked",
            ValueType.BOOL,
            Text(
                vi="Lưu lượng vào không được phép thì bị chặn",
                en="Incoming traffic that is not allowed is blocked",
            ),
            "firewall.profiles",
        ),
        FactSpec(
            "firewall.product",
            ValueType.STRING,
            Text(vi="Phần mềm tường lửa", en="Firewall product"),
            "firewall.profiles",
        ),
    ),
    read=read,
)
