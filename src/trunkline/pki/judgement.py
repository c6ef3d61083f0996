"""The words of a judgement: what was looked at, what is wrong with which certificate, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from trunkline.finding import Finding, Level, Wording, said, told
from trunkline.pki.certificate import Certificate
from trunkline.pki.names import Names


class Role(StrEnum):
    """What the peer is in the handshake, and so what its certificate is used as."""

    SERVER = "server"
    CLIENT = "client"


class ClientEku(StrEnum):
    """What the extended key usage of a peer that connects to us must say.

    Public CAs stop issuing clientAuth, so a carrier's server certificate is also what
    it presents as a client: the default lets that pass.
    """

    REQUIRE = "require"
    ACCEPT_SERVER_AUTH = "accept-server-auth"
    IGNORE = "ignore"


class Check(StrEnum):
    """What was looked at, in the order in which faults are told."""

    PRESENT = "present"
    READABLE = "readable"
    KEY = "key"
    ISSUER = "issuer"
    SIGNATURE = "signature"
    AUTHORITY = "authority"
    EXPIRED = "expired"
    EARLY = "not yet valid"
    STRENGTH = "strength"
    PURPOSE = "purpose"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one certificate; `certificate` is what it is called, "" where none came."""

    check: Check
    certificate: str
    says: str
    mend: str

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def sentence(self) -> Wording:
        """What is wrong with which certificate, and how to mend it, in both languages."""
        subject = said("certificate {name} ", "le certificat {name} ", name=self.certificate)
        return said(
            "{subject}{says}: {mend}",
            "{subject}{says} : {mend}",
            subject=subject if self.certificate else "",
            says=self.says,
            mend=self.mend,
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """The knobs of the judge; the defaults are the house's."""

    client_eku: ClientEku = ClientEku.ACCEPT_SERVER_AUTH
    wildcard: bool = False
    common_name: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found: the path leaf first, the leaf's names, which wanted ones it matched, the faults."""

    path: tuple[Certificate, ...] = ()
    names: Names = field(default_factory=Names)
    matched: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def good(self) -> bool:
        return not self.faults

    @property
    def why(self) -> Wording:
        """All faults in one sentence; "" where there is none."""
        sentences = [fault.sentence for fault in self.faults]
        return Wording("; ".join(sentences), " ; ".join(told(one, "fr") for one in sentences))

    def findings(self, place: str) -> tuple[Finding, ...]:
        """The faults as findings about the key `place` of a site."""
        return tuple(
            Finding(
                f"PKI-{fault.check.name}",
                Level.MUST,
                place,
                fault.sentence,
                fault.mend,
                "RFC 5280 §6, RFC 5922",
            )
            for fault in self.faults
        )
