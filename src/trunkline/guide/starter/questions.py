"""What `trunkline init` asks: each question, its default, its choices, the key that checks its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from trunkline.finding import Wording, said
from trunkline.guide.facts import Facts
from trunkline.guide.starter.lines import bare, spaced
from trunkline.site.text import Path

Answers = Mapping[str, str]
OVER_INTERNET: Final = ("internet-a", "internet-b")
PHONES_MAX: Final = 200  # users that are written out; more belong into the file by copy and paste
SITES_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Question:
    """`key` names it to --answer; `path` is the key of the site file whose own check an answer must pass.

    `default` is made of the answers so far and the guide's facts. `choices` come with a
    word of explanation each. `many` takes several words, separated by commas; `optional`
    takes none as well. It is asked where `when` holds.
    """

    key: str
    asks: Wording
    default: Callable[[Answers, Facts], str]
    path: Path = ()
    choices: tuple[tuple[str, Wording], ...] = ()
    many: bool = False
    optional: bool = False
    when: Callable[[Answers], bool] = lambda answers: True


def over_internet(answers: Answers) -> bool:
    """Whether the trunk is one over the internet."""
    return answers["architecture"] in OVER_INTERNET


def _always(text: str) -> Callable[[Answers, Facts], str]:
    return lambda answers, facts: text


def _load(answers: Answers, facts: Facts) -> str:
    """The first certified load of the newest version that the guide names."""
    loads = facts.under("products.loads")
    named = [str(fact.value) for fact in loads if fact.key.rpartition("products.loads.")[2][:1].isdigit()]
    return max(named, default="")


def _product(answers: Answers, facts: Facts) -> str:
    return "PowerCPU" if answers["architecture"] == "bvpn" else "OCE"


def _sbc(place: str, example: str) -> Callable[[Answers, Facts], str]:
    """The guide's name of an access SBC; over BVPN it names none."""

    def default(answers: Answers, facts: Facts) -> str:
        key = f"{'internet' if over_internet(answers) else 'bvpn'}.sbc.{place}.name"
        return facts.text(key, example)

    return default


def _ranges(answers: Answers, facts: Facts) -> str:
    """The fifty numbers around the installation number."""
    number = bare(answers["installation_number"])
    if not number[-2:].isdecimal():
        return ""
    first = f"{number[:-2]}{'00' if number[-2:] < '50' else '50'}"
    return f"{spaced(first)} - {spaced(f'{number[:-2]}{int(first[-2:]) + 49:02}')}"


def _first_extension(answers: Answers, facts: Facts) -> str:
    return "301" if answers["outside_prefix"].startswith("2") else "201"


