"""The customer's site on loopback addresses: everything moved, nothing else changed, two labs apart."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from tests.example_site import EXAMPLES, TEXT, edited

from trunkline.cli.sitefile import judged
from trunkline.finding import Level
from trunkline.lab.addresses import Block, NoRoom, as_yaml, lab_site
from trunkline.site.load import load
from trunkline.site.model import Site

NETWORK = "127.7.7"
WORDS = {extension: f"mTq7vX2nRk{extension}" for extension in ("201", "202", "203", "204")}


def example(changes: dict[str, Any] | None = None) -> Site:
    site = load(edited(changes) if changes else TEXT, "site.yaml").site
    assert site is not None
    return site


def addresses(value: Any) -> set[str]:
    """Every address in a tree of a site."""
    if isinstance(value, dict):
        return set().union(*(addresses(inner) for inner in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(addresses, value))
    text = str(value).partition(":")[0]
    try:
        return {str(ip_address(text))}
    except ValueError:
        return set()


def test_every_address_becomes_one_of_the_labs() -> None:
    site, places = lab_site(example(), NETWORK, WORDS, "records.jsonl")
    everywhere = addresses(site.model_dump(mode="json")) | set(places.phones.values())
    assert all(ip_address(address) in ip_network(f"{NETWORK}.0/24") for address in everywhere)
    own = [places.ipbx, places.dns[0], *places.phones.values()]
    own += [address for sbc in site.carrier.sbcs for address in (sbc.signalling, sbc.media)]
    assert len(set(own)) == len(own)


def test_the_carriers_names_lead_to_its_sbcs() -> None:
    site, places = lab_site(example(), NETWORK, WORDS, "")
    nominal, backup = site.carrier.sbcs
    assert places.names == {
        "sbc1.carrier.example": (nominal.signalling, 5060),
        "sbc2.carrier.example": (backup.signalling, 5060),
    }


def test_a_gateway_that_names_its_sbc_by_address_follows_it() -> None:
    key = "trunk.gateways.0.domain_proxy"
    site, places = lab_site(
        example({f"{key}.target_domain": "198.51.100.10", f"{key}.outbound_proxy": None}), NETWORK, WORDS, ""
    )
    assert site.trunk.gateways[0].domain_proxy.target_domain == site.carrier.sbcs[0].signalling
    assert list(places.names) == ["sbc2.carrier.example"]


def test_passwords_are_the_labs_own_and_the_numbers_the_customers() -> None:
    before = example()
    site, _ = lab_site(before, NETWORK, WORDS, "")
    assert [user.password for user in site.users] == list(WORDS.values())
    assert site.numbering == before.numbering
    assert site.carrier.subscribers == before.carrier.subscribers
    assert site.trunk.channels == before.trunk.channels


def test_an_unanswered_bye_is_given_up_after_six_seconds() -> None:
    site, _ = lab_site(example(), NETWORK, WORDS, "")
    assert 64 * site.timers.t1 == pytest.approx(6.4)


def test_privileged_ports_become_ones_that_need_no_root() -> None:
    changes = {"trunk.listen.udp": 506, "trunk.listen.tcp": 0, "phones.listen.udp": 1023}
    site, _ = lab_site(example(changes), NETWORK, WORDS, "")
    assert (site.trunk.listen.udp, site.trunk.listen.tcp, site.phones.listen.udp) == (5506, 0, 6023)


def test_the_labs_site_is_a_site_file_without_errors() -> None:
    site, _ = lab_site(
        example({"interfaces.eth1": {"address": "192.0.2.11"}}), NETWORK, WORDS, "records.jsonl"
    )
    loaded = load(as_yaml(site), "lab.yaml")
    assert [found for found in judged(loaded) if found.level is not Level.NOTE] == []
    assert loaded.site == site
    assert json.loads(as_yaml(site))["schema"] == 1


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_example_moved_to_loopback_stays_one_without_errors(file: Path) -> None:
    here = load(file.read_text("utf-8"), file.name).site
    assert here is not None
    site, places = lab_site(here, NETWORK, WORDS, "records.jsonl")
    loaded = load(as_yaml(site), "lab.yaml")
    assert [found for found in judged(loaded) if found.level is Level.MUST] == []
    hosts = [sbc.signalling for sbc in site.carrier.sbcs] + [sbc.media for sbc in site.carrier.sbcs]
    taken = [*hosts, places.ipbx, places.dns[0], *places.phones.values()]
    assert len(taken) == len(set(taken))


def test_a_site_whose_carrier_has_too_few_sbcs_is_refused() -> None:
    with pytest.raises(ValueError, match=r"carrier\.sbcs has 1 entries, the trunk has 2 gateways"):
        lab_site(example({"carrier.sbcs.1": None}), NETWORK, WORDS, "")


def test_a_site_too_large_for_a_network_is_refused() -> None:
    site = example()
    many = tuple(site.users[0].model_copy(update={"extension": str(1000 + n)}) for n in range(200))
    with pytest.raises(NoRoom, match="200 users do not fit"):
        lab_site(site.model_copy(update={"users": many}), NETWORK, {}, "")


def test_two_labs_never_share_a_network_until_one_ends() -> None:
    first = Block.reserve(4711)
    second = Block.reserve(4711)
    try:
        assert first.network != second.network
    finally:
        first.close()
        second.close()
    third = Block.reserve(4711)
    third.close()
    assert third.network == first.network
