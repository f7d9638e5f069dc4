r"""What a 32-bit Python on 64-bit Windows is shown in place of System32, and the way around it.

There `C:\Windows\System32` silently stands for SysWOW64, and the real folder is called Sysnative.
(The registry has its own way around: `registry` asks for the 64-bit view.)

Not run: a 32-bit Python.
"""

from __future__ import annotations

from typing import Mapping


def system_folder(environment: Mapping[str, str]) -> str:
    """The real System32 under a name by which this process reaches it."""
    windows = environment.get("SYSTEMROOT", "C:\\Windows")
    # Set only in 32-bit processes on 64-bit Windows.
    name = "Sysnative" if "PROCESSOR_ARCHITEW6432" in environment else "System32"
    return "%s\\%s" % (windows, name)


def native_path(path: str, environment: Mapping[str, str]) -> str:
    """`path`, or where it really is when it lies in System32 and this process is redirected."""
    redirected = "%s\\System32" % environment.get("SYSTEMROOT", "C:\\Windows")
    plain = path.replace("/", "\\")
    head, tail = plain[: len(redirected)], plain[len(redirected) :]
    if head.casefold() == redirected.casefold() and tail[:1] in ("", "\\"):
        return system_folder(environment) + tail
    return path
