"""The tunnels brought up between two routers by wg-quick and strongSwan, from the dossier's very files."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.interop.program import until
from tests.plan.namespaces import Host, wire
from tests.plan.sites import REMOTE, REMOTE_INTERNET, answered, site

from trunkline.plan import tunnels

pytestmark = [pytest.mark.network, pytest.mark.guide("INET-5")]

MAIN, FAR = "203.0.113.1", "203.0.113.20"
EF = 0xB8
# ESP in user space: the kernel of a test machine may have none.
DAEMON = """
charon {
  load_modular = yes
  plugins {
    include /etc/strongswan.d/charon/*.conf
    kernel-libipsec {
      load = yes
    }
  }
}
"""


# What the carrier answered over BVPN, for the guide leaves it open.
TOLD = answered(bvpn__sbc__nominal__media="198.51.100.11", bvpn__sbc__backup__media="203.0.113.11")


def laid(of: Path, folder: Path, kind: str) -> dict[str, Path]:
    """The files of a kind, laid out by router: one folder each."""
    chapter = tunnels.chapter(site(of, vpn__address=MAIN), TOLD)
    places: dict[str, Path] = {}
    for file in chapter.files:
        _, what, router, name = file.name.split("/")
        if what == kind:
            places[router] = folder / router
            places[router].mkdir(exist_ok=True)
            (places[router] / name).write_text(file.text)
    return places


@contextmanager
def routers(mounts: dict[str, dict[str, Path]], remote_lan: str) -> Iterator[tuple[Host, Host]]:
    """Both routers, each with its LAN's address, and the internet between them as one cable."""
    with Host("main site", mounts["main"]) as main, Host("remote site", mounts["remote"]) as remote:
        wire(main, "isp", remote, "isp")
        for host, address, lan in ((main, MAIN, "192.0.2.10/24"), (remote, FAR, remote_lan)):
            host.runs("ip", "address", "add", f"{address}/24", "dev", "isp")
            host.runs("ip", "address", "add", lan, "dev", "lo")
        yield main, remote


def test_wireguard_carries_voice_between_the_lans_marked_ef(tmp_path: Path) -> None:
    places = laid(REMOTE_INTERNET, tmp_path, "wireguard")
    mounts = {
        "main": {"/etc/wireguard": places["main-site"]},
        "remote": {"/etc/wireguard": places["beaune"]},
    }
    with routers(mounts, "192.168.20.5/24") as (main, remote):
        for host, here, there in (
            (main, "tl-voice.key", "main-site.pub"),
            (remote, "tl-beaune.key", "beaune.pub"),
        ):
            private = host.runs("wg", "genkey")
            public = host.runs("wg", "pubkey", text=private)
            own = places["main-site"] if host is main else places["beaune"]
            other = places["beaune"] if host is main else places["main-site"]
            (own / here).write_text(private)
            (own / here).chmod(stat.S_IRUSR)
            (other / there).write_text(public)
        main.runs("wg-quick", "up", "tl-voice")
        remote.runs("wg-quick", "up", "tl-beaune")

        assert main.runs("wg", "show", "tl-voice", "allowed-ips").split()[1:] == [
            "10.255.0.2/32",
            "192.168.20.0/24",
        ]
        assert "mtu 1412" in main.runs("ip", "link", "show", "tl-voice")
        for host in (main, remote):
            host.asks("sniff", "isp")
        main.asks("open", "phone", "192.0.2.10", 16384)
        remote.asks("open", "phone", "192.168.20.5", 16384)
        remote.asks("send", "phone", "192.0.2.10", 16384, "voice")
        assert main.asks("receive", "phone") == ["voice", "192.168.20.5", 16384]
        main.asks("send", "phone", "192.168.20.5", 16384, "voice back")
        assert remote.asks("receive", "phone") == ["voice back", "192.0.2.10", 16384]
        for host, source, destination in ((main, FAR, MAIN), (remote, MAIN, FAR)):
            (remote if host is main else main).asks("udp", source, 40000, destination, 40001, "the end")
            outside = [packet for packet in host.seen("the end") if packet.port == 51820]
            assert outside
            assert {packet.tos for packet in outside} == {EF}
            assert not any("voice" in packet.mark for packet in outside)

        main.runs("wg-quick", "down", "tl-voice")
        assert "trunkline" not in main.runs("nft", "list", "tables")
        remote.runs("wg-quick", "down", "tl-beaune")


def test_strongswan_agrees_on_the_tunnel_and_carries_voice(tmp_path: Path) -> None:
    places = laid(REMOTE, tmp_path, "strongswan")
    swanctl = Path("/etc/swanctl")
    mounts = {}
    for end, router in (("main", "main-site"), ("remote", "arras")):
        folder = tmp_path / f"swanctl-{router}"
        for place in swanctl.iterdir():  # those for keys are root's alone, and empty
            if place.is_dir():
                (folder / place.name).mkdir(parents=True)
        (folder / "swanctl.conf").write_text("include conf.d/*.conf\n")
        (folder / "conf.d" / "trunkline.conf").write_text((places[router] / "swanctl.conf").read_text())
        (folder / "trunkline").mkdir()
        (folder / "trunkline" / "arras.psk").write_text('secret = "a secret of this test alone"\n')
        mounts[end] = {"/etc/swanctl": folder}
    daemon = tmp_path / "strongswan.conf"
    daemon.write_text(DAEMON)
    with routers(mounts, "192.168.20.5/24") as (main, remote):
        for through_main in ("192.168.21.1/24", "198.51.100.11/32", "203.0.113.11/32"):
            # ESP in user space wants an address of its own in each network it routes
            main.runs("ip", "address", "add", through_main, "dev", "lo")
        main.asks("open", "phone", "192.0.2.10", 16384)
        remote.asks("open", "phone", "192.168.20.5", 16384)
        for host in (main, remote):
            log, environment = str(tmp_path / f"{host.name}.log"), {"STRONGSWAN_CONF": str(daemon)}
            host.asks("start", ["/usr/lib/ipsec/charon"], log, environment)
            until(lambda host=host: host.asks("exists", "/run/charon.vici"), 20, "charon")  # type: ignore[misc]
            told = host.runs("swanctl", "--load-all")
            assert "loaded ike secret 'ike-arras'" in told
            assert "loaded connection 'arras'" in told
        until(lambda: "INSTALLED" in remote.runs("swanctl", "--list-sas"), 20, "the tunnel")
        agreed = main.runs("swanctl", "--list-sas")
        for word in ("ESTABLISHED", "AES_GCM_16-256", "PRF_HMAC_SHA2_384", "ECP_384", "192.168.20.0/24"):
            assert word in agreed
        remote.asks("send", "phone", "192.0.2.10", 16384, "voice")
        assert main.asks("receive", "phone") == ["voice", "192.168.20.5", 16384]
        main.asks("send", "phone", "192.168.20.5", 16384, "voice back")
        assert remote.asks("receive", "phone") == ["voice back", "192.0.2.10", 16384]
