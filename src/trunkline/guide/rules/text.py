"""What is judged before any rule looks at a site: its text, keys and words, its passwords, its guide.

The loader (`site.text`, `site.load`), the command line and the catalogue find these;
they stand here so that they can be explained, listed and left out as the others can.
"""

from __future__ import annotations

from trunkline.finding import Level, Wording, said
from trunkline.guide.rule import Rule


def _told(
    rule: str,
    title: Wording,
    why: Wording,
    mend: Wording,
    level: Level = Level.MUST,
    source: str = "site file",
) -> Rule:
    return Rule(id=rule, title=title, why=why, level=level, source=source, mend=mend, look=None)


_NOTHING_RUNS = said(
    "A file that cannot be read is checked for nothing, and no IPBX starts with it.",
    "Un fichier illisible n'est contrôlé en rien, et aucun IPBX ne démarre avec lui.",
)

RULES = (
    _told(
        "SITE-1",
        said("The file can be read", "Le fichier est lisible"),
        _NOTHING_RUNS,
        said(
            "look at the line named: indent with spaces, one `key: value` a line, text in UTF-8",
            "regardez la ligne indiquée : retraits en espaces, un `clé: valeur` par ligne, texte en UTF-8",
        ),
    ),
    _told(
        "SITE-2",
        said("No key stands twice in a section", "Aucune clé ne figure deux fois dans une section"),
        said(
            "Only one of the two values can count, and it may be the one you did not mean.",
            "Une seule des deux valeurs peut compter, et c'est peut-être celle que vous ne vouliez pas.",
        ),
        said("delete one of the two", "supprimez l'une des deux"),
    ),
    _told(
        "SITE-3",
        said("Every key is one that a site file has", "Toute clé est une clé du fichier de site"),
        said(
            "A misspelt key does nothing: the setting you wrote keeps its usual value, and nobody notices "
            "before go-live day.",
            "Une clé mal écrite ne fait rien : le réglage voulu garde sa valeur d'origine, et personne ne le "
            "remarque avant la mise en service.",
        ),
        said(
            "correct its spelling or move it to its section",
            "corrigez l'orthographe ou déplacez-la dans sa section",
        ),
    ),
    _told(
        "SITE-4",
        said("Every key that must be there is there", "Toute clé obligatoire est présente"),
        said(
            "Nobody can guess an address, a number or a name: without it the site cannot be checked or "
            "built.",
            "Une adresse, un numéro ou un nom ne se devinent pas : sans eux, le site ne peut être ni "
            "contrôlé ni réalisé.",
        ),
        said("add the key to its section", "ajoutez la clé à sa section"),
    ),
    _told(
        "SITE-5",
        said(
            "Every value is of its kind and within its bounds",
            "Toute valeur est du bon type et dans ses bornes",
        ),
        said(
            "A value of the wrong kind is often two values exchanged or a slip of the pen; OMC would refuse "
            "it, or take it and never work.",
            "Une valeur du mauvais type est souvent une inversion ou une faute de frappe ; OMC la "
            "refuserait, ou la prendrait sans jamais fonctionner.",
        ),
        said("write a value of the kind that is named", "écrivez une valeur du type indiqué"),
    ),
    _told(
        "SITE-6",
        said(
            "The file uses no YAML beyond lists, sections and words",
            "Le fichier n'utilise de YAML que listes, sections et mots",
        ),
        said(
            "Words that begin with *, & or ! mean something else to YAML: a prefix such as *31 would be lost "
            "without a word.",
            "Un mot qui commence par *, & ou ! a un autre sens en YAML : un préfixe comme *31 serait perdu "
            "sans avertissement.",
        ),
        said('put the word in quotes, as "*31"', 'mettez le mot entre guillemets, comme "*31"'),
    ),
    _told(
        "SITE-7",
        said("Passwords stand outside the file", "Les mots de passe sont hors du fichier"),
        said(
            "Site files are mailed and archived. Who reads a phone's password can place calls at the "
            "customer's expense.",
            "Un fichier de site s'envoie et s'archive. Qui lit le mot de passe d'un poste peut appeler aux "
            "frais du client.",
        ),
        said(
            "keep it in a file of its own or in the environment: ${{file:PATH}} or ${{env:NAME}}",
            "gardez-le dans un fichier à part ou dans l'environnement : ${{file:CHEMIN}} ou ${{env:NOM}}",
        ),
        Level.NOTE,
    ),
    _told(
        "SITE-8",
        said("The file begins with its text", "Le fichier commence par son texte"),
        said(
            "Some Windows editors put an invisible mark first. It is read all the same here, but other "
            "programs may stumble over it.",
            "Certains éditeurs Windows placent une marque invisible en tête. Elle est acceptée ici, mais "
            "peut gêner d'autres programmes.",
        ),
        said("save it as UTF-8 without BOM", "enregistrez-le en UTF-8 sans BOM"),
        Level.NOTE,
    ),
    _told(
        "SITE-9",
        said(
            "Each password that the file refers to can be fetched",
            "Chaque mot de passe auquel le fichier renvoie peut être lu",
        ),
        said(
            "A phone or a registration without its password is refused: the site does not start with it. "
            "`trunkline check` does not need the passwords and says nothing of them.",
            "Un poste ou un enregistrement sans son mot de passe est refusé : le site ne démarre pas ainsi. "
            "`trunkline check` n'a pas besoin des mots de passe et n'en dit rien.",
        ),
        said(
            "write the password into the file, or set the variable, that is named",
            "écrivez le mot de passe dans le fichier indiqué, ou définissez la variable",
        ),
    ),
    _told(
        "SITE-10",
        said("The guide's facts are known here", "Les faits du guide sont connus ici"),
        said(
            "Without the guide's facts most rules have nothing to compare the site with: it would look clean "
            "unchecked.",
            "Sans les faits du guide, la plupart des règles n'ont rien à comparer : le site semblerait bon "
            "sans avoir été contrôlé.",
        ),
        said("write the name of a guide that is known", "écrivez le nom d'un guide connu"),
        source=said("guide facts", "faits du guide"),
    ),
    _told(
        "SITE-11",
        said("The site follows the edition that is known here", "Le site suit l'édition connue ici"),
        said(
            "The carrier's addresses, ports and certified versions change from one edition to the next.",
            "Les adresses, ports et versions certifiées de l'opérateur changent d'une édition à l'autre.",
        ),
        said(
            "check the site against the known edition, then write that one",
            "contrôlez le site avec l'édition connue, puis écrivez celle-ci",
        ),
        Level.SHOULD,
        source=said("guide facts", "faits du guide"),
    ),
    _told(
        "SITE-19",
        said(
            "The site's architecture is one that runs, and stays while it runs",
            "L'architecture du site peut fonctionner, et ne change pas en marche",
        ),
        said(
            "Ports, encryption and the way of the voice depend on the architecture: it cannot be exchanged "
            "under running calls.",
            "Les ports, le chiffrement et le chemin de la voix dépendent de l'architecture : elle ne peut "
            "pas changer pendant que des appels sont en cours.",
        ),
        said(
            "stop it and start it again with the new file",
            "arrêtez-le et redémarrez-le avec le nouveau fichier",
        ),
    ),
    _told(
        "SUP-1",
        said(
            "A comment that suppresses a finding names its rule and a reason",
            "Un commentaire qui écarte un constat nomme sa règle et une raison",
        ),
        said(
            "Whoever reads the file next must know why the finding was passed over. "
            "Errors of the file's form cannot be suppressed.",
            "Qui lira le fichier ensuite doit savoir pourquoi le constat a été écarté. "
            "Les erreurs de forme du fichier ne peuvent pas l'être.",
        ),
        said("write # trunkline: ignore ID -- the reason", "écrivez # trunkline: ignore ID -- la raison"),
        Level.SHOULD,
        source="trunkline",
    ),
    _told(
        "SUP-2",
        said(
            "A comment that suppresses finds something to suppress",
            "Un commentaire qui écarte trouve quelque chose à écarter",
        ),
        said(
            "It would hide the next error that comes up on its line.",
            "Il cacherait la prochaine erreur qui apparaîtrait sur sa ligne.",
        ),
        said("delete the comment", "supprimez le commentaire"),
        Level.NOTE,
        source="trunkline",
    ),
)
