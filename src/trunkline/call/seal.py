"""What is known of TLS with one peer, for whoever asks why it is down or whom we speak with."""

from __future__ import annotations

from typing import Any

from trunkline.call.node import TlsRefused, TlsUp


class Seal:
    """The last handshake that succeeded, and why the last one failed ("": none did since)."""

    __slots__ = ("refused", "up")

    def __init__(self) -> None:
        self.up: TlsUp | None = None
        self.refused = ""

    def heard(self, event: TlsUp | TlsRefused) -> str:
        """Take a handshake, whoever began it; returns it in words."""
        if isinstance(event, TlsRefused):
            self.refused = event.why
            return f"TLS refused: {event.why}"
        self.up, self.refused = event, ""
        ours = event.ours or "nobody"
        return f"{spoken(event.version)} with {event.suite}; it is {_names(event)}, we are {ours}"

    def status(self) -> dict[str, Any] | None:
        """For `trunkline status`; None before the first handshake."""
        up = self.up
        if up is None:
            return {"refused": self.refused} if self.refused else None
        known = {
            "version": spoken(up.version),
            "suite": up.suite,
            "ours": up.ours,
            "theirs": list(up.theirs),
        }
        return {**known, "refused": self.refused}


def spoken(version: str) -> str:
    """A version as people write it: OpenSSL says TLSv1.2."""
    return version.replace("TLSv", "TLS ")


def _names(up: TlsUp) -> str:
    return ", ".join(up.theirs) or "without a certificate"
