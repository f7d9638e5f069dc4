from dataclasses import replace
from datetime import UTC, datetime

from attt_agent.probes import asset
from attt_rules.contract import Unreadable


def test_it_works(machine, said):
    expected = {
        ("os.family", None): "linux",
        ("os.name", None): "Debian GNU/Linux",
        ("os.version", None): "12",
        ("os.end_of_support_at", None): datetime(2028, 6, 30, 23, 59, 59, tzinfo=UTC),
        ("asset.manufacturer", None): "Dell Inc.",
        ("asset.model", None): "OptiPlex 3080",
        ("asset.serial", None): "MAY0417",
        ("asset.form", None): "desktop",
        ("asset.domain_joined", None): False,
        ("session.desktop_present", None): True,
    }
    assert expected == said(asset.PROBE, machine("debian-12-may-ban"))


def test_it_sees_a_virtual_machine_in_a_domain(machine, said):
    facts = said(asset.PROBE, machine("rhel-9"))
    assert "virtual" == facts["asset.form", None]
    assert facts["asset.domain_joined", None] is True
    assert facts["session.desktop_present", None] is False
    # 9.4 is supported as long as 9.
    assert 2032 == facts["os.end_of_support_at", None].year


def test_it_takes_no_placeholder_for_a_model(machine, said):
    facts = said(asset.PROBE, machine("ubuntu-2204"))
    assert "!not_found" == facts["asset.model", None]
    assert "laptop" == facts["asset.form", None]


def test_it_reports_access_denied_when_the_serial_is_for_root(machine, said):
    assert "!access_denied" == said(asset.PROBE, machine("ubuntu-2204"))["asset.serial", None]


def test_it_does_not_guess_the_support_of_an_unknown_distribution(machine, said):
    host = machine("debian-12-may-ban")
    other = {"/etc/os-release": b'NAME="Linux Mint"\nID=linuxmint\nVERSION_ID="22"\n'}
    facts = said(asset.PROBE, replace(host, files={**host.files, **other}))
    assert "!not_found" == facts["os.end_of_support_at", None]
    assert "22" == facts["os.version", None]


def test_it_believes_the_end_of_support_that_the_system_names():
    release = asset.parse_os_release("ID=fedora\nVERSION_ID=44\nSUPPORT_END=2027-05-19\n")
    expected = datetime(2027, 5, 19, 23, 59, 59, tzinfo=UTC)
    assert expected == asset.end_of_support(release)


def test_it_tells_centos_stream_from_centos():
    stream = {"ID": "centos", "NAME": "CentOS Stream", "VERSION_ID": "8"}
    assert 2024 == asset.end_of_support(stream).year
    assert 2021 == asset.end_of_support({**stream, "NAME": "CentOS Linux"}).year


def test_every_date_of_the_table_is_a_date():
    for name, versions in asset.END_OF_SUPPORT.items():
        for version in versions:
            os_id, label = ("centos", "Stream") if name == "centos-stream" else (name, "")
            release = {"ID": os_id, "NAME": label, "VERSION_ID": version}
            assert asset.end_of_support(release) is not None


def test_a_keytab_alone_is_no_domain(machine, said):
    host = machine("debian-12-may-ban")
    host = replace(host, present=host.present | {"/etc/krb5.keytab"})
    assert said(asset.PROBE, host)["asset.domain_joined", None] is False


def test_it_reports_unknown_when_the_domain_cannot_be_looked_at(machine, said):
    host = machine("debian-12-may-ban")
    errors = {"exists /etc/sssd/sssd.conf": Unreadable.ACCESS_DENIED}
    facts = said(asset.PROBE, replace(host, errors=errors))
    assert "!access_denied" == facts["asset.domain_joined", None]
