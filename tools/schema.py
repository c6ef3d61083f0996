"""Writes src/trunkline/site/site.schema.json from the model, for editors. A test holds the two equal.

An editor's YAML reader guesses types where `trunkline check` does not: `0`, `00`, `6.1` and
`+33199001000` are numbers to it. So what is a word to the model may be a number here too, and
only what is written as a word is held to a pattern. `trunkline check` has the last word.

    .venv/bin/python tools/schema.py
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel
from pydantic_core import PydanticUndefined

from describe import described
from trunkline.site import scalar
from trunkline.site.model import Site

FILE = Path(__file__).resolve().parent.parent / "src" / "trunkline" / "site" / "site.schema.json"

Schema = dict[str, Any]

_SPACING = "[ .\u00a0\u2009\u202f]*"  # what people write inside a number
_ADDRESS = "[0-9A-Fa-f:.]+"
_PHONE = rf"\+({_SPACING}[0-9]){{4,15}}{_SPACING}"


def _digits(least: int, most: int, letters: str = "") -> str:
    return f"{_SPACING}([0-9{letters}]{_SPACING}){{{least},{most}}}"


# Each kind of word: the pattern it is held to, and whether an editor may take it for a number.
KINDS: dict[str, tuple[str, bool]] = {
    "Text": ("", True),
    "Filled": (".*[^ ].*", True),
    "Secret": ("", True),
    "Address": (_ADDRESS, False),
    "OptionalAddress": (_ADDRESS, False),
    "Network": (f"{_ADDRESS}/[0-9]{{1,3}}", False),
    "OptionalNetwork": (f"{_ADDRESS}/[0-9]{{1,3}}", False),
    "DomainName": (r"([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{1,63}", False),
    "Host": ("[A-Za-z0-9.:-]+", False),
    "OptionalHost": ("[A-Za-z0-9.:-]+", False),
    "Server": (rf"{_ADDRESS}|\[{_ADDRESS}\]:[0-9]+", False),
    "OptionalServer": (rf"{_ADDRESS}|\[{_ADDRESS}\]:[0-9]+", False),
    "Number": (_PHONE, True),
    "OptionalNumber": (_PHONE, True),
    "NumberRange": (rf"\s*{_PHONE}(-\s*{_PHONE})?\s*", True),
    "SubscriberNumber": (f"{_PHONE}|{_digits(2, 8)}", True),
    "Extension": (_digits(1, 8), True),
    "ShortNumber": (_digits(2, 8), True),
    "ShortPattern": (_digits(2, 8, "X"), True),
    "CountryCode": (_digits(1, 3), True),
    "OutsidePrefix": (_digits(0, 3, "*#"), True),
    "NationalPrefix": (_digits(0, 3), True),
    "InternationalPrefix": (_digits(1, 4), True),
    "FeaturePrefix": (_digits(0, 6, "*#"), True),
    "BarredPrefix": (rf"{_SPACING}\+({_SPACING}[0-9]){{1,14}}{_SPACING}", True),
}
_NAMES = {
    mark.func: name
    for name in KINDS
    for mark in getattr(scalar, name).__metadata__
    if isinstance(mark, AfterValidator)
}
_BOUNDS = {
    "ge": "minimum",
    "le": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}


def schema() -> Schema:
    """The whole schema, draft 7: what editors read."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Trunkline site file",
        **_section(Site),
    }


def text() -> str:
    """The schema as its file holds it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    FILE.write_text(text(), encoding="utf-8")
    print("src/trunkline/site/site.schema.json")
    return 0


def _section(model: type[BaseModel]) -> Schema:
    words, properties = described(model), {}
    for name, field in model.model_fields.items():
        entry = {"description": words[name], **_value(field.annotation, field.metadata)}
        if field.default is not PydanticUndefined:
            _defaulted(entry, field.default)
        properties[field.alias or name] = entry
    required = [field.alias or name for name, field in model.model_fields.items() if field.is_required()]
    return {
        "description": " ".join(inspect.cleandoc(model.__doc__ or "").split()),
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        **({"required": required} if required else {}),
    }


def _defaulted(entry: Schema, default: Any) -> None:
    """What stands where the key is left out; where that is an empty word, the key may be empty too."""
    if isinstance(default, str | int | float):
        entry["default"] = default
    elif isinstance(default, tuple) and not any(isinstance(item, BaseModel) for item in default):
        entry["default"] = list(default)
    if default == "" and "type" in entry:
        kinds = entry["type"] if isinstance(entry["type"], list) else [entry["type"]]
        entry["type"] = [*kinds, "null"]
        if "pattern" in entry:
            entry["pattern"] = f"^$|{entry['pattern']}"


def _value(annotation: Any, metadata: Iterable[Any] = ()) -> Schema:
    metadata, origin = list(metadata), get_origin(annotation)
    if hasattr(annotation, "__metadata__"):
        return _value(annotation.__origin__, [*metadata, *annotation.__metadata__])
    if origin is Literal:
        return {"enum": list(_choices(get_args(annotation)))}
    if origin is tuple:
        least = next((mark.min_length for mark in _flat(metadata) if hasattr(mark, "min_length")), None)
        items = {"type": "array", "items": _value(get_args(annotation)[0])}
        return items if least is None else {**items, "minItems": least}
    if NoneType in get_args(annotation):
        (inner,) = (arg for arg in get_args(annotation) if arg is not NoneType)
        return _value(inner, metadata)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return _section(annotation)
    if annotation is bool:
        return {"type": "boolean"}
    if annotation is str:
        return _word(metadata)
    kind = {"type": {int: "integer", float: "number"}[annotation]}
    return kind | {
        theirs: getattr(mark, ours)
        for mark in _flat(metadata)
        for ours, theirs in _BOUNDS.items()
        if getattr(mark, ours, None) is not None
    }


def _word(metadata: Iterable[Any]) -> Schema:
    """A word of its kind, or of a pattern of its own."""
    for mark in _flat(metadata):
        if isinstance(mark, AfterValidator):
            pattern, number = KINDS[_NAMES[mark.func]]
            kind: Schema = {"type": ["string", "number"] if number else "string"}
            return {**kind, "pattern": f"^({pattern})$"} if pattern else kind
        if getattr(mark, "pattern", None):
            return {"type": ["string", "number"], "pattern": mark.pattern}
    raise LookupError("a word of no known kind: give it one of scalar's types, and that a line in KINDS")


def _choices(words: Iterable[Any]) -> Iterator[Any]:
    """The choices of an enum; those that an editor reads as numbers as both."""
    for word in words:
        yield word
        if isinstance(word, str) and word.replace(".", "", 1).isdigit():
            yield float(word)


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for item in metadata:
        yield item
        yield from getattr(item, "metadata", ())


if __name__ == "__main__":
    sys.exit(main())
