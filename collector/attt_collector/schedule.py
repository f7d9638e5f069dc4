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

from attt_collector.judge.evaluate import assess, keep
from attt_collector.records import VIETNAM_TIME
from attt_collector.store import enrolment_codes, sessions, units
from attt_collector.store.db import Store
from attt_rules.pack import for_date

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
        subjects = assess(conn, pack, units.in_scope(conn, None, today, now), now).subjects
    for start in range(0, len(subjects), _CHUNK):
        part = subjects[start : start + _CHUNK]
        changed += store.write(partial(keep, pack=pack, subjects=part, at=now))
    _log.info("event=rejudged subjects=%d changed=%d pack=%s", len(subjects), changed, pack.id)
    return changed


def prune(store: Store, now: datetime) -> tuple[int, int]:
    """Forget ended sessions and old unused enrolment codes; how many of each."""
    ended = store.write(lambda conn: sessions.prune(conn, now))
    codes = store.write(lambda conn: enrolment_codes.prune(conn, now))
    _log.info("event=pruned sessions=%d codes=%d", ended, codes)
    return ended, codes


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
