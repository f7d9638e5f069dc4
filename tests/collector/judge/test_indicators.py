"""Counting: pass, fail, unknown and not applicable apart; unknown stays in the denominator."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attt_collector.judge import indicators
from attt_collector.records import IndicatorValue, UnitKind
from attt_rules.contract import Status, Unreadable
from attt_rules.errors import AtttError
from attt_rules.pack import Compare
from tests.report.fleet import Fleet, city


def value(fleet: Fleet, indicator_id: str) -> IndicatorValue:
    return indicators.count(fleet.assess())[indicator_id]


def test_it_counts_every_indicator_of_the_pack() -> None:
    fleet = city()

    values = indicators.count(fleet.assess())

    assert list(values) == [f"CT-{number:02d}" for number in range(1, 22)]
    assert (values["CT-01"].count, values["CT-01"].of) == (12, None)
    assert (values["CT-07"].count, values["CT-07"].of) == (12, 12)
    assert (values["CT-06"].count, values["CT-06"].of) == (2, 2)


def test_it_keeps_unknown_in_the_denominator() -> None:
    fleet = city()
    fleet.pcs(fleet.units[0], 1, **{"firewall.enabled": {"host": Unreadable.ACCESS_DENIED}})
    fleet.pcs(fleet.units[0], 2, **{"firewall.enabled": {"host": False}})
    fleet.device(fleet.units[1], None)

    found = value(fleet, "CT-07")

    assert (found.count, found.failed, found.unknown, found.of) == (12, 2, 2, 16)


def test_not_applicable_is_not_in_the_denominator() -> None:
    fleet = city()
    fleet.pcs(fleet.units[0], 3, **{"session.desktop_present": False})

    found = value(fleet, "CT-17")

    assert (found.count, found.not_applicable, found.of) == (12, 3, 12)


def test_a_silent_machine_cannot_pass_a_check_of_its_own() -> None:
    fleet = city()
    fleet.device(fleet.units[0], None)

    found = value(fleet, "CT-05")

    assert (found.count, found.unknown, found.of) == (12, 1, 13)


def test_attainment_counts_against_the_planned_quantity() -> None:
    fleet = Fleet()
    unit = fleet.unit("HM", "UBND xã Hoa Mai", UnitKind.COMMUNE)
    fleet.pcs(unit, 5)
    fleet.attest(unit, "quota.central_antivirus_machines", 4)

    found = value(fleet, "CT-03")

    assert (found.count, found.of) == (5, 4)
    assert indicators.excess(found) == 1


def test_without_any_quota_the_plan_is_unknown() -> None:
    fleet = Fleet()
    unit = fleet.unit("HM", "UBND xã Hoa Mai", UnitKind.COMMUNE)
    fleet.pcs(unit, 5)

    found = value(fleet, "CT-03")

    assert found.of is None
    assert indicators.excess(found) == 0
    assert indicators.units_without_plan(fleet.assess(), "CT-03") == (unit,)


def test_a_quota_of_the_city_covers_its_communes() -> None:
    assert indicators.units_without_plan(city().assess(), "CT-03") == ()


def test_machines_of_a_unit_without_a_quota_do_not_raise_the_others() -> None:
    fleet = Fleet()
    with_quota = fleet.unit("A", "xã A", UnitKind.COMMUNE)
    without = fleet.unit("B", "xã B", UnitKind.COMMUNE)
    fleet.pcs(with_quota, 1)
    fleet.pcs(without, 5)
    fleet.attest(with_quota, "quota.central_antivirus_machines", 2)

    value = indicators.count(fleet.assess())["CT-03"]

    assert (value.count, value.of) == (1, 2)
    assert [unit.code for unit in indicators.units_without_plan(fleet.assess(), "CT-03")] == ["B"]


def test_it_names_the_units_whose_quota_is_missing() -> None:
    fleet = Fleet()
    top = fleet.unit("T", "Tỉnh Mẫu", UnitKind.PROVINCE)
    known = fleet.unit("T-01", "UBND xã Một", UnitKind.COMMUNE, top)
    missing = fleet.unit("T-02", "UBND xã Hai", UnitKind.COMMUNE, top)
    fleet.attest(known, "quota.central_antivirus_machines", 10)

    assert indicators.units_without_plan(fleet.assess(), "CT-03") == (missing,)
    assert value(fleet, "CT-03").of == 10


def test_members_tell_who_counts_how_and_why() -> None:
    fleet = city()
    fleet.pcs(fleet.units[0], 1, **{"firewall.enabled": {"host": False}})

    members = indicators.members(fleet.assess(), "CT-07")

    [failed] = [member for member in members if member.status is Status.FAIL]
    assert failed.subject.asset.name == "PC-0013"
    assert [fact.value for fact in failed.evidence if fact.key == "firewall.enabled"] == [False]
    assert len(members) == 13


def test_tallies_name_the_units_that_fail() -> None:
    fleet = city()
    fleet.pcs(fleet.units[1], 2, **{"firewall.enabled": {"host": False}})

    [tally] = [t for t in indicators.tallies(fleet.assess()) if t.rule.id == "tuong-lua.may-bat"]

    assert (tally.passed, tally.failed, tally.total) == (12, 2, 14)
    assert [(unit.code, many) for unit, many in tally.failed_by_unit] == [("HM-01", 2)]


def test_declared_machines_show_what_was_never_enrolled() -> None:
    fleet = city()
    assert indicators.declared_machines(fleet.assess()) is None

    fleet.attest(fleet.units[0], "site.machines_declared_count", 15)
    found = indicators.declared_machines(fleet.assess())

    assert found is not None
    assert (found.declared, found.enrolled, found.not_enrolled) == (15, 12, 3)


def test_figures_of_the_units_add_up_to_the_whole() -> None:
    fleet = city()
    fleet.pcs(fleet.units[1], 2, **{"auto_logon.off": False})
    fleet.device(fleet.units[2], None)
    assessment = fleet.assess()

    whole = indicators.count(assessment)
    parts = [
        indicators.count(
            assessment.of_unit(unit, [s for s in assessment.subjects if s.unit == unit])
        )
        for unit in assessment.units
    ]

    for indicator_id, total in whole.items():
        for name in ("count", "failed", "unknown", "not_applicable"):
            expected = sum(getattr(part[indicator_id], name) for part in parts)
            assert expected == getattr(total, name), (indicator_id, name)


def test_it_refuses_an_indicator_that_the_pack_does_not_have() -> None:
    with pytest.raises(AtttError) as refused:
        indicators.members(city().assess(), "CT-99")

    assert refused.value.code == "ATTT-601"
    assert "CT-99" in str(refused.value)


def test_a_subject_that_may_belong_is_unknown_not_left_out() -> None:
    fleet = city()
    fleet.pcs(fleet.units[0], 1, **{"os.family": "linux"})
    fleet.pcs(fleet.units[0], 1, **{"os.family": "windows"})
    assessment = fleet.assess()
    pack = assessment.pack
    linux_only = replace(pack.indicators["CT-07"], when=Compare("os.family", "eq", "linux"))
    changed = replace(assessment, pack=replace(pack, indicators={"CT-07": linux_only}))

    found = indicators.count(changed)["CT-07"]

    # Twelve PCs do not say what they run; the Windows PC is certainly not meant.
    assert (found.count, found.unknown, found.of) == (1, 12, 13)


def test_a_quota_of_the_province_does_not_make_it_one_more_office() -> None:
    fleet = Fleet()
    province = fleet.unit("T", "tỉnh Mẫu", UnitKind.PROVINCE)
    fleet.pcs(fleet.unit("X", "xã X", UnitKind.COMMUNE, province), 2)
    fleet.attest(province, "quota.central_antivirus_machines", 5)

    assert value(fleet, "CT-09").of == 1
    assert (value(fleet, "CT-03").count, value(fleet, "CT-03").of) == (2, 5)


def test_the_surplus_of_one_unit_does_not_hide_the_gap_of_another() -> None:
    fleet = Fleet()
    province = fleet.unit("T", "tỉnh Mẫu", UnitKind.PROVINCE)
    for code, enrolled in (("A", 2), ("B", 0)):
        unit = fleet.unit(code, f"xã {code}", UnitKind.COMMUNE, province)
        fleet.pcs(unit, enrolled)
        fleet.attest(unit, "site.machines_declared_count", 1)

    declared = indicators.declared_machines(fleet.assess())

    assert declared is not None
    assert (declared.declared, declared.enrolled, declared.not_enrolled) == (2, 2, 1)
