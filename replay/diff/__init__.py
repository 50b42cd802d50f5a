"""What two tapes of one provider differ in; docs/diff.md says how they are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from recorder.audio.sizes import duration_ms
from recorder.events import Event
from recorder.projections import Seen, project
from recorder.providers.base import Provider
from recorder.recording import Moment
from replay.diff.comparing import Comparing
from replay.diff.differences import GRADES, Diff, Difference, Grade
from replay.diff.pairing import pair
from replay.diff.places import Books
from replay.diff.reading import Reader, Unit
from replay.diff.suggesting import with_merged_rules
from replay.diff.turns import Turns
from replay.match.hearing import AudioMode
from replay.match.rules import Rule

__all__ = ["GRADES", "Diff", "Difference", "Grade", "Side", "diff", "read"]


class Side(NamedTuple):
    """A tape, read: its units in order, its turns, and the provider's name of the conversation."""

    units: list[Unit]
    turns: Turns
    key: str | None


def read(moments: Iterable[Moment], provider: Provider, key: str | None = None) -> Side:
    """Read a tape, given as its moments in order."""
    reader = Reader(provider)
    models = project("", _seen(moments, reader), provider)
    return Side(reader.units(), Turns(models), key)


def _seen(moments: Iterable[Moment], reader: Reader) -> Iterator[Seen]:
    """The moments as a projection reads them; each is given to `reader`, too."""
    for moment in moments:
        reader.take(moment)
        name, seq, at_ns, channel, sender, kind, type_ = moment.row[:7]
        event = Event(name, seq, at_ns, channel, sender, kind, type_, moment.lifted)
        ms = (
            duration_ms(len(data), segment.codec, segment.rate, segment.channels)
            for segment, _, data in moment.sounds
        )
        yield Seen(event, sum(ms))


def diff(
    a: Side,
    b: Side,
    provider: Provider,
    rules: Sequence[Rule] = (),
    timing_ms: float | None = None,
    audio: AudioMode = "exact",
) -> Diff:
    """What `b` differs in from `a`. `rules` are the user's; with `timing_ms`, gaps between messages
    that differ by more are differences, too; `audio` is how sound is compared."""
    books = Books(provider.RULES, rules)
    comparing = Comparing(books, provider, a.turns, timing_ms, audio)
    if a.key and b.key:
        comparing.walk.bindings.bind("call", a.key, b.key)
    differences = comparing.run(pair(a.units, b.units, books))
    held = {str(rule) for rule in comparing.walk.used}
    unused = tuple(dict.fromkeys(text for rule in books.own if (text := str(rule)) not in held))
    counts = (len(a.units), len(b.units))
    return Diff(with_merged_rules(differences), counts, a.turns.texts, unused, audio)
