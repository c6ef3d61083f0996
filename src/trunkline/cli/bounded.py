"""Files that a site or a command line names, as every verb reads them: no more than they may have."""

from __future__ import annotations

from pathlib import Path

from trunkline.finding import Wording, said


class Unread(Exception):
    """Why a file could not be read: `why` fits behind a colon; `absent`: it is not there."""

    def __init__(self, why: Wording | str, *, absent: bool = False, long: bool = False) -> None:
        self.why, self.absent, self.long = why, absent, long
        super().__init__(str(why))


def contents(place: Path, most: int, *, waits: bool = False, whole: bool = True) -> bytes:
    """The bytes of a file of at most `most` bytes. Raises Unread.

    `waits`: it may be a pipe, whose writer is waited for, as in `trunkline check <(...)`. Not
    `whole`: of a longer file the beginning, one byte more than `most`, for who tells that by himself.
    """
    try:
        if not waits and place.exists() and not place.is_file():  # a pipe would keep us waiting
            raise Unread(said("it is no file", "ce n'est pas un fichier"))
        with place.open("rb") as stream:
            data = stream.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        why = getattr(error, "strerror", None) or str(error)
        raise Unread(why, absent=isinstance(error, FileNotFoundError)) from None
    if whole and len(data) > most:
        raise Unread(said("it has over {most} bytes", "il a plus de {most} octets", most=most), long=True)
    return data
