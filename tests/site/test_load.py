"""A site file is read whole: a site, or every error at its place, never an exception."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.example_site import TEXT, edited, tree, written

from trunkline.finding import Level
from trunkline.site.load import Loaded, UnreadableYaml, load


def paths(node: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path of a tree below its root."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*here, key)
        yield from paths(value, (*here, key))


PATHS = list(paths(tree()))


def test_the_example_is_clean() -> None:
    loaded = load(TEXT, "bvpn.yaml")
    assert loaded.findings == ()
    assert loaded.site is not None
    assert loaded.draft is not None
    assert loaded.draft.site is loaded.site


def test_bytes_are_read_as_utf8() -> None:
    assert load(TEXT.encode(), "x").site == load(TEXT, "x").site
    assert load(b"\xef\xbb\xbf" + TEXT.encode(), "x").site is not None
    with pytest.raises(UnreadableYaml):
        load(TEXT.encode("utf-16"), "x")


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "word", "- a\n- b\n", "---\n"])
def test_a_file_without_keys_is_one_finding(text: str) -> None:
    loaded = load(text, "x")
    assert loaded.site is None
    assert loaded.draft is None
    assert [finding.rule for finding in loaded.findings] == ["SITE-5"]
    assert loaded.place(("trunk",)) == (1, 1)


def test_errors_of_the_text_and_of_the_model_come_together() -> None:
    text = edited({"customer": ""}).replace("outside_prefix: '0'", "outside_prefix: *0\n  country: '33'")
    loaded = load(text, "x")
    assert {(finding.rule, finding.path) for finding in loaded.findings} == {
        ("SITE-5", "customer"),
        ("SITE-6", "numbering.outside_prefix"),
        ("SITE-2", "numbering.country"),
    }
    assert loaded.site is None


def test_an_alias_for_a_number_is_told_once() -> None:
    loaded = load(re.sub(r"  channels: 12\b", "  channels: *x", TEXT), "x")
    assert [(finding.rule, finding.path) for finding in loaded.findings] == [
        ("SITE-6", "trunk.channels"),
        ("SITE-6", "carrier.channels"),
    ]


def test_a_duplicate_key_leaves_no_site_though_the_rest_is_sound() -> None:
    loaded = load(TEXT + "customer: other\n", "x")
    assert [finding.rule for finding in loaded.findings] == ["SITE-2"]
    assert loaded.site is None
    assert loaded.draft is not None


def test_a_value_that_is_not_in_the_file_is_placed_at_its_section() -> None:
    loaded = load(TEXT, "x")
    line, column = loaded.place(("trunk", "gateways", 1, "security", "srtp"))
    assert (line, column) == loaded.place(("trunk", "gateways", 1))
    found = loaded.finding("X-1", Level.NOTE, ("trunk", "gateways", 1, "security"), "s", "m", "o")
    assert (found.path, found.line, found.column) == ("trunk.gateways.1.security", line, column)


def test_a_file_of_unknown_keys_only_ends_soon_with_a_finding_each() -> None:
    loaded = load("".join(f"key{n}: {n}\n" for n in range(20_000)), "x")
    assert sum(finding.rule == "SITE-3" for finding in loaded.findings) == 20_000


def sound(loaded: Loaded) -> None:
    """What holds of everything that `load` returns."""
    wrong = any(finding.level is Level.MUST for finding in loaded.findings)
    assert (loaded.site is None) == wrong
    lines = [(finding.line, finding.column) for finding in loaded.findings]
    assert lines == sorted(lines)
    assert all(line > 0 and column > 0 for line, column in lines)
    assert all(finding.says and finding.mend and finding.source for finding in loaded.findings)


WORDS = st.one_of(
    st.sampled_from(
        ["", "no", "-1", "0", "192.0.2.1", "2001:db8::1", "a.example", "+33199001000", "${env:X}"]
    ),
    st.sampled_from(["1e999", "112", "true", "~", "*31", "\x01", "a\nb", "9" * 30, "5060"]),
    st.text(max_size=8),
)
VALUES = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        node = node[part]
    return node


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(["drop", "retype"]), VALUES), max_size=4))
def test_any_keys_dropped_or_retyped_give_a_site_or_findings(
    changes: list[tuple[tuple[Any, ...], str, Any]],
) -> None:
    changed = tree()
    for path, how, value in changes:
        try:
            parent = at(changed, path[:-1])
            if how == "drop":
                del parent[path[-1]]
            else:
                parent[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    sound(load(written(changed), "x"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_a_mapping_in_the_place_of_any_value_is_a_finding(path: tuple[Any, ...]) -> None:
    changed = tree()
    at(changed, path[:-1])[path[-1]] = {"unheard-of": "x"}
    loaded = load(written(changed), "x")
    sound(loaded)
    assert loaded.site is None


LINES = TEXT.splitlines(keepends=True)
SPOIL = ["\t", "\ufeff", "*", "&", "!", "- ", ": ", "  ", "[", "{", "'", '"', "\x00", "%", "@", "#", "|"]


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, len(LINES) - 1),
    st.sampled_from(["delete", "double", "spoil", "swap"]),
    st.sampled_from(SPOIL),
    st.integers(0, 40),
)
def test_any_line_deleted_doubled_swapped_or_spoilt_gives_a_site_findings_or_unreadable(
    number: int, how: str, spoil: str, column: int
) -> None:
    lines = list(LINES)
    if how == "delete":
        del lines[number]
    elif how == "double":
        lines.insert(number, lines[number])
    elif how == "swap":
        lines[number - 1], lines[number] = lines[number], lines[number - 1]
    else:
        lines[number] = lines[number][:column] + spoil + lines[number][column:]
    try:
        sound(load("".join(lines), "x"))
    except UnreadableYaml as error:
        unreadable = error.finding
        event(f"unreadable: {unreadable.says[:20]}")


def test_every_key_written_twice_is_found_at_its_second_place() -> None:
    for number, line in enumerate(LINES):
        stripped = line.split("#")[0].strip()
        if ": " not in stripped or stripped.startswith("-") or line.startswith("#"):
            continue
        text = "".join([*LINES[: number + 1], line, *LINES[number + 1 :]])
        found = [finding for finding in load(text, "x").findings if finding.rule == "SITE-2"]
        assert [finding.line for finding in found] == [number + 2]
