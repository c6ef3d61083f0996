"""The one door: what is answered at once, where answers go, and what is kept (RFC 3261 §8, §18)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.line import ANSWER, SDP, A, B, Line, Puppet, SeededIds, UserAgent, all_over, pair, talking

from trunkline.sip.endpoint import Cancelled, Endpoint, EndpointSettings, RequestReceived, ResponseReceived
from trunkline.sip.flow import Flow, Send
from trunkline.sip.message import Request, Response, parse, respond
from trunkline.sip.transaction import ServerInvite

HERE, THERE = ("192.0.2.1", 5060), ("192.0.2.9", 40000)
UDP = Flow("UDP", HERE, THERE)
TCP = Flow("TCP", HERE, THERE)
BASE = {
    "Via": "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKone",
    "Max-Forwards": "70",
    "From": "<sip:x@192.0.2.9>;tag=theirs",
    "To": "<sip:b@192.0.2.1>",
    "Call-ID": "call",
    "CSeq": "1 {method}",
    "Contact": "<sip:x@192.0.2.9:5070>",
}


def request(
    method: str = "OPTIONS", uri: str = "sip:b@192.0.2.1", body: bytes = b"", **changes: str
) -> Request:
    headers = {**BASE, **{name.replace("_", "-"): value for name, value in changes.items()}}
    lines = [(name, value.format(method=method)) for name, value in headers.items() if value]
    return Request.build(method, uri, lines, body)


def endpoint(**settings: Any) -> Endpoint:
    return Endpoint(SeededIds(1), EndpointSettings(**settings))


def sent(outputs: list[Any]) -> list[Response]:
    messages = [parse(output.data) for output in outputs if isinstance(output, Send)]
    assert all(isinstance(message, Response) for message in messages)
    return messages  # type: ignore[return-value]


def refused(outputs: list[Any]) -> Response:
    (response,) = sent(outputs)
    assert len(outputs) == 1
    return response


def received(outputs: list[Any]) -> RequestReceived:
    (event,) = outputs
    assert isinstance(event, RequestReceived)
    return event


class Ear:
    """An owner that only listens."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def hear(self, event: Any, now: float) -> list[Any]:
        self.heard.append(event)
        return []


# --- what is answered at once ----------------------------------------------------------------------


@pytest.mark.rfc("3261#8.2.1")
def test_method_not_served_gets_405_and_unknown_one_501_each_with_allow() -> None:
    door = endpoint()
    for method, status in (("REFER", 405), ("MESSAGE", 405), ("REGISTER", 405), ("NEWMETHOD", 501)):
        via = f"SIP/2.0/UDP h;branch=z9hG4bK{method}"
        answer = refused(door.receive(bytes(request(method, Via=via)), UDP, 0.0))
        assert answer.status == status
        assert answer.get("Allow") == "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO"
        assert answer.to_tag


@pytest.mark.rfc("3261#8.2.2.1")
def test_unknown_scheme_gets_416() -> None:
    assert refused(endpoint().receive(bytes(request(uri="mailto:x@example.com")), UDP, 0.0)).status == 416
    for uri in ("sips:b@192.0.2.1", "tel:+33199001000"):
        received(endpoint().receive(bytes(request(uri=uri)), UDP, 0.0))


@pytest.mark.rfc("3261#8.2.2.3")
def test_unknown_extension_that_is_required_gets_420() -> None:
    asked = request("INVITE", Require="100rel, nothing, novel", body=SDP)
    answer = refused(endpoint().receive(bytes(asked), UDP, 0.0))
    assert (answer.status, answer.get("Unsupported")) == (420, "nothing, novel")
    received(endpoint().receive(bytes(request("INVITE", Require="timer", body=SDP)), UDP, 0.0))


