"""What RFC 4475 says of each of its 49 messages, as data: for the parser and for an endpoint.

The names are the RFC's. `torture/NAME.sip` is our own message with the same defect.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

PASSED = 0
"""An answer of the application's own choice: SIP found nothing to refuse."""


class Verdict(NamedTuple):
    """One message: what `parse` and `check` say, and what may be answered.

    `status` is the one the parser's refusal carries, 0 if it accepts. `answers` are the
    final statuses an endpoint may give, the one we aim for first; () is silence.
    `stream_fatal`: over TCP the connection ends with it, since the next message's start is unknown.
    """

    section: str
    parser: Literal["accept", "reject", "discard"]
    status: int
    answers: tuple[int, ...]
    stream_fatal: bool = False


def _accept(section: str, *answers: int) -> Verdict:
    return Verdict(section, "accept", 0, answers)


def _reject(section: str, status: int = 400, *others: int, stream_fatal: bool = False) -> Verdict:
    return Verdict(section, "reject", status, (status, *others), stream_fatal)


def _discard(section: str) -> Verdict:
    return Verdict(section, "discard", 400, ())


VERDICTS: dict[str, Verdict] = {
    # 3.1.1 valid messages
    "wsinv": _accept("3.1.1.1", PASSED, 481),  # its To has a tag: no such dialog (RFC 3261 §12.2.2)
    "intmeth": _accept("3.1.1.2", 501, 405),  # nobody knows the method
    "esc01": _accept("3.1.1.3", PASSED),
    "escnull": _accept("3.1.1.4", PASSED),
    "esc02": _accept("3.1.1.5", 501, 405),  # the method with "%" is not the one it would be without escapes
    "lwsdisp": _accept("3.1.1.6", PASSED),
    "longreq": _accept("3.1.1.7", PASSED),
    "dblreq": _accept("3.1.1.8", PASSED),
    "semiuri": _accept("3.1.1.9", PASSED),
    "transports": _accept("3.1.1.10", PASSED),
    "mpart01": _accept("3.1.1.11", PASSED, 405, 415, 501),  # MESSAGE may be unsupported, multipart too
    "unreason": Verdict("3.1.1.12", "accept", 0, ()),
    "noreason": Verdict("3.1.1.13", "accept", 0, ()),
    # 3.1.2 invalid messages
    "badinv01": _reject("3.1.2.1"),
    "clerr": _reject("3.1.2.2"),  # over TCP it is not wrong yet: the rest may come
    "ncl": _reject("3.1.2.3", stream_fatal=True),
    "scalar02": _reject("3.1.2.4"),
    "scalarlg": _discard("3.1.2.5"),
    "quotbal": _reject("3.1.2.6"),
    "ltgtruri": _reject("3.1.2.7"),
    "lwsruri": _reject("3.1.2.8"),
    "lwsstart": _reject("3.1.2.9"),
    "trws": _reject("3.1.2.10"),
    "escruri": _reject("3.1.2.11"),
    "baddate": _reject("3.1.2.12"),
    "regbadct": _reject("3.1.2.13"),
    "badaspec": _reject("3.1.2.14"),
    "baddn": _reject("3.1.2.15"),
    "badvers": _reject("3.1.2.16", 505),
    "mismatch01": _reject("3.1.2.17"),
    "mismatch02": _reject("3.1.2.18", 501, 400),
    "bigcode": _discard("3.1.2.19"),
    # 3.2 transaction layer
    "badbranch": _accept("3.2.1", PASSED, 400),  # the cookie alone is no id: match it as RFC 2543 did
    # 3.3 application layer
    "insuf": _reject("3.3.1"),
    "unkscm": _accept("3.3.2", 416),
    "novelsc": _accept("3.3.3", 416),
    "unksm2": _accept("3.3.4", 400, 416),  # an address of record must be a SIP or SIPS URI
    "bext01": _accept("3.3.5", 420),
    "invut": _accept("3.3.6", 415),
    "regaut01": _accept("3.3.7", 401, PASSED),  # as if there were no credentials
    "multi01": _reject("3.3.8"),
    "mcl01": _reject("3.3.9", stream_fatal=True),
    "bcast": Verdict("3.3.10", "accept", 0, ()),
    "zeromf": _accept("3.3.11", PASSED, 483),  # an endpoint takes it, a proxy answers 483
    "cparam01": _accept("3.3.12", PASSED),
    "cparam02": _accept("3.3.13", PASSED),
    "regescrt": _accept("3.3.14", PASSED),
    "sdp01": _accept("3.3.15", 406),
    # 3.4 backward compatibility
    "inv2543": Verdict("3.4.1", "accept", 0, (PASSED,), stream_fatal=True),  # no Content-Length: UDP only
}
