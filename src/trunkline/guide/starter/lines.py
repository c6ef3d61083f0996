"""The lines of a commented site file: values, and comments in one language, in columns as in the examples."""

from __future__ import annotations

import json
import re
from textwrap import wrap
from typing import Final

from trunkline.finding import Language, said, told

COMMENT_AT: Final = 36  # the column of comments
WIDTH: Final = 88
_PLAIN = re.compile(r"[\w+./$][\w+./${}:()'’@-]*(?: [\w+./()'’@-]+)*,?(?: [\w+./()'’@,-]+)*")
_WORDS_OF_YAML: Final = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"))


def scalar(text: str) -> str:
    """A value as YAML: as it is where that is safe, else in double quotes (which JSON's are)."""
    plain = _PLAIN.fullmatch(text) and ": " not in text and not text.endswith(":")
    return text if plain and text.lower() not in _WORDS_OF_YAML else json.dumps(text, ensure_ascii=False)


def bare(number: str) -> str:
    """A number without what people write inside it."""
    return "".join(letter for letter in number if letter in "+0123456789")


def spaced(number: str) -> str:
    """A French number as people write it; any other as it is."""
    if number.startswith("+33") and len(number) == 12:
        pairs = [number[index : index + 2] for index in range(4, 12, 2)]
        return " ".join([number[:3], number[3], *pairs])
    return number


class Lines:
    """A file that grows line by line."""

    def __init__(self, language: Language) -> None:
        self._language, self._out = language, list[str]()

    def put(self, text: str, english: str = "", french: str = "") -> None:
        """A line, with a comment beside it."""
        comment = told(said(english, french), self._language) if english else ""
        self._out.append(f"{text:{COMMENT_AT - 1}} # {comment}" if comment else text)

    def title(self, english: str, french: str) -> None:
        """The heading of a part, in OMC's words."""
        head = f"# --- {told(said(english, french), self._language)} "
        self._out += ["", head + "-" * (WIDTH - len(head))]

    def note(self, english: str, french: str, indent: int = 0) -> None:
        """A comment on lines of its own."""
        margin = " " * indent + "# "
        self._out += wrap(
            told(said(english, french), self._language),
            WIDTH,
            initial_indent=margin,
            subsequent_indent=margin,
        )

    def blank(self) -> None:
        self._out.append("")

    def text(self) -> str:
        return "\n".join(self._out) + "\n"
