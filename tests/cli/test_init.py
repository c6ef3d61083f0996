"""`trunkline init`: a person answers, or a script does; the file that comes out is clean and explained."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

import schema
from trunkline.cli.main import main
from trunkline.guide.facts import shipped
from trunkline.guide.starter.answer import completed, disputed, misfit
from trunkline.guide.starter.lines import scalar
from trunkline.guide.starter.questions import QUESTIONS
from trunkline.site.load import load

Output = pytest.CaptureFixture[str]
ARCHITECTURES = ("bvpn", "bvpn-rainbow", "internet-a", "internet-b")
SITES = "Quimper, Brest: centre"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "site.yaml"


def checked(file: Path, *words: str) -> None:
    """The file is clean, and an editor's schema takes it."""
    assert main(["check", str(file)]) == 0
    tree = yaml.load(file.read_text("utf-8"), Loader=yaml.SafeLoader)
    tree["numbering"]["international_prefix"] = "00"
    assert [error.message for error in jsonschema.Draft7Validator(schema.schema()).iter_errors(tree)] == []
    text = file.read_text("utf-8")
    for word in words:
        assert word in text


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("sites", ["", SITES], ids=["one site", "remote sites"])
def test_each_architecture_in_each_language_comes_out_clean(
    file: Path, architecture: str, language: str, sites: str, capsys: Output
) -> None:
    answers = ["--answer", f"architecture={architecture}", "--answer", f"remote_sites={sites}"]
    assert main(["init", str(file), "--defaults", "--lang", language, *answers]) == 0
    checked(file, f"architecture: {architecture}", "numéro" if language == "fr" else "public number")
    site = load(file.read_text("utf-8"), "x").site
    assert site is not None
    assert [remote.label for remote in site.remote_sites] == (
        [] if not sites else ["Quimper", "Brest: centre"]
    )


@pytest.mark.parametrize("placement", ["front-end", "stand-alone"])
def test_a_powercpu_with_rainbow_comes_out_clean(file: Path, placement: str, capsys: Output) -> None:
    answers = ("architecture=bvpn-rainbow", "product=PowerCPU", f"webrtc={placement}")
    assert main(["init", str(file), "--defaults", *(word for a in answers for word in ("--answer", a))]) == 0
    checked(file, f"placement: {placement}")


class Person:
    """Somebody at a terminal: types what is asked for when it is asked."""

    def __init__(self, file: Path, *words: str) -> None:
        self.end, theirs = pty.openpty()
        command = [sys.executable, "-m", "trunkline", "init", str(file), *words]
        self.child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
        os.close(theirs)
        self.seen = ""

    def reads(self) -> str:
        """All that is shown until the next question waits, or until the end."""
        shown = ""
        while not shown.endswith("] > "):
            try:
                piece = os.read(self.end, 4096).decode("utf-8", "replace")
            except OSError:  # the other end is closed: the program has ended
                break
            if not piece:
                break
            shown += piece
        self.seen += shown
        return shown

    def types(self, *answers: str) -> str:
        """Give answers one after the other; returns what is shown after the last."""
        shown = ""
        for answer in answers:
            os.write(self.end, f"{answer}\n".encode())
            shown = self.reads()
        return shown

    def leaves(self) -> int:
        return self.child.wait(timeout=60)


@pytest.fixture
def sits_down(file: Path) -> Iterator[Callable[..., Person]]:
    """Starts `trunkline init` for a person; whatever happens, it ends with the test."""
    people: list[Person] = []

    def start(*words: str) -> Person:
        people.append(Person(file, *words))
        return people[-1]

    yield start
    for person in people:
        person.child.kill()
        person.child.wait()
        os.close(person.end)


def test_a_person_answers_and_is_told_at_once_what_is_wrong(
    file: Path, sits_down: Callable[..., Person], capsys: Output
) -> None:
    person = sits_down("--lang", "en")
    assert "Customer" in person.reads()
    assert "internet-a" in person.types('Dupont & Fils: "Le Phare" #1')
    assert "none of the values" in person.types("7")
    assert "Software load" in person.types("3")  # by its number
    assert "eth0" in person.types("")
    assert "write the address alone: 192.0.2.0" in person.types("192.0.2.0/24")
    assert "Public address" in person.types("192.0.2.20")
    shown = person.types("10.1.1.1")
    assert "private address" in shown
    assert "the same answer again keeps it" in shown
    assert "Public name" in person.types("192.0.2.140")
    assert "is an address; a name belongs here" in person.types("192.0.2.140")
    shown = person.types("pbx.dupont.example", "198.51.100.53, 198.51.100.54", "", "", "8")
    assert "Country code" in shown
    shown = person.types("33", "+33 1 99 00 20 10", "")
    assert "[0] > " in shown
    assert "SITE-34" in person.types("0", "3", "01")  # an extension that begins with the outside prefix
    assert "Remote sites" in person.types("701")
    assert "trunkline check" in person.types("")
    assert person.leaves() == 0
    checked(
        file, "domain_name: pbx.dupont.example", "  - 198.51.100.54", "+33 1 99 00 20 11", "extension: 703"
    )
    site = load(file.read_text("utf-8"), "x").site
    assert site is not None
    assert site.customer == 'Dupont & Fils: "Le Phare" #1'


