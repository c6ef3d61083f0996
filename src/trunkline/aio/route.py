"""Which of this machine's own addresses it uses toward another."""

from __future__ import annotations

import socket


def address_toward(host: str, port: int) -> str:
    """The local address from which packets to this IP literal leave. Raises OSError without a route.

    Nothing is sent: a UDP connect only asks the kernel's routing table.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.connect((host, port))
        address: str = asking.getsockname()[0]
        return address
