"""A real browser that reads the dossier's page: Chromium by its DevTools protocol, over a pipe."""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Literal, Self

from tests.interop.program import PeerError

from packages import find

PATIENCE = 60.0  # s for one answer; a page takes a fraction of one
_FLAGS = (
    *(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--hide-scrollbars",
    ),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
    *("--disable-extensions", "--disable-dev-shm-usage", "--disable-default-apps", "--remote-debugging-pipe"),
)
Scheme = Literal["light", "dark"]
Media = Literal["screen", "print"]


class Chromium:
    """One browser with one page; ended with its whole process group."""

    def __init__(self) -> None:
        path = find("chromium")
        if path is None:
            raise PeerError("chromium is not installed")
        self._folder = TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        there, self._out = os.pipe()
        self._in, back = os.pipe()
        # DevTools reads descriptor 3 and writes descriptor 4.
        script = f'exec "$@" 3<&{there} 4>&{back}'
        profile = f"--user-data-dir={self._folder.name}"
        self._child = subprocess.Popen(
            [
                "setpriv",
                "--pdeathsig",
                "TERM",
                "bash",
                "-c",
                script,
                "bash",
                path,
                *_FLAGS,
                profile,
                "about:blank",
            ],
            pass_fds=(there, back),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(there)
        os.close(back)
        self._read = b""
        self._number = 0
        self._heard: list[dict[str, Any]] = []
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        asked = {"targetId": target, "flatten": True}
        self._session: str | None = self._ask("Target.attachToTarget", asked)["sessionId"]
        self._ask("Page.enable")

    def open(
        self, file: Path, width: int, height: int = 900, scheme: Scheme = "light", media: Media = "screen"
    ) -> None:
        """Show a file at that width in CSS pixels; at 600 and below as on a phone."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width <= 600}
        self._ask("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._ask("Emulation.setEmulatedMedia", {"media": media, "features": features})
        self._heard.clear()
        self._ask("Page.navigate", {"url": file.resolve().as_uri()})
        self._until("Page.loadEventFired")

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is worth in the page, as JSON would have it."""
        asked = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = self._ask("Runtime.evaluate", asked)
        if "exceptionDetails" in answer:
            raise PeerError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def picture(self, file: Path) -> None:
        """The whole page as a PNG."""
        asked = {"format": "png", "captureBeyondViewport": True}
        file.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot", asked)["data"]))

    def printed(self, file: Path) -> None:
        """The page as a PDF, on the paper its style sheet asks for."""
        self._ask("Emulation.setEmulatedMedia", {"media": ""})  # the printer's own, and the scheme as it is
        asked = {"preferCSSPageSize": True, "printBackground": True}
        file.write_bytes(base64.b64decode(self._ask("Page.printToPDF", asked)["data"]))

    def _ask(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters or {}}
        if getattr(self, "_session", None):
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise PeerError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._heard.append(answer)

    def _until(self, method: str) -> None:
        while not any(message.get("method") == method for message in self._heard):
            self._heard.append(self._next())

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            chunk = self._chunk()
            if not chunk:
                raise PeerError(f"chromium ended or kept silent (exit code {self._child.poll()})")
            self._read += chunk
        line, _, self._read = self._read.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def _chunk(self) -> bytes:
        ready, _, _ = select.select([self._in], [], [], PATIENCE)
        return os.read(self._in, 1 << 16) if ready else b""

    def close(self) -> None:
        """End the browser and all its processes."""
        os.close(self._out)  # it ends by itself when its pipe does
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
        os.close(self._in)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
