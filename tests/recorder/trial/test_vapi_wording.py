"""The words of a Vapi call's socket, frame by frame."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recorder.errors import RecorderError
from recorder.trial.vapi_wording import VapiWording
from recorder.trial.wording import (
    Ready,
    Refused,
    ReplyBegan,
    ReplyEnded,
    Said,
    Signal,
    Sound,
    SpeechStarted,
)


def speech(status: str, role: str = "assistant") -> dict[str, Any]:
    return {"type": "speech-update", "status": status, "role": role, "turn": 0}


def final(text: str, role: str = "assistant") -> dict[str, Any]:
    return {"type": "transcript", "role": role, "transcriptType": "final", "transcript": text}


CALL = {"type": "tool-calls", "toolCallList": [{"id": "call_1", "type": "function"}]}
ANSWER = {
    "type": "conversation-update",
    "conversation": [{"role": "tool", "tool_call_id": "call_1", "content": "x"}],
}
FILLER = {"type": "voice-input", "input": "Just a sec.", "turn": 0}


def read(wording: VapiWording, *frames: Any) -> list[Signal]:
    return [signal for one in frames for signal in wording.read(json.dumps(one).encode())]


def test_formats_have_their_usual_rates() -> None:
    assert (VapiWording().codec, VapiWording().rate) == ("pcm16", 16_000)
    assert (VapiWording("mulaw").codec, VapiWording("mulaw").rate) == ("pcmu", 8_000)
    assert VapiWording("pcm_s16le", 44_100).rate == 44_100
    with pytest.raises(RecorderError, match="pcm_s16le, mulaw"):
        VapiWording("opus")


def test_a_reply_ends_with_its_final_words() -> None:
    wording = VapiWording()
    assert read(wording, {"type": "status-update", "status": "in-progress"}) == [Ready()]
    assert read(wording, speech("started")) == [ReplyBegan("speech-1")]
    assert wording.listen(b"ab") == [Sound("speech-1", b"ab")]
    assert read(wording, speech("stopped")) == []
    assert read(wording, final("Hi.")) == [
        Said("speech-1", "Hi."),
        ReplyEnded("speech-1", "completed"),
    ]
    assert read(wording, speech("started")) == [ReplyBegan("speech-2")]


def test_the_caller_s_own_words_are_no_reply() -> None:
    frames = [speech("started", "user"), speech("stopped", "user"), final("Hi.", "user")]
    assert read(VapiWording(), *frames) == []


def test_an_interrupted_reply_does_not_count() -> None:
    wording = VapiWording()
    read(wording, speech("started"))
    assert read(wording, {"type": "user-interrupted", "turnId": "t"}) == [SpeechStarted()]
    assert read(wording, speech("stopped")) == [ReplyEnded("speech-1", "cancelled")]
    assert read(wording, final("Hel")) == [Said("speech-1", "Hel")]


def test_what_is_said_while_a_tool_works_is_filler() -> None:
    wording = VapiWording()
    answer = {"type": "voice-input", "input": "It is x.", "turn": 0}
    read(wording, CALL, FILLER, ANSWER, answer)
    read(wording, speech("started"))
    assert wording.listen(b"ab") == []
    read(wording, speech("stopped"))
    assert ReplyEnded("speech-1", "cancelled") in read(wording, final("Just a sec."))
    read(wording, speech("started"))
    assert wording.listen(b"ab") == [Sound("speech-2", b"ab")]
    read(wording, speech("stopped"))
    assert ReplyEnded("speech-2", "completed") in read(wording, final("It is x."))


def test_what_the_model_says_while_a_tool_works_is_a_reply() -> None:
    wording = VapiWording()
    output = {"type": "model-output", "output": "I have passed it on.", "turnId": "t"}
    voice = {"type": "voice-input", "input": "I have passed it on.", "turn": 0}
    read(wording, CALL, output, voice, speech("started"), speech("stopped"))
    assert ReplyEnded("speech-1", "completed") in read(wording, final("I have passed it on."))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"not json", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'{"type":"speech-update"}', "malformed speech-update"),
        (b'{"type":"tool-calls","toolCallList":[1]}', "malformed tool-calls"),
        (b'{"type":"status-update","status":"ended","endedReason":"x"}', "the call has ended: x"),
    ],
)
def test_what_a_speaker_cannot_go_on_with(body: bytes, message: str) -> None:
    (refused,) = VapiWording().read(body)
    assert isinstance(refused, Refused)
    assert message in refused.message
    assert not refused.benign


@pytest.mark.parametrize("frame", [{"type": "hang"}, {"type": "something-new"}, {}])
def test_unknown_frames_mean_nothing(frame: Any) -> None:
    assert read(VapiWording(), frame) == []


def test_nothing_is_configured_and_typed_words_are_added() -> None:
    wording = VapiWording()
    assert wording.configure() == []
    (said,) = wording.say("Hé")
    assert json.loads(said) == {
        "type": "add-message",
        "message": {"role": "user", "content": "Hé"},
        "triggerResponseEnabled": True,
    }
    assert wording.hear(b"\x00\x01") == [b"\x00\x01"]
