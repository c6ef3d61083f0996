"""What a built-in subscriber knows of one of its calls, for whoever judges the call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trunkline.call import events
from trunkline.call.cause import Cause
from trunkline.call.leg import Leg
from trunkline.call.party import Party
from trunkline.media import anchor
from trunkline.sdp.offer_answer import Stream

KEPT = 64  # talks an SBC remembers; older ones are forgotten


@dataclass(slots=True)
class Talk:
    """One call of a subscriber: `number` is its own, `other` the customer's."""

    leg: Leg
    party: Party
    number: str
    other: str
    talking: bool = False
    stream: Stream | None = None
    silent: bool = False
    heard: set[int] = field(default_factory=set)
    cause: Cause | None = None
    report: anchor.Report | None = None
    gone: bool = False

    def hear(self, event: Any) -> None:
        """Take an event of the call or of its media."""
        match event:
            case events.Answered() | events.Acknowledged():
                self.talking = True
            case events.Agreed(stream=stream):
                self.stream = stream
            case events.Refused(cause=cause) | events.Ended(cause=cause):
                self.cause = cause
            case events.Gone():
                self.gone = True
            case anchor.Heard(tone=tone):
                self.heard.add(tone)
            case anchor.Silent():
                self.silent = True
            case anchor.Report():
                self.report = event

    def status(self) -> dict[str, Any]:
        """As a JSON object; packets are counted once the call is over (`sent` None until then)."""
        report, stream, cause = self.report, self.stream, self.cause
        return {
            "leg": self.leg.id,
            "number": self.number,
            "other": self.other,
            "state": str(self.leg.state),
            "over": self.gone and (report is not None or stream is None),
            "codec": stream.codec if stream is not None else "",
            "ptime": stream.ptime if stream is not None else 0,
            "heard": sorted(self.heard),
            "silent": self.silent,
            "cause": None if cause is None else cause.q850,
            "status": None if cause is None else cause.status,
            "sent": None if report is None else report.sent,
            "received": None if report is None else report.received,
            "lost": None if report is None else report.lost,
            "jitter": None if report is None else round(report.jitter, 2),
            "mos": None if report is None else round(report.mos, 2),
        }
