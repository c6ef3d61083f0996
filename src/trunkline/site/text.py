"""YAML text as a tree of words with places, and nothing that YAML would guess.

Every scalar stays the `str` that was written: `+33...`, `0110...`, `no` and `22:22` are
words, and only the model says which of them is a number. Duplicate keys, aliases,
anchors and tags are findings with a place, not silence; an alias is never followed, so
a file cannot grow in memory. What no tree can be made of raises `UnreadableYaml`.
Bounds: 1 MB of text, 50,000 values, 32 levels.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import yaml

from trunkline.finding import Finding, Level, ParseError, Wording, said

BYTES_MAX: Final = 1_000_000
NODES_MAX: Final = 50_000
DEPTH_MAX: Final = 32

Path = tuple[str | int, ...]
Value = str | list["Value"] | dict[str, "Value"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it is: 8 times as fast
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # YAML 5.1
SOURCE: Final = said("site file", "fichier de site")
_TOO_BIG: Final = (
    said("the file is over {most} bytes", "le fichier dépasse {most} octets", most=BYTES_MAX),
    said("keep one customer's site in one file", "un fichier par site de client suffit"),
)
_REFERENCE_IN_BRACES = re.compile(r"[{\[,].*\$\{")


class UnreadableYaml(ParseError):
    """Text that is no YAML, or beyond the bounds; `finding` says what, where and how to mend it."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(f"line {finding.line}", finding.says, finding.mend)


class Place(NamedTuple):
    """Where a value stands and where its key stands (the same in a list), both from 1."""

    line: int
    column: int
    key_line: int
    key_column: int


@dataclass(slots=True)
class Tree:
    """What was read: the root value, every path's place, findings so far.

    `broken` are the paths whose value could not be taken as written: what the model
    says about them would only repeat the finding that is there.
    """

    root: Value | None = None
    places: dict[Path, Place] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)

    def find(self, rule: str, path: Path, says: Wording, mend: Wording, at: tuple[int, int]) -> None:
        """Add a MUST finding at a line and column."""
        self.findings.append(Finding(rule, Level.MUST, dotted(path), says, mend, SOURCE, *at))


def dotted(path: Path) -> str:
    """A path as findings write it: `trunk.gateways.0.media.bandwidth`; a key's own control characters go."""
    return ".".join(_word(str(part)) for part in path)


def inside(path: Path, paths: Set[Path]) -> bool:
    """True if a path or one around it is among `paths`."""
    return any(path[:depth] in paths for depth in range(len(path) + 1))


def _word(text: str) -> str:
    return _UNPRINTABLE.sub("?", " ".join((text if len(text) <= 60 else text[:57] + "...").split()))


def unreadable(says: Wording, mend: Wording, line: int = 1, column: int = 1) -> UnreadableYaml:
    """The error for text that no tree can be made of."""
    return UnreadableYaml(Finding("SITE-1", Level.MUST, "", says, mend, SOURCE, line, column))


def decode(data: bytes) -> str:
    """The bytes of a site file as text; UnreadableYaml unless they are UTF-8 and at most 1 MB."""
    if len(data) > BYTES_MAX:
        raise unreadable(*_TOO_BIG)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        says = said("the file is not UTF-8", "le fichier n'est pas en UTF-8")
        mend = said(
            "save the file as UTF-8 (in Notepad: Save as, Encoding)",
            "enregistrez le fichier en UTF-8 (dans le Bloc-notes : Enregistrer sous, Encodage)",
        )
        raise unreadable(says, mend, *_position(before, len(before))) from None


def _position(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


def read(text: str) -> Tree:
    """The tree of a text. Raises UnreadableYaml for text that is no YAML or beyond the bounds."""
    if len(text) > BYTES_MAX:
        raise unreadable(*_TOO_BIG)
    tree = Tree()
    if text.startswith("\ufeff"):
        text = text[1:]
        says = said(
            "the file begins with a byte order mark (BOM)",
            "le fichier commence par une marque d'ordre des octets (BOM)",
        )
        mend = said(
            "save it as UTF-8 without BOM; it is read all the same",
            "enregistrez-le en UTF-8 sans BOM ; il est lu quand même",
        )
        tree.findings.append(Finding("SITE-8", Level.NOTE, "", says, mend, SOURCE, 1, 1))
    if odd := _UNPRINTABLE.search(text):
        says = said(
            "the character U+{code} may not stand in YAML",
            "le caractère U+{code} est interdit en YAML",
            code=f"{ord(odd[0]):04X}",
        )
        raise unreadable(says, said("delete it", "supprimez-le"), *_position(text, odd.start()))
    try:
        _Walk(tree).events(text)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text) from None
    except yaml.YAMLError as error:
        raise unreadable(
            said("not readable as YAML: {error}", "illisible en YAML : {error}", error=str(error)),
            said("check the file's encoding", "vérifiez l'encodage du fichier"),
        ) from None
    return tree


