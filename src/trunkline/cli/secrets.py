"""Fetches the passwords that a site file refers to: `${file:PATH}` and `${env:NAME}`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trunkline.cli.bounded import Unread, contents
from trunkline.finding import Finding, Level, Wording, said
from trunkline.site.load import Loaded
from trunkline.site.model import Site
from trunkline.site.secret import Reference, filled
from trunkline.site.text import SOURCE

SECRET_MAX: Final = 1024


class Absent(Exception):
    """A password that cannot be fetched: what is wrong, and how to mend it."""

    def __init__(self, says: Wording, mend: Wording) -> None:
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
            missing.append(
                loaded.finding("SITE-9", Level.MUST, reference.path, error.says, error.mend, SOURCE)
            )
    return filled(loaded.site, values), tuple(missing)


def _fetch(reference: Reference, folder: Path, environ: Mapping[str, str]) -> str:
    name = reference.name
    if reference.kind == "env":
        if name not in environ:
            raise Absent(
                said(
                    "the environment has no {name}", "l'environnement n'a pas de variable {name}", name=name
                ),
                said("set it: export {name}=...", "définissez-la : export {name}=...", name=name),
            )
        where = said("the environment's {name}", "la variable d'environnement {name}", name=name)
        text = environ[name]
    else:
        where, path = said("the file {name}", "le fichier {name}", name=name), folder / name
        mend = said(
            "write the password into it, on one line; its path counts from the site file's folder",
            "écrivez-y le mot de passe, sur une ligne ; son chemin part du dossier du fichier de site",
        )
        try:
            text = contents(path, SECRET_MAX, waits=True).decode("utf-8")
        except Unread as error:
            says = said(
                "{where} cannot be read: {why}",
                "{where} ne peut pas être lu : {why}",
                where=where,
                why=error.why,
            )
            raise Absent(says, mend) from None
        except UnicodeDecodeError:
            says = said("{where} is not UTF-8 text", "{where} n'est pas un texte UTF-8", where=where)
            raise Absent(says, mend) from None
    text = text.rstrip("\r\n")
    if not text or len(text) > SECRET_MAX or any(ord(letter) < 32 for letter in text):
        raise Absent(
            said("{where} holds no password", "{where} ne contient pas de mot de passe", where=where),
            said("write one line of text, not empty", "écrivez une ligne de texte, non vide"),
        )
    return text
