"""The same office over the internet: gateways known by their certificates, SRTP, media anchored."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tests.example_site import INTERNET, edited
from tests.pbx.office import Office, Phone, _site
from tests.peers import Dialog, Peer, sdp

from trunkline.call.node import TlsRefused, TlsUp
from trunkline.media import anchor
from trunkline.sdp.description import Description
from trunkline.sip.flow import Flow
from trunkline.sip.locate import Question

OWN = ("192.0.2.130", 5061)
PHONES_TLS = ("192.0.2.10", 5061)
NAMES = tuple(f"sbc{n}.business-talk-ip.orange-business.com" for n in (1, 2))
NOMINAL, BACKUP = ("194.250.129.194", 5061), ("194.250.129.196", 5061)
KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
OTHER_KEY = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
SUITE = "AES_CM_128_HMAC_SHA1_80"
_QUIET = {f"trunk.gateways.{index}.protocol": {"supervision": {"options": "false"}} for index in (0, 1)}


def savp(
    address: str, port: int = 40000, *, key: str = KEY, suite: str = SUITE, direction: str = "sendrecv"
) -> bytes:
    """A description over SRTP, with one key."""
    plain = sdp(address, port, direction=direction)
    return plain.replace(b"RTP/AVP", b"RTP/SAVP") + f"a=crypto:1 {suite} inline:{key}\r\n".encode()


FAR = savp("194.250.129.193")


class SecureOffice(Office):
    """A running IPBX on the internet; what its media engine is told stands in `media`."""

    def __init__(self, changes: Mapping[str, Any] | None = None) -> None:
        super().__init__(of=_site(edited(deepcopy({**_QUIET, **(changes or {})}), INTERNET)))

    def opened(self) -> None:
        """Names and peers of this trunk."""
        for name, address in zip(NAMES, (NOMINAL, BACKUP), strict=True):
            self.names[Question(name, "A")] = (address[0],)
        self.nominal, self.backup = (
            Peer(self, Flow("TLS", OWN, address, name))
            for name, address in zip(NAMES, (NOMINAL, BACKUP), strict=True)
        )

    def secure_phone(self, extension: str = "202") -> Phone:
        """A phone on TLS, registered; its listener asks nobody for a certificate."""
        phone = Phone(self, extension, 5061, "TLS", PHONES_TLS)
        phone.registers()
        return phone

    def calls_in_by(self, peer: Peer, body: bytes = FAR, number: str = "+33199001001") -> Dialog:
        """The carrier calls, over SRTP unless told."""
        from_ = f"<sip:+33199009001@{NAMES[0]};user=phone>;tag={peer.ids.token()}"
        uri = f"sip:{number}@ipbx.customer.example:5061;user=phone"
        return Dialog(peer, peer.asks("INVITE", uri, (), body, from_=from_), calls=True)

    def told(self, kind: type) -> list[Any]:
        """The commands of this kind that the media engine got."""
        return [command for command in self.media if isinstance(command, kind)]

    def opens(self, offer: anchor.Offer, port: int) -> None:
        """The media engine opens a port, late."""
        self.tells(anchor.Anchored(offer.media, offer.leg, offer.address, port, port + 1))


def up(peer: Peer) -> TlsUp:
    """The handshake with a gateway."""
    suite = "ECDHE-RSA-AES256-GCM-SHA384"
    return TlsUp(peer.flow, "TLSv1.2", suite, "CN=ipbx.customer.example", (peer.flow.peer,))


def refused(flow: Flow, why: str = "certificate CN=x has expired: renew it") -> TlsRefused:
    """A handshake that failed."""
    return TlsRefused(flow, "certificate_expired", why)


def described(body: bytes) -> Description:
    """The SDP in a message."""
    return Description.parse(body)
