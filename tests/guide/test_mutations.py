"""Every example, broken in one place after the other: that place is told, nothing hangs or crashes."""

from __future__ import annotations

from pathlib import Path as File

import pytest
from tests.example_site import tree
from tests.guide import mutations
from tests.guide.mutations import FILES, Mutation, accepts, at, field

from trunkline.finding import Finding, Level, Wording
from trunkline.guide.catalogue import judge
from trunkline.site.load import UnreadableYaml, load
from trunkline.site.text import NODES_MAX, Path, dotted, inside, read

every_example = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def told(text: str | bytes) -> list[Finding]:
    """All that is told of a text; in both languages, or it is no finding."""
    try:
        loaded = load(text, "site.yaml")
        findings = [*loaded.findings, *judge(loaded)]
    except UnreadableYaml as error:
        findings = [error.finding]
    for finding in findings:
        for words in (finding.says, finding.mend):
            assert isinstance(words, Wording), words
            assert words.french.strip(), words
    return findings


def binding(text: str | bytes) -> list[tuple[str, str]]:
    """Rule and place of what a site must or should not be."""
    return [(found.rule, found.path) for found in told(text) if found.level is not Level.NOTE]


def only(mutation: Mutation, rule: str) -> str:
    """ "" if a mutation is told by this rule, at its place and by nothing else; else what was told."""
    found = binding(mutation.text)
    return "" if found == [(rule, dotted(mutation.path))] else f"{mutation}: {found}"


@every_example
def test_a_required_key_that_is_dropped_is_told_and_nothing_else(file: File) -> None:
    required = [mutation for mutation in mutations.dropped(file) if field(mutation.path).is_required()]
    assert len(required) > 20
    assert [wrong for mutation in required if (wrong := only(mutation, "SITE-4"))] == []


@every_example
def test_an_optional_key_that_is_dropped_is_its_default_and_only_rules_speak_of_it(file: File) -> None:
    original = tree(file)
    optional = [mutation for mutation in mutations.dropped(file) if not field(mutation.path).is_required()]
    assert len(optional) > 20
    for mutation in optional:
        loaded = load(mutation.text, "site.yaml")
        assert loaded.site is not None, mutation
        found = binding(mutation.text)
        assert not [rule for rule, _ in found if rule in ("SITE-3", "SITE-4", "SITE-5")], (mutation, found)
        if _is_default(mutation.path, at(original, mutation.path)):
            assert found == [], (mutation, found)


def _is_default(path: Path, written: object) -> bool:
    """Whether a word is its key's default, as text."""
    default = field(path).get_default(call_default_factory=True)
    default = str(default).lower() if isinstance(default, bool) else default
    return isinstance(written, str) and str(default) == written


@every_example
def test_a_value_of_another_kind_is_told_and_nothing_else(file: File) -> None:
    assert [wrong for mutation in mutations.retyped(file) if (wrong := only(mutation, "SITE-5"))] == []


@every_example
def test_a_number_out_of_its_range_is_told_and_nothing_else(file: File) -> None:
    numbers = list(mutations.out_of_range(file))
    assert len(numbers) > 20
    assert [wrong for mutation in numbers if (wrong := only(mutation, "SITE-5"))] == []


@every_example
def test_two_neighbours_swapped_are_told_where_one_does_not_fit(file: File) -> None:
    original, misfits = tree(file), 0
    for one, other, text in mutations.swapped(file):
        loaded = load(text, "site.yaml")
        judge(loaded)
        exchanged = {one: at(original, other), other: at(original, one)}
        refused = [dotted(path) for path, value in exchanged.items() if not accepts(path, value)]
        misfits += bool(refused)
        found = [found.path for found in loaded.findings if found.level is Level.MUST]
        assert found == refused, (dotted(one), dotted(other))
    assert misfits > 10


@every_example
def test_two_entries_of_a_list_swapped_are_still_a_sound_site(file: File) -> None:
    for mutation in mutations.entries_swapped(file):
        assert load(mutation.text, "site.yaml").site is not None, mutation
        found = {rule for rule, _ in binding(mutation.text)}
        # Nominal and backup exchanged is no other order of the same thing: calls try the first one first.
        pair = dotted(mutation.path) in ("trunk.gateways.0", "trunk.gateways.2")  # not two zones
        assert found == ({"SITE-45"} if pair else set()), mutation


@every_example
def test_a_key_that_stands_twice_is_told_and_nothing_else(file: File) -> None:
    doubled = list(mutations.doubled(file))
    assert len(doubled) > 60
    assert [wrong for mutation in doubled if (wrong := only(mutation, "SITE-2"))] == []


@every_example
def test_a_tab_is_told_on_its_line(file: File) -> None:
    for line, text in mutations.tabbed(file):
        (found,) = told(text)
        assert (found.rule, found.line) == ("SITE-1", line), (line, found)
        assert "tab" in found.says, found


@every_example
def test_a_byte_order_mark_is_a_note_and_changes_nothing(file: File) -> None:
    text = file.read_text("utf-8")
    (mark, *others) = told("\ufeff" + text)
    assert (mark.rule, mark.level) == ("SITE-8", Level.NOTE)
    assert others == told(text)
    assert load(("\ufeff" + text).encode(), "x").site == load(text, "x").site


@every_example
def test_ten_megabytes_are_refused_before_they_are_read(file: File) -> None:
    text = file.read_text("utf-8")
    padded = text + "# padding\n" * ((10_000_000 - len(text)) // 10)
    for whole in (padded, padded.encode()):
        (found,) = told(whole)
        assert (found.rule, found.line, found.column) == ("SITE-1", 1, 1)
        assert "bytes" in found.says


@every_example
def test_billion_laughs_are_told_and_stay_small(file: File) -> None:
    text = file.read_text("utf-8")
    laughs = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    bomb = text + "\n".join(laughs) + "\n"
    assert len(read(bomb).places) < NODES_MAX / 10
    found = binding(bomb)
    assert {rule for rule, _ in found} == {"SITE-3", "SITE-6"}
    assert len(found) < 400
    within = frozenset({(f"a{n}",) for n in range(30)})
    assert all(inside(tuple(path.split(".")), within) for _, path in found)
