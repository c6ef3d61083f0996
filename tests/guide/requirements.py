"""The requirements that a rule must hold a site file to: those marked **rule** in the workplace's list."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

RULED: Final = (
    *("FAX-1", "FAX-2", "QOS-1", "DROM-1"),
    *("BVPN-1", "BVPN-3", "CAC-1", "WEB-1"),
    *("INET-1", "INET-2", "INET-3", "INET-5", "DNS-1", "TLS-1", "TLS-2", "TLS-3", "SRTP-1", "CODEC-1"),
    *("FAX-3", "VER-1", "VER-2"),
    *("CFG-2", "CFG-3", "CFG-4", "CERT-1", "CERT-2", "CERT-3"),
    *("SEC-1", "SEC-2", "SEC-3", "SEC-4", "SEC-5"),
)
LIST: Final = Path(__file__).parents[3] / "shared" / "guide" / "requirements.md"

_ROW = re.compile(r"^\| ([A-Z]+-\d+) \|.*\|([^|]*)\|\s*$", re.MULTILINE)


def marked(text: str) -> tuple[str, ...]:
    """The ids whose last column has the word rule."""
    return tuple(row[1] for row in _ROW.finditer(text) if re.search(r"\brule\b", row[2]))
