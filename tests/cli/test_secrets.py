"""Fetching passwords."""

from __future__ import annotations

from pathlib import Path

import pytest

from trunkline.cli.secrets import fetched
from trunkline.site.load import load


def test_a_site_with_errors_has_no_passwords_to_fetch(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="errors"):
        fetched(load("", "x"), tmp_path, frozenset({"users"}))
