"""The caller of the demo's first conversation: the scripted `Speaker` with recorded speech."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from recorder.heads import RequestHead
from recorder.trial.openai_wording import OpenAIWording
from recorder.trial.speaker import Speaker
from recorder.trial.steps import AwaitReply, Close, Interrupt, Say, Speak
from replay.speech import clip

KEY: Final = "sk-demo-this-key-is-not-stored-0123456789"
"""Passes through, and is nowhere on the tape."""
TRANSCRIPTS: Final = (
    "What is the weather in Paris?",
    "I would like to book a table for two tomorrow at seven.",
    "Actually, make that eight o'clock.",
)
"""What a simulator hears."""
REPLIES: Final = (
    "Hello! I can look up the weather and book a table for you.",
    "It is sunny in Paris, twenty-one degrees.",
    "Gladly. A table for two, tomorrow at seven in the evening. May I have your name, please?",
    "Eight o'clock it is, for two.",
)
"""What its agent says."""
_WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city now",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Paris"]}},
        "required": ["city"],
    },
}


def caller() -> Speaker:
    """Types, speaks, needs a tool, and interrupts."""
    head = RequestHead(
        "GET", "/v1/realtime", "model=gpt-realtime", (("Authorization", f"Bearer {KEY}"),)
    )
    wording = OpenAIWording(
        "You are the assistant of a restaurant.",
        (_WEATHER,),
        turn_detection={"type": "server_vad", "create_response": True, "interrupt_response": True},
        transcription="gpt-realtime-whisper",
    )
    steps = (
        Say("Hello, who is there?"),
        AwaitReply(),
        Speak(clip("caller-weather")),
        AwaitReply(),
        Speak(clip("caller-book")),
        Interrupt(1200, clip("caller-correct")),
        AwaitReply(),
        Close(),
    )
    return Speaker(head, steps, wording, {"get_weather": _weather})


def _weather(arguments: Mapping[str, Any]) -> str:
    return f"sunny in {arguments['city']}, 21 degrees"
