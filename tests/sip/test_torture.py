"""RFC 4475 at parser level: our own 49 messages always, the RFC's own when they lie beside the repository."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.sip.torture_verdicts import VERDICTS

from trunkline.finding import ParseError
from trunkline.sip.framing import Framer, Malformed
from trunkline.sip.headers import Address, MediaType, Via
from trunkline.sip.message import Message, MessageError, Request, Response, check, parse, respond
from trunkline.sip.uri import unescape

OWN = Path(__file__).parent / "torture"
ORIGINAL = Path(__file__).parents[3] / "shared" / "torture" / "rfc4475"


def _cases() -> Sequence[object]:
    ours = [pytest.param(name, OWN / f"{name}.sip", id=f"own-{name}") for name in VERDICTS]
    originals = [
        pytest.param(path.stem, path, id=f"rfc-{path.stem}") for path in sorted(ORIGINAL.glob("*.dat"))
    ]
    return ours + originals


def judge(data: bytes) -> tuple[str, int, Message | None]:
    """The parser's verdict and status, and the message as far as it was read."""
    message: Message | None = None
    try:
        message = parse(data)
        check(message)
    except ParseError as error:
        read = error.message if isinstance(error, MessageError) else message
        return "reject" if isinstance(read, Request) else "discard", error.status, read
    return "accept", 0, message


def own(name: str) -> Request | Response:
    return parse((OWN / f"{name}.sip").read_bytes())


def test_every_section_has_a_verdict_and_a_message() -> None:
    assert len(VERDICTS) == 49
    assert {path.stem for path in OWN.glob("*.sip")} == set(VERDICTS)
    assert {path.stem for path in ORIGINAL.glob("*.dat")} <= set(VERDICTS)
    assert len({verdict.section for verdict in VERDICTS.values()}) == 49


@pytest.mark.rfc("4475#3")
@pytest.mark.parametrize(("name", "path"), _cases())
def test_verdict_is_the_rfcs(name: str, path: Path) -> None:
    data = path.read_bytes()
    verdict, status, message = judge(data)
    assert (verdict, status) == (VERDICTS[name].parser, VERDICTS[name].status)
    if verdict == "accept":
        assert message is not None
        assert data.startswith(bytes(message))


@pytest.mark.rfc("4475#3")
@pytest.mark.parametrize(("name", "path"), _cases())
def test_refused_request_can_be_answered(name: str, path: Path) -> None:
    verdict, status, request = judge(path.read_bytes())
    if verdict == "reject":
        assert isinstance(request, Request)
        answer = parse(bytes(respond(request, status, to_tag="here")))
        assert isinstance(answer, Response)
        assert answer.all("Via") == request.all("Via")
        assert answer.all("Call-ID") == request.all("Call-ID")


@pytest.mark.rfc("3261#18.3")
@pytest.mark.parametrize("name", VERDICTS)
def test_on_a_stream_only_a_lost_frame_is_fatal(name: str) -> None:
    framer = Framer()
    out = framer.feed((OWN / f"{name}.sip").read_bytes(), 0.0)
    assert framer.broken == VERDICTS[name].stream_fatal
    if name == "clerr":  # on a stream the rest of its body may still come
        assert out == []
    elif VERDICTS[name].parser == "reject" or framer.broken:
        first = out[0]
        refused = isinstance(first, Malformed)
        if not refused:
            assert isinstance(first, Request)
            with pytest.raises(ParseError):
                check(first)


@pytest.mark.rfc("4475#3.1.1.1")
def test_tortuous_invite_says_what_it_means() -> None:
    invite = own("wsinv")
    assert invite.to.tag == "77ab33d"
    assert (invite.from_.display, invite.from_.tag) == ('A \\ B "Moreau"', "rr41x")
    assert (invite.max_forwards, invite.cseq.number, invite.cseq.method) == (42, 17, "INVITE")
    vias = [via for via in invite.values("Via") if isinstance(via, Via)]
    assert [(via.transport, via.sent_by, via.branch) for via in vias] == [
        ("UDP", "198.51.100.20", "oldstyle1"),
        ("TCP", "relay.example.com", "z9hG4bKrelay1"),
        ("UDP", "203.0.113.77", "z9hG4bKlast"),
    ]
    assert invite.get("Subject") == ""
    assert invite.get("Brand-New-Header") == "one two three"
    assert invite.get("Odd-Value") == ",;;,;,,;"
    contact = invite.contact
    assert contact is not None
    assert contact.display == 'the "second" name'
    assert contact.params == (("colour", "green"), ("shiny", None), ("q", "0.7"))
    route = invite.value("Route")
    assert isinstance(route, Address)
    assert route.uri.param("lr") == ""


