"""Whether the trunk registers: the guide's word (chapter 3), the test carrier's, and what it then takes."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import gateways
from trunkline.site.model import Site


def _complete(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        registration = gateway.registration
        for key, value in (("user", registration.user), ("password", registration.password)):
            if registration.requested and not value:
                says = said(
                    "gateway {label} is to register, but has no {key}",
                    "la passerelle {label} doit s'enregistrer, mais n'a pas de {key}",
                    label=gateway.label,
                    key=said("user", "nom d'utilisateur (user)")
                    if key == "user"
                    else said("password", "mot de passe (password)"),
                )
                yield Seen((*path, "registration", key), says)


def _insisted_on(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.carrier.registration_required:
        yield from _missing(site)


def _asked_by_the_guide(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.text("trunk.trust") == "registration" and not site.carrier.registration_required:  # SITE-44
        yield from _missing(site)


def _missing(site: Site) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        if not gateway.registration.requested:
            says = said(
                "the carrier wants registration, but gateway {label} does not register",
                "l'opérateur veut un enregistrement, mais la passerelle {label} ne s'enregistre pas",
                label=gateway.label,
            )
            yield Seen((*path, "registration", "requested"), says)


def _needless(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.text("trunk.trust") != "static" or site.carrier.registration_required:
        return
    for path, gateway in gateways(site):
        if gateway.registration.requested:
            says = said(
                "gateway {label} registers, but the guide speaks of no account: the carrier knows the IPBX "
                "by its address or name",
                "la passerelle {label} s'enregistre, mais le guide ne parle d'aucun compte : l'opérateur "
                "connaît l'IPBX par son adresse ou son nom",
                label=gateway.label,
            )
            yield Seen((*path, "registration", "requested"), says)


_UNKNOWN = said(
    "The carrier gives and takes calls only once the IPBX has logged in with the account it was given. "
    "Without that, the gateway stays down or each call is refused.",
    "L'opérateur ne donne et ne prend des appels qu'une fois l'IPBX identifié avec le compte fourni. Sans "
    "cela, la passerelle ne monte pas ou chaque appel est refusé.",
)
_REGISTER = said(
    "SIP Gateways > Registration: set requested to true, and write user and password",
    "SIP Gateways > Registration : mettez requested à true, et écrivez user et password",
)

RULES = (
    Rule(
        id="SITE-26",
        title=said(
            "A registration has a user and a password",
            "Un enregistrement a un utilisateur et un mot de passe",
        ),
        why=_UNKNOWN,
        level=Level.MUST,
        source="RFC 3261 §22",
        mend=said(
            "SIP Gateways > Registration: fill it in, or set requested to false",
            "SIP Gateways > Registration : complétez, ou mettez requested à false",
        ),
        look=_complete,
    ),
    Rule(
        id="SITE-44",
        title=said(
            "The trunk registers where the carrier insists on it",
            "Le trunk s'enregistre là où l'opérateur l'exige",
        ),
        why=_UNKNOWN,
        level=Level.SHOULD,
        source="carrier.registration_required",
        mend=_REGISTER,
        look=_insisted_on,
        needs=("carrier.registration_required",),
    ),
    Rule(
        id="SITE-44a",
        title=said(
            "The trunk registers where the guide asks for it",
            "Le trunk s'enregistre là où le guide le demande",
        ),
        why=_UNKNOWN,
        level=Level.MUST,
        source="guide 3",
        mend=_REGISTER,
        look=_asked_by_the_guide,
        fact="trunk.trust",
        needs=("carrier.registration_required",),
    ),
    Rule(
        id="SITE-44b",
        title=said(
            "A trunk that the guide does not register does so only at the carrier's word",
            "Un trunk que le guide n'enregistre pas ne le fait qu'à la demande de l'opérateur",
        ),
        why=said(
            "An access SBC that knows no accounts refuses the registration. Many IPBXs then take the gateway "
            "for lost and place no call.",
            "Un SBC d'accès qui ne connaît pas de comptes refuse l'enregistrement. Beaucoup d'IPBX tiennent "
            "alors la passerelle pour perdue et n'émettent aucun appel.",
        ),
        level=Level.NOTE,
        source="guide 3",
        mend=said(
            "ask the carrier whether it gave you an account; without one, SIP Gateways > Registration: set "
            "requested to false",
            "demandez à l'opérateur s'il vous a donné un compte ; sinon, SIP Gateways > Registration : "
            "mettez requested à false",
        ),
        look=_needless,
        fact="trunk.trust",
        needs=("carrier.registration_required",),
    ),
)
