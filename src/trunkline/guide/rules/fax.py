"""Fax: T.38 alone crosses the trunk, and only from the ports of a PowerCPU's own boards (2.1, 2.4.9, 4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import ASK, Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import BVPN, INTERNET
from trunkline.site.model import Site


def _transport(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("fax.transport")
    for index, machine in enumerate(site.fax):
        if machine.transport != wanted:
            says = said(
                "{label} would fax as {transport} in the voice channel",
                "{label} enverrait ses fax en {transport} dans la voie téléphonique",
                label=machine.label,
                transport=machine.transport.upper(),
            )
            yield Seen(("fax", index, "transport"), says)


def _product(site: Site, facts: Facts) -> Iterator[Seen]:
    products = facts.words("fax.products")
    for index, machine in enumerate(site.fax):
        if machine.attached == "analog-port" and site.product.model not in products:
            says = said(
                "{label} is on an analog port, and {model} has none",
                "{label} est sur un port analogique, et {model} n'en a pas",
                label=machine.label,
                model=site.product.model,
            )
            yield Seen(("fax", index, "attached"), says)


def _ports_of_the_product(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.product.analog_ports and site.product.model not in facts.words("fax.products"):
        says = said(
            "{model} has no analog ports, the file counts {ports}",
            "{model} n'a pas de port analogique, le fichier en compte {ports}",
            model=site.product.model,
            ports=site.product.analog_ports,
        )
        yield Seen(("product", "analog_ports"), says)


def _ports(site: Site, facts: Facts) -> Iterator[Seen]:
    ports = site.product.analog_ports
    attached = [index for index, machine in enumerate(site.fax) if machine.attached == "analog-port"]
    if site.product.model in facts.words("fax.products") and len(attached) > ports:
        says = said(
            "{machines} fax machine(s) for {ports} analog port(s)",
            "{machines} télécopieur(s) pour {ports} port(s) analogique(s)",
            machines=len(attached),
            ports=ports,
        )
        yield Seen(("fax", attached[ports], "attached"), says)


def _gateway(site: Site, facts: Facts) -> Iterator[Seen]:
    attached = facts.words("fax.attached", ())
    if facts.flag("fax.relayed") or "gateway" in attached:
        return
    for index, machine in enumerate(site.fax):
        if machine.attached == "gateway":
            says = said(
                "{label} is behind a gateway: its fax would have to pass through the IPBX, which relays "
                "no T.38",
                "{label} est derrière une passerelle : son fax devrait traverser l'IPBX, qui ne relaie "
                "pas le T.38",
                label=machine.label,
            )
            yield Seen(("fax", index, "attached"), says)


def _gateway_certified(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, machine in enumerate(site.fax):
        if machine.attached != "gateway" or not _damaged(machine.device, facts):
            continue
        says = said(
            "whether {device} is certified cannot be read in the guide: its row lost its value",
            "le guide ne permet pas de lire si {device} est certifié : sa ligne a perdu sa valeur",
            device=machine.device,
        )
        yield Seen(("fax", index, "device"), says)


def _damaged(device: str, facts: Facts) -> bool:
    """Whether the guide's table names this device in a row without a value (`mediatrix_4102`)."""
    words = set(re.findall(r"[a-z0-9]+", device.lower()))
    for fact in facts.under("endpoints"):
        maker, _, model = fact.key.removeprefix("endpoints.").partition("_")
        pattern = model.replace("x", "[0-9x]")
        if fact.value == ASK and maker in words and any(re.fullmatch(pattern, word) for word in words):
            return True
    return False


def _server(site: Site, facts: Facts) -> Iterator[Seen]:
    apart = not facts.known("fax.server") or facts.flag("fax.server")
    for index, machine in enumerate(site.fax):
        if machine.attached == "server" and apart and not facts.flag("fax.relayed"):
            says = said(
                "{label} is an ecosystem of its own: its T.38 does not pass through this IPBX",
                "{label} est un écosystème à part : son T.38 ne traverse pas cet IPBX",
                label=machine.label,
            )
            yield Seen(("fax", index, "attached"), says)


