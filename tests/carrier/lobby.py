"""An access SBC with raw SIP around it: the customer's IPBX, and external subscribers."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tests.example_site import FILE, edited
from tests.peers import Dialog, Headers, Ids, Peer, Room, sdp

from trunkline.carrier.sbc import Sbc
from trunkline.sip.message import Request
from trunkline.site.load import load

SBC = ("198.51.100.10", 5060)
IPBX = ("192.0.2.10", 5060)
OUTSIDE = ("198.51.100.20", 5080)
OWN = "+33199001001"  # a number of the customer's
FAR = "+33199009001"  # answers after 0.2 s
OFFER = sdp("192.0.2.101", 30000)
ANSWER = sdp("198.51.100.20", 40000)
_QUIET: dict[str, Any] = {"carrier.supervision": {"options": "false"}}


class Lobby(Room):
    """A running access SBC; supervision is off unless a test is about it."""

    node: Sbc

    def __init__(self, changes: Mapping[str, Any] | None = None, sbc: int = 0) -> None:
        found = load(edited(deepcopy({**_QUIET, **(changes or {})})), FILE.name)
        assert found.site is not None, found.findings
        self.site = found.site
        super().__init__(Sbc(self.site, self.site.carrier.sbcs[sbc], Ids("s"), 0.0))
        self.ipbx = self.peer(IPBX, self.node.local)
        self.does(self.node.start(self.now))

    def calls(
        self,
        number: str = FAR,
        *,
        caller: str = OWN,
        sdp: bytes = OFFER,
        headers: Headers = (),
        by: Peer | None = None,
    ) -> Dialog:
        """The customer calls that number."""
        peer = by or self.ipbx
        from_ = f"<sip:{caller}@{peer.host};user=phone>;tag={peer.ids.token()}"
        uri = f"sip:{number}@{SBC[0]};user=phone"
        return Dialog(peer, peer.asks("INVITE", uri, headers, sdp, from_=from_), calls=True)

    def rung(self, peer: Peer | None = None) -> Dialog:
        """The SBC calls."""
        whose = peer or self.ipbx
        invite: Request = whose.hears("INVITE")
        return Dialog(whose, invite, calls=False)

    def rests(self) -> None:
        """No call is left, no port is open, and nobody has anything more to hear."""
        for peer in self.peers.values():
            peer.quiet()
        assert not self.node.calls
        assert not self.node._legs
        assert self.node.endpoint.remains()["dialogs"] == 0
        opened = [command.leg for command in self.media if type(command).__name__ == "Offer"]
        closed = [command.leg for command in self.media if type(command).__name__ == "Release"]
        assert sorted(opened) == sorted(closed)
        self.after(64.0)
        assert self.node.endpoint.idle, self.node.endpoint.remains()
