"""Facts of this machine -> one Snapshot, without the names of the people who use it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Dict, Iterable, Mapping, Optional, Pattern, Sequence, Tuple

from attt_agent.host import Host, HostError, people_of
from attt_agent.probe import Probe, ProbeContext, find_all, run_all
from attt_agent.settings import Settings
from attt_rules import __version__
from attt_rules.contract import AssetKind, AssetRef, Fact, FactValue, Snapshot, Text, Unreadable
from attt_rules.errors import AtttError

PRODUCER = "attt %s" % __version__
# These never hold a login name, and an account called "debian" must not change them.
_NEVER_PERSONAL = ("os.", "asset.form", "asset.manufacturer", "asset.model")
_KIND_KEYS = ("session.desktop_present", "asset.form")
_HOME = re.compile(r"(/home/|[A-Za-z]:\\Users\\)([^/\\\s:\"']+)")
_UNKNOWN_PERSON = "<user>"


class SnapshotError(AtttError):
    """The facts do not make a snapshot that can be sent."""


def read_facts(
    host: Host, settings: Settings, probes: Optional[Sequence[Probe]] = None
) -> Tuple[Fact, ...]:
    """Run the probes (all of them unless told otherwise) and take people's names out."""
    chosen = find_all() if probes is None else probes
    facts = run_all(chosen, ProbeContext(host=host, wan_target=settings.wan_target))
    return without_names(facts, people_of(host))


def take(host: Host, settings: Settings, device_id: str, snapshot_id: str) -> Snapshot:
    """Read everything once.

    Args:
        device_id: of the device key that will sign it.
        snapshot_id: a new UUID.

    Raises:
        SnapshotError: over the contract's limits, or the kind of machine is not known.
    """
    taken_at = host.now()
    facts = read_facts(host, settings)
    name = name_of(host, settings)
    kind = settings.kind or kind_of(facts)
    if kind is None:
        raise kind_unknown(name)
    asset = AssetRef(device_id, kind, name)
    return snapshot_of(facts, asset, taken_at, snapshot_id)


def snapshot_of(
    facts: Sequence[Fact], asset: AssetRef, taken_at: datetime, snapshot_id: str
) -> Snapshot:
    """
    Raises:
        SnapshotError: over the contract's limits.
    """
    try:
        return Snapshot(
            snapshot_id=snapshot_id,
            asset=asset,
            taken_at=taken_at,
            producer=PRODUCER,
            facts=tuple(facts),
        )
    except ValueError as error:
        raise SnapshotError(
            "ATTT-310",
            Text(
                vi="Không lập được bản chụp của máy %s: %s." % (asset.name, error),
                en="No snapshot can be made of %s: %s." % (asset.name, error),
            ),
            Text(
                vi="chạy «attt record» và gửi bản ghi cho nhóm phát triển.",
                en='Run "attt record" and send the recording to the developers.',
            ),
        ) from error


def detect_kind(host: Host) -> Optional[AssetKind]:
    """Ask only the probes that know whether this is a PC or a server; None: see `kind_of`."""
    probes = [probe for probe in find_all() if any(spec.key in _KIND_KEYS for spec in probe.specs)]
    return kind_of(run_all(probes, ProbeContext(host=host)))


def kind_of(facts: Iterable[Fact]) -> Optional[AssetKind]:
    """A PC has a graphical login or is a laptop; what nobody sits at is a server.

    None when it cannot be told: a PC taken for a server would be missing in every figure of PCs.
    """
    values = {fact.key: fact.value for fact in facts if fact.key in _KIND_KEYS}
    desktop, form = values.get("session.desktop_present"), values.get("asset.form")
    if desktop is True or form == "laptop":
        return AssetKind.PC
    if desktop is False or form == "server":
        return AssetKind.SERVER
    return None


def kind_unknown(name: str) -> SnapshotError:
    """For a machine that nobody has called a PC or a server and that does not show it."""
    return SnapshotError(
        "ATTT-312",
        Text(
            vi="Không đọc được máy %s là máy trạm hay máy chủ." % name,
            en="Whether %s is a PC or a server could not be read." % name,
        ),
        Text(
            vi="chạy lại lệnh với «--kind pc» hoặc «--kind server»; với «attt run»: ghi danh lại "
            "bằng «attt enrol --kind pc» hoặc «attt enrol --kind server».",
            en='Run the command again with "--kind pc" or "--kind server"; for "attt run": enrol '
            'again with "attt enrol --kind pc" or "attt enrol --kind server".',
        ),
    )


def name_of(host: Host, settings: Settings) -> str:
    """The set name, else the host name; a machine without either is called by that."""
    if settings.name:
        return settings.name[:255]
    try:
        return host.hostname()[:255] or "-"
    except HostError:
        return "-"


def without_names(facts: Sequence[Fact], people: Mapping[str, str]) -> Tuple[Fact, ...]:
    """The facts with login names replaced by account ids ("uid:1000") wherever they stand.

    Args:
        people: login name to account id, as `host.people_of` gives it.
    """
    replaced: Dict[Tuple[str, Optional[str]], Fact] = {}
    words = _pattern(people)
    for fact in facts:
        clean = _without_names(fact, words, people)
        name = (clean.key, clean.item)
        if name in replaced:
            # Two strangers' items became one: what is known of either is known of neither.
            clean = replace(clean, value=None, unreadable=Unreadable.MALFORMED)
        replaced[name] = clean
    return tuple(replaced.values())


def _pattern(people: Mapping[str, str]) -> Pattern[str]:
    ordered = sorted(people, key=len, reverse=True)  # "an-pc" before "an"
    words = "|".join(re.escape(name) for name in ordered)
    return re.compile(r"(?<![\w.-])(%s)(?!\w|[.-]\w)" % words if words else r"(?!)")


def _without_names(fact: Fact, words: Pattern[str], people: Mapping[str, str]) -> Fact:
    def clean(text: str) -> str:
        text = _HOME.sub(
            lambda found: found.group(1) + people.get(found.group(2), _UNKNOWN_PERSON), text
        )
        return words.sub(lambda found: people[found.group(1)], text)

    value: Optional[FactValue] = fact.value
    item = fact.item
    if not fact.key.startswith(_NEVER_PERSONAL):
        if isinstance(value, str):
            value = clean(value)
        elif isinstance(value, tuple):
            value = tuple(clean(part) for part in value)
        item = clean(item) if item is not None else None
    source = clean(fact.source)
    if (value, item, source) == (fact.value, fact.item, fact.source):
        return fact
    return replace(fact, value=value, item=item, source=source)
