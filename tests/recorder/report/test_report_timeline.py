"""A tape folded into lines: runs, gaps, wording, and what is safe to print."""

from __future__ import annotations

import json

import pytest
from pybase64 import b64encode_as_string
from tapes import Script, Take, conversation, record, tone

from recorder.heads import RequestHead, ResponseHead
from recorder.providers import PROVIDERS
from recorder.recording import Recording
from recorder.report.text import header, plain, writer
from recorder.report.timeline import Gap, Line, Timeline, as_json
from recorder.report.wording import clip, printable, seconds, utc
from recorder.store.memory import MemoryStore


def _lines(takes: list[Take], *, every: bool = False, provider: str = "openai") -> list[Line | Gap]:
    store = MemoryStore()
    tape = Recording(store, record(store, takes, provider=provider))
    events = Timeline(PROVIDERS[provider], every=every)
    found = [line for moment in tape.moments() for line in events.lines(moment)]
    return found + list(events.lines(None))


def _only(lines: list[Line | Gap]) -> list[Line]:
    return [line for line in lines if isinstance(line, Line)]


def test_every_event_is_in_exactly_one_line() -> None:
    takes = conversation()
    assert sum(line.events for line in _only(_lines(takes))) == len(takes)
    assert [line.seq for line in _only(_lines(takes, every=True))] == list(range(1, len(takes) + 1))


def test_streamed_pieces_become_one_line() -> None:
    script = Script().open().append(tone(1000))
    (appended,) = [line for line in _only(_lines(script.takes)) if line.type.endswith("append")]
    assert (appended.events, appended.seq) == (10, 3)
    assert appended.end_ns - appended.at_ns == 900_000_000
    assert appended.audio is not None
    assert appended.audio.ms == pytest.approx(1000)
    assert appended.audio.dbfs == pytest.approx(-15.05, abs=0.01)


def test_pieces_that_another_event_carries_are_joined_by_their_own_type() -> None:
    script = Script().open()
    pieces = [("arguments", '{"city":'), ("arguments", ' "Oslo"}'), ("text", "It"), ("text", "")]
    for what, piece in [*pieces, ("text", " rains.")]:
        name = {"arguments": "function_call_arguments", "text": "output_text"}[what]
        nested = {"type": f"response.{name}.delta", "delta": piece}
        script.provider("response.event", delegation_id="item_1", event=nested)
    script.provider("response.event", event={"type": "response.output_text.done"})
    takes = script.takes
    lines = [
        (line.events, line.text)
        for line in _only(_lines(takes, provider="openai-live"))
        if line.kind == "ws.text"
    ]
    assert lines == [
        (2, 'response.function_call_arguments.delta {"city": "Oslo"}'),
        (3, "response.output_text.delta It rains."),
        (1, "response.output_text.done"),
    ]
    assert len(_lines(takes, every=True, provider="openai-live")) == len(takes)


def test_interleaved_streams_stay_apart_and_words_are_joined() -> None:
    script = Script().open()
    for word in ("Good", " mor", "ning."):
        script.provider("response.output_audio_transcript.delta", item_id="a", delta=word)
        script.speak("a", tone(200)).append(tone(100))
    lines = [line for line in _only(_lines(script.takes)) if line.kind == "ws.text"]
    assert [(line.sender, line.events, line.text) for line in lines] == [
        ("provider", 3, "Good morning."),
        ("provider", 3, ""),
        ("client", 3, ""),
    ]


def test_any_other_event_breaks_a_run_off() -> None:
    script = Script().open().append(tone(300))
    script.provider("input_audio_buffer.speech_started", audio_start_ms=0).append(tone(200))
    counts = [line.events for line in _only(_lines(script.takes)) if line.type.endswith("append")]
    assert counts == [3, 2]


def test_gaps_of_a_second_are_shown_and_shorter_ones_not() -> None:
    script = Script().open().wait(999.9).client("a").wait(1000).client("b")
    lines = _lines(script.takes)
    (gap,) = [line for line in lines if isinstance(line, Gap)]
    assert lines.index(gap) == 3
    assert gap.end_ns - gap.at_ns == 1_000_000_000


def test_a_gap_breaks_a_run_off() -> None:
    script = Script().open().append(tone(100)).wait(2000).append(tone(100))
    counts = [line.events for line in _only(_lines(script.takes)) if line.type.endswith("append")]
    assert counts == [1, 1]


def test_the_level_of_g711_and_of_cut_samples() -> None:
    pcm = tone(200)
    script = Script().open()
    for piece in (pcm[:4801], pcm[4801:]):  # the first ends in the middle of a sample
        script.client("input_audio_buffer.append", audio=b64encode_as_string(piece))
    ulaw = {"type": "audio/pcmu"}
    script.provider("session.updated", session={"audio": {"output": {"format": ulaw}}})
    loud = b64encode_as_string(b"\x80\x00" * 800)  # the loudest codes, 32124
    script.provider("response.output_audio.delta", item_id="x", delta=loud)
    audio = [line.audio for line in _only(_lines(script.takes)) if line.audio]
    assert audio[0].ms == pytest.approx(200)
    assert audio[0].dbfs == pytest.approx(-15.05, abs=0.02)
    assert audio[1][:4] == (pytest.approx(200), pytest.approx(-0.17, abs=0.01), "pcmu", 8000)


