"""The secured town (topology A): mutual TLS on the trunk, SRTP, media anchored on the IPBX's workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tests.simulation.hands import Hands, Studio
from tests.simulation.plan import Trouble
from tests.simulation.secured.papers import CARRIER, CUSTOMER, authority, identity
from tests.simulation.secured.plan import SecurePlan
from tests.simulation.secured.speaker import Net, SpeakerHands, Voices
from tests.simulation.secured.tls import SecureWorld
from tests.simulation.secured.workers import WorkerHands
from tests.simulation.town import Town, example_site
from tests.simulation.world import Host, Place, World

from trunkline.aio.tls import Terms
from trunkline.aio.tls_stream import Parties
from trunkline.call.phone import Phone, PhoneSettings
from trunkline.carrier.sbc import Sbc, fqdn
from trunkline.cli.certificates import Papers, phone_parties, trunk_parties
from trunkline.guide.facts import shipped
from trunkline.pbx.ipbx import Reload
from trunkline.pki.identity import Identity
from trunkline.pki.names import domain
from trunkline.pki.store import TrustStore
from trunkline.sip.flow import Flow
from trunkline.sip.locate import Question, Srv
from trunkline.site.model import Site


class SecureTown(Town):
    """A secured site and its carrier, running on virtual time."""

    plan: SecurePlan
    world: SecureWorld

    def __init__(self, plan: SecurePlan, *, log: bool = False) -> None:
        self.shown: dict[str, str] = {}  # the kind of certificate that a host shows
        self.refusals: list[tuple[float, float, str, str]] = []  # from, until, who showed it, which kind
        self._call_ids: dict[str, str] = {}  # by leg, of processes that ended
        super().__init__(plan, log=log)
        self._secure_ipbx()
        names = self.world.names
        for gateway, sbc in zip(self.site.trunk.gateways, self.site.carrier.sbcs, strict=True):
            target = gateway.domain_proxy.target_domain
            names[Question(f"_sips._tcp.{target}", "SRV")] = (Srv(10, 10, sbc.port, target),)

    @property
    def name(self) -> str:
        """The IPBX's FQDN."""
        return self.site.interfaces.eth0.domain_name

    @property
    def workers(self) -> WorkerHands:
        """The IPBX's media workers."""
        hands = self.ipbx_host.hands
        assert isinstance(hands, WorkerHands)
        return hands

    @property
    def voices(self) -> Voices:
        """The far ends."""
        assert isinstance(self.studio, Voices)
        return self.studio

    # --- who is there -------------------------------------------------------------------

    def _world(self, log: bool) -> World:
        return SecureWorld(self.plan.seed, log=log)

    def _studio(self) -> Studio:
        self.net = Net(self.world, self.plan.seed)
        return Voices(self.net, self.plan.pace)

    def _example(self) -> Site:
        site = example_site("internet-a.yaml")
        if not self.plan.tls_most:
            return site
        gateways = []
        for gateway in site.trunk.gateways:
            security = gateway.security.model_copy(update={"tls_max": self.plan.tls_most})
            gateways.append(gateway.model_copy(update={"security": security}))
        return site.model_copy(update={"trunk": site.trunk.model_copy(update={"gateways": tuple(gateways)})})

    def _secure_ipbx(self) -> None:
        host, site = self.ipbx_host, self.site
        eth0, eth1 = site.interfaces.eth0.address, site.interfaces.eth1
        ports = site.media
        assert eth1 is not None
        assert ports.trunk_ports is not None
        assert ports.phone_ports is not None
        for address in (eth0, eth1.address):
            self.net.hosts[address] = host
        self.net.secure |= {eth1.address, *(sbc.media for sbc in site.carrier.sbcs)}
        firsts = {eth1.address: ports.trunk_ports.first, eth0: ports.phone_ports.first}
        host.hands = WorkerHands(
            self.net, host, self.plan.workers, firsts, pairs=self.plan.pairs, late=self.plan.late
        )
        self.show("ipbx", "good")

    def _sbc_at(self, place: Place, label: str) -> Host:
        host = self.world.add(label, self._new_sbc(label), (), (), [place])
        media = next(sbc.media for sbc in self.site.carrier.sbcs if sbc.label == label)
        self.net.hosts[media] = host
        self.show(label, "good")
        return host

    def _phone_at(self, place: Place, desk: str) -> Host:
        host = self.world.add(f"phone {desk}", self._new_phone(desk), [place], [place], [place])
        self.net.hosts[place[0]] = host
        client = self._terms(None, authority(CUSTOMER).store)
        self.world.renew(place, Parties(client, gateways={domain(self.name): client}))
        return host

    def _as_wanted(self, settings: PhoneSettings) -> PhoneSettings:
        if settings.extension not in self.plan.secure_phones:
            return settings
        local = settings.flow.local
        listen = self.site.phones.listen
        flow = Flow("TLS", local, (self.site.interfaces.eth0.address, listen.tls), self.name)
        return replace(settings, flow=flow, suites=self.site.trunk.gateways[0].security.suites)

    def _hands(self, host: Host) -> Hands:
        return SpeakerHands(self.voices, host, self.plan.temper)

    # --- certificates -------------------------------------------------------------------

    def show(self, who: str, kind: str) -> None:
        """From now on this host shows a certificate of that kind; connections go on."""
        self.shown[who] = kind
        self.world.note(f"{who} shows a certificate: {kind}")
        if who == "ipbx":
            self._show_ipbx(kind)
            return
        sbc = next(sbc for sbc in self.site.carrier.sbcs if sbc.label == who)
        name, trust = fqdn(self.site, sbc), authority(CUSTOMER).store
        client = self._terms(identity(CARRIER, name, kind), trust)
        server = self._terms(_presented(CARRIER, name, kind), trust)
        self.world.renew(
            (sbc.signalling, sbc.port), Parties(server, (self.name,), {domain(self.name): client})
        )

    def _show_ipbx(self, kind: str) -> None:
        site, trust = self.site, authority(CARRIER).store
        shown = _presented(CUSTOMER, self.name, kind)
        assert shown is not None
        facts = shipped()[site.guide.name]
        papers = Papers(shown, _presented(CUSTOMER, self.name, "good") or shown, trust, facts)
        trunk = trunk_parties(site, papers)
        if kind == "none":
            bare = {name: replace(terms, identity=None) for name, terms in trunk.gateways.items()}
            trunk = replace(trunk, gateways=bare)
        listen = self.ipbx.exchange.listen
        self.world.renew(listen.trunk["TLS"], trunk)
        self.world.renew(listen.phones["TLS"], phone_parties(site, papers))

    def _terms(self, shown: Identity | None, trust: TrustStore) -> Terms:
        facts = shipped()[self.site.guide.name]
        return Terms(
            shown,
            trust,
            facts.numbers("tls.suites_1_3"),
            (*facts.numbers("tls.suites_1_2"), 0xC02B),
        )

    # --- what goes wrong ------------------------------------------------------------------

    def fail(self, trouble: Trouble) -> Callable[[], None]:
        what, whom = trouble.what, trouble.whom
        if what.startswith("worker"):
            turn = int(whom)
            if what == "worker dies":
                self.workers.kill(turn)
                return _nothing
            return self.workers.stall(turn)
        if what == "renew":
            self._renew(whom, "renewed")
            return _nothing
        if what == "reset":
            self.world.note(f"{whom}: connections reset")
            self.world.break_tls(self.host(whom))
            return _nothing
        if what.startswith("refused"):
            kind = what.removeprefix("refused ")
            self._renew(whom, kind)
            self.world.break_tls(self.host(whom))
            self.refusals.append((self.world.now, trouble.until, whom, kind))
            return partial(self._mend_papers, whom)
        if what == "runs out":
            self.world.break_tls(self.host(whom))
            self.refusals.append((self.world.now, trouble.until, whom, "expired"))
            return partial(self._mend_papers, whom)
        return super().fail(trouble)

    def prepare(self) -> None:
        """Who shows a certificate that will run out has it from the start."""
        for trouble in self.plan.troubles:
            if trouble.what == "runs out":
                self.show(trouble.whom, "runs out")

    def _mend_papers(self, whom: str) -> None:
        """A good certificate at last; whatever was wrong with it before is over."""
        now = self.world.now
        self.refusals = [
            (since, min(until, now) if who == whom else until, who, kind)
            for since, until, who, kind in self.refusals
        ]
        self._renew(whom, "renewed")

    def _renew(self, whom: str, kind: str) -> None:
        """SIGHUP with other certificates."""
        self.show(whom, kind)
        if whom == "ipbx":
            self.world.give(self.ipbx_host, Reload(self.site))

    # --- what is left ---------------------------------------------------------------------

    def remains(self) -> dict[str, list[str]]:
        found = super().remains()
        for host in self.world.hosts:
            if isinstance(host.hands, WorkerHands):
                found[host.name] += [f"session {media} at the workers" for media in host.hands.sessions]
                ports = [place for place in self.net.ports if self.net.hosts[place[0]] is host]
                found[host.name] += [f"media port {place[0]} {place[1]}" for place in ports]
        return found

    def call_ids(self) -> dict[str, str]:
        """The Call-ID of each leg of a phone or a subscriber."""
        found = dict(self._call_ids)
        for host in (*self.phone_hosts.values(), *self.sbc_hosts.values()):
            found |= _call_ids(host)
        return found

    def _end(self, host: Host) -> None:
        self._call_ids |= _call_ids(host)
        super()._end(host)


def _call_ids(host: Host) -> dict[str, str]:
    node = host.node
    if isinstance(node, Phone):
        return {call.leg.id: call.leg.usage.call_id for call in node.calls}
    if isinstance(node, Sbc):
        return {talk.leg.id: talk.leg.usage.call_id for talk in node.talks.values()}
    return {}


def _presented(signer: str, name: str, kind: str) -> Identity | None:
    """What a server shows: it must show something."""
    return identity(signer, name, "good" if kind == "none" else kind)


def _nothing() -> None:
    """What is over by itself needs no mending."""
