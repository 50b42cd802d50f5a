"""Bills of Vapi calls, in every shape in which Vapi has told them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from metering import BOOK, REPORT, D, item, meter, report

from recorder.events import Event, Kind, Sender
from recorder.pricing import cost_of
from recorder.providers import PROVIDERS

DEEPGRAM = {"provider": "deepgram", "model": "flux-general-en"}
CLAUDE = {"provider": "anthropic", "model": "claude-sonnet-4-5-20250929"}
TURBO = {"provider": "11labs", "voiceId": "v", "model": "eleven_turbo_v2_5"}
GEMINI = {"provider": "google", "model": "gemini-2.0-flash"}
GET = "GET /call/{id}"


def bill_of_2026() -> list[Any]:
    """The numbers of a real call of 58.434 s."""
    return [
        item("transcriber", 0.010062149999999999, DEEPGRAM, minutes=0.9451333333333333),
        item("model", 0.0172518, CLAUDE, promptTokens=2333, completionTokens=174),
        item("voice", 0.02735, TURBO, characters=547),
        item("vapi", 0.048695, subType="normal", minutes=0.9739),
        item("knowledge-base", 0, GEMINI, promptTokens=0, completionTokens=0),
    ]


def test_a_real_bill_comes_to_what_was_charged() -> None:
    found = meter("vapi")
    lines = found.take(REPORT, report(costs=bill_of_2026(), cost=0.1034), seq=9)
    assert found.usd is not None
    assert round(found.usd, 4) == D("0.1034")
    assert found.usd == D("0.010062149999999999") + D("0.0172518") + D("0.02735") + D("0.048695")
    assert found.unpriced == found.notes == []
    assert {(line.component, line.model, line.meter, line.unit) for line in lines} == {
        ("transcriber", "deepgram/flux-general-en", "duration", "minute"),
        ("model", "anthropic/claude-sonnet-4-5-20250929", "tokens", "token"),
        ("voice", "11labs/eleven_turbo_v2_5", "characters", "character"),
        ("vapi", "normal", "duration", "minute"),
        ("knowledge-base", "google/gemini-2.0-flash", "charge", "event"),
    }
    assert {(line.charged_by, line.price_book, line.seq) for line in lines} == {
        ("provider", None, 9)
    }


def test_what_the_book_says_stands_beside_it() -> None:
    found = meter("vapi")
    found.take(REPORT, report(costs=bill_of_2026(), cost=0.1034))
    listed = {line.component: usd for line, usd in found.beside}
    assert [line for line, _ in found.beside] == found.lines
    assert listed["vapi"] == D("0.048695")
    assert listed["voice"] == D("0.02735")
    assert listed["model"] == D("0.006999") + D("0.00261")  # 2333 at 3, 174 at 15 a million
    assert listed["knowledge-base"] is None


def test_a_component_under_an_own_key_is_not_free() -> None:
    found = meter("vapi")
    voice = {"provider": "11labs", "voiceId": "v"}
    found.take(
        GET,
        {
            "id": "c1",
            "status": "ended",
            "cost": 0.0424,
            "costs": [
                item("voice", 0, voice, characters=818),
                item("vapi", 0.04236, subType="normal", minutes=0.8472),
            ],
        },
    )
    assert found.usd is None
    assert found.known_usd == D("0.04236")
    assert found.unpriced == [
        f"no price for vapi voice 11labs characters (character) in {BOOK.label}"
    ]
    assert found.notes == ["voice 11labs is billed by its own provider, not by Vapi"]


def test_a_component_under_an_own_key_is_priced_where_the_book_has_it() -> None:
    found = meter("vapi")
    gpt = {"provider": "openai", "model": "gpt-4.1"}
    costs = [item("model", 0, gpt, promptTokens=900, cachedPromptTokens=400, completionTokens=100)]
    found.take(REPORT, report(costs=costs, cost=0))
    assert found.usd == D("0.001") + D("0.0002") + D("0.0008")  # 500*2, 400*0.5, 100*8 millionths
    assert {line.charged_by for line in found.lines} == {"book"}


def test_an_estimate_is_no_price_of_a_bill() -> None:
    found = meter("vapi")
    costs = [{"type": "transport", "provider": "twilio", "minutes": 2, "cost": 0}]
    found.take(REPORT, report(costs=costs, cost=0))
    assert found.usd is None
    assert "transport twilio" in found.unpriced[0]


def test_the_last_settled_bill_wins_and_is_not_added() -> None:
    found = meter("vapi")
    found.take(REPORT, report(costs=bill_of_2026(), cost=0.1034), seq=5)
    analysis = item("analysis", 0.0001, GEMINI, analysisType="summary", promptTokens=42)
    later = {"id": "C1", "status": "ended", "cost": 0.1035, "costs": [*bill_of_2026(), analysis]}
    found.take(GET, later, seq=8)
    assert found.usd is not None
    assert round(found.usd, 4) == D("0.1035")
    assert {line.seq for line in found.lines} == {8}
    found.take(REPORT, report(costs=[], cost=0, startedAt="2026-02-01T00:00:00Z"), seq=9)
    found.take("status-update", {"message": {"status": "in-progress", "call": {"id": "c1"}}})
    assert {line.seq for line in found.lines} == {8}  # what has not settled tells nothing


def test_a_breakdown_alone_is_a_bill() -> None:
    found = meter("vapi")
    told = {"stt": 0.0091, "llm": 0.0031, "tts": 0, "vapi": 0.0424, "chat": 0, "transport": 0}
    told |= {"total": 0.0547, "llmPromptTokens": 813, "llmCompletionTokens": 187}
    told |= {"analysisCostBreakdown": {"summary": 0.0001, "summaryPromptTokens": 42}}
    found.take(REPORT, report(costBreakdown=told, cost=0.0547, durationMinutes=0.8472))
    assert found.usd == D("0.0547")
    assert [(line.component, line.meter, line.quantity) for line in found.lines] == [
        ("transcriber", "charge", 1),
        ("model", "tokens", 1000),
        ("vapi", "duration", D("0.8472")),
        ("analysis", "text_in", 42),
    ]


def test_voices_without_a_cost_in_a_breakdown_have_no_price() -> None:
    found = meter("vapi")
    told = {"vapi": 0.0424, "tts": 0, "ttsCharacters": 818, "total": 0.0424}
    found.take(REPORT, report(costBreakdown=told, cost=0.0424))
    assert found.usd is None


def test_a_cost_alone_is_one_line() -> None:
    found = meter("vapi")
    found.take(GET, {"id": "c1", "status": "ended", "cost": 0.12})
    assert [(line.component, line.usd) for line in found.lines] == [("call", D("0.12"))]


def test_what_the_items_leave_out_is_a_line_of_its_own() -> None:
    found = meter("vapi")
    found.take(REPORT, report(costs=bill_of_2026(), cost=0.15))
    assert found.usd == D("0.15")
    assert found.lines[-1].component == "other"
    assert "Vapi charged $0.15" in found.notes[0]


def test_items_beyond_the_total_are_noted() -> None:
    found = meter("vapi")
    found.take(REPORT, report(costs=bill_of_2026(), cost=0.05))
    assert "Vapi charged $0.05" in found.notes[0]


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        ("POST /call/web", {"id": "c1", "status": "queued", "cost": 0}),
        ("status-update", {"message": {"status": "in-progress", "call": {"id": "c1"}}}),
        (GET, {"id": "c1", "status": "in-progress", "cost": 0, "costs": []}),
        (REPORT, report(endedReason="customer-ended-call")),
    ],
)
def test_a_call_that_has_told_no_bill_is_not_free(type_: str, message: Any) -> None:
    found = meter("vapi")
    found.take(type_, message)
    assert found.usd is None
    found.take(REPORT, report(costs=bill_of_2026(), cost=0.1034))
    assert found.usd is not None
    assert round(found.usd, 4) == D("0.1034")


def test_a_call_that_never_began_cost_nothing() -> None:
    found = meter("vapi")
    found.take("POST /call/web", {"id": "c1", "status": "queued", "cost": 0})
    found.take(REPORT, report(cost=0, costs=[], endedReason="call.start.error-get-assistant"))
    assert found.usd == 0


def test_bills_are_found_on_a_tape_in_whole_bodies() -> None:
    body = json.dumps(report(costs=bill_of_2026(), cost=0.1034)).encode()

    def event(seq: int, sender: Sender, kind: Kind, piece: bytes) -> Event:
        return Event("s", seq, seq, 3, sender, kind, REPORT, piece)

    events = [
        event(1, "provider", "http.chunk", body[:700]),
        event(2, "client", "http.chunk", b"{"),
        event(3, "provider", "http.chunk", body[700:]),
        event(4, "provider", "http.chunk", b""),
        Event("s", 5, 5, 1, "provider", "ws.text", "hang", b"not JSON"),
        Event("s", 6, 6, 1, "provider", "ws.text", "hang", b"[1]"),
    ]
    found = cost_of(events, PROVIDERS["vapi"], BOOK)
    assert found.usd is not None
    assert round(found.usd, 4) == D("0.1034")
    assert {line.seq for line in found.lines} == {4}


@pytest.mark.parametrize(
    "message",
    [
        {"costs": 5},
        {"costs": {"type": "vapi"}},
        {"costs": [1, None, {}, {"type": 3, "cost": -1}]},
        {"costBreakdown": []},
        {"costBreakdown": {"llm": "much", "analysisCostBreakdown": 3}},
        {"message": [], "call": 3, "cost": "x"},
    ],
)
def test_bills_of_another_shape_are_not_free(message: Any) -> None:
    found = meter("vapi")
    for type_ in (REPORT, GET, "status-update", "POST /call", "nonsense"):
        found.take(type_, {**message, "status": "ended"})
    assert found.usd is None


def test_a_socket_that_does_not_name_its_call_means_the_sessions_own() -> None:
    found = meter("vapi")
    found.take("status-update", {"type": "status-update", "status": "in-progress"})
    assert found.usd is None
    found.take(REPORT, report(costs=bill_of_2026(), cost=0.1034))
    assert found.usd is not None
    found.take(GET, {"id": "c2", "status": "ended", "cost": 0.5})
    assert round(found.usd or D(0), 4) == D("0.6034")  # another call is another bill


def test_a_model_that_speaks_is_counted_in_tokens_and_seconds() -> None:
    found = meter("vapi")
    live = {"provider": "openai", "model": "gpt-realtime-2025-08-28"}
    used = {"promptTokens": 10, "completionTokens": 5, "seconds": 3, "usageComplete": False}
    found.take(REPORT, report(costs=[item("model", 0.02, live, **used)], cost=0.02))
    assert [(line.meter, line.unit, line.usd) for line in found.lines] == [
        ("charge", "event", D("0.02"))
    ]
    assert "not complete" in found.notes[0]
