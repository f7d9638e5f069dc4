import json
from dataclasses import replace

import pytest

from attt_agent.host import CommandResult
from attt_agent.netfilter.chains import ACCEPT, DENY
from attt_agent.netfilter.iptables import judge_iptables, parse_iptables
from attt_agent.netfilter.nft import judge_nft, parse_nft
from attt_agent.probes import firewall
from attt_rules.contract import Unreadable

NFT = ("nft", "-j", "list", "ruleset")
IPTABLES = ("iptables-save", "-t", "filter")
IP6TABLES = ("ip6tables-save", "-t", "filter")
EMPTY = json.dumps({"nftables": [{"metainfo": {"version": "1.0.6"}}]})


def states(facts):
    return tuple(
        facts[f"firewall.{key}", "host"] for key in ("enabled", "inbound_blocked", "product")
    )


def with_commands(host, **outputs):
    """Commands replaced; None takes one away."""
    commands = dict(host.commands)
    for name, text in outputs.items():
        argv = {"nft": NFT, "iptables": IPTABLES, "ip6tables": IP6TABLES}[name]
        commands.pop(argv, None)
        if text is not None:
            commands[argv] = text if isinstance(text, CommandResult) else CommandResult(0, text, "")
    return replace(host, commands=commands)


def test_it_works(machine, said):
    expected = {
        ("firewall.profiles", None): ("host",),
        ("firewall.enabled", "host"): True,
        ("firewall.inbound_blocked", "host"): True,
        ("firewall.product", "host"): "nftables",
    }
    assert expected == said(firewall.PROBE, machine("debian-12-may-ban"))


def test_it_looked_and_found_an_empty_ruleset(machine, said):
    assert (False, False, "!not_found") == states(
        said(firewall.PROBE, machine("debian-12-may-chu"))
    )


def test_firewalld_refuses_at_the_end_of_its_chain(machine, said):
    assert (True, True, "firewalld") == states(said(firewall.PROBE, machine("rhel-9")))


def test_a_trusted_zone_is_an_open_firewall(machine, said):
    host = machine("rhel-9")
    ruleset = host.commands[NFT].stdout.replace(
        '{"jump": {"target": "filter_IN_public_allow"}}', '{"accept": null}'
    )
    facts = said(firewall.PROBE, with_commands(host, nft=ruleset))
    assert (True, False, "firewalld") == states(facts)


def test_without_rights_the_state_is_unknown_and_never_off(machine, said):
    expected = ("!access_denied",) * 3
    assert expected == states(said(firewall.PROBE, machine("ubuntu-2204")))


@pytest.mark.parametrize("text", ["", "{}", "[]", "nothing", '{"nftables": [1]}'])
def test_it_reports_unknown_when_nft_says_something_else(machine, said, text):
    facts = said(firewall.PROBE, with_commands(machine("debian-12-may-ban"), nft=text))
    assert ("!malformed",) * 3 == states(facts)


def test_without_any_program_the_state_is_unknown(machine, said):
    facts = said(firewall.PROBE, with_commands(machine("debian-12-may-ban"), nft=None))
    assert ("!not_found",) * 3 == states(facts)


def test_without_any_program_and_any_part_in_the_kernel_nothing_filters(machine, said):
    host = with_commands(machine("rhel-9"), nft=None)
    loaded = {**host.files, "/proc/modules": b"ext4 999424 1 - Live 0x0\n"}
    facts = said(firewall.PROBE, replace(host, files=loaded))
    assert (False, False, "!not_found") == states(facts)
    loaded["/proc/modules"] += b"nf_tables 356352 0 - Live 0x0\n"
    assert ("!not_found",) * 3 == states(said(firewall.PROBE, replace(host, files=loaded)))


def test_ipv6_left_open_is_not_blocked(machine, said):
    host = machine("debian-12-may-ban")
    ruleset = host.commands[NFT].stdout.replace('"inet"', '"ip"')
    facts = said(firewall.PROBE, with_commands(host, nft=ruleset))
    assert (True, False, "nftables") == states(facts)
    files = {path: text for path, text in host.files.items() if path != "/proc/net/if_inet6"}
    facts = said(firewall.PROBE, replace(with_commands(host, nft=ruleset), files=files))
    assert (True, True, "nftables") == states(facts)


