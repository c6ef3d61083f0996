"""The site file as verbs take it: sound and with its passwords, or refused with its findings."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.example_site import TEXT

from trunkline.cli.sitefile import Refused, complain, ready

ENVIRON = {"TRUNKLINE_PASSWORD_203": "third"}


@pytest.fixture
def site(tmp_path: Path) -> str:
    (tmp_path / "secrets").mkdir()
    for extension in ("201", "202", "204"):
        (tmp_path / "secrets" / extension).write_text(f"of {extension}\n", "utf-8")
    (tmp_path / "site.yaml").write_text(TEXT, "utf-8")
    return str(tmp_path / "site.yaml")


def refused(file: str, **options: dict[str, str]) -> Refused:
    with pytest.raises(Refused) as caught:
        ready(file, environ=options.get("environ", ENVIRON))
    return caught.value


def test_passwords_are_fetched_from_files_and_environment(site: str) -> None:
    users = ready(site, environ=ENVIRON).users
    assert [user.password for user in users] == ["of 201", "of 202", "third", "of 204"]


def test_the_process_environment_is_the_default(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUNKLINE_PASSWORD_203", "from here")
    assert ready(site).users[2].password == "from here"


def test_a_password_that_is_missing_is_refused_with_key_and_line(site: str) -> None:
    Path(site).with_name("secrets").joinpath("202").unlink()
    findings = refused(site, environ={}).findings
    lines = TEXT.splitlines()
    assert [(found.rule, found.path) for found in findings] == [
        ("SITE-9", "users.1.password"),
        ("SITE-9", "users.2.password"),
    ]
    assert "secrets/202" in lines[findings[0].line - 1]
    assert "TRUNKLINE_PASSWORD_203" in findings[1].mend


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff", b"a\nb", b"x" * 2000])
def test_a_file_that_holds_no_password_is_refused(site: str, data: bytes) -> None:
    Path(site).with_name("secrets").joinpath("201").write_bytes(data)
    (found,) = refused(site).findings
    assert found.path == "users.0.password"


def test_only_the_passwords_a_verb_needs_are_fetched(site: str) -> None:
    site_without = ready(site, wanted=("trunk",), environ={})
    assert site_without.users[0].password == "${file:secrets/201}"


def test_a_file_with_errors_is_refused_with_them_and_nothing_lesser(
    site: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TEXT.replace("extension: 202", "extension: 112").replace("${file:secrets/201}", "hunter2")
    Path(site).write_text(text, "utf-8")
    error = refused(site)
    assert [found.rule for found in error.findings] == ["SITE-32"]
    assert complain(error) == 2
    assert "users.1.extension" in capsys.readouterr().err
    Path(site).write_text(text.replace("schema: 1", "schema: 2"), "utf-8")
    assert [found.rule for found in refused(site).findings] == ["SITE-5", "SITE-32"]


def test_a_file_that_cannot_be_read_is_refused(site: str) -> None:
    Path(site).write_text("\t", "utf-8")
    assert [found.rule for found in refused(site).findings] == ["SITE-1"]
    assert "cannot be opened" in str(refused(site + "x"))
