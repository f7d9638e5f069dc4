"""Starting another program: from the system's own folders, without input, with a time limit."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import IO, Callable, List, Optional, Sequence, Tuple

from attt_agent.answers import CommandResult, HostError, host_error_of
from attt_agent.windows.redirection import system_folder
from attt_rules.contract import Unreadable

MAX_OUTPUT_BYTES = 1024 * 1024  # of stdout and of stderr, each

_POSIX_FOLDERS: Tuple[str, ...] = (
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
)
_NO_WINDOW_AND_BELOW_NORMAL_PRIORITY = 0x08000000 | 0x00004000


def _folders() -> Tuple[str, ...]:
    """Not the caller's PATH: a run as root must not pick up a program from a home folder."""
    folders = _POSIX_FOLDERS
    if sys.platform == "win32":
        system = system_folder(os.environ)
        folders = (system, os.path.dirname(system), os.path.join(system, "wbem"))
    return folders


def _program(name: str) -> Optional[str]:
    # Not shutil.which: on Windows that looks into the current folder first.
    if os.path.isabs(name):
        return name if os.path.isfile(name) and os.access(name, os.X_OK) else None
    endings = ("", ".exe", ".com") if sys.platform == "win32" else ("",)
    for folder in _folders():
        for ending in endings:
            path = os.path.join(folder, name + ending)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def run(
    argv: Sequence[str], timeout_seconds: float, end_tree: Callable[[int], None]
) -> CommandResult:
    """Run a program in the C locale without input; see `Host.run`.

    Args:
        end_tree: ends a process and its children, by the id of the process.
    """
    import subprocess

    deadline = time.monotonic() + timeout_seconds
    environment = {k: v for k, v in os.environ.items() if k not in ("LANGUAGE", "LC_ALL")}
    environment["LC_ALL"] = "C"
    environment["SYSTEMD_COLORS"] = "0"
    environment["PATH"] = os.pathsep.join(_folders())
    program = _program(argv[0])
    if program is None:
        raise HostError(Unreadable.NOT_FOUND, "program %s" % argv[0])
    try:
        process = subprocess.Popen(  # noqa: S603 (no shell; argv comes from our own probes)
            (program, *argv[1:]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=os.path.abspath(os.sep),
            bufsize=0,
            # A group of its own, so that a time-out ends the program's children too.
            start_new_session=sys.platform != "win32",
            creationflags=(_NO_WINDOW_AND_BELOW_NORMAL_PRIORITY if sys.platform == "win32" else 0),
        )
    except OSError as error:
        raise host_error_of(error, "program %s" % argv[0]) from error
    assert process.stdout is not None  # noqa: S101 (PIPE above)
    assert process.stderr is not None  # noqa: S101
    readers = (_PipeReader(process.stdout), _PipeReader(process.stderr))
    late = False
    try:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            late = True
        for reader in readers:
            reader.join(max(0.0, deadline - time.monotonic()) if not late else 0.0)
            # A grandchild that keeps the pipe open is late as well.
            late = late or reader.is_alive()
    finally:
        if late or process.returncode is None:
            end_tree(process.pid)
            process.kill()
            process.wait()
        for reader in readers:
            reader.join(1.0)
            reader.close()
    if any(reader.overflowed for reader in readers):
        raise HostError(Unreadable.MALFORMED, "%s: more than 1 MiB of output" % argv[0])
    if late:
        raise HostError(Unreadable.TIMEOUT, "%s: no answer in %g s" % (argv[0], timeout_seconds))
    stdout, stderr = (reader.text() for reader in readers)
    return CommandResult(process.returncode, stdout, stderr)


class _PipeReader(threading.Thread):
    """Drains one pipe of a child, so that a full pipe can never stop the child."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._chunks: List[bytes] = []
        self.overflowed = False
        self.start()

    def run(self) -> None:
        held = 0
        while True:
            chunk = self._stream.read(65536)
            if not chunk:
                return
            held += len(chunk)
            if held > MAX_OUTPUT_BYTES:
                self.overflowed = True
                self._chunks.clear()  # keep draining, keep nothing
            else:
                self._chunks.append(chunk)

    def text(self) -> str:
        return b"".join(self._chunks).decode("utf-8", "replace")

    def close(self) -> None:
        # A reader still blocked belongs to a grandchild that left the group; its pipe is left
        # to the end of this short run rather than closed under a running read.
        if not self.is_alive():
            self._stream.close()
