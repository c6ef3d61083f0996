"""The systems that Trunkline is measured beside, each started the same way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.interop.kamailio import answers_options
from tests.interop.program import Address, Program, until

ROOT = Path(__file__).resolve().parent.parent


class Place(NamedTuple):
    """Where a system is to stand: between a SIPp that calls and one that answers."""

    directory: Path  # its own, empty
    address: Address  # its own
    caller: Address
    callee: Address
    core: int | None  # the processor it may use, None for any


class System(NamedTuple):
    """A system under test, and the numbers of the calls it is given.

    ``start`` returns once it answers; leaving the Program it returns ends it. None: nothing stands between.
    """

    name: str
    start: Callable[[Place], Program] | None
    caller: str = "+33199000010"
    service: str = "+33639980001"


def sippy(place: Place) -> Program:
    """Sippy's B2BUA in its simplest form: UDP, no media, no records, its logs off."""
    python = ROOT / ".venv-bench" / "bin" / "python"
    (host, port), (next_host, next_port) = place.address, place.callee
    options = ["-f", "-l", host, "-p", str(port), "-n", f"{next_host}:{next_port}"]
    program = Program(
        [python, "-m", "sippy.b2bua_simple", *options],
        place.directory,
        environment={"SIPLOG_BEND": "none", "PYTHONPATH": ""},
        core=place.core,
    )
    try:
        until(lambda: answers_options(place.address), 15.0, "Sippy's answer to OPTIONS", program)
    except BaseException:
        program.stop()
        raise
    return program


SIPPY = System("sippy", sippy)
DIRECT = System("direct", None)  # what the two SIPps need by themselves: the floor of every response time
