"""The day a verb judges at: `--at`, else today."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime

from trunkline.aio import clock


def at_argument(parser: ArgumentParser, what: str) -> None:
    """Adds `--at` to a verb that judges `what`."""
    parser.add_argument(
        "--at", type=day, metavar="DATE", help=f"judge {what} as on this day, 2027-03-15 (default: today)"
    )


def day(text: str) -> date:
    """A day as it is written on the command line. Raises ArgumentTypeError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date; write it as 2027-03-15") from None


def today() -> date:
    """The day it is, in UTC."""
    return datetime.fromtimestamp(clock.civil_ns() / 1e9, UTC).date()
