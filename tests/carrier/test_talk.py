"""What an access SBC can tell about the calls of its built-in subscribers."""

from __future__ import annotations

from typing import Any

from tests.example_site import TEXT

from trunkline.call import events
from trunkline.call.cause import Cause
from trunkline.call.node import Drain
from trunkline.call.party import TEST_TONES, Behaviour
from trunkline.carrier.sbc import Sbc
from trunkline.carrier.talk import KEPT
from trunkline.media import anchor
from trunkline.site.load import load


class Ids:
    """Words and numbers in order."""

    def __init__(self) -> None:
        self._next = 0

    def token(self) -> str:
        self._next += 1
        return f"id{self._next:06d}"

    def number(self, below: int) -> int:
        return 7 % below


def access_sbc() -> Sbc:
    site = load(TEXT, "bvpn.yaml").site
    assert site is not None
    return Sbc(site, site.carrier.sbcs[0], Ids(), 0.0)


def placed(sbc: Sbc) -> tuple[str, list[Any]]:
    return sbc.place("+33199009001", "+33199001001", Behaviour(tone=425), 0.0)


def anchored(sbc: Sbc, leg: str, outputs: list[Any]) -> None:
    offer = next(output for output in outputs if isinstance(output, anchor.Offer))
    sbc.receive(anchor.Anchored(offer.media, leg, offer.address, 20000, 20001), 0.1)


def test_a_subscribers_call_is_told_from_its_first_moment() -> None:
    sbc = access_sbc()
    leg, outputs = placed(sbc)
    anchored(sbc, leg, outputs)
    (told,) = sbc.status(0.2)["talks"]
    assert (told["leg"], told["number"], told["other"]) == (leg, "+33199009001", "+33199001001")
    assert (told["over"], told["heard"], told["sent"]) == (False, [], None)


def test_what_a_subscriber_hears_is_kept_until_it_listens_anew() -> None:
    sbc = access_sbc()
    leg, outputs = placed(sbc)
    anchored(sbc, leg, outputs)
    sbc.receive(anchor.Heard("m", leg, 700), 1.0)
    assert sbc.status(1.0)["talks"][0]["heard"] == [700]
    (listen,) = sbc.listen(TEST_TONES)
    assert isinstance(listen, anchor.Listen)
    assert (listen.leg, listen.tones) == (leg, TEST_TONES)
    assert sbc.status(1.0)["talks"][0]["heard"] == []


def test_silence_the_end_and_the_report_are_told_after_the_leg_is_gone() -> None:
    sbc = access_sbc()
    leg, outputs = placed(sbc)
    anchored(sbc, leg, outputs)
    talk = sbc.talks[leg]
    sbc.receive(anchor.Silent("m", leg, 2.0), 1.0)
    talk.hear(events.Refused(talk.leg, Cause(17, 486), 0, None))
    talk.hear(events.Gone(talk.leg))
    sbc.receive(anchor.Report("m", leg, 50, 48, 2, 1.25, (), 4.1), 2.0)
    told = talk.status()
    assert (told["silent"], told["over"], told["cause"], told["status"]) == (True, True, 17, 486)
    assert (told["sent"], told["received"], told["lost"], told["jitter"], told["mos"]) == (
        50,
        48,
        2,
        1.25,
        4.1,
    )


def test_talks_are_bounded_and_the_oldest_is_forgotten() -> None:
    sbc = access_sbc()
    legs = [placed(sbc)[0] for _ in range(KEPT + 1)]
    assert list(sbc.talks) == legs[1:]


def test_a_stopped_sbc_asks_nobody_to_listen() -> None:
    sbc = access_sbc()
    leg, outputs = placed(sbc)
    anchored(sbc, leg, outputs)
    sbc.receive(Drain(), 1.0)
    sbc.receive(anchor.Report("m", leg, 0, 0, 0), 1.0)
    sbc.expire(60.0)
    assert sbc.drained
    assert sbc.listen(TEST_TONES) == []
