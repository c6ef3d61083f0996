"""YAML text as words with places: nothing guessed, nothing silently lost, nothing unbounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import Finding, Wording
from trunkline.site.text import BYTES_MAX, NODES_MAX, UnreadableYaml, decode, dotted, read


def refusal(text: str) -> UnreadableYaml:
    with pytest.raises(UnreadableYaml) as caught:
        read(text)
    return caught.value


def findings(text: str) -> list[Finding]:
    """What is found in a text, readable or not."""
    try:
        return read(text).findings
    except UnreadableYaml as error:
        return [error.finding]


def test_scalars_stay_the_words_that_were_written() -> None:
    tree = read("a: +33199001000\nb: 0110\nc: no\nd: 22:22\ne: ~\nf: '1'\ng:\nh: 1e3\ni: 2024-10-22\n")
    assert tree.root == {
        "a": "+33199001000",
        "b": "0110",
        "c": "no",
        "d": "22:22",
        "e": "~",
        "f": "1",
        "g": "",
        "h": "1e3",
        "i": "2024-10-22",
    }
    assert not tree.findings


def test_every_value_and_key_has_its_place_counted_from_one() -> None:
    tree = read("top:\n  - name: x\n  - name:   'y'\n")
    assert tree.places[("top", 1, "name")] == (3, 13, 3, 5)
    assert tree.places[("top", 0)] == (2, 5, 2, 5)
    assert tree.places[("top",)] == (2, 3, 1, 1)


def test_columns_count_characters_not_bytes() -> None:
    assert read("é: {ü: z}").places[("é", "ü")][:2] == (1, 8)


def test_a_duplicate_key_is_found_and_its_first_value_counts() -> None:
    tree = read("a: 1\nb:\n  c: 2\n  c: {d: 3, d: 4}\n")
    assert tree.root == {"a": "1", "b": {"c": "2"}}
    assert [(found.rule, found.path, found.line, found.column) for found in tree.findings] == [
        ("SITE-2", "b.c", 4, 3),
        ("SITE-2", "b.?.d", 4, 13),
    ]
    assert tree.findings[0].says == "stands twice; first on line 3"


def test_an_alias_is_refused_at_its_place_and_never_followed() -> None:
    tree = read("a: *31\nb: 1\n*c : 2\nd:\n  - *e\n")
    assert tree.root == {"a": "", "b": "1", "d": [""]}
    assert [(found.rule, found.line, found.column) for found in tree.findings] == [
        ("SITE-6", 1, 4),
        ("SITE-6", 3, 1),
        ("SITE-6", 5, 5),
    ]
    assert tree.broken == {("a",), ("?",), ("d", 0)}
    assert '"*31"' in tree.findings[0].mend


def test_billion_laughs_stay_small() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    tree = read("\n".join(levels))
    assert len(tree.places) < 200
    assert {found.rule for found in tree.findings} == {"SITE-6"}


def test_anchors_and_tags_are_told_and_their_value_is_kept() -> None:
    tree = read("a: &x 1\nb: !!int 5\nc: !secret {d: e}\n")
    assert tree.root == {"a": "1", "b": "5", "c": {"d": "e"}}
    assert [(found.path, found.line) for found in tree.findings] == [("a", 1), ("b", 2), ("c", 3)]


def test_a_list_or_mapping_as_key_is_found_and_its_value_lost() -> None:
    tree = read("? [a, b]\n: {c: d}\n? {e: f}\n: g\nh: i\n")
    assert tree.root == {"h": "i"}
    assert [found.line for found in tree.findings] == [1, 3]


def test_a_byte_order_mark_is_a_note() -> None:
    tree = read("\ufeffa: b")
    assert tree.root == {"a": "b"}
    assert [(found.rule, found.level) for found in tree.findings] == [("SITE-8", "NOTE")]


def test_a_second_document_is_found() -> None:
    tree = read("a: 1\n---\na: 2\n")
    assert tree.root == {"a": "1"}
    assert [(found.rule, found.line) for found in tree.findings] == [("SITE-6", 2)]


@pytest.mark.parametrize(
    ("text", "words", "line", "column"),
    [
        ("a:\n\tb: 1\n", "tab", 2, 1),
        ("a:\n  b: 1\n \tc: 2\n", "tab", 3, 2),
        ("users: [{password: ${file:x}}]\n", "reference stands bare", 1, 21),
        ("a: b: c\n", "colon", 1, 5),
        ("a: @home\n", "keeps for itself", 1, 4),
        ("a: `x`\n", "keeps for itself", 1, 4),
        ("a: 'x\nb: 1\n", "quote that opens on line 1", 3, 1),
        ("a: \x07\n", "U+0007", 1, 4),
        ("a:\n  b: 1\n c: 2\n", "not readable as YAML", 3, 2),
        ("[a", "not readable as YAML", 2, 1),
    ],
)
def test_what_is_no_yaml_is_told_at_its_place(text: str, words: str, line: int, column: int) -> None:
    finding = refusal(text).finding
    assert words in finding.says
    assert (finding.rule, finding.line, finding.column) == ("SITE-1", line, column)
    for told in (finding.says, finding.mend):
        assert isinstance(told, Wording)
        assert told.french not in ("", str(told))


def test_deep_nesting_wide_files_and_long_files_are_refused() -> None:
    assert "levels deep" in refusal("[" * 500_000).finding.says
    assert "levels deep" in refusal("? " * 400_000).finding.says
    assert "values" in refusal("- a\n" * (NODES_MAX + 1)).finding.says
    assert "bytes" in refusal("a" * (BYTES_MAX + 1)).finding.says
    with pytest.raises(UnreadableYaml, match="bytes"):
        decode(b"a" * (BYTES_MAX + 1))


def test_bytes_that_are_not_utf8_are_refused_at_their_place() -> None:
    with pytest.raises(UnreadableYaml) as caught:
        decode("a: 1\nb: é\n".encode("latin-1"))
    assert (caught.value.finding.line, caught.value.finding.column) == (2, 4)
    assert decode("é".encode()) == "é"


def test_paths_are_written_with_dots_and_never_break_a_line() -> None:
    assert dotted(("a", 0, "b\n\x1b c")) == "a.0.b ? c"
    assert len(dotted(("x" * 500,))) == 60


@given(st.text())
def test_any_text_gives_a_tree_or_unreadable(text: str) -> None:
    assert all(found.line >= 1 and found.column >= 1 for found in findings(text))


@given(st.text(alphabet="ab:-?&*![]{}'\"\n \t#|>%@,~\ufeff\x85\u2028", max_size=60))
def test_any_text_of_yaml_marks_gives_a_tree_or_unreadable(text: str) -> None:
    assert all(found.line >= 1 and found.column >= 1 for found in findings(text))
