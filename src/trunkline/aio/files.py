"""Files written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace_text(place: Path, text: str, mode: int = 0o644, *, lasting: bool = True) -> None:
    """Write a text file so that a reader sees the old one or the new one, never half. Raises OSError."""
    replace_bytes(place, text.encode("utf-8"), mode, lasting=lasting)


def replace_bytes(place: Path, data: bytes, mode: int = 0o644, *, lasting: bool = True) -> None:
    """The same for bytes; `mode` are the new file's rights.

    `lasting`: it is on the disk before the old one goes; what can be made again need not be.
    """
    beside = place.with_name(f".{place.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            if lasting:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(beside, place)
    finally:
        beside.unlink(missing_ok=True)
