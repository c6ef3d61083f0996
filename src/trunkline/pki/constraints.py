"""Name constraints of a CA (RFC 5280 §4.2.1.10): what the certificates below it may be called."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from cryptography import x509

from trunkline.finding import said
from trunkline.pki.certificate import Certificate, called, plain

_READ = (x509.DNSName, x509.UniformResourceIdentifier, x509.IPAddress, x509.DirectoryName)


def broken(path: Sequence[Certificate]) -> str:
    """Which CA of the path (leaf first) may not sign for which of the leaf's names; "" where all may."""
    names = _names(path[0])
    for issuer in path[1:]:
        try:
            limits = issuer.extensions.get_extension_for_class(x509.NameConstraints).value
        except x509.ExtensionNotFound:
            continue
        for name in names:
            if not _allowed(name, limits):
                return said(
                    "is signed by {issuer}, which may not sign for {name}",
                    "est signé par {issuer}, qui ne peut pas signer pour {name}",
                    issuer=called(issuer),
                    name=_shown(name),
                )
    return ""


def _names(leaf: Certificate) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DirectoryName(leaf.subject)] if list(leaf.subject) else []
    with suppress(x509.ExtensionNotFound):
        names += leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names


def _allowed(name: x509.GeneralName, limits: x509.NameConstraints) -> bool:
    permitted = [tree for tree in limits.permitted_subtrees or () if type(tree) is type(name)]
    excluded = [tree for tree in limits.excluded_subtrees or () if type(tree) is type(name)]
    if not permitted and not excluded:
        return True
    if not isinstance(name, _READ):
        return False  # RFC 5280 §6.1: what cannot be judged is refused
    if any(_within(name, tree) for tree in excluded):
        return False
    return not permitted or any(_within(name, tree) for tree in permitted)


def _within(name: x509.GeneralName, tree: x509.GeneralName) -> bool:
    """Whether the name lies in the subtree of its kind."""
    match name, tree:
        case x509.DNSName(), x509.DNSName():
            return _below(name.value, tree.value)
        case x509.UniformResourceIdentifier(), x509.UniformResourceIdentifier():
            host = name.value.partition(":")[2].lstrip("/").rpartition("@")[2]
            host = host.partition(":")[0].partition(";")[0].partition("/")[0]
            # A leading dot asks for a name below; without one the constraint is one host (RFC 5280).
            if tree.value.startswith("."):
                return host.lower() != tree.value[1:].lower() and _below(host, tree.value[1:])
            return host.lower() == tree.value.lower()
        case x509.IPAddress(), x509.IPAddress():
            address, network = name.value, tree.value
            return (
                isinstance(address, IPv4Address | IPv6Address)
                and isinstance(network, IPv4Network | IPv6Network)
                and address in network
            )
    assert isinstance(name, x509.DirectoryName)
    assert isinstance(tree, x509.DirectoryName)
    root = list(tree.value.rdns)
    return list(name.value.rdns)[: len(root)] == root


def _below(host: str, domain: str) -> bool:
    host, domain = host.lower(), domain.lower().removeprefix(".")
    return not domain or host == domain or host.endswith("." + domain)


def _shown(name: x509.GeneralName) -> str:
    return plain(name.value.rfc4514_string() if isinstance(name, x509.DirectoryName) else str(name.value))
