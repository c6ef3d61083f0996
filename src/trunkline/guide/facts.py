"""What a carrier's guide says, each value written once, in `facts/<carrier>.toml`, with its section.

Rules, plan, carrier, prove and capture read the facts; none of them states a value of
the guide itself. A fact the guide leaves open reads "ask the carrier": its typed
readers refuse it, so nobody can take a guess for the guide's word.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from trunkline.finding import ParseError

ASK: Final = "ask the carrier"

Scalar = str | int | bool
FactValue = Scalar | tuple[Scalar, ...] | Mapping[str, int]

DEPTH_MAX: Final = 8  # levels of tables; the shipped guides have four

_FACT_KEYS = {"value", "section", "requirements", "note"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of the guide. `section` is the guide's ("-": the guide says nothing)."""

    key: str
    value: FactValue
    section: str
    requirements: tuple[str, ...] = ()
    note: str = ""

    @property
    def known(self) -> bool:
        """False where the guide leaves the value open."""
        return self.value != ASK


class Unknown(LookupError):
    """A fact was read that the guide leaves open, or that has another type."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One guide in one edition. Keys are dotted: `internet.sbc.nominal.name`."""

    name: str
    title: str
    carrier: str
    edition: str
    by_key: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def parse(cls, text: str) -> Facts:
        """Read a facts file. ParseError names the key that is wrong."""
        try:
            document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # ValueError: its own, and Python's for a giant number
            raise ParseError("facts", str(error), "expected TOML 1.0") from None
        if document.pop("schema", None) != 1:
            raise ParseError("schema", "", "expected schema = 1")
        name, title, carrier, edition = (
            _word(document, key) for key in ("name", "title", "carrier", "edition")
        )
        facts = {fact.key: fact for fact in _walk(document, "", DEPTH_MAX)}
        return cls(name, title, carrier, edition, MappingProxyType(facts))

    def check_kinds(self, like: Facts) -> None:
        """See that what `like` says too is said in the same form, or left open. Raises ParseError.

        Readers take each fact in one form; another guide's other form must not pass for
        a fact that the guide leaves open.
        """
        for key, fact in self.by_key.items():
            model = like.by_key.get(key)
            if model is None or not (fact.known and model.known):
                continue
            wanted = _kind(model.value)
            if _kind(fact.value) != wanted:
                raise ParseError(key, repr(fact.value), f"expected {wanted}")
            _check_shape(fact, model)

    def __getitem__(self, key: str) -> Fact:
        return self.by_key[key]

    def known(self, key: str) -> bool:
        """Whether the guide says this at all."""
        return key in self.by_key and self.by_key[key].known

    def open(self, key: str) -> bool:
        """Whether the guide speaks of this and leaves its value to the carrier."""
        return key in self.by_key and not self.by_key[key].known

    def under(self, prefix: str) -> tuple[Fact, ...]:
        """All facts of a group, in the file's order."""
        return tuple(fact for key, fact in self.by_key.items() if key.startswith(prefix + "."))

    def of(self, requirement: str) -> tuple[Fact, ...]:
        """All facts that a requirement rests on."""
        return tuple(fact for fact in self.by_key.values() if requirement in fact.requirements)

    # `otherwise` is what a reader gives where the guide does not say; without one it raises Unknown there.

    def text(self, key: str, otherwise: str | None = None) -> str:
        """A fact that is a word."""
        word: str = self._read(key, str, otherwise)
        return word

    def number(self, key: str, otherwise: int | None = None) -> int:
        """A fact that is a number."""
        number: int = self._read(key, int, otherwise)
        return number

    def flag(self, key: str) -> bool:
        """A fact that is true or false."""
        return bool(self._read(key, bool))

    def words(self, key: str, otherwise: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A fact that is a list of words."""
        return tuple(map(str, self._read(key, tuple, otherwise)))

    def numbers(self, key: str, otherwise: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """A fact that is a list of numbers."""
        return tuple(map(int, self._read(key, tuple, otherwise)))

    def counts(self, key: str) -> Mapping[str, int]:
        """A fact that is a row of a table."""
        row: Mapping[str, int] = self._read(key, MappingProxyType)
        return row

    def _read(self, key: str, kind: type, otherwise: Any = None) -> Any:
        if otherwise is not None and not self.known(key):
            return otherwise
        if key not in self.by_key:
            raise Unknown(f"{self.name}: {key}: the guide says nothing of it")
        value = self.by_key[key].value
        if value == ASK or type(value) is not kind:
            raise Unknown(f"{self.name}: {key}: {'the guide leaves it open' if value == ASK else value!r}")
        return value


def _word(document: dict[str, Any], key: str) -> str:
    word = document.pop(key, None)
    if not isinstance(word, str) or not word:
        raise ParseError(key, repr(word), "expected a word")
    return word


def _kind(value: FactValue) -> str:
    """The form of a value, in words."""
    if isinstance(value, tuple):
        return "a list of words" if any(isinstance(part, str) for part in value) else "a list of numbers"
    kinds: dict[type, str] = {str: "a word", bool: "true or false", int: "a number"}
    return kinds.get(type(value), "a row of numbers")


def _check_shape(fact: Fact, model: Fact) -> None:
    """What is read part by part has the parts, and what the site file has a word for is that word."""
    value, like = fact.value, model.value
    if isinstance(value, Mapping) and isinstance(like, Mapping) and set(value) != set(like):
        raise ParseError(fact.key, repr(dict(value)), f"expected the columns {', '.join(like)}")
    if fact.key in _WORDS and value not in _WORDS[fact.key]:
        raise ParseError(fact.key, repr(value), f"expected one of {', '.join(_WORDS[fact.key])}")
    if not isinstance(value, tuple) or not isinstance(like, tuple):
        return
    if fact.key.startswith(_ROWS) and len(value) != len(like):
        raise ParseError(fact.key, repr(value), f"expected {len(like)} parts")
    if fact.key.endswith("media_ports"):
        ports = [port for port in value if isinstance(port, int) and 0 < port < 1 << 16]
        if len(value) != 2 or len(ports) != 2 or ports[0] > ports[1]:
            raise ParseError(fact.key, repr(value), "expected the first and the last port")


# The words of the site file: what a rule compares a key with.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "internet.transport": ("udp", "tcp", "tls"),
    "internet.gateway_dns": ("none", "A", "SRV"),
    "internet.trunk_interface": ("eth0", "eth1"),
    "internet.name_interface": ("eth0", "eth1"),
}
# Read part by part: protocol, source, destination, port; a bulletin's number, English and French titles.
_ROWS: Final = (
    "internet.firewall.",
    *(
        "bulletins.interoperability",
        "bulletins.configuration",
        "bulletins.import_export",
        "bulletins.versions",
    ),
)


def _walk(group: Mapping[str, Any], prefix: str, depth: int) -> Iterator[Fact]:
    if not depth:
        raise ParseError(prefix[:80], "", f"expected {DEPTH_MAX} levels at most")
    for key, inner in group.items():
        here = f"{prefix}{key}"
        if not isinstance(inner, dict):
            raise ParseError(here, repr(inner), "expected a table with value and section")
        if "value" not in inner:
            yield from _walk(inner, here + ".", depth - 1)
            continue
        requirements = inner.get("requirements", [])
        if set(inner) - _FACT_KEYS or not isinstance(inner.get("section"), str):
            raise ParseError(here, repr(sorted(inner)), "expected value, section, requirements and note")
        if not isinstance(requirements, list) or not all(isinstance(word, str) for word in requirements):
            raise ParseError(here, repr(requirements), "expected a list of requirement ids")
        note = str(inner.get("note", ""))
        yield Fact(here, _value(here, inner["value"]), inner["section"], tuple(requirements), note)


def _value(key: str, value: object) -> FactValue:
    if isinstance(value, str | int):
        return value
    if isinstance(value, list) and value and all(isinstance(part, str | int) for part in value):
        return tuple(value)
    if isinstance(value, dict) and value and all(type(part) is int for part in value.values()):
        return MappingProxyType(value)
    raise ParseError(key, repr(value), "expected a word, a number, a list of them or a row of numbers")


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Facts]:
    """The guides that come with the product, by name."""
    return _folder("facts")


@lru_cache(maxsize=1)
def known_around() -> Mapping[str, Facts]:
    """What is known around the guides, by subject: a `section` names the source there, not a guide's."""
    return _folder("knowledge")


def _folder(name: str) -> Mapping[str, Facts]:
    folder = resources.files("trunkline.guide") / name
    files = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda e: e.name
    )
    held = [Facts.parse(entry.read_text("utf-8")) for entry in files]
    return MappingProxyType({facts.name: facts for facts in held})
