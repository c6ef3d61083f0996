"""An answer judged at once: by the check of its own key, then by the rules, as part of the whole file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from trunkline.finding import Finding, Level, Wording, said
from trunkline.guide.catalogue import judge
from trunkline.guide.facts import Facts
from trunkline.guide.starter.questions import PHONES_MAX, QUESTIONS, SITES_MAX, Answers, Question
from trunkline.guide.starter.sheet import written
from trunkline.site.explain import explained, fields, section_at
from trunkline.site.load import load


def completed(answers: Answers, facts: Facts) -> dict[str, str]:
    """The answers to every question that is asked with them: those given, else the defaults."""
    full: dict[str, str] = {}
    for question in QUESTIONS:
        if question.when(full):
            default = question.default(full, facts)
            full[question.key] = answers.get(question.key, default)
        elif question.key == "product":
            full["product"] = "OCE"  # over the internet nothing else is certified (INET-1)
    return full


def words(question: Question, answer: str) -> list[str]:
    """The parts of an answer that may have several."""
    return [word.strip() for word in answer.split(",") if word.strip()] if question.many else [answer]


def misfit(question: Question, answer: str) -> tuple[str, str] | None:
    """What is wrong with an answer by itself, and how to mend it; None for nothing."""
    if not words(question, answer) or not answer.strip():
        return (
            None
            if question.optional
            else (said("is empty", "est vide"), said("write a value", "écrivez une valeur"))
        )
    if question.key == "remote_sites" and len(words(question, answer)) > SITES_MAX:
        return _many(SITES_MAX)
    if question.key == "phones" and answer.isdecimal() and int(answer) > PHONES_MAX:
        return _many(PHONES_MAX)
    *_, key = question.path
    field = fields(section_at(question.path[:-1]) or _nowhere(question))[str(key)]
    listed = str(field.annotation).startswith("tuple")
    plain: Any = field.annotation
    kind: Any = TypeAdapter(Annotated[(plain, *field.metadata)] if field.metadata else plain)
    try:
        for value in [words(question, answer)] if listed else words(question, answer):
            kind.validate_python(value)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            problem["loc"] = (*question.path, *problem["loc"])
            for _, _, says, mend in explained([problem], None):
                return says, mend
    return None


def disputed(answers: Answers, facts: Facts) -> tuple[Finding, ...]:
    """What the rules say of the file that these answers make, notes aside; nothing while one is missing."""
    full = completed(answers, facts)
    if any(misfit(question, full[question.key]) for question in QUESTIONS if question.key in full):
        return ()
    loaded = load(written(full, facts, "en"), "site.yaml")
    return tuple(found for found in (*loaded.findings, *judge(loaded)) if found.level is not Level.NOTE)


def _many(most: int) -> tuple[Wording, Wording]:
    return (
        said("more than {most}", "plus de {most}", most=most),
        said("write the others into the file afterwards", "écrivez les autres dans le fichier ensuite"),
    )


def _nowhere(question: Question) -> Any:
    raise LookupError(f"{question.key}: no section of the model at {question.path}")
