"""The firewall files loaded in a firewall of their own, and packets sent through it: what passes, what not.

What may pass is written here again, by hand from the guide's table (2.4.4): rows and rules are both judged.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from tests.plan.namespaces import Host, Packet, wire
from tests.plan.sites import EVERY, FACTS, INTERNET_A, INTERNET_B, read, site

from packages import find
from trunkline.plan import firewall

pytestmark = pytest.mark.network

SIGNALLING, MEDIA = ("194.250.129.194", "194.250.129.196"), ("194.250.129.193", "194.250.129.195")
DNS, STRANGER = "198.51.100.53", "203.0.113.99"
FAR = (*SIGNALLING, *MEDIA, DNS, STRANGER)
PORTS = (22, 53, 123, 443, 500, 4500, 5060, 5061, 5062, 5999, 6000, 20000, 38000, 38001)
PROBES = 40000  # source ports of the probes, and no port of the table


def allowed(protocol: str, far: str, port: int, *, outward: bool) -> bool:
    """The guide's table."""
    if protocol == "tcp":
        return far in SIGNALLING and port == 5061
    return (far in MEDIA and 6000 <= port <= 38000) or (outward and far == DNS and port == 53)


class Ground(NamedTuple):
    ipbx: Host
    firewall: Host
    internet: Host
    near: str  # the IPBX's own address
    public: str  # and what the internet knows it by


def files(of: str, name: str) -> str:
    """One file of the example's dossier."""
    found = {file.name: file.text for file in firewall.chapter(site(_FILES[of]), FACTS).files}
    return found[f"firewall/{name}"]


_FILES = {"a": INTERNET_A, "b": INTERNET_B}


@contextmanager
def ground(near: str, public: str, *, bridge: bool = False) -> Iterator[Ground]:
    """IPBX - firewall - internet; the internet has every far address."""
    with Host("ipbx") as ipbx, Host("firewall") as middle, Host("internet") as internet:
        wire(ipbx, "eth1", middle, "dmz")
        wire(middle, "wan", internet, "isp")
        gateway = near.rpartition(".")[0] + ".1"
        ipbx.runs("ip", "address", "add", f"{near}/24", "dev", "eth1")
        if bridge:
            middle.runs("ip", "link", "add", "br0", "type", "bridge")
            for port in ("dmz", "wan"):
                middle.runs("ip", "link", "set", port, "master", "br0")
            middle.runs("ip", "link", "set", "br0", "up")
            internet.runs("ip", "address", "add", f"{gateway}/24", "dev", "isp")
        else:
            middle.asks("write", "/proc/sys/net/ipv4/ip_forward", "1")
            middle.runs("ip", "address", "add", f"{gateway}/24", "dev", "dmz")
            middle.runs("ip", "address", "add", "10.99.0.1/30", "dev", "wan")
            if public != near:
                middle.runs("ip", "address", "add", f"{public}/32", "dev", "wan")
            middle.runs("ip", "route", "add", "default", "via", "10.99.0.2")
            internet.runs("ip", "address", "add", "10.99.0.2/30", "dev", "isp")
            internet.runs("ip", "route", "add", f"{public}/32", "via", "10.99.0.1")
        for address in FAR:
            internet.runs("ip", "address", "add", f"{address}/32", "dev", "lo")
        ipbx.runs("ip", "route", "add", "default", "via", gateway)
        yield Ground(ipbx, middle, internet, near, public)


def outcome(on: Ground, *, outward: bool) -> tuple[set[Packet], set[Packet]]:
    """Every far end, protocol and port tried in one direction: what arrived, and what the table lets by."""
    sender, receiver = (on.ipbx, on.internet) if outward else (on.internet, on.ipbx)
    receiver.asks("sniff", "isp" if outward else "eth1")
    wanted = set()
    target = on.public
    tries = [(protocol, far, port) for far in FAR for protocol in ("tcp", "udp") for port in PORTS]
    for source_port, (protocol, far, port) in enumerate(tries, PROBES):
        source, destination = (on.near, far) if outward else (far, target)
        more = (f"{source_port}",) if protocol == "udp" else ()
        sender.asks("syn" if protocol == "tcp" else "udp", source, source_port, destination, port, *more)
        if allowed(protocol, far, port, outward=outward):
            ends = (on.public, source_port, far) if outward else (far, source_port, on.near)
            wanted.add(Packet(protocol, *ends, port, *more))
    source, destination = (on.near, MEDIA[0]) if outward else (MEDIA[0], target)
    sender.asks("udp", source, PROBES - 1, destination, 20001, "the end")
    arrived = {packet for packet in receiver.seen("the end") if packet.source_port >= PROBES}
    return arrived, wanted


