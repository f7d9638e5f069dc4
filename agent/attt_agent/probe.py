"""Probe (đầu dò): reads one subject of a machine and says facts about it.

A probe is a module of `attt_agent.probes` with one `PROBE`. The runner isolates each: what a probe
cannot say, says wrongly, or takes too long to say becomes an unreadable fact with the reason, so
that silence can never be taken for a good answer.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Tuple, Union

from attt_agent.host import Host, HostError
from attt_rules.contract import Fact, FactSpec, FactValue, Unreadable

ItemKey = Tuple[str, Optional[str]]


@dataclass(frozen=True)
class Reading:
    """What a probe yields: a key with a value or with the reason there is none.

    `source` names where it was read ("/etc/login.defs PASS_MIN_LEN"); the reviewer sees it last.
    """

    key: str
    value: Optional[FactValue] = None
    unreadable: Optional[Unreadable] = None
    source: str = ""
    item: Optional[str] = None


def known(key: str, value: FactValue, source: str, item: Optional[str] = None) -> Reading:
    """A reading with a value; `False`, `0` and `()` mean "looked and found so"."""
    return Reading(key=key, value=value, source=source, item=item)


def unknown(
    key: str, reason: Union[Unreadable, HostError], source: str, item: Optional[str] = None
) -> Reading:
    """A reading without a value; a `HostError` also adds its detail to the source."""
    if isinstance(reason, HostError):
        told = "%s (%s)" % (source, reason.detail) if source else reason.detail
        return Reading(key=key, unreadable=reason.reason, source=told, item=item)
    return Reading(key=key, unreadable=reason, source=source, item=item)


@dataclass(frozen=True)
class ProbeContext:
    """What a probe is given. `wan_target` is (address, port) of the provincial host, if set."""

    host: Host
    wan_target: Optional[Tuple[str, int]] = None


@dataclass(frozen=True)
class Probe:
    """`read` may yield readings one by one: those before a failure are kept."""

    id: str
    platforms: Tuple[str, ...]
    specs: Tuple[FactSpec, ...]
    read: Callable[[ProbeContext], Iterable[Reading]]
    time_limit_seconds: float = 20.0


def find_all() -> Tuple[Probe, ...]:
    """Every probe in `attt_agent.probes`, sorted by id."""
    import importlib
    import pkgutil

    # By name: probes stand above this module, and only they import the other way.
    package = importlib.import_module("attt_agent.probes")
    found: List[Probe] = []
    for entry in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module("%s.%s" % (package.__name__, entry.name))
        probe = getattr(module, "PROBE", None)
        if isinstance(probe, Probe):
            found.append(probe)
    return tuple(sorted(found, key=lambda probe: probe.id))


def run_all(probes: Sequence[Probe], context: ProbeContext) -> Tuple[Fact, ...]:
    """Run each probe for itself and turn what it says into facts, in a stable order.

    Every declared key without an item is in the answer. A key per item is there for every item
    of its list; when the list could not be read there is nothing to say per item.
    """
    platform = context.host.platform
    supported_keys = {
        spec.key for probe in probes if platform in probe.platforms for spec in probe.specs
    }
    facts: Dict[ItemKey, Fact] = {}
    for probe in probes:
        if platform in probe.platforms:
            outcome = _run_isolated(probe, context)
        else:
            # Another probe may read the same keys on this platform; then this one is silent.
            if all(spec.key in supported_keys for spec in probe.specs):
                continue
            outcome = _Outcome(
                failure=Unreadable.NOT_SUPPORTED,
                failure_source="probe %s: not for %s" % (probe.id, platform),
            )
        read_at = context.host.now()
        for name, fact in _facts_of(probe, outcome, read_at).items():
            if platform not in probe.platforms and fact.key in supported_keys:
                continue
            first = facts.get(name)
            facts[name] = fact if first is None else _merged(first, fact)
    return tuple(facts[name] for name in sorted(facts, key=lambda n: (n[0], n[1] or "")))


class _Outcome:
    """What one run of a probe gave; filled by its thread, read by the runner."""

    def __init__(self, failure: Optional[Unreadable] = None, failure_source: str = "") -> None:
        self.readings: List[object] = []
        self.failure = failure
        self.failure_source = failure_source


def _run_isolated(probe: Probe, context: ProbeContext) -> _Outcome:
    working = _Outcome(Unreadable.MALFORMED, "probe %s: ended without an answer" % probe.id)

    def work() -> None:
        try:
            for reading in probe.read(context):
                working.readings.append(reading)
        except HostError as error:
            working.failure = error.reason
            working.failure_source = "probe %s: %s" % (probe.id, error.detail)
        except Exception as error:  # noqa: BLE001 (isolation loop: one bad probe, not none)
            working.failure = Unreadable.MALFORMED
            working.failure_source = "probe %s: %s" % (probe.id, type(error).__name__)
        else:
            working.failure = None

    # Daemon: a probe stuck in the kernel must not keep the process alive.
    thread = threading.Thread(target=work, name="probe-%s" % probe.id, daemon=True)
    thread.start()
    thread.join(probe.time_limit_seconds)
    if thread.is_alive():
        late = _Outcome(
            Unreadable.TIMEOUT, "probe %s: not done in %g s" % (probe.id, probe.time_limit_seconds)
        )
        late.readings = list(working.readings)
        return late
    return working


def _facts_of(probe: Probe, outcome: _Outcome, read_at: datetime) -> Dict[ItemKey, Fact]:
    specs = {spec.key: spec for spec in probe.specs}
    facts: Dict[ItemKey, Fact] = {}
    reason, why = outcome.failure, outcome.failure_source
    for reading in outcome.readings:
        fact = _fact_of(reading, specs, probe, read_at)
        if fact is None:
            # Nothing can carry a key that is no key: the keys it may have meant are in doubt.
            reason = reason or Unreadable.MALFORMED
            why = why or "probe %s: said %.60r" % (probe.id, reading)
            continue
        name = (fact.key, fact.item)
        first = facts.get(name)
        facts[name] = fact if first is None else _merged(first, fact)
    unsaid_reason = reason or Unreadable.NOT_FOUND
    unsaid_source = why or "probe %s: not said" % probe.id
    for spec in probe.specs:
        for item in _expected_items(spec, facts):
            name = (spec.key, item)
            if name not in facts:
                facts[name] = Fact(
                    key=spec.key,
                    item=item,
                    unreadable=unsaid_reason,
                    source=_text(unsaid_source),
                    read_at=read_at,
                )
    return facts


def _expected_items(spec: FactSpec, facts: Dict[ItemKey, Fact]) -> Iterable[Optional[str]]:
    if spec.list_key is None:
        return (None,)
    listed = facts.get((spec.list_key, None))
    if listed is None or not isinstance(listed.value, tuple):
        return ()
    return listed.value


def _fact_of(
    reading: object, specs: Dict[str, FactSpec], probe: Probe, read_at: datetime
) -> Optional[Fact]:
    """A fact for a reading; what does not fit the declaration is `malformed`; None: no key."""
    if not isinstance(reading, Reading) or not isinstance(reading.key, str):
        return None
    spec = specs.get(reading.key)
    source = _text(reading.source or "probe %s" % probe.id)
    item = _text(reading.item) if isinstance(reading.item, str) else None
    problem = _problem(reading, spec)
    if problem is None:
        try:
            return Fact(
                key=reading.key,
                item=item,
                value=_clean(reading.value),
                unreadable=reading.unreadable,
                source=source,
                read_at=read_at,
            )
        except ValueError as error:
            problem = str(error)
    try:
        return Fact(
            key=reading.key,
            item=item[:255] if item is not None and (spec is None or spec.per_item) else None,
            unreadable=Unreadable.MALFORMED,
            source=_text("%s (probe %s: %s)" % (source[:1024], probe.id, problem)),
            read_at=read_at,
        )
    except ValueError:
        return None


def _problem(reading: Reading, spec: Optional[FactSpec]) -> Optional[str]:
    if spec is None:
        return "key not declared"
    if spec.per_item != (reading.item is not None):
        return "item missing" if spec.per_item else "item not expected"
    value = _clean(reading.value)
    if value is not None and not spec.type.accepts(value):
        return "%s where %s was declared" % (type(value).__name__, spec.type.value)
    if isinstance(value, float) and not math.isfinite(value):
        return "not a finite number"
    return None


def _clean(value: Optional[FactValue]) -> Optional[FactValue]:
    """Lists as tuples, and texts without lone surrogates, which no JSON could carry."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (list, tuple)):
        return tuple(_text(part) if isinstance(part, str) else part for part in value)
    return value


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _merged(first: Fact, second: Fact) -> Fact:
    """One fact for a key said twice: two different answers are no answer."""
    if (first.value, first.unreadable) == (second.value, second.unreadable):
        return first
    return Fact(
        key=first.key,
        item=first.item,
        unreadable=Unreadable.MALFORMED,
        source=_text("said twice: %s; %s" % (first.source[:1024], second.source[:1024])),
        read_at=first.read_at,
    )