@pytest.mark.rfc("4475#3.1.1.2")
def test_wide_range_of_characters_survives() -> None:
    request = own("intmeth")
    assert isinstance(request, Request)
    assert request.uri.user == "a.b-c_d!e~f*g'(h)&i=j+k$l,m;n?o/p"
    assert request.uri.password == "q&r=s+t$u,v!w"
    assert request.to.display == 'bell \x07 nul \x00 del \x7f quote "'
    assert request.to.uri.user == "x?y/z;w"
    assert request.from_.display == "one! two% three*_+`'~.-"
    assert request.from_.param("strange-'~`+*_!.%") == "žluťoučký"
    assert request.from_.tag == "~+t.4_2'!%*`-"
    assert request.call_id == '<odd>:"[id]"/{?}\\%41@(word)~`\'*!'
    assert request.get("header-~+`'_.!%*") == "☎电话"


@pytest.mark.rfc("4475#3.1.1.3")
def test_escapes_are_kept_and_can_be_undone() -> None:
    request = own("esc01")
    assert isinstance(request, Request)
    assert (request.uri.user, unescape(request.uri.user)) == ("tel%3A%2B33199000042", "tel:+33199000042")
    assert unescape(request.to.uri.user) == "louise"
    assert unescape(request.from_.uri.user) == "two words here"
    contact = request.contact
    assert contact is not None
    assert contact.uri.param("lr") is None  # §19.1.4: %6Cr is lr only after unescaping
    assert contact.uri.params[1] == ("c%6Flour", "%62lue%25%35%30")


@pytest.mark.rfc("4475#3.1.1.4")
def test_escaped_nulls_stay_in_their_uris() -> None:
    contacts = own("escnull").values("Contact")
    assert [unescape(c.uri.user) for c in contacts if isinstance(c, Address)] == ["\0\0", "\0"]


@pytest.mark.rfc("4475#3.1.1.5")
def test_percent_is_an_ordinary_character_outside_uris() -> None:
    request = own("esc02")
    assert isinstance(request, Request)
    assert request.method == "OP%54IO%4ES"
    assert len(request.values("Contact")) == 2
    assert request.branch == "z9hG4bK50%off%4a"
    assert request.from_.display == "%zz%1"


@pytest.mark.rfc("4475#3.1.1.7")
def test_all_vias_of_a_long_request_are_seen() -> None:
    vias = own("longreq").values("Via")
    assert [via.host for via in vias if isinstance(via, Via)] == [
        *(f"hop{number}.example.net" for number in range(40, 4, -1)),
        "first.example.net",
    ]


@pytest.mark.rfc("4475#3.1.1.8")
def test_octets_behind_the_message_are_dropped() -> None:
    request = own("dblreq")
    assert isinstance(request, Request)
    assert (request.method, request.body, request.call_id) == ("REGISTER", b"", "one.in.a.datagram-60")


@pytest.mark.rfc("4475#3.1.1.9")
def test_semicolon_belongs_to_the_user() -> None:
    request = own("semiuri")
    assert isinstance(request, Request)
    assert (request.uri.user, request.uri.host) == ("gate;line=b%40example.com", "example.net")
    assert len(request.values("Accept")) == 4


@pytest.mark.rfc("4475#3.1.1.11")
def test_binary_body_is_untouched() -> None:
    request = own("mpart01")
    kind = request.value("Content-Type")
    assert isinstance(kind, MediaType)
    assert (kind.type, kind.param("boundary")) == ("multipart", "frontier-42")
    assert request.body.startswith(b"--frontier-42\r\n")
    assert request.body.endswith(b"\x00\xff--frontier\r\n--frontier-42--\r\n")


@pytest.mark.rfc("4475#3.1.1.12")
def test_reason_phrase_may_be_anything_or_nothing() -> None:
    unusual, empty = own("unreason"), own("noreason")
    assert isinstance(unusual, Response)
    assert isinstance(empty, Response)
    assert unusual.reason == "= 10 ** 2 + 100 двести, 二百 & deux-cents ✓"
    assert (empty.status, empty.reason) == (180, "")


@pytest.mark.rfc("4475#3.3.13")
def test_bare_contact_parameter_is_the_headers_and_bracketed_the_uris() -> None:
    bare, bracketed = own("cparam01").contact, own("cparam02").contact
    assert bare is not None
    assert bracketed is not None
    assert (bare.param("novelparam"), bare.uri.params) == ("", ())
    assert (bracketed.param("novelparam"), bracketed.uri.param("novelparam")) == (None, "")
