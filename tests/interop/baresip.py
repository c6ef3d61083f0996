"""baresip as a phone: an account, a tone to send, a recording of what it hears, and its control port."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tests.interop import tone
from tests.interop.program import Address, PeerError, Program, until

MODULES = ("/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules")
CONTROL_PORT = 4444
Event = dict[str, object]

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# baresip binds its RTP sockets to every address: each instance gets a range of ports of its own,
# and each process that runs tests begins elsewhere.
_ranges = itertools.cycle([40000 + (os.getpid() * 7 + n) % 200 * 40 for n in range(200)])

CONFIG = """\
poll_method epoll
sip_listen {address}:5060
net_interface {address}
call_local_timeout 60
call_max_calls 4
audio_source aufile,{sends}
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
rtp_ports {first}-{last}
jitter_buffer_delay 2-10
module_path {modules}
module g711.so
module sndfile.so
module aubridge.so
module aufile.so
{srtp}module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:{control}
snd_path {recordings}
ringback_disabled yes
statmode_default off
"""


def modules() -> Path:
    """Where Debian put baresip's modules."""
    for pattern in MODULES:
        for found in Path("/").glob(pattern.lstrip("/")):
            return found
    raise PeerError("the modules of baresip-core are not installed")


class Baresip(Program):
    """One phone. ``sends`` is the frequency of its tone in Hz; 0 is a muted microphone."""

    def __init__(
        self,
        directory: Path,
        address: str,
        user: str,
        *,
        sends: int,
        registrar: Address | None = None,
        password: str = "",
        transport: str = "udp",
        codecs: str = "PCMA",
        expires: int = 300,
        srtp: bool = False,
    ) -> None:
        """Starts the phone ``user`` on ``address``; with a ``registrar`` it registers and calls through it.

        ``expires`` is in seconds. Without a registrar it calls and is called directly. ``srtp`` is for
        transport "tls": RTP/SAVP alone, with the keys in the SDP. It does not look at the IPBX's certificate.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.address, self.user = address, user
        recordings = directory / "recordings"
        recordings.mkdir()
        first = next(_ranges)
        config = CONFIG.format(
            address=address,
            sends=tone.write(directory / "sends.wav", sends),
            first=first,
            last=first + 39,
            modules=modules(),
            control=CONTROL_PORT,
            recordings=recordings,
            srtp="module srtp.so\n" if srtp else "",
        )
        (directory / "config").write_text(config)
        host = f"{registrar[0]}:{registrar[1]}" if registrar else address
        account = (
            f"<sip:{user}@{host};transport={transport}>;audio_codecs={codecs};ptime=20;answermode=manual"
        )
        if registrar:
            account += f";regint={expires};auth_user={user};auth_pass={password}"
        else:
            account += ";regint=0"
        if srtp:
            account += ";mediaenc=srtp-mand"  # RTP/SAVP, or no call
        (directory / "accounts").write_text(account + "\n")
        (directory / "contacts").write_text("")
        self._events: list[Event] = []
        self._received = b""
        super().__init__(["baresip", "-f", directory], directory)
        try:
            self._control = until(self._connected, 10.0, "baresip's control port", self)
        except BaseException:
            self.stop()
            raise

    def _connected(self) -> socket.socket | None:
        try:
            return socket.create_connection((self.address, CONTROL_PORT), timeout=1.0)
        except OSError:
            return None

    def command(self, name: str, parameters: str = "") -> str:
        """Gives baresip a command and returns what it answers; PeerError when it says that it failed."""
        text = json.dumps({"command": name, "params": parameters, "token": name}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))  # a netstring
        answer = self._next(
            lambda said: said.get("response") is True and said.get("token") == name, 5.0, name
        )
        if not answer.get("ok"):
            raise PeerError(f"{self.user}: {name} {parameters}: {answer.get('data')}\n{self.tail()}")
        return str(answer.get("data", ""))

    def wait_for(self, event: str, seconds: float = 10.0) -> Event:
        """The next event of that type not yet taken: CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED ..."""
        return self._next(lambda said: said.get("type") == event, seconds, event)

    def registered(self, seconds: float = 10.0) -> bool:
        """Waits for the registrar's verdict; whether it took the phone.

        Asked for, not awaited as an event: baresip may have registered before its control port was open.
        """

        def verdict() -> str | None:
            words = COLOUR.sub("", self.command("reginfo")).split()
            return next((word for word in words if word in ("OK", "ERR")), None)

        return until(verdict, seconds, f"{self.user}'s registration", self) == "OK"

    def dial(self, to: str) -> None:
        """Calls a number (through the registrar) or a SIP URI."""
        self.command("dial", to)

    def accept(self) -> None:
        self.command("accept")

    def hang_up(self) -> None:
        self.command("hangup")

    def hold(self) -> None:
        """Puts the call on hold; it sends nothing any more, though it offers sendonly."""
        self.command("hold")

    def resume(self) -> None:
        self.command("resume")

    def stream(self) -> tuple[str, int]:
        """The direction of the call's audio as it was last agreed, and the RTP packets received so far.

        After a hold that is all there is to see: baresip 1.0 records no longer when the call is resumed.
        """
        told = self.command("audio_debug")
        direction, received = (re.search(rf"\b{name}=(\w+)", told) for name in ("audio dir", "rcvd"))
        if direction is None or received is None:
            raise PeerError(f"{self.user}: no audio in {told}")
        return direction[1], int(received[1])

    def hears_for(self, seconds: float) -> None:
        """Lets the call in progress go on until this phone has recorded ``seconds`` of it.

        The recording grows by what was received, so that a slow machine takes longer instead of hearing less.
        """
        size = round(seconds * 2 * tone.RATE)
        until(
            lambda: self.recordings()[-1].stat().st_size >= size,
            5 * seconds + 5,
            f"{seconds:g} s of speech",
            self,
        )

    def recordings(self) -> list[Path]:
        """What the phone heard, one file for each call that is over, oldest first."""
        return sorted((self.directory / "recordings").glob("*-dec.wav"))

    def stop(self, seconds: float = 5.0) -> int:
        if hasattr(self, "_control"):
            self._control.close()
        self.signal(signal.SIGTERM)  # it takes its registration back first, and waits for the answer
        try:
            return self.wait(2.0)
        except PeerError:
            return super().stop(seconds)  # asked again, it goes without

    def _next(self, wanted: Callable[[Event], bool], seconds: float, what: str) -> Event:
        end_at = time.monotonic() + seconds
        while True:
            for index, said in enumerate(self._events):
                if wanted(said):
                    return self._events.pop(index)
            left = end_at - time.monotonic()
            if left <= 0:
                seen = [said.get("type") for said in self._events]
                raise PeerError(f"{self.user}: no {what} in {seconds:g} s, but {seen}\n{self.tail()}")
            self._control.settimeout(left)
            try:
                data = self._control.recv(65536)
            except TimeoutError:
                continue
            if not data:
                raise PeerError(f"{self.user}: baresip closed its control port\n{self.tail()}")
            self._received += data
            self._take_netstrings()

    def _take_netstrings(self) -> None:
        while b":" in self._received:
            size, rest = self._received.split(b":", 1)
            if len(rest) <= int(size):
                return
            self._events.append(json.loads(rest[: int(size)]))
            self._received = rest[int(size) + 1 :]
