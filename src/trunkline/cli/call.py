"""Call a number with a built-in phone, and judge the call.

The phone has the account of the user FROM: it registers at the running IPBX of the site
file, dials TO as that user would (0 0199009001 for an outside line; spaces do not
count), plays a tone, and listens. The call passes if it is answered, RTP flows both ways
and does not stop, and the tone that the site's carrier plays at that number is heard (an
echo: the phone's own).

Exit codes: 0 PASS; 1 FAIL; 2 the site file cannot be read or has errors."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from trunkline.aio.route import address_toward
from trunkline.aio.run import run
from trunkline.call.party import TEST_TONES, Behaviour
from trunkline.call.phone import PhoneCall
from trunkline.cli import asking, serving, show
from trunkline.cli.paper import Paper
from trunkline.cli.secrets import fetched
from trunkline.cli.sitefile import EXIT_FINDINGS, EXIT_GOOD, Refused, complain, read, ready
from trunkline.lab.judge import Seen, Side, Verdict, Wanted, judge
from trunkline.lab.phones import LabPhone, side_of
from trunkline.lab.scenarios import listening_for
from trunkline.lab.wire import Passed, Watching, of_calls
from trunkline.pbx.dialplan import Dialplan, External
from trunkline.sdp.offer_answer import spoken
from trunkline.sip.transaction import TimerValues
from trunkline.site.model import CarrierSubscriber, Site, User

REGISTER = 10.0  # seconds for the IPBX to take the registration
MORE = 5.0  # seconds more than the maximum ringing time until nobody will answer
END = 40.0  # seconds for an unanswered BYE to be given up
SECONDS_MAX = 3600.0


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument("from_", metavar="FROM", help="the extension that calls")
    parser.add_argument("to", metavar="TO", help="what it dials")
    parser.add_argument("--seconds", type=_seconds, default=3.0, metavar="N", help="how long they talk (3)")
    parser.add_argument(
        "--address", metavar="IP", help="this phone's own address (default: the one that leads there)"
    )
    parser.add_argument("--trace", metavar="FILE.pcapng", help="write the SIP that passes, for Wireshark")
    Paper.arguments(parser)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= SECONDS_MAX:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds up to {SECONDS_MAX:g}")
    return seconds


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    try:
        site, user = _account(given.site, given.from_)
    except Refused as refused:
        return complain(refused)
    if user is None:
        known = ", ".join(user.extension for user in site.users) or "none"
        print(f"{given.site}: no user {given.from_} (there: {known})", file=sys.stderr)
        return asking.EXIT_USE
    number = "".join(letter for letter in given.to if letter not in " .-")
    try:
        passed = run(_call(given, site, user, number))
    except OSError as error:
        return asking.cannot_start(error)
    return EXIT_GOOD if passed else EXIT_FINDINGS


def _account(file: str, extension: str) -> tuple[Site, User | None]:
    """The site, and this user with the password; other users' need not be there. Raises Refused."""
    site = ready(file, wanted=())
    place = next((place for place, user in enumerate(site.users) if user.extension == extension), None)
    if place is None:
        return site, None
    filled, missing = fetched(read(file), Path(file).parent, frozenset(("users",)))
    mine = tuple(finding for finding in missing if finding.path == f"users.{place}.password")
    if mine:
        raise Refused(file, mine)
    return site, filled.users[place]


async def _call(given: Namespace, site: Site, user: User, number: str) -> bool:
    interfaces, listen = site.interfaces, site.phones.listen
    interface = interfaces.eth1 if listen.interface == "eth1" else interfaces.eth0
    registrar = (interface or interfaces.eth0).address, listen.udp
    t = site.timers
    async with serving.Parts() as parts:
        wire = Watching(parts.trace(given.trace))
        phone = LabPhone(
            user, site.phones.realm, registrar, given.address or address_toward(*registrar),
            timers=TimerValues(t.t1, t.t2, t.t4), trace=wire, behaviour=Behaviour(does="busy"),
            codecs=spoken(site.trunk.gateways[0].media.codecs),
        )  # fmt: skip
        parts.push_async_callback(phone.stop)
        phone.start()
        if not await phone.registered(REGISTER):
            why = phone.phone.registration.why or "no answer"
            seen = Seen(Side("the phone"), refused=f"{user.extension} is not registered: {why}")
            return _tell(given, seen, judge(seen, Wanted()), wire.passed, registrar)
        tone = TEST_TONES[0]
        subscriber = _subscriber(site, user, number)
        expected = _expected(subscriber, tone)
        others = (*TEST_TONES, *(known.tone for known in site.carrier.subscribers))
        behaviour = Behaviour(tone=tone, listen=listening_for(expected or tone, others))
        call = phone.call(number, behaviour)
        seen = await _follow(given, site, phone, call)
    call_id = call.leg.usage.call_id
    verdict = judge(seen, Wanted(near_tone=expected))
    return _tell(given, seen, verdict, of_calls(wire.passed, frozenset((call_id,))), registrar)


async def _follow(given: Namespace, site: Site, phone: LabPhone, call: PhoneCall) -> Seen:
    """From dialling to the end."""
    patience = site.calls.ringing_max + MORE
    await phone.node.until(lambda: bool(call.answered_at or call.cause), patience)
    answered = call.answered_at
    if answered is not None:
        await phone.node.until(lambda: call.ended_at is not None, given.seconds)
    phone.hang_up(call)
    await phone.node.until(lambda: call.gone and (call.report is not None or call.stream is None), END)
    refused = ""
    if answered is None and call.cause is not None:
        refused = f"{call.cause.status or ''} {call.cause.text}".strip()
    return Seen(
        side_of(call, "the phone"),
        answered_after=None if answered is None else answered - call.invited_at,
        refused=refused,
        silent=call.silent,
    )


def _subscriber(site: Site, user: User, dialled: str) -> CarrierSubscriber | None:
    """The public subscriber of the site's carrier that this call reaches; None for any other number."""
    route = Dialplan(site.numbering, site.users).route(f"sip:{dialled}@{site.phones.realm}", user)
    if not isinstance(route, External):
        return None
    return next((known for known in site.carrier.subscribers if known.number == route.number), None)


def _expected(subscriber: CarrierSubscriber | None, own: int) -> int:
    """The tone that should come back; 0 where nobody knows what is played there."""
    if subscriber is None or subscriber.does == "external":
        return 0
    return own if subscriber.does == "echo" else subscriber.tone


def _tell(
    given: Namespace, seen: Seen, verdict: Verdict, passed: list[Passed], registrar: tuple[str, int]
) -> bool:
    phone = f"phone {given.from_}"
    steps = show.steps_of(passed, {registrar: "IPBX"}, phone)
    said = {
        "from": given.from_,
        "to": given.to,
        **show.as_json(seen, verdict),
        "ladder": show.steps_as_json(steps),
    }
    words = "\n".join(show.call_lines(seen, verdict, steps, (phone, "IPBX"), Paper.of(given)))
    asking.tell(given, said, lambda _: words)
    return verdict.passed
