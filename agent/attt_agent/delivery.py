"""One run: take a snapshot, keep it on disk, then send everything that waits.

First the disk, then the network: a snapshot is never only on its way. What waits is also sent when
no new one could be taken or kept: on a full disk, sending is what makes room.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Optional, Tuple

from attt_agent.host import Host
from attt_agent.settings import Settings, StateFolder
from attt_agent.sign import DeviceKey
from attt_agent.snapshot import SnapshotError, take
from attt_agent.spool import Dropped, Entry, RunLock, Spool, SpoolError
from attt_agent.transport import CollectorClient, RefusedError, TransportError
from attt_rules.contract import SNAPSHOT_SIGNING_CONTEXT, Text
from attt_rules.errors import AtttError

# Answers about the very bytes that were sent. All others (not enrolled, forbidden, not found, a
# collector for made-up data) may be about this device or the server, and are no reason to give a
# snapshot up.
_ABOUT_THE_SNAPSHOT = (400, 413, 422)


class NotEnrolledError(AtttError):
    """The agent does not know where to send."""


@dataclass
class Outcome:
    """What one run did.

    Args:
        waiting: snapshots still in the spool; not 0 only with a `failure`.
        failure: why sending stopped.
        not_kept: why there is no new snapshot; those of earlier runs were sent all the same.
        clock_offset_seconds: this machine's clock minus the collector's; None without an answer.
    """

    sent: int = 0
    waiting: int = 0
    dropped: List[Dropped] = field(default_factory=list)
    damaged: List[SpoolError] = field(default_factory=list)
    refused: List[Tuple[Path, RefusedError]] = field(default_factory=list)
    failure: Optional[AtttError] = None
    not_kept: Optional[AtttError] = None
    clock_offset_seconds: Optional[float] = None


def run_once(folder: StateFolder, settings: Settings, host: Host) -> Outcome:
    """
    Raises:
        NotEnrolledError, KeyFileError: enrol first.
        SpoolError: another run is under way.
    """
    server = settings.server
    if server is None:
        raise NotEnrolledError(
            "ATTT-301",
            Text(
                vi="Máy này chưa được ghi danh: %s không có máy chủ." % folder.settings,
                en="This machine is not enrolled: %s names no server." % folder.settings,
            ),
            Text(
                vi="xin mã ghi danh của đơn vị rồi chạy «attt enrol».",
                en='Get the enrolment code of the unit and run "attt enrol".',
            ),
        )
    key = DeviceKey.load(folder.key)
    with RunLock(folder.lock):
        outcome = Outcome()
        spool = Spool(folder.spool)
        try:
            snapshot = take(host, settings, key.device_id, str(uuid.uuid4()))
            envelope = key.seal(SNAPSHOT_SIGNING_CONTEXT, snapshot.to_json())
            outcome.dropped.extend(spool.put(envelope, host.now()))
        except (SnapshotError, SpoolError) as error:
            outcome.not_kept = error
        if spool.waiting():
            try:
                with CollectorClient(server, folder.ca) as client:
                    send_waiting(spool, client, host, outcome)
            except (TransportError, SpoolError) as error:
                outcome.failure = error
        outcome.waiting = len(spool.waiting())
        return outcome


def send_waiting(spool: Spool, client: CollectorClient, host: Host, outcome: Outcome) -> None:
    """Send what waits, oldest first, until all is sent or somebody says no.

    An answer about one snapshot sets that one aside. An answer about the device ("not enrolled")
    keeps everything, unless the newest snapshot is accepted all the same: then it was about the
    one file, and the run goes on.
    """
    queue = list(spool.waiting())
    doubtful: List[Tuple[Entry, RefusedError]] = []
    while queue:
        path = queue.pop(0)
        try:
            entry = spool.read(path)
        except SpoolError as error:
            outcome.damaged.append(error)
            continue
        try:
            receipt = client.send_snapshot(entry.gzipped, entry.snapshot_id)
        except RefusedError as error:
            if error.permanent and error.http_status in _ABOUT_THE_SNAPSHOT:
                outcome.refused.append((spool.refuse(entry, str(error)), error))
                continue
            if not error.permanent:
                outcome.failure = error
                break
            if outcome.sent == 0:
                if doubtful or not queue:
                    outcome.failure = error
                    break
                queue.insert(0, queue.pop())  # ask with the newest
            doubtful.append((entry, error))
            continue
        spool.remove(entry)
        outcome.sent += 1
        outcome.clock_offset_seconds = (host.now() - receipt.received_at).total_seconds()
    if outcome.sent:
        for held, reason in doubtful:
            outcome.refused.append((spool.refuse(held, str(reason)), reason))
