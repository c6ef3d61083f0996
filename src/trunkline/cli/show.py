"""A judged call as a person reads it, and as a program does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import Any, Final

from trunkline.capture.ladder import Step, draw, step
from trunkline.cli.paper import Paper, clean
from trunkline.lab.judge import Seen, Side, Verdict
from trunkline.lab.wire import Passed

Names = Mapping[tuple[str, int], str]  # whose each address is
ANY: Final = 0  # in the place of a port: whatever the port


def call_lines(
    seen: Seen,
    verdict: Verdict,
    steps: Sequence[Step],
    parties: Sequence[str],
    paper: Paper,
) -> Iterator[str]:
    """The ladder, the audio of both ends, and the verdict."""
    if steps:
        yield draw(
            steps, parties=parties, width=paper.width, ascii_only=paper.ascii_only, colour=paper.colour
        ).rstrip()
    yield from sealed_lines(seen)
    yield from audio_lines(seen)
    yield from verdict_lines(verdict, paper)


def steps_of(passed: Iterable[Passed], names: Names, phone: str) -> list[Step]:
    """The arrows of a call; whoever is not among `names` is `phone`."""
    return [
        step(
            one.message,
            one.at_ns / 1e9,
            _whose(one.source, names, phone),
            _whose(one.destination, names, phone),
        )
        for one in sorted(passed, key=lambda one: one.at_ns)
    ]


def _whose(address: tuple[str, int], names: Names, phone: str) -> str:
    return names.get(address) or names.get((address[0], ANY)) or phone


def sealed_lines(seen: Seen) -> Iterator[str]:
    """TLS version and suite, both certificates, the SRTP suite."""
    seal = seen.seal
    if seal is None:
        return
    if not seal.version:
        yield "  TLS    none was seen"
        return
    yield f"  TLS    {seal.version}, {seal.suite}"
    yield f"    the IPBX is {clean(seal.ours)}, {seen.gateway} is {clean(', '.join(seal.theirs))}"
    yield f"  SRTP   {seal.srtp.removeprefix('SDES ') or 'none'}"


def audio_lines(seen: Seen) -> Iterator[str]:
    """Codec and ptime, and for each end the packets sent, received and lost, and what it heard."""
    sides = [side for side in (seen.near, seen.far) if side is not None and side.codec]
    if not sides:
        return
    yield f"  audio  {sides[0].codec}, {sides[0].ptime} ms a packet"
    width = max(len(side.who) for side in (*sides, *seen.relayed))
    for side in sides:
        yield f"    {side.who:{width}}  {_counted(side)}"
    for side in seen.relayed:
        yield f"    {side.who:{width}}  lost {side.lost}{_quality(side)}"


def _counted(side: Side) -> str:
    heard = " and ".join(f"{tone} Hz" for tone in sorted(side.heard)) or "no tone"
    if side.sent is None or side.received is None:
        return f"not counted: its machine was lost; it had heard {heard}"
    return f"sent {side.sent:3}, received {side.received:3}, lost {side.lost}  heard {heard}{_quality(side)}"


def _quality(side: Side) -> str:
    return f"  jitter {side.jitter:.1f} ms, MOS {side.mos:.1f}" if side.mos else ""


def verdict_lines(verdict: Verdict, paper: Paper) -> list[str]:
    """PASS or FAIL, and why, within the width of the paper."""
    first, *more = wrap(clean(verdict.reason), paper.width - 8, break_on_hyphens=False) or [""]
    word = (paper.good if verdict.passed else paper.bad)(verdict.word)
    return [f"  {word}  {first}", *(f"        {line}" for line in more)]


def as_json(seen: Seen, verdict: Verdict) -> dict[str, Any]:
    """What a program gets of a judged call."""
    fields = asdict(seen)
    for side in (fields["near"], fields["far"], *fields["relayed"]):
        if side is not None:
            side["heard"] = sorted(side["heard"])
    again = fields.pop("heard_again")
    if again is not None:
        fields["heard_again"] = [sorted(tones) for tones in again]
    checks = [check._asdict() for check in verdict.checks]
    return {"verdict": verdict.word, "reason": verdict.reason, "checks": checks, **fields}


def steps_as_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The ladder for a program: seconds since its first message, from, to, what."""
    return [
        {"at": round(one.at - steps[0].at, 6), "from": one.source, "to": one.destination, "what": one.summary}
        for one in steps
    ]
