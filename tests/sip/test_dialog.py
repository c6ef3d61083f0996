"""What a dialog remembers, and the requests that follow from it (RFC 3261 §12)."""

from __future__ import annotations

import pytest

from trunkline.finding import ParseError
from trunkline.sip.dialog import Dialog, DialogId, DialogState
from trunkline.sip.flow import Flow
from trunkline.sip.message import Request, Response, respond

UDP = Flow("UDP", ("192.0.2.1", 5060), ("192.0.2.2", 5060))
TCP = Flow("TCP", ("192.0.2.1", 5060), ("192.0.2.2", 40000))
ROUTES = ("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>, <sip:p3.example.com;lr>")


def invite(*more: tuple[str, str], contact: str = "<sip:a@192.0.2.2:5062>") -> Request:
    headers = [
        ("Via", "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKx"),
        ("From", '"A" <sip:a@example.com>;tag=theirs'),
        ("To", "<sip:b@example.com>"),
        ("Call-ID", "call"),
        ("CSeq", "7 INVITE"),
        *((("Contact", contact),) if contact else ()),
        *more,
    ]
    return Request.build("INVITE", "sip:b@192.0.2.1", headers)


def called(*more: tuple[str, str], contact: str = "<sip:a@192.0.2.2:5062>", flow: Flow = UDP) -> Dialog:
    return Dialog.of_request(invite(*more, contact=contact), "ours", flow, 100, None)


def answer(*more: tuple[str, str], status: int = 200, contact: str = "<sip:b@192.0.2.2:5064>") -> Response:
    headers = (*((("Contact", contact),) if contact else ()), *more)
    return respond(invite(), status, to_tag="theirs", headers=headers)


def calling(*more: tuple[str, str], contact: str = "<sip:b@192.0.2.2:5064>", flow: Flow = UDP) -> Dialog:
    return Dialog.of_response(invite(), answer(*more, status=180, contact=contact), flow, None)


def routes(headers: list[tuple[str, str]]) -> list[str]:
    return [value for name, value in headers if name == "Route"]


# --- making one -------------------------------------------------------------------------------


@pytest.mark.rfc("3261#12.1.1")
def test_uas_takes_its_dialog_from_the_request() -> None:
    dialog = called(("Record-Route", ROUTES[0]), ("Record-Route", ROUTES[1]), ("Allow", "INVITE, UPDATE"))
    assert dialog.id == DialogId("call", "ours", "theirs")
    assert (dialog.local, dialog.remote) == (
        "<sip:b@example.com>;tag=ours",
        '"A" <sip:a@example.com>;tag=theirs',
    )
    assert (dialog.local_seq, dialog.remote_seq) == (100, 7)
    assert str(dialog.target) == "sip:a@192.0.2.2:5062"
    assert [str(route.uri.host) for route in dialog.route] == [f"p{n}.example.com" for n in (1, 2, 3)]
    assert dialog.state is DialogState.EARLY
    assert (dialog.allows("UPDATE"), dialog.allows("INFO")) == (True, False)


@pytest.mark.rfc("3261#12.1.2")
def test_uac_takes_its_dialog_from_the_response_with_the_routes_reversed() -> None:
    dialog = calling(("Record-Route", ROUTES[0]), ("Record-Route", ROUTES[1]))
    assert dialog.id == DialogId("call", "theirs", "theirs")
    assert (dialog.local_seq, dialog.remote_seq) == (7, None)
    assert [str(route.uri.host) for route in dialog.route] == [f"p{n}.example.com" for n in (3, 2, 1)]
    assert not dialog.allows("UPDATE")


@pytest.mark.rfc("4475#3.4.1")
def test_request_without_contact_is_taken_as_from_whom_from_names() -> None:
    assert str(called(contact="").target) == "sip:a@example.com"
    with pytest.raises(ParseError, match="Contact"):
        called(contact="*")


def test_response_without_contact_is_taken_as_from_whom_we_called() -> None:
    for contact in ("", "*"):
        assert str(calling(contact=contact).target) == "sip:b@192.0.2.1"


def test_tag_that_the_to_already_has_stays() -> None:
    assert called(("X", "y")).local.endswith(";tag=ours")
    again = Dialog.of_request(invite().with_header("To", "<sip:b@example.com>;tag=old"), "ours", UDP, 1, None)
    assert again.local == "<sip:b@example.com>;tag=old"


@pytest.mark.rfc("3261#13.2.2.4")
def test_2xx_fixes_target_and_routes_anew() -> None:
    dialog = calling(("Record-Route", ROUTES[0]))
    dialog.confirm(answer(("Record-Route", ROUTES[1]), ("Allow", "INFO"), contact="<sip:b@192.0.2.9>"))
    assert dialog.state is DialogState.CONFIRMED
    assert str(dialog.target) == "sip:b@192.0.2.9"
    assert [route.uri.host for route in dialog.route] == ["p3.example.com", "p2.example.com"]
    assert dialog.allows("INFO")
    dialog.retarget(answer(contact=""))
    assert str(dialog.target) == "sip:b@192.0.2.9"
    uas = called()
    uas.confirm()
    assert uas.state is DialogState.CONFIRMED


