"""The installer's checklist: the guide's chapter 5 in the order of OMC and Web Monitor, with values.

Each step says where to click, what to type, how to verify it and whether the IPBX reboots. The order
is the guide's; where it leaves one open (DNS before Domain Proxy, the gateway's index filled in
at the VoIP accesses), it is the one that works on the product.
"""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Wording, said
from trunkline.guide.facts import Facts
from trunkline.plan import line_steps, secure_steps, tabs
from trunkline.plan.document import Chapter, Paragraph, Source, Step, Steps
from trunkline.plan.openings import public_address
from trunkline.site.model import Site
from trunkline.site.scalar import is_address


def chapter(site: Site, facts: Facts) -> Chapter:
    """All steps, a block for each stage of the work."""
    first = Paragraph(
        said(
            "Work from top to bottom. A step with a reboot stops all calls for some minutes: group them,"
            " and choose the hour. `trunkline checklist` keeps what is ticked.",
            "Procédez de haut en bas. Une étape avec redémarrage coupe tous les appels quelques minutes :"
            " regroupez-les et choisissez l'heure. `trunkline checklist` retient ce qui est coché.",
        ),
        Source("", "CFG-1"),
    )
    return Chapter(
        "checklist",
        said("Installer's checklist", "Liste de contrôle de l'installateur"),
        (first, *stages(site, facts)),
        reader=said("the installer", "l'installateur"),
    )


def stages(site: Site, facts: Facts) -> tuple[Steps, ...]:
    """The stages of the work that this site has, in their order."""
    made = [
        Steps(tuple(_before(site, facts)), said("Before the first click", "Avant le premier clic")),
        Steps(tuple(_addresses(site, facts)), said("Addresses, name, DNS", "Adresses, nom, DNS")),
    ]
    if site.over_internet:
        made += [
            Steps(tuple(secure_steps.certificates(site, facts)), said("Certificates", "Certificats")),
            Steps(
                tuple(secure_steps.encryption(site, facts)),
                said("Encryption at large", "Chiffrement du système"),
            ),
        ]
    made += [
        Steps(tuple(tabs.steps(site, facts, place)), _gateway_title(site, place))
        for place in range(len(site.trunk.gateways))
    ]
    made += [
        Steps(tuple(line_steps.lines(site)), said("Accesses and trunk group", "Accès et faisceau")),
        Steps(tuple(line_steps.numbering(site)), said("Numbering, barring", "Numérotation, discrimination")),
        Steps(tuple(line_steps.proof(site)), said("Proof", "Preuve")),
    ]
    return tuple(made)


def steps(site: Site, facts: Facts) -> tuple[Step, ...]:
    """Every step in its order, the stages aside."""
    return tuple(step for stage in stages(site, facts) for step in stage.steps)


def _gateway_title(site: Site, place: int) -> Wording:
    gateway = site.trunk.gateways[place]
    return said(
        "SIP gateway {index}: {label}",
        "Passerelle SIP {index} : {label}",
        index=gateway.general.index,
        label=gateway.label,
    )


def _before(site: Site, facts: Facts) -> Iterator[Step]:
    yield Step(
        "before.form",
        said("Carrier", "Opérateur"),
        said(
            "Send the carrier form, and wait for the carrier's parameter sheet",
            "Envoyez la fiche à l'opérateur et attendez sa feuille de paramètres",
        ),
        verify=said(
            "the sheet names the access SBCs that stand below", "la feuille nomme les SBC d'accès ci-dessous"
        ),
        source=Source("carrier", "FORM-2" if site.over_internet else "FORM-1"),
    )
    if site.over_internet:
        address, key = public_address(site)
        name = site.interfaces.eth0.domain_name
        yield Step(
            "before.record",
            said("Public DNS", "DNS public"),
            said("Publish the A record", "Publiez l'enregistrement A"),
            f"{name} A {address}",
            said(
                "any public resolver gives {address} for {name}",
                "tout résolveur public donne {address} pour {name}",
                address=address,
                name=name,
            ),
            source=Source(key, "DNS-1"),
        )
        yield Step(
            "before.firewall",
            said("Firewall", "Pare-feu"),
            said(
                "Open what the firewall chapter lists, and nothing else",
                "Ouvrez ce que liste le chapitre pare-feu, et rien d'autre",
            ),
            verify=said("SIP ALG is off", "l'ALG SIP est coupé"),
            source=Source("firewall", "FW-1, FW-2, FW-3, FW-4"),
        )
    for group, what in (
        ("interoperability", said("interoperability and support", "interopérabilité et support")),
        ("configuration", said("configuration guideline", "guide de configuration")),
        ("import_export", said("import and export of the profile", "import et export du profil")),
    ):
        if facts.known(f"bulletins.{group}"):
            number, english, french = facts.words(f"bulletins.{group}")
            yield Step(
                f"before.{group}",
                said("ALE Business Portal", "ALE Business Portal"),
                said("Fetch {number}: {what}", "Récupérez {number} : {what}", number=number, what=what),
                said("{file}", "{other}", file=english, other=french),
                said(
                    "the portal has no newer edition; if it has, tell who keeps the guide's facts",
                    "le portail n'a pas d'édition plus récente ; sinon, prévenez qui tient le guide à jour",
                ),
                source=Source("guide.name", "CFG-1"),
            )
    if facts.known("bulletins.profile"):
        yield Step(
            "before.profile_import",
            "OMC",
            said(
                "Import the carrier's SIP profile, as the bulletin on import and export describes",
                "Importez le profil SIP de l'opérateur, selon le bulletin sur l'import et l'export",
            ),
            facts.text("bulletins.profile"),
            said(
                "the gateways stand in OMC, with the carrier's values",
                "les passerelles figurent dans OMC, avec les valeurs de l'opérateur",
            ),
            source=Source("guide.name", "CFG-1"),
        )
    yield Step(
        "before.cloud",
        said("Internet access", "Accès internet"),
        said(
            "Give ALE Cloud Connect an internet access apart from the trunk",
            "Donnez à ALE Cloud Connect un accès internet distinct du trunk",
        ),
        ", ".join(facts.words("cloud_connect.ports")) if facts.known("cloud_connect.ports") else "",
        said(
            "the trunk's firewall logs nothing to these ports",
            "le pare-feu du trunk ne journalise rien vers ces ports",
        ),
        source=Source("cloud_connect.access", "CFG-2"),
    )