def test_older_tables_in_the_kernel_are_asked_too(machine, said):
    host = machine("debian-12-may-chu")
    host = replace(host, files={**host.files, "/proc/net/ip_tables_names": b"filter\n"})
    assert ("!not_found",) * 3 == states(said(firewall.PROBE, host))
    drop = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"
    facts = said(firewall.PROBE, with_commands(host, iptables=drop))
    assert (True, True, "iptables") == states(facts)
    refused = CommandResult(4, "", "Permission denied (you must be root)")
    facts = said(firewall.PROBE, with_commands(host, iptables=refused))
    assert ("!access_denied",) * 3 == states(facts)


def test_rules_that_nft_cannot_spell_out_are_asked_from_iptables(machine, said):
    host = machine("debian-12-may-chu")
    ruleset = json.loads(EMPTY)
    where = {"family": "ip", "table": "filter"}
    ruleset["nftables"] += [
        {
            "chain": {
                **where,
                "name": "INPUT",
                "type": "filter",
                "hook": "input",
                "prio": 0,
                "policy": "accept",
            }
        },
        {"rule": {**where, "chain": "INPUT", "expr": [{"xt": None}, {"counter": {}}]}},
    ]
    host = with_commands(host, nft=json.dumps(ruleset))
    assert ("!not_found",) * 3 == states(said(firewall.PROBE, host))
    saved = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j REJECT --reject-with icmp-port-unreachable\n"
    facts = said(firewall.PROBE, with_commands(host, iptables=saved))
    assert (True, True, "iptables") == states(facts)


def test_a_comment_does_not_hide_a_rule_that_accepts_everything(machine, said):
    # as nft 1.0.6 prints what iptables-nft 1.8.9 loaded
    host = machine("debian-12-may-chu")
    ruleset = json.loads(EMPTY)
    where = {"family": "ip", "table": "filter"}
    base = {"name": "INPUT", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}
    comment = {"xt": {"type": "match", "name": "comment"}}
    ruleset["nftables"] += [
        {"chain": {**where, **base}},
        {"rule": {**where, "chain": "INPUT", "expr": [comment, {"counter": {}}, {"accept": None}]}},
    ]
    saved = '*filter\n:INPUT DROP [0:0]\n-A INPUT -m comment --comment "a b" -j ACCEPT\nCOMMIT\n'
    host = with_commands(host, nft=json.dumps(ruleset), iptables=saved)
    assert (True, False, "iptables") == states(said(firewall.PROBE, host))


def test_ufw_is_named_when_it_is_switched_on(machine, said):
    host = machine("debian-12-may-ban")
    host = replace(host, files={**host.files, "/etc/ufw/ufw.conf": b"ENABLED=yes\nLOGLEVEL=low\n"})
    assert (True, True, "ufw") == states(said(firewall.PROBE, host))


def test_it_reports_why_when_the_product_cannot_be_told(machine, said):
    host = replace(machine("debian-12-may-ban"), errors={"process_names": Unreadable.ACCESS_DENIED})
    assert (True, True, "!access_denied") == states(said(firewall.PROBE, host))


OPEN_TO_ALL = [
    "-p tcp -m tcp --dport 1:65535",
    "-p tcp -m multiport --dports 0:65535",
    "-p tcp -m tcp --syn",
    "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
    "-m addrtype --dst-type LOCAL",
    "! -s 10.0.0.1/32",
    "-p tcp -m tcp ! --dport 25",
]


@pytest.mark.parametrize("condition", OPEN_TO_ALL)
def test_a_rule_for_nearly_everything_leaves_the_machine_open(machine, said, condition):
    host = machine("debian-12-may-chu")
    host = replace(host, files={**host.files, "/proc/net/ip_tables_names": b"filter\n"})
    saved = f"*filter\n:INPUT DROP [0:0]\n-A INPUT {condition} -j ACCEPT\nCOMMIT\n"
    facts = said(firewall.PROBE, with_commands(host, iptables=saved))
    assert (True, False, "iptables") == states(facts)


def test_two_halves_of_the_internet_leave_the_machine_open(machine, said):
    host = machine("debian-12-may-chu")
    host = replace(host, files={**host.files, "/proc/net/ip_tables_names": b"filter\n"})
    saved = "*filter\n:INPUT DROP [0:0]\n"
    saved += "-A INPUT -s 0.0.0.0/1 -j ACCEPT\n-A INPUT -s 128.0.0.0/1 -j ACCEPT\nCOMMIT\n"
    facts = said(firewall.PROBE, with_commands(host, iptables=saved))
    assert (True, False, "iptables") == states(facts)


