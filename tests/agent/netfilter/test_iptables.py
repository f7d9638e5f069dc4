"""Rules of iptables-save, and what they leave open."""

from __future__ import annotations

import pytest

from attt_agent.netfilter.iptables import judge_iptables, parse_iptables


def blocks(rules: str, policy: str = "DROP") -> bool | None:
    text = f"*filter\n:INPUT {policy} [0:0]\n:CHUNG - [0:0]\n{rules}\nCOMMIT\n"
    return judge_iptables(parse_iptables(text)).blocks


def test_it_works() -> None:
    assert blocks("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT") is True
    assert blocks("-A INPUT -j ACCEPT") is False
    assert blocks("-A INPUT -m mark --mark 0x1 -j ACCEPT") is None


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("-A INPUT -i lo -j ACCEPT", True),
        ("-A INPUT -i eth0 -j ACCEPT", False),
        ("-A INPUT ! -i lo -j ACCEPT", False),
        ("-A INPUT -p icmp -j ACCEPT", True),
        ("-A INPUT -p tcp -j ACCEPT", False),
        ("-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT", True),
        ("-A INPUT -m conntrack --ctstate NEW -j ACCEPT", False),
        ("-A INPUT -m conntrack --ctstate INVALID,ESTABLISHED -j ACCEPT", False),
        ("-A INPUT -m conntrack ! --ctstate NEW -j ACCEPT", True),
        ('-A INPUT -m comment --comment "-j ACCEPT" -j DROP', True),
        ("-A INPUT -m comment --comment --icmp-type -j ACCEPT", False),
        ("-A INPUT -j LOG --log-prefix x", True),
        ("-A INPUT -j CHUNG\n-A CHUNG -j ACCEPT", False),
        ("-A INPUT -j CHUNG\n-A CHUNG -j RETURN\n-A CHUNG -j ACCEPT", True),
        ("-A INPUT -p tcp --dport 22 -j CHUNG\n-A CHUNG -j ACCEPT", True),
        ("-A INPUT -i eth0 -j CHUNG\n-A CHUNG -j ACCEPT", False),
        ("-A INPUT -j RETURN\n-A INPUT -j ACCEPT", True),
    ],
)
def test_what_a_rule_leaves_open(rules: str, expected: bool) -> None:
    assert expected is blocks(rules)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("-p tcp -m tcp --dport 22", True),
        ("-p tcp -m multiport --dports 80,443,8000:8010", True),
        ("-p tcp -m tcp --dport 50000:51023", True),
        ("-p tcp -m tcp --dport 50000:51024", False),
        ("-p tcp -m tcp --dport 1024:", False),
        ("-p tcp -m multiport --dports 1:1000,2000:2999", False),
        ("-p udp -m udp --sport 53", False),
        ("-p tcp -m multiport --ports 22", False),
        ("-p tcp -m tcp --syn", False),
        ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", False),
        ("-p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN", True),
        ("-p tcp -m tcp ! --dport 25", False),
        ("-m limit --limit 5/sec", False),
        ("-p tcp -m tcp --dport 22 -m limit --limit 5/sec", True),
    ],
)
def test_a_few_ports_are_narrow(condition: str, expected: bool) -> None:
    assert expected is blocks(f"-A INPUT {condition} -j ACCEPT")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("-s 10.0.0.0/8", True),
        ("-s 192.168.1.5/32", True),
        ("-s 0.0.0.0/1", False),
        ("-s 10.0.0.0/7", False),
        ("-s 2001:db8::/32", True),
        ("-s 2000::/3", False),
        ("! -s 10.0.0.1/32", False),
        ("-m iprange --src-range 10.0.0.1-10.0.0.9", True),
        ("-m iprange --src-range 1.0.0.0-223.255.255.255", False),
        ("-m addrtype --dst-type LOCAL", False),
        ("-m addrtype --dst-type BROADCAST", True),
        ("-d 192.168.1.5/32", False),
        ("-d 224.0.0.251/32", True),
        ("-d 0.0.0.0/0", False),
        ("-d ff02::fb/128", True),
        ("-m pkttype --pkt-type unicast", False),
        ("-m set --match-set tin src", None),
        ("-m owner --uid-owner 0", None),
        ("-s khong-phai-dia-chi", None),
    ],
)
def test_a_few_machines_are_narrow(condition: str, expected: bool | None) -> None:
    assert expected is blocks(f"-A INPUT {condition} -j ACCEPT")


def test_a_share_that_leaves_a_chain_meets_what_follows() -> None:
    # as ufw does with ufw-not-local; here an open rule follows
    chain = "-A INPUT -j CHUNG\n{}-A CHUNG -m addrtype --dst-type LOCAL -j RETURN\n-A CHUNG -j DROP"
    assert blocks(chain.format("")) is True
    assert blocks(chain.format("-A INPUT -j ACCEPT\n")) is False


def test_a_program_that_decides_is_unknown() -> None:
    assert blocks("-A INPUT -j NFQUEUE --queue-num 0") is None
    assert blocks("-A INPUT -p tcp --dport 22 -j NFQUEUE --queue-num 0") is True


def test_what_is_not_understood_does_not_hide_what_is_open() -> None:
    assert blocks("-A INPUT -m mark --mark 0x1 -j ACCEPT\n-A INPUT -p tcp -j ACCEPT") is False
    assert blocks("-A INPUT -m mark --mark 0x1 -j DROP") is True


def test_a_last_rule_that_refuses_is_as_good_as_the_policy() -> None:
    assert blocks("-A INPUT -p tcp --dport 22 -j ACCEPT\n-A INPUT -j REJECT", "ACCEPT") is True
    assert blocks("-A INPUT -p tcp --dport 22 -j DROP", "ACCEPT") is False
    # another interface stays open
    assert blocks("-A INPUT -i eth0 -j DROP", "ACCEPT") is False


@pytest.mark.parametrize("rules", ["-A INPUT -j A\n-A A -j A", "-A INPUT -g A\n-A A -g INPUT"])
def test_chains_that_go_in_circles_are_refused(rules: str) -> None:
    text = f"*filter\n:INPUT DROP [0:0]\n:A - [0:0]\n{rules}\nCOMMIT\n"
    with pytest.raises(ValueError):
        judge_iptables(parse_iptables(text))


def test_it_refuses_a_text_without_an_input_chain() -> None:
    with pytest.raises(ValueError):
        parse_iptables("*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n")
