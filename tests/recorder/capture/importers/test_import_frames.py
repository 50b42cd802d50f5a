"""JSON lines of frames: what stands in the line is what is on the tape."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.capture.importers import frames
from recorder.capture.importers.conversation import Conversation, Source
from recorder.capture.importers.rawjson import members
from recorder.errors import ImportFailed
from recorder.heads import Close
from recorder.providers import PROVIDERS

OPENAI = PROVIDERS["openai"]


def _nothing(name: str) -> bytes:
    raise AssertionError(name)


def _read(*lines: str | bytes) -> Conversation:
    data = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    [conversation] = frames.read(Source("x.jsonl", data, _nothing), OPENAI)
    return conversation


def _refused(*lines: str | bytes) -> str:
    with pytest.raises(ImportFailed) as refused:
        _read(*lines)
    message = str(refused.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("direction", "sender"),
    [
        ("client", "client"),
        ("send", "client"),
        ("Outgoing", "client"),
        ("server", "provider"),
        ("recv", "provider"),
        ("receive", "provider"),
    ],
)
@pytest.mark.parametrize("key", ["dir", "direction"])
def test_directions(direction: str, sender: str, key: str) -> None:
    [take] = _read(json.dumps({key: direction, "event": {"type": "x"}})).takes
    assert take.sender == sender


ODD = '{"type" : "x","n":1.0, "n":1e0,"s":"\\u00e9\\/é\\ud800","z":-0}'


def test_the_text_of_a_frame_is_kept_as_it_stands() -> None:
    conversation = _read(
        f' {{"n": 7, "dir":"server" , "event": {ODD} , "extra": [1, {{}}]}} ',
        "",
        '{"event":{"a":"\\""},"dir":"client","n":8}',
    )
    assert [take.body for take in conversation.takes] == [ODD.encode(), b'{"a":"\\""}']
    assert [take.kind for take in conversation.takes] == ["ws.text", "ws.text"]


def test_text_data_binary_and_close() -> None:
    conversation = _read(
        '{"dir":"client","text":"{\\"a\\": 1}"}',
        '{"dir":"server","data":"not json"}',
        '{"dir":"server","data":{"b":  2}}',
        '{"dir":"server","base64":"AP8="}',
        '{"dir":"server","event":"close","code":4000,"reason":"done"}',
        '"close"',
    )
    assert [(take.sender, take.kind, take.type, take.body) for take in conversation.takes] == [
        ("client", "ws.text", "", b'{"a": 1}'),
        ("provider", "ws.text", "", b"not json"),
        ("provider", "ws.text", "", b'{"b":  2}'),
        ("provider", "ws.binary", "", b"\x00\xff"),
        ("provider", "ws.close", "4000", Close(4000, "done").encode()),
        ("client", "ws.close", "1005", Close(1005).encode()),
    ]


def test_times() -> None:
    conversation = _read(
        '{"dir":"client","event":{}}',
        '{"dir":"client","event":{},"at_ms":1.000001}',
        '{"dir":"client","event":{}}',
        '{"dir":"client","event":{},"at_ms":0.5}',
        '{"dir":"client","event":{},"at_ms":2}',
    )
    assert [take.at_ns for take in conversation.takes] == [
        0,
        1_000_001,
        1_000_001,
        1_000_001,
        2_000_000,
    ]
    assert conversation.timed
    assert conversation.wall_ns is None


def test_without_times() -> None:
    conversation = _read('{"dir":"client","event":{}}', '{"dir":"server","event":{}}')
    assert [take.at_ns for take in conversation.takes] == [0, 0]
    assert not conversation.timed


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"dir":"server","event":{"type":"re', "not whole JSON"),
        ("[1]", 'neither a JSON object nor "close"'),
        ('"open"', 'neither a JSON object nor "close"'),
        ('{"event":{}}', '"dir" must be'),
        ('{"dir":"up","event":{}}', '"dir" must be'),
        ('{"dir":["client"],"event":{}}', '"dir" must be'),
        ('{"dir":"client"}', 'one of "event", "text", "data" and "base64"'),
        ('{"dir":"client","event":{},"text":""}', 'one of "event"'),
        ('{"dir":"client","event":"open"}', '"event" is not a JSON object'),
        ('{"dir":"client","event":[]}', '"event" is not a JSON object'),
        ('{"dir":"client","text":{}}', '"text" is not text'),
        ('{"dir":"client","text":"\\ud800"}', "lone surrogate"),
        ('{"dir":"client","base64":"?"}', "not base64"),
        ('{"dir":"client","event":{},"at_ms":-1}', "0 or more"),
        ('{"dir":"client","event":{},"at_ms":"1"}', "not a number"),
        ('{"dir":"client","event":{},"at_ms":NaN}', "not whole JSON"),
        ('{"dir":"client","event":{},"at_ms":1e99}', "offset in milliseconds"),
        ('{"dir":"client","event":{},"n":"2"}', '"n" is not a whole number'),
        ('{"dir":"client","event":{},"n":3}', '"n" is 3 where 2 was due: lines are lost'),
        ('{"dir":"client","event":"close","code":"x"}', '"code" must be'),
        (b'{"dir":"client","text":"\xff"}', "byte 25 is not UTF-8"),
        ("[" * 100_000, "not whole JSON"),
    ],
)
def test_a_bad_line_is_named(line: str | bytes, message: str) -> None:
    said = _refused('{"dir":"client","event":{},"n":1}', line)
    assert said.startswith("x.jsonl line 2: ")
    assert message in said
    assert "nothing was imported" in said


def test_no_frames() -> None:
    assert "has no frames" in _refused("", "  ")


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    value=st.dictionaries(st.text(), _JSON, max_size=4),
    escape=st.booleans(),
    spaces=st.sampled_from(["", " ", "\t ", "\r"]),
)
def test_members_are_the_text_that_stands_there(
    value: dict[str, object], escape: bool, spaces: str
) -> None:
    separators = (f"{spaces},{spaces}", f"{spaces}:{spaces}")
    texts = {
        name: json.dumps(each, ensure_ascii=escape, separators=separators)
        for name, each in value.items()
    }
    pairs = [f"{json.dumps(name)}{separators[1]}{text}" for name, text in texts.items()]
    whole = f"{spaces}{{{spaces}{separators[0].join(pairs)}{spaces}}}{spaces}"
    assert members(whole) == texts
