"""The virtual carrier that a site describes for its tests: it fits the site."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.site.model import Site


def _media_apart(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, sbc in enumerate(site.carrier.sbcs):
        if sbc.media == sbc.signalling:
            says = f"{sbc.label} has signalling and media on one address, {sbc.media}"
            yield Seen(("carrier", "sbcs", index, "media"), says)


def _sbcs_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    labels: set[str] = set()
    for index, sbc in enumerate(site.carrier.sbcs):
        if sbc.label in labels:
            yield Seen(("carrier", "sbcs", index, "label"), f"two SBCs are called {sbc.label}")
        labels.add(sbc.label)
        for other in site.carrier.sbcs[:index]:
            if (sbc.signalling, sbc.port) == (other.signalling, other.port):
                says = f"{sbc.signalling} port {sbc.port} is {other.label}'s already"
                yield Seen(("carrier", "sbcs", index, "signalling"), says)


def _one_sbc_a_gateway(site: Site, facts: Facts) -> Iterator[Seen]:
    sbcs, gateways = len(site.carrier.sbcs), len(site.trunk.gateways)
    if sbcs and sbcs != gateways:
        yield Seen(("carrier", "sbcs"), f"{sbcs} SBC(s) for {gateways} gateway(s)")


def _channels_bought(site: Site, facts: Facts) -> Iterator[Seen]:
    bought = site.carrier.channels
    if bought is not None and bought < site.trunk.channels:
        says = f"{bought} channels are bought, but the IPBX admits {site.trunk.channels} calls"
        yield Seen(("carrier", "channels"), says)


def _subscribers_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    own = {site.numbering.installation_number: "the installation number"}
    own |= {user.ddi: f"the DDI of extension {user.extension}" for user in site.users if user.ddi}
    seen: set[str] = set()
    for index, subscriber in enumerate(site.carrier.subscribers):
        number, path = subscriber.number, ("carrier", "subscribers", index, "number")
        if number in own:
            yield Seen(path, f"{number} is {own[number]}, not a number of somebody else")
        elif number in seen:
            yield Seen(path, f"{number} is taken by another subscriber")
        seen.add(number)


def _external_peer(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, subscriber in enumerate(site.carrier.subscribers):
        path = ("carrier", "subscribers", index, "at")
        if subscriber.does == "external" and not subscriber.at:
            yield Seen(path, f"{subscriber.number} is an external SIP peer without an address")
        elif subscriber.at and subscriber.does != "external":
            yield Seen(path, f"{subscriber.number} has an address, which only `does: external` uses")


def _registration(site: Site, facts: Facts) -> Iterator[Seen]:
    if not site.carrier.registration_required:
        return
    for index, gateway in enumerate(site.trunk.gateways):
        if not gateway.registration.requested:
            says = f"the carrier insists on registration, but gateway {gateway.label} asks for none"
            yield Seen(("trunk", "gateways", index, "registration", "requested"), says)


RULES = (
    Rule(
        id="SBC-1",
        title="An access SBC has signalling and media on different addresses",
        level=Level.SHOULD,
        source="guide 2.4.4",
        mend="give the media an address of its own, as the carrier has",
        look=_media_apart,
    ),
    Rule(
        id="SITE-40",
        title="The virtual carrier's SBCs differ",
        level=Level.MUST,
        source="carrier.sbcs",
        mend="give each SBC a label and an address of its own",
        look=_sbcs_differ,
        needs=("carrier.sbcs.*.port",),
    ),
    Rule(
        id="SITE-41",
        title="The virtual carrier has an SBC for each gateway",
        level=Level.SHOULD,
        source="carrier.sbcs",
        mend="describe one SBC for each gateway, in their order",
        look=_one_sbc_a_gateway,
        needs=("carrier.sbcs.*", "trunk.gateways.*"),
    ),
    Rule(
        id="CAC-1c",
        title="The IPBX admits no more calls than are bought",
        level=Level.SHOULD,
        source="guide 2.2",
        mend="lower trunk.channels, or correct carrier.channels",
        look=_channels_bought,
        needs=("trunk.channels",),
    ),
    Rule(
        id="SITE-42",
        title="Each subscriber of the virtual public network has a number of its own",
        level=Level.MUST,
        source="carrier.subscribers",
        mend="choose another number",
        look=_subscribers_differ,
        needs=("numbering.installation_number",),
    ),
    Rule(
        id="SITE-43",
        title="An external subscriber, and no other, has an address",
        level=Level.MUST,
        source="carrier.subscribers",
        mend="write at: ADDRESS:PORT with does: external, and neither elsewhere",
        look=_external_peer,
        needs=("carrier.subscribers.*.does",),
    ),
    Rule(
        id="SITE-44",
        title="The trunk registers where the carrier insists on it",
        level=Level.SHOULD,
        source="carrier.registration_required",
        mend="SIP Gateways > Registration: set requested, user and password",
        look=_registration,
        needs=("carrier.registration_required",),
    ),
)
