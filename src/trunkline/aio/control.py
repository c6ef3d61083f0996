"""Asking a running part of the product: a Unix socket of its user's own, a line of JSON each way.

`{"ask": "status"}` is answered by an object, or by `{"error": why}`.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_QUESTION = 1 << 16  # bytes of a question
_ANSWER = 1 << 26  # bytes of an answer: the status of the largest IPBX
_CLIENTS = 16  # at once
_PATIENCE = 10.0  # seconds a client may take for each question


class ControlServer:
    """Answers at `path` (mode 0600) with what `answer` returns; its ValueErrors are told, its bugs too.

    A socket that a dead process left is taken over, one that somebody answers on is not.
    """

    def __init__(self, path: Path, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._path, self._answer = path, answer
        self._server: asyncio.Server | None = None
        self._inode = 0
        self._clients: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen. Raises OSError."""
        self._clear()
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)  # the socket is nobody else's from its first moment
        try:
            listening.bind(str(self._path))
        except OSError as error:
            listening.close()
            raise OSError(error.errno, f"{self._path}: {error.strerror or error}") from error
        finally:
            os.umask(mask)
        self._inode = self._path.stat().st_ino
        listening.setblocking(False)
        self._server = await asyncio.start_unix_server(self._client, sock=listening, limit=_QUESTION)

    async def stop(self) -> None:
        """Listen no more, let the clients go, and remove the socket if it is still ours."""
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.transport.abort()
        with suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    def _clear(self) -> None:
        """Remove a socket at our path that nobody listens on."""
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(found.st_mode):
            raise FileExistsError(errno.EEXIST, f"{self._path} is there, and is not a socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
            trial.setblocking(False)
            if trial.connect_ex(str(self._path)) != errno.ECONNREFUSED:
                raise OSError(errno.EADDRINUSE, f"{self._path}: already running, or not ours")
        self._path.unlink()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= _CLIENTS:
            writer.transport.abort()
            return
        self._clients.add(writer)
        try:
            while True:
                async with asyncio.timeout(_PATIENCE):
                    line = await reader.readline()
                    if not line:
                        break
                    writer.write(json.dumps(self._said(line), default=str).encode() + b"\n")
                    await writer.drain()
        except (OSError, ValueError, TimeoutError):  # ValueError: a line over the limit
            writer.transport.abort()
        finally:
            self._clients.discard(writer)
            writer.close()

    def _said(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
        except (ValueError, RecursionError):
            return {"error": "expected one line of JSON"}
        if not isinstance(asked, dict):
            return {"error": "expected a JSON object"}
        try:
            return self._answer(asked)
        except ValueError as error:
            return {"error": str(error)}
        except Exception as error:  # a bug in an answer ends neither the calls nor this socket
            return {"error": f"a bug, please report it: {error!r}"}


async def ask(path: Path, question: Mapping[str, Any], *, patience: float = 5.0) -> dict[str, Any]:
    """The answer to one question. Raises OSError where nobody answers, in `patience` seconds and in JSON."""
    async with asyncio.timeout(patience):
        reader, writer = await asyncio.open_unix_connection(str(path), limit=_ANSWER)
        try:
            writer.write(json.dumps(question).encode() + b"\n")
            await writer.drain()
            answer = json.loads(await reader.readline())
        except ValueError as error:
            raise ConnectionError(errno.EPROTO, f"{path}: no answer in JSON") from error
        finally:
            writer.close()
    if not isinstance(answer, dict):
        raise ConnectionError(errno.EPROTO, f"{path}: no answer in JSON")
    return answer
