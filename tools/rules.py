"""Writes docs/rules/ from the rules: a page each and an index, in English, and in French under fr/.

.venv/bin/python tools/rules.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from trunkline.finding import Language
from trunkline.guide.page import index, markdown, page
from trunkline.guide.select import every

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "rules"
MADE = "<!-- made by tools/rules.py: change the rule, then run tools/reference.py -->\n\n"
PLACES: dict[Language, str] = {"en": "", "fr": "fr/"}


def pages() -> dict[str, str]:
    """Each page by its file name below docs/rules/."""
    made = {}
    for language, place in PLACES.items():
        shown = [page(rule, language) for rule in every().values()]
        made[f"{place}index.md"] = MADE + index(shown, language)
        made |= {f"{place}{one.id}.md": MADE + markdown(one) for one in shown}
    return made


def main() -> int:
    """Write all pages, and take away those of rules that are no more."""
    made = pages()
    for old in FOLDER.rglob("*.md"):
        if old.relative_to(FOLDER).as_posix() not in made:
            old.unlink()
    for name, text in made.items():
        file = FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    print(f"docs/rules/: {len(made)} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
