"""The host firewall on Linux, as the kernel applies it: who loaded the rules does not matter.

Source: `nft -j list ruleset` (libnftables-json(5)), which also sees what iptables-nft, firewalld
        and ufw load; `iptables-save` and `ip6tables-save` for the older tables and for rules that
        nft cannot spell out; /proc/net/ip_tables_names; /etc/ufw/ufw.conf for the product's name.
Sample: {"chain": {"family": "inet", "table": "filter", "name": "input", "type": "filter",
                   "hook": "input", "prio": 0, "policy": "drop"}}
        -A INPUT -j REJECT --reject-with icmp-host-prohibited
Limits: needs root; without it every answer is access_denied, never "off". A rule that accepts
        under a condition we do not understand leaves inbound_blocked unknown.
"""

from __future__ import annotations

from typing import Iterator, List, Optional, Sequence, Tuple

from attt_agent.host import Host, HostError
from attt_agent.netfilter.chains import Verdict, any_blocks
from attt_agent.netfilter.iptables import judge_iptables, parse_iptables
from attt_agent.netfilter.nft import NftRuleset, judge_nft, parse_nft
from attt_agent.probe import Probe, ProbeContext, Reading, known, unknown
from attt_rules.contract import FactSpec, Text, Unreadable, ValueType

PROFILE = "host"  # Linux has one profile
LOOPBACK = "lo"


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
        filters = any(part.filters for part in parts)
        verdicts.append(Verdict(filters, any_blocks(part.blocks for part in parts)))
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
    blocks = [verdict.blocks for verdict in verdicts]
    if None in blocks and False not in blocks:
        why = "%s: a rule accepts under a condition that is not understood" % source
        yield unknown(blocked, Unreadable.NOT_SUPPORTED, why, PROFILE)
    else:
        yield known(blocked, False not in blocks, source, PROFILE)
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
