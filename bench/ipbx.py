"""Trunkline's IPBX as a system under test: shipped configuration, records on, media direct.

The caller stands where the nominal SBC would, and calls the DDI of a user whose phone
is the callee: so each call is the same as through any other B2BUA, without a challenge.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.peers import Place, System
from tests.interop.kamailio import answers_options
from tests.interop.program import PeerError, Program, until
from tests.interop.sipp import Sipp

USER = "201"
DDI = "+33199000010"
SITE = """\
schema: 1
customer: Bench
guide: {{name: business-talk-oxo-6.x, edition: 22/10/2024}}
architecture: bvpn
product: {{model: PowerCPU, version: 6.1, load: OXO061/015.001}}
interfaces:
  eth0: {{address: {address}}}
phones:
  listen: {{udp: 5059, tcp: 0}}
  digest: [MD5]  # all that SIPp 3.6 knows
trunk:
  listen: {{udp: {port}, tcp: 0}}
  channels: 1000
  gateways:
    - label: nominal
      general: {{index: 1}}
      dns: {{mode: none}}
      domain_proxy: {{target_domain: {caller}, port: {caller_port}}}
      media: {{bandwidth: 1000}}
      protocol: {{supervision: {{options: false}}}}
numbering: {{installation_number: "+33199000000"}}
users:
{users}
records: {{file: records.jsonl}}
"""


def serving(place: Place, users: Sequence[str]) -> Program:
    """`trunkline run` on a site made for this place, with these extensions; the first has the DDI."""
    address, port = place.address
    caller, caller_port = place.caller
    place.directory.mkdir(parents=True, exist_ok=True)
    rows = [f'  - {{extension: "{user}", password: "{password(user)}"}}' for user in users]
    rows[0] = f'  - {{extension: "{users[0]}", ddi: "{DDI}", password: "{password(users[0])}"}}'
    site = place.directory / "site.yaml"
    site.write_text(
        SITE.format(address=address, port=port, caller=caller, caller_port=caller_port, users="\n".join(rows))
    )
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "trunkline",
        "run",
        site,
        "--socket",
        place.directory / "ask",
    ]
    program = Program(command, place.directory, core=place.core)
    try:
        until(lambda: answers_options(place.address), 15.0, "the IPBX's answer to OPTIONS", program)
    except BaseException:
        program.stop()
        raise
    return program


def register(place: Place, users: Sequence[str], rate: float = 50) -> None:
    """Register these users' phones, all at the callee's address."""
    rows = [(user, f"[authentication username={user} password={password(user)}]") for user in users]
    registering = Sipp(
        "register",
        place.directory / "register",
        place.callee,
        (place.address[0], 5059),
        calls=len(users),
        rate=rate,
        keys={"expires": "3600"},
        rows=rows,
    )
    with registering:
        tally = registering.finished(len(users) / rate + 30)
    if tally.fault:
        raise PeerError(f"phones could not register: {tally.fault}")


def password(user: str) -> str:
    """The password of a user of these sites."""
    return f"bench-{user}-secret"


def ipbx(place: Place) -> Program:
    """The IPBX with the callee registered as its one phone."""
    program = serving(place, [USER])
    try:
        register(place, [USER])
    except BaseException:
        program.stop()
        raise
    return program


IPBX = System("b2bua", ipbx, caller="+33199009001", service=DDI)
