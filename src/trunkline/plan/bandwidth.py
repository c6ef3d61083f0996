"""What a voice channel really takes on a link, counted from its packets (CAC-2: the guide's figure).

Sizes are bytes of one packet, rates kb/s in one direction. RTCP is the compound report that each
end sends every 5 s (RFC 3550 §6.2, the minimum interval, which binds for a call of two).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Tunnel = Literal["", "wireguard", "ipsec-gcm", "ipsec-cbc"]

# Bits of speech a second (ITU-T G.711, G.729).
SPEECH: Final = {"PCMA": 64_000, "PCMU": 64_000, "G729": 8_000}

RTP: Final = 12  # RFC 3550 §5.1, no CSRC
UDP: Final = 8
IPV4, IPV6 = 20, 40
SRTP_TAG: Final = {"AES_CM_128_HMAC_SHA1_80": 10, "AES_CM_128_HMAC_SHA1_32": 4, "AES_256_CM_HMAC_SHA1_80": 10}
ETHERNET: Final = 18  # header and FCS (IEEE 802.3); a VLAN tag adds 4

RTCP_INTERVAL: Final = 5.0  # s, RFC 3550 §6.2
RTCP_REPORT: Final = 52 + 28  # sender report with one block (§6.4.1), SDES with a CNAME of 16 letters (§6.5)
SRTCP_INDEX: Final = 4  # RFC 3711 §3.4
SRTCP_TAG: Final = 10  # always 80 bits (RFC 4568 §6.2)

ESP_HEADER: Final = 8  # SPI and sequence number (RFC 4303 §2)
ESP_TRAILER: Final = 2  # pad length and next header
GCM_IV, GCM_ALIGN, GCM_ICV = 8, 4, 16  # RFC 4106 §3, RFC 4303 §2.4, RFC 4106 §6
CBC_IV, CBC_ALIGN, CBC_ICV = 16, 16, 16  # RFC 3602 §3; HMAC-SHA-256-128, RFC 4868 §2.3
WIREGUARD_HEADER, WIREGUARD_ALIGN, WIREGUARD_TAG = 16, 16, 16  # its white paper, §5.4.6


@dataclass(frozen=True, slots=True)
class Voice:
    """The packets of one direction of a call. `suite` is SRTP's, empty: plain RTP; `ptime` in ms."""

    codec: str = "PCMA"
    ptime: int = 20
    suite: str = ""
    ipv6: bool = False
    tunnel: Tunnel = ""
    tunnel_ipv6: bool = False

    @property
    def packets_a_second(self) -> float:
        return 1000 / self.ptime

    @property
    def packet(self) -> int:
        """A media packet at IP level, outside the tunnel if there is one."""
        speech = SPEECH[self.codec] * self.ptime // 8000
        return self._outer(speech + RTP + SRTP_TAG.get(self.suite, 0) + self._ip_udp)

    @property
    def report(self) -> int:
        """An RTCP packet at IP level."""
        sealed = SRTCP_INDEX + SRTCP_TAG if self.suite else 0
        return self._outer(RTCP_REPORT + sealed + self._ip_udp)

    @property
    def media(self) -> float:
        """kb/s of media at IP level."""
        return self.packet * 8 * self.packets_a_second / 1000

    @property
    def control(self) -> float:
        """kb/s of RTCP at IP level."""
        return self.report * 8 / RTCP_INTERVAL / 1000

    @property
    def ip(self) -> float:
        """kb/s of the channel at IP level: media and RTCP."""
        return self.media + self.control

    @property
    def ethernet(self) -> float:
        """kb/s of media on an Ethernet: what a switch counts, without preamble and gap."""
        return (self.packet + ETHERNET) * 8 * self.packets_a_second / 1000

    @property
    def _ip_udp(self) -> int:
        return (IPV6 if self.ipv6 else IPV4) + UDP

    def _outer(self, inner: int) -> int:
        outer = IPV6 if self.tunnel_ipv6 else IPV4
        match self.tunnel:
            case "ipsec-gcm":
                return outer + ESP_HEADER + GCM_IV + _aligned(inner + ESP_TRAILER, GCM_ALIGN) + GCM_ICV
            case "ipsec-cbc":
                return outer + ESP_HEADER + CBC_IV + _aligned(inner + ESP_TRAILER, CBC_ALIGN) + CBC_ICV
            case "wireguard":
                return outer + UDP + WIREGUARD_HEADER + _aligned(inner, WIREGUARD_ALIGN) + WIREGUARD_TAG
            case _:
                return inner


def tunnel_mtu(tunnel: Tunnel, link: int = 1500, *, ipv6: bool = False) -> int:
    """The largest packet that goes through the tunnel in one piece on a link of that MTU, in bytes."""
    outer = IPV6 if ipv6 else IPV4
    match tunnel:
        case "ipsec-gcm":
            room = link - outer - UDP - ESP_HEADER - GCM_IV - GCM_ICV  # UDP: behind NAT (RFC 3948)
            return room // GCM_ALIGN * GCM_ALIGN - ESP_TRAILER
        case "ipsec-cbc":
            room = link - outer - UDP - ESP_HEADER - CBC_IV - CBC_ICV
            return room // CBC_ALIGN * CBC_ALIGN - ESP_TRAILER
        case "wireguard":
            # What wg-quick takes: the larger outer header, so that the peer may move to IPv6.
            return link - IPV6 - UDP - WIREGUARD_HEADER - WIREGUARD_TAG
        case _:
            return link


def _aligned(size: int, to: int) -> int:
    return -(-size // to) * to
