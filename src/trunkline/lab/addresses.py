"""A customer's site on one machine: its addresses become 127.0.0.0/8 ones, its waits short.

The site file keeps what it says; this makes another site of it, for the lab alone. All
of a lab stands in one /24 of the loopback network, so two labs never meet: each holds a
socket in its own for as long as it lives.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from trunkline.site import model
from trunkline.site.gateway import Gateway
from trunkline.site.model import Site
from trunkline.site.scalar import is_address
from trunkline.site.section import Section

S = TypeVar("S", bound=Section)

DNS_PORT = 5353  # 53 is root's
PHONE_PORT = 5060
_GUARD = (1, 5999)  # host part and port of the socket that reserves a block
_IPBX, _IPBX_2, _DNS, _FIRST_SBC, _FIRST_PHONE, _LAST = 10, 11, 53, 20, 101, 254
_SBC_STEP = 10  # signalling, and media beside it: never the DNS's address
_BLOCKS = 254 * 254
_UNPRIVILEGED = 1024


class NoRoom(Exception):
    """No free block of loopback addresses, or a site too large for one."""


class Block:
    """127.x.y.0/24, ours until `close`."""

    def __init__(self, network: str, guard: socket.socket) -> None:
        self.network = network
        self._guard = guard

    @classmethod
    def reserve(cls, start: int) -> Block:
        """The first free block from `start` (any number) on. Raises NoRoom."""
        for turn in range(256):
            number = (start + turn) % _BLOCKS
            network = f"127.{number // 254 + 1}.{number % 254 + 1}"
            guard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                guard.bind((f"{network}.{_GUARD[0]}", _GUARD[1]))
            except OSError:
                guard.close()
            else:
                return cls(network, guard)
        raise NoRoom("no free loopback addresses: are 256 labs running?")

    def close(self) -> None:
        """Let others have it."""
        self._guard.close()


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything of a lab stands; `phones` maps an extension to its phone's address."""

    network: str
    ipbx: str
    dns: tuple[str, int]
    phones: Mapping[str, str]
    names: Mapping[str, tuple[str, int]]  # each name of the carrier: its SBC's address and port


def lab_site(
    site: Site, network: str, passwords: Mapping[str, str], records: str, trunk_password: str = ""
) -> tuple[Site, Places]:
    """The site as the lab runs it in `network` ("127.x.y"), and who stands where in it.

    `passwords` are the phones' by extension, and `trunk_password` that of the trunk's account
    where it registers ("": the site's own): the customer's are not needed here. `records` is
    the path of the call records. Raises NoRoom, and ValueError for a site that does not say
    which SBC plays which gateway.
    """
    sbcs = site.carrier.sbcs
    if len(sbcs) < len(site.trunk.gateways):
        count = len(site.trunk.gateways)
        raise ValueError(f"carrier.sbcs has {len(sbcs)} entries, the trunk has {count} gateways")
    if _FIRST_SBC + _SBC_STEP * len(sbcs) > _FIRST_PHONE or _FIRST_PHONE + len(site.users) > _LAST:
        raise NoRoom(f"{len(sbcs)} SBCs and {len(site.users)} users do not fit into {network}.0/24")
    carrier = tuple(
        sbc.model_copy(
            update={
                "signalling": f"{network}.{_FIRST_SBC + _SBC_STEP * place}",
                "media": f"{network}.{_FIRST_SBC + _SBC_STEP * place + 1}",
                "port": _unprivileged(sbc.port),
                "public_port": _unprivileged(sbc.public_port),
            }
        )
        for place, sbc in enumerate(sbcs)
    )
    gateways = tuple(_gateway(gateway, trunk_password) for gateway in site.trunk.gateways)
    addresses = {here.signalling: there.signalling for here, there in zip(sbcs, carrier, strict=True)}
    names = dict(_names(site.trunk.gateways, ((sbc.signalling, sbc.port) for sbc in carrier)))
    eth0, eth1 = site.interfaces.eth0, site.interfaces.eth1
    if eth0.domain_name and eth1 is not None:  # DNS-1: the customer's public record
        names[eth0.domain_name] = (f"{network}.{_IPBX_2}", _unprivileged(site.trunk.listen.tls))
    moved = _updated(
        site,
        interfaces=_interfaces(site.interfaces, network),
        dns=(f"{network}.{_DNS}:{DNS_PORT}",),
        timers=site.timers.model_copy(update={"t1": 0.1}),  # 64 of them, a lost BYE, are 6.4 s
        phones=_updated(site.phones, listen=_listen(site.phones.listen)),
        trunk=_updated(
            site.trunk,
            listen=_listen(site.trunk.listen),
            gateways=tuple(_moved(gateway, addresses) for gateway in gateways),
        ),
        users=tuple(
            _updated(user, password=passwords[user.extension]) if user.extension in passwords else user
            for user in site.users
        ),
        calls=site.calls.model_copy(update={"drain_max": min(site.calls.drain_max, 2.0)}),
        records=site.records.model_copy(update={"file": records}),
        carrier=_updated(site.carrier, sbcs=carrier, trusted=()),
    )
    phones = {user.extension: f"{network}.{_FIRST_PHONE + n}" for n, user in enumerate(site.users)}
    return moved, Places(network, f"{network}.{_IPBX}", (f"{network}.{_DNS}", DNS_PORT), phones, names)