@pytest.mark.rfc("3261#8.2.3")
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "text/plain", "Content-Disposition": "render;handling=optional"}, 0),
        ({"Content-Type": "text/plain", "Content-Disposition": "session;handling=required"}, 415),
        ({"Content-Type": "application/SDP; charset=utf-8"}, 0),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Encoding": "Identity"}, 0),
        ({"Accept": "text/plain, message/*"}, 406),
        ({"Accept": "text/plain, application/sdp;level=1"}, 0),
        ({"Accept": "*/*"}, 0),
        ({"Accept": "application/*"}, 0),
    ],
)
def test_body_that_is_no_description_gets_415_and_peer_that_takes_none_406(
    changes: dict[str, str], status: int
) -> None:
    asked = request("INVITE", body=SDP)
    for name, value in changes.items():
        asked = asked.with_header(name, value)
    outputs = endpoint().receive(bytes(asked), UDP, 0.0)
    if status == 0:
        received(outputs)
        return
    answer = refused(outputs)
    assert (answer.status, answer.get("Accept")) == (status, "application/sdp")
    assert answer.get("Accept-Encoding") == ("identity" if "Content-Encoding" in changes else None)


@pytest.mark.rfc("3261#10.3")
def test_address_of_record_must_be_a_sip_uri() -> None:
    door = endpoint(methods=("INVITE", "ACK", "CANCEL", "OPTIONS", "REGISTER"))
    assert refused(door.receive(bytes(request("REGISTER", To="<doi:10.1000/182>")), UDP, 0.0)).status == 400
    received(door.receive(bytes(request("REGISTER", Via="SIP/2.0/UDP h;branch=z9hG4bKr")), UDP, 0.0))


@pytest.mark.rfc("3261#8.2.2.2")
def test_same_request_by_another_path_gets_482_while_the_first_is_open() -> None:
    door = endpoint()
    first = received(door.receive(bytes(request("INVITE", body=SDP)), UDP, 0.0))
    again = request("INVITE", Via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKother", body=SDP)
    assert refused(door.receive(bytes(again), UDP, 0.0)).status == 482
    door.reply(first.transaction, 486, 0.0)
    door.expire(100.0)
    last = request("INVITE", Via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKlast", body=SDP)
    received(door.receive(bytes(last), UDP, 100.0))


@pytest.mark.rfc("3261#16.3")
def test_invite_without_hops_left_gets_483_and_options_an_answer() -> None:
    door = endpoint()
    assert refused(door.receive(bytes(request("INVITE", Max_Forwards="0", body=SDP)), UDP, 0.0)).status == 483
    received(door.receive(bytes(request(Max_Forwards="0")), UDP, 0.0))


@pytest.mark.rfc("3261#12.2.2")
@pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE", "PRACK", "INVITE"])
def test_request_inside_no_dialog_gets_481(method: str) -> None:
    inside = request(method, To="<sip:b@192.0.2.1>;tag=none")
    assert refused(endpoint().receive(bytes(inside), UDP, 0.0)).status == 481
    if method != "INVITE":
        assert refused(endpoint().receive(bytes(request(method)), UDP, 0.0)).status == 481


@pytest.mark.rfc("3261#12.2.2")
def test_request_older_than_the_last_gets_500() -> None:
    line, a, b = talking()
    dialog = a.usage.dialog
    assert dialog is not None
    dialog.local_seq -= 2
    a.does(a.usage.ask(dialog, "INFO", (), line.now)[1])
    line.run(1)
    assert line.said() == ["a INFO", "b 500 INFO"]
    assert b.heard == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"CSeq": "1 INVITE"}, 400),
        ({"CSeq": "99999999999 OPTIONS"}, 400),
        ({"Max-Forwards": "300"}, 400),
        ({"To": '"x <sip:b@192.0.2.1>'}, 400),
        ({"Call-ID": ""}, 400),
        ({"Content-Type": "no type"}, 400),
    ],
)
def test_broken_request_gets_400_that_says_what(changes: dict[str, str], status: int) -> None:
    door = endpoint()
    ((name, value),) = changes.items()
    broken = request().with_header(name, value) if value else request().without(name)
    answer = refused(door.receive(bytes(broken), UDP, 0.0))
    assert answer.status == status
    assert answer.reason.startswith("Bad ")
    assert door.idle


@pytest.mark.rfc("3261#21.5.6")
def test_other_version_gets_505() -> None:
    data = bytes(request()).replace(b" SIP/2.0\r\n", b" SIP/7.0\r\n", 1)
    answer = refused(endpoint().receive(data.replace(b"192.0.2.9:5070", b"10.0.0.1"), UDP, 0.0))
    assert answer.status == 505
    assert answer.via.received == "192.0.2.9"


