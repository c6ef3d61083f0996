"""The whole trunk in a `World`: one IPBX, two access SBCs with their subscribers, phones and a DNS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trunkline.call.party import Behaviour
from trunkline.call.phone import Phone, PhoneSettings
from trunkline.carrier.sbc import Sbc
from trunkline.pbx.ipbx import Ipbx
from trunkline.sip.flow import Flow
from trunkline.sip.locate import Question
from trunkline.sip.transaction import TimerValues
from trunkline.site.load import load
from trunkline.site.model import Site

from world import Host, QuietMedia, Weather, World

EXAMPLE = Path(__file__).parents[2] / "examples" / "bvpn.yaml"


def example_site(**changes: Any) -> Site:
    """The shipped example, with passwords that need no files."""
    site = load(EXAMPLE.read_bytes(), EXAMPLE.name).site
    assert site is not None
    users = tuple(user.model_copy(update={"password": f"pass-{user.extension}"}) for user in site.users)
    return site.model_copy(update={"users": users, **changes})


class Town:
    """A site and its carrier, running on virtual time."""

    def __init__(self, seed: int, weather: Weather | None = None, site: Site | None = None) -> None:
        self.world = World(seed, weather)
        self.site = site or example_site()
        world, ids = self.world, self.world.ids
        self.ipbx = Ipbx(self.site, ids, world.now)
        sockets = [address for _, address in self.ipbx.exchange.listen.every()]
        self.ipbx_host = world.add(self.ipbx, *sockets)
        self.sbcs: dict[str, Sbc] = {}
        self.sbc_hosts: dict[str, Host] = {}
        self.media: dict[str, QuietMedia] = {}
        for settings, gateway in zip(self.site.carrier.sbcs, self.site.trunk.gateways, strict=True):
            sbc = Sbc(self.site, settings, ids, world.now)
            hands = self.media[settings.label] = QuietMedia()
            self.sbcs[settings.label] = sbc
            self.sbc_hosts[settings.label] = world.add(sbc, sbc.local, hands=hands)
            world.names[Question(gateway.domain_proxy.target_domain, "A")] = (settings.signalling,)
        self.phones: dict[str, Phone] = {}
        self.phone_hosts: dict[str, Host] = {}
        for index, user in enumerate(self.site.users):
            local = (f"192.0.2.{101 + index}", 5060)
            t = self.site.timers
            settings = PhoneSettings(
                user.extension,
                user.password,
                self.site.phones.realm,
                Flow("UDP", local, (self.site.interfaces.eth0.address, self.site.phones.listen.udp)),
                local[0],
                timers=TimerValues(t.t1, t.t2, t.t4),
            )
            phone = Phone(settings, ids, world.now, Behaviour())
            hands = self.media[user.extension] = QuietMedia()
            self.phones[user.extension] = phone
            self.phone_hosts[user.extension] = world.add(phone, local, hands=hands)

    def begin(self) -> None:
        """Start the nodes and let the phones register."""
        world = self.world
        world.carry(self.ipbx_host, self.ipbx.start(world.now))
        for extension, phone in self.phones.items():
            world.carry(self.phone_hosts[extension], phone.start(world.now))

    def dial(self, extension: str, number: str, behaviour: Behaviour) -> Any:
        """A phone dials."""
        phone = self.phones[extension]
        call, out = phone.call(number, behaviour, self.world.now)
        self.world.carry(self.phone_hosts[extension], out)
        return call

    def ring_in(self, sbc: str, caller: str, number: str, behaviour: Behaviour) -> str:
        """A subscriber calls in through that SBC."""
        leg, out = self.sbcs[sbc].place(caller, number, behaviour, self.world.now)
        self.world.carry(self.sbc_hosts[sbc], out)
        return leg

    def records(self) -> list[Any]:
        """What the IPBX wrote."""
        from trunkline.call.node import Write

        return [output.record for output in self.ipbx_host.outputs if isinstance(output, Write)]
