"""Session timers: what is asked, what is settled, when to refresh and when to give up (RFC 4028)."""

from __future__ import annotations

import pytest

from trunkline.sip.message import Request, Response
from trunkline.sip.session import SessionPolicy, SessionTimer

POLICY = SessionPolicy(expires=600, min_se=120)


def request(*headers: tuple[str, str]) -> Request:
    return Request.build("INVITE", "sip:b@example.com", headers)


def response(status: int = 200, *headers: tuple[str, str]) -> Response:
    return Response.build(status, None, headers)


def timer(**changes: object) -> SessionTimer:
    values: dict[str, object] = {"expires": 600, "min_se": 120, **changes}
    return SessionTimer(SessionPolicy(**values))  # type: ignore[arg-type]


@pytest.mark.rfc("4028#7.1")
def test_request_asks_for_an_interval_and_a_floor() -> None:
    assert timer().request_headers() == [("Session-Expires", "600"), ("Min-SE", "120")]
    assert timer(min_se=90).request_headers("uac") == [("Session-Expires", "600;refresher=uac")]
    assert timer(timer=False).request_headers() == []


def test_supported_says_what_the_policy_wants() -> None:
    assert SessionPolicy().supported == "100rel, timer"
    assert SessionPolicy(timer=False).supported == "100rel"
    assert SessionPolicy(reliable="off").supported == "timer"
    assert SessionPolicy(timer=False, reliable="off").supported == ""


@pytest.mark.rfc("4028#9")
@pytest.mark.parametrize(
    ("headers", "said", "we_refresh"),
    [
        # table 2: does the UAC support it, whom does it name
        ((), "600;refresher=uas", True),
        ((("Session-Expires", "300"),), "300;refresher=uas", True),
        ((("Supported", "timer"),), "600;refresher=uac", False),
        ((("Supported", "timer"), ("Session-Expires", "300")), "300;refresher=uac", False),
        ((("Require", "timer"), ("Session-Expires", "300;refresher=uac")), "300;refresher=uac", False),
        ((("Supported", "timer"), ("Session-Expires", "300;refresher=uas")), "300;refresher=uas", True),
        ((("Supported", "timer"), ("Session-Expires", "9000")), "600;refresher=uac", False),
        ((("Supported", "timer"), ("Min-SE", "1200")), "1200;refresher=uac", False),
    ],
)
def test_2xx_settles_interval_and_refresher(
    headers: tuple[tuple[str, str], ...], said: str, we_refresh: bool
) -> None:
    machine = timer()
    answer = dict(machine.accept(request(*headers), 100.0))
    assert answer["Session-Expires"] == said
    assert answer.get("Require") == ("timer" if said.endswith("uac") else None)
    assert machine.we_refresh is we_refresh
    interval = int(said.partition(";")[0])
    assert machine.deadline() == 100 + (interval / 2 if we_refresh else interval - min(32, interval / 3))


def test_timer_that_is_off_settles_nothing() -> None:
    machine = timer(timer=False)
    assert machine.accept(request(("Supported", "timer")), 0.0) == []
    machine.accepted(response(200, ("Session-Expires", "90;refresher=uac")), 0.0)
    assert machine.deadline() is None
    assert machine.due(9999.0) == ""
    machine.failed(0.0)
    assert machine.deadline() is None


@pytest.mark.rfc("4028#9")
def test_interval_below_the_floor_is_refused_to_who_understands_it() -> None:
    low = ("Session-Expires", "90")
    assert timer().refuses(request(low, ("Supported", "timer")))
    assert not timer().refuses(request(low))
    assert not timer().refuses(request(("Session-Expires", "120"), ("Supported", "timer")))
    assert not timer(timer=False).refuses(request(low, ("Supported", "timer")))
    assert not timer().refuses(request(("Supported", "timer")))


@pytest.mark.rfc("4028#7.3")
def test_422_raises_what_is_asked_for_once() -> None:
    machine = timer()
    assert not machine.too_small(response(422))
    assert not machine.too_small(response(422, ("Min-SE", "100")))
    assert machine.too_small(response(422, ("Min-SE", "900")))
    assert machine.request_headers() == [("Session-Expires", "900"), ("Min-SE", "900")]
    assert not machine.too_small(response(422, ("Min-SE", "900")))


@pytest.mark.rfc("4028#7.2")
@pytest.mark.parametrize(
    ("agreed", "first"),
    [("600;refresher=uac", 300), ("600;refresher=uas", 568), ("600", 300), ("30;refresher=uas", 60)],
)
def test_uac_follows_the_2xx(agreed: str, first: float) -> None:
    machine = timer()
    machine.accepted(response(200, ("Session-Expires", agreed)), 0.0)
    assert machine.deadline() == first
    machine.accepted(response(200), 1.0)  # a 2xx without it ends the timer
    assert machine.deadline() is None


@pytest.mark.rfc("4028#10")
def test_refresh_is_asked_for_once_and_then_given_up() -> None:
    machine = timer()
    machine.accepted(response(200, ("Session-Expires", "600;refresher=uac")), 0.0)
    assert machine.due(299.0) == ""
    assert machine.due(300.0) == "refresh"
    assert machine.due(301.0) == ""
    machine.failed(332.0)
    assert machine.deadline() == 466
    assert machine.due(466.0) == "refresh"
    machine.failed(560.0)  # what is left is too short for another
    assert machine.deadline() == 568
    assert machine.due(568.0) == "expired"
    assert machine.deadline() is None


def test_stopped_timer_never_fires() -> None:
    machine = timer()
    machine.accept(request(), 0.0)
    machine.stop()
    assert machine.deadline() is None
    assert machine.due(9999.0) == ""