def _interfaces(interfaces: model.Interfaces, network: str) -> model.Interfaces:
    eth0 = interfaces.eth0.model_copy(update={"address": f"{network}.{_IPBX}"})
    eth1 = interfaces.eth1
    if eth1 is not None:
        eth1 = eth1.model_copy(update={"address": f"{network}.{_IPBX_2}"})
    return interfaces.model_copy(update={"eth0": eth0, "eth1": eth1})


def _listen(listen: model.SipListen) -> model.SipListen:
    ports = {name: _unprivileged(getattr(listen, name)) for name in ("udp", "tcp", "tls")}
    return listen.model_copy(update=ports)


def _unprivileged(port: int) -> int:
    return port + 5000 if 0 < port < _UNPRIVILEGED else port


def _gateway(gateway: Gateway, password: str) -> Gateway:
    """The same gateway, quicker to see that its SBC is gone or back, its account's password the lab's."""
    protocol, proxy = gateway.protocol, gateway.domain_proxy
    supervision = protocol.supervision.model_copy(
        update={"every_up": 1.0, "every_down": 1.0, "timeout": 0.9, "hold_down": 0.5}
    )
    waits = {"supervision": supervision, "initial_timeout": 1.0, "trying_timeout": 3.0}
    port = None if proxy.port is None else _unprivileged(proxy.port)
    account = gateway.registration
    if account.requested and password:
        account = _updated(account, password=password)
    return _updated(
        gateway,
        registration=account,
        protocol=protocol.model_copy(update=waits),
        domain_proxy=proxy.model_copy(update={"port": port}),
    )


def _moved(gateway: Gateway, addresses: Mapping[str, str]) -> Gateway:
    """A gateway that names its SBC by address gets the lab's address."""
    proxy = gateway.domain_proxy
    moved = {
        key: addresses.get(getattr(proxy, key), getattr(proxy, key))
        for key in ("target_domain", "outbound_proxy")
    }
    return _updated(gateway, domain_proxy=proxy.model_copy(update=moved))


def _names(
    gateways: Iterable[Gateway], places: Iterable[tuple[str, int]]
) -> Iterable[tuple[str, tuple[str, int]]]:
    for gateway, place in zip(gateways, places, strict=False):
        proxy = gateway.domain_proxy
        for name in (proxy.outbound_proxy, proxy.target_domain):
            if name and not is_address(name):
                yield name, place


def _updated(section: S, **fields: object) -> S:
    return section.model_copy(update=fields)


def as_yaml(site: Site) -> str:
    """The site as a file that `trunkline run` reads; its passwords stand in it."""
    return (
        json.dumps(
            site.model_dump(mode="json", by_alias=True, exclude_none=True), indent=2, ensure_ascii=False
        )
        + "\n"
    )
