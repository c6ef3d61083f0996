"""The folder generated files go to: whole files, and nobody else's touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trunkline.cli.folder import MANIFEST, Foreign, write


def test_files_appear_with_a_manifest_of_them(tmp_path: Path) -> None:
    written = write(tmp_path / "new", {"a.txt": "é\n", "sub/b.txt": "b"})
    assert (written.new, written.same, written.left) == (("a.txt", "sub/b.txt"), (), ())
    assert (tmp_path / "new" / "a.txt").read_bytes() == "é\n".encode()
    assert set(json.loads((tmp_path / "new" / MANIFEST).read_text())["files"]) == {"a.txt", "sub/b.txt"}
    assert not list(tmp_path.rglob("*.part"))


def test_ours_are_replaced_the_same_is_left_alone_and_what_is_over_is_told_not_deleted(
    tmp_path: Path,
) -> None:
    write(tmp_path, {"a": "1", "b": "1", "c": "1"})
    written = write(tmp_path, {"a": "2", "b": "1"})
    assert (written.new, written.same, written.left) == (("a",), ("b",), ("c",))
    assert write(tmp_path, {"a": "2"}).left == ("b", "c")
    assert (tmp_path / "c").read_text() == "1"


def test_what_somebody_else_made_is_not_overwritten_and_then_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    with pytest.raises(Foreign) as refused:
        write(tmp_path, {"a": "1", "b": "1"})
    assert refused.value.paths == (tmp_path / "b",)
    assert not (tmp_path / "a").exists()
    write(tmp_path, {"b": "mine"})  # the same content is nobody's loss


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (inside / "sub").symlink_to(outside)
    (outside / "x").write_text("mine")
    (inside / "x").symlink_to(outside / "x")
    for name in ("sub/a", "x"):
        with pytest.raises(Foreign):
            write(inside, {name: "1"})
    assert (outside / "x").read_text() == "mine"
    assert not (outside / "a").exists()


def test_a_manifest_that_names_files_elsewhere_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    inside = tmp_path / "inside"
    write(inside, {"a": "1"})
    (inside / MANIFEST).write_text(json.dumps({"files": {"../mine": "", "a": ""}}))
    assert write(inside, {"b": "1"}).left == ("a",)


@pytest.mark.parametrize("text", ["", "[]", '{"files": 3}', "{}", "\udcff"])
def test_a_manifest_that_is_not_ours_stops_the_writing(text: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Foreign):
        write(tmp_path, {"a": "1"})
    assert not (tmp_path / "a").exists()
