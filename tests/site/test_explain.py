"""What is wrong with a value, said for somebody who has OMC open."""

from __future__ import annotations

import pytest
from tests.example_site import edited

from trunkline.finding import Wording
from trunkline.site.explain import SUGGESTIONS_MAX, is_secret, section_at
from trunkline.site.gateway import Gateway, GatewayMedia
from trunkline.site.load import load
from trunkline.site.model import Site, User


@pytest.mark.parametrize(
    ("path", "value", "rule", "says", "mend"),
    [
        ("trunk.channels", "twelve", "SITE-5", "'twelve': a whole number", "digits"),
        ("trunk.channels", "0", "SITE-5", "'0' is out of range", "at least 1"),
        ("trunk.channels", "1001", "SITE-5", "'1001' is out of range", "at most 1000"),
        ("trunk.channels", "9" * 5000, "SITE-5", "a whole number", "fewer digits"),
        ("trunk.channels", "", "SITE-5", "is empty; a whole number", "write digits only"),
        ("trunk.channels", ["12"], "SITE-5", "a list stands here; a whole number", ""),
        ("trunk.listen.udp", "192.0.2.1", "SITE-5", "'192.0.2.1' is an address", "swapped"),
        ("trunk.listen.udp", "", "SITE-5", "is empty", "delete the key"),
        ("trunk.gateways.0.media.ptime", "25", "SITE-5", "out of range", "a multiple of 10"),
        ("trunk.gateways.0.media.rtp_direct", "oui", "SITE-5", "true or false", "true or false"),
        ("trunk.gateways.0.media.codecs", [], "SITE-5", "the list is empty", "at least one"),
        ("trunk.gateways.0.media.codecs.0", "G711", "SITE-5", "none of the values", "PCMA, PCMU or G729"),
        ("trunk.gateways.0.media.codecs", "PCMA", "SITE-5", "'PCMA': a list belongs here", "after `- `"),
        ("trunk.gateways.0.media", "12", "SITE-5", "'12': a section belongs here", "indented"),
        ("trunk.gateways.0.media", "", "SITE-5", "is empty; a section", "delete the key"),
        ("trunk.gateways.0.media.bandwith", "12", "SITE-3", "did you mean bandwidth?", "given already"),
        ("trunk.gateways.0.bandwidth", "12", "SITE-3", "it belongs to trunk.gateways.media", "move it"),
        ("trunk.gateways.0.General", {"index": "1"}, "SITE-3", "did you mean general?", ""),
        ("zzz", "12", "SITE-3", "unknown key", "use one of: schema, customer"),
        ("z" * 100, "12", "SITE-3", "unknown key", "use one of"),
        ("users.0.extension", None, "SITE-4", "extension is missing", "add `extension:`"),
        ("users.0.name", {"a": "b"}, "SITE-5", "a section stands here; one word", "line of its key"),
        ("users.0.password", ["hunter2"], "SITE-5", "one word belongs here", "${env:NAME}"),
        ("trunk.gateways.0.protocol.initial_timeout", "4s", "SITE-5", "'4s': a number", "0.5"),
        ("phones.expires_min", "inf", "SITE-5", "'inf': a finite number", ""),
        ("product.version", "6", "SITE-5", "'6': is not written as it should be", "OMC"),
        ("architecture", "", "SITE-5", "is empty; one word", "bvpn"),
        ("schema", "2", "SITE-5", "'2'", "write 1"),
        ("users", {"extension": "201"}, "SITE-5", "a section stands here; a list", "after `- `"),
        ("users.0", "201", "SITE-5", "'201': a section belongs here", ""),
    ],
)
def test_one_error_is_one_finding(path: str, value: object, rule: str, says: str, mend: str) -> None:
    loaded = load(edited({path: value}), "site.yaml")
    (finding,) = loaded.findings
    assert (finding.rule, finding.level) == (rule, "MUST")
    assert says in finding.says
    assert mend in finding.mend
    for words in (finding.says, finding.mend):
        assert isinstance(words, Wording)
        assert words.french not in ("", str(words))
    assert finding.path == (path if len(path) < 60 else path[:57] + "...")
    assert finding.line > 0
    assert loaded.site is None


def test_a_misspelt_key_is_not_also_told_as_missing() -> None:
    (finding,) = load(edited({"trunk.channels": None, "trunk.chanels": "12"}), "site.yaml").findings
    assert (finding.path, finding.says) == ("trunk.chanels", "unknown key; did you mean channels?")
    assert finding.mend == "write channels"


def test_all_errors_are_told_at_once_in_the_order_of_the_file() -> None:
    text = edited({"customer": "", "trunk.chanels": "1", "users.0.ddi": "201", "users.1.extension": "x"})
    findings = load(text, "site.yaml").findings
    assert [finding.path for finding in findings] == [
        "customer",
        "trunk.chanels",
        "users.0.ddi",
        "users.1.extension",
    ]
    assert [finding.line for finding in findings] == sorted(finding.line for finding in findings)


def test_a_list_whose_entries_are_all_wrong_is_not_called_empty() -> None:
    findings = load(edited({"trunk.gateways": ["a", "b"]}), "site.yaml").findings
    assert [finding.path for finding in findings] == ["trunk.gateways.0", "trunk.gateways.1"]


def test_a_password_never_shows_in_a_finding() -> None:
    for wrong in (["hunter2"], {"hunter2": "hunter2"}, "hunter2${", "hunter2\n"):
        (finding,) = load(edited({"users.0.password": wrong}), "site.yaml").findings
        assert "hunter2" not in finding.says + finding.mend


def test_suggestions_are_bounded() -> None:
    keys = {f"chanels{n}": "1" for n in range(SUGGESTIONS_MAX + 5)}
    findings = load(edited({f"trunk.{key}": value for key, value in keys.items()}), "site.yaml").findings
    assert len(findings) == len(keys)
    assert sum("did you mean" in finding.says for finding in findings) == SUGGESTIONS_MAX


def test_the_section_of_a_path_is_known() -> None:
    assert section_at(()) is Site
    assert section_at(("trunk", "gateways", 1)) is Gateway
    assert section_at(("trunk", "gateways", 1, "media")) is GatewayMedia
    assert section_at(("users",)) is User
    assert section_at(("nothing", "here")) is None
    assert section_at(("customer",)) is None
    assert is_secret(("users", 0, "password"))
    assert not is_secret(("users", 0, "extension"))
    assert not is_secret(("nothing", "here"))
