"""The agent of a tape, as each provider's messages tell it, and what another one takes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recorder.errors import RecorderError
from recorder.events import Event, Kind, Sender
from replay.crossing.sides import side
from replay.crossing.sides.base import Agent, Voice

TOOL = {"name": "book", "description": "Book it", "parameters": {"type": "object"}}


def event(type_: str, body: Any, sender: Sender = "provider", kind: Kind = "ws.text") -> Event:
    """An event on channel 1."""
    told = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Event("s", 1, 0, 1, sender, kind, type_, told)


def request(type_: str, body: Any, sender: Sender = "client") -> list[Event]:
    """A whole body of HTTP."""
    return [event(type_, each, sender, "http.chunk") for each in (body, b"")]


def openai(*events: Event) -> Agent:
    return side("openai").agent(events)


def vapi(*events: Event) -> Agent:
    return side("vapi").agent(events)


def test_a_session_is_what_was_confirmed_before_the_conversation() -> None:
    session = {
        "instructions": "Be brief.",
        "model": "gpt-realtime",
        "tools": [{"type": "function", **TOOL}, {"type": "mcp", "server_label": "x"}],
        "audio": {"input": {"turn_detection": {"type": "server_vad"}}, "output": {"voice": "ash"}},
    }
    found = openai(
        event("session.created", {"session": {"instructions": "Default."}}),
        event("session.updated", {"session": session}),
        event("response.created", {}),
        event("session.update", {"session": {"instructions": "Be long."}}, "client"),
        event("session.updated", {"session": {"instructions": "Be long."}}),
    )
    assert (found.instructions, found.model) == ("Be brief.", "gpt-realtime")
    assert [tool.name for tool in found.tools] == ["book"]
    assert found.voice == Voice("openai", "ash")
    assert found.lost == (
        "a tool of type mcp: only functions are",
        "turn_detection: it is set up as in a trial",
        "settings that were changed in the conversation (1 time)",
    )


def test_a_session_of_the_beta_is_read_too() -> None:
    session = {"instructions": "Hi.", "voice": "echo", "input_audio_transcription": {"model": "w"}}
    found = openai(event("session.updated", {"session": session}))
    assert (found.instructions, found.voice) == ("Hi.", Voice("openai", "echo"))
    assert found.lost == ("transcription: it is set up as in a trial",)


def test_what_was_asked_for_counts_where_nothing_was_confirmed() -> None:
    asked = [{"session": {"instructions": "A."}}, {"session": {"voice": "echo"}}]
    found = openai(*(event("session.update", each, "client") for each in asked))
    assert (found.instructions, found.voice) == ("A.", Voice("openai", "echo"))


LIVE = {
    "id": "live_1",
    "model": "gpt-live-1",
    "instructions": "Be brief.",
    "audio": {"output": {"voice": "vesper"}},
    "delegation": {
        "type": "responses",
        "responses": {
            "model": "gpt-4.1",
            "instructions": "Book tables.",
            "tools": [{"type": "function", **TOOL}, {"type": "web_search"}],
        },
    },
}


def live(*events: Event) -> Agent:
    return side("openai-live").agent(events)


def test_a_live_session_is_the_voice_and_the_model_behind_it() -> None:
    started = event("session.started", {"session": LIVE})
    again = event("session.started", {"session": {**LIVE, "instructions": "Another sideband."}})
    found = live(event("session.start", {"session": {"model": "x"}}, "client"), started, again)
    assert found.instructions == "Be brief.\n\nBook tables."
    assert (found.model, found.voice) == ("gpt-live-1", Voice("openai", "vesper"))
    assert [tool.name for tool in found.tools] == ["book"]
    assert found.lost == (
        "model gpt-4.1 behind the voice",
        "a tool of type web_search: only functions are",
    )


def test_what_a_live_session_asked_for_counts_where_it_was_not_confirmed() -> None:
    responses = {**LIVE["delegation"]["responses"], "instructions": "Be brief."}  # type: ignore[index]
    session = {**LIVE, "delegation": {"responses": responses}}
    found = live(event("session.start", {"session": session}, "client"))
    assert found.instructions == "Be brief."


def test_work_that_is_delegated_to_the_client_is_a_function_without_arguments() -> None:
    session = {"model": "gpt-live-1", "audio": {"output": {"voice": {"id": "mine"}}}}
    found = live(
        event("session.started", {"session": session}),
        event("session.delegation.created", {"delegation": {"id": "i", "target": "client"}}),
    )
    assert [tool.name for tool in found.tools] == ["delegation"]
    assert found.voice is None
    assert found.lost == (
        "what was delegated: the wire tells no task; a function without arguments stands for it",
        "a voice of one's own",
    )


def test_what_the_client_did_in_a_live_conversation_is_not_carried_over() -> None:
    greeting = {"content": "Hello.", "delegation_id": None}
    result = {"content": "It rains.", "delegation_id": "item_1"}
    found = live(
        event("session.started", {"session": {"input": [{}, {}]}}),
        event("session.commentary.append", greeting, "client"),
        event("session.input_transcript.delta", {}),
        event("session.commentary.append", result, "client"),
        event("session.instructions.append", greeting, "client"),
        event("session.update", {"session": {}}, "client"),
        event("session.input_audio.mute", {}, "client"),
    )
    assert found.instructions is None
    assert found.lost == (
        "input: 2 of the session",
        "instructions that the client appended in the conversation (1 time)",
        "silence of a muted microphone",
        "settings that were changed in the conversation (1 time)",
    )


ASSISTANT = {
    "model": {
        "provider": "openai",
        "model": "gpt-4.1",
        "messages": [{"role": "system", "content": "You book."}],
        "tools": [{"type": "function", "function": TOOL}, {"type": "endCall"}],
    },
    "voice": {"provider": "11labs", "voiceId": "burt"},
    "transcriber": {"provider": "deepgram"},
    "server": {"url": "https://team.example"},
}


def test_an_assistant_stands_in_the_request_for_the_call() -> None:
    found = vapi(*request("POST /call", {"assistant": ASSISTANT}))
    assert (found.instructions, found.model) == ("You book.", "gpt-4.1")
    assert [tool.name for tool in found.tools] == ["book"]
    assert found.voice == Voice("11labs", "burt")
    assert found.lost == (
        "a tool of type endCall: only functions are",
        "transcriber: a setting of Vapi's assistants",
    )


def test_a_stored_assistant_is_told_by_a_delivery_and_overridden_by_the_request() -> None:
    asked = {"assistantId": "a", "assistantOverrides": {"voice": {"voiceId": "other"}}}
    told = {"message": {"type": "status-update", "assistant": ASSISTANT}}
    found = vapi(*request("POST /call", asked), *request("status-update", told, "provider"))
    assert found.instructions == "You book."
    assert found.voice == Voice("11labs", "other")


def test_the_prompt_of_the_conversation_is_what_is_left() -> None:
    messages = [{"role": "system", "content": "From the messages."}, {"role": "user"}]
    told = {"type": "conversation-update", "messages": messages}
    found = vapi(*request("POST /call", {"assistantId": "a"}), event("conversation-update", told))
    assert found.instructions == "From the messages."


def test_a_tape_that_tells_nothing_says_so() -> None:
    assert vapi(*request("POST /call", {"assistantId": "a"})).instructions is None
    assert openai(event("session.created", b"no json")).instructions is None


@pytest.mark.parametrize(
    ("name", "voice", "settings", "lost"),
    [
        ("openai", Voice("openai", "marin"), {"voice": "marin"}, ()),
        ("openai", Voice("11labs", "burt"), {}, ("voice 11labs burt: OpenAI has its own",)),
        ("openai", None, {}, ()),
        ("openai-live", Voice("openai", "vesper"), {"voice": "vesper"}, ()),
        ("openai-live", Voice("11labs", "b"), {}, ("voice 11labs b: GPT-Live has its own",)),
        ("openai-live", None, {}, ()),
        (
            "vapi",
            Voice("openai", "marin"),
            {"voice": {"provider": "openai", "voiceId": "marin"}},
            (),
        ),
    ],
)
def test_a_voice_goes_where_it_can_be_had(
    name: str, voice: Voice | None, settings: dict[str, Any], lost: tuple[str, ...]
) -> None:
    agent = Agent("", (), voice, None, ())
    assert side(name).dressed(agent) == (settings, lost)


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(RecorderError, match="'other': choose from openai, openai-live, vapi"):
        side("other")
