"""What `lab` and `demo` share: how they end, and what they say about the lab they run."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from textwrap import wrap
from typing import Any

from trunkline.aio.run import run
from trunkline.aio.sockets import NoFolder
from trunkline.cli import asking
from trunkline.cli.paper import Paper
from trunkline.lab.addresses import NoRoom
from trunkline.lab.processes import LabError
from trunkline.lab.stage import Lab
from trunkline.pbx.exchange import Listen

TERMINATED = 143  # what a shell makes of SIGTERM
_KEPT = 1000  # lines that wait to be printed


def run_lab(main: Coroutine[object, object, int]) -> int:
    """Run a lab to its end; SIGTERM ends it as Ctrl-C does: in order, leaving nothing behind."""

    async def whole() -> int:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await main

    try:
        return run(whole())
    except asyncio.CancelledError:
        return TERMINATED
    except (OSError, NoFolder, NoRoom, LabError) as error:
        return asking.cannot_start(error)


class Journal:
    """What the lab's processes logged since it was last looked at: their words, without the date."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def note(self, label: str, line: str) -> None:
        """One line of the log of this process."""
        if len(self._lines) < _KEPT:
            self._lines.append(said(label, line))

    def taken(self) -> list[str]:
        """The lines, once."""
        lines, self._lines = self._lines, []
        return lines


def said(label: str, line: str) -> str:
    """A log line as the lab shows it: `IPBX: gateway nominal up: 200 to OPTIONS`."""
    stamp, _, rest = line.partition(" ")
    return f"{label}: {rest if stamp[:4].isdigit() and rest else line}"


def facts(lab: Lab) -> dict[str, Any]:
    """Where everything of the lab is, for a program."""
    site, places = lab.site, lab.places
    trunk = Listen(site).trunk
    transport, (address, port) = next(iter(trunk.items()))
    return {
        "customer": site.customer,
        "architecture": site.architecture,
        "site": str(lab.file),
        "socket": str(lab.ipbx.socket),
        "network": f"{places.network}.0/24",
        "ipbx": {
            "address": places.ipbx, "phones": site.phones.listen.udp,
            "trunk": port, "trunk_address": address, "transport": transport,
        },
        "sbcs": [
            {
                "label": sbc.label, "signalling": f"{sbc.signalling}:{sbc.port}", "media": sbc.media,
                "socket": str(lab.sbcs[sbc.label].socket), "pid": lab.sbcs[sbc.label].pid,
            }
            for sbc in site.carrier.sbcs
        ],
        "dns": {"address": f"{places.dns[0]}:{places.dns[1]}", "names": sorted(places.names)},
        "phones": [
            {"extension": phone.user.extension, "name": phone.user.name, "ddi": phone.user.ddi,
             "address": phone.phone.settings.media}
            for phone in lab.phones
        ],
        "pid": lab.ipbx.pid,
    }  # fmt: skip


def ready_lines(lab: Lab, paper: Paper) -> str:
    """The same for a person."""
    told = facts(lab)
    ipbx, dns = told["ipbx"], told["dns"]
    phones = ", ".join(f"{phone['extension']} {phone['name']}".strip() for phone in told["phones"])
    width = max(len("phones"), *(len(sbc["label"]) for sbc in told["sbcs"]))
    rows = [
        ("IPBX", f"{ipbx['address']}  phones on port {ipbx['phones']}, trunk {_trunk(ipbx)}"),
        *((sbc["label"], f"{sbc['signalling']}  media on {sbc['media']}") for sbc in told["sbcs"]),
        ("DNS", f"{dns['address']}  {', '.join(dns['names'])} (A and SRV)"),
        ("phones", f"{phones}  (registered)"),
    ]
    head = paper.bold(f"{told['customer']}: the site and its carrier on {told['network']}")
    lines = [head]
    for name, where in rows:
        lines += wrapped(f"  {name:{width}}  ", where, paper)
    return "\n".join(lines)


def wrapped(head: str, text: str, paper: Paper) -> list[str]:
    """`head` and `text` within the width of the paper, what follows the first line below the text."""
    return wrap(text, paper.width, initial_indent=head, subsequent_indent=" " * len(head),
                break_on_hyphens=False)  # fmt: skip


def _trunk(ipbx: dict[str, Any]) -> str:
    """Where the trunk is, for a person."""
    if ipbx["transport"] != "TLS":
        return f"on port {ipbx['trunk']}"
    return f"by TLS on {ipbx['trunk_address']}:{ipbx['trunk']}"
