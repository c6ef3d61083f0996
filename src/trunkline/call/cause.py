"""Why a call ended, in both languages of the trade: SIP status and Q.850 cause (RFC 3398, RFC 6432)."""

from __future__ import annotations

from typing import NamedTuple

# RFC 3398 §8.2.6.1 and §7.2.4.1, as domain tables of the trade give them.
_SIP_TO_Q850 = {
    400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102,
    410: 22, 413: 127, 414: 127, 415: 79, 416: 127, 420: 127, 421: 127, 423: 127,
    480: 18, 481: 41, 482: 25, 483: 25, 484: 28, 485: 1, 486: 17, 487: 16, 488: 65,
    500: 41, 501: 79, 502: 38, 503: 41, 504: 102, 505: 127, 513: 127,
    600: 17, 603: 21, 604: 1, 606: 65,
}  # fmt: skip
NORMAL_CLEARING = 16


class Cause(NamedTuple):
    """A Q.850 cause value (1-127), the SIP status it came with (0 for a plain BYE), and words."""

    q850: int
    status: int = 0
    text: str = ""


def from_status(status: int, text: str = "") -> Cause:
    """The cause that a final SIP status stands for (RFC 3398 §8.2.6.1); unknown ones are 127."""
    return Cause(_SIP_TO_Q850.get(status, 127), status, text)
