"""Keeps call records: one JSON object a line, appended, kept for as many days as the site says.

Lines of one turn of the loop are written together, without fsync: a record more or less
in a power cut is the price for calls that never wait for a disk.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from trunkline.aio import clock
from trunkline.aio.driver import log_line
from trunkline.call.node import Log
from trunkline.pbx.record import with_civil_times

_DAY = 86400  # seconds
_WAITING = 10_000  # lines kept while the disk takes none
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


def kept(lines: Iterable[str], oldest: str) -> Iterator[str]:
    """The lines whose call began at or after `oldest` (RFC 3339 text in UTC); what cannot be read goes too.

    A line that nobody can date would otherwise stay for ever, with the numbers in it.
    """
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        start = record.get("start") if isinstance(record, dict) else None
        if isinstance(start, str) and start >= oldest:
            yield line


class RecordStore:
    """Appends records to the file at `path` (mode 0600). Raises OSError when it cannot be opened.

    Records older than `retention_days` are removed when it opens and once a day; 0 keeps
    them for ever. When the disk takes no more, the newest 10,000 lines wait for it.
    """

    def __init__(self, path: Path, *, retention_days: int = 0, log: Callable[[Log], None] = log_line) -> None:
        self._path, self._days, self._log = path, retention_days, log
        self._waiting: list[bytes] = []
        self._due: asyncio.Handle | None = None
        self._daily: asyncio.TimerHandle | None = None
        self._complained = False
        self._file = self._open()
        if retention_days:
            self._prune()

    def write(self, record: Mapping[str, Any]) -> None:
        """Keep one record; it is in the file after this turn of the loop."""
        line = _encode(with_civil_times(record, clock.civil_text))
        self._waiting.append(line.encode() + b"\n")
        if self._due is None:
            self._due = asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write what waits."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if not self._waiting:
            return
        data = b"".join(self._waiting)
        try:
            done = os.write(self._file, data)
        except OSError as error:
            del self._waiting[:-_WAITING]
            self._complain(error)
            return
        self._waiting = [data[done:]] if done < len(data) else []
        self._complained = False

    def reopen(self) -> None:
        """Take the file of that name anew, after it was moved away. Raises OSError, and keeps the old one."""
        self.flush()
        new = self._open()
        os.close(self._file)
        self._file = new

    def close(self) -> None:
        """Write what waits and close."""
        self.flush()
        if self._daily is not None:
            self._daily.cancel()
        os.close(self._file)

    def _open(self) -> int:
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            self._waiting.insert(0, b"\n")  # a crash tore the last line: the next record has its own
        return file

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            self._log(Log("error", f"call records wait: {self._path}: {error.strerror}"))

    def _prune(self) -> None:
        """Remove what is too old, by a new file in the place of the old one, and again tomorrow."""
        oldest = clock.civil_text(clock.now() - self._days * _DAY)
        new = self._path.with_name(self._path.name + ".new")
        try:
            with self._path.open(encoding="utf-8", errors="replace") as old:
                first = old.readline()
                if first and not any(
                    kept([first], oldest)
                ):  # in the order of time: else all are young enough
                    mode = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                    with open(mode, "w", encoding="utf-8") as young:
                        young.writelines(kept(old, oldest))
                    os.replace(new, self._path)
                    self.reopen()
        except OSError as error:
            self._complain(error)
        self._daily = asyncio.get_running_loop().call_later(_DAY, self._prune)
