"""What a seed chooses for the secured town: calls, and what goes wrong with TLS, certificates and workers."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulation.plan import (
    ANSWERS,
    DDIS,
    EXTENSIONS,
    SBCS,
    Act,
    Knobs,
    Maker,
    Mood,
    Plan,
    Ring,
    Trouble,
)
from tests.simulation.secured.papers import KINDS, RUNS_OUT
from tests.simulation.world import Weather

from trunkline.call.party import Behaviour

# What kind of day it is, and what may be expected of it.
THEMES = {
    "calm": Mood.CALM,  # media lost, reordered, doubled; certificates renewed: nothing a person notices
    "resets": Mood.STORM,  # connections are reset: in a handshake, idle, in calls
    "refused": Mood.FAILOVER,  # the nominal's certificate is refused, or it refuses ours
    "strangers": Mood.STORM,  # everybody refuses everybody for a while
    "workers": Mood.STORM,  # workers die
    "late": Mood.STORM,  # ports are opened late, or too late
    "storm": Mood.STORM,  # all of it, with SBCs and the IPBX lost too
}
DRAW = ("calm",) * 4 + ("resets",) * 5 + ("refused",) * 4 + ("strangers",) * 2 + ("workers",) * 4 + (
    "late",
) * 3 + ("storm",) * 4  # fmt: skip


@dataclass(frozen=True, slots=True)
class MediaSpell:
    """The weather of RTP from `at` to `until`."""

    at: float
    until: float
    weather: Weather


@dataclass(frozen=True, slots=True)
class SecurePlan(Plan):
    """One run of the secured town. `tls_most` is the newest version of the IPBX."""

    theme: str = "calm"
    workers: int = 2
    late: float = 0.0  # the chance that a worker takes long to open a port
    pairs: int = 400  # media ports of each side of the IPBX
    pace: float = 0.1  # seconds between two packets of a voice
    tls_most: str = ""
    secure_phones: frozenset[str] = frozenset()  # over TLS, with SRTP
    media: tuple[MediaSpell, ...] = field(default=())

    @property
    def ends(self) -> float:
        return max([super(SecurePlan, self).ends, *(spell.until for spell in self.media)])

    def describe(self) -> list[str]:
        """The plan in lines."""
        head, *more = Plan.describe(self)
        own = (
            f"theme {self.theme}, {self.workers} workers, late {self.late}, {self.pairs} pairs,"
            f" a packet each {self.pace} s, TLS {self.tls_most or '1.2'}, SRTP {sorted(self.secure_phones)}"
        )
        return [head, f"  {own}", *(f"  {spell}" for spell in self.media), *more]


def secure_plan_of(seed: int) -> SecurePlan:
    """The plan of a seed; the same seed, the same plan."""
    return SecureMaker(seed).plan()


class SecureMaker(Maker):
    """Draws one plan."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.dice.seed(f"secured plan {seed}")
        self.theme = self.dice.choice(DRAW)
        self.mood, self.stranger, self.fair = THEMES[self.theme], "", self.theme == "calm"

    def plan(self) -> SecurePlan:
        dice, theme = self.dice, self.theme
        self.rtp = False
        knobs = self.knobs()
        rings = self.rings(knobs)
        wild = theme in ("workers", "late", "storm")
        tls = frozenset(extension for extension in EXTENSIONS if self.chance(0.3))
        return SecurePlan(
            self.seed,
            self.mood,
            knobs,
            rings,
            self.acts(rings),
            self.troubles(rings),
            (),
            self.temper(),
            self.phones(),
            frozenset(extension for extension in EXTENSIONS if self.chance(0.3)) - tls,
            frozenset(extension for extension in EXTENSIONS if self.chance(0.15)),
            theme=theme,
            workers=dice.choice((1, 2, 3)),
            late=dice.choice((0.2, 0.5)) if theme in ("late", "storm") else 0.0,
            pairs=dice.choice((2, 3, 400)) if wild else 400,
            pace=dice.choice((0.02, 0.06, 0.1, 0.1)),
            tls_most=dice.choice(("", "1.3")),
            secure_phones=tls,
            media=self.media(rings),
        )

    def knobs(self) -> Knobs:
        dice = self.dice
        self.long = False
        return Knobs(
            channels=12,
            session_expires=dice.choice((90, 1800)),
            reliable=dice.choice(("off", "supported", "required")),
            transport="tls",
            dns=dice.choice(("A", "A", "SRV")),
            options=not self.chance(0.2),
            ringing_max=dice.choice((6.0, 12.0)),
            duration_max=8.0 if self.theme == "calm" and self.chance(0.3) else 200.0,
            phone_expires=dice.choice((60, 90, 300)),
            without_update=self.chance(0.3),
            ttl=dice.choice((8.0, 300.0)),
        )

    # --- calls --------------------------------------------------------------------------

    def rings(self, knobs: Knobs) -> tuple[Ring, ...]:
        dice = self.dice
        count = 6 + dice.randrange(4)
        return tuple(self.ring(at, knobs) for at in sorted(2.0 + dice.random() * 50.0 for _ in range(count)))

    def ring(self, at: float, knobs: Knobs) -> Ring:
        ring = super().ring(at, knobs)
        if self.theme == "refused" and ring.kind == "out" and self.chance(0.5):
            return Ring(at, "out", ring.who, ANSWERS, ring.behaviour)  # somebody patient, who is answered
        if self.theme == "resets" and self.chance(0.3):  # it is the phone that will hang up
            number = DDIS[self.dice.choice(tuple(DDIS))]
            return Ring(at, "in", self.dice.choice(SBCS), number, Behaviour(seconds=20.0), ANSWERS)
        if ring.kind == "internal" and self.chance(0.5):
            return Ring(at, "in", self.dice.choice(SBCS), DDIS["201"], ring.behaviour, ANSWERS, ring.gives_up)
        return ring

    def caller(self) -> Behaviour:
        talks = (0.5, 2.0, 5.0, 8.0, 20.0) if self.theme != "calm" else (0.5, 1.0, 3.0, 5.0, 8.0)
        return Behaviour(seconds=self.dice.choice(talks), leaves_silence=self.chance(0.8))

    def phones(self) -> tuple[Behaviour, ...]:
        found = super().phones()
        if self.theme != "resets":
            return found
        return tuple(Behaviour(seconds=5.0) if self.chance(0.5) else behaviour for behaviour in found)

    def acts(self, rings: tuple[Ring, ...]) -> tuple[Act, ...]:
        """Holds: in half of the runs, so that in the others a pause in the audio is a fault."""
        if self.theme in ("resets", "refused") or self.chance(0.5):
            return ()
        return super().acts(rings)

    # --- what goes wrong ----------------------------------------------------------------

    def troubles(self, rings: tuple[Ring, ...]) -> tuple[Trouble, ...]:
        dice, theme = self.dice, self.theme
        anybody = ("ipbx", *SBCS)
        if theme == "calm":
            return tuple(
                Trouble(at, at, "renew", dice.choice(anybody))
                for at in sorted(5.0 + dice.random() * 50.0 for _ in range(dice.randrange(4)))
            )
        if theme == "resets":
            return tuple(self.reset(rings) for _ in range(2 + dice.randrange(6)))
        if theme == "refused":
            return (self.refusal(dice.choice(("nominal", "nominal"))),)
        if theme == "strangers":
            return tuple(self.refusal(dice.choice(anybody)) for _ in range(1 + dice.randrange(2)))
        if theme == "workers":
            return tuple(self.worker(rings) for _ in range(2 + dice.randrange(4)))
        if theme == "late":
            return ()
        found = [self.reset(rings), self.refusal(dice.choice(anybody)), self.worker(rings)]
        found += [self.trouble(SBCS, 5.0 + dice.random() * 40.0)]
        if self.chance(0.4):
            at = 5.0 + dice.random() * 40.0
            what = dice.choice(("drain", "reload", "kill"))
            found.append(Trouble(at, at + 1.0 + dice.random() * 4.0, what, "ipbx"))
        return tuple(dice.sample(found, 2 + dice.randrange(len(found) - 1)))

    def reset(self, rings: tuple[Ring, ...]) -> Trouble:
        """Connections are reset: a moment after the start (a handshake), at any time, or in a call."""
        dice, whom = self.dice, self.dice.choice(("ipbx", "nominal", "nominal", "backup"))
        at = dice.choice((dice.random() * 0.05, 2.0 + dice.random() * 55.0))
        if self.chance(0.6):
            ring = dice.choice(rings)
            at = ring.at + dice.choice((0.05, 0.3, 4.0, 4.0)) * dice.random()
            whom = ring.who if ring.kind == "in" else whom
        return Trouble(at, at, "reset", whom)

    def refusal(self, whom: str) -> Trouble:
        """Somebody shows a certificate that the others refuse, until it is mended."""
        dice = self.dice
        if self.chance(0.2):
            return Trouble(RUNS_OUT, RUNS_OUT + 5.0 + dice.random() * 30.0, "runs out", whom)
        at = dice.choice((0.0, dice.random() * 40.0))
        return Trouble(at, at + 5.0 + dice.random() * 40.0, f"refused {dice.choice(KINDS)}", whom)

    def worker(self, rings: tuple[Ring, ...]) -> Trouble:
        """A media worker dies, or is stopped for a while: mostly one that has just got a call."""
        dice = self.dice
        at = 3.0 + dice.random() * 50.0
        if self.chance(0.8):
            at = dice.choice(rings).at + dice.choice((0.1, 0.5, 3.0)) * dice.random()
        if self.chance(0.25):
            return Trouble(at, at + 0.5 + dice.random() * 5.0, "worker stops", str(dice.randrange(3)))
        return Trouble(at, at, "worker dies", str(dice.randrange(3)))

    def media(self, rings: tuple[Ring, ...]) -> tuple[MediaSpell, ...]:
        dice = self.dice
        if self.chance(0.4):
            return ()
        at = dice.random() * 20.0
        weather = Weather(
            loss=dice.choice((0.0, 0.02, 0.1)),
            duplicate=dice.choice((0.0, 0.1, 0.3)),
            delay=(0.001, dice.choice((0.01, 0.06, 0.15))),
        )
        return (MediaSpell(at, at + 20.0 + dice.random() * 40.0, weather),)
