"""Messages that tell usage, for tests of prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from recorder.pricing import Meter, PriceBook
from recorder.providers import PROVIDERS

BOOK = PriceBook.shipped()
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
REPORT = "end-of-call-report"
D = Decimal


def meter(provider: str = "openai", book: PriceBook = BOOK) -> Meter:
    return Meter(PROVIDERS[provider], book)


def realtime(model: str = "gpt-realtime", transcriber: str | None = None) -> Meter:
    """A meter that has seen a session of a model begin."""
    found = meter()
    told = {"model": transcriber} if transcriber else None
    session = {"model": model, "audio": {"input": {"transcription": told}}}
    found.take("session.created", {"session": session})
    return found


def kinds(text: int = 0, audio: int = 0, image: int = 0) -> dict[str, int]:
    return {"text_tokens": text, "audio_tokens": audio, "image_tokens": image}


def usage(
    taken: dict[str, int], given: dict[str, int], cached: dict[str, int] | None = None
) -> dict[str, Any]:
    """The usage of an answer; its sums are right."""
    spared = cached or kinds()
    incoming, outgoing = sum(taken.values()), sum(given.values())
    return {
        "total_tokens": incoming + outgoing,
        "input_tokens": incoming,
        "output_tokens": outgoing,
        "input_token_details": {
            **taken,
            "cached_tokens": sum(spared.values()),
            "cached_tokens_details": spared,
        },
        "output_token_details": given,
    }


def done(told: object, name: str = "resp_1", status: str = "completed") -> dict[str, Any]:
    return {"response": {"id": name, "status": status, "usage": told}}


def item(kind: str, cost: float | None, thing: dict[str, str] | None = None, **used: Any) -> Any:
    """An item of Vapi's `costs`."""
    named = {kind if kind in ("transcriber", "voice") else "model": thing} if thing else {}
    return {"type": kind, **named, **used, "cost": cost}


def report(call: str = "c1", **fields: Any) -> dict[str, Any]:
    return {"message": {"type": REPORT, "call": {"id": call, "cost": 0}, **fields}}