@pytest.mark.rfc("3261#8.2.7")
def test_stateless_answer_is_the_same_for_a_repetition_and_another_for_another() -> None:
    door = endpoint()
    broken = bytes(request(CSeq="1 INVITE"))
    first, again = door.receive(broken, UDP, 0.0), door.receive(broken, UDP, 1.0)
    assert first == again
    other = door.receive(bytes(request(CSeq="2 INVITE")), UDP, 1.0)
    assert refused(other).to_tag != refused(first).to_tag


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"\r\n\r\n",
        b"\x00\x00",
        b"hello there, is this the web?\r\n\r\n",
        b"\r\n" * 400,
        b"OPTIONS sip:b@192.0.2.1 SIP/2.0\r\n\r\n",
        b"OPTIONS sip:b@192.0.2.1 SIP/2.0\r\nVia: nonsense\r\n\r\n",
        b"OPTIONS sip:b@192.0.2.1 SIP/2.0\r\nVia: nonsense\r\nFrom: <sip:a@h>\r\nTo: <sip:a@h>\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: nonsense\r\n\r\n",
        b"OPTIONS sip:b@192.0.2.1 SIP/3.0\r\nVia: nonsense\r\n\r\n",
        b"OPTIONS sip:b@192.0.2.1 SIP/3.0\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
    ],
)
def test_what_cannot_be_answered_is_dropped(data: bytes) -> None:
    door = endpoint()
    assert door.receive(data, UDP, 0.0) == []
    assert door.idle


@pytest.mark.rfc("4475#3.1.2.1")
@pytest.mark.parametrize("version", [b"SIP/2.0", b"SIP/3.0"])
def test_via_that_cannot_be_read_is_answered_to_where_the_request_came_from(version: bytes) -> None:
    data = bytes(request(Via="SIP/2.0/UDP 192.0.2.15;;,;,,")).replace(b"SIP/2.0\r\n", version + b"\r\n", 1)
    (out,) = endpoint().receive(data, UDP, 0.0)
    assert out.flow == UDP
    assert out.data.startswith(b"SIP/2.0 400 Bad Via" if version == b"SIP/2.0" else b"SIP/2.0 505 ")


def test_goodbye_is_taken_whatever_its_reason() -> None:
    line, a, _b = talking()
    a.does(a.usage.hang_up(line.now, (("Reason", "Q.850;cause=x"), ("Date", "today"))))
    line.run(1)
    assert line.said() == ["a BYE", "b 200 BYE"]


def test_broken_ack_is_never_answered() -> None:
    door = endpoint()
    assert door.receive(bytes(request("ACK", CSeq="1 INVITE")), UDP, 0.0) == []
    assert door.receive(bytes(request("ACK")), UDP, 0.0) == []
    assert door.receive(bytes(request("ACK")).replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1), UDP, 0.0) == []


def test_broken_ack_in_an_accepted_invite_changes_nothing() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    line.lose("ACK", 1)
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(0.1)
    invite = line.last("INVITE")
    broken = invite.with_uri("sip:b@192.0.2.2").with_header("CSeq", f"{invite.cseq.number} ACK")
    data = bytes(broken.with_header("To", "<<>>")).replace(b"INVITE sip", b"ACK sip", 1)
    assert b.receive(data, b.flow_to(a), line.now) == []
    good = bytes(broken.with_header("To", f"<sip:b@x>;tag={b.usage.local_tag}"))
    assert b.receive(good.replace(b"INVITE sip", b"ACK sip", 1), b.flow_to(a), line.now) == []
    assert b.kinds() == ["Acknowledged"]  # with the INVITE's own branch, as some send it


# --- OPTIONS, and requests that others judge ---------------------------------------------------------


