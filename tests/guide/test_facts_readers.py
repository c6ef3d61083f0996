"""Every fact of the guide has a reader: what is read is recorded while all that reads facts is at work."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from pathlib import Path

from tests.example_site import EXAMPLES, INTERNET
from tests.guide.test_foresight import CASES, GOOD

import trunkline
from trunkline.guide import catalogue
from trunkline.guide.facts import Fact, Facts, known_around, shipped
from trunkline.guide.foresight import Paper, foresee, named
from trunkline.guide.foresight_calendar import dues
from trunkline.guide.lint import lint
from trunkline.site.load import load

NAME = "business-talk-oxo-6.x"
PKI = known_around()["pki"]

# Facts that nobody reads yet: the rules of chapters 2 to 5 and the dossier (part 4) will.
KEPT = {
    *(
        "architectures.bvpn",
        "architectures.bvpn-rainbow",
        "architectures.internet-a",
        "architectures.internet-b",
        "architectures.recommended",
    ),
    *(
        "products.bvpn",
        "products.front_end_internet",
    ),
    *(
        "fax.transport",
        "fax.relayed",
        "fax.attached",
        "fax.products",
        "fax.server",
    ),
    *("qos.dscp_signalling",),
    *(
        "drom.zones",
        "drom.numbers_format",
        "drom.sbcs_per_zone",
        "drom.sbc_names",
        "drom.sbc_addresses",
        "drom.local_prefixes",
    ),
    *(
        "trunk.redundancy",
        "trunk.trust",
        "trunk.sbcs",
        "trunk.supervision_period",
        "trunk.reroute_statuses",
        "trunk.full_status",
        "trunk.session_expires",
        "trunk.emergency_format",
        "trunk.dtmf_payload_type",
    ),
    *(
        "bvpn.transport",
        "bvpn.signalling_port",
        "bvpn.media_ports",
        "bvpn.codecs",
        "bvpn.sbc.nominal.name",
        "bvpn.sbc.nominal.signalling",
        "bvpn.sbc.nominal.media",
        "bvpn.sbc.backup.name",
        "bvpn.sbc.backup.signalling",
        "bvpn.sbc.backup.media",
    ),
    *(
        "remote.links",
        "remote.links_internet",
        "remote.survivability",
    ),
    *(
        "webrtc.embedded",
        "webrtc.front-end",
        "webrtc.stand-alone",
    ),
    *(
        "internet.customer_record",
        "internet.dns_port",
        "internet.fax",
        "internet.nat_a",
        "internet.nat_b",
        "internet.sbc.nominal.media",
        "internet.sbc.backup.signalling",
        "internet.sbc.backup.media",
        "internet.firewall.signalling_out",
        "internet.firewall.signalling_in",
        "internet.firewall.media_out",
        "internet.firewall.media_in",
        "internet.firewall.dns_out",
        "internet.firewall.source_ports",
    ),
    *("tls.suite_preferred",),
    *(
        "sizing.offnet_hq",
        "sizing.offnet_rs_on_hold",
        "sizing.forced_onnet_hq_rs",
    ),
    *(
        "form.bvpn_main",
        "form.internet_main",
        "form.fqdn_mandatory",
        "form.remote",
    ),
    *(
        "bulletins.interoperability",
        "bulletins.configuration",
        "bulletins.import_export",
        "bulletins.profile",
    ),
    *("cloud_connect.access",),
    *(
        "omc.eth0",
        "omc.eth1",
        "omc.dns",
        "omc.topology",
        "omc.security",
        "omc.voip_eth1",
        "omc.gateway_dns",
        "omc.gateway_security",
        "omc.domain_proxy",
    ),
}


class Watched(Mapping[str, Fact]):
    """The facts of a guide by key; whose value is taken is kept in `read`."""

    def __init__(self, held: Mapping[str, Fact]) -> None:
        self.held, self.read = held, set[str]()

    def __getitem__(self, key: str) -> Fact:
        fact = self.held[key]
        self.read.add(key)
        return fact

    def __contains__(self, key: object) -> bool:
        return key in self.held

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def items(self) -> ItemsView[str, Fact]:
        """Listing all of them reads none."""
        return self.held.items()

    def values(self) -> ValuesView[Fact]:
        """The same."""
        return self.held.values()


class WatchedFacts(Facts):
    """A guide that knows which of its facts were read, groups included."""

    def under(self, prefix: str) -> tuple[Fact, ...]:
        found = super().under(prefix)
        assert isinstance(self.by_key, Watched)
        self.by_key.read.update(fact.key for fact in found)
        return found


def watched() -> tuple[WatchedFacts, set[str]]:
    """The shipped guide under observation, and the set that what is read of it comes into."""
    facts = shipped()[NAME]
    held = Watched(facts.by_key)
    return WatchedFacts(facts.name, facts.title, facts.carrier, facts.edition, held), held.read


def read_at_work() -> set[str]:
    """What is read while every example is judged, its certificates foreseen, and the guide linted."""
    facts, read = watched()
    for file in sorted(EXAMPLES.glob("*.yaml")):
        loaded = load(file.read_text("utf-8"), file.name)
        assert loaded.site is not None
        catalogue.judge(loaded, guides={NAME: facts})
        list(foresee(loaded.site, (), facts, PKI, GOOD.at))
    site = load(INTERNET.read_text("utf-8"), INTERNET.name).site
    assert site is not None
    for scene in (pairs[0][1] for pairs in CASES.values()):
        held = scene.papers()
        papers = [Paper(path, name, held[".".join(map(str, path))]) for path, name in named(site)]
        list(foresee(site, papers, facts, PKI, scene.at))
        dues(site, papers, facts, PKI, scene.at)
    lint(facts, PKI)
    return read


def test_every_fact_has_a_reader_but_for_a_kept_list() -> None:
    """A key that stands in the code counts as read: not all readers can be set to work here."""
    code = "".join(file.read_text("utf-8") for file in Path(trunkline.__file__).parent.rglob("*.py"))
    named_in_code = {key for key in shipped()[NAME].by_key if f'"{key}"' in code}
    unread = set(shipped()[NAME].by_key) - read_at_work() - named_in_code
    assert unread <= KEPT, f"nobody reads {sorted(unread - KEPT)}: give each a reader, or take it out"


def test_the_kept_list_names_facts_of_the_guide_alone() -> None:
    assert set(shipped()[NAME].by_key) >= KEPT


def test_a_fact_without_a_reader_would_be_seen() -> None:
    facts, read = watched()
    assert facts.text("srtp.suite")
    assert {fact.key for fact in facts.under("internet.sbc.nominal")} <= read
    assert len(list(facts.by_key.items())) > len(read) == 4
