"""Call records on disk."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from trunkline.aio import clock
from trunkline.aio.store import RecordStore, kept
from trunkline.call.node import Log

Play = Callable[[Coroutine[Any, Any, None]], None]


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_records_of_one_turn_are_appended_with_civil_times(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"

    async def main() -> None:
        store = RecordStore(path)
        at = clock.now()
        store.write({"call": "1", "start": at, "answer": None, "seconds": 1.5})
        store.write({"call": "2", "start": at, "from": "\udcff é"})
        assert read(path) == []
        await asyncio.sleep(0)
        one, two = read(path)
        assert one == {"call": "1", "start": clock.civil_text(at), "answer": None, "seconds": 1.5}
        assert two["from"] == "\udcff é"
        store.write({"call": "3"})
        store.close()

    play(main())
    assert [record["call"] for record in read(path)] == ["1", "2", "3"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_moved_file_is_followed_by_a_new_one(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"

    async def main() -> None:
        store = RecordStore(path)
        store.write({"call": "1"})
        path.rename(tmp_path / "old")
        store.reopen()
        store.write({"call": "2"})
        store.close()

    play(main())
    assert read(tmp_path / "old") == [{"call": "1"}]
    assert read(path) == [{"call": "2"}]


def test_a_line_torn_by_a_crash_does_not_spoil_the_next(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text('{"call":"1"}\n{"call":"2","fro')

    async def main() -> None:
        store = RecordStore(path)
        store.write({"call": "3"})
        store.close()

    play(main())
    assert path.read_text() == '{"call":"1"}\n{"call":"2","fro\n{"call":"3"}\n'


def test_records_wait_for_a_disk_that_takes_none_and_it_is_said_once(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    logged: list[Log] = []

    async def main() -> None:
        store = RecordStore(path, log=logged.append)
        good, store._file = store._file, os.open("/dev/full", os.O_WRONLY)
        for number in range(3):
            store.write({"call": number})
            store.flush()
        assert [log.level for log in logged] == ["error"]
        assert "No space left" in logged[0].text
        os.close(store._file)
        store._file = good
        store.close()

    play(main())
    assert [record["call"] for record in read(path)] == [0, 1, 2]


def test_what_the_disk_took_half_is_written_on(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"

    async def main() -> None:
        store = RecordStore(path)
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        good, store._file = store._file, writing
        text = "x" * 200_000  # more than a pipe holds
        store.write({"call": text})
        store.flush()
        part = os.read(reading, 1 << 20)
        os.close(reading)
        os.close(writing)
        store._file = good
        store.close()
        assert 0 < len(part) < 200_000
        assert json.loads(part + path.read_bytes()) == {"call": text}

    play(main())


def line(start: str) -> str:
    return json.dumps({"start": start}) + "\n"


def test_only_what_is_young_enough_and_dated_is_kept() -> None:
    lines = [
        line("2026-01-01T00:00:00.000Z"),
        line("2026-01-02T00:00:00.000Z"),
        line("2026-01-03T00:00:00.000Z"),
        "torn\n",
        "[]\n",
        "{}\n",
        '{"start": 5}\n',
    ]
    assert list(kept(lines, "2026-01-02T00:00:00.000Z")) == lines[1:3]


@pytest.mark.parametrize("days", [0, 30])
def test_old_records_go_when_the_store_opens_and_their_room_with_them(
    play: Play, tmp_path: Path, days: int
) -> None:
    path = tmp_path / "records.jsonl"
    old, young = (line(clock.civil_text(clock.now() - age * 86400)) for age in (31, 29))
    path.write_text(old + old + young)

    async def main() -> None:
        store = RecordStore(path, retention_days=days)
        store.write({"start": clock.now()})
        store.close()

    play(main())
    assert path.read_text().startswith(young if days else old + old + young)
    assert len(read(path)) == (2 if days else 4)
    assert path.stat().st_mode & 0o077 == 0 or not days
    assert os.listdir(tmp_path) == ["records.jsonl"]


def test_young_files_are_left_as_they_are(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(line(clock.civil_text()))
    inode = path.stat().st_ino

    async def main() -> None:
        RecordStore(path, retention_days=30).close()
        path.write_text("")
        RecordStore(path, retention_days=30).close()

    play(main())
    assert path.stat().st_ino == inode


def test_a_folder_that_takes_no_new_file_is_said_and_the_records_go_on(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(line("2020-01-01T00:00:00.000Z"))
    (tmp_path / "records.jsonl.new").mkdir()
    logged: list[Log] = []

    async def main() -> None:
        store = RecordStore(path, retention_days=30, log=logged.append)
        store.write({"call": "1"})
        store.close()

    play(main())
    assert len(logged) == 1
    assert read(path)[-1] == {"call": "1"}


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        RecordStore(tmp_path / "no" / "such" / "folder")
