"""Profiles: what is exported and imported again is the same configuration, and nothing else moves."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.example_site import EXAMPLES, edited

from trunkline.site.load import load
from trunkline.site.profile import UnusableProfile, exported, imported, parse
from trunkline.site.text import UnreadableYaml

EVERY = sorted(EXAMPLES.glob("*.yaml"))


@pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
def test_a_round_trip_leaves_every_gateway_as_it_was_and_every_other_line(file: Path) -> None:
    text = file.read_text("utf-8")
    before = load(text, "x")
    assert before.site is not None
    merged = imported(text, before.places, parse(exported(before.site)))
    after = load(merged, "x").site
    assert after == before.site
    head = before.places["trunk", "gateways"].key_line
    assert merged.splitlines()[:head] == text.splitlines()[:head]
    tail = text[text.index("\nnumbering:") :]
    assert merged.endswith(tail)


def test_a_profile_of_another_site_brings_its_tabs() -> None:
    source = load(edited({"trunk.gateways.0.media.bandwidth": "7"}), "x").site
    assert source is not None
    text = EXAMPLES.joinpath("bvpn.yaml").read_text("utf-8")
    after = load(imported(text, load(text, "x").places, parse(exported(source))), "x").site
    assert after is not None
    assert [gateway.media.bandwidth for gateway in after.trunk.gateways] == [7, 12]


def test_passwords_leave_by_reference_only() -> None:
    asked = {"requested": "true", "user": "u", "password": "s3cret-in-the-file"}
    site = load(edited({"trunk.gateways.0.registration": asked}), "x").site
    assert site is not None
    assert "s3cret" not in exported(site)
    asked["password"] = "${env:SBC_PASSWORD}"
    site = load(edited({"trunk.gateways.0.registration": asked}), "x").site
    assert site is not None
    assert "${env:SBC_PASSWORD}" in exported(site)


def test_errors_are_placed_in_the_profile() -> None:
    site = load(EXAMPLES.joinpath("bvpn.yaml").read_text("utf-8"), "x").site
    assert site is not None
    text = exported(site).replace("bandwidth: 12", "bandwith: 12", 1)
    with pytest.raises(UnusableProfile) as caught:
        parse(text)
    (found,) = caught.value.findings
    line = text[: text.index("bandwith")].count("\n") + 1
    assert (found.path, found.line) == ("gateways.0.media.bandwith", line)
    assert "bandwidth" in found.says


@pytest.mark.parametrize("text", ["", "x", "profile: 2\n", "profile: trunkline-gateways/1\n", "<spf>\n"])
def test_what_is_no_profile_is_refused(text: str) -> None:
    with pytest.raises((UnusableProfile, UnreadableYaml)):
        parse(text)


def test_gateways_on_one_line_are_not_replaced() -> None:
    site = load(EXAMPLES.joinpath("bvpn.yaml").read_text("utf-8"), "x").site
    assert site is not None
    flow = "schema: 1\ntrunk:\n  gateways: [{label: a}]\n"
    with pytest.raises(ValueError, match="lines of its own"):
        imported(flow, load(flow, "x").places, parse(exported(site)))
