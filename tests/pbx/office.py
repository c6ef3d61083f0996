"""An IPBX with raw SIP around it: phones that log in, access SBCs, DNS; as the tests of calls take it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Any

from tests.example_site import FILE, edited
from tests.peers import Dialog, Headers, Ids, Peer, Room, sdp

from trunkline.pbx.ipbx import Ipbx
from trunkline.sip.flow import Flow
from trunkline.sip.locate import Question
from trunkline.sip.message import Request, Response
from trunkline.site.load import load
from trunkline.site.model import Site

PHONES = ("192.0.2.10", 5059)
TRUNK = ("192.0.2.10", 5060)
NOMINAL = ("198.51.100.10", 5060)
BACKUP = ("203.0.113.10", 5060)
REALM = "customer.example"
OFFER = sdp("192.0.2.101", 30000)
ANSWER = sdp("198.51.100.11", 40000)
OTHER = sdp("203.0.113.11", 40002)

# Supervision is silent unless a test is about it.
_QUIET = {f"trunk.gateways.{index}.protocol": {"supervision": {"options": "false"}} for index in (0, 1)}


@lru_cache(maxsize=64)
def _site(text: str) -> Site:
    found = load(text, FILE.name)
    assert found.site is not None, found.findings
    users = tuple(user.model_copy(update={"password": f"pass-{user.extension}"}) for user in found.site.users)
    return found.site.model_copy(update={"users": users})


def site(changes: Mapping[str, Any] | None = None) -> Site:
    """The example without supervision, with values replaced at dotted paths."""
    return _site(edited(deepcopy({**_QUIET, **(changes or {})})))


class Office(Room):
    """A running IPBX; its gateways' names are resolved."""

    node: Ipbx

    def __init__(self, changes: Mapping[str, Any] | None = None, of: Site | None = None) -> None:
        self.site = of or site(changes)
        super().__init__(Ipbx(self.site, Ids("x"), 0.0))
        self.opened()
        self.does(self.node.start(self.now))
        self.after(0.0)

    def opened(self) -> None:
        """The gateways of the trunk, and their names."""
        self.names[Question("sbc1.carrier.example", "A")] = (NOMINAL[0],)
        self.names[Question("sbc2.carrier.example", "A")] = (BACKUP[0],)
        self.nominal = self.peer(NOMINAL, TRUNK)
        self.backup = self.peer(BACKUP, TRUNK)

    @property
    def used(self) -> int:
        """Channels in use."""
        return self.node.exchange.channels.used

    def phone(self, extension: str = "201", *, port: int = 5060, transport: str = "UDP") -> Phone:
        """A phone of this user, registered."""
        phone = Phone(self, extension, port, transport)
        phone.registers()
        return phone

    def calls_in(
        self,
        number: str = "+33199001001",
        *,
        caller: str = "+33199009001",
        by: Peer | None = None,
        sdp: bytes = ANSWER,
        headers: Headers = (),
        display: str = "",
    ) -> Dialog:
        """The carrier calls this number."""
        peer = by or self.nominal
        from_ = f"{display}<sip:{caller}@{peer.host};user=phone>;tag={peer.ids.token()}"
        uri = f"sip:{number}@{TRUNK[0]}:{TRUNK[1]};user=phone"
        return Dialog(peer, peer.asks("INVITE", uri, headers, sdp, from_=from_), calls=True)

    def rests(self) -> None:
        """No call, no channel, no dialog is left, and nobody has anything more to hear."""
        for peer in self.peers.values():
            peer.quiet()
        assert not self.node.calls
        assert self.used == 0
        assert self.node.endpoint.remains()["dialogs"] == 0
        self.after(64.0)
        for peer in self.peers.values():
            peer.quiet()
        assert self.node.endpoint.idle, self.node.endpoint.remains()
        calls = [record for record in self.records if record["record"] == "call"]
        assert len({record["call"] for record in calls}) == len(calls)
        legs = [record["leg"] for record in self.records if record["record"] == "leg"]
        assert sorted(legs) == sorted(leg for record in calls for leg in record["legs"])


class Phone(Peer):
    """A user's phone: registers and calls with digest."""

    def __init__(
        self, office: Office, extension: str, port: int, transport: str, at: tuple[str, int] = PHONES
    ) -> None:
        host = f"192.0.2.{100 + int(extension) % 100}"
        super().__init__(office, Flow(transport, at, (host, port)), extension, f"pass-{extension}")

    def registers(self, expires: int = 3600) -> Response:
        """Log in; gives the 200."""
        aor = f"<sip:{self.user}@{REALM}>"
        more = (("Expires", str(expires)),)
        call_id = f"reg-{self.host}"
        first = self.asks("REGISTER", f"sip:{REALM}", more, to=aor, call_id=call_id)
        known = self.credentials(self.hears(401), first)
        self.asks("REGISTER", f"sip:{REALM}", (*more, known), to=aor, call_id=call_id)
        answer: Response = self.hears(200)
        return answer

    def dials(self, number: str, sdp: bytes = OFFER, headers: Headers = (), domain: str = REALM) -> Dialog:
        """Call; the challenge was met already."""
        uri = number if ":" in number else f"sip:{number}@{domain}"
        known = self.session.next("INVITE", uri, self.ids)
        assert known is not None
        from_ = f"<sip:{self.user}@{REALM}>;tag={self.ids.token()}"
        own = (("Authorization", str(known)), *headers)
        return Dialog(self, self.asks("INVITE", uri, own, sdp, from_=from_), calls=True)

    def rung(self) -> Dialog:
        """An INVITE comes in."""
        return rung(self)


def rung(peer: Peer) -> Dialog:
    """An INVITE comes in at this peer."""
    invite: Request = peer.hears("INVITE")
    return Dialog(peer, invite, calls=False)
