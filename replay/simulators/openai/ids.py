"""Ids as the service mints them: a prefix, five characters of time, sixteen of chance.

The time is the creation second since 2019-12-20 (unix 1 576 800 000) in base 62, digits first,
then capitals, then small letters. Observed on recorded sessions, whose `expires_at` is an hour
after the second in their id.
"""

from __future__ import annotations

import random
from collections.abc import Callable

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_EPOCH = 1_576_800_000


def base62(number: int, width: int) -> str:
    """`number` in base 62, padded on the left to `width` characters."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


class Mint:
    """Mints the ids, padding and other noise of one conversation from its own seed.

    `wall_s` maps a monotonic time in ns to unix seconds.
    """

    def __init__(self, seed: str, wall_s: Callable[[int], int]) -> None:
        self.chance = random.Random(seed)
        self.wall_s = wall_s

    def noise(self, length: int) -> str:
        """Random base-62 characters; none for a negative length."""
        return "".join(self.chance.choices(_ALPHABET, k=max(0, length)))

    def tail(self, now: int) -> str:
        """The 21 characters after a prefix."""
        return base62(self.wall_s(now) - _EPOCH, 5) + self.noise(16)

    def make(self, prefix: str, now: int) -> str:
        """An id such as `item_…`; `prefix` includes the underscore."""
        return prefix + self.tail(now)

    def call_id(self) -> str:
        """The id of a function call, which carries no time."""
        return "call_" + self.noise(16)

    def buffer_event_id(self) -> str:
        """The id of an `output_audio_buffer.*` event, minted by the media side of a call."""
        return f"event_{self.chance.getrandbits(64):016x}"