@pytest.mark.rfc("3261#11.2")
def test_options_go_to_the_owner_who_answers_as_an_invite_would_be() -> None:
    door = endpoint()
    event = received(door.receive(bytes(request()), UDP, 0.0))
    assert (event.request.method, event.dialog) == ("OPTIONS", None)
    (answer,) = sent(door.reply(event.transaction, 503, 0.0, [("Retry-After", "10")], "Draining"))
    assert (answer.status, answer.reason, answer.get("Retry-After")) == (503, "Draining", "10")
    assert answer.to_tag
    assert sent(door.receive(bytes(request()), UDP, 1.0)) == [answer]  # repeated: absorbed
    assert door.reply(event.transaction, 200, 1.0) == []
    door.expire(40.0)
    assert door.idle


def test_chosen_tag_is_used_and_100_has_none() -> None:
    door = endpoint()
    event = received(door.receive(bytes(request("INVITE", body=SDP)), UDP, 0.0))
    assert sent(door.reply(event.transaction, 100, 0.0, to_tag="mine"))[0].to_tag == ""
    assert isinstance(event.transaction, ServerInvite)
    assert door.trying(event.transaction, 0.0) == []  # said already
    assert sent(door.reply(event.transaction, 404, 0.0, to_tag="mine"))[0].to_tag == "mine"


# --- where answers go (§18.2.2, RFC 3581) --------------------------------------------------------------


@pytest.mark.rfc("3581#4")
@pytest.mark.parametrize(
    ("via", "flow", "to", "received_", "rport"),
    [
        # without rport: the source address, and the port that Via names
        ("SIP/2.0/UDP 192.0.2.9:5070", UDP, ("192.0.2.9", 5070), "", None),
        ("SIP/2.0/UDP 192.0.2.9", UDP, ("192.0.2.9", 5060), "", None),
        ("SIP/2.0/UDP 10.0.0.1:5070", UDP, ("192.0.2.9", 5070), "192.0.2.9", None),
        ("SIP/2.0/UDP phone.example.com", UDP, ("192.0.2.9", 5060), "192.0.2.9", None),
        ("SIP/2.0/UDP 10.0.0.1:40000", UDP, THERE, "192.0.2.9", None),
        # with it: back to where it came from
        ("SIP/2.0/UDP 10.0.0.1:5070;rport", UDP, THERE, "192.0.2.9", "40000"),
        ("SIP/2.0/UDP 192.0.2.9:40000;rport", UDP, THERE, "192.0.2.9", "40000"),
        ("SIP/2.0/UDP 192.0.2.9;rport=1;received=1.2.3.4", UDP, THERE, "192.0.2.9", "40000"),
        # over a connection: on it
        ("SIP/2.0/TCP 10.0.0.1:5070", TCP, THERE, "192.0.2.9", None),
    ],
)
def test_answer_goes_where_via_and_source_say(
    via: str, flow: Flow, to: tuple[str, int], received_: str, rport: str | None
) -> None:
    door = endpoint()
    event = received(door.receive(bytes(request(Via=f"{via};branch=z9hG4bKx")), flow, 0.0))
    (out,) = door.reply(event.transaction, 200, 0.0)
    assert out.flow == flow._replace(remote=to)
    top = parse(out.data).via
    assert (top.received, top.rport) == (received_, rport)


@pytest.mark.rfc("3261#18.2.1")
def test_only_the_top_via_is_stamped_even_when_it_shares_its_line() -> None:
    door = endpoint()
    both = "SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bKx, SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKy"
    event = received(door.receive(bytes(request(Via=both)), UDP, 0.0))
    (answer,) = sent(door.reply(event.transaction, 200, 0.0))
    assert [str(via) for via in answer.values("via")] == [
        "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;rport=40000;received=192.0.2.9",
        "SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKy",
    ]


@pytest.mark.rfc("3261#12.1.1")
def test_record_route_comes_back_in_the_answer() -> None:
    line = Line()
    b = UserAgent(line, "b", B)
    data = bytes(request("INVITE", Record_Route="<sip:p1;lr>, <sip:p2;lr>", body=SDP))
    b.does(b.receive(data, UDP, 0.0))
    b.does(b.usage.provisional(180, 0.0))
    assert line.last("180 INVITE").all("Record-Route") == ["<sip:p1;lr>, <sip:p2;lr>"]


