"""Pieces of audio that are not parsed count as if they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pybase64 import b64encode_as_string
from replaying import BOOK, OPENAI, events
from tapes import Script, tone
from thoroughness import examples

from replay.digest import channel as channel_module
from replay.digest import tape_digest
from replay.digest.stencil import stencil_of

PIECES = [tone(40, hertz) for hertz in (300.0, 500.0, 700.0)]
SPELT = st.fixed_dictionaries(
    {
        "event_id": st.sampled_from(["event_1", "event_2", 'a"b', "ä", "", "item_1"]),
        "item_id": st.sampled_from(["item_1", "item_2"]),
        "delta": st.sampled_from(PIECES),
    },
    optional={"obfuscation": st.just("xyz"), "more": st.sampled_from(["event_1", "0"])},
)


def digest(pieces: list[dict[str, Any]], order: bool) -> str:
    script = Script().open()
    for piece in pieces:
        pcm = piece["delta"]
        assert isinstance(pcm, bytes)
        message = {
            "type": "response.output_audio.delta",
            **piece,
            "delta": b64encode_as_string(pcm),
        }
        script.add("provider", "ws.text", json.dumps(message).encode())
    return tape_digest(events(script.close().takes), OPENAI, BOOK, order=order).digest


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(SPELT, min_size=1, max_size=8), st.booleans())
def test_a_stencil_changes_no_digest(pieces: list[dict[str, Any]], order: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        found = digest(pieces, order)
        patch.setattr(channel_module, "stencil_of", lambda *_: None)
        assert digest(pieces, order) == found


def test_most_pieces_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[bytes] = []

    def parse(body: bytes) -> object:
        parsed.append(body)
        return json.loads(body)

    monkeypatch.setattr(channel_module, "parse", parse)
    alike = [
        {"event_id": f"event_{at}", "item_id": "item_1", "delta": PIECES[at % 3]}
        for at in range(99)
    ]
    digest(alike, order=False)
    assert len(parsed) == 1


def test_what_is_not_a_plain_name_is_parsed() -> None:
    stencil = stencil_of(b'{"event_id":"event_1","delta":""}', ["event_1"], "", None)
    assert stencil
    assert stencil.fits(b'{"event_id":"event_22","delta":""}')
    for name in (b"", b'a"b', b"a\\u0000", b"a\x01", b'x","y":"z'):
        assert not stencil.fits(b'{"event_id":"%s","delta":""}' % name)
    assert not stencil.fits(b'{"event_id":"event_1","delta":"","more":1}')
    assert stencil_of(b'{"event_id":"a","x":"a"}', ["a"], "", None) is None
    assert stencil_of(b'{"event_id":"a","obfuscation":"b"}', ["a", "b"], "", None) is None
