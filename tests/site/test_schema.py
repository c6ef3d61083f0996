"""The JSON Schema that editors read: made from the model, and no stricter than it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from tests.example_site import EXAMPLES, FILE
from yaml.constructor import SafeConstructor

import schema
from trunkline.cli.main import main
from trunkline.site import scalar

FILES = sorted(EXAMPLES.glob("*.yaml"))
VALIDATOR = jsonschema.Draft7Validator(schema.schema())


class Editor(SafeConstructor, yaml.BaseLoader):
    """YAML as an editor's language server reads it: the core schema of YAML 1.2 (§10.3)."""


def whole(loader: Editor, node: Any) -> int:
    return int(str(loader.construct_scalar(node)))


CORE = {
    "null": (r"~|null|Null|NULL|", "~nN"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+", "-+0123456789"),
    "float": (r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
}
for kind, (pattern, first) in CORE.items():
    Editor.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(f"^(?:{pattern})$"), [*first, ""])
Editor.add_constructor("tag:yaml.org,2002:int", whole)


def seen(file: Path) -> Any:
    return yaml.load(file.read_text("utf-8"), Loader=Editor)


def test_the_shipped_schema_is_what_its_generator_writes() -> None:
    assert schema.FILE.read_text("utf-8") == schema.text(), "run tools/reference.py"
    jsonschema.Draft7Validator.check_schema(schema.schema())


def test_the_verb_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema.schema()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_example_is_valid(file: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(seen(file))] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_mistyped_key_is_invalid_anywhere(file: Path) -> None:
    tree = seen(file)
    sections = list(mappings(tree))
    assert len(sections) > 10
    for section in sections:
        for key in list(section):
            section[f"{key}x"] = section.pop(key)
            assert not VALIDATOR.is_valid(tree), key
            section[key] = section.pop(f"{key}x")
    assert VALIDATOR.is_valid(tree)


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from mappings(inner)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("architecture", "bvpm"),
        ("trunk.channels", 0),
        ("trunk.channels", "many"),
        ("trunk.listen.udp", 70000),
        ("trunk.gateways", []),
        ("interfaces.eth0.address", "192.0.2.0/24"),
        ("numbering.installation_number", "0199001000"),
        ("numbering.international_allowed", "perhaps"),
        ("product.load", "6.1"),
        ("users", {}),
        ("customer", ""),
    ],
)
def test_a_value_of_the_wrong_kind_or_range_is_invalid(path: str, value: Any) -> None:
    tree = seen(FILE)
    *parents, key = path.split(".")
    node = tree
    for parent in parents:
        node = node[parent]
    node[key] = value
    assert not VALIDATOR.is_valid(tree)


def test_every_key_is_explained() -> None:
    def keys(of: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for key, entry in of.get("properties", {}).items():
            yield key, entry
            yield from keys(entry)
            yield from keys(entry.get("items", {}))

    found = list(keys(schema.schema()))
    assert len(found) > 200
    for key, entry in found:
        assert entry["description"].endswith("."), key


WORDS = st.text(alphabet="+0123456789 .:-/#*Xabz[]\u00a0", max_size=18) | st.sampled_from(
    [
        *(
            "192.0.2.1",
            "2001:db8::1",
            "192.0.2.0/24",
            "[2001:db8::1]:53",
            "192.0.2.53:5353",
            "ipbx.customer.example",
        ),
        *(
            "+33 1 99 00 10 00",
            "+33199001000-+33199001049",
            "+33199001000 - +33199001049",
            "112",
            "3XXX",
            "*31",
        ),
    ]
)


@pytest.mark.parametrize("name", sorted(schema.KINDS))
@given(word=WORDS)
def test_no_word_that_the_model_takes_is_refused(name: str, word: str) -> None:
    pattern, _ = schema.KINDS[name]
    try:
        TypeAdapter(getattr(scalar, name)).validate_python(word)
    except ValidationError:
        return
    assert not pattern or word == "" or re.fullmatch(f"(?:{pattern})", word)


def test_every_kind_of_word_has_its_pattern() -> None:
    kinds = {
        name
        for name, kind in vars(scalar).items()
        if any(type(mark).__name__ == "AfterValidator" for mark in getattr(kind, "__metadata__", ()))
    }
    assert kinds == set(schema.KINDS)
