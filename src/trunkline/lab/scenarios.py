"""What the demo plays, as data: its acts, the calls in them, and what should become of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from trunkline.lab.judge import Wanted
from trunkline.site.model import CarrierSubscriber, Numbering, Site

APART = 40  # Hz between two tones that a listener tells apart (media.tone)
BYE_TIMERS = 64  # times T1 an unanswered BYE is repeated (RFC 3261 §17.1.2.2, timer F)
SLACK = 1.0  # seconds more that a busy machine may take
NORMAL, SILENT = 16, 41  # Q.850 causes that the records should have


class Loss(StrEnum):
    """How the nominal SBC is lost."""

    NONE = ""
    UNAVAILABLE = "503"
    STOPPED = "stopped"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class Plan:
    """One call: `user` and `subscriber` count the site's, `gateway` the trunk's; 0 is the first."""

    title: str
    user: int = 0
    subscriber: int = 0
    gateway: int = 0
    incoming: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """A call, what befalls the nominal SBC while it is up, a new call then, and one when it is back.

    `says` is what should be seen, for a person who watches; `goes_on` names what the
    call outlives ("": it does not).
    """

    title: str
    says: str
    call: Plan
    loss: Loss = Loss.NONE
    meanwhile: Plan | None = None
    afterwards: Plan | None = None
    goes_on: str = ""

    @property
    def plans(self) -> list[Plan]:
        """Its calls, in order."""
        return [plan for plan in (self.call, self.meanwhile, self.afterwards) if plan is not None]


_BACKUP = Plan("a new call meanwhile", user=1, subscriber=1, gateway=1)

ACTS = (
    Act(
        "An outgoing call",
        "By the nominal SBC; each end plays a tone of its own, and must hear the other's.",
        Plan("phone calls the public network"),
    ),
    Act(
        "An incoming call",
        "To the user's DDI, by the nominal SBC; the caller hangs up.",
        Plan("the public network calls a phone", incoming=True),
    ),
    Act(
        "The nominal SBC answers 503",
        "The call in progress goes on; a new one goes by the backup, until the nominal is well again.",
        Plan("the call in progress"),
        Loss.UNAVAILABLE,
        _BACKUP,
        Plan("a new call when it is back"),
        goes_on="the 503",
    ),
    Act(
        "The nominal SBC hangs (SIGSTOP)",
        "The phone hears silence and hangs up; nobody answers the BYE, which is given up in time.",
        Plan("the call in progress"),
        Loss.STOPPED,
        _BACKUP,
    ),
    Act(
        "The nominal SBC is killed (SIGKILL)",
        "The same, but the machine says that nobody is there.",
        Plan("the call in progress"),
        Loss.KILLED,
        _BACKUP,
    ),
)


# Over the internet the access SBC carries media in workers of its own, and both sides are sealed.
SECURED_ACTS = (
    Act(
        "An outgoing call",
        "TLS with both certificates, SRTP on the trunk, RTP to the phone; media is anchored on the IPBX.",
        Plan("phone calls the public network"),
    ),
    Act(
        "An incoming call",
        "To the user's DDI, by the nominal SBC; the caller hangs up.",
        Plan("the public network calls a phone", incoming=True),
    ),
    Act(
        "The nominal SBC answers 503",
        "The call in progress goes on; a new one goes by the backup.",
        Plan("the call in progress"),
        Loss.UNAVAILABLE,
        _BACKUP,
        goes_on="the 503",
    ),
    Act(
        "The nominal SBC's signalling hangs (SIGSTOP)",
        "Its media workers live: the call in progress is heard both ways; a new one goes by the backup.",
        Plan("the call in progress"),
        Loss.STOPPED,
        _BACKUP,
        goes_on="the stop",
    ),
    Act(
        "The nominal SBC is killed (SIGKILL), its media workers with it",
        "The phone hears silence and hangs up; the call ends with its cause.",
        Plan("the call in progress"),
        Loss.KILLED,
        _BACKUP,
    ),
)


def acts_of(site: Site) -> tuple[Act, ...]:
    """What is played with a site of this architecture."""
    return SECURED_ACTS if site.over_internet else ACTS


class Unplayable(Exception):
    """The site lacks what the demo needs; in words."""


def cast(site: Site) -> None:
    """Raises Unplayable if the site has too few users, gateways or answering subscribers for its acts."""
    plans = [plan for act in acts_of(site) for plan in act.plans]
    needs = {
        "users with a DDI": (len(callable_users(site)), max(plan.user for plan in plans)),
        "gateways": (len(site.trunk.gateways), max(plan.gateway for plan in plans)),
        "access SBCs in carrier.sbcs": (len(site.carrier.sbcs), max(plan.gateway for plan in plans)),
        "subscribers that answer": (len(answering(site)), max(plan.subscriber for plan in plans)),
    }
    short = [f"{most + 1} {what} (there: {have})" for what, (have, most) in needs.items() if have <= most]
    if short:
        raise Unplayable(f"the demo needs at least {', '.join(short)}")


def callable_users(site: Site) -> list[int]:
    """Which of the site's users can be called from outside."""
    return [place for place, user in enumerate(site.users) if user.ddi]


def answering(site: Site) -> list[CarrierSubscriber]:
    """The public subscribers that answer with a tone."""
    return [known for known in site.carrier.subscribers if known.does == "answer" and known.number[0] == "+"]


def dialled(numbering: Numbering, number: str) -> str:
    """What a user dials to reach a public number."""
    if not number.startswith("+"):
        return numbering.outside_prefix + number
    national = number.removeprefix("+" + numbering.country)
    if national != number:
        return numbering.outside_prefix + numbering.national_prefix + national
    return numbering.outside_prefix + numbering.international_prefix + number[1:]


def listening_for(tone: int, others: Iterable[int]) -> tuple[int, ...]:
    """`tone`, and those of `others` that can be told from it: they would be the wrong ones."""
    return (tone, *sorted({other for other in others if abs(other - tone) >= APART}))


def wanted(act: Act, plan: Plan, near_tone: int, far_tone: int, site: Site, far_again: int = 0) -> Wanted:
    """What should become of one call of an act; `far_again` as in `Wanted`."""
    gateway = site.trunk.gateways[plan.gateway]
    sealed = gateway.domain_proxy.target_domain if site.over_internet else ""
    right = Wanted(near_tone, far_tone, gateway.label, cause=NORMAL, sealed=sealed)
    if act.loss is Loss.NONE or plan is not act.call:
        return right
    if act.goes_on:
        return replace(right, goes_on=act.goes_on, far_again=far_again)
    return replace(right, silence=True, freed_within=BYE_TIMERS * site.timers.t1 + SLACK, cause=SILENT)
