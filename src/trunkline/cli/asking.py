"""What the verbs that ask a running part of the product, or run one, say: its answer, or why it cannot be."""

from __future__ import annotations

import asyncio
import errno
import json
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from trunkline.aio.control import ask

EXIT_CANNOT: Final = 1
EXIT_USE: Final = 2


def asked(socket: Path, question: Mapping[str, Any]) -> dict[str, Any]:
    """Ask a running part of the product. Raises OSError if nobody answers there."""
    return asyncio.run(ask(socket, question))


def tell(given: Namespace, said: dict[str, Any], words: Callable[[dict[str, Any]], str]) -> None:
    """Say it on standard output: as words, or as one line of JSON where that is wanted."""
    print(json.dumps(said, ensure_ascii=False) if given.json else words(said), flush=True)


def cannot_start(error: Exception) -> int:
    """Say why, in one line on standard error; returns the exit code."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
        why += "; is it an address of this machine? (trunkline lab needs none of the site's own)"
    print(f"trunkline: {why}", file=sys.stderr)
    return EXIT_CANNOT
