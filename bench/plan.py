"""How long `trunkline plan` takes for a site with 50 remote sites, the start of the program included."""

from __future__ import annotations

import copy
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.example_site import EXAMPLES, tree, written
from tests.interop.program import PeerError

from bench import results

SITES = 50
SECONDS = 2.0  # what a plan may take, on the wall


def site(sites: int = SITES) -> str:
    """A site file over BVPN with that many remote sites, each with phones, a user and a tunnel of its own."""
    made: Any = tree(EXAMPLES / "bvpn-remote-sites.yaml")
    arras = made["remote_sites"][0]
    made["remote_sites"], made["carrier"]["number_ranges"] = [], ["+33 1 99 00 10 00 - +33 1 99 00 19 99"]
    made["users"], made["endpoints"] = made["users"][:2], made["endpoints"][:1]
    for number in range(sites):
        label, ddi = f"Agence {number:02}", f"+33 1 99 00 11 {number:02}"
        remote = copy.deepcopy(arras)
        remote |= {"label": label, "number": ddi, "network": f"192.168.{100 + number}.0/24", "channels": 2}
        remote["link"] |= {"router": f"203.0.113.{20 + number}", "vpn_key": f"secrets/{number:02}.psk"}
        remote["link"] |= {"kind": "internet", "vpn": "wireguard"} if number % 2 else {}
        remote["traffic"] = {"busy_hour_erlang": "0.2"}
        made["remote_sites"].append(remote)
        made["endpoints"].append({"model": "8018", "count": 3, "site": label})
        user = {"extension": f"3{number:02}", "ddi": ddi, "site": label, "password": "${file:secrets/3}"}
        made["users"].append(user)
    made["trunk"]["channels"] = 120
    for gateway in made["trunk"]["gateways"]:
        gateway["media"]["bandwidth"] = 120
    made["carrier"]["channels"] = 120
    made["wan"]["kbps"] = 20_000
    return written(made)


def measure(directory: Path, runs: int, tell: Callable[[str], None]) -> list[results.Result]:
    """Seconds on the wall against the limit, and seconds of CPU, of whole runs of the command.

    Raises PeerError for a run that did not write the dossier.
    """
    file, folder = directory / "site.yaml", directory / "dossier"
    file.write_text(site(), "utf-8")
    command = [sys.executable, "-m", "trunkline", "plan", str(file), "-o", str(folder), "--at", "2026-12-01"]
    wall, cpu = [], []
    for _ in range(runs + 1):  # the first fills the caches
        before, begun = _used(), time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True)
        wall.append(time.monotonic() - begun)
        cpu.append(_used() - before)
        if done.returncode != 0 or not (folder / "index.html").is_file():
            raise PeerError(f"trunkline plan ended with {done.returncode}\n{done.stderr[-2000:]}")
    tell(f"a plan with {SITES} remote sites: {min(wall[1:]):.2f} s, {min(cpu[1:]):.2f} s of CPU")
    return [
        results.result("plan_50_remote_sites", "s", wall[1:], "2 s", [SECONDS]),
        results.result("plan_50_remote_sites_cpu", "s", cpu[1:]),
    ]


def _used() -> float:
    """Seconds of CPU of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
