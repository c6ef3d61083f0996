"""A site broken in one place: every key of every example, dropped, retyped, moved out of its range, and more.

Each mutation says what was done to which path and gives the text. What must be found is
the tests' to say; the kind of a key's value is read from the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path as File
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from tests.example_site import EXAMPLES, tree, written

from trunkline.site.explain import fields, section_at
from trunkline.site.text import Path, dotted, read

FILES = sorted(EXAMPLES.glob("*.yaml"))


class Mutation(NamedTuple):
    """A text that differs from an example in one place."""

    path: Path
    text: str

    def __str__(self) -> str:
        return dotted(self.path)


def keys(node: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every key of a tree, not of list entries."""
    if isinstance(node, dict):
        for key, inner in node.items():
            yield (*path, key)
            yield from keys(inner, (*path, key))
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from keys(inner, (*path, index))


def at(node: Any, path: Path) -> Any:
    """What stands at a path of a tree."""
    for part in path:
        node = node[part]
    return node


def field(path: Path) -> FieldInfo:
    """The model's field of a key."""
    model = section_at(path[:-1])
    assert model is not None, path
    found: FieldInfo = fields(model)[str(path[-1])]
    return found


def numeric(annotation: Any) -> bool:
    """True if a number and no list belongs there."""
    if annotation in (int, float):
        return True
    if get_origin(annotation) in (tuple, Literal):
        return False
    return any(map(numeric, get_args(annotation)))


def accepts(path: Path, value: Any) -> bool:
    """Whether the model takes a value under a key, by itself."""
    found = field(path)
    adapter: TypeAdapter[Any] = TypeAdapter(found.rebuild_annotation())
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def replaced(file: File, values: dict[Path, Any]) -> str:
    """An example's text with other values at some paths."""
    changed = tree(file)
    for path, value in values.items():
        at(changed, path[:-1])[path[-1]] = value
    return written(changed)


def dropped(file: File) -> Iterator[Mutation]:
    """Every key, with all below it, gone."""
    for path in keys(tree(file)):
        changed = tree(file)
        del at(changed, path[:-1])[path[-1]]
        yield Mutation(path, written(changed))


def retyped(file: File) -> Iterator[Mutation]:
    """Every word a section, every section and list a word."""
    original = tree(file)
    for path in keys(original):
        other = {"x": "y"} if isinstance(at(original, path), str) else "x"
        yield Mutation(path, replaced(file, {path: other}))


def out_of_range(file: File) -> Iterator[Mutation]:
    """Every number far too small and far too large."""
    for path in keys(tree(file)):
        if numeric(field(path).annotation):
            for value in ("-1", "999999999999"):
                yield Mutation(path, replaced(file, {path: value}))


def swapped(file: File) -> Iterator[tuple[Path, Path, str]]:
    """Every two words that stand next to each other in a section, exchanged."""
    original = tree(file)
    for section in {path[:-1]: None for path in keys(original)}:
        words = [(*section, key) for key, value in at(original, section).items() if isinstance(value, str)]
        for one, other in pairwise(words):
            exchanged = {one: at(original, other), other: at(original, one)}
            if at(original, one) != at(original, other):
                yield one, other, replaced(file, exchanged)


def entries_swapped(file: File) -> Iterator[Mutation]:
    """Every two neighbours of a list, exchanged."""
    original = tree(file)
    for path in keys(original):
        entries = at(original, path)
        for index in range(len(entries) - 1) if isinstance(entries, list) else ():
            order = [*entries]
            order[index], order[index + 1] = order[index + 1], order[index]
            yield Mutation((*path, index), replaced(file, {path: order}))


def doubled(file: File) -> Iterator[Mutation]:
    """Every key of a section in block form written a second time, with all below it, right after itself."""
    text = file.read_text("utf-8")
    lines, places = text.splitlines(), read(text).places
    for path in keys(tree(file)):
        place = places[path]
        first, indent = place.key_line - 1, place.key_column - 1
        before = lines[first][:indent]
        if before.strip(" -"):
            continue  # between braces, on another key's line
        last = first + 1
        while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) > indent):
            last += 1
        block = [" " * indent + lines[first][indent:], *lines[first + 1 : last]]
        yield Mutation(path, "\n".join([*lines[:last], *block, *lines[last:]]) + "\n")


def tabbed(file: File) -> Iterator[tuple[int, str]]:
    """Every line that says something, its indentation led by a tab; with the line's number."""
    lines = file.read_text("utf-8").splitlines()
    for index, line in enumerate(lines):
        if line.strip() and not line.strip().startswith("#"):
            yield index + 1, "\n".join([*lines[:index], "\t" + line, *lines[index + 1 :]]) + "\n"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
