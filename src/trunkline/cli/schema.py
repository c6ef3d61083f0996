"""Print the JSON Schema of the site file, for editors that complete and explain YAML.

Write it beside your sites, and begin each site file with one line:
  trunkline schema > site.schema.json
  # yaml-language-server: $schema=site.schema.json

`trunkline check` has the last word: it also takes numbers in quotes, and judges what
two keys must agree on."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from importlib import resources


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes: nothing."""


def main(given: Namespace) -> int:
    """Print the schema; returns 0."""
    print((resources.files("trunkline.site") / "site.schema.json").read_text("utf-8"), end="")
    return 0
