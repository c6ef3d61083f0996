"""The checks of a path, one a function: each yields the faults it finds (RFC 5280 §4.2.1, §6; RFC 5922)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier

from trunkline.finding import said
from trunkline.pki.certificate import Certificate, called, issuer_key_id, self_signed, words
from trunkline.pki.judgement import Check, ClientEku, Fault, Policy, Role
from trunkline.pki.key import RSA_BITS
from trunkline.pki.names import Names, domain
from trunkline.pki.path import WEAK_HASHES, Path

SIP_DOMAIN = ObjectIdentifier(
    "1.3.6.1.5.5.7.3.20"
)  # id-kp-sipDomain (RFC 5924 §3): accepted, never asked for
_EC_BITS = 256

_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,  # any policy will do (RFC 5280 §6.1.1 user-initial-policy-set)
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    }
)


def anchor(path: Path) -> Iterator[Fault]:
    """Does the path end in a trusted root."""
    if path.anchored:
        return
    top = path.certificates[-1]
    name, issuer = called(top), words(top.issuer)
    if path.forged:
        says = said(
            "is not signed by the {issuer} at hand, whose name it gives",
            "n'est pas signé par le {issuer} en place, dont il porte le nom",
            issuer=issuer,
        )
        mend = said(
            "have it issued anew, or import the CA that did sign it",
            "faites-le délivrer à nouveau, ou importez l'AC qui l'a vraiment signé",
        )
        yield Fault(Check.SIGNATURE, name, says, mend)
    elif self_signed(top) and len(path.certificates) == 1:
        says = said(
            "is self-signed and not in the trust store",
            "est auto-signé et absent du magasin de confiance",
        )
        yield Fault(
            Check.ISSUER,
            name,
            says,
            said("have a trusted CA sign it", "faites-le signer par une AC reconnue"),
        )
    elif self_signed(top):
        says = said(
            "is a root that is not in the trust store", "est une racine absente du magasin de confiance"
        )
        mend = said(
            "import it, if it is the CA this peer should have",
            "importez-la, si c'est bien l'AC que ce pair doit avoir",
        )
        yield Fault(Check.ISSUER, name, says, mend)
    else:
        key = issuer_key_id(top).hex(":").upper()
        says = said(
            "is signed by {issuer}{key}, neither sent nor in the trust store",
            "est signé par {issuer}{key}, ni présenté ni dans le magasin de confiance",
            issuer=issuer,
            key=said(" (key id {key})", " (identifiant de clé {key})", key=key) if key else "",
        )
        mend = said(
            "have its owner install the whole chain, or import {issuer} if it is trusted",
            "faites installer la chaîne entière par son propriétaire, ou importez {issuer} s'il est reconnu",
            issuer=issuer,
        )
        yield Fault(Check.ISSUER, name, says, mend)


def authority(ca: Certificate, place: int, root: bool) -> Iterator[Fault]:
    """§4.2.1.9 and §4.2.1.3: may it sign certificates at all, and this far down."""
    if root and ca.version is x509.Version.v1:
        return  # roots from before extensions: the trust store says what they are
    try:
        basic = ca.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        basic = x509.BasicConstraints(False, None)
    name = called(ca)
    if not basic.ca:
        says = said("signed a certificate but is no CA", "a signé un certificat sans être une AC")
        yield Fault(
            Check.AUTHORITY, name, says, said("have a CA sign that one", "faites signer celui-là par une AC")
        )
    elif basic.path_length is not None and place - 1 > basic.path_length:
        says = said(
            "allows {most} CAs below it and has {has}",
            "permet {most} AC sous elle et en a {has}",
            most=basic.path_length,
            has=place - 1,
        )
        mend = said(
            "have the certificate issued nearer to the root",
            "faites délivrer le certificat plus près de la racine",
        )
        yield Fault(Check.AUTHORITY, name, says, mend)
    try:
        usage = ca.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.key_cert_sign:
        says = said(
            "may not sign certificates (its key usage lacks keyCertSign)",
            "ne peut pas signer de certificats (keyCertSign manque à son usage de clé)",
        )
        yield Fault(
            Check.AUTHORITY,
            name,
            says,
            said("have another CA sign that one", "faites signer celui-là par une autre AC"),
        )


def dates(certificate: Certificate, at: datetime) -> Iterator[Fault]:
    """Is it valid at the civil time `at` (§4.1.2.5)."""
    name, first, last = called(certificate), certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if at > last:
        says = said("expired on {last} UTC", "a expiré le {last} UTC", last=f"{last:%Y-%m-%d %H:%M}")
        yield Fault(Check.EXPIRED, name, says, said("renew it", "renouvelez-le"))
    elif at < first:
        says = said(
            "is not valid before {first} UTC",
            "n'est pas valide avant le {first} UTC",
            first=f"{first:%Y-%m-%d %H:%M}",
        )
        mend = said(
            "check the clock of this machine, and that of the CA",
            "vérifiez l'horloge de cette machine, et celle de l'AC",
        )
        yield Fault(Check.EARLY, name, says, mend)


def strength(certificate: Certificate, root: bool) -> Iterator[Fault]:
    """Are key and signature such as nobody forges."""
    name = called(certificate)
    try:
        key = certificate.public_key()
        digest = (
            None if root else certificate.signature_hash_algorithm
        )  # a root is believed without its signature
    except (ValueError, UnsupportedAlgorithm):
        says = said(
            "has a key or a signature of an unknown kind", "a une clé ou une signature d'un genre inconnu"
        )
        yield Fault(Check.STRENGTH, name, says, said("use RSA and SHA-256", "utilisez RSA et SHA-256"))
        return
    anew = said(
        "have it issued anew for an RSA key of {bits} bits",
        "faites-le délivrer à nouveau pour une clé RSA de {bits} bits",
        bits=RSA_BITS,
    )
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS:
        says = said(
            "has an RSA key of {has} bits, less than {least}",
            "a une clé RSA de {has} bits, moins que {least}",
            has=key.key_size,
            least=RSA_BITS,
        )
        yield Fault(Check.STRENGTH, name, says, anew)
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < _EC_BITS:
        says = said(
            "has an elliptic-curve key of {has} bits, less than {least}",
            "a une clé à courbe elliptique de {has} bits, moins que {least}",
            has=key.key_size,
            least=_EC_BITS,
        )
        yield Fault(Check.STRENGTH, name, says, anew)
    if digest is not None and digest.name in WEAK_HASHES:
        weak = "SHA-1" if digest.name == "sha1" else digest.name.upper()
        says = said("is signed with {weak}", "est signé avec {weak}", weak=weak)
        mend = said("have it issued anew with SHA-256", "faites-le délivrer à nouveau avec SHA-256")
        yield Fault(Check.STRENGTH, name, says, mend)


def critical(certificate: Certificate) -> Iterator[Fault]:
    """Is anything in it that must be understood and is not (§4.2)."""
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            says = said(
                "bears the critical extension {oid}, which nobody here understands",
                "porte l'extension critique {oid}, que personne ici ne comprend",
                oid=extension.oid.dotted_string,
            )
            mend = said("have it issued without", "faites-le délivrer sans elle")
            yield Fault(Check.READABLE, called(certificate), says, mend)


def purpose(certificate: Certificate, role: Role, policy: Policy) -> Iterator[Fault]:
    """§4.2.1.12, with the RFC 5924 usage for SIP domains: what it may be used as."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return  # good for everything
    fitting = {ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, SIP_DOMAIN}
    mend = said("have it issued for serverAuth", "faites-le délivrer pour serverAuth")
    if role is Role.SERVER:
        fitting.add(ExtendedKeyUsageOID.SERVER_AUTH)
    else:
        fitting.add(ExtendedKeyUsageOID.CLIENT_AUTH)
        mend = said(
            "have it issued for clientAuth, or set the policy accept-server-auth",
            "faites-le délivrer pour clientAuth, ou choisissez la règle accept-server-auth",
        )
        if policy.client_eku is ClientEku.ACCEPT_SERVER_AUTH:
            fitting.add(ExtendedKeyUsageOID.SERVER_AUTH)
            mend = said("have it issued for clientAuth", "faites-le délivrer pour clientAuth")
    ignored = role is Role.CLIENT and policy.client_eku is ClientEku.IGNORE
    if not ignored and fitting.isdisjoint(usage):
        says = said(
            "may not be used as TLS {role} (its extended key usage: {uses})",
            "ne peut pas servir de {role} TLS (son usage étendu de clé : {uses})",
            role=said(str(role), "serveur" if role is Role.SERVER else "client"),
            uses=_uses(usage),
        )
        yield Fault(Check.PURPOSE, called(certificate), says, mend)