class _Frame:
    """One open list or mapping; `key` is the mapping's key that waits for its value."""

    __slots__ = ("container", "key", "key_at", "lost", "path")

    def __init__(self, container: list[Value] | dict[str, Value], path: Path) -> None:
        self.container, self.path = container, path
        self.key: str | None = None
        self.key_at = (0, 0)
        self.lost = False  # the value that comes has no key to stand under


class _Walk:
    """Turns the parser's events into a tree, level by level, without recursion."""

    def __init__(self, tree: Tree) -> None:
        self.tree, self.stack, self.nodes, self.documents = tree, list[_Frame](), 0, 0

    def events(self, text: str) -> None:
        for event in yaml.parse(text, Loader=_LOADER):
            mark = event.start_mark
            at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            if isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    says = said("a second document begins here", "un second document commence ici")
                    mend = said(
                        "delete the --- line and what follows it",
                        "supprimez la ligne --- et ce qui la suit",
                    )
                    self.tree.find("SITE-6", (), says, mend, at)
                    return
            elif isinstance(event, yaml.NodeEvent):
                self.node(event, at)
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                self.stack.pop()

    def node(self, event: yaml.NodeEvent, at: tuple[int, int]) -> None:
        self.nodes += 1
        if self.nodes > NODES_MAX:
            says = said("over {most} values", "plus de {most} valeurs", most=NODES_MAX)
            raise unreadable(says, _TOO_BIG[1], *at)
        if len(self.stack) >= DEPTH_MAX:
            says = said("over {most} levels deep", "plus de {most} niveaux", most=DEPTH_MAX)
            mend = said("check brackets and indentation", "vérifiez les crochets et les retraits")
            raise unreadable(says, mend, *at)
        key_expected = bool(self.stack) and self.awaits_key(self.stack[-1])
        if isinstance(event, yaml.ScalarEvent):
            self.features(event, at)
            if key_expected:
                self.key(event.value, at)
            else:
                self.put(event.value, at)
        elif isinstance(event, yaml.AliasEvent):
            path = self.put_key_less(at) if key_expected else self.put("", at)
            says = said(
                "a word that begins with * is a YAML alias; a site file has none",
                "un mot qui commence par * est un alias YAML ; un fichier de site n'en a pas",
            )
            mend = said(
                'put the word in quotes, as "*31"; if an alias was meant, write the value out',
                'mettez le mot entre guillemets, comme "*31" ; si vous vouliez un alias, écrivez la valeur',
            )
            self.tree.find("SITE-6", path, says, mend, at)
            self.tree.broken.add(path)
        else:
            self.features(event, at)
            container: list[Value] | dict[str, Value]
            container = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            if key_expected:
                path = self.put_key_less(at)
                says = said("a list or mapping stands as a key", "une liste ou une section sert de clé")
                self.tree.find(
                    "SITE-6", path, says, said("write a word as key", "la clé doit être un mot"), at
                )
            else:
                path = self.put(container, at)
            self.stack.append(_Frame(container, path))

    @staticmethod
    def awaits_key(frame: _Frame) -> bool:
        return isinstance(frame.container, dict) and frame.key is None and not frame.lost

    def features(self, event: yaml.NodeEvent, at: tuple[int, int]) -> None:
        """Tags and anchors: read over, and told."""
        frame = self.stack[-1] if self.stack else None
        path = (*frame.path, *filter(None, [frame.key])) if frame else ()
        quotes = said(
            "put the whole value in quotes, or delete that first word",
            "mettez toute la valeur entre guillemets, ou supprimez ce premier mot",
        )
        if event.anchor is not None:
            says = said(
                "a word that begins with & is a YAML anchor; a site file has none",
                "un mot qui commence par & est une ancre YAML ; un fichier de site n'en a pas",
            )
            self.tree.find("SITE-6", path, says, quotes, at)
        if getattr(event, "tag", None) is not None:
            says = said(
                "a word that begins with ! is a YAML tag; a site file has none",
                "un mot qui commence par ! est une étiquette YAML ; un fichier de site n'en a pas",
            )
            self.tree.find("SITE-6", path, says, quotes, at)

    def key(self, word: str, at: tuple[int, int]) -> None:
        frame = self.stack[-1]
        if word in frame.container:
            first = self.tree.places[(*frame.path, word)]
            says = said(
                "stands twice; first on line {line}",
                "figure deux fois ; la première à la ligne {line}",
                line=first.key_line,
            )
            mend = said("delete one of the two", "supprimez l'une des deux")
            self.tree.find("SITE-2", (*frame.path, word), says, mend, at)
            frame.lost = True
        else:
            frame.key, frame.key_at = word, at

    def put_key_less(self, at: tuple[int, int]) -> Path:
        """Something that cannot be a key stands where one belongs: what follows it is lost."""
        self.stack[-1].lost = True
        return (*self.stack[-1].path, "?")

    def put(self, value: Value, at: tuple[int, int]) -> Path:
        """Put a value under its key, at the list's end, or at the root."""
        if not self.stack:
            self.tree.root = value
            self.tree.places[()] = Place(*at, *at)
            return ()
        frame = self.stack[-1]
        if isinstance(frame.container, list):
            path = (*frame.path, len(frame.container))
            frame.container.append(value)
            place = Place(*at, *at)
        elif frame.key is None:
            frame.lost = False
            return (*frame.path, "?")
        else:
            path = (*frame.path, frame.key)
            frame.container[frame.key] = value
            frame.key, place = None, Place(*at, *frame.key_at)
        self.tree.places.setdefault(path, place)
        return path


