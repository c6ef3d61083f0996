"""What pydantic found wrong, as findings that somebody with OMC open can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from trunkline.finding import Wording, said
from trunkline.site.model import Site
from trunkline.site.scalar import SWAPPED, SecretMark, is_address, shown
from trunkline.site.text import Path, Value, dotted

SUGGESTIONS_MAX: Final = 200  # unknown keys that get a suggestion; each costs a comparison with every key

Fields = dict[str, Any]


@lru_cache(maxsize=64)
def fields(model: type[BaseModel]) -> Fields:
    """A section's keys as the file writes them, each with its field."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section inside `Section`, `Section | None` or `tuple[Section, ...]`; None for a word."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(section_of, get_args(annotation))), None)


def section_at(path: Path) -> type[BaseModel] | None:
    """The section that stands at a path of the site file, or whose list does."""
    model: type[BaseModel] | None = Site
    for part in path:
        if isinstance(part, str):
            field = fields(model).get(part) if model else None
            model = section_of(field.annotation) if field else None
    return model


def is_secret(path: Path) -> bool:
    """True for the path of a password: its text is never shown."""
    model = section_at(path[:-1])
    field = fields(model).get(str(path[-1])) if model and path else None
    return field is not None and any(isinstance(mark, SecretMark) for mark in field.metadata)


@lru_cache(maxsize=1)
def _homes() -> dict[str, list[str]]:
    """Every key of the model with the sections it belongs to: `{"bandwidth": ["trunk.gateways.media"]}`."""
    homes: dict[str, list[str]] = {}

    def walk(model: type[BaseModel], home: tuple[str, ...]) -> None:
        for key, field in fields(model).items():
            homes.setdefault(key, []).append(".".join(home))
            inner = section_of(field.annotation)
            if inner:
                walk(inner, (*home, key))

    walk(Site, ())
    return homes


def _meant(path: Path) -> str:
    """The key of the section that an unknown key was most likely meant for; "" for none."""
    key, model = str(path[-1]), section_at(path[:-1])
    if not model or len(key) > 60:
        return ""
    close = difflib.get_close_matches(key.lower().replace("-", "_").replace(" ", "_"), fields(model), n=1)
    return close[0] if close else ""


def _section(node: Any, path: Path) -> Any:
    """The section of a tree that stands at a path."""
    for part in path:
        node = node[part]
    return node


def _unknown(path: Path, root: Value | None, suggest: bool) -> tuple[Wording, Wording]:
    """Says and mend for an unknown key of a tree."""
    key, model = str(path[-1]), section_at(path[:-1])
    if suggest and (meant := _meant(path)):
        says = said(
            "unknown key; did you mean {meant}?", "clé inconnue ; vouliez-vous dire {meant} ?", meant=meant
        )
        if meant in _section(root, path[:-1]):
            mend = said(
                "{meant} is given already: delete {key}",
                "{meant} est déjà donné : supprimez {key}",
                meant=meant,
                key=dotted(path[-1:]),
            )
            return says, mend
        return says, said("write {meant}", "écrivez {meant}", meant=meant)
    homes = [home for home in _homes().get(key, []) if home]
    if len(homes) == 1:
        return (
            said(
                "unknown key here; it belongs to {home}",
                "clé inconnue ici ; sa place est dans {home}",
                home=homes[0],
            ),
            said("move it to {home}", "déplacez-la dans {home}", home=homes[0]),
        )
    return said("unknown key", "clé inconnue"), said(
        "delete it, or use one of: {keys}",
        "supprimez-la, ou prenez l'une de celles-ci : {keys}",
        keys=", ".join(fields(model) if model else ()),
    )


def _required(path: Path) -> bool:
    model = section_at(path[:-1])
    field = fields(model).get(str(path[-1])) if model else None
    return field is None or bool(field.is_required())


_SECTION: Final = (
    said("a section belongs here", "il faut ici une section"),
    said(
        "write `key: value` lines under it, indented", "écrivez dessous des lignes `clé: valeur`, en retrait"
    ),
)
_LIST: Final = (
    said("a list belongs here", "il faut ici une liste"),
    said(
        "write its entries on lines of their own, each after `- `",
        "écrivez ses éléments chacun sur sa ligne, après `- `",
    ),
)
_WORD: Final = said("one word belongs here", "il faut ici un seul mot")
_FLAG: Final = (
    said("true or false belongs here", "il faut ici true ou false"),
    said("write true or false", "écrivez true ou false"),
)
_WHOLE: Final = said("a whole number belongs here", "il faut ici un nombre entier")
_DIGITS: Final = said("write digits only", "écrivez des chiffres seulement")
_REAL: Final = said("write it as 4 or 0.5", "écrivez-le comme 4 ou 0.5")
_NUMBER: Final = (said("a number belongs here", "il faut ici un nombre"), _REAL)

