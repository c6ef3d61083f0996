"""The certificate files of a site as the verb `cert` finds, reads and writes them.

The same files that the running IPBX reads: what is installed here is what SIGHUP takes. A key that waits
for its certificate stands beside the key's place until then, so that nothing that runs is touched.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from trunkline.aio import clock
from trunkline.cli import bounded
from trunkline.cli.language import lang_argument
from trunkline.cli.sitefile import planned
from trunkline.finding import Language, ParseError, Wording, said, told
from trunkline.guide.facts import Facts
from trunkline.pki.key import RSA_BITS
from trunkline.pki.pile import FILE_MAX
from trunkline.pki.store import TrustStore
from trunkline.site.model import CertificateFiles, Site

EXIT_CERTIFICATE: Final = 1  # something is wrong with a certificate
EXIT_USE: Final = 2  # a file that cannot be used, or wrong use


class Unusable(Exception):
    """What keeps a verb from its work: what is wrong and how to mend it, in both languages."""

    def __init__(self, says: str, mend: str) -> None:
        self.sentence: Wording = said("{says}: {mend}", "{says} : {mend}", says=says, mend=mend)
        super().__init__(str(self.sentence))


def unwritable(error: OSError) -> Unusable:
    """What to say where the system refuses to write a file."""
    says = said(
        "{file} cannot be written ({why})",
        "{file} ne peut pas être écrit ({why})",
        file=error.filename or "",
        why=error.strerror or str(error),
    )
    return Unusable(says, said("check the folder's rights and space", "vérifiez droits et place du dossier"))


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of one identity of a site stand: the trunk's, or that of the phones.

    Both are the same file where the site names no key of its own: the IPBX reads it from there.
    """

    certificate: Path
    key: Path

    @property
    def pending_key(self) -> Path:
        """The key of a request that is on its way."""
        return self.key.with_name(self.key.name + ".pending")

    @property
    def request(self) -> Path:
        """The request itself."""
        return self.certificate.with_suffix(".csr")


@dataclass(frozen=True, slots=True)
class Ground:
    """A site with its guide's facts, and the folder that its paths count from."""

    site: Site
    facts: Facts
    folder: Path

    @classmethod
    def of(cls, file: str) -> Ground:
        """Read a site file. Raises Refused, and Unusable for a site without certificates."""
        site, facts = planned(file)
        if site.certificates is None:
            says = said("{file} names no certificates", "{file} ne nomme aucun certificat", file=file)
            mend = said("add the section certificates", "ajoutez la section certificates")
            raise Unusable(says, mend)
        return cls(site, facts, Path(file).parent)

    @property
    def name(self) -> str:
        """The FQDN that the certificate bears (CERT-1). Raises Unusable where there is none."""
        name = self.site.interfaces.eth0.domain_name
        if not name:
            says = said("the site has no public FQDN", "le site n'a pas de FQDN public")
            mend = said("write interfaces.eth0.domain_name", "écrivez interfaces.eth0.domain_name")
            raise Unusable(says, mend)
        return name

    @property
    def key_bits(self) -> int:
        """The size of the RSA key that a request is made with."""
        certificates = self.site.certificates
        return certificates.key_bits if certificates else RSA_BITS

    def places(self, which: str) -> Places:
        """The files of `public_server` or of `phones`."""
        certificates = self.site.certificates
        assert certificates is not None  # `of` saw to it
        files: CertificateFiles | None = getattr(certificates, which)
        if files is None:
            says = said(
                "the site names no certificate for {which}", "aucun certificat pour {which}", which=which
            )
            raise Unusable(
                says, said("write certificates.{which}", "écrivez certificates.{which}", which=which)
            )
        return Places(self.folder / files.certificate, self.folder / (files.key or files.certificate))

    def trust(self) -> TrustStore:
        """The trust store as far as its files are there. Raises Unusable for one that cannot be read."""
        held = [data for file in self.trust_files() if (data := contents(file, absent=True))]
        try:
            return TrustStore.parse(*held)
        except ParseError as error:
            mend = said("name PEM files of CAs", "nommez des fichiers PEM d'AC")
            raise Unusable(str(error), mend) from None

    def trust_files(self) -> tuple[Path, ...]:
        """The files of the trust store, there or not yet."""
        certificates = self.site.certificates
        return tuple(self.folder / file for file in (certificates.trust if certificates else ()))


def contents(file: Path, *, absent: bool = False, pipe: bool = False) -> bytes:
    """A file's bytes, b"" where it is absent and may be; `pipe`: it may be one. Raises Unusable."""
    try:
        return bounded.contents(file, FILE_MAX, waits=pipe)
    except bounded.Unread as error:
        if error.absent and absent:
            return b""
        if error.absent:
            says = said("{file} is not there", "{file} n'existe pas", file=file)
            mend = said("check its name", "vérifiez son nom")
        elif error.long:
            says = said(
                "{file} is too long to be a certificate", "{file} est trop long pour un certificat", file=file
            )
            mend = said("name another file", "nommez un autre fichier")
        else:
            says = said(
                "{file} cannot be read ({why})", "{file} est illisible ({why})", file=file, why=error.why
            )
            mend = said("check its rights", "vérifiez ses droits")
        raise Unusable(says, mend) from None


def named(files: Iterable[str | Path]) -> Iterator[tuple[str, bytes]]:
    """Files, each with its contents; one named on the command line may be a pipe. Raises Unusable."""
    for file in files:
        yield str(file), contents(Path(file), pipe=isinstance(file, str))  # a shell's <(...) is one


def new_file(place: Path, data: bytes, mode: int) -> None:
    """Write a file that must not be there yet; its folder is made. Raises Unusable, OSError."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        says = said("{file} is there already", "{file} existe déjà", file=place)
        mend = said("move it away, nothing is overwritten", "déplacez-le, rien n'est écrasé")
        raise Unusable(says, mend) from None
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)


def at(given: Namespace) -> datetime:
    """The civil time that is judged at: --at's day at noon UTC, or now. Raises Unusable."""
    if not given.at:
        return datetime.fromtimestamp(clock.civil_ns() / 1e9, UTC)
    try:
        day = datetime.fromisoformat(given.at)
    except ValueError:
        says = said("{at} is no date", "{at} n'est pas une date", at=given.at)
        raise Unusable(says, said("write it as 2027-03-15", "écrivez-la comme 2027-03-15")) from None
    return (day if day.hour or day.minute else day.replace(hour=12)).replace(tzinfo=day.tzinfo or UTC)


def whose(parser: ArgumentParser) -> None:
    """The option that says whose certificate it is."""
    says = "whose certificate: the trunk's (public_server), or that of the phones' listener"
    parser.add_argument(
        "--for", dest="which", choices=("public_server", "phones"), default="public_server", help=says
    )


def options(parser: ArgumentParser, *, dated: bool = True) -> None:
    """The options that most parts of the verb take."""
    if dated:
        parser.add_argument("--at", metavar="DATE", default="", help="judge at this day; default: today")
    lang_argument(parser)


def secret(given: Namespace) -> bytes:
    """The password of encrypted files, from the file that holds it. Raises Unusable."""
    lines = contents(Path(given.password_file), pipe=True).splitlines() if given.password_file else []
    return lines[0] if lines else b""


def complain(error: Unusable, language: Language) -> int:
    """Print why nothing was done, on standard error; returns the exit code."""
    print(told(error.sentence, language), file=sys.stderr)
    return EXIT_USE
