"""Private keys drawn from the operating system's random source."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa

from trunkline.pki.key import RSA_BITS, Key


def new_key(bits: int = RSA_BITS) -> Key:
    """A fresh RSA key; fewer than 2048 bits are for the lab's bad certificates only."""
    return Key(rsa.generate_private_key(65537, bits))
