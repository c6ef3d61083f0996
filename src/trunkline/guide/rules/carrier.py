"""The virtual carrier that a site describes for its tests: it fits the site."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.site.model import Site


def _media_apart(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, sbc in enumerate(site.carrier.sbcs):
        if sbc.media == sbc.signalling:
            says = said(
                "{label} has signalling and media on one address, {address}",
                "{label} a signalisation et média sur une même adresse, {address}",
                label=sbc.label,
                address=sbc.media,
            )
            yield Seen(("carrier", "sbcs", index, "media"), says)


def _sbcs_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    labels: set[str] = set()
    for index, sbc in enumerate(site.carrier.sbcs):
        if sbc.label in labels:
            says = said("two SBCs are called {label}", "deux SBC s'appellent {label}", label=sbc.label)
            yield Seen(("carrier", "sbcs", index, "label"), says)
        labels.add(sbc.label)
        for other in site.carrier.sbcs[:index]:
            if (sbc.signalling, sbc.port) == (other.signalling, other.port):
                says = said(
                    "{address} port {port} belongs to {other} already",
                    "{address} port {port} est déjà à {other}",
                    address=sbc.signalling,
                    port=sbc.port,
                    other=other.label,
                )
                yield Seen(("carrier", "sbcs", index, "signalling"), says)


def _one_sbc_a_gateway(site: Site, facts: Facts) -> Iterator[Seen]:
    sbcs, gateways = len(site.carrier.sbcs), len(site.trunk.gateways)
    if sbcs and sbcs != gateways:
        says = said(
            "{sbcs} SBC(s) for {gateways} gateway(s)",
            "{sbcs} SBC pour {gateways} passerelle(s)",
            sbcs=sbcs,
            gateways=gateways,
        )
        yield Seen(("carrier", "sbcs"), says)


def _subscribers_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    own = {site.numbering.installation_number: said("the installation number", "le numéro d'installation")}
    for user in site.users:
        if user.ddi:
            own[user.ddi] = said(
                "the DDI of extension {extension}",
                "la SDA du poste {extension}",
                extension=user.extension,
            )
    seen: set[str] = set()
    for index, subscriber in enumerate(site.carrier.subscribers):
        number, path = subscriber.number, ("carrier", "subscribers", index, "number")
        if number in own:
            says = said(
                "{number} is {whose}, so it cannot be somebody else's",
                "{number} est {whose}, il ne peut donc pas être à quelqu'un d'autre",
                number=number,
                whose=own[number],
            )
            yield Seen(path, says)
        elif number in seen:
            says = said(
                "{number} is taken by another subscriber",
                "{number} est déjà à un autre abonné",
                number=number,
            )
            yield Seen(path, says)
        seen.add(number)


def _external_peer(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, subscriber in enumerate(site.carrier.subscribers):
        path = ("carrier", "subscribers", index, "at")
        if subscriber.does == "external" and not subscriber.at:
            says = said(
                "{number} is an external SIP peer without an address",
                "{number} est un correspondant SIP externe sans adresse",
                number=subscriber.number,
            )
            yield Seen(path, says)
        elif subscriber.at and subscriber.does != "external":
            says = said(
                "{number} has an address, which only `does: external` uses",
                "{number} a une adresse, que seul `does: external` utilise",
                number=subscriber.number,
            )
            yield Seen(path, says)


_TEST_MISLEADS = said(
    "The test carrier then behaves as the real one never does: what passes in the lab fails on go-live day.",
    "L'opérateur de test se comporte alors comme le vrai ne le fait jamais : ce qui passe au laboratoire "
    "échoue le jour de la mise en service.",
)

RULES = (
    Rule(
        id="SBC-1",
        title=said(
            "An access SBC has signalling and media on different addresses",
            "Un SBC d'accès a signalisation et média sur des adresses différentes",
        ),
        why=said(
            "The carrier sends voice from other addresses than signalling. A firewall tried against one "
            "address lets the calls ring, and on go-live day they are silent.",
            "L'opérateur envoie la voix depuis d'autres adresses que la signalisation. Un pare-feu essayé "
            "avec une seule adresse laisse sonner les appels, qui restent muets le jour de la mise en "
            "service.",
        ),
        level=Level.SHOULD,
        source="guide 2.4.4",
        mend=said(
            "give the media an address of its own, as the carrier has",
            "donnez au média une adresse à lui, comme chez l'opérateur",
        ),
        look=_media_apart,
    ),
    Rule(
        id="SITE-40",
        title=said("The test carrier's SBCs differ", "Les SBC de l'opérateur de test sont distincts"),
        why=_TEST_MISLEADS,
        level=Level.MUST,
        source="carrier.sbcs",
        mend=said(
            "give each SBC a label and an address of its own",
            "donnez à chaque SBC un nom et une adresse à lui",
        ),
        look=_sbcs_differ,
        needs=("carrier.sbcs.*.port",),
    ),
    Rule(
        id="SITE-41",
        title=said(
            "The test carrier has an SBC for each gateway",
            "L'opérateur de test a un SBC par passerelle",
        ),
        why=_TEST_MISLEADS,
        level=Level.SHOULD,
        source="carrier.sbcs",
        mend=said(
            "describe one SBC for each gateway, in their order",
            "décrivez un SBC par passerelle, dans leur ordre",
        ),
        look=_one_sbc_a_gateway,
        needs=("carrier.sbcs.*", "trunk.gateways.*"),
    ),
    Rule(
        id="SITE-42",
        title=said(
            "Each subscriber of the test carrier has a number of its own",
            "Chaque abonné de l'opérateur de test a son propre numéro",
        ),
        why=_TEST_MISLEADS,
        level=Level.MUST,
        source="carrier.subscribers",
        mend=said("choose another number", "choisissez un autre numéro"),
        look=_subscribers_differ,
        needs=("numbering.installation_number",),
    ),
    Rule(
        id="SITE-43",
        title=said(
            "An external subscriber, and no other, has an address",
            "Un abonné externe, et lui seul, a une adresse",
        ),
        why=_TEST_MISLEADS,
        level=Level.MUST,
        source="carrier.subscribers",
        mend=said(
            "write at: ADDRESS:PORT with does: external, and neither elsewhere",
            "écrivez at: ADRESSE:PORT avec does: external, et ni l'un ni l'autre ailleurs",
        ),
        look=_external_peer,
        needs=("carrier.subscribers.*.does",),
    ),
)