def talks(on: Ground) -> None:
    """Conversations, both ways: each side sees the address it should, and the ports are kept."""
    for far in SIGNALLING:
        on.internet.asks("listen", far, far, 5061)
        port = on.ipbx.asks("connect", far, on.near, far, 5061, "register")
        assert on.internet.asks("accept", far) == [on.public, port]
        assert on.ipbx.asks("receive", far)[0] == "REGISTER"
    on.ipbx.asks("listen", "trunk", on.near, 5061)
    for far in SIGNALLING:
        port = on.internet.asks("connect", f"to {far}", far, on.public, 5061, "invite")
        assert on.ipbx.asks("accept", "trunk") == [far, port]
        assert on.internet.asks("receive", f"to {far}")[0] == "INVITE"
    on.ipbx.asks("open", "rtp", on.near, 6000)
    for far in MEDIA:
        on.internet.asks("open", far, far, 20000)
        on.internet.asks("send", far, on.public, 6000, "the first packet comes from there")
        assert on.ipbx.asks("receive", "rtp")[1:] == [far, 20000]
        on.ipbx.asks("send", "rtp", far, 20000, "and the answer goes back")
        assert on.internet.asks("receive", far) == ["and the answer goes back", on.public, 6000]
    on.internet.asks("open", "dns", DNS, 53)
    on.ipbx.asks("open", "resolver", on.near, 39000)
    on.ipbx.asks("send", "resolver", DNS, 53, "where is sbc1?")
    assert on.internet.asks("receive", "dns") == ["where is sbc1?", on.public, 39000]
    on.internet.asks("send", "dns", on.public, 39000, "there")
    assert on.ipbx.asks("receive", "resolver")[0] == "there"


def load(on: Ground, kind: str, text: str) -> None:
    """The file, loaded twice: a second load takes the place of the first. iptables only once, as it says."""
    if kind.startswith("nftables"):
        for _ in range(2):
            on.firewall.runs("nft", "-f", "-", text=text)
    else:
        on.firewall.runs("iptables-restore", "--noflush", text=text)


CASES = [
    ("a", "nftables.nft", "192.0.2.130", "192.0.2.130"),
    ("a", "nftables-bridge.nft", "192.0.2.130", "192.0.2.130"),
    ("a", "iptables.rules", "192.0.2.130", "192.0.2.130"),
    ("b", "nftables.nft", "10.20.0.10", "198.51.100.130"),
    ("b", "iptables.rules", "10.20.0.10", "198.51.100.130"),
]


@pytest.mark.guide("FW-4")
@pytest.mark.parametrize(("of", "kind", "near", "public"), CASES, ids=lambda word: word)
def test_what_the_guide_opens_passes_and_nothing_else(of: str, kind: str, near: str, public: str) -> None:
    with ground(near, public, bridge="bridge" in kind) as on:
        load(on, kind, files(of, kind))
        for outward in (True, False):
            arrived, wanted = outcome(on, outward=outward)
            assert len(wanted) == (2 + 6 + 1 if outward else 2 + 6)
            assert arrived == wanted
        talks(on)


def test_without_the_rules_everything_would_have_passed() -> None:
    with ground("192.0.2.130", "192.0.2.130") as on:
        for outward in (True, False):
            arrived, _ = outcome(on, outward=outward)
            assert len(arrived) == len(FAR) * 2 * len(PORTS)


def test_nobody_answers_a_question_that_was_not_asked() -> None:
    with ground("192.0.2.130", "192.0.2.130") as on:
        load(on, "nftables", files("a", "nftables.nft"))
        on.ipbx.asks("sniff", "eth1")
        on.internet.asks("udp", DNS, 53, on.near, 45000, "unasked")
        on.internet.asks("udp", MEDIA[0], 53, on.near, 6000, "the end")
        assert on.ipbx.seen("the end") == []


@pytest.mark.parametrize(
    "file", [file for file in EVERY if "internet" in file.stem], ids=lambda file: file.stem
)
def test_every_file_loads(file) -> None:  # type: ignore[no-untyped-def]
    texts = {one.name: one.text for one in firewall.chapter(read(file.read_text("utf-8")), FACTS).files}
    for name, text in texts.items():
        if name.endswith((".nft", ".rules")):
            assert checked(name, text) == ""


def checked(name: str, text: str) -> str:
    """What the tool that loads such a file has against it."""
    command = ["nft", "-c", "-f", "-"] if name.endswith(".nft") else ["iptables-restore", "--test"]
    if "ip6tables" in name:
        command[0] = "ip6tables-restore"
    done = subprocess.run([str(find(command[0])), *command[1:]], input=text, capture_output=True, text=True)
    return done.stderr if done.returncode else ""


def test_an_ipv6_site_and_hostile_words_load_too() -> None:
    changes = {
        "customer": 'Evil"; flush ruleset; # \\ é',
        "interfaces__eth1": {"address": "2001:db8:1::10", "prefix": "64"},
        "dns": ["2001:db8:53::53"],
        "ntp": ["2001:db8:123::1"],
        "cloud_connect__access": "trunk",
    }
    chapter = firewall.chapter(site(INTERNET_A, **changes), FACTS)
    texts = {file.name: file.text for file in chapter.files}
    assert "2001:db8:53::53" in texts["firewall/nftables.nft"]
    assert "NOT OPEN" in texts["firewall/nftables.nft"]  # the SBCs have IPv4 addresses alone
    for name in ("nftables.nft", "nftables-bridge.nft", "ip6tables.rules"):
        assert checked(name, texts[f"firewall/{name}"]) == ""
    assert checked("x.nft", "table inet x { nonsense }") != ""
    assert checked("x.rules", "*filter\n-A FORWARD --nonsense\nCOMMIT\n") != ""
