"""What the service does by itself: judge again every night, forget what has ended.

The only door to APScheduler. The jobs are plain functions of a store and a moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Connection

from attt_collector.judge.evaluate import Subject, assess
from attt_collector.judge.site import VIETNAM_TIME
from attt_collector.store import assets, enrolment_codes, findings, sessions, units
from attt_collector.store.db import Store
from attt_rules.contract import AssetKind
from attt_rules.pack import Pack, for_date

_CHUNK = 100  # assets in one write: others wait no longer than a few milliseconds
_log = logging.getLogger("attt.schedule")


def rejudge(store: Store, now: datetime) -> int:
    """Judge every asset and site again, because facts age; how many findings changed.

    A PC that is silent for a month becomes "unknown" here, without having said anything.
    """
    today = now.astimezone(VIETNAM_TIME).date()
    pack = for_date(today)
    changed = 0
    with store.read() as conn:
        subjects = assess(conn, pack, units.all_on(conn, today), now).subjects
    for start in range(0, len(subjects), _CHUNK):
        part = subjects[start : start + _CHUNK]
        changed += store.write(partial(record_judgement, pack=pack, subjects=part, now=now))
    _log.info("event=rejudged subjects=%d changed=%d pack=%s", len(subjects), changed, pack.id)
    return changed


def prune(store: Store, now: datetime) -> tuple[int, int]:
    """Forget ended sessions and old unused enrolment codes; how many of each."""
    ended = store.write(lambda conn: sessions.prune(conn, now))
    codes = store.write(lambda conn: enrolment_codes.prune(conn, now))
    _log.info("event=pruned sessions=%d codes=%d", ended, codes)
    return ended, codes


def record_judgement(
    conn: Connection, pack: Pack, subjects: tuple[Subject, ...], now: datetime
) -> int:
    """Write what was judged of `subjects` at `now`, but not over what an asset said since."""
    changed = 0
    for subject in subjects:
        asset = subject.asset
        if asset.kind is AssetKind.SITE:
            asset = assets.ensure_site(conn, subject.unit, now)
        elif assets.by_id(conn, asset.id).last_received_at != asset.last_received_at:
            continue  # it reported while we were judging: that judgement is younger than ours
        changed += findings.record(conn, asset.id, pack.id, subject.findings, now)
    return changed


class Schedule:
    """The timetable (Vietnamese time) of a running service; `stop` before the store is closed."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        # The default grace is one second: a clock set by NTP at start would skip the whole night.
        self._scheduler = BackgroundScheduler(
            timezone=VIETNAM_TIME,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 6 * 3600},
        )
        self._scheduler.add_job(
            lambda: rejudge(store, clock()), CronTrigger(hour=1, minute=30, timezone=VIETNAM_TIME)
        )
        self._scheduler.add_job(
            lambda: prune(store, clock()), CronTrigger(hour=3, minute=0, timezone=VIETNAM_TIME)
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Wait for a job that is running, then end."""
        self._scheduler.shutdown(wait=True)
