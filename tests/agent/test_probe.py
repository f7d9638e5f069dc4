"""The runner: whatever a probe does, the facts stay honest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from attt_agent.host import HostError
from attt_agent.probe import Probe, ProbeContext, Reading, find_all, known, run_all, unknown
from attt_agent.recorded import EPOCH, RecordedHost
from attt_rules.contract import Fact, FactSpec, Text, Unreadable, ValueType

MEANING = Text(vi="thử", en="trial")
SPECS = (
    FactSpec("trial.enabled", ValueType.BOOL, MEANING),
    FactSpec("trial.length_chars", ValueType.INT, MEANING),
    FactSpec("trial.products", ValueType.STRINGS, MEANING),
    FactSpec("trial.product.enabled", ValueType.BOOL, MEANING, list_key="trial.products"),
)


def run(
    read: Callable[[ProbeContext], Iterable[Any]],
    specs: tuple[FactSpec, ...] = SPECS,
    time_limit_seconds: float = 5.0,
) -> dict[tuple[str, str | None], Fact]:
    probe = Probe("trial", ("linux",), specs, read, time_limit_seconds)
    facts = run_all([probe], ProbeContext(RecordedHost()))
    return {(fact.key, fact.item): fact for fact in facts}


def complete(_: ProbeContext) -> Iterable[Reading]:
    yield known("trial.enabled", False, "a file")
    yield known("trial.length_chars", 0, "a file")
    yield known("trial.products", ("A", "B"), "a folder")
    yield known("trial.product.enabled", True, "a folder", item="A")
    yield unknown("trial.product.enabled", Unreadable.ACCESS_DENIED, "a folder", item="B")


def test_it_works() -> None:
    facts = run(complete)
    assert [
        ("trial.enabled", None),
        ("trial.length_chars", None),
        ("trial.product.enabled", "A"),
        ("trial.product.enabled", "B"),
        ("trial.products", None),
    ] == list(facts)
    assert facts["trial.enabled", None] == Fact("trial.enabled", EPOCH, "a file", value=False)
    assert facts["trial.product.enabled", "B"].unreadable is Unreadable.ACCESS_DENIED


def test_it_makes_every_unsaid_key_not_found() -> None:
    facts = run(lambda _: ())
    assert {
        ("trial.enabled", None): Unreadable.NOT_FOUND,
        ("trial.length_chars", None): Unreadable.NOT_FOUND,
        ("trial.products", None): Unreadable.NOT_FOUND,
    } == {name: fact.unreadable for name, fact in facts.items()}


def test_it_speaks_for_every_item_of_a_list() -> None:
    facts = run(lambda _: [known("trial.products", ["A"], "x")])  # type: ignore[arg-type]
    assert facts["trial.product.enabled", "A"].unreadable is Unreadable.NOT_FOUND
    assert facts["trial.products", None].value == ("A",)


def test_it_passes_on_the_reason_of_a_host_error() -> None:
    def read(_: ProbeContext) -> Iterable[Reading]:
        yield known("trial.enabled", True, "a file")
        raise HostError(Unreadable.ACCESS_DENIED, "/etc/shadow: Permission denied")

    facts = run(read)
    assert facts["trial.enabled", None].value is True
    assert facts["trial.length_chars", None].unreadable is Unreadable.ACCESS_DENIED
    assert "/etc/shadow" in facts["trial.length_chars", None].source


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # SystemExit
@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyError("x"), SystemExit(1)])
def test_it_calls_a_crash_malformed(error: BaseException) -> None:
    def read(_: ProbeContext) -> Iterable[Reading]:
        raise error

    assert {Unreadable.MALFORMED} == {fact.unreadable for fact in run(read).values()}


def test_it_names_the_exception_in_the_source() -> None:
    facts = run(lambda _: [1 / 0])  # type: ignore[list-item]
    assert facts["trial.enabled", None].source == "probe trial: ZeroDivisionError"


def test_it_gives_up_on_a_late_probe_and_keeps_what_it_said() -> None:
    stop = threading.Event()

    def read(_: ProbeContext) -> Iterable[Reading]:
        yield known("trial.enabled", True, "a file")
        stop.wait(10)
        yield known("trial.length_chars", 8, "too late")

    facts = run(read, time_limit_seconds=0.1)
    stop.set()
    assert facts["trial.enabled", None].value is True
    assert facts["trial.length_chars", None].unreadable is Unreadable.TIMEOUT


def test_one_bad_probe_does_not_spoil_another() -> None:
    def bad(_: ProbeContext) -> Iterable[Reading]:
        raise RuntimeError

    other = FactSpec("other.enabled", ValueType.BOOL, MEANING)
    probes = (
        Probe("bad", ("linux",), SPECS, bad),
        Probe("good", ("linux",), (other,), lambda _: [known("other.enabled", True, "x")]),
    )
    facts = {fact.key: fact for fact in run_all(probes, ProbeContext(RecordedHost()))}
    assert facts["other.enabled"].value is True
    assert facts["trial.enabled"].unreadable is Unreadable.MALFORMED


@pytest.mark.parametrize(
    "reading",
    [
        known("trial.enabled", 1, "x"),
        known("trial.enabled", "yes", "x"),
        known("trial.length_chars", True, "x"),
        known("trial.length_chars", 8.5, "x"),
        known("trial.products", "A", "x"),
        known("trial.products", ("A", 3), "x"),  # type: ignore[arg-type]
        known("trial.products", tuple("x" for _ in range(5000)), "x"),
        known("trial.enabled", True, "x", item="A"),
        known("trial.product.enabled", True, "x"),
        known("undeclared.enabled", True, "x"),
        Reading("trial.enabled", source="x"),
        Reading("trial.enabled", True, Unreadable.TIMEOUT, "x"),
    ],
)
def test_it_calls_what_breaks_the_declaration_malformed(reading: Reading) -> None:
    fact = run(lambda _: [reading])[reading.key, None]
    assert (fact.value, fact.unreadable) == (None, Unreadable.MALFORMED)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_it_calls_a_number_that_json_cannot_carry_malformed(value: float) -> None:
    spec = FactSpec("trial.offset_seconds", ValueType.FLOAT, MEANING)
    facts = run(lambda _: [known(spec.key, value, "x")], specs=(spec,))
    assert facts[spec.key, None].unreadable is Unreadable.MALFORMED


def test_it_doubts_everything_unsaid_when_a_reading_is_none() -> None:
    facts = run(lambda _: [known("NOT A KEY", True, "x"), "nonsense"])  # type: ignore[list-item]
    assert {Unreadable.MALFORMED} == {fact.unreadable for fact in facts.values()}


def test_two_different_answers_are_no_answer() -> None:
    twice = [known("trial.enabled", True, "a"), known("trial.enabled", False, "b")]
    assert run(lambda _: twice)["trial.enabled", None].unreadable is Unreadable.MALFORMED
    same = [known("trial.enabled", True, "a"), known("trial.enabled", True, "b")]
    assert run(lambda _: same)["trial.enabled", None].value is True


def test_it_carries_names_that_are_not_utf8() -> None:
    facts = run(lambda _: [known("trial.products", ("a\udcff",), "x\udcff")])
    assert facts["trial.products", None].value == ("a?",)
    assert facts["trial.products", None].source == "x?"


def test_a_probe_of_another_platform_is_not_supported() -> None:
    probe = Probe("trial", ("windows",), SPECS, complete)
    facts = run_all([probe], ProbeContext(RecordedHost()))
    assert {Unreadable.NOT_SUPPORTED} == {fact.unreadable for fact in facts}


def test_two_probes_may_share_keys_when_their_platforms_differ() -> None:
    probes = (
        Probe("linux", ("linux",), SPECS, complete),
        Probe("windows", ("windows",), SPECS, complete),
    )
    facts = run_all(probes, ProbeContext(RecordedHost()))
    assert facts == run_all(probes[:1], ProbeContext(RecordedHost()))


def test_it_finds_the_probes_of_the_package() -> None:
    found = find_all()
    assert [probe.id for probe in found] == sorted({probe.id for probe in found})
    assert "asset" in {probe.id for probe in found}


@pytest.mark.parametrize("platform", ["linux", "windows"])
def test_an_empty_machine_says_nothing_at_all(platform: str) -> None:
    facts = run_all(find_all(), ProbeContext(RecordedHost(platform=platform)))
    # That Linux has one profile, "host", is so by definition and not something read.
    by_definition = {"firewall.profiles"}
    assert {f.key for f in facts if f.unreadable is None} <= by_definition
    assert [] == [fact for fact in facts if fact.value in (False, 0, ())]
    declared = {s.key for probe in find_all() for s in probe.specs if not s.per_item}
    assert declared <= {fact.key for fact in facts}
