"""The report of the edges that a run took (the run itself is checked by `--edges`)."""

from __future__ import annotations

from tests.edges import Edges, _modules_with_tables, _tables_in
from tests.playbook import Watched


def counting() -> Edges:
    edges = Edges()
    edges.tables["lamp"] = Watched({("off", "press"): "on", ("on", "press"): "off", ("on", int): "broken"})
    return edges


def test_edges_nobody_took_are_named() -> None:
    edges = counting()
    assert edges.tables["lamp"]["off", "press"] == "on"
    assert edges.tables["lamp"].get(("off", "drop")) is None  # no edge
    assert edges.taken() == {"lamp": [0]}
    assert edges.untaken() == {"lamp": ["on --[press]--> off", "on --[int]--> broken"]}
    assert [line.split() for line in edges.report()] == [
        ["lamp", "1", "of", "3", "edges", "taken"],
        ["nobody", "took", "on", "--[press]-->", "off"],
        ["nobody", "took", "on", "--[int]-->", "broken"],
        ["all", "1", "of", "3", "edges", "taken"],
    ]


def test_processes_add_up() -> None:
    edges = counting()
    edges.add({"lamp": [0, 1]})
    edges.add({"lamp": [2]})
    assert edges.untaken() == {}
    assert edges.report()[-1].split() == ["all", "3", "of", "3", "edges", "taken"]


def test_every_table_of_the_house_is_found() -> None:
    found = {module.__name__ for module in _modules_with_tables() if list(_tables_in(module))}
    assert {
        f"trunkline.{name}" for name in ("sip.transaction", "sip.usage", "call.leg", "sdp.negotiation")
    } <= found
