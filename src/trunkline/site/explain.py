"""What pydantic found wrong, as findings that somebody with OMC open can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from trunkline.site.model import Site
from trunkline.site.scalar import SecretMark, is_address, shown
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


def _unknown(path: Path, root: Value | None, suggest: bool) -> tuple[str, str]:
    """Says and mend for an unknown key of a tree."""
    key, model = str(path[-1]), section_at(path[:-1])
    if suggest and (meant := _meant(path)):
        already = f"{meant} is given already: delete {dotted(path[-1:])}"
        return f"unknown key; did you mean {meant}?", already if meant in _section(
            root, path[:-1]
        ) else f"write {meant}"
    homes = [home for home in _homes().get(key, []) if home]
    if len(homes) == 1:
        return f"unknown key here; it belongs to {homes[0]}", f"move it to {homes[0]}"
    return "unknown key", f"delete it, or use one of: {', '.join(fields(model) if model else ())}"


def _required(path: Path) -> bool:
    model = section_at(path[:-1])
    field = fields(model).get(str(path[-1])) if model else None
    return field is None or bool(field.is_required())


_PLAIN: Final[dict[str, tuple[str, str]]] = {
    "model_type": ("a section belongs here", "write `key: value` lines under it, indented"),
    "tuple_type": ("a list belongs here", "write its entries on lines of their own, each after `- `"),
    "string_type": ("one word belongs here", "write the value on the line of its key"),
    "bool_parsing": ("true or false belongs here", "write true or false"),
    "bool_type": ("true or false belongs here", "write true or false"),
    "int_parsing": ("a whole number belongs here", "write digits only"),
    "int_parsing_size": ("a whole number belongs here", "write fewer digits"),
    "int_from_float": ("a whole number belongs here", "write digits only"),
    "int_type": ("a whole number belongs here", "write digits only"),
    "float_parsing": ("a number belongs here", "write it as 4 or 0.5"),
    "float_type": ("a number belongs here", "write it as 4 or 0.5"),
    "finite_number": ("a finite number belongs here", "write it as 4 or 0.5"),
    "too_short": ("the list is empty", "write at least one entry"),
    "string_pattern_mismatch": ("is not written as it should be", "write it as OMC shows it"),
}

_BOUNDS: Final = {
    "greater_than_equal": ("ge", "at least"),
    "less_than_equal": ("le", "at most"),
    "multiple_of": ("multiple_of", "a multiple of"),
}


def _value(error: ErrorDetails, path: Path) -> tuple[str, str]:
    kind, got, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "site":
        return str(context["says"]), str(context["mend"])
    what, mend = _PLAIN.get(kind, (error["msg"], "see the comments of examples/bvpn.yaml"))
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"{shown(str(got))} is out of range", f"write {words} {context[bound]:.10g}"
    if kind == "literal_error":
        expected = str(context["expected"]).replace("'", "")
        what, mend = "is none of the values known here", f"write {expected}"
        if isinstance(got, str) and got:
            return f"{shown(got)} {what}", mend
        what = "one word belongs here"
    if isinstance(got, list | dict) and kind != "too_short":
        return f"a {'list' if isinstance(got, list) else 'section'} stands here; {what}", mend
    if got == "":
        return f"is empty; {what}", mend if _required(path) else f"{mend}; or delete the key"
    if kind == "too_short":
        return what, mend
    if kind.startswith(("int", "float")) and is_address(str(got)):
        return f"{shown(str(got))} is an address; {what}", "were two values swapped?"
    return f"{shown(str(got))}: {what}", mend


def explained(errors: list[ErrorDetails], root: Value | None) -> Iterator[tuple[str, Path, str, str]]:
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
                yield "SITE-4", path, f"{path[-1]} is missing", f"add `{path[-1]}:` to this section"
        elif error["type"] == "too_short" and error["input"]:
            continue  # every entry is wrong, and said so
        elif is_secret(path) and error["type"] != "site":
            yield "SITE-5", path, "one word belongs here", "write the password, ${file:PATH} or ${env:NAME}"
        else:
            yield "SITE-5", path, *_value(error, path)
