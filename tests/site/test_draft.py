"""The sound part of a file with errors, judged under the file's own paths."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.example_site import TEXT, edited

from trunkline.site.draft import Draft, draft


def drafted(text: str) -> Draft:
    result = draft(yaml.load(text, Loader=yaml.BaseLoader), set())
    assert result is not None
    return result


def test_a_sound_tree_is_its_own_draft() -> None:
    sound = drafted(TEXT)
    assert not sound.touched
    assert sound.in_file(("users", 2)) == ("users", 2)


def test_a_wrong_value_gives_way_to_its_default() -> None:
    sound = drafted(edited({"trunk.listen.udp": "x"}))
    assert sound.site.trunk.listen.udp == 5060
    assert sound.touched == {("trunk", "listen", "udp")}


def test_an_entry_that_cannot_stand_is_left_out_and_paths_stay_the_files() -> None:
    sound = drafted(edited({"users.1.extension": "x", "users.2.ddi": "201"}))
    assert [user.extension for user in sound.site.users] == ["201", "203", "204"]
    assert sound.in_file(("users", 1, "ddi")) == ("users", 2, "ddi")
    assert {("users", 1), ("users", 2, "ddi")} <= sound.touched


def test_entries_within_entries_keep_their_paths() -> None:
    codecs = ["x", "PCMA"]
    sound = drafted(edited({"trunk.gateways.0": "x", "trunk.gateways.1.media.codecs": codecs}))
    path = ("trunk", "gateways", 0, "media", "codecs", 0)
    assert sound.in_file(path) == ("trunk", "gateways", 1, "media", "codecs", 1)


def test_an_unknown_key_casts_doubt_on_the_keys_it_may_stand_for() -> None:
    sound = drafted(edited({"trunk.gateways.0.media.bandwidth": None, "trunk.gateways.0.media.bw": "12"}))
    assert ("trunk", "gateways", 0, "media", "bandwidth") in sound.touched
    assert ("trunk", "gateways", 0, "media", "codecs") not in sound.touched


REQUIRED = (
    *("schema", "customer", "guide", "guide.name", "product.load", "interfaces", "interfaces.eth0.address"),
    *("trunk", "trunk.channels", "trunk.gateways", "numbering", "numbering.installation_number"),
)


@pytest.mark.parametrize("path", REQUIRED)
def test_what_is_missing_is_stood_in_for_and_marked(path: str) -> None:
    missing, empty = drafted(edited({path: None})), drafted(edited({path: ""}))
    assert tuple(path.split(".")) in missing.touched & empty.touched
    assert [user.extension for user in missing.site.users] == ["201", "202", "203", "204"]


def test_a_list_that_loses_its_last_entry_is_stood_in_for() -> None:
    sound = drafted(edited({"trunk.gateways": ["x"]}))
    assert sound.site.trunk.gateways[0].label == "-"
    assert not sound.entries


def test_there_is_no_draft_without_a_mapping() -> None:
    assert draft("word", set()) is None
    assert draft([], set()) is None
    assert draft(None, set()) is None
    assert draft({}, set()) is not None


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"media": {"trunk_ports": {"first": "6000"}}}, ("media", "trunk_ports")),
        ({"certificates": {"trust": ["ca.pem"]}}, ("certificates",)),
        ({"certificates": {"public_server": {"key": "x"}}}, ("certificates",)),
        ({"interfaces.eth1": {"domain_name": "a.example"}}, ("interfaces", "eth1")),
    ],
)
def test_a_section_that_may_be_left_out_is_when_it_is_not_whole(changes: Any, gone: tuple[str, ...]) -> None:
    sound = drafted(edited(changes))
    assert gone in sound.touched
    value: Any = sound.site
    for part in gone:
        value = getattr(value, part)
    assert value is None
