"""What the trunk's tests share: dice that always fall alike."""

from __future__ import annotations


class Dice:
    """Ids that count: t1, t2, ... and always the same number."""

    def __init__(self, falls: int = 500) -> None:
        self.falls = falls
        self.tokens = 0

    def token(self) -> str:
        self.tokens += 1
        return f"t{self.tokens}"

    def number(self, below: int) -> int:
        return min(self.falls, below - 1)