def _none(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.flag("internet.fax"):
        return
    for index, machine in enumerate(site.fax):
        if machine.attached == "server" and machine.dial_plan == "own":
            continue  # it is no part of this trunk
        says = said(
            "{label}: there is no fax over the internet",
            "{label} : pas de fax par internet",
            label=machine.label,
        )
        yield Seen(("fax", index, "attached"), says)


RULES = (
    Rule(
        id="FAX-2f",
        title=said(
            "Only a product with analog boards counts analog ports",
            "Seul un produit à cartes analogiques compte des ports analogiques",
        ),
        why=said(
            "Fax machines and analog telephones are planned for ports that do not exist, and have nowhere to "
            "be plugged in.",
            "Des télécopieurs et postes analogiques sont prévus sur des ports qui n'existent pas, et ne se "
            "branchent nulle part.",
        ),
        level=Level.MUST,
        source="guide 2.1, 4.3",
        mend=said(
            "set product.analog_ports to 0, or product.model to PowerCPU",
            "mettez product.analog_ports à 0, ou product.model à PowerCPU",
        ),
        look=_ports_of_the_product,
        fact="fax.products",
        needs=("product.model",),
    ),
    Rule(
        id="FAX-1",
        title=said(
            "Fax crosses the trunk as T.38, never as G.711", "Le fax passe le trunk en T.38, jamais en G.711"
        ),
        why=said(
            "The carrier transports T.38 only: a fax sent as sound breaks off after some pages, or never "
            "begins.",
            "L'opérateur ne transporte que le T.38 : un fax envoyé comme du son s'interrompt ou ne "
            "démarre pas.",
        ),
        level=Level.MUST,
        source="guide 2.1",
        mend=said("set transport to t38", "mettez transport à t38"),
        look=_transport,
        fact="fax.transport",
    ),
    Rule(
        id="FAX-2a",
        title=said(
            "Fax machines are on a product with analog ports of its own",
            "Les télécopieurs sont sur un produit qui a ses propres ports analogiques",
        ),
        why=said(
            "Only machines on the IPBX's own ports are supported, and OCE has no such ports.",
            "Seuls les télécopieurs sur les ports de l'IPBX sont supportés, et OCE n'en a pas.",
        ),
        level=Level.MUST,
        source="guide 2.1, 4.3",
        mend=said(
            "take PowerCPU, or give fax a line or a fax server of its own",
            "prenez PowerCPU, ou donnez au fax sa propre ligne ou un serveur de fax",
        ),
        look=_product,
        fact="fax.products",
        needs=("product.model",),
        architectures=BVPN,
    ),
    Rule(
        id="FAX-2b",
        title=said(
            "There is an analog port for each fax machine",
            "Chaque télécopieur a son port analogique",
        ),
        why=said(
            "A machine without a port cannot be connected.",
            "Un télécopieur sans port ne peut pas être raccordé.",
        ),
        level=Level.MUST,
        source="guide 4.3",
        mend=said(
            "add a board (Z, SLI, MIX) and write its ports into product.analog_ports",
            "ajoutez une carte (Z, SLI, MIX) et comptez ses ports dans product.analog_ports",
        ),
        look=_ports,
        fact="fax.products",
        needs=("product.model", "product.analog_ports", "fax.*.attached"),
        architectures=BVPN,
    ),
    Rule(
        id="FAX-2c",
        title=said("No fax gateway stands behind the IPBX", "Aucune passerelle fax derrière l'IPBX"),
        why=said(
            "A change to T.38 is refused by the IPBX with 488: the call goes on as voice, and no page "
            "arrives.",
            "L'IPBX refuse le passage en T.38 (488) : l'appel continue en voix et aucune page n'arrive.",
        ),
        level=Level.MUST,
        source="guide 2.1",
        mend=said(
            "connect the machine to an analog port of PowerCPU itself",
            "raccordez le télécopieur à un port analogique de PowerCPU",
        ),
        look=_gateway,
        fact="fax.relayed",
        architectures=BVPN,
    ),
    Rule(
        id="FAX-2d",
        title=said(
            "The fax gateway's row is legible", "La ligne du guide pour la passerelle fax est lisible"
        ),
        why=said(
            "The guide's text is damaged there, and a guess may cost a device that the carrier does not "
            "support.",
            "Le texte du guide y est abîmé ; deviner peut coûter un appareil que l'opérateur ne supporte "
            "pas.",
        ),
        level=Level.NOTE,
        source="guide 4.3",
        mend=said("ask the carrier before the order", "demandez à l'opérateur avant la commande"),
        look=_gateway_certified,
        architectures=BVPN,
    ),
    Rule(
        id="FAX-2e",
        title=said("A fax server stands beside the IPBX", "Un serveur de fax est à côté de l'IPBX"),
        why=said(
            "Routed through the IPBX, its T.38 would be refused.",
            "S'il passait par l'IPBX, son T.38 serait refusé.",
        ),
        level=Level.NOTE,
        source="guide 2.1",
        mend=said(
            "ask the carrier how the server's numbers reach it",
            "demandez à l'opérateur comment les numéros du serveur lui parviennent",
        ),
        look=_server,
        fact="fax.relayed",
        architectures=BVPN,
    ),
    Rule(
        id="FAX-3",
        title=said("There is no fax over the internet", "Pas de fax sur le trunk par internet"),
        why=said(
            "OCE relays no T.38 and has no analog ports: no fax gets through.",
            "OCE ne relaie pas le T.38 et n'a pas de port analogique : aucun fax ne passe.",
        ),
        level=Level.MUST,
        source="guide 2.4.9",
        mend=said(
            "take the machine off this trunk: a line of its own, or a fax service",
            "retirez le télécopieur de ce trunk : une ligne à lui, ou un service de fax",
        ),
        look=_none,
        fact="internet.fax",
        architectures=INTERNET,
    ),
)