def _addresses(site: Site, facts: Facts) -> Iterator[Step]:
    topology = "CFG-4" if site.architecture == "internet-b" else "CFG-3"
    eth0, eth1 = site.interfaces.eth0, site.interfaces.eth1
    if site.over_internet:
        yield Step(
            "address.eth0",
            facts.text("omc.eth0", "LAN/IP Configuration > eth0"),
            said(
                "Write the public FQDN here, on eth0: the request takes CN and SAN from it",
                "Écrivez ici, sur eth0, le FQDN public : la demande y prend CN et SAN",
            ),
            eth0.domain_name,
            said(
                "Web Monitor offers it as CN when the request is made",
                "Web Monitor le propose comme CN quand la demande est générée",
            ),
            source=Source("interfaces.eth0.domain_name", topology),
        )
    else:
        yield Step(
            "address.eth0",
            facts.text("omc.eth0", "LAN/IP Configuration > eth0"),
            said("The IPBX's address on the LAN and the BVPN", "L'adresse de l'IPBX sur le LAN et le BVPN"),
            eth0.address,
            said("the BVPN router reaches it by ping", "le routeur BVPN le joint par ping"),
            source=Source("interfaces.eth0.address", "BVPN-1"),
        )
    if eth1 is not None:
        private = site.architecture == "internet-b"
        yield Step(
            "address.eth1",
            facts.text("omc.eth1", "LAN/IP Configuration > eth1"),
            said("The private address in the DMZ", "L'adresse privée dans la DMZ")
            if private
            else said("The public address", "L'adresse publique"),
            eth1.address,
            said("the firewall has it in its ARP table", "le pare-feu l'a dans sa table ARP"),
            source=Source("interfaces.eth1.address", topology),
        )
        if private:
            yield Step(
                "address.routes",
                "OMC > Hardware and limits > LAN/IP Configuration",
                said(
                    "Update the routing table, if the system asks for it",
                    "Mettez à jour la table de routage, si le système la demande",
                ),
                said("default by {router}", "défaut par {router}", router=eth1.router) if eth1.router else "",
                said(
                    "a DNS server below answers through it", "un serveur DNS ci-dessous répond à travers elle"
                ),
                source=Source("interfaces.eth1.router", topology),
            )
    if site.dns:
        proxy = site.trunk.gateways[0].domain_proxy.target_domain
        yield Step(
            "address.dns",
            facts.text("omc.dns", "Hardware and limits > DNS"),
            said("DNS servers that resolve public names", "Des serveurs DNS qui résolvent les noms publics")
            if site.over_internet
            else said("DNS servers", "Serveurs DNS"),
            ", ".join(site.dns),
            said("each answers nslookup", "chacun répond à nslookup")
            if is_address(proxy)
            else said(
                "asked with nslookup, each gives an address for {name}",
                "interrogé par nslookup, chacun donne une adresse pour {name}",
                name=proxy,
            ),
            source=Source("dns", topology if site.over_internet else "BVPN-1"),
        )
    yield Step(
        "address.reboot",
        "OMC",
        said("Reboot the system", "Redémarrez le système"),
        verify=said("the system answers at its new addresses", "le système répond à ses nouvelles adresses"),
        reboot=True,
        source=Source("interfaces", topology if site.over_internet else "BVPN-1"),
    )
