"""The Rainbow WebRTC gateway and the Front End: where they may stand, and for how many (2.3)."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts, known_around
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import INTERNET
from trunkline.site.model import Site


def _placed(site: Site, facts: Facts) -> Iterator[Seen]:
    gateway = site.webrtc_gateway
    if gateway is None or not facts.known(f"webrtc.{gateway.placement}"):
        return
    products = facts.words(f"webrtc.{gateway.placement}")
    if site.product.model not in products:
        says = said(
            "a gateway that is {placement} belongs to {products}, not to {model}",
            "une passerelle {placement} va avec {products}, pas avec {model}",
            placement=gateway.placement,
            products=", ".join(products),
            model=site.product.model,
        )
        yield Seen(("webrtc_gateway", "placement"), says)


def _there(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.webrtc_gateway is None:
        says = said("the file describes no WebRTC gateway", "le fichier ne décrit pas de passerelle WebRTC")
        yield Seen(("architecture",), says)


def _front_end(site: Site, facts: Facts) -> Iterator[Seen]:
    gateway = site.webrtc_gateway
    if gateway is not None and gateway.placement == "front-end" and not site.product.front_end:
        says = said(
            "the gateway is in a Front End, and product.front_end says there is none",
            "la passerelle est dans un Front End, et product.front_end dit qu'il n'y en a pas",
        )
        yield Seen(("webrtc_gateway", "placement"), says)


def _front_of_itself(site: Site, facts: Facts) -> Iterator[Seen]:
    products = facts.words("webrtc.front-end")
    if site.product.front_end and site.product.model not in products and site.architecture not in INTERNET:
        says = said(
            "a Front End stands before {products}; here the IPBX is {model}",
            "un Front End se place devant {products} ; ici l'IPBX est {model}",
            products=", ".join(products),
            model=site.product.model,
        )
        yield Seen(("product", "front_end"), says)


def _architecture(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.webrtc_gateway is not None:
        says = said(
            "there is a WebRTC gateway, but the architecture is {architecture}",
            "il y a une passerelle WebRTC, mais l'architecture est {architecture}",
            architecture=site.architecture,
        )
        yield Seen(("webrtc_gateway",), says)


def _over_internet(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.webrtc_gateway is not None:
        says = said(
            "the guide describes the WebRTC gateway over BVPN only, and this trunk runs over the internet",
            "le guide ne décrit la passerelle WebRTC que sur BVPN, et ce trunk passe par internet",
        )
        yield Seen(("webrtc_gateway",), says)


def _address(site: Site, facts: Facts) -> Iterator[Seen]:
    gateway = site.webrtc_gateway
    if gateway is not None and gateway.placement != "embedded" and not gateway.address:
        says = said(
            "the gateway is a machine of its own, without an address here",
            "la passerelle est une machine à part, sans adresse ici",
        )
        yield Seen(("webrtc_gateway", "address"), says)


def channels_for(users: int) -> int:
    """The gateway's channels for so many clients, by the vendor's table; above its end, one each."""
    table = known_around()["oxo"].counts("webrtc.channels")
    fits = [channels for most, channels in table.items() if users <= int(most)]
    return min(fits, default=users) if users else 0


def _calls(site: Site, facts: Facts) -> Iterator[Seen]:
    gateway = site.webrtc_gateway
    if gateway is None:
        return
    carries = known_around()["oxo"].number(f"webrtc.calls.{gateway.placement}")
    needed = channels_for(gateway.users)
    if needed > carries:
        says = said(
            "{users} clients need {needed} channels, the gateway ({placement}) has {carries}",
            "{users} clients demandent {needed} canaux, la passerelle ({placement}) en a {carries}",
            users=gateway.users,
            needed=needed,
            placement=gateway.placement,
            carries=carries,
        )
        yield Seen(("webrtc_gateway", "users"), says)


def _channels(site: Site, facts: Facts) -> Iterator[Seen]:
    gateway = site.webrtc_gateway
    if gateway is None:
        return
    needed, has = channels_for(gateway.users), site.trunk.channels
    if needed > has:
        says = said(
            "{users} clients may hold {needed} calls at once, the trunk has {has} channels for everybody",
            "{users} clients peuvent tenir {needed} appels à la fois, le trunk a {has} canaux pour tous",
            users=gateway.users,
            needed=needed,
            has=has,
        )
        yield Seen(("webrtc_gateway", "users"), says)


_NO_AUDIO = said(
    "Without its gateway Rainbow only steers the desk phone: a client on the internet has no sound.",
    "Sans sa passerelle, Rainbow ne fait que piloter le poste : un client sur internet n'a pas de son.",
)
_COURSE = said("the vendor's courses (second-hand)", "cours du constructeur (de seconde main)")
_RAINBOW = ("bvpn-rainbow",)

RULES = (
    Rule(
        id="WEB-1a",
        title=said(
            "The WebRTC gateway stands where the product takes it",
            "La passerelle WebRTC est là où le produit l'accepte",
        ),
        why=_NO_AUDIO,
        level=Level.MUST,
        source="guide 2.3",
        mend=said(
            "embedded goes with OCE; front-end or stand-alone go with PowerCPU",
            "embedded va avec OCE ; front-end ou stand-alone vont avec PowerCPU",
        ),
        look=_placed,
        needs=("product.model",),
    ),
    Rule(
        id="WEB-1b",
        title=said(
            "Over BVPN with Rainbow there is a WebRTC gateway",
            "Sur BVPN avec Rainbow, il y a une passerelle WebRTC",
        ),
        why=_NO_AUDIO,
        level=Level.MUST,
        source="guide 2.3",
        mend=said(
            "describe it under webrtc_gateway, or choose the architecture bvpn",
            "décrivez-la sous webrtc_gateway, ou choisissez l'architecture bvpn",
        ),
        look=_there,
        needs=("webrtc_gateway",),
        architectures=_RAINBOW,
    ),
    Rule(
        id="WEB-1c",
        title=said(
            "The Front End that holds the gateway exists", "Le Front End qui porte la passerelle existe"
        ),
        why=_NO_AUDIO,
        level=Level.MUST,
        source="guide 2.3",
        mend=said(
            "set product.front_end to true, or place the gateway stand-alone",
            "mettez product.front_end à true, ou placez la passerelle en stand-alone",
        ),
        look=_front_end,
        needs=("product.front_end",),
    ),
    Rule(
        id="WEB-1d",
        title=said("A Front End stands before a PowerCPU", "Un Front End est devant un PowerCPU"),
        why=said(
            "OCE needs no Front End: one of the two values is wrong.",
            "OCE n'a pas besoin de Front End : une des deux valeurs est fausse.",
        ),
        level=Level.MUST,
        source="guide 2.3",
        mend=said(
            "set front_end to false, or model to PowerCPU", "mettez front_end à false, ou model à PowerCPU"
        ),
        look=_front_of_itself,
        fact="webrtc.front-end",
        needs=("product.model", "architecture"),
    ),
    Rule(
        id="WEB-1e",
        title=said(
            "A site with a WebRTC gateway is one with Rainbow",
            "Un site avec passerelle WebRTC est un site avec Rainbow",
        ),
        why=said(
            "The carrier is told the wrong architecture, and the dossier leaves the gateway out.",
            "L'opérateur reçoit la mauvaise architecture, et le dossier oublie la passerelle.",
        ),
        level=Level.SHOULD,
        source="guide 2.3",
        mend=said(
            "write architecture: bvpn-rainbow, or delete webrtc_gateway",
            "écrivez architecture: bvpn-rainbow, ou supprimez webrtc_gateway",
        ),
        look=_architecture,
        architectures=("bvpn",),
    ),
    Rule(
        id="WEB-1f",
        title=said(
            "The guide describes WebRTC for this architecture",
            "Le guide décrit WebRTC pour cette architecture",
        ),
        why=said(
            "The guide neither certifies nor forbids it there.",
            "Le guide n'y certifie pas WebRTC, et ne l'y interdit pas non plus.",
        ),
        level=Level.NOTE,
        source="guide 2.3, 2.4",
        mend=said("ask the carrier before the order", "demandez à l'opérateur avant la commande"),
        look=_over_internet,
        architectures=INTERNET,
    ),
    Rule(
        id="WEB-1g",
        title=said("A gateway of its own has an address", "Une passerelle à part a une adresse"),
        why=said(
            "IPBX, phones and firewall must know where it is.",
            "IPBX, postes et pare-feu doivent savoir où elle est.",
        ),
        level=Level.SHOULD,
        source="guide 2.3",
        mend=said("write its address on the LAN", "écrivez son adresse sur le LAN"),
        look=_address,
        needs=("webrtc_gateway.placement",),
    ),
    Rule(
        id="WEB-1h",
        title=said("The gateway carries its clients' calls", "La passerelle porte les appels de ses clients"),
        why=said(
            "Clients over its bound get no call through.",
            "Au-delà de sa limite, les appels des clients n'aboutissent pas.",
        ),
        level=Level.SHOULD,
        source=_COURSE,
        mend=said(
            "take a stand-alone gateway, or fewer clients",
            "prenez une passerelle stand-alone, ou moins de clients",
        ),
        look=_calls,
        needs=("webrtc_gateway.placement",),
    ),
    Rule(
        id="WEB-1i",
        title=said(
            "The trunk has channels for the gateway's clients",
            "Le trunk a des canaux pour les clients de la passerelle",
        ),
        why=said(
            "Clients on the internet and phones share the trunk's channels.",
            "Clients internet et postes se partagent les canaux du trunk.",
        ),
        level=Level.NOTE,
        source=_COURSE,
        mend=said(
            "ask how many of their calls go outside; buy channels for them",
            "voyez combien de leurs appels sortent ; achetez des canaux pour eux",
        ),
        look=_channels,
        needs=("trunk.channels",),
    ),
)