# --- what this side shows -------------------------------------------------------------------------------


def test_via_and_contact_show_the_address_or_what_is_advertised() -> None:
    behind = {("UDP", HERE): "sip.example.com:5080"}
    door = endpoint(advertise=behind)
    assert door.contact(UDP, "b") == "<sip:b@sip.example.com:5080>"
    assert door.contact(TCP) == "<sip:192.0.2.1:5060;transport=tcp>"
    assert door.host(Flow("UDP", ("2001:db8::1", 5060), THERE)) == "[2001:db8::1]:5060"
    name, via = door.via(UDP)
    assert name == "Via"
    assert via.startswith("SIP/2.0/UDP sip.example.com:5080;branch=z9hG4bK")
    assert via.endswith(";rport")


# --- responses --------------------------------------------------------------------------------------------


def asked(door: Endpoint, ear: Ear, flow: Flow = UDP, **options: Any) -> Request:
    headers = [(name, value.format(method="OPTIONS")) for name, value in BASE.items() if name != "Via"]
    _, (out,) = door.request("OPTIONS", "sip:x@192.0.2.9", headers, flow, ear, 0.0, **options)
    message = parse(out.data)
    assert isinstance(message, Request)
    return message


@pytest.mark.rfc("3261#8.1.3.3")
def test_response_must_have_our_via_alone_and_be_sound() -> None:
    door, ear = endpoint(), Ear()
    ask = asked(door, ear)
    good = respond(ask, 200, to_tag="x")
    for wrong in (
        good.prepended("Via", "SIP/2.0/UDP h;branch=z9hG4bKz"),
        good.without("Via"),
        good.with_header("Via", "SIP/2.0/UDP h;branch=z9hG4bKz"),
        good.with_header("CSeq", "1 INVITE"),
        good.with_header("CSeq", "x"),
        good.with_header("Contact", "<<>>"),
        good.without("Call-ID"),
    ):
        assert door.receive(bytes(wrong), UDP, 0.0) == []
    assert ear.heard == []
    good = good.with_header("Retry-After", "soon").with_header("Reason", "Q.850;cause=x")
    door.receive(bytes(good), UDP, 0.0)  # what is not needed does not cost the answer
    assert [(e.status, e.response) for e in ear.heard] == [(200, good)]
    assert (ear.heard[0].response.value("retry-after"), ear.heard[0].response.values("reason")) == (None, ())
    door.expire(6.0)
    assert door.idle


@pytest.mark.rfc("3261#8.1.3.1")
def test_silence_is_told_as_408_and_a_broken_path_as_503() -> None:
    for fails in (True, False):
        door, ear = endpoint(), Ear()
        asked(door, ear)
        if fails:
            door.unreachable(UDP._replace(remote=("192.0.2.8", 1)), 0.0)  # another path
            door.unreachable(UDP, 0.0)
        else:
            while (at := door.deadline()) is not None:
                door.expire(at)
        ((_, status, response),) = ear.heard
        assert (status, response) == (503 if fails else 408, None)
        assert door.idle


@pytest.mark.rfc("6026#8.8")
def test_broken_path_of_an_answer_changes_nothing() -> None:
    door = endpoint()
    event = received(door.receive(bytes(request(Via="SIP/2.0/UDP h;rport;branch=z9hG4bKx")), UDP, 0.0))
    assert door.unreachable(UDP, 0.0) == []
    assert sent(door.reply(event.transaction, 200, 0.0))
    assert door.unreachable(UDP, 0.0) == []
    assert not door.idle


@pytest.mark.rfc("3261#18.1.1")
def test_large_request_goes_by_tcp_and_once_more_by_udp_where_that_is_refused() -> None:
    door, ear = endpoint(), Ear()
    headers = [(name, value.format(method="OPTIONS")) for name, value in BASE.items() if name != "Via"]
    _, (out,) = door.request("OPTIONS", "sip:x@192.0.2.9", headers, UDP, ear, 0.0, b"x" * 1300, "a/b")
    assert (out.flow, parse(out.data).via.transport) == (TCP, "TCP")
    (again,) = door.unreachable(TCP, 0.5)
    assert (again.flow, parse(again.data).via.transport) == (UDP, "UDP")
    assert parse(again.data).body == b"x" * 1300
    assert [type(event).__name__ for event in ear.heard] == ["Relaunched"]
    door.unreachable(UDP, 1.0)  # not a third time
    assert ear.heard[1:] == [ResponseReceived(ear.heard[0].instead, 503, None)]
    assert door.idle


