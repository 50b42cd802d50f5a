"""What the events of a session share, so that a row holds only what is its own.

A *form* is a sender, a kind and a type; for events whose audio is one piece also its place in the
body, and the body itself where the same came twice in a row. Most messages of a call do nothing
but carry audio: of these, time, audio and digest are left in a row.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from typing import Any, Final

from recorder.errors import StoreError
from recorder.store.base import AudioRef, EventRow

Row = tuple[Any, ...]
Alone = MutableMapping[tuple[str, int], AudioRef]
_MOST: Final = 4096  # forms that are remembered; one that is forgotten is stored again
_MOST_BODIES: Final = 256  # shared bodies of a session
_NO_AUDIO: Final = (None, None, None)


def refusal(why: str) -> StoreError:
    """The error of a batch that breaks a rule."""
    return StoreError(f"refused by a rule of the store ({why}); nothing was stored")


class Forms:
    """The forms of one session, as far as they are known, and those to be stored (`fresh`)."""

    def __init__(self, session: int, stored: Iterable[Row]) -> None:
        self.count = 0
        self.fresh: list[Row] = []
        self._session = session
        self._numbers: dict[Row, int] = {}  # by sender, kind, type, body, at, encoding
        self._bodies: dict[Row, str | None] = {}  # the last body of each form with audio
        self._shared = 0
        for number, *form in stored:
            self.count = max(self.count, number)
            self._numbers[tuple(form)] = number
            self._shared += form[3] is not None

    def rows(self, last: int, events: Sequence[EventRow], alone: Alone) -> list[Row]:
        """Rows of the session's next events, which follow `last` without a gap, each of one of
        `statements.SHAPES`. Their audio is taken from `alone`, by session and `seq`, for events
        that have one piece of it. StoreError for an event that does not follow, or has no body.

        The digest is a bytearray because `sqlite3` takes one as it is; for bytes it looks up anew,
        in as much time as a row takes, whether there is an adapter.
        """
        made: list[Row] = []
        mine, numbers = self._session, self._numbers
        for session, seq, at_ns, channel, sender, kind, type_, body, raw, digest in events:
            last += 1
            if seq != last:
                raise refusal(f"event {seq} of session {session} does not follow {last - 1}")
            if body is None and raw is None:
                raise refusal(f"event {seq} of session {session} has no body")
            ref = alone.pop((session, seq), None) if alone else None
            if ref is None:
                key = (sender, kind, type_, None, None, None)
                form = numbers.get(key) or self._add(key)
                if raw is None:
                    made.append((mine, seq, at_ns, channel, form, body, bytearray(digest)))
                    continue
                audio: Row = _NO_AUDIO
            else:
                form, body = self._with_audio(sender, kind, type_, body, ref)
                audio = ref[5:]
            bodies = (body, raw) if raw is not None else () if body is None else (body,)
            made.append((mine, seq, at_ns, channel, form, *bodies, *audio, bytearray(digest)))
        return made

    def _with_audio(
        self, sender: str, kind: str, type_: str, body: str | None, ref: AudioRef
    ) -> tuple[int, str | None]:
        """The form of an event with one piece of audio, and what is left of its body."""
        key: Row = (sender, kind, type_, None, ref.at, ref.encoding)
        if body is not None and self._bodies.get(key) == body:
            shared = (sender, kind, type_, body, ref.at, ref.encoding)
            form = self._numbers.get(shared)
            if form is None and self._shared < _MOST_BODIES:
                form = self._add(shared)
                self._shared += 1
            if form is not None:
                return form, None
        self._bodies[key] = body
        return self._numbers.get(key) or self._add(key), body

    def _add(self, key: Row) -> int:
        if len(self._numbers) >= _MOST:
            self._numbers.clear()
            self._bodies.clear()
        self.count += 1
        self._numbers[key] = self.count
        self.fresh.append((self._session, self.count, *key))
        return self.count
