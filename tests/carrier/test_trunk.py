"""IPBX and access SBC on one wire: what each side's knobs do to the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tests.example_site import FILE, edited
from tests.peers import Ids

from trunkline.call.node import Received, Write
from trunkline.call.party import Behaviour
from trunkline.call.phone import Phone, PhoneSettings
from trunkline.carrier.faults import Fault
from trunkline.carrier.sbc import Sbc
from trunkline.media import anchor
from trunkline.pbx.ipbx import Ipbx
from trunkline.sip.flow import Flow, Send
from trunkline.sip.locate import Answers, Question
from trunkline.site.load import load

PHONE = ("192.0.2.101", 5060)
OUT = "00199009001"  # answers
IN = "+33199001001"
ACCOUNT = {"requested": "true", "user": "site42", "password": "secret"}


class Wire:
    """An IPBX, both access SBCs and a phone of user 201, on virtual time and a network without faults."""

    def __init__(self, changes: Mapping[str, Any] | None = None) -> None:
        found = load(edited(deepcopy(dict(changes or {}))), FILE.name)
        assert found.site is not None, found.findings
        users = tuple(user.model_copy(update={"password": "secret"}) for user in found.site.users)
        site = found.site.model_copy(update={"users": users})
        self.now = 0.0
        self.ipbx = Ipbx(site, Ids("i"), 0.0)
        self.nominal, self.backup = (Sbc(site, sbc, Ids(sbc.label), 0.0) for sbc in site.carrier.sbcs)
        flow = Flow("UDP", PHONE, ("192.0.2.10", 5059))
        self.phone = Phone(PhoneSettings("201", "secret", site.phones.realm, flow, PHONE[0]), Ids("p"), 0.0)
        self.nodes: dict[tuple[str, int], Any] = {
            **{address: self.ipbx for _, address in self.ipbx.exchange.listen.every()},
            self.nominal.local: self.nominal,
            self.backup.local: self.backup,
            PHONE: self.phone,
        }
        hosts = [site.carrier.sbcs[0].signalling, site.carrier.sbcs[1].signalling]
        self.names = {Question(f"sbc{n}.carrier.example", "A"): (host,) for n, host in enumerate(hosts, 1)}
        self.records: list[Any] = []
        for node in (self.ipbx, self.nominal, self.backup, self.phone):
            self.does(node, node.start(0.0))
        self.after(1.0)

    def does(self, node: Any, outputs: list[Any]) -> None:
        queue = deque((node, output) for output in outputs)
        while queue:
            node, output = queue.popleft()
            match output:
                case Send(data, flow):
                    to = self.nodes[flow.remote]
                    got = to.receive(Received(data, Flow(flow.transport, flow.remote, flow.local)), self.now)
                case Question():
                    to, got = node, node.receive(Answers(output, self.names[output], 3600.0), self.now)
                case anchor.Offer(media, leg, address):
                    opened = anchor.Anchored(media, leg, address, 20000, 20001)
                    to, got = node, node.receive(opened, self.now)
                case Write(record):
                    self.records.append(record)
                    continue
                case _:
                    continue
            queue.extend((to, one) for one in got)

    def after(self, seconds: float) -> None:
        end = self.now + seconds
        nodes: tuple[Any, ...] = (self.ipbx, self.nominal, self.backup, self.phone)
        while True:
            due, node = min(
                ((at, index) for index, n in enumerate(nodes) if (at := n.deadline()) is not None),
                default=(end + 1, 0),
            )
            if due > end:
                break
            self.now = max(self.now, due)
            self.does(nodes[node], nodes[node].expire(self.now))
        self.now = end

    def out(self) -> Any:
        """The phone calls a subscriber, and talks for a second."""
        call, outputs = self.phone.call(OUT, Behaviour(seconds=1.0), self.now)
        self.does(self.phone, outputs)
        self.after(3.0)
        return call

    def into(self, sbc: Sbc) -> Any:
        """A subscriber calls in, and talks for a second; its side of it."""
        leg, outputs = sbc.place("+33199009001", IN, Behaviour(seconds=1.0), self.now)
        self.does(sbc, outputs)
        self.after(3.0)
        return sbc.talks[leg]

    def gateways(self) -> list[str]:
        """By which gateway each call went, as the records say."""
        return [record["gateway"] for record in self.records if record["record"] == "call"]


def test_calls_go_both_ways_on_a_static_trunk_and_each_side_watches_the_other() -> None:
    wire = Wire()
    assert wire.out().cause.q850 == 16
    assert wire.into(wire.backup).cause is None  # it hung up itself
    assert wire.gateways() == ["nominal", "backup"]
    assert [gateway["health"] for gateway in wire.ipbx.status(wire.now)["gateways"]] == ["up", "up"]
    assert wire.nominal.status(wire.now)["customer"]["health"] == "up"
    assert (wire.nominal.calls, wire.ipbx.calls) == ({}, {})


def test_a_trunk_registers_where_the_carrier_insists_and_calls_go_both_ways() -> None:
    wire = Wire(
        {
            "carrier.registration_required": "true",
            "trunk.gateways.0.registration": ACCOUNT,
            "trunk.gateways.1.registration": dict(ACCOUNT),
        }
    )
    assert [g["registration"] for g in wire.ipbx.status(wire.now)["gateways"]] == ["registered"] * 2
    assert wire.nominal.status(wire.now)["customer"]["registered"]
    assert wire.out().cause.q850 == 16
    assert wire.into(wire.nominal).talking
    wire.after(7200.0)
    assert wire.nominal.status(wire.now)["customer"]["registered"]
    assert wire.out().cause.q850 == 16


def test_an_sbc_that_asks_for_rest_is_left_alone_and_comes_back_after_its_hold_down() -> None:
    wire = Wire()
    wire.nominal.suffer(Fault.UNAVAILABLE, 60)
    assert wire.out().cause.q850 == 16
    assert wire.gateways() == ["backup"]
    nominal = wire.ipbx.status(wire.now)["gateways"][0]
    assert (nominal["health"], "Retry-After 60 s" in nominal["why"]) == ("down", True)
    wire.nominal.suffer(Fault.NONE)
    wire.after(50.0)
    wire.out()
    wire.after(120.0)
    wire.out()
    assert wire.gateways() == ["backup", "backup", "nominal"]


def test_a_silent_sbc_costs_the_caller_the_initial_timeout_alone() -> None:
    wire = Wire()
    wire.nominal.suffer(Fault.DEAF)
    begun = wire.now
    call, outputs = wire.phone.call(OUT, Behaviour(seconds=1.0), wire.now)
    wire.does(wire.phone, outputs)
    wire.after(6.0)
    assert call.answered_at is not None
    assert 4.0 <= call.answered_at - begun <= 4.5
    wire.nominal.suffer(Fault.NONE)
    wire.after(40.0)
    assert wire.gateways() == ["backup"]
    assert (wire.nominal.calls, wire.ipbx.exchange.channels.used) == ({}, 0)


def test_the_customers_number_is_one_it_bought() -> None:
    wire = Wire({"carrier.number_ranges": ["+33199001002-+33199001049"]})
    call = wire.out()
    assert (call.cause.status, call.cause.q850) == (403, 21)
