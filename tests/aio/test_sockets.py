"""Where a running part is asked: one socket a file, in a folder that is its user's alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from trunkline.aio.sockets import NoFolder, control_path, folder


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A runtime folder with a path short enough for sockets."""
    with TemporaryDirectory(prefix="t") as short:
        yield Path(short)


def test_the_folder_is_made_for_its_user_alone(tmp_path: Path) -> None:
    place = folder({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert place == tmp_path / "trunkline"
    assert place.stat().st_mode & 0o777 == 0o700
    assert folder({"XDG_RUNTIME_DIR": str(tmp_path)}) == place


def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trunkline").mkdir(mode=0o755)
    (tmp_path / "trunkline").chmod(0o755)
    with pytest.raises(NoFolder, match="not a folder of yours alone"):
        folder({"XDG_RUNTIME_DIR": str(tmp_path)})


def test_a_link_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (tmp_path / "trunkline").symlink_to(elsewhere)
    with pytest.raises(NoFolder, match="not a folder of yours alone"):
        folder({"XDG_RUNTIME_DIR": str(tmp_path)})


def test_a_runtime_folder_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoFolder, match="--socket"):
        folder({"XDG_RUNTIME_DIR": str(tmp_path / "missing")})


def test_without_a_runtime_folder_it_stands_in_tmp_under_the_users_id() -> None:
    assert folder({}).name.startswith("trunkline-")


def test_a_file_has_one_socket_however_its_path_is_written(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    whole = control_path(str(tmp_path / "a" / "site.yaml"), environ=environ)
    assert control_path("site.yaml", environ=environ) == whole
    assert control_path("../a/site.yaml", environ=environ) == whole
    assert control_path("../site.yaml", environ=environ) != whole
    assert control_path("site.yaml", "nominal", environ) != whole


def test_labels_that_look_alike_in_a_path_have_their_own_sockets(runtime: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    assert control_path("s.yaml", "a/b", environ) != control_path("s.yaml", "a b", environ)


def test_a_label_never_leads_out_of_the_folder(runtime: Path) -> None:
    place = control_path("site.yaml", "../étc/x", {"XDG_RUNTIME_DIR": str(runtime)})
    assert place.parent == runtime / "trunkline"
    assert place.name.startswith("site-____tc_x-")


def test_a_path_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    with pytest.raises(NoFolder, match="too long"):
        control_path("site.yaml", environ={"XDG_RUNTIME_DIR": str(deep)})
