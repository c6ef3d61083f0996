"""The reference pages say what the code says."""

from __future__ import annotations

import pytest

import reference


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_page_is_what_its_generator_writes(name: str) -> None:
    written = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert written == reference.pages()[name], f"run tools/reference.py: docs/reference/{name} is out of date"


def test_every_state_table_of_the_product_is_drawn() -> None:
    drawn = set(reference.tables())
    assert {"call.leg", "call.watch", "pbx.call", "sdp.negotiation", "sip.registration"} <= drawn
    assert sum(label.startswith("sip.transaction.") for label in drawn) == 4
