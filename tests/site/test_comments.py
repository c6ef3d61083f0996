"""Comments that suppress a finding: taken from the text between YAML's words, and nowhere else."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trunkline.site.comments import IDS_MAX, IGNORES_MAX, REASON_MAX, ignores

COMMENT = "# trunkline: ignore CAC-1b -- smaller on purpose"


def test_a_comment_names_rules_and_a_reason_and_covers_its_line() -> None:
    (found,) = ignores(f"a: 1  {COMMENT}\n")
    assert (found.ids, found.reason, found.wrong) == (("CAC-1b",), "smaller on purpose", "")
    assert (found.line, found.column, found.covers) == (1, 7, (1,))


def test_a_comment_alone_covers_the_next_line_that_is_no_comment() -> None:
    text = f"{COMMENT}\n  # why: see the order\n# trunkline: ignore SEC-4, SEC-5a — two reasons\na: 1\n"
    first, second = ignores(text)
    assert (first.covers, second.covers) == ((1, 4), (3, 4))
    assert second.ids == ("SEC-4", "SEC-5a")
    assert second.reason == "two reasons"
    (apart,) = ignores(f"{COMMENT}\n\na: 1\n")
    assert 3 not in apart.covers


@pytest.mark.parametrize(
    "text",
    [
        f'a: "x {COMMENT}"\n',
        f"a: 'it''s {COMMENT}'\n",
        f'a: "x\n  {COMMENT}\n  "\n',
        f"a: |\n  text\n  {COMMENT}\n",
        f"a: >-\n  text {COMMENT}\n\n  {COMMENT}\n",
        "a: x#trunkline:ignore\n",
        f"a: '{COMMENT}' # an ordinary comment\n",
        "# then run: trunkline check YOUR-SITE.yaml\na: 1\n",
        f'a: {COMMENT}\nb: "x\n',  # no YAML: nothing is judged
    ],
)
def test_what_stands_in_a_value_is_no_comment(text: str) -> None:
    assert ignores(text) == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"a: |  {COMMENT}\n  text\n", 1),
        (f"a: |2-  {COMMENT}\n   text\n", 1),
        (f"a: |\n  text\n{COMMENT}\nb: 1\n", 3),
        (f"a: |\n   text\n {COMMENT}\n", 3),
        (f"a: [x, {COMMENT}\n  y]\n", 1),
        (f'a: "x # y" {COMMENT}\n', 1),
        (f'a: "x\n  y" {COMMENT}\n', 2),
        (f"\ufeffa: 1 {COMMENT}\n", 1),
        (f"a: 1\r\nb: 2 {COMMENT}\r\n", 2),
        (f"a: 1\rb: 2 {COMMENT}\r", 2),
        (f"a: 1\n##{COMMENT}\nb: 1", 2),
    ],
)
def test_beside_quotes_blocks_and_lists_a_comment_is_one(text: str, line: int) -> None:
    (found,) = ignores(text)
    assert (found.line, found.ids, found.wrong) == (line, ("CAC-1b",), "")


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("ignore CAC-1b", "reason"),
        ("ignore CAC-1b --", "reason"),
        ("ignore CAC-1b because", "reason"),
        ("ignore -- because", "form"),
        ("ignore", "form"),
        ("please", "form"),
        ("ignore CAC.1 -- x", "form"),
        (f"ignore {'CAC-1 ' * (IDS_MAX + 1)} -- x", "many"),
        (f"ignore CAC-1 -- {'x' * (REASON_MAX + 1)}", "many"),
    ],
)
def test_a_comment_that_cannot_be_taken_says_what_is_wrong_with_it(words: str, wrong: str) -> None:
    (found,) = ignores(f"a: 1 # trunkline: {words}\n")
    assert found.wrong == wrong


def test_there_is_a_bound_on_comments_and_it_is_told() -> None:
    found = ignores(f"{COMMENT}\n" * (IGNORES_MAX + 50) + "a: 1\n")
    assert len(found) == IGNORES_MAX + 1
    assert [ignore.wrong for ignore in found] == [""] * IGNORES_MAX + ["many"]


def test_a_line_of_ten_thousand_quoted_words_is_read_in_one_walk() -> None:
    text = "a: [" + '"#", ' * 10_000 + f'"#"] {COMMENT}\n'
    (found,) = ignores(text)
    assert found.column == text.index(COMMENT) + 1


@given(st.text(alphabet="a#:\"'|> \n-[]{},\\&*!%trunkline:ignore", max_size=60))
def test_no_text_makes_it_stumble_and_a_comment_changes_no_value(text: str) -> None:
    for found in ignores(text + "# trunkline:"):
        lines = (text + "# trunkline:").split("\n")
        without = "\n".join(
            line[: found.column - 1] if number == found.line else line for number, line in enumerate(lines, 1)
        )
        assert _value(without) == _value("\n".join(lines))


def _value(text: str) -> object:
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        return None
