"""Fetches the passwords that a site file refers to: `${file:PATH}` and `${env:NAME}`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trunkline.finding import Finding, Level
from trunkline.site.load import Loaded
from trunkline.site.model import Site
from trunkline.site.secret import Reference, filled

SECRET_MAX: Final = 1024


class Absent(Exception):
    """A password that cannot be fetched: what is wrong, and how to mend it."""

    def __init__(self, says: str, mend: str) -> None:
        self.says, self.mend = says, mend
        super().__init__(says)


def fetched(
    loaded: Loaded, folder: Path, wanted: frozenset[str], environ: Mapping[str, str] | None = None
) -> tuple[Site, tuple[Finding, ...]]:
    """The site with its passwords in place, and a finding for each that cannot be fetched.

    Only passwords under the top-level keys `wanted` are fetched. `folder` is the site
    file's, from which relative paths count. The site must be sound (`loaded.site`).
    """
    if loaded.site is None:
        raise ValueError("a site with errors has no passwords to fetch")
    values: dict[tuple[str | int, ...], str] = {}
    missing = []
    for reference in loaded.references:
        if reference.path[0] not in wanted:
            continue
        try:
            values[reference.path] = _fetch(reference, folder, os.environ if environ is None else environ)
        except Absent as error:
            source = "site file"
            missing.append(
                loaded.finding("SITE-9", Level.MUST, reference.path, error.says, error.mend, source)
            )
    return filled(loaded.site, values), tuple(missing)


def _fetch(reference: Reference, folder: Path, environ: Mapping[str, str]) -> str:
    if reference.kind == "env":
        if reference.name not in environ:
            raise Absent(f"the environment has no {reference.name}", f"set it: export {reference.name}=...")
        where, text = f"the environment's {reference.name}", environ[reference.name]
    else:
        where, path = f"the file {reference.name}", folder / reference.name
        mend = "write the password into it, on one line; its path counts from the site file's folder"
        try:
            with path.open("rb") as stream:
                text = stream.read(SECRET_MAX + 1).decode("utf-8")
        except OSError as error:
            raise Absent(f"{where} cannot be read: {error.strerror}", mend) from None
        except UnicodeDecodeError:
            raise Absent(f"{where} is not UTF-8 text", mend) from None
    text = text.rstrip("\r\n")
    if not text or len(text) > SECRET_MAX or any(ord(letter) < 32 for letter in text):
        raise Absent(f"{where} holds no password", "write one line of text, not empty")
    return text
