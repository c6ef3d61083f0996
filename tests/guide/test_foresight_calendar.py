"""The calendar of a site's certificates, read back by a strict reader of RFC 5545's grammar."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.example_site import FILE, INTERNET, edited
from tests.guide.test_foresight import FACTS, GOOD, PKI, Scene

from trunkline.finding import Language, said
from trunkline.guide.foresight import Paper, named
from trunkline.guide.foresight_calendar import Due, calendar, dues
from trunkline.site.load import load
from trunkline.site.model import Site

ALARMS = (30, 14, 7, 1)
LINE = re.compile(r"([A-Z-]+)((?:;[A-Z-]+=[^\x00-\x1f\x7f\";:,]+)*):([^\x00-\x08\x0a-\x1f\x7f]*)")
TEXT = re.compile(r"(?:[^\\;,\x00-\x1f\x7f]|\\[\\;,nN])*")

Component = dict[str, Any]


def read(data: bytes) -> list[Component]:
    """The events of a calendar, each with its alarms; AssertionError for whatever RFC 5545 does not allow."""
    assert data.endswith(b"\r\n")
    physical = data[:-2].split(b"\r\n")
    for piece in physical:
        assert len(piece) <= 75, piece  # §3.1, octets without the line break
        assert b"\r" not in piece
        assert b"\n" not in piece
        piece.decode("utf-8")  # no letter is torn apart
    unfolded = data[:-2].replace(b"\r\n ", b"").decode("utf-8").split("\r\n")
    stack: list[tuple[str, Component]] = []
    events: list[Component] = []
    for line in unfolded:
        matched = LINE.fullmatch(line)
        assert matched, line
        name, parameters, value = matched.groups()
        if name == "BEGIN":
            assert value == ("VCALENDAR", "VEVENT", "VALARM")[len(stack)]
            stack.append((value, {"alarms": []}))
        elif name == "END":
            kind, component = stack.pop()
            assert kind == value
            _whole(kind, component)
            if kind == "VEVENT":
                events.append(component)
            elif kind == "VALARM":
                stack[-1][1]["alarms"].append(component)
        else:
            _, component = stack[-1]
            assert name not in component, f"{name} twice"
            component[name] = _value(name, parameters, value)
    assert not stack
    assert unfolded[0] == "BEGIN:VCALENDAR"
    assert len({event["UID"] for event in events}) == len(events)
    return events


def _whole(kind: str, component: Component) -> None:
    """What each component must have (§3.6, §3.6.1, §3.6.6)."""
    needs = {
        "VCALENDAR": {"VERSION", "PRODID"},
        "VEVENT": {"UID", "DTSTAMP", "DTSTART"},
        "VALARM": {"ACTION", "TRIGGER", "DESCRIPTION"},
    }
    assert needs[kind] <= set(component), component
    if kind == "VEVENT":
        assert component["DTEND"] - component["DTSTART"] == timedelta(days=1)


def _value(name: str, parameters: str, value: str) -> Any:
    match name:
        case "DTSTART" | "DTEND":
            assert parameters == ";VALUE=DATE"
            assert re.fullmatch("[0-9]{8}", value)
            return date.fromisoformat(f"{value[:4]}-{value[4:6]}-{value[6:]}")
        case "DTSTAMP":
            assert re.fullmatch("[0-9]{8}T[0-9]{6}Z", value)
        case "TRIGGER":
            matched = re.fullmatch("-P([0-9]+)D", value)
            assert matched, value
            return int(matched[1])
        case "SUMMARY" | "DESCRIPTION" | "UID":
            assert TEXT.fullmatch(value), value
            return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)
        case "VERSION":
            assert value == "2.0"
        case "ACTION":
            assert value == "DISPLAY"
    assert parameters == ""
    return value


def site(changes: dict[str, Any] | None = None) -> Site:
    loaded = load(edited(changes or {}, INTERNET), "x").site
    assert loaded is not None
    return loaded


def made(scene: Scene = GOOD, language: Language = "en", changes: dict[str, Any] | None = None) -> bytes:
    """The calendar of a scene."""
    here, held = site(changes), scene.papers()
    papers = [Paper(path, file, held[".".join(map(str, path))]) for path, file in named(here)]
    return calendar(here, dues(here, papers, FACTS, PKI, scene.at), ALARMS, scene.at, language)


def test_every_date_to_come_is_an_event_with_its_alarms() -> None:
    events = read(made())
    found = {(event["DTSTART"].isoformat(), event["SUMMARY"].partition(": ")[2]) for event in events}
    assert ("2026-07-30", "CN=ipbx.customer.example expires") in found
    assert ("2027-03-15", "Public certificates live 100 days at most") in found
    assert ("2029-03-15", "Public certificates live 47 days at most") in found
    assert ("2027-03-15", "Chrome Root Program: no clientAuth any more") in found
    assert ("2029-04-15", "DigiCert Global Root G2 no longer trusted by Mozilla") in found
    assert min(event["DTSTART"] for event in events) >= GOOD.at
    assert [event["DTSTART"] for event in events] == sorted(event["DTSTART"] for event in events)
    for event in events:
        assert [alarm["TRIGGER"] for alarm in event["alarms"]] == list(ALARMS)
        assert event["DTSTAMP"] == "20260601T000000Z"
    (renewal,) = (event for event in events if event["SUMMARY"].endswith("ipbx.customer.example expires"))
    assert "The IPBX reboots" in renewal["DESCRIPTION"]


def test_it_is_the_same_byte_for_byte_and_in_the_language_asked_for() -> None:
    assert made() == made()
    french = read(made(language="fr"))
    assert [event["UID"] for event in french] == [event["UID"] for event in read(made())]
    assert any(event["SUMMARY"].endswith("CN=ipbx.customer.example expire") for event in french)
    for one, other in zip(read(made()), french, strict=True):
        assert one["SUMMARY"] != other["SUMMARY"]
        assert one["DESCRIPTION"] != other["DESCRIPTION"]


def test_an_event_keeps_its_uid_when_its_date_moves() -> None:
    here = site()
    moved = [Due("client-auth:X", day, "t", "t") for day in (date(2027, 3, 1), date(2028, 1, 1))]
    first, second = (read(calendar(here, [due], ALARMS, GOOD.at, "en")) for due in moved)
    assert first[0]["UID"] == second[0]["UID"]
    other = site({"customer": "Another"})
    assert read(calendar(other, moved[:1], ALARMS, GOOD.at, "en"))[0]["UID"] != first[0]["UID"]


def test_an_authority_that_is_named_leaves_the_other_cas_out() -> None:
    named_ca = {"certificates.authority": "Sectigo"}
    found = {
        event["SUMMARY"].split(": ")[1]
        for event in read(made(changes=named_ca))
        if "clientAuth" in event["SUMMARY"]
    }
    assert found == {"Sectigo", "DigiCert", "Chrome Root Program"}  # DigiCert signs for the carrier


def test_the_first_and_the_last_day_there_are() -> None:
    never = date.max - timedelta(days=1)
    here = replace(GOOD, at=date.min, since=never, days=1)  # 99991231: no well-defined expiry
    events = read(made(here))
    assert {event["DTSTAMP"] for event in events} == {"00010101T000000Z"}
    assert not any("ipbx.customer.example" in event["SUMMARY"] for event in events)


def test_a_site_without_certificates_has_no_dates() -> None:
    here = load(edited({}, FILE), "x").site
    assert here is not None
    assert read(calendar(here, dues(here, (), FACTS, PKI, GOOD.at), ALARMS, GOOD.at, "en")) == []


@given(st.text(max_size=200), st.text(max_size=300))
def test_any_words_make_a_calendar_that_reads_back(title: str, text: str) -> None:
    def plain(words: str) -> str:
        kept = (letter for letter in words if letter == "\n" or (letter >= " " and letter != "\x7f"))
        return "".join(kept).encode("utf-8", "replace").decode("utf-8")

    due = Due("k", date(2027, 1, 1), title, said("{text}", "{text}", text=text))
    (event,) = read(calendar(site(), [due], ALARMS, GOOD.at, "fr"))
    assert event["SUMMARY"] == f"Exemple SARL, Rennes: {plain(title)}"
    assert event["DESCRIPTION"] == plain(text)