# --- requests inside it --------------------------------------------------------------------------


@pytest.mark.rfc("3261#12.2.1.1")
def test_requests_count_up_and_the_ack_repeats_its_invite() -> None:
    dialog = called()
    uri, headers = dialog.addressing("BYE")
    assert uri == "sip:a@192.0.2.2:5062"
    assert dict(headers) == {
        "Max-Forwards": "70",
        "From": "<sip:b@example.com>;tag=ours",
        "To": '"A" <sip:a@example.com>;tag=theirs',
        "Call-ID": "call",
        "CSeq": "101 BYE",
    }
    assert dict(dialog.addressing("INFO")[1])["CSeq"] == "102 INFO"
    assert dict(dialog.addressing("ACK", 101)[1])["CSeq"] == "101 ACK"
    assert dict(dialog.addressing("BYE")[1])["CSeq"] == "103 BYE"


@pytest.mark.rfc("3261#12.2.1.1")
def test_loose_routes_keep_the_target_in_the_request_uri() -> None:
    uri, headers = called(("Record-Route", ROUTES[0]), ("Record-Route", ROUTES[1])).addressing("BYE")
    assert uri == "sip:a@192.0.2.2:5062"
    assert routes(headers) == [f"<sip:p{n}.example.com;lr>" for n in (1, 2, 3)]


@pytest.mark.rfc("3261#12.2.1.1")
def test_strict_router_takes_the_place_of_the_target() -> None:
    strict = ("Record-Route", "<sip:p1.example.com;method=BYE?x=y>, <sip:p2.example.com;lr>")
    uri, headers = called(strict).addressing("BYE")
    assert uri == "sip:p1.example.com"
    assert routes(headers) == ["<sip:p2.example.com;lr>", "<sip:a@192.0.2.2:5062>"]


@pytest.mark.rfc("3261#19.1.1")
def test_request_uri_bears_no_headers_of_a_contact() -> None:
    dialog = called(contact="<sip:a@192.0.2.2;user=phone;method=INVITE?Subject=x>")
    assert dialog.addressing("BYE")[0] == "sip:a@192.0.2.2;user=phone"


@pytest.mark.rfc("3261#12.2.2")
def test_requests_of_the_peer_must_come_in_order() -> None:
    dialog = called()
    bye = invite().with_header("CSeq", "6 BYE")
    assert not dialog.in_order(bye)
    assert dialog.remote_seq == 7
    assert dialog.in_order(invite().with_header("CSeq", "9 BYE"))
    assert not dialog.in_order(invite().with_header("CSeq", "8 BYE"))
    assert calling().in_order(bye)  # the first one counts from itself


# --- where they go --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contact", "to"),
    [
        ("<sip:a@192.0.2.2:5060>", UDP),
        ("<sip:a@192.0.2.2:5062>", UDP._replace(remote=("192.0.2.2", 5062))),
        ("<sip:a@192.0.2.9>", UDP._replace(remote=("192.0.2.9", 5060))),
        ("<sip:a@[2001:db8::9]:5070>", UDP._replace(remote=("2001:db8::9", 5070))),
        ("<sip:a@phone.example.com>", UDP),  # a name stays with who answered for it
        ("<sip:a@192.0.2.9;transport=tcp>", UDP),
        ("<sips:a@192.0.2.9>", UDP),
        ("<tel:+33199001000>", UDP),
    ],
)
def test_request_goes_to_the_address_that_contact_names(contact: str, to: Flow) -> None:
    dialog = called(contact=contact)
    assert dialog.next_flow() == to
    assert dialog.instead() is None


def test_route_comes_before_the_target() -> None:
    dialog = called(("Record-Route", "<sip:192.0.2.7:5066;lr>"))
    assert dialog.next_flow().remote == ("192.0.2.7", 5066)


@pytest.mark.rfc("5923#5")
@pytest.mark.parametrize(
    ("contact", "instead"),
    [
        ("<sip:a@192.0.2.2:5062;transport=tcp>", Flow("TCP", TCP.local, ("192.0.2.2", 5062))),
        ("<sip:a@192.0.2.2>", Flow("UDP", TCP.local, ("192.0.2.2", 5060))),
        ("<sips:a@192.0.2.2>", Flow("TLS", TCP.local, ("192.0.2.2", 5061), "sbc.example.com")),
        ("<sip:a@192.0.2.2:40000;transport=TCP>", None),  # where the connection goes already
        ("<sip:a@phone.example.com>", None),
    ],
)
def test_peer_on_a_connection_is_reached_by_it_and_if_that_is_lost_by_its_address(
    contact: str, instead: Flow | None
) -> None:
    flow = TCP._replace(transport="TLS", peer="sbc.example.com") if "sips" in contact else TCP
    dialog = called(contact=contact, flow=flow)
    assert dialog.next_flow() == flow
    assert dialog.instead() == instead
