"""What changes between two dossiers, told to each reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from tests.example_site import EXAMPLES, edited

from trunkline.finding import said
from trunkline.guide.facts import shipped
from trunkline.plan.diff import READERS, as_text, as_values, changes, for_reader
from trunkline.plan.document import Block, Chapter, File, Listing, Paragraph, Row, Source, Step, Steps, Table
from trunkline.plan.dossier import dossier
from trunkline.site.load import load

FACTS = shipped()["business-talk-oxo-6.x"]
HEAD = (said("protocol", "protocole"), "source", "port")


def firewall(*rows: Row) -> Chapter:
    table = Table(HEAD, rows, said("Rules", "Règles"))
    return Chapter(
        "firewall", said("Firewall", "Pare-feu"), (table,), reader=said("firewall team", "équipe pare-feu")
    )


def steps(*held: Step) -> Chapter:
    return Chapter("checklist", "Checklist", (Steps(held),), reader="installer")


def planned(changed: dict[str, Any], name: str = "internet-a") -> tuple[Chapter, ...]:
    site = load(edited(changed, EXAMPLES / f"{name}.yaml"), "x").site
    assert site is not None
    return dossier(site, FACTS, date(2026, 12, 1))


def test_the_same_site_changes_nothing_for_nobody() -> None:
    found = changes(planned({}), planned({}))
    assert not found
    assert as_text(found, "en").splitlines() == [f"{words} nothing" for words in READERS.values()]
    assert as_values(found, "en") == {reader: [] for reader in READERS}


def test_a_changed_cell_is_told_with_what_it_was() -> None:
    old = firewall(Row(("tcp", "any", "5060"), Source("trunk", "FW-1"), "signalling"))
    new = firewall(Row(("tcp", "any", "5061"), Source("trunk", "FW-1"), "signalling"))
    [change] = changes([old], [new])
    assert (change.kind, change.before, change.after) == ("changed", (("port", "5060"),), (("port", "5061"),))
    assert change.readers == ("firewall",)
    assert "      port: 5060 -> 5061" in as_text([change], "en").splitlines()


def test_lines_without_an_id_are_told_apart_by_the_cells_that_match_most_of_them() -> None:
    first, second = Row(("tcp", "a", "1")), Row(("tcp", "b", "1"))
    [change] = changes([firewall(first, second)], [firewall(Row(("tcp", "a", "2")), second)])
    assert (change.kind, change.item) == ("changed", "tcp, a")
    [gone] = changes([firewall(first, second)], [firewall(second)])
    assert (gone.kind, gone.before) == ("removed", (("source", "a"), ("port", "1")))
    [come] = changes([firewall(second)], [firewall(first, second)])
    assert come.kind == "added"


def test_a_new_address_in_every_line_changes_them_and_replaces_none() -> None:
    def table(address: str) -> Chapter:
        return firewall(
            *(Row((kind, address, port)) for kind, port in (("tcp", "1"), ("tcp", "2"), ("udp", "1")))
        )

    found = changes([table("192.0.2.1")], [table("192.0.2.2")])
    assert [(change.kind, change.before) for change in found] == [("changed", (("source", "192.0.2.1"),))] * 3


def test_what_came_and_went_is_told_with_its_cells() -> None:
    first, second = firewall(Row(("tcp", "a", "1"))), firewall(Row(("udp", "b", "")))
    text = as_text(changes([first], [second]), "fr").splitlines()
    assert text[:5] == [
        "Pour l'équipe pare-feu :",
        "  + Pare-feu, Règles : udp",
        "      source : b",
        "  - Pare-feu, Règles : tcp",
        "      source : a; port : 1",
    ]


def test_chapters_for_others_go_to_those_who_set_them_up() -> None:
    table = firewall(Row(("tcp", "a", "1")))
    for reader, theirs in (("DNS provider", ("installer",)), ("network team", ("firewall", "installer"))):
        [change] = changes([], [replace(table, reader=reader)])
        assert change.readers == theirs


def test_the_order_of_lines_is_no_change_and_a_doubled_line_is_one() -> None:
    first, second = Row(("tcp", "a", "1")), Row(("udp", "a", "1"))
    assert not changes([firewall(first, second)], [firewall(second, first)])
    [change] = changes([firewall(first)], [firewall(first, first)])
    assert change.kind == "added"


def test_a_step_is_known_by_its_id() -> None:
    old = Step("dns", "OMC > DNS", "Type the server", "192.0.2.53")
    new = Step("dns", "OMC > DNS", "Type the server", "192.0.2.54", reboot=True)
    [change] = changes([steps(old)], [steps(Step("first", "", "Log in"), new)])[1:]
    assert change.before == (("value", "192.0.2.53"), ("reboot", ""))
    assert change.after == (("value", "192.0.2.54"), ("reboot", "yes"))


def test_text_alone_is_not_compared_but_files_and_listings_are() -> None:
    def chapter(words: str, listed: str, text: str) -> Chapter:
        blocks: tuple[Block, ...] = (Paragraph(words), Listing(listed, "Zone"))
        return Chapter(
            "dns", "DNS", blocks, (File("zone.db", text, "zone"), File("a.svg", text, "")), "installer"
        )

    found = changes([chapter("a", "x", "1\n2\n")], [chapter("b", "y", "1\n2\n3\n")])
    assert [(change.item, change.before, change.after) for change in found] == [
        ("Zone", (("text", "x"),), (("text", "y"),)),
        ("zone.db", (("text", "0 lines gone"),), (("text", "1 lines new"),)),
    ]


def test_a_chapter_that_comes_or_goes_is_told_line_by_line() -> None:
    table = firewall(Row(("tcp", "a", "1")))
    [come], [gone] = changes([], [table]), changes([table], [])
    assert (come.kind, gone.kind) == ("added", "removed")


def test_what_all_should_know_goes_to_those_whom_its_site_key_concerns() -> None:
    found = changes(planned({}), planned({"trunk.channels": "10", "dns.0": "198.51.100.54"}))
    keys = {reader: {change.source.key for change in for_reader(found, reader)} for reader in READERS}
    assert keys["carrier"] >= {"trunk.channels"}
    assert "trunk.channels" not in keys["firewall"]
    assert keys["firewall"] >= {"dns.0"}
    assert "dns.0" not in keys["carrier"]


def test_a_new_address_concerns_everybody_and_is_told_in_french_too() -> None:
    changed = {"interfaces.eth1.address": "192.0.2.131", "dns_records.0.value": "192.0.2.131"}
    found = changes(planned({}), planned(changed))
    for reader in ("firewall", "carrier", "installer"):
        assert any(change.source.key == "interfaces.eth1.address" for change in for_reader(found, reader))
    text = as_text(found, "fr")
    assert "Pour l'équipe pare-feu :" in text
    assert "valeur : 192.0.2.130 -> 192.0.2.131" in text


def test_for_programs_each_change_names_key_and_requirement() -> None:
    old = firewall(Row(("tcp", "any", "5060"), Source("trunk", "FW-1"), "signalling"))
    [value] = as_values(changes([old], [firewall()]), "fr")["firewall"]
    assert value == {
        "change": "removed",
        "chapter": "Pare-feu",
        "part": "Règles",
        "item": "tcp",
        "before": {"source": "any", "port": "5060"},
        "after": {},
        "key": "trunk",
        "requirement": "FW-1",
    }
