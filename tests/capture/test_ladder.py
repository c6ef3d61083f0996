"""The ladder, as it is drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.capture.ladder import Step, draw, notes, step, summary
from trunkline.sip.message import Request, Response, respond

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 0 101 96 97\r\na=rtpmap:101 telephone-event/8000\r\na=rtpmap:96 opus/48000/2\r\n"
    b"a=ptime:20\r\n"
)
HEAD = [
    ("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1"),
    ("From", "<sip:a@b>;tag=1"),
    ("To", "<sip:c@d>"),
    ("Call-ID", "1"),
    ("CSeq", "1 INVITE"),
]
INVITE = Request.build("INVITE", "sip:+33199000012@sbc.example.com", HEAD, SDP)
BYE = Request.build("BYE", "sip:c@d", [*HEAD[:4], ("CSeq", "2 BYE")])


def test_a_call_reads_as_a_ladder() -> None:
    steps = [
        step(INVITE, 10.0, "phone 100", "IPBX"),
        step(respond(INVITE, 100), 10.002, "IPBX", "phone 100"),
        step(INVITE, 10.01, "IPBX", "SBC"),
        step(INVITE, 10.51, "IPBX", "SBC"),
        step(respond(INVITE, 503, headers=[("Retry-After", "5")]), 10.6, "SBC", "IPBX"),
        step(BYE, 12.5, "phone 100", "SBC"),
        step(respond(BYE, 200), 12.6, "SBC", "phone 100"),
    ]
    drawn = draw(steps, width=80, parties=("phone 100", "IPBX", "SBC")).splitlines()
    assert drawn == [
        "          phone 100                         IPBX                             SBC",
        "              │                               │                               │",
        "   0.000      ├───── INVITE +33199000012 ────▶│                               │",
        "              │  PCMA+PCMU+DTMF+opus+97 20 ms │                               │",
        "              │  127.0.0.1:4000               │                               │",
        "   0.002      │◀───────── 100 Trying ─────────┤                               │",
        "   0.010      │                               ├─── INVITE +33199000012 ×2 ───▶│",
        "              │                               │  PCMA+PCMU+DTMF+opus+97 20 ms │",
        "              │                               │  127.0.0.1:4000               │",
        "   0.600      │                               │◀── 503 Service Unavailable ───┤",
        "              │                               │  Retry-After: 5               │",
        "   2.500      ├───────────────────────────── BYE ────────────────────────────▶│",
        "   2.600      │◀──────────────────────── 200 OK [BYE] ────────────────────────┤",
    ]


def test_ascii_has_no_other_letters() -> None:
    drawn = draw(
        [Step(0, "à", "b", "INVITE é → a name that is far too long for its arrow")], width=60, ascii_only=True
    )
    assert drawn.isascii()
    assert "|- INVITE ? > a" in drawn or "|-" in drawn
    assert "->|" in drawn
    assert draw([Step(0, "a", "b", "x")] * 3, ascii_only=True).count("x3") == 1


def test_colours_change_no_column() -> None:
    steps = [
        Step(0, "a", "b", "INVITE", ("note",)),
        Step(0, "b", "a", "180 Ringing"),
        Step(0, "b", "a", "302 Moved"),
        Step(0, "b", "a", "486 Busy"),
        Step(0, "b", "b", "thinks"),
    ]
    plain, coloured = draw(steps), draw(steps, colour=True)
    for code in ("\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[2m", "\x1b[0m"):
        assert code in coloured
        coloured = coloured.replace(code, "")
    assert coloured == plain


def test_a_party_that_talks_to_itself_or_shares_its_column_has_a_short_arrow() -> None:
    names = [f"party {number}" for number in range(9)]
    steps = [
        Step(0, names[0], names[0], "thinks", ("never shown",)),
        Step(1, names[7], names[8], "between the others"),
        Step(2, names[0], names[8], "to one of the others"),
    ]
    lines = draw(steps, parties=names, width=60).splitlines()
    assert "others" in lines[0]
    assert "│◀ thinks" in lines[-3]
    assert lines[-2].endswith("between the others ▶│")
    assert lines[-1].endswith("▶│")
    assert all(len(line) <= 60 for line in lines)


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw([]) == ""


def test_control_characters_of_foreign_messages_do_not_reach_the_terminal() -> None:
    drawn = draw([Step(0, "a\x1b[2J", "b\n", "INVITE \x1b[31m\r", ("no\x07te",))])
    assert "\x1b" not in drawn
    assert "\r" not in drawn
    assert "\x07" not in drawn


@given(
    st.lists(
        st.builds(
            Step,
            st.floats(-1e9, 1e9),
            st.text(max_size=20),
            st.text(max_size=20),
            st.text(max_size=50),
            st.lists(st.text(max_size=80), max_size=3).map(tuple),
        ),
        max_size=12,
    ),
    st.integers(-5, 200),
    st.booleans(),
)
def test_no_line_is_wider_than_asked(steps: list[Step], width: int, ascii_only: bool) -> None:
    drawn = draw(steps, width=width, ascii_only=ascii_only)
    assert all(len(line) <= max(width, 60) for line in drawn.split("\n"))


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (INVITE, "INVITE +33199000012"),
        (Request.build("INVITE", "tel:+33199000012", HEAD), "INVITE +33199000012"),
        (Request("INVITE nonsense SIP/2.0", []), "INVITE nonsense"),
        (Request.build("REGISTER", "sip:sbc.example.com", HEAD), "REGISTER"),
        (respond(INVITE, 180), "180 Ringing"),
        (respond(BYE, 481, "Gone"), "481 Gone [BYE]"),
        (Response.build(200, None, []), "200 OK"),
    ],
)
def test_the_arrow_says_the_method_or_the_status_and_what_it_answers(
    message: Request | Response, text: str
) -> None:
    assert summary(message) == text


def offer(sdp: bytes, content_type: str = "application/sdp") -> tuple[str, ...]:
    return notes(Request.build("INVITE", "sip:a@b", HEAD, sdp, content_type))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"", b"", ("PCMA+PCMU+DTMF+opus+97 20 ms", "127.0.0.1:4000")),
        (b"a=ptime:20\r\n", b"a=sendonly\r\n", ("PCMA+PCMU+DTMF+opus+97", "127.0.0.1:4000 sendonly")),
        (b"RTP/AVP 8 0 101 96 97", b"RTP/SAVP 8", ("PCMA 20 ms encrypted", "127.0.0.1:4000")),
        (b"audio 4000", b"audio 0", ("audio refused",)),
        (b"c=IN IP4 127.0.0.1\r\n", b"", ("PCMA+PCMU+DTMF+opus+97 20 ms", "port 4000")),
        (b"m=audio", b"m=video", ()),
        (b"v=0", b"no SDP", ()),
    ],
)
def test_the_note_says_what_the_sdp_says_of_audio(old: bytes, new: bytes, told: tuple[str, ...]) -> None:
    assert offer(SDP.replace(old, new) if old else SDP) == told


def test_bodies_that_are_no_sdp_are_passed_over() -> None:
    assert offer(SDP, "text/plain") == ()
    assert notes(Request("INFO sip:a@b SIP/2.0", [], SDP)) == ()


def test_why_a_call_ended_or_is_to_wait_is_noted() -> None:
    reason = ("Reason", 'Q.850;cause=16;text="Normal call clearing"')
    bye = Request.build("BYE", "sip:c@d", [*HEAD, reason, ("Reason", "SIP")])
    assert notes(bye) == ("Q.850 16 Normal call clearing", "SIP")
    assert notes(respond(INVITE, 503, headers=[("Retry-After", "30")])) == ("Retry-After: 30",)
    assert notes(Request.build("BYE", "sip:c@d", [*HEAD, ("Reason", ";;=")])) == ()


@pytest.mark.rfc("4568#7")
def test_no_key_of_a_secured_call_is_drawn() -> None:
    key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    sdp = (
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=audio 4000 RTP/SAVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
        f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n"
    )
    headers = [("From", "<sip:a@x>;tag=1"), ("To", "<sip:b@x>"), ("Call-ID", "c"), ("CSeq", "1 INVITE")]
    message = Request.build("INVITE", "sip:b@x", headers, sdp.encode())
    drawn = draw([step(message, 0.0, "a", "b")])
    assert "INVITE" in drawn
    assert key not in drawn
