"""docs/rules/ says what the rules say."""

from __future__ import annotations

import rules


def test_the_pages_are_what_their_generator_writes() -> None:
    made = rules.pages()
    held = {file.relative_to(rules.FOLDER).as_posix(): file for file in rules.FOLDER.rglob("*.md")}
    assert sorted(held) == sorted(made), "run tools/reference.py"
    for name, text in made.items():
        assert held[name].read_text("utf-8") == text, (
            f"run tools/reference.py: docs/rules/{name} is out of date"
        )
