"""The site that the plan is timed with is a sound one."""

from __future__ import annotations

from bench.plan import SITES, site

from trunkline.finding import Level
from trunkline.guide.catalogue import judge
from trunkline.site.load import load


def test_the_site_has_its_fifty_remote_sites_and_no_error() -> None:
    loaded = load(site(), "site.yaml")
    assert loaded.site is not None
    assert len(loaded.site.remote_sites) == SITES
    assert not [found for found in (*loaded.findings, *judge(loaded)) if found.level is Level.MUST]
