"""The passwords of a site: found, told apart, filled in."""

from __future__ import annotations

from tests.example_site import TEXT, edited

from trunkline.site.load import load
from trunkline.site.secret import Reference, filled, references, secrets


def test_references_are_listed_with_their_paths() -> None:
    changes = {"users.1.password": "inline", "trunk.gateways.1.registration": {"password": "${env:TRUNK}"}}
    loaded = load(edited(changes), "site.yaml")
    assert loaded.site is not None
    assert references(loaded.site) == loaded.references
    assert loaded.references == (
        Reference(("trunk", "gateways", 1, "registration", "password"), "env", "TRUNK"),
        Reference(("users", 0, "password"), "file", "secrets/201"),
        Reference(("users", 2, "password"), "env", "TRUNKLINE_PASSWORD_203"),
        Reference(("users", 3, "password"), "file", "secrets/204"),
    )
    assert (("users", 1, "password"), "inline") in list(secrets(loaded.site))


def test_an_inline_password_is_a_note_that_does_not_repeat_it() -> None:
    loaded = load(edited({"users.1.password": "hunter2"}), "site.yaml")
    (finding,) = loaded.findings
    assert (finding.rule, finding.level, finding.path) == ("SITE-7", "NOTE", "users.1.password")
    assert "hunter2" not in finding.says + finding.mend
    assert loaded.site is not None


def test_passwords_are_filled_in_and_nothing_else_changes() -> None:
    site = load(TEXT, "site.yaml").site
    assert site is not None
    path = ("trunk", "gateways", 1, "registration", "password")
    full = filled(site, {("users", 0, "password"): "a", ("users", 2, "password"): "b", path: "c"})
    assert [user.password for user in full.users] == ["a", "${file:secrets/202}", "b", "${file:secrets/204}"]
    assert full.trunk.gateways[1].registration.password == "c"
    assert full.trunk.gateways[0] == site.trunk.gateways[0]
    assert filled(site, {}) == site
