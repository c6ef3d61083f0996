"""A folder that generated files are written to, each whole; nothing of anybody else's is touched."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from trunkline.aio.files import replace_text

MANIFEST: Final = "manifest.json"
_MANIFEST_MAX: Final = 1_000_000
_RIGHTS: Final = 0o666  # less what the umask takes


class Foreign(Exception):
    """Where a file should go stands something that was not written by us."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(paths)
        super().__init__(", ".join(map(str, self.paths)))


class Written(NamedTuple):
    """What became of the files: `left` are ours from an earlier time that nobody asked for now."""

    new: tuple[str, ...]
    same: tuple[str, ...]
    left: tuple[str, ...]


def write(folder: Path, texts: Mapping[str, str]) -> Written:
    """Write each text under its name, and a manifest of them, so that the next time ours are known.

    Nothing is deleted. Raises Foreign before anything is written, and OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ours = _manifest(folder)
    foreign = [folder / name for name, text in texts.items() if _foreign(folder, name, text, ours)]
    if foreign:
        raise Foreign(foreign)
    new, same = [], []
    for name, text in texts.items():
        place = folder / name
        if place.is_file() and place.read_bytes() == text.encode():
            same.append(name)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_text(place, text, _RIGHTS, lasting=False)
        new.append(name)
    left = tuple(sorted(name for name in ours if name not in texts and _inside(folder, folder / name)))
    sums = {name: _sum(text) for name, text in texts.items()} | {name: ours[name] for name in left}
    manifest = json.dumps({"made by": "trunkline plan", "files": sums}, indent=1, sort_keys=True) + "\n"
    replace_text(folder / MANIFEST, manifest, _RIGHTS, lasting=False)
    return Written(tuple(new), tuple(same), left)


def _inside(folder: Path, place: Path) -> bool:
    """Whether a file of that name stands in the folder itself: a manifest may say anything."""
    return place.is_file() and place.resolve().is_relative_to(folder.resolve())


def _foreign(folder: Path, name: str, text: str, ours: Mapping[str, str]) -> bool:
    """Whether writing there would go outside the folder, or over what somebody else made."""
    place = folder / name
    if not place.parent.resolve().is_relative_to(folder.resolve()) or place.is_symlink() or place.is_dir():
        return True
    return place.exists() and name not in ours and place.read_bytes() != text.encode()


def _manifest(folder: Path) -> Mapping[str, str]:
    """The files written before, with their sums; nothing where the manifest is not one of ours."""
    place = folder / MANIFEST
    if not os.path.lexists(place):
        return {}
    if place.is_symlink() or not place.is_file() or place.stat().st_size > _MANIFEST_MAX:
        raise Foreign([place])
    try:
        files = json.loads(place.read_text("utf-8"))["files"]
        return {str(name): str(value) for name, value in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Foreign([place]) from None


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
