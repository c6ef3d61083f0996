"""What can be made to go wrong at an access SBC while it runs."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """NONE is a healthy SBC; the others are told to it by name."""

    NONE = "none"
    UNAVAILABLE = "503"  # answers 503 to OPTIONS and to new calls; calls in progress go on
    STALLED = "100"  # answers INVITE with 100 and then says nothing
    DEAF = "silent"  # answers nothing that opens a dialog
