"""The clocks and the dice."""

from __future__ import annotations

import os
import string
import time
from datetime import datetime

import pytest

from trunkline.aio.clock import SystemIds, civil_ns, civil_text, now


@pytest.mark.rfc("3261#19.3")
def test_tokens_are_long_words_of_token_characters_and_never_repeat() -> None:
    ids = SystemIds()
    words = [ids.token() for _ in range(5000)]
    assert len(set(words)) == 5000
    assert all(len(word) == 16 and set(word) <= set(string.hexdigits) for word in words)


def test_numbers_stay_below_their_bound_and_reach_it() -> None:
    ids = SystemIds()
    assert {ids.number(3) for _ in range(500)} == {0, 1, 2}
    assert ids.number(1) == 0
    large = [ids.number(1 << 240) for _ in range(20)]
    assert max(large) < 1 << 240
    assert min(number.bit_length() for number in large) > 200


def test_a_forked_process_draws_other_tokens() -> None:
    ids = SystemIds()
    ids.token()
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, ids.token().encode())
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(reading, 100).decode()
    os.close(reading)
    os.close(writing)
    assert len(told) == 16
    assert told != ids.token()


def test_an_instant_becomes_the_civil_time_at_which_it_was() -> None:
    before = time.time_ns()
    at = now()
    assert abs(civil_ns(at - 60.0) - (before - 60 * 10**9)) < 10**9
    assert civil_ns() >= before


def test_civil_text_is_rfc_3339_in_utc_with_milliseconds() -> None:
    text = civil_text()
    assert text[-5] == "."
    assert text[-1] == "Z"
    assert abs(datetime.fromisoformat(text).timestamp() - time.time_ns() / 1e9) < 5