def test_request_over_a_lost_connection_goes_by_the_address_given_instead() -> None:
    door, ear = endpoint(), Ear()
    instead = TCP._replace(remote=("192.0.2.9", 5060))
    asked(door, ear, TCP, instead=instead)
    (again,) = door.unreachable(TCP, 0.5)
    assert again.flow == instead
    other = endpoint()
    asked(other, ear, TCP, instead=UDP)  # this side never spoke UDP from there
    assert other.unreachable(TCP, 0.5) == []
    assert ear.heard[-1].status == 503


# --- bounds ------------------------------------------------------------------------------------------------


def test_flood_is_answered_503_without_being_remembered() -> None:
    door = endpoint(transactions_max=3)
    for index in range(10):
        out = door.receive(
            bytes(
                request("INVITE", Via=f"SIP/2.0/UDP h;branch=z9hG4bK{index}", Call_ID=str(index), body=SDP)
            ),
            UDP,
            0.0,
        )
        if index < 3:
            received(out)
        else:
            assert (refused(out).status, refused(out).get("Retry-After")) == (503, "5")
    assert door.remains() == {"client transactions": 0, "server transactions": 3, "dialogs": 0}


@pytest.mark.rfc("3261#9.2")
def test_cancel_of_nothing_gets_481_without_being_remembered() -> None:
    door = endpoint()
    for index in range(10):
        via = f"SIP/2.0/UDP h;branch=z9hG4bK{index}"
        assert refused(door.receive(bytes(request("CANCEL", Via=via)), UDP, 0.0)).status == 481
    assert door.idle


@pytest.mark.rfc("3261#9.2")
def test_cancel_is_answered_and_told_once() -> None:
    door, ear = endpoint(), Ear()
    event = received(door.receive(bytes(request("INVITE", body=SDP)), UDP, 0.0))
    assert refused(door.receive(bytes(request("CANCEL")), UDP, 0.0)).status == 200
    assert ear.heard == []  # nobody has taken the INVITE
    door = endpoint()
    event = received(door.receive(bytes(request("INVITE", body=SDP)), UDP, 0.0))
    event.transaction.owner = ear
    for _ in range(2):
        assert refused(door.receive(bytes(request("CANCEL")), UDP, 0.0)).status == 200
    (told,) = ear.heard
    assert isinstance(told, Cancelled)
    assert told.transaction is event.transaction


def test_cancel_before_a_provisional_says_nothing() -> None:
    line = Line()
    a, b = UserAgent(line, "a", A), Puppet(line, "b", B)
    a.call(b)
    transaction = a.usage._calling.transaction  # type: ignore[union-attr]
    assert a.endpoint.cancel(transaction, 0.0) == []


@pytest.mark.rfc("3261#17.2.3")
def test_new_invite_on_an_old_branch_is_not_forgotten_with_the_old_one() -> None:
    door = endpoint()
    invite = bytes(request("INVITE", Via="SIP/2.0/TCP h;branch=z9hG4bKx", body=SDP))
    first = received(door.receive(invite, TCP, 0.0)).transaction
    door.reply(first, 486, 0.0)
    ack = request("ACK", CSeq="1 ACK", Via="SIP/2.0/TCP h;branch=z9hG4bKx")
    door.receive(bytes(ack), TCP, 0.0)
    assert door.idle
    received(door.receive(invite, TCP, 1.0))
    assert door.reply(first, 200, 1.0) == []  # the old one says nothing any more
    assert door.remains()["server transactions"] == 1


def test_requests_of_an_ended_call_end_too() -> None:
    line, a, b = talking()
    a.does(a.usage.hang_up(line.now))
    all_over(line, a, b)
    assert a.endpoint.remains() == {"client transactions": 0, "server transactions": 0, "dialogs": 0}
