"""Writes docs/reference/, docs/rules/ and the JSON Schema from the code. Tests hold them equal to it.

.venv/bin/python tools/reference.py
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import rules
import schema
import trunkline
from describe import described
from trunkline.cli.main import VERBS
from trunkline.guide.catalogue import RULES
from trunkline.pbx import record
from trunkline.site.model import Site

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
MADE = "<!-- made by tools/reference.py: change the code, then run it -->\n\n"


def pages() -> dict[str, str]:
    """Each page by its file name."""
    made = {
        "site.md": _site(),
        "verbs.md": _verbs(),
        "records.md": _records(),
        "states.md": _states(),
        "rules.md": _rules(),
    }
    return {name: MADE + text.rstrip() + "\n" for name, text in made.items()}


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"docs/reference/{name}")
    return schema.main() or rules.main()


# --- the site file ------------------------------------------------------------------


def _site() -> str:
    out = [
        "# The site file\n",
        "One YAML file describes a customer, in the words of OMC; `examples/` holds whole ones. Durations",
        "are in seconds. Passwords may be references: `${file:PATH}` beside the site file, `${env:NAME}`. An",
        "unknown key is an error, and `trunkline check` names the one that was probably meant.\n",
    ]
    for path, model in _sections("", Site):
        out.append(f"## `{path}`\n" if path else "## The top\n")
        out.append(_prose(model.__doc__) + "\n")
        told = described(model)
        rows = [(f"`{_key(name, field)}`", told[name], _type(field.annotation, field), _default(field))
                for name, field in model.model_fields.items()]  # fmt: skip
        out.append(_table(("key", "what it is", "takes", "default"), rows))
    return "\n".join(out)


def _sections(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        for inner, many in _models(field.annotation):
            yield from _sections(f"{path}.{name}".strip(".") + ("[]" if many else ""), inner)


def _models(annotation: Any, many: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    if inspect.isclass(annotation) and not get_args(annotation):
        if issubclass(annotation, BaseModel):
            yield annotation, many
        return
    for inner in get_args(annotation):
        yield from _models(inner, many or get_origin(annotation) is tuple)


def _key(name: str, field: Any) -> str:
    return field.alias or name


def _type(annotation: Any, field: Any = None) -> str:
    origin = get_origin(annotation)
    bounds = "" if field is None else _bounds(field.metadata)
    if origin is Literal:
        return " \\| ".join(f"`{value}`" for value in get_args(annotation))
    if origin is tuple:
        return f"list of {_type(get_args(annotation)[0])}"
    if origin is Union or str(origin) == "<class 'types.UnionType'>":
        return " or ".join(_type(inner) for inner in get_args(annotation) if inner is not type(None))
    if hasattr(annotation, "__metadata__"):
        return _type(annotation.__origin__) + _bounds(annotation.__metadata__)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return "section"
    words = {"str": "text", "int": "number", "float": "number", "bool": "`true` \\| `false`"}
    return words.get(getattr(annotation, "__name__", ""), "text") + bounds


def _bounds(metadata: Iterable[Any]) -> str:
    least = most = None
    for item in _flat(metadata):
        least, most = getattr(item, "ge", least), getattr(item, "le", most)
    if least is None and most is None:
        return ""
    return f" {least:g}-{most:g}" if least is not None and most is not None else f" from {least:g}"


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for item in metadata:
        yield item
        yield from getattr(item, "metadata", ())


def _default(field: Any) -> str:
    if field.is_required():
        return "**required**"
    value = field.default
    if value is PydanticUndefined or value is None or isinstance(value, BaseModel):
        return ""
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    shown = (
        str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value
    )
    return f"`{shown}`" if shown != "" else ""


# --- verbs, records, states, rules -----------------------------------------------------


def _verbs() -> str:
    out = ["# Verbs\n"]
    for name, _ in VERBS:
        verb = importlib.import_module(f"trunkline.cli.{name}")
        parser = argparse.ArgumentParser(
            prog=f"trunkline {name}", description=verb.__doc__, formatter_class=_Wide
        )
        verb.arguments(parser)
        parser.add_argument("--json", action="store_true", help="print JSON, for programs")
        out.append(f"## {name}\n\n```\n{parser.format_help().rstrip()}\n```\n")
        for part, inner in _parts(parser):
            inner.formatter_class = _Wide
            out.append(f"### {name} {part}\n\n```\n{inner.format_help().rstrip()}\n```\n")
    return "\n".join(out)


def _parts(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The parts of a verb that has some, as `cert csr`."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


class _Wide(argparse.RawTextHelpFormatter):
    """The same width everywhere, whatever the terminal."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=98)


def _records() -> str:
    return f"# Call records\n\n{_prose(record.__doc__)}\n"


def _states() -> str:
    out = [
        "# States\n",
        "Each machine's table, as the code has it: what is not in it is an error, or silence by decision.\n",
    ]
    for label, table in sorted(tables().items()):
        rows = [
            (str(_word(state)), str(_word(event)), str(_word(after)))
            for (state, event), after in table.items()
        ]
        out.append(f"## {label}\n\n{_table(('in', 'on', 'goes to'), rows)}")
    return "\n".join(out)


def tables() -> dict[str, Mapping[tuple[Any, Any], Any]]:
    """Every `NEXT` of the product, by module and class."""
    found: dict[str, Mapping[tuple[Any, Any], Any]] = {}
    seen: list[int] = []
    for module in _modules():
        for name, owner in _owners(module):
            table = vars(owner).get("NEXT")
            if isinstance(table, Mapping) and id(table) not in seen and _defines(module, owner):
                seen.append(id(table))
                found[name.removeprefix("trunkline.")] = table
    return found


def _owners(module: ModuleType) -> Iterator[tuple[str, Any]]:
    yield module.__name__, module
    for name, owner in vars(module).items():
        if inspect.isclass(owner) and owner.__module__ == module.__name__:
            yield f"{module.__name__}.{name}", owner


def _defines(module: ModuleType, owner: Any) -> bool:
    """Whether a module's NEXT is its own, and not one that it imports."""
    return owner is not module or re.search(r"^NEXT\b", inspect.getsource(module), re.MULTILINE) is not None


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(trunkline.__path__, "trunkline."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def _word(value: Any) -> Any:
    return getattr(value, "value", value)


def _rules() -> str:
    rows = [
        (f"`{rule.id}`", str(rule.level), rule.title, rule.source, rule.mend)
        for rule in sorted(RULES, key=lambda rule: rule.id)
    ]
    return (
        "# Rules\n\nWhat `trunkline check` judges, and what a start judges beside it; ids are those of the"
        " guide's requirements where one governs.\n\n"
        + _table(("id", "level", "title", "source", "mend"), rows)
    )


# --- small things ---------------------------------------------------------------------


def _prose(docstring: str | None) -> str:
    return inspect.cleandoc(docstring or "").strip()


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
