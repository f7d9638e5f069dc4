"""The spool (hàng đợi): signed snapshots on disk until the collector has acknowledged them.

    spool/0000000007-20261122T010203Z.attt.gz     waiting, oldest number first
    spool/hong/                                   cut short or damaged on disk
    spool/tu-choi/                                refused by the collector, with its reason (.txt)

A snapshot is written under another name, flushed and then renamed, so that after a power cut a
file is there whole or not at all. The files are gzip'd envelopes: what the network carries, and
what may be carried on a USB stick.
"""

from __future__ import annotations

import json
import os
import re
import sys
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Iterator, List, Optional, Tuple

from attt_agent.settings import rename_over, sync_folder
from attt_rules.contract import MAX_BODY_BYTES, Envelope, Text
from attt_rules.errors import AtttError

MAX_BYTES = 20 * 1024 * 1024
MAX_AGE = timedelta(days=30)
# An age beyond this says that the clock was wrong, then or now, and is no reason to drop anything;
# the limit in bytes still holds.
PLAUSIBLE_AGE = timedelta(days=366)
MAX_SET_ASIDE_BYTES = 5 * 1024 * 1024  # of hong/ and of tu-choi/, each
BROKEN = "hong"
REFUSED = "tu-choi"

_NAME = re.compile(r"(\d{10,})-(\d{8}T\d{6}Z)\.attt\.gz\Z")
_GZIP = 31  # zlib's window bits for a gzip header


class SpoolError(AtttError):
    """The spool cannot be written, or another run is using it."""


@dataclass(frozen=True)
class Entry:
    """One waiting snapshot, read and found whole."""

    path: Path
    snapshot_id: str
    gzipped: bytes


@dataclass(frozen=True)
class Dropped:
    """A snapshot that was given up; `reason` is for the person who looks after the machine."""

    name: str
    reason: Text


