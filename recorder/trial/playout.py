"""What a listener has heard: audio is queued as it comes and played from its first piece on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class _Track:
    item: str
    starts_at: int  # ns
    received_ns: int = 0
    complete: bool = False

    @property
    def ends_at(self) -> int:
        return self.starts_at + self.received_ns

    def played_ns(self, now: int) -> int:
        return min(max(0, now - self.starts_at), self.received_ns)


class PlayOut:
    """The play-out clock of a client, by item. All times in ns."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._silenced: set[str] = set()

    def add(self, item: str, length_ns: int, now: int) -> None:
        """Queue a piece; one that comes after the queue ran dry plays late, by the gap."""
        if item in self._silenced:
            return
        if not self._tracks or self._tracks[-1].item != item:
            self._tracks.append(_Track(item, max(now, self.ends_at)))
        track = self._tracks[-1]
        track.starts_at += max(0, now - track.ends_at)
        track.received_ns += length_ns

    def complete(self) -> None:
        """No more is coming for what was received so far."""
        for track in self._tracks:
            track.complete = True

    @property
    def ends_at(self) -> int:
        """When all that was received will have been played."""
        return self._tracks[-1].ends_at if self._tracks else 0

    @property
    def count(self) -> int:
        """How many items have been begun."""
        return len(self._tracks)

    def heard_ns(self, since: int, now: int) -> int:
        """How much of the items from the `since`-th on has been played."""
        return sum(track.played_ns(now) for track in self._tracks[since:])

    def heard_at(self, since: int, length_ns: int) -> int | None:
        """When `length_ns` of them will have been played, if that much was received."""
        for track in self._tracks[since:]:
            if track.received_ns >= length_ns:
                return track.starts_at + length_ns
            length_ns -= track.received_ns
        return None

    def interrupt(self, now: int) -> list[tuple[str, int]]:
        """Stop playing; the items not heard to their end, each with its heard milliseconds."""
        cut = []
        for track in self._tracks:
            if track.item in self._silenced:
                continue
            played = track.played_ns(now)
            if played < track.received_ns or not track.complete:
                cut.append((track.item, played // 1_000_000))
                track.starts_at, track.received_ns = min(track.starts_at, now), played
                self._silenced.add(track.item)
        return cut
