"""Chapters 2.4.5 to 2.4.7 and 5.2.3, 5.2.4 of the guide: certificates, TLS, SRTP, the access SBCs' names."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import INTERNET, SWITCHES, gateways
from trunkline.site.model import Site
from trunkline.site.scalar import is_address


def _certificates(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.flag("internet.encrypted") and site.certificates is None:
        says = said(
            "the file names no certificate of this IPBX", "le fichier ne nomme aucun certificat de cet IPBX"
        )
        yield Seen(("certificates",), says)


def _trust(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.flag("internet.encrypted") and site.certificates is not None and not site.certificates.trust:
        says = said(
            "no root certificate is trusted: every access SBC would be refused",
            "aucun certificat racine n'est reconnu : tout SBC d'accès serait refusé",
        )
        yield Seen(("certificates", "trust"), says)


def _tls_version(site: Site, facts: Facts) -> Iterator[Seen]:
    spoken = facts.words("tls.versions_oce")
    for path, gateway in gateways(site):
        if site.product.model == "OCE" and gateway.security.tls_max not in ("", *spoken):
            says = said(
                "gateway {label} would use TLS {has}, but OCE knows TLS {spoken} only",
                "la passerelle {label} utiliserait TLS {has}, mais l'OCE ne connaît que TLS {spoken}",
                label=gateway.label,
                has=gateway.security.tls_max,
                spoken=" / ".join(spoken),
            )
            yield Seen((*path, "security", "tls_max"), says)


def _common_suites(site: Site, facts: Facts) -> Iterator[Seen]:
    named = [version for version in ("1.2", "1.3") if facts.known(f"tls.suites_{version.replace('.', '_')}")]
    product = facts.words("tls.versions_oce") if site.product.model == "OCE" else ("1.2", "1.3")
    for path, gateway in gateways(site):
        bound = gateway.security.tls_max or product[-1]
        if named and min(named) > bound:  # versions of one digit sort as words
            says = said(
                "gateway {label} goes up to TLS {bound}, the carrier begins with TLS {named}",
                "la passerelle {label} va jusqu'à TLS {bound}, l'opérateur commence à TLS {named}",
                label=gateway.label,
                bound=bound,
                named=min(named),
            )
            yield Seen((*path, "security", "tls_max"), says)


def _suites_of_the_product(site: Site, facts: Facts) -> Iterator[Seen]:
    if not facts.open("tls.suites_oce") or site.product.model != "OCE":
        return
    for path, gateway in gateways(site):
        bound = gateway.security.tls_max
        if facts.known("tls.versions_oce") and bound in facts.words("tls.versions_oce"):
            says = said(
                "gateway {label} is bound to TLS {bound} by hand; which of the carrier's cipher suites OCE "
                "offers there can no longer be read in the guide",
                "la passerelle {label} est limitée à TLS {bound} à la main ; le guide ne permet plus de lire "
                "quelles suites de chiffrement de l'opérateur l'OCE y propose",
                label=gateway.label,
                bound=bound,
            )
            yield Seen((*path, "security", "tls_max"), says)


def _switches(site: Site, facts: Facts) -> Iterator[Seen]:
    if not facts.flag("internet.encrypted"):
        return
    wanted = ["sip_tls", "srtp"]
    if facts.known("tls.mutual") and facts.flag("tls.mutual"):
        wanted.append("mutual_authentication")
    for path, gateway in gateways(site):
        for key in wanted:
            if not getattr(gateway.security, key):
                says = said(
                    "gateway {label} has {switch} off",
                    "la passerelle {label} n'a pas activé {switch}",
                    label=gateway.label,
                    switch=SWITCHES[key],
                )
                mend = said(
                    "SIP Gateways > Security: switch {switch} on ({key}: true)",
                    "SIP Gateways > Security : activez {switch} ({key}: true)",
                    switch=SWITCHES[key],
                    key=key,
                )
                yield Seen((*path, "security", key), says, mend)


def _suite(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("srtp.suite")
    for path, gateway in gateways(site):
        if wanted not in gateway.security.suites:
            says = said(
                "gateway {label} does not have {wanted} in the selected list",
                "la passerelle {label} n'a pas {wanted} dans la liste sélectionnée",
                label=gateway.label,
                wanted=wanted,
            )
            mend = said(
                "SIP Gateways > Security: add {wanted}",
                "SIP Gateways > Security : ajoutez {wanted}",
                wanted=wanted,
            )
            yield Seen((*path, "security", "suites"), says, mend)


def _one_name(site: Site, facts: Facts) -> Iterator[Seen]:
    if not facts.flag("internet.one_name"):
        return
    for path, gateway in gateways(site):
        proxy = gateway.domain_proxy
        for key in ("realm", "outbound_proxy"):
            has = getattr(proxy, key)
            if has.lower() != proxy.target_domain.lower():
                says = said(
                    "gateway {label} has {key} {has}, and target_domain {wanted}",
                    "la passerelle {label} a pour {key} {has}, et pour target_domain {wanted}",
                    label=gateway.label,
                    key=key,
                    has=has or said("empty", "vide"),
                    wanted=proxy.target_domain,
                )
                yield Seen((*path, "domain_proxy", key), says)


def _the_carriers_names(site: Site, facts: Facts) -> Iterator[Seen]:
    group = "internet" if site.over_internet else "bvpn"
    keys = [f"{group}.sbc.{which}.name" for which in ("nominal", "backup")]
    order = sorted(enumerate(site.trunk.gateways), key=lambda entry: entry[1].general.index)
    at_home = [entry for entry in order if entry[1].general.zone == "metropole"]  # overseas: DROM-1
    for (index, gateway), key in zip(at_home, keys, strict=False):
        target = gateway.domain_proxy.target_domain
        if not facts.known(key) or is_address(target):  # DNS-1 tells of an address
            continue
        if target.lower() != facts.text(key):
            says = said(
                "gateway {label} leads to {target}; the guide's access SBC is {name}",
                "la passerelle {label} mène à {target} ; le SBC d'accès du guide est {name}",
                label=gateway.label,
                target=target,
                name=facts.text(key),
            )
            yield Seen(("trunk", "gateways", index, "domain_proxy", "target_domain"), says)
    if not all(facts.known(key) for key in keys):
        return
    for index, gateway in at_home[len(keys) :]:
        says = said(
            "gateway {label} leads to {target}; the guide has {count} access SBCs, and no further one",
            "la passerelle {label} mène à {target} ; le guide a {count} SBC d'accès, et pas d'autre",
            label=gateway.label,
            target=gateway.domain_proxy.target_domain,
            count=len(keys),
        )
        yield Seen(("trunk", "gateways", index, "domain_proxy", "target_domain"), says)


RULES = (
    Rule(
        id="CERT-2",
        title=said("The IPBX has a certificate", "L'IPBX a un certificat"),
        why=said(
            "The carrier lets in only who shows a certificate signed by a public authority. Without it no "
            "connection is made, and ordering one takes days.",
            "L'opérateur ne laisse entrer que celui qui présente un certificat signé par une autorité "
            "publique. Sans lui, aucune connexion ne s'établit, et l'obtenir prend des jours.",
        ),
        level=Level.MUST,
        source="guide 5.2.3",
        mend=said(
            "Web Monitor > Certificates: order and install one, then name its files under "
            "certificates.public_server",
            "Web Monitor > Certificates : commandez-le, installez-le, puis nommez ses fichiers sous "
            "certificates.public_server",
        ),
        look=_certificates,
        fact="internet.encrypted",
        architectures=INTERNET,
    ),
    Rule(
        id="CERT-3",
        title=said(
            "The trust store holds the certificates that sign the carrier's",
            "Le magasin de confiance contient les certificats qui signent celui de l'opérateur",
        ),
        why=said(
            "The IPBX checks the carrier's certificate against its trust store. With the root or an "
            "intermediate missing it refuses the carrier, and the gateways stay down.",
            "L'IPBX vérifie le certificat de l'opérateur avec son magasin de confiance. S'il y manque la "
            "racine ou un intermédiaire, il refuse l'opérateur et les passerelles ne montent pas.",
        ),
        level=Level.MUST,
        source="guide 5.2.3",
        mend=said(
            "Web Monitor > Certificates > Root Certificates Trust Store: install roots and intermediates, "
            "then name the PEM files under certificates.trust",
            "Web Monitor > Certificates > Root Certificates Trust Store : installez racines et "
            "intermédiaires, puis nommez les fichiers PEM sous certificates.trust",
        ),
        look=_trust,
        fact="internet.encrypted",
        architectures=INTERNET,
    ),
    Rule(
        id="TLS-1a",
        title=said(
            "IPBX and carrier have a TLS version in common",
            "L'IPBX et l'opérateur ont une version de TLS en commun",
        ),
        why=said(
            "TLS is the encryption of the signalling. Where the two sides share no version and no cipher "
            "suite, every connection fails at once.",
            "TLS est le chiffrement de la signalisation. Si les deux côtés n'ont ni version ni suite de "
            "chiffrement en commun, toute connexion échoue aussitôt.",
        ),
        level=Level.MUST,
        source="guide 2.4.6",
        mend=said(
            "raise tls_max as far as the product goes, or ask the carrier for suites of the older version",
            "relevez tls_max autant que le produit le permet, ou demandez à l'opérateur des suites de "
            "l'ancienne version",
        ),
        look=_common_suites,
        fact="tls.versions_oce",
        needs=("product.model",),
        architectures=INTERNET,
    ),
    Rule(
        id="TLS-1b",
        title=said(
            "The cipher suites of the product are asked of the carrier",
            "Les suites de chiffrement du produit sont demandées à l'opérateur",
        ),
        why=said(
            "The guide marks those that OCE offers in bold type, which is lost in the text we have. Bound to "
            "one TLS version, the IPBX has no other suite to fall back on.",
            "Le guide indique en gras celles que l'OCE propose, et ce gras est perdu dans le texte dont nous "
            "disposons. Limité à une version de TLS, l'IPBX n'a pas d'autre suite sur laquelle se rabattre.",
        ),
        level=Level.NOTE,
        source="guide 2.4.6",
        mend=said(
            "ask the carrier, or leave tls_max out: the product then offers all it knows",
            "demandez à l'opérateur, ou supprimez tls_max : le produit propose alors tout ce qu'il connaît",
        ),
        look=_suites_of_the_product,
        needs=("product.model",),
        architectures=INTERNET,
    ),
    Rule(
        id="TLS-2",
        title=said(
            "TLS goes no further than the product does",
            "TLS ne va pas plus loin que ce que connaît le produit",
        ),
        why=said(
            "A TLS version that the product does not know is never used. The site file then promises the "
            "customer a security that the IPBX does not give.",
            "Une version de TLS que le produit ne connaît pas ne sert jamais. Le fichier promet alors au "
            "client une sécurité que l'IPBX n'offre pas.",
        ),
        level=Level.SHOULD,
        source="guide 2.4.6",
        mend=said(
            "leave tls_max out; the certified versions of OCE stop there",
            "supprimez tls_max ; les versions certifiées de l'OCE s'arrêtent là",
        ),
        look=_tls_version,
        fact="tls.versions_oce",
        needs=("product.model",),
        architectures=INTERNET,
    ),
    Rule(
        id="SEC-4a",
        title=said(
            "SIP TLS, mutual authentication and SRTP are on",
            "SIP TLS, l'authentification mutuelle et SRTP sont activés",
        ),
        why=said(
            "The carrier takes encrypted calls only, from an IPBX that shows its certificate. With one "
            "switch off, the connection or the call is refused.",
            "L'opérateur ne prend que des appels chiffrés, d'un IPBX qui présente son certificat. S'il "
            "manque un seul réglage, la connexion ou l'appel est refusé.",
        ),
        level=Level.MUST,
        source="guide 5.2.4",
        mend=said("SIP Gateways > Security: switch it on", "SIP Gateways > Security : activez-le"),
        look=_switches,
        fact="internet.encrypted",
        architectures=INTERNET,
        also=("TLS-3",),
    ),
    Rule(
        id="SEC-4b",
        title=said(
            "The carrier's SRTP suite is in the selected list",
            "La suite SRTP de l'opérateur est dans la liste sélectionnée",
        ),
        why=said(
            "SRTP encrypts the voice. If the two sides find no suite in common, each call is refused the "
            "moment it is placed.",
            "SRTP chiffre la voix. Si les deux côtés ne trouvent aucune suite commune, chaque appel est "
            "refusé dès son émission.",
        ),
        level=Level.MUST,
        source="guide 2.4.7, 5.2.4",
        mend=said("SIP Gateways > Security: add the suite", "SIP Gateways > Security : ajoutez la suite"),
        look=_suite,
        fact="srtp.suite",
        architectures=INTERNET,
        also=("SRTP-1",),
    ),
    Rule(
        id="SEC-5a",
        title=said(
            "Target domain, realm and outbound proxy are one name",
            "Target domain, realm et outbound proxy portent un même nom",
        ),
        why=said(
            "The guide writes the access SBC's name in all three. Where one differs, calls go to another "
            "machine than the one that is meant, or its certificate does not fit.",
            "Le guide écrit le nom du SBC d'accès dans les trois. Si l'un diffère, les appels vont à une "
            "autre machine que prévu, ou son certificat ne correspond pas.",
        ),
        level=Level.MUST,
        source="guide 5.2.4",
        mend=said(
            "SIP Gateways > Domain Proxy: write the access SBC's name in all three",
            "SIP Gateways > Domain Proxy : écrivez le nom du SBC d'accès dans les trois",
        ),
        look=_one_name,
        fact="internet.one_name",
        needs=("trunk.gateways.*.domain_proxy.target_domain",),
        architectures=INTERNET,
    ),
    Rule(
        id="SEC-5b",
        title=said(
            "The gateways lead to the carrier's nominal and backup access SBC",
            "Les passerelles mènent aux SBC d'accès nominal et de secours de l'opérateur",
        ),
        why=said(
            "Calls go to the first gateway, and to the second when the first is gone. Another name, or the "
            "two exchanged, and the trunk stays down or the backup serves every day.",
            "Les appels vont à la première passerelle, et à la seconde quand la première est perdue. Avec un "
            "autre nom, ou les deux noms échangés, le trunk ne monte pas ou le secours sert tous les jours.",
        ),
        level=Level.SHOULD,
        source="guide 2.4.4, 5.2.4",
        mend=said(
            "SIP Gateways > Domain Proxy: write the names of the guide, unless the carrier gave you others",
            "SIP Gateways > Domain Proxy : écrivez les noms du guide, sauf si l'opérateur vous en a donné "
            "d'autres",
        ),
        look=_the_carriers_names,
        needs=("trunk.gateways.*", "trunk.gateways.*.general.index", "trunk.gateways.*.general.zone"),
    ),
)
