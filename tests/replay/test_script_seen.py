"""Pieces of audio that are known by the one before them come to the same as if each were read."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.events import Event, Kind, Sender
from recorder.providers import PROVIDERS
from recorder.providers.base import Provider, Tracker
from replay.match.rulebook import Rulebook
from replay.match.sound import Sound, measure
from replay.script.seen import Looker, Seen

LOUD = base64.b64encode(bytes(range(1, 201)) * 24).decode()
QUIET = base64.b64encode(bytes(4800)).decode()
SHORT = base64.b64encode(bytes(40)).decode()
AUDIO = (LOUD, QUIET, SHORT, "", "not base64 " * 700, LOUD + 'A","x":"' + LOUD)
FORMATS = ({"type": "audio/pcmu", "rate": 8000}, {"type": "audio/pcm", "rate": 16000})


def texts(append: str, output: str) -> list[tuple[Sender, str, str]]:
    """Messages with audio in one way and another, and some without."""
    made: list[tuple[Sender, str, str]] = []
    for audio in AUDIO:
        made.append(("client", append, f'{{"type":"{append}","audio":"{audio}"}}'))
        made.append(("client", append, f'{{"type": "{append}", "audio": "{audio}"}}'))
        made.append(("client", append, f'{{"type":"{append}","audio":"{audio}","event_id":"a"}}'))
        made.append(("provider", output, f'{{"type":"{output}","delta":"{audio}"}}'))
        made.append(("provider", append, f'{{"type":"{append}","audio":"{audio}"}}'))
    for form in FORMATS:
        session = {"model": "m", "audio": {"format": form, "input": {"format": form}}}
        for type_ in ("session.start", "session.update"):
            made.append(("client", type_, json.dumps({"type": type_, "session": session})))
    made.append(("provider", "info", '{"type":"info","audio":"' + LOUD + '"}'))
    return made


CASES = {
    "openai-live": texts("session.input_audio.append", "session.output_audio.delta"),
    "openai": texts("input_audio_buffer.append", "response.output_audio.delta"),
}


def plainly(event: Event, tracker: Tracker, book: Rulebook) -> Seen:
    fields = tracker.inspect(event.channel, event.sender, event.kind, event.type, event.body).audio
    sound = Sound()
    if event.sender == "client" and event.type in book.rules.ungated:
        sound = measure(event.body, fields, place=book.rules.deltas.get(event.type))
    return Seen(event, sound, bool(fields))


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_each_is_seen_as_if_it_were_alone(name: str, data: st.DataObject) -> None:
    found: Provider = PROVIDERS[name]
    book = Rulebook(found.RULES)
    looker, tracker = Looker(found.tracker(), book), found.tracker()
    pick = st.tuples(st.sampled_from(CASES[name]), st.integers(1, 2), st.integers(1, 3))
    for (sender, type_, text), channel, times in data.draw(st.lists(pick, max_size=12)):
        kind: Kind = "ws.text"
        event = Event("t", 1, 0, channel, sender, kind, type_, text.encode())
        for _ in range(times):
            assert looker.look(event) == plainly(event, tracker, book)
