"""`attt run`: what the timer starts. Without click, which weighs 3 MB and 40 ms of every run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import List

from attt_agent import delivery, messages, settings
from attt_agent.host import LocalHost
from attt_agent.messages import Messages
from attt_agent.settings import StateFolder
from attt_agent.terminal import error_lines, note, output_error, prepare_streams
from attt_agent.transport import RefusedError
from attt_rules.errors import AtttError

EXIT_KEPT = 3
EXIT_ERROR = 4
# A clock that is off by more than this is worth a word; TLS and dates in reports need it right.
CLOCK_TOLERANCE_SECONDS = 300


def main() -> int:
    """`attt run` without any option; folder and language from ATTT_STATE and ATTT_LANG."""
    prepare_streams()
    say = messages.load(os.environ.get("ATTT_LANG", "vi"))
    named = os.environ.get("ATTT_STATE")
    folder = StateFolder(Path(named) if named else settings.default_folder())
    try:
        code = run(folder, say)
        sys.stdout.flush()
    except AtttError as error:
        note("\n".join(error_lines(error, say)))
        return EXIT_ERROR
    except OSError as error:
        lost = output_error(error)
        if lost is None:
            raise
        note("\n".join(error_lines(lost, say)))
        return EXIT_ERROR
    return code


def run(folder: StateFolder, say: Messages) -> int:
    """Take a snapshot, spool it, send everything; says what happened, returns the exit code.

    Returns:
        0 all sent; 3 kept in the spool for the next run; 4 something was given up, or there is no
        new snapshot (what waited was sent all the same).

    Raises:
        AtttError: the run could not begin.
    """
    chosen = settings.load(folder)
    outcome = delivery.run_once(folder, chosen, LocalHost())
    for drop in outcome.dropped:
        note(say("run.dropped", name=drop.name, reason=drop.reason.in_language(say.language)))
    problems: List[AtttError] = [*outcome.damaged, *(said for _, said in outcome.refused)]
    problems += [error for error in (outcome.failure, outcome.not_kept) if error is not None]
    for problem in problems:
        note("\n".join(error_lines(problem, say)))
    for path, _ in outcome.refused:
        note(say("run.refused", path=path))
    if outcome.sent:
        print(say("run.sent", count=outcome.sent, server=chosen.server))
    if outcome.clock_offset_seconds is not None:
        warning = clock_warning(outcome.clock_offset_seconds, say)
        if warning:
            note(warning)
    if outcome.waiting:
        note(say("run.kept", count=outcome.waiting, folder=folder.spool))
        failure = outcome.failure
        if isinstance(failure, RefusedError) and failure.retry_after_seconds is not None:
            note(say("run.retry_after", seconds=failure.retry_after_seconds))
        return EXIT_KEPT if outcome.not_kept is None else EXIT_ERROR
    return EXIT_ERROR if problems else 0


def clock_warning(offset_seconds: float, say: Messages) -> str:
    """A sentence about a clock that is off; empty when it is well."""
    if abs(offset_seconds) <= CLOCK_TOLERANCE_SECONDS:
        return ""
    return say("clock.offset", seconds=round(offset_seconds))
