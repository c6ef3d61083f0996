"""Where a running part of the product can be asked: one Unix socket each, in a folder of its user's own."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

LONGEST: Final = 100  # octets; the kernel takes 107 (unix(7))


class NoFolder(Exception):
    """The folder for sockets is not ours alone, so nobody could be trusted through it."""


def folder(environ: Mapping[str, str] | None = None) -> Path:
    """The user's folder for sockets, made with mode 0700 if it is not there. Raises NoFolder.

    It stands in XDG_RUNTIME_DIR where the system has one, else in /tmp under the user's id.
    """
    environment = os.environ if environ is None else environ
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    place = Path(runtime) / "trunkline" if runtime else Path(f"/tmp/trunkline-{os.getuid()}")
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
    except OSError as error:
        raise NoFolder(f"{place}: {error.strerror}; name a socket with --socket") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise NoFolder(f"{place} is not a folder of yours alone (mode 0700); name a socket with --socket")
    return place


def control_path(file: str, label: str = "", environ: Mapping[str, str] | None = None) -> Path:
    """The socket of the IPBX (`label` empty) or of an access SBC of this site file. Raises NoFolder.

    The same file gives the same socket, however its path is written.
    """
    whole = Path(file).resolve()
    digest = sha256(os.fsencode(whole) + b"\0" + label.encode()).hexdigest()[:10]
    name = "-".join(_word(part) for part in (whole.stem[:12], label[:12], digest) if part)
    place = folder(environ) / f"{name}.sock"
    if len(os.fsencode(place)) > LONGEST:
        raise NoFolder(f"{place} is too long for a socket; name one with --socket")
    return place


def _word(text: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text)