def test_it_reports_unknown_when_a_rule_accepts_by_what_it_does_not_understand(machine, said):
    host = machine("debian-12-may-chu")
    host = replace(host, files={**host.files, "/proc/net/ip_tables_names": b"filter\n"})
    saved = "*filter\n:INPUT DROP [0:0]\n-A INPUT -m mark --mark 0x1 -j ACCEPT\nCOMMIT\n"
    facts = said(firewall.PROBE, with_commands(host, iptables=saved))
    assert (True, "!not_supported", "iptables") == states(facts)


def nft_with(host, *changes):
    ruleset = host.commands[NFT].stdout
    for old, new in changes:
        assert old in ruleset
        ruleset = ruleset.replace(old, new)
    return with_commands(host, nft=ruleset)


def test_a_range_of_all_ports_leaves_the_machine_open(machine, said):
    host = machine("debian-12-may-ban")
    ports = '"right": {"range": [1, 65535]}'
    facts = said(firewall.PROBE, nft_with(host, ('"right": 22', ports)))
    assert (True, False, "nftables") == states(facts)


@pytest.mark.parametrize("flags", ['["dormant"]', '"dormant"'])
def test_a_dormant_table_blocks_nothing(machine, said, flags):
    host = machine("debian-12-may-ban")
    awake = '"name": "filter", "handle": 1}'
    facts = said(firewall.PROBE, nft_with(host, (awake, awake[:-1] + f', "flags": {flags}}}')))
    assert (False, False, "!not_found") == states(facts)


def answer(fixtures, case):
    folder = fixtures / "linux" / "firewall" / case
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    return (folder / expected["inputs"][0]).read_text("utf-8"), expected["expected"]


@pytest.mark.parametrize("case", ["nft-json-accept", "nft-json-empty"])
def test_recording_of_nft(fixtures, case):
    text, expected = answer(fixtures, case)
    ruleset = parse_nft(text)
    verdict = judge_nft(ruleset, "ip")
    assert expected["active"] is verdict.filters
    assert expected["input_chains"] == len(ruleset.inputs)
    assert (expected.get("effective_default_incoming") == "deny") is verdict.blocks


@pytest.mark.parametrize("case", ["iptables-s-drop", "iptables-save-accept-then-reject"])
def test_recording_of_iptables(fixtures, case):
    text, expected = answer(fixtures, case)
    chains = parse_iptables(text)
    verdict = judge_iptables(chains)
    assert expected["active"] is verdict.filters
    assert (expected["effective_default_incoming"] == "deny") is verdict.blocks
    policies = {ACCEPT: "ACCEPT", DENY: "DROP"}
    assert expected["filter_policy"] == {
        name: policies[chain.policy] for name, chain in chains.items() if chain.policy
    }
    assert expected["filter_rules"] == sum(len(chain.rules) for chain in chains.values())


THE_KERNEL_IS_ASKED = "a program's own word; the rules in the kernel are read instead"
NOT_ASKED = {
    "firewalld-list-all-zones": THE_KERNEL_IS_ASKED,
    "firewalld-not-running": THE_KERNEL_IS_ASKED,
    "firewalld-systemctl-active": THE_KERNEL_IS_ASKED,
    "jc-ufw": THE_KERNEL_IS_ASKED,
    "jc-ufw-inactive": THE_KERNEL_IS_ASKED,
    "jc-ufw-numbered": THE_KERNEL_IS_ASKED,
    "ufw-off-glpi": THE_KERNEL_IS_ASKED,
    "ufw-on-glpi": THE_KERNEL_IS_ASKED,
    "iptables-l-ubuntu-18.04": "`iptables -L` leaves out interfaces; iptables-save is read instead",
}


def test_every_recording_is_tested_or_listed(fixtures):
    tested = {
        "nft-json-accept",
        "nft-json-empty",
        "iptables-s-drop",
        "iptables-save-accept-then-reject",
    }
    folder = fixtures / "linux" / "firewall"
    assert tested | set(NOT_ASKED) == {path.name for path in folder.iterdir()}
