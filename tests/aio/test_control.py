"""The control socket."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from trunkline.aio.control import ControlServer, ask

Play = Callable[[Coroutine[Any, Any, None]], None]


def office(asked: dict[str, Any]) -> dict[str, Any]:
    match asked.get("ask"):
        case "status":
            return {"calls": 3, "long": "x" * 100_000}
        case "bug":
            raise ZeroDivisionError
    raise ValueError("ask one of: status")


def test_a_question_is_answered_by_its_user_s_own_socket(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "ipbx.sock"

    async def main() -> None:
        server = ControlServer(path, office)
        await server.start()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (await ask(path, {"ask": "status"}))["calls"] == 3
        assert await ask(path, {"ask": "weather"}) == {"error": "ask one of: status"}
        assert (await ask(path, {"ask": "bug"}))["error"].startswith("a bug")
        await server.stop()
        assert not path.exists()

    play(main())


@pytest.mark.parametrize("noise", [b"no JSON\n", b"[1]\n", b"[" * 50_000 + b"\n", b"\xff\xfe\n", b"\n"])
def test_noise_is_told_so_and_the_next_question_answered(play: Play, tmp_path: Path, noise: bytes) -> None:
    path = tmp_path / "ipbx.sock"

    async def main() -> None:
        server = ControlServer(path, office)
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(noise + b'{"ask": "weather"}\n')
        assert "expected" in json.loads(await reader.readline())["error"]
        assert "ask one of" in json.loads(await reader.readline())["error"]
        writer.close()
        await server.stop()

    play(main())


def test_a_question_without_end_loses_the_connection(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "ipbx.sock"

    async def main() -> None:
        server = ControlServer(path, office)
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"x" * 200_000)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        await server.stop()

    play(main())


def test_clients_are_bounded(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "ipbx.sock"

    async def main() -> None:
        server = ControlServer(path, office)
        await server.start()
        held = [await asyncio.open_unix_connection(str(path)) for _ in range(16)]
        for reader, writer in held:
            writer.write(b"{}\n")
            await reader.readline()
        with pytest.raises(OSError):
            await ask(path, {})
        for _, writer in held:
            writer.close()
        await server.stop()

    play(main())


def test_a_dead_process_s_socket_is_taken_over_a_living_one_s_is_not(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "ipbx.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async def main() -> None:
        server = ControlServer(path, office)
        await server.start()
        with pytest.raises(OSError, match="already running"):
            await ControlServer(path, office).start()
        assert (await ask(path, {"ask": "status"}))["calls"] == 3
        await server.stop()

    play(main())


def test_another_s_file_or_socket_is_never_removed(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "ipbx.sock"
    path.write_text("precious")

    async def main() -> None:
        with pytest.raises(FileExistsError, match="not a socket"):
            await ControlServer(path, office).start()
        path.unlink()
        server = ControlServer(path, office)
        await server.start()
        path.unlink()
        path.write_text("precious")
        await server.stop()

    play(main())
    assert path.read_text() == "precious"


def test_where_nobody_answers_there_is_an_error(play: Play, tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(OSError):
            await ask(tmp_path / "none.sock", {})
        with pytest.raises(OSError, match="no/such"):
            await ControlServer(tmp_path / "no/such/folder.sock", office).start()
        await ControlServer(tmp_path / "never-started.sock", office).stop()

    play(main())


@pytest.mark.parametrize("answer", [b"", b"no JSON\n", b"[]\n"])
def test_an_answer_that_is_no_object_is_an_error(play: Play, tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "ipbx.sock"

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    async def main() -> None:
        server = await asyncio.start_unix_server(says, str(path))
        with pytest.raises(ConnectionError, match="no answer in JSON"):
            await ask(path, {})
        server.close()

    play(main())


def test_silence_has_its_time(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "ipbx.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()

        async def main() -> None:
            with pytest.raises(TimeoutError):
                await ask(path, {}, patience=0.05)

        play(main())
