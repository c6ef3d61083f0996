"""The checks of a path, one a function: each yields the faults it finds (RFC 5280 §4.2.1, §6; RFC 5922)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier

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
        says = f"is not signed by the {issuer} at hand, whose name it gives"
        yield Fault(Check.SIGNATURE, name, says, "have it issued anew, or import the CA that did sign it")
    elif self_signed(top) and len(path.certificates) == 1:
        yield Fault(
            Check.ISSUER, name, "is self-signed and not in the trust store", "have a trusted CA sign it"
        )
    elif self_signed(top):
        mend = "import it, if it is the CA this peer should have"
        yield Fault(Check.ISSUER, name, "is a root that is not in the trust store", mend)
    else:
        key = issuer_key_id(top).hex(":").upper()
        says = (
            f"is signed by {issuer}{f' (key id {key})' if key else ''}, neither sent nor in the trust store"
        )
        mend = f"have its owner install the whole chain, or import {issuer} if it is trusted"
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
        yield Fault(Check.AUTHORITY, name, "signed a certificate but is no CA", "have a CA sign that one")
    elif basic.path_length is not None and place - 1 > basic.path_length:
        says = f"allows {basic.path_length} CAs below it and has {place - 1}"
        yield Fault(Check.AUTHORITY, name, says, "have the certificate issued nearer to the root")
    try:
        usage = ca.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.key_cert_sign:
        says = "may not sign certificates (its key usage lacks keyCertSign)"
        yield Fault(Check.AUTHORITY, name, says, "have another CA sign that one")


def dates(certificate: Certificate, at: datetime) -> Iterator[Fault]:
    """Is it valid at the civil time `at` (§4.1.2.5)."""
    name, first, last = called(certificate), certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if at > last:
        yield Fault(Check.EXPIRED, name, f"expired on {last:%Y-%m-%d %H:%M} UTC", "renew it")
    elif at < first:
        mend = "check the clock of this machine, and that of the CA"
        yield Fault(Check.EARLY, name, f"is not valid before {first:%Y-%m-%d %H:%M} UTC", mend)


def strength(certificate: Certificate, root: bool) -> Iterator[Fault]:
    """Are key and signature such as nobody forges."""
    name = called(certificate)
    try:
        key = certificate.public_key()
        digest = (
            None if root else certificate.signature_hash_algorithm
        )  # a root is believed without its signature
    except (ValueError, UnsupportedAlgorithm):
        yield Fault(
            Check.STRENGTH, name, "has a key or a signature of an unknown kind", "use RSA and SHA-256"
        )
        return
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS:
        says = f"has an RSA key of {key.key_size} bits, less than {RSA_BITS}"
        yield Fault(Check.STRENGTH, name, says, f"have it issued anew for a key of {RSA_BITS} bits")
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < _EC_BITS:
        says = f"has an elliptic-curve key of {key.key_size} bits, less than {_EC_BITS}"
        yield Fault(Check.STRENGTH, name, says, f"have it issued anew for an RSA key of {RSA_BITS} bits")
    if digest is not None and digest.name in WEAK_HASHES:
        says = f"is signed with {'SHA-1' if digest.name == 'sha1' else digest.name.upper()}"
        yield Fault(Check.STRENGTH, name, says, "have it issued anew with SHA-256")


def critical(certificate: Certificate) -> Iterator[Fault]:
    """Is anything in it that must be understood and is not (§4.2)."""
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            says = (
                f"bears the critical extension {extension.oid.dotted_string}, which nobody here understands"
            )
            yield Fault(Check.READABLE, called(certificate), says, "have it issued without")


def purpose(certificate: Certificate, role: Role, policy: Policy) -> Iterator[Fault]:
    """§4.2.1.12, with the RFC 5924 usage for SIP domains: what it may be used as."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return  # good for everything
    fitting = {ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, SIP_DOMAIN}
    mend = "have it issued for serverAuth"
    if role is Role.SERVER:
        fitting.add(ExtendedKeyUsageOID.SERVER_AUTH)
    else:
        fitting.add(ExtendedKeyUsageOID.CLIENT_AUTH)
        mend = "have it issued for clientAuth"
        if policy.client_eku is ClientEku.ACCEPT_SERVER_AUTH:
            fitting.add(ExtendedKeyUsageOID.SERVER_AUTH)
        else:
            mend += ", or set the policy accept-server-auth"
    ignored = role is Role.CLIENT and policy.client_eku is ClientEku.IGNORE
    if not ignored and fitting.isdisjoint(usage):
        says = f"may not be used as TLS {role} (its extended key usage: {_uses(usage)})"
        yield Fault(Check.PURPOSE, called(certificate), says, mend)


def signs(leaf: Certificate) -> Iterator[Fault]:
    """§4.2.1.3: every suite of ours has the peer sign with its key."""
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.digital_signature:
        says = "may not be used for TLS (its key usage lacks digitalSignature)"
        yield Fault(Check.PURPOSE, called(leaf), says, "have it issued with digitalSignature")


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
    asked = " or ".join(map(domain, wanted)) or "anybody: no name is allowed here"
    domains = own.domains(common_name=policy.common_name)
    if domains:
        says = f"is for {', '.join(domains)}, not for {asked}"
        if any(name.startswith("*.") for name in domains) and not policy.wildcard:
            says += " (a wildcard does not count: RFC 5922 §7.2)"
    elif own.alternatives:
        says = f"has no dNSName and no sip: URI, and must be for {asked}"
    elif own.common_name and not policy.common_name:
        says = f"has no subjectAltName (its CN does not count), and must be for {asked}"
    else:
        says = f"bears no name, and must be for {asked}"
    mend = "correct the name configured here, or have it issued for that one"
    yield Fault(Check.NAMES, called(leaf), says, mend)
