"""What a seed chooses: the site's knobs, the weather, the calls, what people do in them, and the troubles.

A plan is made before anything runs, from the seed alone, and says everything that is
chosen from outside; what the network does to each datagram is drawn as it happens. The
mood of a plan says what may be expected of it: in a CALM one every call must end just
as its people wanted, in a STORM only the laws hold.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.simulation.hands import Temper
from tests.simulation.world import Weather

from trunkline.call.party import TEST_TONES, Behaviour

EXTENSIONS = ("201", "202", "203", "204")
DDIS = {"201": "+33199001001", "202": "+33199001002", "203": "+33199001003"}
SBCS = ("nominal", "backup")
# Subscribers of the example site by what they do (examples/bvpn.yaml).
ANSWERS, ECHOES, BUSY, RINGS, EARLY, LEAVES, MOBILE = (
    "+33199009001", "+33199009002", "+33199009003", "+33199009004", "+33199009005", "+33199009006",
    "+33639980007",
)  # fmt: skip
NOBODY = "+33199009098"
OUTSIDER = "+33199009008"  # a SIP peer behind the nominal SBC: the Stranger, when it is a subscriber
EMERGENCY = "112"


class Mood(Enum):
    """What kind of day it is."""

    CALM = "calm"  # nothing goes wrong
    FAILOVER = "failover"  # the nominal SBC is lost, in fair weather
    CROWD = "crowd"  # more calls than channels, and emergencies among them
    MEDDLING = "meddling"  # hold, retrieval and INFO from both sides, at the same time
    RAIN = "rain"  # loss, duplicates, reordering
    STRANGE = "strange"  # one SBC, or one subscriber, is of another make, and odd
    STORM = "storm"  # all of it


@dataclass(frozen=True, slots=True)
class Ring:
    """One call to place. `who` is the calling extension, or the SBC that a subscriber calls in by."""

    at: float
    kind: str  # "out", "in" or "internal"
    who: str
    number: str
    behaviour: Behaviour
    caller: str = ""  # of a call in
    gives_up: float = 0.0  # seconds after dialling at which the caller hangs up; 0: never


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody does something in the newest call there: `who` an extension or an SBC."""

    at: float
    who: str
    what: str  # "hold", "retrieve", "inform", "hang up"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something goes wrong from `at` to `until`.

    `what`: "kill", "cut", "stop" of a host; "503", "100", "silent" of an SBC; "dns error",
    "dns silent"; "drain", "reload" of the IPBX; "reset" of a phone's connections.
    """

    at: float
    until: float
    what: str
    whom: str = ""
    rest: int = 0  # Retry-After of a 503


@dataclass(frozen=True, slots=True)
class Spell:
    """A weather from `at` to `until`; fair weather comes after it."""

    at: float
    until: float
    weather: Weather


@dataclass(frozen=True, slots=True)
class Knobs:
    """What of the example site is another way in this run."""

    channels: int = 12
    session_expires: int = 1800
    min_se: int = 90
    reliable: str = "supported"
    transport: str = "udp"
    dns: str = "A"
    options: bool = True
    t1: float = 0.5
    ringing_max: float = 12.0
    duration_max: float = 200.0
    nonce_lifetime: float = 300.0
    phone_expires: int = 300
    name: str = ""  # of the callers; a long one makes the INVITE too large for UDP
    without_update: bool = False
    full_status: int = 503
    registers: bool = False  # the trunk registers at the carrier
    ttl: float = 300.0  # of the DNS's answers


@dataclass(frozen=True, slots=True)
class Plan:
    """One run, whole."""

    seed: int
    mood: Mood
    knobs: Knobs
    rings: tuple[Ring, ...]
    acts: tuple[Act, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    spells: tuple[Spell, ...] = ()
    temper: Temper = field(default_factory=Temper)
    phones: tuple[Behaviour, ...] = ()
    tcp_phones: frozenset[str] = frozenset()
    twins: frozenset[str] = frozenset()  # extensions with a second phone, which does as the first
    rtp: bool = False
    stranger: str = ""  # the SBC that is a Stranger, or "subscriber"

    @property
    def ends(self) -> float:
        """When the last thing chosen from outside is over."""
        times = [ring.at + ring.gives_up for ring in self.rings]
        times += [act.at for act in self.acts]
        times += [trouble.until for trouble in self.troubles]
        times += [spell.until for spell in self.spells]
        return max(times)

    def describe(self) -> list[str]:
        """The plan in lines, as a failing seed shows it."""
        head = f"seed {self.seed}: {self.mood.value}, {'rtp' if self.rtp else 'quiet media'}, {self.knobs}"
        more: list[Any] = [self.temper, *self.rings, *self.acts, *self.troubles, *self.spells, *self.phones]
        desks = f"over TCP {sorted(self.tcp_phones)}, twins {sorted(self.twins)}, stranger {self.stranger!r}"
        return [head, *(f"  {item}" for item in more), f"  {desks}"]


MOODS = (
    *(Mood.CALM,) * 4, *(Mood.FAILOVER,) * 3, *(Mood.CROWD,) * 2, *(Mood.MEDDLING,) * 2, *(Mood.RAIN,) * 4,
    *(Mood.STRANGE,) * 3, *(Mood.STORM,) * 5,
)  # fmt: skip


def plan_of(seed: int) -> Plan:
    """The plan of a seed; the same seed, the same plan."""
    return Maker(seed).plan()


class Maker:
    """Draws one plan."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = random.Random(f"plan {seed}")
        self.mood = self.dice.choice(MOODS)
        odd = ("nominal", "nominal", "backup", "subscriber", "subscriber")
        self.stranger = self.dice.choice(odd) if self.mood is Mood.STRANGE else ""
        self.fair = self.mood not in (Mood.RAIN, Mood.STORM, Mood.STRANGE)

    def plan(self) -> Plan:
        dice, mood = self.dice, self.mood
        self.rtp = mood is Mood.CALM and dice.random() < 0.3
        knobs = self.knobs()
        rings = self.rings(knobs)
        wide = mood in (Mood.RAIN, Mood.STORM)
        return Plan(
            self.seed,
            mood,
            knobs,
            rings,
            self.acts(rings),
            self.troubles(rings),
            self.spells(rings) if wide else (),
            self.temper(),
            self.phones(),
            frozenset(extension for extension in EXTENSIONS if dice.random() < 0.3),
            frozenset(extension for extension in EXTENSIONS if dice.random() < 0.2),
            self.rtp,
            self.stranger,
        )

    def chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    def knobs(self) -> Knobs:
        dice, mood = self.dice, self.mood
        self.long = self.chance(0.2) and mood is not Mood.CROWD
        return Knobs(
            channels=dice.choice((1, 2, 3)) if mood is Mood.CROWD else 12,
            session_expires=90 if self.long or self.chance(0.2) else 1800,
            min_se=dice.choice((90, 90, 120)),
            reliable=dice.choice(("off", "supported", "supported", "required")),
            transport="tcp" if self.chance(0.15) else "udp",
            dns=dice.choice(("A", "A", "SRV", "none")),
            options=not self.chance(0.1),
            t1=0.1 if self.chance(0.2) and self.fair else 0.5,
            ringing_max=dice.choice((6.0, 12.0)),
            duration_max=8.0 if not self.long and self.chance(0.3) else 200.0,
            nonce_lifetime=dice.choice((5.0, 300.0)),
            phone_expires=dice.choice((60, 90, 300)),
            name="Service des achats et des marchés " * 14 if self.chance(0.08) else "",
            without_update=self.chance(0.3),
            full_status=dice.choice((503, 486)),
            registers=self.chance(0.2) and mood is not Mood.STRANGE,
            ttl=dice.choice((8.0, 300.0)),
        )

    # --- calls --------------------------------------------------------------------------

    def rings(self, knobs: Knobs) -> tuple[Ring, ...]:
        dice, mood = self.dice, self.mood
        count = 8 + dice.randrange(3)
        spread = {Mood.CROWD: 12.0, Mood.MEDDLING: 120.0}.get(mood, 70.0)
        starts = sorted(2.0 + dice.random() * spread for _ in range(count))
        return tuple(self.ring(at, knobs) for at in starts)

    def ring(self, at: float, knobs: Knobs) -> Ring:
        dice, mood = self.dice, self.mood
        kind = dice.choices(("out", "in", "internal"), (6, 3, 1))[0]
        gives_up = self.gives_up()
        behaviour = self.caller()
        if kind == "in":
            number = DDIS[dice.choice(tuple(DDIS))] if self.chance(0.93) else "+33199001044"
            caller = dice.choice((ANSWERS, MOBILE, "+33639980011", ""))
            by = "nominal" if self.chance(0.7) else "backup"
            if self.stranger == "subscriber" and self.chance(0.6):
                by, caller = self.stranger, OUTSIDER
            return Ring(at, kind, by, number, behaviour, caller, gives_up)
        who = dice.choice(EXTENSIONS)
        if kind == "internal":
            other = dice.choice([extension for extension in EXTENSIONS if extension != who])
            return Ring(at, kind, who, other if self.chance(0.9) else "299", behaviour, gives_up=gives_up)
        emergency = 0.3 if mood in (Mood.CROWD, Mood.STRANGE) else 0.1
        if self.chance(emergency):
            number = dice.choice(("112", "112", "0112", "112"))
            return Ring(at, kind, who, number, behaviour, gives_up=gives_up)
        weights = (8, 2, 2, 2, 2, 3, 2, 1, 12 if self.stranger == "subscriber" else 0)
        numbers = (ANSWERS, ECHOES, BUSY, RINGS, EARLY, LEAVES, MOBILE, NOBODY, OUTSIDER)
        number = dice.choices(numbers, weights)[0]
        return Ring(at, kind, who, self.dialled(number), behaviour, gives_up=gives_up)

    def dialled(self, number: str) -> str:
        """A public number as somebody may dial it."""
        national = "0" + number[3:]
        return self.dice.choice((number, national, "0" + national, "000" + number[1:], "*310" + national))

    def gives_up(self) -> float:
        """When the caller loses patience: often at a moment that hurts."""
        dice = self.dice
        return dice.choices(
            (
                0.0,
                dice.random() * 0.03,  # before the port is open, before 100
                0.2 + dice.random() * 0.04,  # as the far end answers
                dice.random() * 2.0,
                3.9 + dice.random() * 0.3,  # as the attempt is left behind
                dice.random() * 10.0,
            ),
            (12, 1, 1, 1, 1, 2),
        )[0]

    def caller(self) -> Behaviour:
        dice = self.dice
        seconds = dice.choice((0.5, 1.0, 3.0, 5.0, 7.9, 8.0))
        if self.chance(0.3 if self.long else 0.03) and not self.rtp:
            seconds = 100.0  # past the half of a session interval, and its end
        tone = dice.choice(TEST_TONES) if self.rtp else 0
        listen = TEST_TONES if self.rtp else ()
        return Behaviour(seconds=seconds, tone=tone, listen=listen, leaves_silence=self.chance(0.8))

    def phones(self) -> tuple[Behaviour, ...]:
        return tuple(
            Behaviour(
                does=self.dice.choices(("answer", "busy", "ring", "early", "echo"), (8, 1, 1, 1, 1))[0],
                after=self.dice.choice((0.0, 0.2, 0.2, 1.0, 5.0)),
                seconds=self.dice.choice((0.0, 0.0, 2.0, 5.0)),
                listen=TEST_TONES if self.rtp else (),
                leaves_silence=self.chance(0.8),
            )
            for _ in EXTENSIONS
        )

    def acts(self, rings: tuple[Ring, ...]) -> tuple[Act, ...]:
        """Meddling in calls: now and then, or all the time and from both sides at once."""
        dice, acts = self.dice, []
        if self.rtp:  # who listens for a tone must not be put on hold
            return ()
        many = self.mood is Mood.MEDDLING
        for ring in rings:
            if not self.chance(1.0 if many else 0.25):
                continue
            at, near = ring.at + 0.3 + dice.random() * 2.0, ring.who
            far = dice.choice((*EXTENSIONS, *SBCS))
            if ring.kind == "out":
                far = "nominal" if self.chance(0.85) else "backup"
            for _ in range(1 + dice.randrange(3)):
                what = dice.choice(("hold", "hold", "inform", "retrieve"))
                acts.append(Act(at, near, what))
                if self.chance(0.7):
                    acts.append(Act(at + dice.random() * 0.02, far, dice.choice(("hold", "hold", "inform"))))
                at += dice.random() * 3.0
                acts.append(Act(at, dice.choice((near, far)), "retrieve"))
            if not self.fair and self.chance(0.2):
                acts.append(Act(at + dice.random(), far, "hang up"))
        return tuple(sorted(acts, key=lambda act: act.at))

    # --- what goes wrong ----------------------------------------------------------------

    def troubles(self, rings: tuple[Ring, ...]) -> tuple[Trouble, ...]:
        dice, mood = self.dice, self.mood
        if mood is Mood.FAILOVER:
            return (self.trouble(("nominal",), 1.0 + dice.random() * 30.0),)
        if mood is Mood.CALM and self.chance(0.3):  # the addresses are known by then, and stay known
            return (Trouble(1.0, 30.0 + dice.random() * 60.0, dice.choice(("dns error", "dns silent"))),)
        if mood is not Mood.STORM:
            return ()
        found: list[Trouble] = []
        for _ in range(1 + dice.randrange(4)):
            at = dice.random() * 70.0
            kind = dice.choices(("sbc", "phone", "dns", "ipbx"), (5, 3, 1, 1))[0]
            if kind == "sbc":
                found.append(self.trouble(SBCS, at))
            elif kind == "phone":
                what = dice.choice(("kill", "cut", "stop", "reset"))
                found.append(Trouble(at, at + 1.0 + dice.random() * 40.0, what, dice.choice(EXTENSIONS)))
            elif kind == "dns":
                what = dice.choice(("dns error", "dns silent"))
                at = dice.choice((0.0, at))
                found.append(Trouble(at, at + dice.random() * 60.0, what))
            else:
                what = dice.choice(("drain", "reload", "stop", "kill"))
                found.append(Trouble(at, at + 1.0 + dice.random() * 4.0, what, "ipbx"))
        return tuple(found)

    def trouble(self, whom: tuple[str, ...], at: float) -> Trouble:
        """One SBC is lost, in one of the ways there are."""
        dice = self.dice
        what = dice.choice(("kill", "cut", "stop", "503", "100", "silent", "reset"))
        rest = dice.choice((0, 0, 5, 20)) if what == "503" else 0
        return Trouble(at, at + 2.0 + dice.random() * 60.0, what, dice.choice(whom), rest)

    def spells(self, rings: tuple[Ring, ...]) -> tuple[Spell, ...]:
        dice = self.dice
        spells: list[Spell] = []
        at = dice.random() * 10.0
        while at < rings[-1].at + 5.0:
            until = at + 5.0 + dice.random() * 40.0
            weather = Weather(
                loss=dice.choice((0.0, 0.05, 0.15, 0.3, 0.5)),
                duplicate=dice.choice((0.0, 0.1, 0.5)),
                delay=(0.001, dice.choice((0.005, 0.05, 0.4, 1.2))),
            )
            spells.append(Spell(at, until, weather))
            at = until + dice.random() * 20.0
        return tuple(spells)

    def temper(self) -> Temper:
        if self.mood is Mood.STORM and self.chance(0.5):
            return Temper(refuses=0.05, late=0.3, mute=0.03)
        return Temper(late=0.2, lateness=(0.01, 0.2)) if self.mood is Mood.RAIN else Temper()
