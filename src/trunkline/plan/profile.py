"""The SIP profile in the dossier: our own export of the nine tabs, and the vendor's file by its name only."""

from __future__ import annotations

from trunkline.finding import said
from trunkline.guide.facts import Facts
from trunkline.plan.document import Chapter, File, Paragraph, Source
from trunkline.site.model import Site
from trunkline.site.profile import exported


def chapter(site: Site, facts: Facts) -> Chapter:
    """Which profile goes where, and the file of ours."""
    words = [
        Paragraph(
            said(
                "gateways.profile.yaml holds the nine tabs of each gateway in Trunkline's own format: it goes"
                " into another site file by `trunkline profile import`, or beside OMC to compare tab by tab.",
                "gateways.profile.yaml contient les neuf onglets de chaque passerelle au format de"
                " Trunkline :"
                " il entre dans un autre fichier de site par `trunkline profile import`, ou se compare à OMC"
                " onglet par onglet.",
            ),
            Source("trunk.gateways", "CFG-1"),
        )
    ]
    if facts.known("bulletins.profile"):
        words.append(
            Paragraph(
                said(
                    "OMC itself imports the vendor's file {file}. Its inside is not public: nothing here"
                    " reads or writes one.",
                    "OMC importe lui-même le fichier du constructeur {file}. Son contenu n'est pas public :"
                    " rien ici n'en lit ni n'en écrit.",
                    file=facts.text("bulletins.profile"),
                ),
                Source("guide.name", "CFG-1"),
            )
        )
    says = said(
        "the gateways' tabs, to import or to compare", "les onglets des passerelles, à importer ou comparer"
    )
    return Chapter(
        "sip-profile",
        said("SIP profile", "Profil SIP"),
        tuple(words),
        (File("gateways.profile.yaml", exported(site), says),),
        reader=said("the installer", "l'installateur"),
    )