def signs(leaf: Certificate) -> Iterator[Fault]:
    """§4.2.1.3: every suite of ours has the peer sign with its key."""
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.digital_signature:
        says = said(
            "may not be used for TLS (its key usage lacks digitalSignature)",
            "ne peut pas servir à TLS (digitalSignature manque à son usage de clé)",
        )
        mend = said("have it issued with digitalSignature", "faites-le délivrer avec digitalSignature")
        yield Fault(Check.PURPOSE, called(leaf), says, mend)


_USES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.CODE_SIGNING: "codeSigning",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "emailProtection",
    ExtendedKeyUsageOID.TIME_STAMPING: "timeStamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSPSigning",
}


def _uses(usage: x509.ExtendedKeyUsage) -> str:
    return ", ".join(_USES.get(oid, oid.dotted_string) for oid in usage)


def named(
    leaf: Certificate, own: Names, wanted: Sequence[str] | None, matched: Sequence[str], policy: Policy
) -> Iterator[Fault]:
    """Does it speak for one of those it should be (RFC 5922 §7.1)."""
    if wanted is None or matched:
        return
    asked = said(
        "{names}",
        "{names_fr}",
        names=" or ".join(map(domain, wanted)) or "anybody: no name is allowed here",
        names_fr=" ou ".join(map(domain, wanted)) or "personne : aucun nom n'est admis ici",
    )
    domains = own.domains(common_name=policy.common_name)
    if domains:
        star = ""
        if any(name.startswith("*.") for name in domains) and not policy.wildcard:
            star = said(
                " (a wildcard does not count: RFC 5922 §7.2)", " (un joker ne compte pas : RFC 5922 §7.2)"
            )
        says = said(
            "is for {names}, not for {asked}{star}",
            "est pour {names}, pas pour {asked}{star}",
            names=", ".join(domains),
            asked=asked,
            star=star,
        )
    elif own.alternatives:
        says = said(
            "has no dNSName and no sip: URI, and must be for {asked}",
            "n'a ni dNSName ni URI sip:, et doit être pour {asked}",
            asked=asked,
        )
    elif own.common_name and not policy.common_name:
        says = said(
            "has no subjectAltName (its CN does not count), and must be for {asked}",
            "n'a pas de subjectAltName (son CN ne compte pas), et doit être pour {asked}",
            asked=asked,
        )
    else:
        says = said(
            "bears no name, and must be for {asked}",
            "ne porte aucun nom, et doit être pour {asked}",
            asked=asked,
        )
    mend = said(
        "correct the name configured here, or have it issued for that one",
        "corrigez le nom configuré ici, ou faites-le délivrer pour celui-là",
    )
    yield Fault(Check.NAMES, called(leaf), says, mend)
