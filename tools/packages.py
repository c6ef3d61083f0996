"""The Debian packages the tests need: named, looked for, and installed where this user may.

    python3 tools/packages.py    installs the missing ones; else names them in one line, exit code 2

Runs before the virtual environment exists: standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# What the tests start, and the Debian package it comes in. A path is looked for as it is written.
PEERS = {
    "sipp": "sip-tester",
    "baresip": "baresip-core",
    "kamailio": "kamailio",
    "rtpengine": "rtpengine-daemon",
    "tshark": "tshark",
    "dumpcap": "tshark",
    "ip": "iproute2",
    "nft": "nftables",
    "iptables-restore": "iptables",
    "named-checkzone": "bind9-utils",
    "wg-quick": "wireguard-tools",
    "wireguard-go": "wireguard-go",  # where the kernel has no WireGuard
    "/usr/lib/ipsec/charon": "strongswan-charon",
    "swanctl": "strongswan-swanctl",
    "/usr/lib/ipsec/plugins/libstrongswan-openssl.so": "libstrongswan-standard-plugins",
    "/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so": "libcharon-extra-plugins",
    "unshare": "util-linux",
    "openssl": "openssl",
    "chromium": "chromium",  # judges the dossier's page as a reader sees it
    "g++": "g++",  # and with it gcc and libc6-dev: the generator of the media benchmark is C
}
# Those that bring a service: Debian would start it, now and at each boot.
SERVICES = {"kamailio": "kamailio.service", "rtpengine-daemon": "rtpengine-daemon.service"}
SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # not on the PATH of a plain Debian user

POLICY = Path("/usr/sbin/policy-rc.d")
KEEP_STOPPED = (
    "#!/bin/sh\n# put here for the length of one apt-get install; 101 = do not start it\nexit 101\n"
)


def find(command: str) -> str | None:
    """Where ``command`` is, on the PATH or among the administrator's; None when it is not installed."""
    if command.startswith("/"):  # a library is no command
        return command if Path(command).exists() else None
    return shutil.which(command, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *SBIN)))


def missing() -> list[str]:
    """The packages that would have to be installed before the tests with real peers can run."""
    return sorted({package for command, package in PEERS.items() if find(command) is None})


def as_root() -> list[str] | None:
    """The words before a command that make it run as root: none, sudo's, or None where that is refused."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


@contextmanager
def _nothing_starts(root: Sequence[str]) -> Iterator[None]:
    """Keeps maintainer scripts from starting what they install, by policy-rc.d as debootstrap does."""
    if POLICY.exists():  # the machine has its own policy: leave it; install() stops what it lets through
        yield
        return
    script = f"cat > {POLICY} && chmod 755 {POLICY}"
    subprocess.run([*root, "sh", "-c", script], input=KEEP_STOPPED, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run([*root, "rm", "-f", str(POLICY)], check=True)


def install(packages: Sequence[str]) -> str:
    """Installs ``packages`` without starting anything; "" when done, else one line that says why not."""
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    root = as_root()
    if root is None or shutil.which("apt-get") is None:
        return f"missing Debian packages: {' '.join(packages)} (as root: {command})"
    quiet = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    print(f"apt-get install {' '.join(packages)}", flush=True)
    with _nothing_starts(root):
        # A fresh image has no package lists, an old one stale ones: fetch them, and let install judge.
        subprocess.run([*quiet, "update"], stdout=subprocess.DEVNULL)
        asked = [*quiet, "install", "--no-install-recommends", *packages]
        done = subprocess.run(asked, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print(done.stdout[-2000:], file=sys.stderr)
        return f"missing Debian packages: {' '.join(packages)} ({command} failed)"
    if shutil.which("systemctl"):
        for service in (SERVICES[package] for package in packages if package in SERVICES):
            subprocess.run([*root, "systemctl", "disable", "--now", service], capture_output=True)
    return ""


def main() -> int:
    absent = missing()
    refusal = install(absent) if absent else ""
    if not refusal and missing():
        refusal = (
            f"missing Debian packages: {' '.join(missing())} (installed, but not where they are looked for)"
        )
    if refusal:
        print(refusal, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