_PLAIN: Final[dict[str, tuple[Wording, Wording]]] = {
    "model_type": _SECTION,
    "tuple_type": _LIST,
    "string_type": (
        _WORD,
        said("write the value on the line of its key", "écrivez la valeur sur la ligne de sa clé"),
    ),
    "bool_parsing": _FLAG,
    "bool_type": _FLAG,
    "int_parsing": (_WHOLE, _DIGITS),
    "int_parsing_size": (_WHOLE, said("write fewer digits", "écrivez moins de chiffres")),
    "int_from_float": (_WHOLE, _DIGITS),
    "int_type": (_WHOLE, _DIGITS),
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "finite_number": (said("a finite number belongs here", "il faut ici un nombre fini"), _REAL),
    "too_short": (
        said("the list is empty", "la liste est vide"),
        said("write at least one entry", "écrivez au moins un élément"),
    ),
    "string_pattern_mismatch": (
        said("is not written as it should be", "n'a pas la bonne forme"),
        said("write it as OMC shows it", "écrivez-le comme OMC l'affiche"),
    ),
}
_OTHERWISE: Final = (
    said("is not what belongs here", "n'est pas ce qu'il faut ici"),
    said("see the comments of examples/bvpn.yaml", "voyez les commentaires de examples/bvpn.yaml"),
)

_BOUNDS: Final = {
    "greater_than_equal": ("ge", Wording("at least {bound}", "{bound} au moins")),
    "less_than_equal": ("le", Wording("at most {bound}", "{bound} au plus")),
    "greater_than": ("gt", Wording("more than {bound}", "plus de {bound}")),
    "less_than": ("lt", Wording("less than {bound}", "moins de {bound}")),
    "multiple_of": ("multiple_of", Wording("a multiple of {bound}", "un multiple de {bound}")),
}


def _value(error: ErrorDetails, path: Path) -> tuple[Wording, Wording]:
    kind, got, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "site":
        return context["says"], context["mend"]
    what, mend = _PLAIN.get(kind, _OTHERWISE)
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        most = said(words, words.french, bound=f"{context[bound]:.10g}")
        says = said("{got} is out of range", "{got} est hors limites", got=shown(str(got)))
        return says, said("write {most}", "écrivez {most}", most=most)
    if kind == "literal_error":
        english = str(context["expected"]).replace("'", "")
        expected = Wording(english, english.replace(" or ", " ou "))
        what = said("is none of the values known here", "n'est pas une valeur connue ici")
        mend = said("write {expected}", "écrivez {expected}", expected=expected)
        if isinstance(got, str) and got:
            return said("{got} {what}", "{got} {what}", got=shown(got), what=what), mend
        what = _WORD
    if isinstance(got, list | dict) and kind != "too_short":
        says = (
            said("a list stands here; {what}", "il y a ici une liste ; {what}", what=what)
            if isinstance(got, list)
            else said("a section stands here; {what}", "il y a ici une section ; {what}", what=what)
        )
        return says, mend
    if got == "":
        says = said("is empty; {what}", "est vide ; {what}", what=what)
        if _required(path):
            return says, mend
        return says, said("{mend}; or delete the key", "{mend} ; ou supprimez la clé", mend=mend)
    if kind == "too_short":
        return what, mend
    if kind.startswith(("int", "float")) and is_address(str(got)):
        says = said(
            "{got} is an address; {what}", "{got} est une adresse ; {what}", got=shown(str(got)), what=what
        )
        return says, SWAPPED
    return said("{got}: {what}", "{got} : {what}", got=shown(str(got)), what=what), mend


def explained(errors: list[ErrorDetails], root: Value | None) -> Iterator[tuple[str, Path, Wording, Wording]]:
    """(rule, path, says, mend) for each of pydantic's errors about a tree; no password is ever shown."""
    unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    suggested = frozenset(unknown[:SUGGESTIONS_MAX])
    meant = {(*path[:-1], _meant(path)) for path in suggested}
    for error in errors:
        path: Path = error["loc"]
        if error["type"] == "extra_forbidden":
            yield "SITE-3", path, *_unknown(path, root, path in suggested)
        elif error["type"] == "missing":
            if path not in meant:  # else the unknown key's finding says it
                key = str(path[-1])
                says = said("{key} is missing", "{key} manque", key=key)
                mend = said("add `{key}:` to this section", "ajoutez `{key}:` à cette section", key=key)
                yield "SITE-4", path, says, mend
        elif error["type"] == "too_short" and error["input"]:
            continue  # every entry is wrong, and said so
        elif is_secret(path) and error["type"] != "site":
            mend = said(
                "write the password, ${{file:PATH}} or ${{env:NAME}}",
                "écrivez le mot de passe, ${{file:CHEMIN}} ou ${{env:NOM}}",
            )
            yield "SITE-5", path, _WORD, mend
        else:
            yield "SITE-5", path, *_value(error, path)
