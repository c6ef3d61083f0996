"""A site whose names try to break out of what they are written into."""

from __future__ import annotations

from tests.example_site import EXAMPLES, edited

from trunkline.site.load import load
from trunkline.site.model import Site

NAMES = (
    "</style></svg><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "](javascript:alert(1)) | `a` **b** <b>c</b>",
    'x" onload="alert(1) &lt; &amp; {customer} {0} %s',
    "W" * 60,
    "évêché, 日本電信電話株式会社の本社ビル, Δοκιμή",
    "abc\u202edcba\u2066x",
)


def site(name: str) -> Site:
    """The example with remote sites, its free texts replaced by a name."""
    changes = {
        "customer": name,
        "remote_sites.0.label": name,
        "users.1.site": name,
        "endpoints.1.site": name,
        "endpoints.0.model": name,
        "trunk.gateways.0.label": name,
        "carrier.sbcs.0.label": name,
    }
    loaded = load(edited(changes, EXAMPLES / "internet-a-remote-sites.yaml"), "site.yaml")
    assert loaded.site is not None, loaded.findings
    return loaded.site
