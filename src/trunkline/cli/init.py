"""Ask the few questions that matter and write a commented site file.

Each answer is checked at once, and what is wrong with it is said with how to mend it;
Enter takes the answer in brackets. An answer that the rules dispute is taken when it is
given twice. A file that exists is never written over.

For scripts: --defaults asks nothing, --answer KEY=VALUE answers one question (the keys
are listed by --questions).

Exit codes: 0 written, and clean; 1 written, with findings, or given up; 2 wrong use, or
the file exists."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from trunkline.cli.language import lang_argument
from trunkline.cli.sitefile import EXIT_FINDINGS, EXIT_GOOD, EXIT_UNREADABLE, lines
from trunkline.finding import Finding, Language, Wording, said, told
from trunkline.guide.facts import Facts, shipped
from trunkline.guide.starter.answer import completed, disputed, misfit
from trunkline.guide.starter.questions import QUESTIONS, Question
from trunkline.guide.starter.sheet import written


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("file", metavar="FILE", nargs="?", default="site.yaml", help="default site.yaml")
    parser.add_argument("--defaults", action="store_true", help="ask nothing: take every default")
    parser.add_argument(
        "--answer", metavar="KEY=VALUE", action="append", default=[], help="answer a question"
    )
    parser.add_argument("--questions", action="store_true", help="list the questions with their keys")
    lang_argument(parser)


class _GivenUp(Exception):
    """The input has ended before the questions have."""


class _Misfit(Exception):
    """An answer of the command line cannot be taken."""


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code. Wrong use ends with SystemExit(2)."""
    spoken: Language = given.lang
    if given.questions:
        width = max(len(question.key) for question in QUESTIONS)
        print("\n".join(f"{question.key:{width}}  {told(question.asks, spoken)}" for question in QUESTIONS))
        return EXIT_GOOD
    facts = next(iter(shipped().values()))
    if os.path.lexists(given.file):
        return _refuse(
            given.file,
            said("exists already; name another file", "existe déjà ; nommez un autre fichier"),
            spoken,
        )
    try:
        answers = _answers(given, facts, spoken)
    except _Misfit as error:
        print(error, file=sys.stderr)
        raise SystemExit(EXIT_UNREADABLE) from None
    except _GivenUp:
        print(told(said("\nnothing was written", "\nrien n'a été écrit"), spoken), file=sys.stderr)
        return EXIT_FINDINGS
    try:
        with Path(given.file).open("x", encoding="utf-8") as out:
            out.write(written(answers, facts, spoken))
    except OSError as error:
        return _refuse(given.file, str(error.strerror), spoken)
    return _end(given, disputed(answers, facts), spoken)


def _refuse(file: str, says: str, spoken: Language) -> int:
    print(f"{file}: {told(says, spoken)}", file=sys.stderr)
    return EXIT_UNREADABLE


def _end(given: Namespace, findings: tuple[Finding, ...], spoken: Language) -> int:
    """Say what was written and what the rules make of it."""
    code = EXIT_FINDINGS if findings else EXIT_GOOD
    if given.json:
        report = {
            "file": given.file,
            "exit": code,
            "findings": [asdict(found.told(spoken)) for found in findings],
        }
        print(json.dumps(report, indent=2, ensure_ascii=False))
        return code
    print("".join(f"{line}\n" for line in lines(given.file, findings, spoken)), end="")
    print(told(said("written: {file}", "écrit : {file}", file=given.file), spoken))
    print(
        told(
            said("next: trunkline check {file}", "ensuite : trunkline check {file}", file=given.file), spoken
        )
    )
    return code


def _answers(given: Namespace, facts: Facts, spoken: Language) -> dict[str, str]:
    """Each question's answer: of the command line, the default, the user's. Raises _Misfit, _GivenUp."""
    words = dict(_word(word, spoken) for word in given.answer)
    answers: dict[str, str] = {}
    for question in QUESTIONS:
        full = completed(answers, facts)
        if question.key not in full or not question.when(full):
            if words.get(question.key, full.get(question.key)) != full.get(question.key):
                raise _Misfit(told(_not_asked(question, full["architecture"]), spoken))
            continue
        if question.key in words or given.defaults:
            answer = words.get(question.key, full[question.key])
            if wrong := misfit(question, answer):
                raise _Misfit(f"{question.key}: {told(wrong[0], spoken)}; {told(wrong[1], spoken)}")
            answers[question.key] = answer
        else:
            answers[question.key] = _asked(question, answers, facts, spoken)
    return completed(answers, facts)


def _word(word: str, spoken: Language) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    keys = [question.key for question in QUESTIONS]
    if not equals or key not in keys:
        says = said(
            "--answer {word}: write KEY=VALUE, KEY one of {keys}",
            "--answer {word} : écrivez CLÉ=VALEUR, CLÉ parmi {keys}",
            word=word,
            keys=", ".join(keys),
        )
        raise _Misfit(told(says, spoken))
    return key, value


def _not_asked(question: Question, architecture: str) -> Wording:
    return said(
        "{key} is not asked with architecture {architecture}",
        "{key} n'est pas demandé avec l'architecture {architecture}",
        key=question.key,
        architecture=architecture,
    )


def _asked(question: Question, answers: dict[str, str], facts: Facts, spoken: Language) -> str:
    """The user's answer to a question, once it can be taken. Raises _GivenUp."""
    default = completed(answers, facts)[question.key]
    print(f"\n{told(question.asks, spoken)}")
    width = max((len(choice) for choice, _ in question.choices), default=0)
    for number, (choice, says) in enumerate(question.choices, 1):
        print(f"  {number}  {choice:{width}}  {told(says, spoken)}")
    kept, refused = {_same(found) for found in disputed(answers, facts)}, ""
    while True:
        try:
            answer = input(f"[{default}] > ").strip() or default
        except (EOFError, UnicodeDecodeError):
            raise _GivenUp from None
        if answer.isdecimal() and 0 < int(answer[:3]) <= len(question.choices):
            answer = question.choices[int(answer[:3]) - 1][0]
        if wrong := misfit(question, answer):
            print(f"  {told(wrong[0], spoken)}\n  {told(wrong[1], spoken)}")
            continue
        found = [new for new in disputed({**answers, question.key: answer}, facts) if _same(new) not in kept]
        if not found or answer == refused:
            return answer
        refused = answer
        for finding in found:
            print(f"  {told(finding.says, spoken)}\n  {told(finding.mend, spoken)}  [{finding.rule}]")
        print(
            told(
                said("  the same answer again keeps it", "  la même réponse encore une fois la garde"), spoken
            )
        )


def _same(found: Finding) -> tuple[str, str]:
    """What tells one finding from another while the file grows: its rule and its key."""
    return found.rule, found.path