def test_a_person_may_keep_what_the_rules_dispute_and_the_end_says_so(
    file: Path, sits_down: Callable[..., Person]
) -> None:
    person = sits_down("--lang", "fr")
    person.reads()
    person.types("", "internet-a", "", "")
    assert "INET-2b" in person.types("10.1.1.1")
    shown = person.types("10.1.1.1")
    assert "INET-2b" not in shown
    shown = person.types(*[""] * 12)
    assert "INET-2b" in shown
    assert "OBLIGATOIRE" in shown
    assert person.leaves() == 1
    assert file.exists()


def test_whoever_gives_up_writes_nothing(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trunkline", "init", str(file)],
        input="Dupont\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not file.exists()


def test_a_file_is_never_written_over(file: Path, capsys: Output) -> None:
    file.write_text("mine\n")
    assert main(["init", str(file), "--defaults"]) == 2
    assert file.read_text() == "mine\n"
    assert main(["init", str(file.parent / "none" / "site.yaml"), "--defaults"]) == 2
    assert "none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("colour=red", "KEY one of customer"),
        ("customer", "KEY=VALUE"),
        ("channels=0", "channels: '0' is out of range; write at least 1"),
        ("phones=201", "more than 200"),
        ("dns=", "dns: is empty"),
        ("dns=192.0.2.1,x", "dns: 'x' is no IP address"),
        ("ranges=12", "ranges: '12' is no full number"),
        ("dmz_address=10.0.0.1", "not asked with architecture bvpn"),
        ("country=32", "installation_number: is empty"),
        (f"remote_sites={','.join(map(str, range(21)))}", "more than 20"),
    ],
)
def test_an_answer_of_a_script_is_refused_with_its_mend(
    file: Path, word: str, says: str, capsys: Output
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["init", str(file), "--defaults", "--answer", word, "--lang", "en"])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
    assert not file.exists()


def test_another_country_and_no_outside_prefix_can_be_written(file: Path, capsys: Output) -> None:
    answers = ("country=32", "installation_number=+32 2 555 12 00", "outside_prefix=", "first_extension=70")
    words = [word for answer in answers for word in ("--answer", answer)]
    assert main(["init", str(file), "--defaults", *words]) == 0
    checked(file, "country: 32", 'outside_prefix: ""', "national_length: 8", "ddi: +3225551201")


def test_json_tells_a_script_what_was_written_and_found(file: Path, capsys: Output) -> None:
    words = ["--answer", "architecture=internet-a", "--answer", "public_address=10.1.1.1", "--lang", "en"]
    assert main(["init", str(file), "--defaults", "--json", *words]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["file"], report["exit"]) == (str(file), 1)
    assert "INET-2b" in {found["rule"] for found in report["findings"]}


def test_the_questions_are_listed_with_their_keys(capsys: Output) -> None:
    assert main(["init", "--questions"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        one.key for one in QUESTIONS
    ]


def test_every_default_is_one_that_its_question_takes() -> None:
    (facts,) = shipped().values()
    for architecture in ARCHITECTURES:
        full = completed({"architecture": architecture}, facts)
        for question in QUESTIONS:
            if question.key in full:
                assert misfit(question, full[question.key]) is None, (architecture, question.key)
        assert disputed(full, facts) == ()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Dupont & Fils",
            "a: b",
            "a #b",
            "- x",
            "'x",
            '"x"',
            "*31",
            "yes",
            "null",
            "[x]",
            "{x}",
            "x:",
            "%x",
        ),
        *("@x", "é\u00a0!", "|", "> x", "+33 1 99 00 10 00 - +33 1 99 00 10 49", "", " x", "x ", "?", "? x"),
        *("0", "Exemple SARL, Rennes", "!x", "&x", "`x"),
    ],
)
def test_any_word_is_written_so_that_yaml_reads_it_back(text: str) -> None:
    assert yaml.load(f"key: {scalar(text)} # comment\n", Loader=yaml.BaseLoader) == {"key": text}
    assert yaml.load(f"- {scalar(text)}\n", Loader=yaml.BaseLoader) == [text]