QUESTIONS: Final = (
    Question(
        "customer",
        said("Customer, as the forms show it", "Client, tel que les formulaires le montrent"),
        _always("Exemple SARL, Rennes"),
        ("customer",),
    ),
    Question(
        "architecture",
        said("How the trunk reaches the carrier", "Comment le trunk rejoint l'opérateur"),
        _always("bvpn"),
        ("architecture",),
        (
            ("bvpn", said("the carrier's private network", "le réseau privé de l'opérateur")),
            (
                "bvpn-rainbow",
                said(
                    "the same, with Rainbow's WebRTC gateway", "le même, avec la passerelle WebRTC de Rainbow"
                ),
            ),
            (
                "internet-a",
                said(
                    "over the internet, the public address on eth1 (recommended)",
                    "par internet, adresse publique sur eth1 (recommandé)",
                ),
            ),
            (
                "internet-b",
                said(
                    "over the internet, behind a firewall that translates (NAT)",
                    "par internet, derrière un pare-feu qui traduit (NAT)",
                ),
            ),
        ),
    ),
    Question(
        "product",
        said("IPBX", "IPBX"),
        _product,
        ("product", "model"),
        (
            ("PowerCPU", said("OXO Connect PowerCPU", "OXO Connect PowerCPU")),
            ("OCE", said("OXO Connect Evolution", "OXO Connect Evolution")),
        ),
        when=lambda answers: not over_internet(answers),
    ),
    Question(
        "load",
        said(
            "Software load (OMC > System Miscellaneous > Software version)",
            "Version logicielle (OMC > System Miscellaneous > Software version)",
        ),
        _load,
        ("product", "load"),
    ),
    Question(
        "webrtc",
        said("Where the WebRTC gateway is", "Où se trouve la passerelle WebRTC"),
        _always("front-end"),
        ("webrtc_gateway", "placement"),
        (
            ("front-end", said("in an OCE before the PowerCPU", "dans un OCE devant la PowerCPU")),
            ("stand-alone", said("a machine of its own on the LAN", "une machine à part sur le LAN")),
        ),
        when=lambda answers: answers["architecture"] == "bvpn-rainbow" and answers["product"] == "PowerCPU",
    ),
    Question(
        "webrtc_address",
        said("Its address on the LAN", "Son adresse sur le LAN"),
        _always("192.0.2.11"),
        ("webrtc_gateway", "address"),
        when=lambda answers: "webrtc" in answers,
    ),
    Question(
        "address",
        said("Address of the IPBX on the LAN (eth0)", "Adresse de l'IPBX sur le LAN (eth0)"),
        _always("192.0.2.10"),
        ("interfaces", "eth0", "address"),
    ),
    Question(
        "public_address",
        said("Public address", "Adresse publique"),
        lambda answers, facts: "192.0.2.130" if answers["architecture"] == "internet-a" else "198.51.100.130",
        ("firewall", "public_address"),
        when=over_internet,
    ),
    Question(
        "dmz_address",
        said("Private address of eth1 in the DMZ", "Adresse privée d'eth1 dans la DMZ"),
        _always("10.20.0.10"),
        ("interfaces", "eth1", "address"),
        when=lambda answers: answers["architecture"] == "internet-b",
    ),
    Question(
        "dmz_router",
        said("Router of the DMZ, toward the firewall", "Routeur de la DMZ, vers le pare-feu"),
        lambda answers, facts: f"{answers['dmz_address'].rpartition('.')[0]}.1",
        ("interfaces", "eth1", "router"),
        when=lambda answers: answers["architecture"] == "internet-b",
    ),
    Question(
        "fqdn",
        said(
            "Public name of the IPBX (FQDN), which its certificate bears",
            "Nom public de l'IPBX (FQDN), que porte son certificat",
        ),
        _always("ipbx.customer.example"),
        ("interfaces", "eth0", "domain_name"),
        when=over_internet,
    ),
    Question(
        "dns",
        said("DNS servers (over the internet: public ones)", "Serveurs DNS (par internet : publics)"),
        _always("198.51.100.53"),
        ("dns",),
        many=True,
    ),
    Question(
        "sbc1",
        said("Name of the carrier's nominal access SBC", "Nom du SBC d'accès nominal de l'opérateur"),
        _sbc("nominal", "sbc1.carrier.example"),
        ("trunk", "gateways", 0, "domain_proxy", "target_domain"),
    ),
    Question(
        "sbc2",
        said("Name of its backup access SBC", "Nom de son SBC d'accès de secours"),
        _sbc("backup", "sbc2.carrier.example"),
        ("trunk", "gateways", 1, "domain_proxy", "target_domain"),
    ),
    Question(
        "channels",
        said("Channels bought: calls at once", "Canaux achetés : appels simultanés"),
        _always("12"),
        ("trunk", "channels"),
    ),
    Question(
        "country",
        said("Country code, without +", "Indicatif du pays, sans +"),
        _always("33"),
        ("numbering", "country"),
    ),
    Question(
        "installation_number",
        said("Installation number (the main number)", "Numéro d'installation (le numéro principal)"),
        lambda answers, facts: "+33 1 99 00 10 00" if answers["country"] == "33" else "",
        ("numbering", "installation_number"),
    ),
    Question(
        "ranges",
        said("Numbers bought, FIRST-LAST", "Numéros achetés, PREMIER-DERNIER"),
        _ranges,
        ("carrier", "number_ranges"),
        many=True,
    ),
    Question(
        "outside_prefix",
        said(
            "Outside prefix, dialled before a public number",
            "Préfixe de prise de ligne, composé avant un numéro public",
        ),
        _always("0"),
        ("numbering", "outside_prefix"),
        optional=True,
    ),
    Question("phones", said("Number of phones", "Nombre de postes"), _always("4"), ("endpoints", 0, "count")),
    Question(
        "first_extension",
        said("Number of the first phone", "Numéro du premier poste"),
        _first_extension,
        ("users", 0, "extension"),
    ),
    Question(
        "remote_sites",
        said(
            "Remote sites, by name, separated by commas (none: just Enter)",
            "Sites distants, par nom, séparés par des virgules (aucun : Entrée)",
        ),
        _always(""),
        ("remote_sites", 0, "label"),
        many=True,
        optional=True,
    ),
)