def test_json_lines_keep_the_words_as_they_are() -> None:
    script = Script().open().provider("response.output_text.delta", item_id="a", delta=" two\nX")
    line = _only(_lines(script.takes, every=True))[-1]
    assert json.loads(as_json(line)) == {
        "seq": 3,
        "at_ms": 20.0,
        "channel": 1,
        "sender": "provider",
        "kind": "ws.text",
        "type": "response.output_text.delta",
        "text": " two\nX",
        "audio": None,
    }


def test_json_of_audio() -> None:
    line = _only(_lines(Script().open().speak("item_a", tone(200)).takes, every=True))[-1]
    assert json.loads(as_json(line))["audio"] == {
        "duration_ms": 200.0,
        "level_dbfs": -15.1,
        "codec": "pcm16",
        "rate": 24000,
        "stream": "item_a",
    }


def test_http_and_control_frames_are_worded() -> None:
    request = RequestHead("POST", "/v1/realtime/calls", "model=m")
    takes = [
        Take(0, 1, "client", "http.request", "POST /x", request.encode()),
        Take(1, 1, "client", "http.chunk", "", b"v=0 sdp"),
        Take(2, 1, "client", "http.chunk", "", b""),
        Take(3, 1, "provider", "http.response", "201", ResponseHead(201, "Created").encode()),
        Take(4, 1, "provider", "http.chunk", "", b"\xff\xfe"),
        Take(5, 2, "client", "ws.ping", "", b"hello"),
        Take(6, 2, "client", "ws.binary", "", b"\x00\x01\x02"),
        Take(7, 2, "client", "ws.text", "", b"not json"),
        Take(8, 2, "client", "ws.text", "", b"[1]"),
    ]
    assert [line.text for line in _only(_lines(takes, every=True))] == [
        "POST /v1/realtime/calls?model=m",
        "v=0 sdp",
        "end of body",
        "201 Created",
        "2 bytes",
        "hello",
        "3 bytes",
        "not json",
        "[1]",
    ]


@pytest.mark.parametrize(
    ("note", "text"),
    [
        ({"verdict": "missing", "by": ""}, "verdict missing"),
        ({"verdict": "ok", "by": "x-signature sha256"}, "verdict ok, by x-signature sha256"),
        ({"missing": 3, "more": True, "list": ["é"]}, 'missing 3, more true, list ["é"]'),
        (
            {"place": "$.server.url", "was": None, "url": "http://x"},
            "place $.server.url, url http://x",
        ),
        (
            {
                "replaced": [
                    {"place": "$.monitor", "listenUrl": {"came": "a", "left": "b"}},
                    {"place": "$.monitor", "controlUrl": {"came": "a", "left": "b"}},
                ]
            },
            "replaced 2 URLs (listenUrl, controlUrl)",
        ),
        ({"replaced": [{"place": "$", "listenUrl": {}}]}, "replaced 1 URL (listenUrl)"),
    ],
)
def test_notes_are_worded(note: object, text: str) -> None:
    body = json.dumps(note, ensure_ascii=False).encode()
    head = RequestHead("GET", "/v1/realtime").encode()
    takes = [
        Take(0, 1, "client", "http.request", "GET /x", head),
        Take(1, 1, "recorder", "note", "remark", body),
    ]
    assert _only(_lines(takes, every=True))[-1].text == text


def test_the_text_of_a_timeline() -> None:
    text = [writer(plain, None, channels=False)(line) for line in _lines(conversation())]
    assert text[0] == (
        "    0.000  client   → ws.open                               "
        "GET /v1/realtime?model=gpt-realtime"
    )
    assert "           ─── 2.5 s ───" in text
    appended = next(line for line in text if "append" in line)
    assert appended.endswith("×12  1.20 s at -15 dBFS")
    assert any(line.endswith("×5  500 ms of silence") for line in text)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_the_terminal(width: int) -> None:
    text = [writer(plain, width, channels=True)(line) for line in _lines(conversation())]
    assert max(len(line) for line in text) == width
    assert any(line.endswith("…") for line in text)


def test_a_terminal_is_given_nothing_to_obey() -> None:
    script = Script().open().provider("error", error={"code": "\x1b[31m", "message": "a\r\nb\x07"})
    line = _only(_lines(script.takes))[-1]
    text = writer(plain, None, channels=True)(line)
    assert text.endswith("\\x1b[31m: a b\\x07")
    assert text.isprintable()


def test_the_header_tells_the_totals() -> None:
    store = MemoryStore()
    tape = Recording(store, record(store, conversation(), parent="01parent"))
    text = list(header(tape, tape.row))
    assert text[0] == f"session {tape.id}  openai, gpt-realtime, complete, proxy"
    assert text[1].endswith("began 2026-09-21T14:13:20.123Z, 6.6 s, 57 events")
    assert "  audio: client 1.7 s, provider 2.0 s" in text
    assert "  a replay of 01parent" in text
    assert tape.row.digest is not None
    assert text[-1] == f"  digest {tape.row.digest.hex()}"


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0.0 s"),
        (59_940_000_000, "59.9 s"),
        (60_000_000_000, "01:00"),
        (3_661 * 10**9, "1:01:01"),
    ],
)
def test_durations_for_people(ns: int, text: str) -> None:
    assert seconds(ns) == text


def test_small_words() -> None:
    assert utc(1_790_000_000_007_999_999) == "2026-09-21T14:13:20.007Z"
    assert printable("a\t b\u2028c\x1b") == "a b c\\x1b"
    assert [clip("abcdef", width) for width in (6, 5, 1)] == ["abcdef", "abcd…", "…"]
