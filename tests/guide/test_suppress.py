"""Findings that a comment of the site file passes over: with a reason, at its place, and told."""

from __future__ import annotations

from tests.example_site import TEXT

from trunkline.finding import Level, Wording
from trunkline.guide.catalogue import judge
from trunkline.guide.suppress import Sifted, sift
from trunkline.site.load import load

NARROW = "        bandwidth: 12\n"  # the backup's, the last line of its kind
IGNORE = "# trunkline: ignore CAC-1b -- smaller on purpose"


def sifted(*changes: tuple[str, str]) -> Sifted:
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    loaded = load(text, "x")
    return sift(loaded, (*loaded.findings, *judge(loaded)))


def rules(sifted: Sifted) -> list[tuple[str, Level]]:
    return [(found.rule, found.level) for found in sifted.findings]


def test_a_comment_on_the_line_or_above_suppresses_and_keeps_the_reason() -> None:
    for change in (f"        bandwidth: 6 {IGNORE}\n", f"{IGNORE}\n        bandwidth: 6\n"):
        result = sifted((NARROW, change))
        assert result.findings == ()
        ((found, reason),) = result.suppressed
        assert (found.rule, found.path, reason) == (
            "CAC-1b",
            "trunk.gateways.1.media.bandwidth",
            "smaller on purpose",
        )


def test_a_requirement_or_prefix_suppresses_all_its_rules_there() -> None:
    for id in ("CAC-1", "CAC"):
        change = (NARROW, f"        bandwidth: 6 # trunkline: ignore {id} -- smaller on purpose\n")
        assert [passed.finding.rule for passed in sifted(change).suppressed] == ["CAC-1b"]


def test_a_comment_at_a_sections_key_covers_what_is_found_at_the_section() -> None:
    second = TEXT[TEXT.index("    - label: backup") : TEXT.index("# --- Numbering")]
    above = "  # External Lines > SIP > SIP Gateways. Calls go to the first that is up, in this order.\n"
    ignore = "  # trunkline: ignore SITE-20 -- one SBC is all there is\n"
    result = sifted((second, "\n"), (above, ignore))
    assert [passed.finding.rule for passed in result.suppressed] == ["SITE-20"]


def test_elsewhere_and_for_other_rules_nothing_is_suppressed_and_the_comment_is_noted() -> None:
    for comment in (
        f"{IGNORE}\n\n        bandwidth: 6\n",
        f"        bandwidth: 6 {IGNORE.replace('CAC-1b', 'CAC-1a')}\n",
    ):
        result = sifted((NARROW, comment))
        assert result.suppressed == ()
        assert sorted(rules(result)) == [("CAC-1b", Level.SHOULD), ("SUP-2", Level.NOTE)]


def test_an_unused_comment_alone_leaves_the_file_clean_with_a_note() -> None:
    result = sifted((NARROW, f"        bandwidth: 12 {IGNORE}\n"))
    assert rules(result) == [("SUP-2", Level.NOTE)]
    line = TEXT[: TEXT.index(NARROW)].count("\n") + 1
    assert (result.findings[0].line, result.findings[0].column) == (line, 23)


def test_without_a_reason_a_comment_suppresses_nothing_and_is_a_finding() -> None:
    result = sifted((NARROW, "        bandwidth: 6 # trunkline: ignore CAC-1b\n"))
    assert sorted(rules(result)) == [("CAC-1b", Level.SHOULD), ("SUP-1", Level.SHOULD)]


def test_an_unknown_id_is_a_finding_that_names_the_meant_one() -> None:
    result = sifted((NARROW, "        bandwidth: 12 # trunkline: ignore CAK-1b -- smaller\n"))
    assert rules(result) == [("SUP-1", Level.SHOULD)]
    assert "CAC-1b" in result.findings[0].mend


def test_an_error_of_the_form_cannot_be_suppressed() -> None:
    result = sifted((NARROW, "        bandwith: 6 # trunkline: ignore SITE-3 -- I like it so\n"))
    assert sorted(rules(result)) == [("SITE-3", Level.MUST), ("SUP-1", Level.SHOULD)]
    assert result.suppressed == ()


def test_a_note_of_the_form_can_be_suppressed() -> None:
    old = "password: ${file:secrets/201}"
    result = sifted((old, "password: mTq7vX2nRk9d # trunkline: ignore SITE-7 -- a lab"))
    assert result.findings == ()
    assert [passed.reason for passed in result.suppressed] == ["a lab"]


def test_what_is_said_of_comments_is_said_in_both_languages() -> None:
    for comment in ("CAC-1b", "CAK-1b -- x", "SEC -- x", "SITE-3 -- x", "-- x"):
        key = "bandwith" if "SITE-3" in comment else "bandwidth"
        result = sifted((NARROW, f"        {key}: 12 # trunkline: ignore {comment}\n"))
        (found,) = (found for found in result.findings if found.rule.startswith("SUP-"))
        for words in (found.says, found.mend):
            assert isinstance(words, Wording)
            assert words != words.french