def _syntax(error: yaml.MarkedYAMLError, text: str) -> UnreadableYaml:
    """The parser's complaint, at its place, with the mend that people most often need there."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.split("\n")
    here = lines[line - 1] if line <= len(lines) else ""
    indent = here[: len(here) - len(here.lstrip())]
    problem = (error.problem or "not readable").replace("found ", "", 1)
    if "\t" in indent or here[column - 1 : column] == "\t":
        says = said(
            "a tab stands here; YAML indents with spaces",
            "il y a ici une tabulation ; les retraits YAML se font avec des espaces",
        )
        mend = said("replace the tab by spaces", "remplacez la tabulation par des espaces")
    elif _REFERENCE_IN_BRACES.search(here):
        says = said(
            "a reference stands bare between braces", "une référence figure sans guillemets entre accolades"
        )
        mend = said('put it in quotes: "${{env:NAME}}"', 'mettez-la entre guillemets : "${{env:NOM}}"')
    elif here.lstrip()[:1] in ("%", "@", "`") or "cannot start any token" in problem:
        says = said(
            "a word begins with a character that YAML keeps for itself",
            "un mot commence par un caractère que YAML se réserve",
        )
        mend = said("put the word in quotes", "mettez le mot entre guillemets")
    elif "mapping values" in problem:
        says = said(
            "a colon stands where none can, or the line above lacks its own",
            "un deux-points figure là où il ne peut pas, ou il manque à la ligne du dessus",
        )
        mend = said(
            "one `key: value` a line; put a value that holds ': ' in quotes",
            "un `clé: valeur` par ligne ; mettez entre guillemets une valeur qui contient ': '",
        )
    elif "quoted scalar" in (error.context or ""):
        start = error.context_mark.line + 1 if error.context_mark else line
        says = said(
            "the quote that opens on line {start} does not close",
            "le guillemet ouvert à la ligne {start} n'est pas fermé",
            start=start,
        )
        mend = said("close it on the same line", "fermez-le sur la même ligne")
    else:
        context = f" {error.context}" if error.context else ""
        says = said(
            "not readable as YAML: {problem}",
            "illisible en YAML : {problem}",
            problem=problem + context,
        )
        mend = said(
            "check the indentation and the brackets of this line and the one above",
            "vérifiez les retraits et les crochets de cette ligne et de celle du dessus",
        )
    return unreadable(says, mend, line, column)
