"""The channel bound holds in any order of events (acceptance I, requirement CAC-1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.pbx.admission import Channel, Channels
from trunkline.site.gateway import Gateway, GatewayDomainProxy, GatewayGeneral, GatewayMedia
from trunkline.site.model import Trunk


def trunk(channels: int, *bandwidths: int) -> Trunk:
    return Trunk(
        channels=channels,
        gateways=tuple(
            Gateway(
                label=f"sbc{index}",
                general=GatewayGeneral(index=index),
                domain_proxy=GatewayDomainProxy(target_domain="sbc.example"),
                media=GatewayMedia(bandwidth=bandwidth),
            )
            for index, bandwidth in enumerate(bandwidths, 1)
        ),
    )


@pytest.mark.guide("CAC-1")
def test_call_over_the_bound_is_refused_and_counted() -> None:
    channels = Channels(2)
    assert channels.take("a", 1, 0.0)
    assert channels.take("b", 2, 0.0)
    assert not channels.take("c", 1, 0.0)
    assert (channels.used, channels.refused, channels.peak) == (2, 1, 2)
    channels.free("a")
    assert channels.take("c", 1, 1.0)


@pytest.mark.guide("CAC-1")
def test_emergency_call_is_let_in_beyond_every_bound_and_counts() -> None:
    channels = Channels(1, {1: 1})
    assert channels.take("a", 1, 0.0)
    assert channels.take("sos", 1, 0.0, emergency=True)
    assert (channels.used, channels.emergency, channels.refused) == (2, 1, 0)
    channels.free("a")
    assert not channels.take("b", 1, 0.0)
    channels.free("sos")
    assert channels.take("b", 1, 0.0)


def test_gateway_has_a_bandwidth_of_its_own() -> None:
    channels = Channels.of(trunk(5, 1, 0))
    assert channels.take("a", 1, 0.0)
    assert not channels.take("b", 1, 0.0)
    assert not channels.take("b", 2, 0.0)
    assert channels.take("b", 3, 0.0)  # no entry, no bound
    assert (channels.on_gateway(1), channels.on_gateway(2), channels.on_gateway(3)) == (1, 0, 1)


def test_rerouted_call_keeps_its_channel() -> None:
    channels = Channels(2, {1: 2, 2: 1})
    channels.take("a", 1, 0.0)
    channels.take("b", 1, 0.0)
    assert channels.move("a", 1)
    assert channels.move("a", 2)
    assert not channels.move("b", 2)
    assert (channels.on_gateway(1), channels.on_gateway(2), channels.used) == (1, 1, 2)


def test_emergency_call_moves_to_a_full_gateway() -> None:
    channels = Channels(2, {1: 1, 2: 0})
    channels.take("sos", 1, 0.0, emergency=True)
    assert channels.move("sos", 2)


def test_channel_taken_or_freed_twice_is_a_bug() -> None:
    channels = Channels(2)
    channels.take("a", 1, 0.0)
    with pytest.raises(ValueError, match="holds a channel already"):
        channels.take("a", 1, 0.0)
    channels.free("a")
    with pytest.raises(ValueError, match="holds no channel"):
        channels.free("a")
    with pytest.raises(ValueError, match="holds no channel"):
        channels.move("a", 2)
    assert not channels.holds("a")


def test_channels_held_too_long_are_listed_oldest_first() -> None:
    channels = Channels(3)
    channels.take("new", 1, 100.0)
    channels.take("old", 1, 10.0)
    channels.take("older", 2, 5.0, emergency=True)
    assert channels.stuck(110.0, 60.0) == (Channel("older", 2, 5.0, True), Channel("old", 1, 10.0))


def test_reloaded_bound_rules_new_calls_only() -> None:
    channels = Channels.of(trunk(2, 2))
    channels.take("a", 1, 0.0)
    channels.take("b", 1, 0.0)
    channels.rebound(trunk(1, 1))
    assert channels.used == 2
    channels.free("a")
    assert not channels.take("c", 1, 0.0)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["take", "emergency", "move", "free"]), st.sampled_from("abcdef"), st.integers(1, 3)
    )
)


@pytest.mark.guide("CAC-1")
@given(ACTS, st.integers(1, 3))
def test_counters_stay_right_in_any_order_and_end_at_zero(
    acts: list[tuple[str, str, int]], bound: int
) -> None:
    channels = Channels(bound, {1: 1, 2: 2})
    for act, call, gateway in acts:
        if act == "free" and channels.holds(call):
            channels.free(call)
        elif act == "move" and channels.holds(call):
            channels.move(call, gateway)
        elif act in ("take", "emergency") and not channels.holds(call):
            channels.take(call, gateway, 0.0, emergency=act == "emergency")
        assert channels.used - channels.emergency <= bound
        assert channels.used == sum(channels.on_gateway(index) for index in (1, 2, 3))
    for call in "abcdef":
        if channels.holds(call):
            channels.free(call)
    assert channels.used == channels.emergency == 0
    assert [channels.on_gateway(index) for index in (1, 2, 3)] == [0, 0, 0]
