"""GPT-Live, part by part: whose sound counts, what is told twice, what is used, what is meant."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from pybase64 import b64encode_as_string

from recorder.capture.encode import Draft, Encoder
from recorder.capture.sealing import seal
from recorder.chain import SCHEME
from recorder.events import Event, Kind, Sender
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.pricing import Meter, PriceBook
from recorder.projections import Seen, project
from recorder.providers import neutral, openai_live, provider
from recorder.providers.openai_live.routing import PATHS
from recorder.providers.openai_live.sides import APPEND, OUTPUT, Sides
from recorder.redact import Redactor, Secrets
from recorder.store.base import SessionRow

LIVE = provider("openai-live")
BOOK = PriceBook.shipped()


def event(type_: str, sender: Sender = "provider", channel: int = 1, **fields: Any) -> Event:
    body = json.dumps({"type": type_, **fields}).encode()
    return Event("tape", 1, 1_000_000_000, channel, sender, "ws.text", type_, body)


def opened(channel: int, path: str) -> Event:
    head = RequestHead("GET", path).encode()
    return Event("tape", 1, 0, channel, "client", "ws.open", f"GET {path}", head)


def meanings(*events: Event) -> list[Any]:
    decoder = LIVE.decoder()
    return [message for each in events for message in decoder.decode(each)]


# Where things belong


@pytest.mark.parametrize(
    ("method", "path", "key", "place"),
    [
        ("GET", "/v1/live/sessions", None, "call"),
        ("POST", "/v1/live/sessions", None, "call"),
        ("GET", "/v1/live/sessions/live_1/attach", "live_1", "call"),
        ("GET", "/v1/live/sessions/live_1/fork", None, "call"),
        ("POST", "/v1/live/sessions/live_1/fork", None, "call"),
        ("POST", "/v1/live/sessions/live_1/accept", "live_1", "call"),
        ("POST", "/v1/live/sessions/live_1/hangup", "live_1", "call"),
        ("GET", "/v1/live/sessions/live_1/content", "live_1", "call"),
        ("GET", "/openai/v1/live", None, "call"),
        ("DELETE", "/v1/live/sessions", None, "control"),
    ],
)
def test_routes(method: str, path: str, key: str | None, place: str) -> None:
    upgrade = (("Upgrade", "websocket"),) if method == "GET" and key is None else ()
    found = LIVE.route(RequestHead(method, path, "", upgrade))
    assert (found.key, found.place) == (key, place)
    assert PATHS.match(path)


@pytest.mark.parametrize(
    "path", ["/v1/realtime", "/v1/responses", "/v1/livestock", "/v1/audio/live"]
)
def test_other_paths_are_not_live(path: str) -> None:
    assert PATHS.match(path) is None


def test_an_id_is_told_by_session_started_alone() -> None:
    head, answer = RequestHead("GET", "/v1/live/sessions"), ResponseHead(101)
    other = b'{"type":"session.updated","session":{"id":"live_2"}}'
    started = b'{"event_id":"e","type":"session.started","session":{"id":"live_1"}}'
    assert LIVE.correlate(head, answer, other) is None
    assert LIVE.correlate(head, answer, started) == "live_1"
    assert (
        LIVE.correlate(RequestHead("POST", "/v1/live/sessions"), ResponseHead(401), started) is None
    )


# Whose sound


def test_a_sideband_counts_where_there_is_no_primary_and_each_place_once() -> None:
    sides = Sides()
    told = [
        sides.whose(1, "provider", APPEND, b"{}"),
        sides.whose(1, "provider", OUTPUT, b'{"start_ms":0,"end_ms":200}'),
        sides.whose(1, "provider", OUTPUT, b'{"start_ms": 200,"end_ms":400}'),
        sides.whose(1, "provider", OUTPUT, b'{"start_ms":200,"end_ms":400}'),  # attached again
        sides.whose(1, "provider", OUTPUT, b'{"start_ms":400,"end_ms":600}'),
    ]
    assert told == ["user", "agent", "agent", None, "agent"]


def test_the_input_counts_from_one_sideband_at_a_time() -> None:
    sides = Sides()

    def told(channel: int) -> str | None:
        return sides.whose(channel, "provider", APPEND, b"{}")

    assert [told(2), told(3), told(2), told(3)] == ["user", None, "user", None]
    sides.closed(3)
    assert [told(2), told(4)] == ["user", None]
    sides.closed(2)
    assert [told(4), told(5), told(4)] == ["user", None, "user"]


def test_the_output_counts_from_whichever_sideband_tells_it_first() -> None:
    sides = Sides()
    places = [(2, 0), (3, 0), (3, 200), (2, 200), (3, 400), (2, 600)]
    assert [
        sides.whose(channel, "provider", OUTPUT, b'{"start_ms":%d}' % at) for channel, at in places
    ] == ["agent", None, "agent", None, "agent", "agent"]


def test_a_primary_wins() -> None:
    sides = Sides()
    assert sides.whose(1, "client", "session.start", b"{}") is None
    assert sides.whose(1, "provider", APPEND, b"{}") is None
    assert sides.whose(1, "client", APPEND, b"{}") == "user"
    assert sides.whose(1, "provider", OUTPUT, b'{"start_ms":0}') is None
    assert sides.whose(1, "provider", OUTPUT, b"{}") == "agent"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"type": "audio/pcmu", "rate": 8000}, ("pcmu", 8000)),
        ({"type": "audio/pcm", "rate": 16000}, ("pcm16", 16000)),
    ],
)
def test_formats(form: dict[str, Any], expected: tuple[str, int]) -> None:
    tracker = LIVE.tracker()
    start = {"type": "session.start", "session": {"audio": {"format": form}}}
    tracker.inspect(1, "client", "ws.text", "", json.dumps(start).encode())
    path = "/v1/live/sessions/live_1/attach"
    tracker.inspect(2, "client", "ws.open", f"GET {path}", RequestHead("GET", path).encode())
    echo = {"type": "session.started", "session": {"id": "live_1", "audio": {"format": form}}}
    tracker.inspect(2, "provider", "ws.text", "", json.dumps(echo).encode())

    def place(channel: int, sender: Sender, type_: str, key: str) -> tuple[str, int]:
        body = json.dumps({"type": type_, key: "AAAAAAAA"}).encode()
        [found] = tracker.inspect(channel, sender, "ws.text", "", body).audio
        assert body[found.start : found.end] == b"AAAAAAAA"
        return found.codec, found.rate

    assert place(1, "client", APPEND, "audio") == expected
    assert place(1, "provider", OUTPUT, "delta") == expected
    assert place(1, "client", "session.output_audio.fixture.play", "audio") == ("pcm16", 24_000)
    assert place(2, "provider", APPEND, "audio") == ("pcm16", 24_000)
    assert place(2, "provider", OUTPUT, "delta") == ("pcm16", 24_000)


def test_the_audio_of_a_silent_minute_is_small() -> None:
    row = SessionRow("s", "t", "openai-live", 0, SCHEME, "r")
    encoder, draft = Encoder(row, LIVE.tracker(), Redactor(Secrets(b"k"))), Draft()
    silence = b64encode_as_string(bytes(4800))
    for number in range(600):
        both: list[tuple[Sender, str, str]] = [
            ("client", APPEND, "audio"),
            ("provider", OUTPUT, "delta"),
        ]
        for sender, type_, key in both:
            body = json.dumps({"type": type_, key: silence}).encode()
            kind: Kind = "ws.text"
            encoder.add(number * 100_000_000, 1, sender, kind, "", body, draft)
    encoder.finish("complete", draft)
    sealed = [seal(job) for job in draft.jobs]
    assert sum(each.size or 0 for each in sealed) == 600 * 2 * 4800
    assert sum(len(each.data or b"") for each in sealed) < 35_000


# What is meant


def test_what_is_told_again_means_nothing_more() -> None:
    words = {"start_ms": 0, "end_ms": 200, "delta": " Hello"}
    first = event("session.output_transcript.delta", event_id="event_1", **words)
    again = first._replace(channel=2)
    other = event("session.output_transcript.delta", event_id="event_2", **words)
    assert [each.text for each in meanings(first, again, other)] == [" Hello", " Hello"]


def test_work_for_the_client_is_a_call_and_its_last_append_the_result() -> None:
    work = {"id": "item_1", "type": "delegation", "target": "client"}
    found = meanings(
        event("session.delegation.created", event_id="e", offset_ms=3800, delegation=work),
        event("session.thinking.append", "client", content="hm", delegation_id=None),
        event("session.thinking.append", "client", content="a", delegation_id="item_1"),
        event("session.commentary.append", "client", content="It rains", delegation_id="item_1"),
    )
    assert found == [
        neutral.ToolCalled("item_1", "delegation", '{"offset_ms": 3800}'),
        neutral.ToolAnswered("item_1", "a"),
        neutral.ToolAnswered("item_1", "It rains"),
    ]


@pytest.mark.parametrize(
    ("reason", "by"),
    [("close_requested", "client"), ("expired", "provider"), ("connection_lost", None)],
)
def test_how_it_ends(reason: str, by: str | None) -> None:
    [ended] = meanings(event("session.closed", event_id="e", reason=reason))
    assert (ended.reason, ended.by) == (reason, by)


def test_a_sideband_that_leaves_ends_nothing() -> None:
    lost = Event("tape", 2, 0, 2, "provider", "ws.close", "1006", Close(1006).encode())
    attached = opened(2, "/v1/live/sessions/live_1/attach")
    assert meanings(attached, lost) == []
    assert [type(each) for each in meanings(opened(1, "/v1/live/sessions"), lost)] == [
        neutral.Fault,
        neutral.Ended,
    ]


def test_an_error_without_a_code_is_a_fault() -> None:
    told = {"type": "server_error", "code": None, "message": "Responses handoff incomplete."}
    [fault] = meanings(event("error", event_id="e", error=told))
    assert (fault.code, fault.text) == ("server_error", "Responses handoff incomplete.")


def test_names_that_run_both_ways_are_known_and_an_unknown_one_is_told() -> None:
    assert meanings(event("transport.dtmf.send", "client"), event("transport.dtmf.send")) == []
    assert meanings(event("session.something.new")) == [neutral.Unknown("session.something.new")]


def test_words_alone_make_turns_where_there_is_no_sound() -> None:
    pieces = [
        ("input", 1_000, "Good "),
        ("input", 1_200, "morning."),
        ("output", 2_000, " Hello."),
        ("input", 5_000, "And now?"),
        ("output", 6_000, " Now"),
        ("output", 6_200, " this."),
        ("output", 9_000, " And that."),
    ]
    events = [
        event(
            f"session.{side}_transcript.delta",
            event_id=f"event_{at}",
            start_ms=at,
            end_ms=at + 200,
            delta=delta,
        )._replace(at_ns=(at + 500) * 1_000_000, seq=number)
        for number, (side, at, delta) in enumerate(pieces, 1)
    ]
    made = project("tape", [Seen(each, 0.0) for each in events], LIVE)
    told = [(turn.user_text, turn.agent_text) for turn in made.turns]
    assert told == [("Good morning.", "Hello."), ("And now?", "Now this. And that.")]
    spoken = [each.response for each in made.transcripts if each.role == "assistant"]
    assert spoken == ["speech_1", "speech_2", "speech_3"]
    assert made.interruptions == []


def test_the_result_of_a_custom_tool_in_parts_is_one() -> None:
    call = {"type": "custom_tool_call", "call_id": "call_2", "name": "shout", "input": "hey"}
    parts = [{"type": "input_text", "text": text} for text in ("HEY", "!")]
    given = {"type": "custom_tool_call_output", "call_id": "call_2", "output": parts}
    assert meanings(
        event("response.event", event={"type": "response.output_item.done", "item": call}),
        event("response.item.create", "client", item=given),
    ) == [
        neutral.ToolCalled("call_2", "shout", "hey", None),
        neutral.ToolAnswered("call_2", "HEY !"),
    ]


# What is used


def meter(*told: tuple[str, dict[str, Any]]) -> Meter:
    found = Meter(LIVE, BOOK)
    found.take("session.started", {"session": {"id": "live_1", "model": "gpt-live-1.1"}})
    for type_, message in told:
        found.take(type_, message)
    return found


def test_seconds_are_cumulative_and_without_the_end_unconfirmed() -> None:
    updates = [("session.usage.updated", {"usage": {"seconds": each}}) for each in (60, 120)]
    found = meter(*updates)
    assert found.usd == Decimal("0.10")
    assert found.notes == ["120 s are not confirmed: no session.closed has told the final count"]
    closed = ("session.closed", {"usage": {"seconds": 150.0}})
    late = ("session.usage.updated", {"usage": {"seconds": 140}})
    over = meter(*updates, closed, late)
    assert (over.usd, over.notes) == (Decimal("0.125"), [])


def test_standby_has_its_own_price() -> None:
    usage = {"seconds": 180, "active_seconds": 60, "paused_seconds": 120}
    found = meter(("session.closed", {"usage": usage}))
    assert [(line.meter, line.usd) for line in found.lines] == [
        ("active", Decimal("0.05")),
        ("standby", Decimal("0.04")),
    ]


def test_a_session_that_tells_no_usage_has_no_price() -> None:
    found = meter()
    assert found.usd is None
    assert found.notes == ["the session tells no usage"]


@pytest.mark.parametrize(
    ("request_type", "body"),
    [
        ("POST /v1/live/sessions", {"session": {"id": "live_1"}, "transport": {}}),
        ("POST /v1/live/sessions/{id}/fork", {"session": {"id": "live_2"}, "transport": {}}),
    ],
)
def test_a_session_that_only_its_making_tells_of_is_not_free(
    request_type: str, body: dict[str, Any]
) -> None:
    found = Meter(LIVE, BOOK)
    found.take(request_type, body)
    assert (found.usd, found.notes) == (None, ["the session tells no usage"])
    found.take("session.closed", {"session": {"model": "gpt-live-1"}, "usage": {"seconds": 60}})
    assert (found.usd, found.notes) == (Decimal("0.05"), [])


def test_tokens_of_an_answer_count_once() -> None:
    usage = {
        "input_tokens": 1_000,
        "input_tokens_details": {"cached_tokens": 400},
        "output_tokens": 100,
    }

    def nested(kind: str, **fields: Any) -> tuple[str, dict[str, Any]]:
        response = {"id": "resp_1", "model": "gpt-4.1-mini", **fields}
        return "response.event", {"event": {"type": kind, "response": response}}

    begun, ended = nested("response.created"), nested("response.completed", usage=usage)
    over = ("session.closed", {"usage": {"seconds": 60}})
    assert meter(begun, over).usd is None
    found = meter(begun, ended, ended, begun, over)
    # 600 x 0.40 + 400 x 0.10 + 100 x 1.60 = 440 millionths
    assert found.usd == Decimal("0.05") + Decimal("0.000440")


def test_tokens_that_are_written_to_a_cache_have_their_own_price() -> None:
    details = {"cached_tokens": 100, "cache_write_tokens": 200}
    usage = {"input_tokens": 1_000, "input_tokens_details": details, "output_tokens": 50}
    response = {"id": "resp_1", "model": "gpt-5.6-sol", "usage": usage}
    told = {"event": {"type": "response.completed", "response": response}}
    found = meter(("response.event", told), ("session.closed", {"usage": {"seconds": 0}}))
    # 700 x 4 + 100 x 0.40 + 200 x 5 + 50 x 20 = 4840 millionths
    assert found.usd == Decimal("0.004840")


def test_a_backend_of_unknown_price_is_named() -> None:
    response = {"id": "r", "model": "gpt-9", "usage": {"input_tokens": 1, "output_tokens": 1}}
    told = {"event": {"type": "response.completed", "response": response}}
    assert any("backend gpt-9" in line for line in meter(("response.event", told)).unpriced)


def test_the_tokens_of_a_decision_count_once() -> None:
    usage = {"input_tokens": 500, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 20}
    decision = {"model": "gpt-4.1-mini", "usage": usage, "answers": []}
    completed = {"type": "decision.completed", "decision": decision}
    told = ("decision.event", {"event_id": "event_7", "event": completed})
    found = meter(told, told, ("session.closed", {"usage": {"seconds": 60}}))
    # 500 x 0.40 + 20 x 1.60 = 232 millionths
    assert found.usd == Decimal("0.05") + Decimal("0.000232")


# What leaves


def test_personal_data_leaves_where_it_is_asked_to() -> None:
    redactor = Redactor(Secrets(b"k", personal=True), openai_live.PERSONAL)
    response = {"safety_identifier": "anna-17", "prompt_cache_key": "acct-5", "user": "user-abc"}
    told = {"type": "response.event", "event": {"type": "response.created", "response": response}}
    clean = redactor.redact(1, "provider", "ws.text", "response.event", json.dumps(told).encode())
    assert not any(each in clean for each in (b"anna-17", b"acct-5", b"user-abc"))
    words = {"type": "session.input_transcript.delta", "delta": " Anna Berg", "start_ms": 0}
    clean = redactor.redact(
        1, "provider", "ws.text", str(words["type"]), json.dumps(words).encode()
    )
    assert b"Anna" not in clean


def test_what_a_line_of_a_timeline_says() -> None:
    closed = {"reason": "expired", "usage": {"seconds": 7200.0}}
    assert LIVE.describe("session.closed", closed) == "expired, 7200 s"
    usage = {"usage": {"seconds": 12}, "context_window": {"usage_ratio": 0.42}}
    assert LIVE.describe("session.usage.updated", usage) == "12 s, 42% of the context"
    assert LIVE.describe("session.input_audio.mute", {}) == ""


def test_a_line_tells_what_was_decided_and_what_a_tool_gave() -> None:
    answers = [
        {"type": "choice", "name": "mood", "choice": "angry", "confidence": 0.9},
        {"type": "predicate", "name": "done", "probability": 0.25},
        {"type": "refusal", "name": None},
    ]
    completed = {"type": "decision.completed", "decision": {"model": "gpt-9", "answers": answers}}
    said = LIVE.describe("decision.event", {"event": completed})
    assert said == 'gpt-9, mood "angry", done 0.25, refusal'
    output = [{"type": "input_text", "text": "rain"}, {"type": "input_text", "text": "cold"}]
    item = {"type": "custom_tool_call_output", "call_id": "call_2", "output": output}
    assert LIVE.describe("response.item.create", {"item": item}) == "call_2 = rain cold"


def test_errors_of_ours_name_the_clients_event() -> None:
    told = json.loads(LIVE.error_event("x", "y", event_id="e2", by_client=True))
    assert told["error"]["client_event_id"] == "e2"
    assert told["error"]["type"] == "invalid_request_error"
