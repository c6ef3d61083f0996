"""What the guide says, written once, each value with its section."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import trunkline
from trunkline.finding import ParseError
from trunkline.guide.facts import ASK, Facts, Unknown, shipped

FACTS = shipped()["business-talk-oxo-6.x"]

HEAD = 'schema = 1\nname = "n"\ntitle = "t"\ncarrier = "c"\nedition = "e"\n'


def test_the_edition_is_pinned() -> None:
    assert FACTS.edition == "22/10/2024"


def test_every_fact_has_a_section_and_known_requirements() -> None:
    for fact in FACTS.by_key.values():
        assert re.fullmatch(r"[1-5](\.[0-9]){0,2}|-", fact.section), fact
        assert fact.section != "-" or not fact.known, fact
        assert all(re.fullmatch(r"[A-Z]+-[0-9]", word) for word in fact.requirements), fact


@pytest.mark.guide("SBC-1")
def test_the_access_sbcs_of_the_internet_trunk() -> None:
    assert FACTS.text("internet.sbc.nominal.name") == "sbc1.business-talk-ip.orange-business.com"
    assert FACTS.text("internet.sbc.backup.name") == "sbc2.business-talk-ip.orange-business.com"
    addresses = [
        FACTS.text(f"internet.sbc.{which}.{what}")
        for which in ("nominal", "backup")
        for what in ("signalling", "media")
    ]
    assert addresses == ["194.250.129.194", "194.250.129.193", "194.250.129.196", "194.250.129.195"]


@pytest.mark.guide("TLS-1")
def test_the_suites_and_ports_of_the_internet_trunk() -> None:
    assert FACTS.numbers("tls.suites_1_3") == (0x1302, 0x1301, 0x1303)
    assert FACTS.numbers("tls.suites_1_2")[0] == FACTS.number("tls.suite_preferred")
    assert FACTS.text("srtp.suite") == "AES_CM_128_HMAC_SHA1_80"
    assert FACTS.number("internet.signalling_port") == 5061
    assert FACTS.numbers("internet.media_ports") == (6000, 38000)
    assert FACTS.words("internet.codecs") == ("PCMA",)
    assert FACTS.flag("internet.anchored")


@pytest.mark.guide("CAC-3")
def test_the_sizing_table() -> None:
    rows = {fact.key for fact in FACTS.of("CAC-3")}
    assert len(rows) == 5
    assert FACTS.number("sizing.channel_kbps") == 80
    row = {"ipbx": 2, "wan_hq": 1, "wan_rs": 1, "carrier_hq": 0, "carrier_rs": 1}
    assert FACTS.counts("sizing.offnet_rs_on_hold") == row


@pytest.mark.guide("BVPN-1")
def test_over_bvpn_names_addresses_and_ports_are_the_carriers_to_tell() -> None:
    sbcs = FACTS.under("bvpn.sbc")
    assert len(sbcs) == 6
    assert {fact.value for fact in sbcs} == {ASK}
    assert not FACTS["bvpn.signalling_port"].known
    with pytest.raises(Unknown, match="leaves it open"):
        FACTS.text("bvpn.sbc.nominal.name")


def test_a_reader_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(Unknown):
        FACTS.number("srtp.suite")
    with pytest.raises(Unknown):
        FACTS.number("internet.anchored")
    with pytest.raises(Unknown):
        FACTS.text("no.such.fact")


def test_the_guides_own_values_stand_nowhere_else_in_the_code() -> None:
    values = [str(fact.value) for group in ("internet.sbc", "products.loads") for fact in FACTS.under(group)]
    values += list(map(str, FACTS.numbers("internet.media_ports")))
    wanted = re.compile("|".join(rf"(?<!\d){re.escape(value)}(?!\d)" for value in values if len(value) > 3))
    for source in Path(trunkline.__file__).parent.rglob("*.py"):
        assert not wanted.search(source.read_text("utf-8")), source


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "schema"),
        ("schema = 2\n", "schema"),
        ("x", "facts"),
        ("schema = 1\n", "name"),
        ('schema = 1\nname = ""\n', "name"),
        (HEAD + "a = 1\n", "a"),
        (HEAD + "[a.b]\nc = 1\n", "a.b.c"),
        (HEAD + "a = { value = 1 }\n", "a"),
        (HEAD + 'a = { value = 1, section = "1", why = "x" }\n', "a"),
        (HEAD + 'a = { value = 1, section = "1", requirements = "X-1" }\n', "a"),
        (HEAD + 'a = { value = 1, section = "1", requirements = [1] }\n', "a"),
        (HEAD + 'a = { value = [], section = "1" }\n', "a"),
        (HEAD + 'a = { value = 1.5, section = "1" }\n', "a"),
        (HEAD + 'a = { value = { b = "c" }, section = "1" }\n', "a"),
    ],
)
def test_a_wrong_facts_file_names_its_key(text: str, where: str) -> None:
    with pytest.raises(ParseError) as caught:
        Facts.parse(text)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("fact", "good", "bad"),
    [
        ("internet.media_ports", "[40000, 49999]", '["40000", "49999"]'),
        ("internet.codecs", '["PCMU"]', '"PCMU"'),
        ("internet.encrypted", "false", '"yes"'),
        ("internet.signalling_port", "5081", "true"),
        (
            "sizing.offnet_hq",
            "{ ipbx = 2, wan_hq = 2, wan_rs = 0, carrier_hq = 1, carrier_rs = 0 }",
            "{ ipbx = 1 }",
        ),
        ("sizing.offnet_rs", '"ask the carrier"', "1"),
        ("internet.media_ports", "[1, 65535]", "[6000]"),
        ("internet.media_ports", "[1, 1]", "[7000, 6000]"),
        ("internet.media_ports", "[1, 2]", "[6000, 65536]"),
        ("internet.firewall.dns_out", '["udp", "a", "b", "c"]', '["udp", "a", "b"]'),
        ("srtp.suite", '"ask the carrier"', "80"),
        ("internet.transport", '"tcp"', '"TLS"'),
        ("internet.gateway_dns", '"SRV"', '"NAPTR"'),
    ],
)
def test_another_guide_says_what_this_one_says_in_the_same_form(fact: str, good: str, bad: str) -> None:
    group, _, key = fact.rpartition(".")
    line = HEAD + '[{}]\n{} = {{ value = {}, section = "1" }}\n'
    Facts.parse(line.format(group, key, good)).check_kinds(FACTS)
    with pytest.raises(ParseError) as caught:
        Facts.parse(line.format(group, key, bad)).check_kinds(FACTS)
    assert caught.value.where == fact


def test_a_facts_file_cannot_make_its_reader_fall_over() -> None:
    for text in ("a=" + "[" * 100_000, "a=" + "9" * 10_000, f"{HEAD}{'.'.join('a' * 5000)} = 1\n"):
        with pytest.raises(ParseError):
            Facts.parse(text)


def test_a_reader_with_another_word_gives_it_only_where_the_guide_does_not_say() -> None:
    assert FACTS.text("bvpn.transport", "udp") == "udp"
    assert FACTS.number("no.such.fact", 7) == 7
    assert FACTS.words("no.such.fact", ()) == ()
    assert FACTS.numbers("bvpn.media_ports", (1, 2)) == (1, 2)
    assert FACTS.text("internet.transport", "udp") == "tls"
    with pytest.raises(Unknown):
        FACTS.number("internet.transport", 7)
