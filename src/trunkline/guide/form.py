"""What is judged while a site file is read, before any rule: the file's form, its guide, its comments.

The findings themselves are made where the text is read (`site.load`, `site.text`,
`site.explain`), in `guide.catalogue` and in `guide.suppress`; here they have the title
and the reason that `trunkline explain` and the rules' pages show.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from trunkline.finding import Finding, Level, Wording, said


class Form(NamedTuple):
    """A judgement on the file's form, with a rule's own fields as far as it has them."""

    id: str
    level: Level
    title: Wording
    why: Wording
    mend: Wording
    source: str = "site file"
    fact: str = ""
    needs: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    look: None = None


FORM: Final = (
    Form(
        "SITE-1",
        Level.MUST,
        said("The file can be read as YAML", "Le fichier se lit comme du YAML"),
        said(
            "What cannot be read is not judged at all: nothing else is said of such a file.",
            "Ce qui ne se lit pas n'est pas jugé du tout : rien d'autre n'est dit d'un tel fichier.",
        ),
        said(
            "indent with spaces, close quotes and brackets, save as UTF-8, at most 1 MB",
            "indentez avec des espaces, fermez guillemets et crochets, enregistrez en UTF-8, 1 Mo au plus",
        ),
    ),
    Form(
        "SITE-2",
        Level.MUST,
        said("No key stands twice", "Aucune clé n'est écrite deux fois"),
        said(
            "Most YAML readers silently take the last one; which of the two was meant, nobody knows.",
            "La plupart des lecteurs YAML prennent la dernière sans rien dire ; était-ce la bonne ?",
        ),
        said("delete one of the two", "supprimez l'une des deux"),
    ),
    Form(
        "SITE-3",
        Level.MUST,
        said("Every key is known", "Chaque clé est connue"),
        said(
            "A mistyped key would leave its setting at the default, and nobody would notice.",
            "Une clé mal tapée laisserait le réglage à sa valeur par défaut, et personne ne le verrait.",
        ),
        said(
            "write the key that was meant; the finding names it",
            "écrivez la clé voulue ; le constat la nomme",
        ),
    ),
    Form(
        "SITE-4",
        Level.MUST,
        said("No key is missing that has no default", "Aucune clé sans valeur par défaut ne manque"),
        said(
            "Nothing sensible can be assumed in its place.",
            "Rien de raisonnable ne peut être supposé à sa place.",
        ),
        said("add the key", "ajoutez la clé"),
    ),
    Form(
        "SITE-5",
        Level.MUST,
        said(
            "Every value is of its kind and in its range", "Chaque valeur est du bon type et dans ses bornes"
        ),
        said(
            "The setting could not be entered in OMC as it is written here.",
            "Le réglage ne pourrait pas être saisi dans OMC tel qu'il est écrit ici.",
        ),
        said("write it as the finding shows", "écrivez-la comme le constat l'indique"),
    ),
    Form(
        "SITE-6",
        Level.MUST,
        said(
            "No YAML aliases, anchors, tags or second documents",
            "Ni alias, ni ancres, ni étiquettes YAML, ni second document",
        ),
        said(
            "They say other things than they seem to: *31 without quotes is an alias, not a prefix.",
            "Ils trompent : *31 sans guillemets est un alias, pas un préfixe.",
        ),
        said(
            "put the word in quotes, or write the value out",
            "mettez le mot entre guillemets, ou écrivez la valeur",
        ),
    ),
    Form(
        "SITE-7",
        Level.NOTE,
        said("Passwords stand outside the file", "Les mots de passe sont hors du fichier"),
        said(
            "A site file is mailed and archived; a password in it goes along.",
            "Un fichier de site s'envoie et s'archive ; un mot de passe qui s'y trouve part avec lui.",
        ),
        said(
            "keep it in a file of its own or in the environment: ${{file:PATH}} or ${{env:NAME}}",
            "gardez-le dans un fichier à part ou dans l'environnement : ${{file:CHEMIN}} ou ${{env:NOM}}",
        ),
    ),
    Form(
        "SITE-8",
        Level.NOTE,
        said("The file begins without a byte order mark", "Le fichier commence sans marque d'ordre (BOM)"),
        said(
            "It is read all the same; other tools stumble over it.",
            "Il est lu quand même ; d'autres outils butent dessus.",
        ),
        said("save it as UTF-8 without BOM", "enregistrez-le en UTF-8 sans BOM"),
    ),
    Form(
        "SITE-9",
        Level.MUST,
        said("Every password that is referred to can be read", "Chaque mot de passe référencé peut être lu"),
        said(
            "Phones and gateways could not log in. The verbs that run something tell it; `check` needs no "
            "passwords.",
            "Postes et passerelles ne pourraient pas s'identifier. Les verbes qui exécutent le disent ; "
            "`check` n'a pas besoin des mots de passe.",
        ),
        said("create the file, or set the variable", "créez le fichier, ou définissez la variable"),
    ),
    Form(
        "SITE-10",
        Level.MUST,
        said("The carrier's guide is known here", "Le guide de l'opérateur est connu ici"),
        said(
            "Without the guide's facts most rules have nothing to judge by.",
            "Sans les faits du guide, la plupart des règles n'ont rien pour juger.",
        ),
        said("write the name of a guide that is shipped", "écrivez le nom d'un guide fourni"),
        "guide facts",
    ),
    Form(
        "SITE-11",
        Level.SHOULD,
        said("The site is built to the guide's edition", "Le site suit l'édition du guide"),
        said(
            "Names, ports and certified loads change between editions.",
            "Noms, ports et versions certifiées changent d'une édition à l'autre.",
        ),
        said(
            "check the site against the edition whose facts are here, then write that",
            "vérifiez le site avec l'édition dont les faits sont ici, puis écrivez-la",
        ),
        "guide facts",
    ),
    Form(
        "SITE-19",
        Level.MUST,
        said(
            "The architecture is one that `trunkline run` can run",
            "L'architecture est de celles que `trunkline run` exécute",
        ),
        said(
            "It is told by `run`, `lab` and `carrier` only: `check` judges every architecture.",
            "Seuls `run`, `lab` et `carrier` le disent : `check` juge toutes les architectures.",
        ),
        said("try the site as internet-a", "essayez le site en internet-a"),
        "trunkline",
    ),
    Form(
        "SUP-1",
        Level.SHOULD,
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
    ),
    Form(
        "SUP-2",
        Level.NOTE,
        said(
            "A comment that suppresses finds something to suppress",
            "Un commentaire qui écarte trouve quelque chose à écarter",
        ),
        said(
            "It would hide the next error that comes up on its line.",
            "Il cacherait la prochaine erreur qui apparaîtrait sur sa ligne.",
        ),
        said("delete the comment", "supprimez le commentaire"),
    ),
)

_OF_THE_FORM: Final = frozenset(f"SITE-{number}" for number in range(1, 9))


def unavoidable(finding: Finding) -> bool:
    """Whether a finding is an error of the file's form: it can be neither suppressed nor left out."""
    return binding(finding.rule, finding.level)


def binding(id: str, level: Level) -> bool:
    """The same of a rule, by its id and level."""
    return level is Level.MUST and id in _OF_THE_FORM
