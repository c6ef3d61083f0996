"""A folder of site files checked by several processes, in the folder's order, and in little memory.

No more than a few files are under way at once, and what is said of one is written before
the next: ten thousand sites take the memory of some dozens.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from trunkline.cli.verdicts import Asked, Part, parts
from trunkline.finding import Language

if TYPE_CHECKING:
    from concurrent.futures import Future

ENDINGS: Final = (".yaml", ".yml")
CHUNK: Final = 25  # files a worker takes at a time
AHEAD: Final = 3  # chunks a worker that wait or are under way


def files(folder: str) -> Iterator[str]:
    """Every site file below a folder, in the order of names; links to folders are not followed.

    Raises OSError for a folder that cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for file in (os.path.join(place, name) for name in sorted(names) if name.endswith(ENDINGS)):
            if os.path.isfile(file) or not os.path.exists(file):  # a pipe would be waited for in vain
                yield file


def checked(names: Iterable[str], asked: Asked, workers: int) -> Iterator[Part]:
    """The part of each file, in order. A single chunk, or a single worker, needs no further process.

    Raises ChildProcessError (an OSError) where a worker is killed from outside.
    """
    names = iter(names)
    chunk = list(islice(names, CHUNK))
    following = list(islice(names, CHUNK))
    if workers < 2 or not following:
        yield from parts(chain(chunk, following, names), asked)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    waiting: deque[Future[list[Part]]] = deque()
    with ProcessPoolExecutor(workers, initializer=_quiet) as pool:
        try:
            while chunk:
                waiting.append(pool.submit(_chunk, chunk, asked))
                chunk, following = following, list(islice(names, CHUNK))
                while len(waiting) > AHEAD * workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool:
            says = "a worker process was killed; is there memory enough?"
            raise ChildProcessError(errno.ECHILD, says) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _chunk(names: list[str], asked: Asked) -> list[Part]:
    return list(parts(names, asked))


def _quiet() -> None:
    """A worker leaves Ctrl-C to the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Progress:
    """How far a fleet is, on standard error, while a terminal looks."""

    EVERY: Final = 20  # files between two lines

    def __init__(self, of: int, language: Language) -> None:
        self._of, self._seen, self._wrong = of, 0, 0
        self._shown = sys.stderr.isatty()
        self._words = (
            "{} / {} sites, {} à corriger" if language == "fr" else "{} of {} sites, {} to be mended"
        )

    def add(self, part: Part) -> None:
        self._seen += 1
        self._wrong += part.totals.code > 0
        if self._shown and (self._seen % self.EVERY == 0 or self._seen == self._of):
            told = self._words.format(self._seen, self._of, self._wrong)
            print(f"\r{told}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the line away again."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
