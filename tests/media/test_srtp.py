"""SRTP both ways against the tests' own, which is held to the vectors of RFC 3711 first."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session
from tests.own_srtp import NotAuthentic, Srtp, derive, keystream

from trunkline.finding import ParseError
from trunkline.media import srtp
from trunkline.media.rtp import Packet
from trunkline.media.srtp import Buffer, Inbound, Outbound, usable
from trunkline.sdp.crypto import Crypto

MATERIAL = bytes(range(30))
SUITE = "AES_CM_128_HMAC_SHA1_80"
AES_256 = "AES_256_CM_HMAC_SHA1_80"


def line(material: bytes = MATERIAL, suite: str = SUITE, more: str = "") -> Crypto:
    return Crypto(1, suite, (f"inline:{b64encode(material).decode()}{more}",))


def rtp(sequence: int, ssrc: int = 7, payload: bytes = b"p" * 160) -> bytes:
    return bytes(Packet(8, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, ssrc, payload))


def rtcp(ssrc: int = 7) -> bytes:
    return bytes((0x80, 201, 0, 1)) + ssrc.to_bytes(4, "big")


class Pair:
    """Both directions of one key, on one buffer."""

    def __init__(self, crypto: Crypto | None = None) -> None:
        crypto = crypto or line()
        self.buffer = Buffer()
        self.outbound, self.inbound = Outbound(crypto, self.buffer), Inbound(crypto, self.buffer)

    def close(self, packet: bytes) -> bytes:
        return self.buffer.content(self.outbound.protect(self.buffer.load(packet)))

    def open(self, packet: bytes) -> bytes:
        return self.buffer.content(self.inbound.unprotect(self.buffer.load(packet)))

    def close_rtcp(self, packet: bytes) -> bytes:
        return self.buffer.content(self.outbound.protect_rtcp(self.buffer.load(packet)))

    def open_rtcp(self, packet: bytes) -> bytes:
        return self.buffer.content(self.inbound.unprotect_rtcp(self.buffer.load(packet)))


# --- the judge ------------------------------------------------------------------


@pytest.mark.rfc("3711#B.2")
def test_own_keystream_gives_the_vectors_of_the_rfc() -> None:
    key = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
    counter = 0xF0F1F2F3F4F5F6F7F8F9FAFBFCFD0000
    vectors = {
        0x0000: "E03EAD0935C95E80E166B16DD92B4EB4",
        0x0001: "D23513162B02D0F72A43A2FE4A5F97AB",
        0x0002: "41E95B3BB0A2E8DD477901E4FCA894C0",
        0xFEFF: "EC8CDF7398607CB0F2D21675EA9EA1E4",
        0xFF00: "362B7C3C6773516318A077D7FC5073AE",
        0xFF01: "6A2CC3787889374FBEB4C81B17BA6C44",
    }
    stream = keystream(key, counter, 0xFF02 * 16)
    for block, expected in vectors.items():
        assert stream[16 * block : 16 * block + 16].hex().upper() == expected


@pytest.mark.rfc("3711#B.3")
def test_own_key_derivation_gives_the_vectors_of_the_rfc() -> None:
    key = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
    salt = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
    assert derive(key, salt, 0, 16).hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert derive(key, salt, 2, 14).hex().upper() == "30CBBC08863D8C85D49DB34A9AE1"
    assert derive(key, salt, 1, 94).hex().upper() == (
        "CEBE321F6FF7716B6FD4AB49AF256A15"
        "6D38BAA48F0A0ACF3C34E2359E6CDBCE"
        "E049646C43D9327AD175578EF7227098"
        "6371C10C9A369AC2F94A8C5FBCDDDC25"
        "6D6E919A48B610EF17C2041E47403576"
        "6B68642C59BBFC2F34DB60DBDFB2"
    )


@pytest.mark.rfc("6188#7.2")
def test_own_key_derivation_with_256_bits_gives_the_vectors_of_the_rfc() -> None:
    key = bytes.fromhex("F0F04914B513F2763A1B1FA130F10E2998F6F6E43E4309D1E622A0E332B9F1B6")
    salt = bytes.fromhex("3B04803DE51EE7C96423AB5B78D2")
    assert derive(key, salt, 0, 32).hex().upper() == (
        "5BA1064E30EC51613CAD926C5A28EF731EC7FB397F70A960653CAF06554CD8C4"
    )
    assert derive(key, salt, 2, 14).hex().upper() == "FA31791685CA444A9E07C6C64E93"
    assert derive(key, salt, 1, 20).hex().upper() == "FD9C32D39ED5FBB5A9DC96B30818454D1313DC05"


# --- both ways ------------------------------------------------------------------


@pytest.mark.rfc("3711#3.3.1")
def test_each_opens_what_the_other_closed_through_rollovers() -> None:
    ours, own_out, own_in = Pair(), Srtp(MATERIAL), Srtp(MATERIAL)
    step = 1500  # below half the numbers: the rollover is always seen
    for sequence in range(65000, 65000 + 2 * 65536 + 2 * step, step):
        packet = rtp(sequence)
        closed = ours.close(packet)
        assert len(closed) == len(packet) + 10
        assert own_in.open(closed) == (packet, sequence)
        assert ours.open(own_out.close(packet)) == packet
        assert own_out.sources == own_in.sources
    assert own_in.sources[7][0] == 3
    assert ours.inbound.refused == 0


def test_late_packets_around_a_rollover_are_opened() -> None:
    ours, own = Pair(), Srtp(MATERIAL)
    order = [65533, 65535, 65536, 65534, 65538, 65537]
    closed = {sequence: own.close(rtp(sequence)) for sequence in sorted(order)}
    assert [ours.open(closed[sequence]) for sequence in order] == [rtp(sequence) for sequence in order]


@pytest.mark.rfc("3711#3.4")
def test_each_opens_the_rtcp_that_the_other_closed() -> None:
    ours, own_out, own_in = Pair(), Srtp(MATERIAL), Srtp(MATERIAL)
    for count in range(1, 4):
        opened, index = own_in.open_rtcp(ours.close_rtcp(rtcp() + b"q" * 4 * count))
        assert (opened, index) == (rtcp() + b"q" * 4 * count, count)
        assert ours.open_rtcp(own_out.close_rtcp(rtcp())) == rtcp()


@pytest.mark.guide("SRTP-1")
@pytest.mark.rfc("6188#3.1")
def test_each_opens_what_the_other_closed_with_256_bits() -> None:
    material = bytes(range(46))
    ours, own_out, own_in = Pair(line(material, AES_256)), Srtp(material), Srtp(material)
    for sequence in (1, 2, 30000, 60000, 65536, 65537):
        packet = rtp(sequence)
        assert own_in.open(ours.close(packet)) == (packet, sequence)
        assert ours.open(own_out.close(packet)) == packet
    for count in (1, 2):
        assert own_in.open_rtcp(ours.close_rtcp(rtcp())) == (rtcp(), count)
        assert ours.open_rtcp(own_out.close_rtcp(rtcp())) == rtcp()
    weaker = Srtp(material[:16] + material[32:])
    with pytest.raises(NotAuthentic):
        weaker.open(ours.close(rtp(65538)))


def test_a_libsrtp_with_other_policies_is_not_guessed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(srtp, "_WEAK", (1, 30, 3, 20, 10, 2))
    with pytest.raises(ParseError, match="is known to have") as refused:
        Outbound(line(bytes(46), AES_256), Buffer())
    assert refused.value.status == 488


def test_the_public_session_of_pylibsrtp_gives_the_same_octets() -> None:
    ours = Pair()
    theirs = Session(Policy(MATERIAL, Policy.SSRC_ANY_OUTBOUND))
    for sequence in range(5):
        assert ours.close(rtp(sequence)) == theirs.protect(rtp(sequence))
        assert ours.close_rtcp(rtcp()) == theirs.protect_rtcp(rtcp())


def test_the_short_tag_is_four_octets_and_that_of_rtcp_stays_ten() -> None:
    ours = Pair(line(suite="AES_CM_128_HMAC_SHA1_32"))
    assert len(ours.close(rtp(1))) == len(rtp(1)) + 4
    assert len(ours.close_rtcp(rtcp())) == len(rtcp()) + 4 + 10  # RFC 4568 §6.2.2
    assert ours.open(ours.close(rtp(2))) == rtp(2)


# --- what is refused --------------------------------------------------------------


@pytest.mark.rfc("3711#3.3.2")
def test_a_packet_is_opened_once() -> None:
    ours, own = Pair(), Srtp(MATERIAL)
    assert ours.inbound._policy.window_size == 128
    closed = [own.close(rtp(sequence)) for sequence in range(300)]
    assert ours.open(closed[0]) == rtp(0)
    assert ours.open(closed[0]) == b""
    assert ours.open(closed[299]) == rtp(299)
    assert ours.open(closed[299 - 100]) == rtp(199)  # within the window
    assert ours.open(closed[299 - 100]) == b""
    assert ours.open(closed[299 - 200]) == b""  # out of it: too old to tell
    assert (ours.inbound.refused, ours.inbound.replayed) == (3, 3)


def test_a_packet_of_another_key_is_refused_and_lies_as_it_came() -> None:
    ours, other = Pair(), Srtp(bytes(30))
    closed = other.close(rtp(1))
    length = ours.buffer.load(closed)
    assert ours.inbound.unprotect(length) == 0
    assert ours.buffer.content(length) == closed
    assert (ours.inbound.refused, ours.inbound.replayed) == (1, 0)
    assert ours.open_rtcp(other.close_rtcp(rtcp())) == b""


def test_a_number_once_sent_is_not_closed_again() -> None:
    ours = Pair()
    assert ours.close(rtp(5)) != b""
    assert ours.close(rtp(5, payload=b"other")) == b""
    assert ours.outbound.refused == 1


def test_a_source_that_was_forgotten_leaves_the_others_as_they_are() -> None:
    ours, own = Pair(), Srtp(MATERIAL)
    seven, eight = own.close(rtp(1, ssrc=7)), own.close(rtp(1, ssrc=8))
    assert (ours.open(seven), ours.open(eight)) == (rtp(1, ssrc=7), rtp(1, ssrc=8))
    ours.inbound.forget(8)
    assert ours.open(eight) == rtp(1, ssrc=8)  # as if it had never come
    assert ours.open(seven) == b""


@given(st.binary(max_size=2100))
def test_any_bytes_are_refused_without_harm(junk: bytes) -> None:
    ours = PAIR
    assert ours.open(junk) == b""
    assert ours.open_rtcp(junk) == b""


PAIR = Pair()


@given(st.binary(min_size=172, max_size=172), st.integers(0, 181), st.integers(1, 255))
def test_any_changed_octet_is_noticed_by_both(payload: bytes, place: int, change: int) -> None:
    packet = rtp(9, payload=payload[:160])
    ours, own = Pair(), Srtp(MATERIAL)
    closed = bytearray(ours.close(packet))
    closed[place] ^= change
    assert ours.open(bytes(closed)) == b""
    with pytest.raises(NotAuthentic):
        own.open(bytes(closed))


# --- which lines can be carried --------------------------------------------------


@pytest.mark.parametrize(
    "crypto",
    [
        line(bytes(38), "AES_192_CM_HMAC_SHA1_80"),
        line(bytes(30), AES_256),
        line(bytes(28), "AEAD_AES_128_GCM"),
        line(more="|1:4"),  # an MKI stands in each packet
        Crypto(1, SUITE, line().key_params, ("UNENCRYPTED_SRTP",)),
        line(bytes(29)),
        Crypto(1, "SOMETHING", line().key_params),
    ],
)
def test_a_line_that_cannot_be_carried_is_told(crypto: Crypto) -> None:
    assert not usable(crypto)
    with pytest.raises(ParseError) as refused:
        Inbound(crypto, Buffer())
    assert refused.value.status == 488
    assert crypto.key_params[0][7:] not in str(refused.value)


def test_the_usual_lines_can_be_carried() -> None:
    assert usable(line())
    assert usable(line(more="|2^31"))
    assert usable(line(suite="AES_CM_128_HMAC_SHA1_32"))


@pytest.mark.rfc("4568#7.1.4")
def test_the_same_key_under_another_tag_is_the_same_context() -> None:
    context = Pair().inbound
    assert context.same_key(Crypto(2, SUITE, line().key_params))
    assert not context.same_key(line(bytes(30)))
    assert not context.same_key(line(suite="AES_CM_128_HMAC_SHA1_32"))


def test_a_packet_longer_than_the_buffer_is_cut() -> None:
    buffer = Buffer()
    assert buffer.load(bytes(3000)) == len(buffer.room) == 2048
