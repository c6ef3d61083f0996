"""What can be made to go wrong at an access SBC while it runs."""

from __future__ import annotations

from enum import StrEnum

from trunkline.sip.message import MessageError, Request, parse


class Fault(StrEnum):
    """NONE is a healthy SBC; the others are told to it by name."""

    NONE = "none"
    UNAVAILABLE = "503"  # answers 503 to OPTIONS and to new calls; calls in progress go on
    STALLED = "100"  # answers INVITE with 100 and then says nothing; once it recovers, it goes on, too late
    DEAF = "silent"  # answers nothing that opens a dialog


def opens_dialog(data: bytes) -> bool:
    """Whether this is a request from outside any dialog: what a DEAF one does not hear."""
    try:
        message = parse(data)
    except MessageError:
        return True
    return isinstance(message, Request) and not message.to_tag
