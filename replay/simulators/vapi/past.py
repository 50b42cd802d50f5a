"""Calls that had ended before the simulator began, for lists, pulls and analytics."""

from __future__ import annotations

import itertools
import random

from replay.simulators.common import words
from replay.simulators.vapi.account import Account
from replay.simulators.vapi.call import Base, Call, Latency
from replay.simulators.vapi.errors import Json
from replay.simulators.vapi.history import Span
from replay.simulators.vapi.ids import Mint, iso
from replay.simulators.vapi.sound import Form

_EVERY_MS = 7 * 60_000
_MS_PER_LETTER = 70
_FORMAT: Json = {"format": "pcm_s16le", "container": "raw", "sampleRate": 16_000}
_REASONS = ("customer-ended-call", "assistant-ended-call", "silence-timed-out")
_GREETING = "Hello, how can I help you?"
_UNPLACED = Base("", False)


def fill(account: Account, wall_ms: int) -> None:
    """Put as many calls into the account as its options ask for, the newest just before now."""
    count = account.options.history
    if not count:
        return
    mint = Mint(f"{account.seed}/past")
    assistant = _assistant(mint.uuid4(), account.org_id, wall_ms - (count + 1) * _EVERY_MS)
    account.assistants[assistant["id"]] = assistant
    for index in range(count):
        created = wall_ms - (count - index) * _EVERY_MS + mint.chance.randrange(60_000)
        call = _call(account, assistant, mint.uuid7(created), created, index)
        account.calls[call.id] = call


def place(account: Account, base: Base) -> None:
    """The simulator is reached here: the addresses of past calls become known."""
    for call in account.calls.values():
        if call.base == _UNPLACED:
            call.base = base


def _assistant(key: str, org_id: str, created_ms: int) -> Json:
    return {
        "id": key,
        "orgId": org_id,
        "createdAt": iso(created_ms),
        "updatedAt": iso(created_ms),
        "name": "Front desk",
        "firstMessage": _GREETING,
        "model": {"provider": "openai", "model": "gpt-4.1"},
        "voice": {"provider": "vapi", "voiceId": "Elliot"},
        "transcriber": {"provider": "deepgram", "model": "nova-3"},
    }


def _call(account: Account, assistant: Json, key: str, created: int, index: int) -> Call:
    call = Call(
        id=key,
        org_id=account.org_id,
        created_ms=created,
        base=_UNPLACED,
        asked={"assistantId": assistant["id"]},
        form=Form("pcm16", _FORMAT["sampleRate"]),
        transport={"provider": "vapi.websocket", "audioFormat": _FORMAT},
        seed=f"{account.seed}/past/{index}",
        assistant=assistant,
    )
    chance = random.Random(call.seed)
    call.begin(created + 250, 0)
    at = _said(call, "bot", _GREETING, created + 1150)
    for _ in range(chance.randint(1, 3)):
        made = itertools.islice(words.utterance(chance), chance.randint(3, 12))
        asked = " ".join(made).capitalize() + "."
        at = _said(call, "user", asked, at + chance.randint(400, 1500))
        latency = Latency(chance.randint(400, 700), chance.randint(250, 450), 300, 400, 0)
        turn = latency.model + latency.voice + latency.transcriber + latency.endpointing
        call.latencies.append(latency._replace(turn=turn))
        at = _said(call, "bot", words.reply(chance, asked, None), at + turn)
    call.end(chance.choice(_REASONS), at + chance.randint(500, 3000))
    call.updated_ms = (call.ended_ms or at) + 10_000
    call.reported = call.settled = call.has_log = True
    call.note(call.started_ms or created, "call.started", "Call started")
    call.note(call.ended_ms or at, "call.ended", "Call ended", endedReason=call.ended_reason)
    return call


def _said(call: Call, role: str, text: str, at: int) -> int:
    """Store what was said and bill it; when it was over."""
    span = Span(at, at + len(text) * _MS_PER_LETTER)
    usage, tokens = call.usage, len(words.pieces(text))
    if role == "user":
        call.history.user(text, span)
        usage.prompt_tokens += len(words.pieces(call.transcript()))
    else:
        call.history.bot(text, span)
        usage.characters += len(text)
        usage.completion_tokens += tokens
    return span.end_ms
