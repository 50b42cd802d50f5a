"""With personal data hidden a pull stores no words, and still tells what it has already."""

from __future__ import annotations

import json

from pull_world import KEY, World

from recorder.pull.stored import Told
from recorder.redact import Secrets
from recorder.verify import verify
from replay.simulators.vapi import Options

_SPOKEN = ("message", "transcript", "content", "summary")


def hidden(options: Options) -> World:
    world = World(options)
    world.secrets = Secrets(b"key of these tests", (KEY,), personal=True)
    return world


def spoken(told: Told) -> set[str]:
    """All that is said in an answer."""
    found: set[str] = set()

    def look(value: object) -> None:
        if isinstance(value, dict):
            found.update(
                one for key, one in value.items() if key in _SPOKEN and isinstance(one, str)
            )
        for one in value.values() if isinstance(value, dict) else value:
            if isinstance(one, dict | list):
                look(one)

    look(json.loads(told.received))
    return found


def test_calls_are_stored_without_words() -> None:
    plain, world = World(Options(history=3)), hidden(Options(history=3))
    for each in (plain, world):
        assert each.pull().fresh == 3
    said = {text for key, row in plain.calls().items() for text in spoken(plain.told(row)[0])}
    assert any(len(text) > 20 for text in said)
    for key, row in world.calls().items():
        told = world.told(row, f"/call/{key}")[0]
        assert spoken(told) <= {"[redacted]", ""}
        whole = b"".join(each.received for each in world.told(row))
        assert not [text for text in said if len(text) > 20 and text.encode() in whole]
        assert verify(world.store, row).fault is None


def test_pulled_again_nothing_is_new() -> None:
    world = hidden(Options(history=5))
    world.pull()
    before, asked = world.digests(), len(world.wire.asked)
    tally = world.pull()
    assert (tally.same, tally.fresh, tally.changed) == (5, 0, 0)
    assert world.digests() == before
    assert len(world.wire.asked) < asked
    assert not [each for each in world.wire.asked if each.path.startswith("/call/")]
