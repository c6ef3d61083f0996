"""An access SBC over the internet: who is known by which certificate, SRTP alone, media relayed outside."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from tests.example_site import INTERNET, edited
from tests.pbx.secured import KEY, NAMES, SUITE, described, savp
from tests.peers import Dialog, Ids, Peer, Room, sdp

from trunkline.call.node import TlsRefused, TlsUp
from trunkline.call.party import Behaviour
from trunkline.carrier.sbc import Sbc
from trunkline.media import anchor
from trunkline.sip.flow import Flow
from trunkline.site.load import load

SBC, OUTSIDE = ("194.250.129.194", 5061), ("194.250.129.194", 5060)
IPBX, NAME = ("192.0.2.130", 5061), "ipbx.customer.example"
AWAY = ("198.51.100.20", 5080)
OWN, FAR, EXTERNAL = "+33199001001", "+33199009001", "+33199009100"
OFFER = savp(IPBX[0], 6000)
_QUIET: dict[str, Any] = {"carrier.supervision": {"options": "false"}}
_SUBSCRIBERS = [
    {"number": FAR, "does": "answer", "after": "0.2", "tone": "425"},
    {"number": EXTERNAL, "does": "external", "at": f"{AWAY[0]}:{AWAY[1]}"},
]


class SecureLobby(Room):
    """A running access SBC on the internet, its customer, and a peer in the public network."""

    node: Sbc

    def __init__(self, changes: Mapping[str, Any] | None = None) -> None:
        text = edited(deepcopy({**_QUIET, "carrier.subscribers": _SUBSCRIBERS, **(changes or {})}), INTERNET)
        site = load(text, INTERNET.name).site
        assert site is not None
        super().__init__(Sbc(site, site.carrier.sbcs[0], Ids("s"), 0.0))
        self.ipbx = Peer(self, Flow("TLS", SBC, IPBX, NAME))
        self.outside = Peer(self, Flow("UDP", OUTSIDE, AWAY))
        self.does(self.node.start(self.now))

    def calls(self, number: str = FAR, body: bytes = OFFER, by: Peer | None = None) -> Dialog:
        """The customer calls that number."""
        peer = by or self.ipbx
        from_ = f"<sip:{OWN}@{NAME};user=phone>;tag={peer.ids.token()}"
        return Dialog(
            peer,
            peer.asks("INVITE", f"sip:{number}@{NAMES[0]};user=phone", (), body, from_=from_),
            calls=True,
        )

    def told(self, kind: type) -> list[Any]:
        """The commands of this kind that the media engine got."""
        return [command for command in self.media if isinstance(command, kind)]

    def rests(self) -> None:
        """No call and no port is left."""
        for peer in self.peers.values():
            peer.quiet()
        assert not self.node.calls
        assert not self.node._legs
        opened = sorted(command.leg for command in self.told(anchor.Offer))
        assert sorted(command.leg for command in self.told(anchor.Release)) == opened


@pytest.mark.guide("SRTP-1")
def test_a_built_in_subscriber_answers_over_srtp_with_a_key_of_its_own() -> None:
    lobby = SecureLobby()
    call = lobby.calls()
    lobby.ipbx.hears(180)
    lobby.after(0.3)
    answer = lobby.ipbx.hears(200)
    call.acks(answer)
    audio = described(answer.body).audio
    assert audio is not None
    assert (audio.proto, audio.connection) == ("RTP/SAVP", "194.250.129.193")
    (line,) = audio.crypto
    assert (line.suite, line.key_params == (f"inline:{KEY}",)) == (SUITE, False)
    (said,) = lobby.told(anchor.Answer)
    assert (said.stream.crypto.key_params, said.stream.own_crypto) == ((f"inline:{KEY}",), line)
    assert answer.contact is not None
    assert answer.contact.uri.host == NAMES[0]  # the name of its certificate, never the address
    call.byes()
    lobby.rests()


@pytest.mark.guide("TLS-3")
def test_a_call_in_the_clear_is_refused_on_the_secure_trunk() -> None:
    lobby = SecureLobby()
    lobby.calls(body=sdp(IPBX[0], 6000)).hears_no(488)
    lobby.rests()


@pytest.mark.guide("TLS-3")
def test_who_calls_over_udp_or_by_another_certificate_is_nobody() -> None:
    lobby = SecureLobby()
    stranger = Peer(lobby, Flow("TLS", SBC, ("192.0.2.131", 40000), "other.customer.example"))
    lobby.calls(by=stranger).hears_no(403)
    plain = Peer(lobby, Flow("UDP", OUTSIDE, IPBX))
    lobby.calls(by=plain).hears_no(403)
    moved = Peer(lobby, Flow("TLS", SBC, ("192.0.2.132", 40000), NAME.upper()))
    lobby.calls(by=moved)
    moved.hears(180)  # wherever it calls from, its certificate is who it is


@pytest.mark.rfc("5923#9.1")
def test_a_call_whose_connection_the_customer_had_opened_ends_over_ours_once_that_is_lost() -> None:
    lobby = SecureLobby()
    theirs = Peer(lobby, Flow("TLS", SBC, (IPBX[0], 40001), NAME))
    call = lobby.calls(by=theirs)
    theirs.hears(180)
    lobby.after(0.3)
    call.acks(theirs.hears(200))
    theirs.unreachable_because("connection reset")
    (talk,) = lobby.node.talks
    lobby.does(lobby.node.hang_up(talk, lobby.now))
    theirs.quiet()
    (_, flow) = lobby.ipbx.inbox[0]
    assert flow == Flow("TLS", SBC, IPBX, NAME)
    lobby.ipbx.says(200, lobby.ipbx.hears("BYE"))
    lobby.rests()


def test_a_subscriber_calls_in_by_the_customers_name_over_tls_and_srtp() -> None:
    lobby = SecureLobby()
    _, out = lobby.node.place(FAR, OWN, Behaviour(tone=425), 0.0)
    lobby.does(out)
    invite = lobby.ipbx.hears("INVITE")
    assert invite.uri_text == f"sip:{OWN}@{NAME}:5061;user=phone"
    assert invite.via.sent_by == f"{NAMES[0]}:5061"
    offered = described(invite.body).audio
    assert offered is not None
    assert (offered.proto, [line.suite for line in offered.crypto]) == ("RTP/SAVP", [SUITE])
    far = Dialog(lobby.ipbx, invite, calls=False)
    far.says(200, OFFER)
    lobby.ipbx.hears("ACK")
    far.byes()
    lobby.rests()


def test_a_call_to_an_external_subscriber_is_relayed_from_srtp_to_rtp() -> None:
    lobby = SecureLobby()
    call = lobby.calls(EXTERNAL)
    invite = lobby.outside.hears("INVITE")
    offered = described(invite.body).audio
    assert offered is not None
    assert (offered.proto, offered.crypto, offered.connection) == ("RTP/AVP", (), "194.250.129.193")
    far = Dialog(lobby.outside, invite, calls=False)
    far.says(180)
    lobby.ipbx.hears(180)
    far.says(200, sdp(AWAY[0], 40000))
    lobby.outside.hears("ACK")
    answer = lobby.ipbx.hears(200)
    call.acks(answer)
    audio = described(answer.body).audio
    assert audio is not None
    assert (audio.proto, len(audio.crypto)) == ("RTP/SAVP", 1)
    first, second = lobby.told(anchor.Offer)
    assert (second.media, second.join) == (first.media, first.leg)
    call.byes()
    far.hears_bye()
    lobby.rests()


def test_an_external_subscribers_call_is_relayed_from_rtp_to_srtp() -> None:
    lobby = SecureLobby()
    from_ = f"<sip:{EXTERNAL}@{AWAY[0]}>;tag=x"
    asked = lobby.outside.asks("INVITE", f"sip:{OWN}@{SBC[0]}", (), sdp(AWAY[0], 40000), from_=from_)
    call = Dialog(lobby.outside, asked, calls=True)
    invite = lobby.ipbx.hears("INVITE")
    offered = described(invite.body).audio
    assert offered is not None
    assert (offered.proto, len(offered.crypto)) == ("RTP/SAVP", 1)
    far = Dialog(lobby.ipbx, invite, calls=False)
    far.says(200, OFFER)
    lobby.ipbx.hears("ACK")
    answer = lobby.outside.hears(200)
    call.acks(answer)
    audio = described(answer.body).audio
    assert audio is not None
    assert (audio.proto, audio.crypto) == ("RTP/AVP", ())
    far.byes()
    assert lobby.outside.hears("BYE")


@pytest.mark.parametrize("number", [FAR, EXTERNAL])
def test_a_media_worker_that_dies_takes_its_calls_along_with_a_cause(number: str) -> None:
    lobby = SecureLobby()
    call = lobby.calls(number)
    if number == EXTERNAL:
        Dialog(lobby.outside, lobby.outside.hears("INVITE"), calls=False).says(200, sdp(AWAY[0], 40000))
        lobby.outside.hears("ACK")
    else:
        lobby.ipbx.hears(180)
        lobby.after(0.3)
    call.acks(lobby.ipbx.hears(200))
    lobby.tells(anchor.Lost("worker-1", (lobby.told(anchor.Offer)[0].media,)))
    bye = lobby.ipbx.hears("BYE")
    assert "cause=41" in (bye.get("reason") or "")
    lobby.ipbx.says(200, bye)
    if number == EXTERNAL:
        lobby.outside.says(200, lobby.outside.hears("BYE"))
    lobby.rests()


# --- who is told of TLS ------------------------------------------------------------------------


def test_tls_with_the_customer_is_logged_and_shown() -> None:
    lobby = SecureLobby()
    assert lobby.node.status(0.0)["customer"]["tls"] is None
    suite = "ECDHE-RSA-AES256-GCM-SHA384"
    lobby.tells(TlsUp(lobby.ipbx.flow, "TLSv1.2", suite, f"CN={NAMES[0]}", (NAME,)))
    assert lobby.node.status(0.0)["customer"]["tls"] == {
        "version": "TLS 1.2", "suite": suite, "ours": f"CN={NAMES[0]}", "theirs": [NAME], "refused": "",
    }  # fmt: skip
    (log,) = lobby.logs
    assert (log.level, log.text) == (
        "info", f"customer: TLS 1.2 with {suite}; it is {NAME}, we are CN={NAMES[0]}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (IPBX[0], "customer: TLS refused: it has expired"),
        ("192.0.2.66", "TLS from 192.0.2.66 refused: it has expired"),
    ],
)
def test_a_refused_handshake_is_told_in_words_and_counted(source: str, said: str) -> None:
    lobby = SecureLobby()
    lobby.tells(TlsRefused(Flow("TLS", SBC, (source, 40000)), "certificate_expired", "it has expired"))
    (log,) = lobby.logs
    assert (log.level, log.text) == ("warning", said)
    assert lobby.node.status(0.0)["refused_handshakes"] == 1


def test_a_stranger_with_a_good_certificate_is_not_taken_for_the_customer() -> None:
    lobby = SecureLobby()
    flow = Flow("TLS", SBC, (IPBX[0], 40000), "other.customer.example")
    lobby.tells(TlsUp(flow, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "CN=x", ("other.customer.example",)))
    assert (lobby.logs, lobby.node.status(0.0)["customer"]["tls"]) == ([], None)
