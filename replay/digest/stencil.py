"""A piece of a stream of audio, as a stencil for the next: most differ in their audio and id only.

Ten minutes of a call have tens of thousands of them. What fits a stencil need not be parsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from replay.match.jsontext import Json


class Stencil(NamedTuple):
    """What stands before and after the one id of a piece's own (`after` is empty if it has none),
    without audio; and what all such pieces share, as text and as a plain value."""

    before: bytes
    after: bytes
    has_id: bool
    shared: str
    value: Json

    def fits(self, lifted: bytes) -> bool:
        """Whether a message without its audio is the same but for the id."""
        if not self.has_id:
            return lifted == self.before
        name = lifted[len(self.before) : len(lifted) - len(self.after)]
        return (
            lifted.startswith(self.before)
            and lifted.endswith(self.after)
            and name.replace(b"_", b"").isalnum()  # so it is a JSON string as it stands
        )


def stencil_of(lifted: bytes, own: Sequence[Json], shared: str, value: Json) -> Stencil | None:
    """The stencil of a message without its audio, whose `own` values others need not share; None if
    these are more than one id."""
    if not own:
        return Stencil(lifted, b"", False, shared, value)
    if len(own) > 1 or type(own[0]) is not str:
        return None
    before, quoted, after = lifted.partition(b'"%s"' % own[0].encode("utf-8", "surrogatepass"))
    if not quoted or quoted in after:
        return None
    return Stencil(before + b'"', b'"' + after, True, shared, value)