class RunLock:
    """One run at a time: an advisory lock that ends with the process, however it ends.

    Raises (on entering):
        SpoolError: another run holds it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: Optional[IO[bytes]] = None

    def __enter__(self) -> RunLock:
        try:
            stream = self._path.open("ab")
        except OSError as error:
            raise _not_writable(self._path, error) from error
        try:
            if sys.platform == "win32":
                import msvcrt

                stream.seek(0)
                msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            stream.close()
            raise SpoolError(
                "ATTT-320",
                Text(
                    vi="Một lượt chạy khác của attt đang dùng %s." % self._path.parent,
                    en="Another run of attt is using %s." % self._path.parent,
                ),
                Text(
                    vi="đợi lượt đó xong (thường dưới một phút) rồi chạy lại.",
                    en="Wait until it is done (a minute at most, as a rule) and run again.",
                ),
                permanent=False,
            ) from error
        self._stream = stream
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            if sys.platform == "win32":
                import msvcrt

                # Windows gives the lock of a closed file back "as soon as it can".
                self._stream.seek(0)
                msvcrt.locking(self._stream.fileno(), msvcrt.LK_UNLCK, 1)
            self._stream.close()
            self._stream = None


class Spool:
    """The waiting snapshots of one device. Used under a `RunLock`."""

    def __init__(
        self, folder: Path, max_bytes: int = MAX_BYTES, max_age: timedelta = MAX_AGE
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_age = max_age

    def put(self, envelope: Envelope, now: datetime) -> Tuple[Dropped, ...]:
        """Keep one more; returns what had to go for it (the oldest), never the new one.

        Raises:
            SpoolError: larger than a collector accepts, or the disk does not take it.
        """
        raw = envelope.to_bytes()
        if len(raw) > MAX_BODY_BYTES:
            raise SpoolError(
                "ATTT-322",
                Text(
                    vi="Bản chụp dài %d byte, quá mức %d byte." % (len(raw), MAX_BODY_BYTES),
                    en="The snapshot has %d bytes, over the limit of %d."
                    % (len(raw), MAX_BODY_BYTES),
                ),
                Text(
                    vi="chạy «attt record» và gửi bản ghi cho nhóm phát triển.",
                    en='Run "attt record" and send the recording to the developers.',
                ),
            )
        compressor = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        content = compressor.compress(raw) + compressor.flush()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove_half_written()
            number = 1 + max((_number_of(path) for path in self._all_numbered()), default=0)
            moment = now.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
            path = self._folder / ("%010d-%s.attt.gz" % (number, moment))
            _write_whole(path, content)
        except OSError as error:
            raise _not_writable(self._folder, error) from error
        return self._drop_surplus(now)

    def waiting(self) -> Tuple[Path, ...]:
        """Files in the order in which they were written, by number, whatever the clock said."""
        return tuple(sorted(_numbered(self._folder), key=_number_of))

    def read(self, path: Path) -> Entry:
        """
        Raises:
            SpoolError: damaged, or no file at all (a folder of that name); it has been moved to
                `hong/`.
        """
        if os.path.lexists(str(path)) and not path.is_file():
            raise self._damaged(path, "không phải là tệp", "it is not a file")
        try:
            gzipped = path.read_bytes()
        except OSError as error:
            raise _not_writable(path, error) from error
        try:
            unpacker = zlib.decompressobj(_GZIP)
            raw = unpacker.decompress(gzipped, MAX_BODY_BYTES + 1)
            if len(raw) > MAX_BODY_BYTES or not unpacker.eof:
                raise ValueError("cut short or too long")
            snapshot_id = json.loads(Envelope.from_bytes(raw).body.decode("utf-8"))["snapshot_id"]
            if not isinstance(snapshot_id, str):
                raise ValueError("no snapshot_id")
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise self._damaged(path, str(error), str(error)) from error
        return Entry(path, snapshot_id, gzipped)

    def remove(self, entry: Entry) -> None:
        """Forget a snapshot that the collector has acknowledged."""
        try:
            entry.path.unlink()
            sync_folder(self._folder)
        except OSError as error:
            raise _not_writable(entry.path, error) from error

    def refuse(self, entry: Entry, reason: str) -> Path:
        """Set aside a snapshot that the collector will never take; returns where it lies."""
        aside = self._set_aside(entry.path, REFUSED)
        try:
            _write_whole(aside.with_name(aside.name + ".txt"), (reason + "\n").encode("utf-8"))
        except OSError as error:
            raise _not_writable(aside, error) from error
        return aside

    def _damaged(self, path: Path, why_vi: str, why_en: str) -> SpoolError:
        aside = self._set_aside(path, BROKEN)
        return SpoolError(
            "ATTT-321",
            Text(
                vi="Tệp %s trong hàng đợi bị hỏng (%s); đã chuyển sang %s."
                % (path.name, why_vi, aside),
                en="The spooled file %s is damaged (%s); it was moved to %s."
                % (path.name, why_en, aside),
            ),
            Text(
                vi="các bản chụp khác vẫn được gửi; nếu lặp lại, kiểm tra ổ đĩa.",
                en="The others are still sent; if it happens again, check the disk.",
            ),
        )

    def _set_aside(self, path: Path, name: str) -> Path:
        folder = self._folder / name
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            aside = folder / path.name
            while os.path.lexists(str(aside)):  # numbers come once; only a stranger's can be there
                aside = aside.with_name(aside.name + "~")
            rename_over(path, aside)
            sync_folder(folder)
            sync_folder(self._folder)
            kept = 0
            files = [old for old in _numbered(folder) if old.is_file()]
            for old in sorted(files, key=_number_of, reverse=True):
                kept += old.stat().st_size
                if kept > MAX_SET_ASIDE_BYTES and old != aside:
                    old.unlink()
                    reason = old.with_name(old.name + ".txt")
                    if reason.exists():
                        reason.unlink()
        except OSError as error:
            raise _not_writable(path, error) from error
        return aside

    def _drop_surplus(self, now: datetime) -> Tuple[Dropped, ...]:
        dropped: List[Dropped] = []
        # What is no file is left to `read`, which sets it aside with a word.
        newest_first = [path for path in reversed(self.waiting()) if path.is_file()]
        megabytes = self._max_bytes / 1048576
        held = 0
        for path in newest_first:
            held += path.stat().st_size
            if path == newest_first[0]:
                continue  # the newest stays whatever its size
            if held > self._max_bytes:
                reason = Text(
                    vi="hàng đợi đầy (%g MiB)" % megabytes,
                    en="the spool is full (%g MiB)" % megabytes,
                )
            elif self._max_age < now - _moment_of(path) < PLAUSIBLE_AGE:
                reason = Text(
                    vi="quá %d ngày chưa gửi được" % self._max_age.days,
                    en="not sent for more than %d days" % self._max_age.days,
                )
            else:
                continue
            try:
                path.unlink()
            except OSError as error:
                raise _not_writable(path, error) from error
            dropped.append(Dropped(path.name, reason))
        return tuple(dropped)

    def _all_numbered(self) -> Iterator[Path]:
        # The set-aside ones count too, so that a number never comes twice.
        for folder in (self._folder, self._folder / BROKEN, self._folder / REFUSED):
            yield from _numbered(folder)

    def _remove_half_written(self) -> None:
        # Left by a run that was killed; nobody else is writing, the run lock is ours.
        for path in self._folder.glob(".*.tmp"):
            path.unlink()


def _numbered(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in folder.iterdir():
            if _NAME.match(path.name):
                yield path


def _number_of(path: Path) -> int:
    return int(path.name.partition("-")[0])


def _moment_of(path: Path) -> datetime:
    found = _NAME.match(path.name)
    text = found.group(2) if found else ""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return datetime.min.replace(tzinfo=timezone.utc)  # beyond any plausible age: kept


def _write_whole(path: Path, content: bytes) -> None:
    temporary = path.with_name(".%s.tmp" % path.name)
    descriptor = os.open(str(temporary), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    rename_over(temporary, path)
    sync_folder(path.parent)


def _not_writable(path: Path, error: OSError) -> SpoolError:
    return SpoolError(
        "ATTT-323",
        Text(
            vi="Không đọc, ghi được hàng đợi %s: %s." % (path, error.strerror or error),
            en="Cannot read or write the spool %s: %s." % (path, error.strerror or error),
        ),
        Text(
            vi="chạy bằng quyền quản trị; kiểm tra dung lượng đĩa.",
            en="Run as an administrator; check the free space.",
        ),
        permanent=False,
    )
