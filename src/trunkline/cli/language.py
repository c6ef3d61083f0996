"""The language a verb speaks to its user: `--lang`, else that of the locale, else English."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from trunkline.finding import Language


def lang_argument(parser: ArgumentParser) -> None:
    """Adds `--lang` to a verb, which finds its language in `given.lang`: `cli.main` asks for all."""
    parser.add_argument(
        "--lang", choices=("en", "fr"), help="the language of messages (default: the locale's if fr, else en)"
    )


def language(given: Namespace, environ: Mapping[str, str] | None = None) -> Language:
    """The language asked for; else French where LC_ALL, LC_MESSAGES or LANG says so (POSIX XBD 8.2)."""
    if given.lang:
        chosen: Language = given.lang
        return chosen
    environ = os.environ if environ is None else environ
    locale = next(filter(None, (environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "fr" if locale.lower().split("_")[0].split(".")[0] == "fr" else "en"
