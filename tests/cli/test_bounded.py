"""The one reader of files that a site or a command line names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trunkline.cli.bounded import Unread, contents
from trunkline.finding import told


def test_a_file_is_read_whole_up_to_its_bound(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert contents(file, 5) == b"12345"
    with pytest.raises(Unread, match="it has over 4 bytes") as wrong:
        contents(file, 4)
    assert (wrong.value.long, wrong.value.absent) == (True, False)
    assert told(wrong.value.why, "fr") == "il a plus de 4 octets"
    assert contents(file, 3, whole=False) == b"1234"


def test_what_is_no_file_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, why, absent in (
        ("none", "No such file or directory", True),
        ("nul\0", "embedded null byte", False),
        ("x" * 300, "File name too long", False),
        ("pipe", "it is no file", False),
        (".", "it is no file", False),
    ):
        with pytest.raises(Unread, match=why) as wrong:
            contents(tmp_path / name, 10)
        assert (wrong.value.absent, wrong.value.long) == (absent, False)
    with pytest.raises(Unread, match="Is a directory"):
        contents(tmp_path, 10, waits=True)
