"""Judges a call: what both ends and the IPBX saw of it, against what should have happened. Pure.

Whoever places the call observes and fills in a `Seen`; a `Wanted` says what is right;
`judge` compares the two and says why, in words, so that every verdict can be tested
without a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

LOSS_MAX = 0.02  # of the packets that should have come; loopback loses none, a starved machine a few


@dataclass(frozen=True, slots=True)
class Side:
    """What one end of a call sent, received (RTP packets) and heard (Hz); `who` names it in a sentence.

    `sent` and `received` are None where nobody could count them: its machine is gone.
    """

    who: str
    sent: int | None = 0
    received: int | None = 0
    lost: int = 0
    heard: frozenset[int] = frozenset()
    codec: str = ""
    ptime: int = 0
    jitter: float = 0.0
    mos: float = 0.0


@dataclass(frozen=True, slots=True)
class Seal:
    """How a call was secured on the trunk: TLS, whose certificates, and the SRTP suite of its media.

    `ours` and `theirs` are what the certificates of the IPBX and of the access SBC are
    called; `srtp` is as in the call record ("SDES" and its suite; "none").
    """

    version: str = ""
    suite: str = ""
    ours: str = ""
    theirs: tuple[str, ...] = ()
    srtp: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One call as it went. Times in seconds, None for what never happened.

    `near` is our phone, `far` the other party (None: nobody could be asked).
    `heard_again` are the tones both ends heard anew after something happened in the
    middle of the call. `freed_after` is the time from the end of the call to its channel
    being free. `record` is the IPBX's call record, {} if there was none or it was not
    looked for. `relayed` are the two sides of the IPBX as it counted them, where media
    went through it; `seal` is how the trunk was secured.
    """

    near: Side
    far: Side | None = None
    answered_after: float | None = None
    refused: str = ""
    silent: bool = False
    gateway: str = ""
    heard_again: tuple[frozenset[int], frozenset[int]] | None = None
    freed_after: float | None = None
    record: Mapping[str, Any] | None = None
    relayed: tuple[Side, ...] = ()
    seal: Seal | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should have happened; 0, "" and None ask for nothing.

    `near_tone` and `far_tone` are what each end should hear, and the only tone it should
    hear. `goes_on` says what happened in the middle, after which both must be heard
    again: the far end then hears `far_again` (0: its tone as before). `silence`: the
    far side vanishes, and the phone must notice. `freed_within` seconds the channel must
    be free, `cause` must be in the record (Q.850). `sealed` is the name that the SBC's
    certificate must bear, over TLS, with SRTP.
    """

    near_tone: int = 0
    far_tone: int = 0
    gateway: str = ""
    goes_on: str = ""
    far_again: int = 0
    silence: bool = False
    freed_within: float | None = None
    cause: int | None = None
    media: bool = True
    sealed: str = ""


class Check(NamedTuple):
    """One thing looked at: whether it is right, and what was seen."""

    passed: bool
    says: str


class Verdict(NamedTuple):
    """PASS when every check passed; `reason` is one sentence for a person."""

    passed: bool
    reason: str
    checks: tuple[Check, ...]

    @property
    def word(self) -> str:
        return "PASS" if self.passed else "FAIL"


def judge(seen: Seen, wanted: Wanted) -> Verdict:
    """Compare; a call that was not answered is judged by nothing else."""
    checks = tuple(_checks(seen, wanted))
    wrong = [check.says for check in checks if not check.passed]
    told = wrong or [check.says for check in checks]
    return Verdict(not wrong, "; ".join(told), checks)


def _checks(seen: Seen, wanted: Wanted) -> Iterator[Check]:
    if seen.answered_after is None:
        yield Check(False, f"not answered: {seen.refused or 'no answer in time'}")
        return
    by = f" by {seen.gateway}" if seen.gateway else ""
    yield Check(True, f"answered after {seen.answered_after:.2f} s{by}")
    if wanted.gateway and seen.gateway != wanted.gateway:
        yield Check(False, f"it went by {seen.gateway or 'no gateway'}, not by {wanted.gateway}")
    if wanted.sealed:
        yield _sealed(seen.seal or Seal(), wanted.sealed)
    if wanted.media:
        yield _audio(seen.near, wanted.near_tone)
        if seen.far is not None:
            yield _audio(seen.far, wanted.far_tone)
        yield from _loss(seen)
    if wanted.goes_on:
        yield _again(seen, wanted)
    if wanted.silence:
        says = "the phone noticed the silence" if seen.silent else "the phone did not notice the silence"
        yield Check(seen.silent, says)
    elif seen.silent:
        yield Check(False, "the audio stopped during the call")
    if wanted.freed_within is not None:
        yield _freed(seen.freed_after, wanted.freed_within)
    if wanted.cause is not None:
        yield _recorded(seen.record or {}, wanted.cause)


def _sealed(seal: Seal, name: str) -> Check:
    """Over TLS with whom it should be, and with keys for the media."""
    if not seal.version:
        return Check(False, "its signalling was not seen over TLS")
    if name.lower() not in (theirs.lower() for theirs in seal.theirs):
        return Check(False, f"the SBC's certificate names {', '.join(seal.theirs) or 'nobody'}, not {name}")
    if not seal.srtp.startswith("SDES "):
        return Check(False, f"its media on the trunk went without SRTP ({seal.srtp or 'none'})")
    return Check(True, f"over {seal.version} with {name}, SRTP on the trunk")


def _audio(side: Side, tone: int) -> Check:
    """One direction: packets came, and in them the tone that was played, and no other."""
    if side.received == 0:
        return Check(False, f"{side.who} received no RTP")
    if not tone:
        return Check(side.received is not None, f"{side.who} received {side.received or 'no'} packets")
    if tone in side.heard:
        others = side.heard - {tone}
        if others:
            return Check(False, f"{side.who} heard {_hertz(others)} besides {tone} Hz")
        return Check(True, f"{side.who} heard {tone} Hz")
    instead = _hertz(side.heard) if side.heard else "silence"
    counted = "" if side.received is None else f" ({side.received} packets)"
    return Check(False, f"{side.who} heard {instead} in place of {tone} Hz{counted}")


def _loss(seen: Seen) -> Iterator[Check]:
    for side in (seen.near, seen.far):
        if side is None or not side.lost:
            continue
        share = side.lost / ((side.received or 0) + side.lost)
        yield Check(share <= LOSS_MAX, f"{side.who} lost {side.lost} packets ({share:.1%})")


def _again(seen: Seen, wanted: Wanted) -> Check:
    near, far = seen.heard_again or (frozenset(), frozenset())
    far_tone = wanted.far_again or wanted.far_tone
    missing = [
        side.who
        for side, heard, tone in ((seen.near, near, wanted.near_tone), (seen.far, far, far_tone))
        if side is not None and tone and tone not in heard
    ]
    if missing:
        return Check(False, f"after {wanted.goes_on} {' and '.join(missing)} heard no tone")
    how = "both tones heard again"
    if wanted.far_again:  # played while it lasted, and at no other time
        how = f"{wanted.near_tone} Hz heard again, and {far_tone} Hz at the far end, played only then"
    return Check(True, f"after {wanted.goes_on} the call went on, {how}")


def _freed(after: float | None, within: float) -> Check:
    if after is None:
        return Check(False, f"the channel was not free within {within:.1f} s")
    return Check(after <= within, f"its channel was free {after:.1f} s after the end (at most {within:.1f})")


def _recorded(record: Mapping[str, Any], cause: int) -> Check:
    if not record:
        return Check(False, "the call left no record")
    got, text = record.get("cause"), record.get("text") or ""
    words = f" ({text})" if text else ""
    if got != cause:
        return Check(False, f"the record has cause {got}{words}, not {cause}")
    return Check(True, f"the record has cause {cause}{words}")


def _hertz(tones: frozenset[int]) -> str:
    return " and ".join(f"{tone} Hz" for tone in sorted(tones))
