"""`openssl s_client` and `s_server` as the far side of a handshake, with the alerts they saw pass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.interop.program import Address, Program, until
from tests.tls_site import files

from trunkline.pki.certificate import pem_of
from trunkline.pki.identity import Identity
from trunkline.pki.store import TrustStore

_ALERT = re.compile(
    r"^(<<<|>>>) .*Alert.*\n? *(?:[0-9a-f]{2} [0-9a-f]{2})?.*?(fatal|warning) +([\w ]+)$", re.M
)
# What a peer of the worst kind would take: old versions, short keys, SHA-1.
LAX = "ALL:@SECLEVEL=0"


class Openssl(Program):
    """One s_client or s_server with this identity and trust; `options` are further words for it."""

    def __init__(
        self,
        verb: str,
        directory: Path,
        held: Identity | None,
        trust: TrustStore,
        options: Sequence[str],
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        roots = directory / "roots.pem"
        roots.write_bytes(pem_of(trust.roots))
        words: list[str | Path] = ["openssl", verb, "-msg", "-CAfile", roots, *options]
        if held is not None:
            leaf, chain, key = files(directory, held, "own")
            words += ["-cert", leaf, "-key", key]
            if held.chain[1:]:
                words += ["-cert_chain", chain]
        super().__init__(words, directory)

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def alerts(self, sent: bool) -> list[str]:
        """The fatal alerts that passed, by their names in the RFC."""
        arrow = ">>>" if sent else "<<<"
        return [
            name.strip().replace(" ", "_")
            for way, level, name in _ALERT.findall(self.said)
            if way == arrow and level == "fatal"
        ]


def client(
    directory: Path, at: Address, held: Identity | None, trust: TrustStore, name: str, *options: str
) -> Openssl:
    """An s_client that connects to `at` and stays until it is thrown out; it asks for `name` by SNI."""
    target = ["-connect", f"{at[0]}:{at[1]}", "-servername", name, "-ign_eof", *options]
    return Openssl("s_client", directory, held, trust, target)


def server(directory: Path, at: Address, held: Identity | None, trust: TrustStore, *options: str) -> Openssl:
    """An s_server that listens on `at`, asks for a certificate, and sends each line back reversed."""
    listen = ["-accept", f"{at[0]}:{at[1]}", "-Verify", "5", "-verify_return_error", "-rev", *options]
    made = Openssl("s_server", directory, held, trust, listen)
    until(lambda: "ACCEPT" in made.said, 10, "s_server listens", made)
    return made
