"""The example site as tests take it: its text, its tree, and texts that differ from it in a key."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).parents[1] / "examples"
FILE, INTERNET = EXAMPLES / "bvpn.yaml", EXAMPLES / "internet-a.yaml"
TEXT = FILE.read_text("utf-8")

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_TREES = {file: yaml.load(file.read_text("utf-8"), Loader=_LOADER) for file in EXAMPLES.glob("*.yaml")}
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def tree(of: Path = FILE) -> Any:
    """The example as lists and mappings of words, to be changed at will."""
    return copy.deepcopy(_TREES[of])


def written(changed: Any) -> str:
    """A changed tree as the text of a site file."""
    return str(yaml.dump(changed, Dumper=_DUMPER, sort_keys=False, allow_unicode=True))


def edited(changes: dict[str, Any], of: Path = FILE) -> str:
    """The example's text with values replaced at dotted paths; None deletes."""
    changed = tree(of)
    for path, value in changes.items():
        *parents, key = (int(part) if part.isdigit() else part for part in path.split("."))
        node = changed
        for part in parents:
            node = node[part]
        if value is not None:
            node[key] = value
        elif isinstance(node, dict):
            node.pop(key, None)
        else:
            del node[key]
    return written(changed)
