"""How a situation is set up: the tapes, and the client that does not do as they did."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from replaying import OPENAI, Client, events
from tapes import Script, Take, session_object, tone

from recorder.redact import Secrets, redact_text
from replay.match.rulebook import Rulebook
from replay.match.rules import parse_rules
from replay.player import Player
from replay.script import read_script

SECRET = "sk-proj-0123456789abcdefghijABCDEFGHIJ0123456789"
PLAIN_SECRET = "hunter2-correct-horse"  # told by the name of its field only
JSON = (("Content-Type", "application/json"),)
Situation = Callable[[], str]


def into(register: dict[str, Situation]) -> Callable[[Situation], Situation]:
    """A decorator that registers a situation under its name."""

    def situation(function: Situation) -> Situation:
        register[function.__name__.replace("_", "-")] = function
        return function

    return situation


def hide(text: str) -> str:
    return redact_text(Secrets(b"golden"), text)


def said(text: str, **fields: Any) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"item": {"type": "message", "role": "user", "content": content, **fields}}


LONDON, ROME = "What is the weather in London?", "And in Rome?"
DETECTION = {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500}


def settings(**detection: Any) -> dict[str, Any]:
    turns = {**DETECTION, **detection}
    return {"type": "realtime", "audio": {"input": {"turn_detection": turns}}}


def typed() -> Script:
    """Settings, then two turns in text."""
    script = Script().open().provider("session.created", session=session_object())
    script.client("session.update", session=settings())
    script.provider("session.updated", session=session_object())
    for number, text in enumerate((LONDON, ROME), 1):
        script.wait(100).client("conversation.item.create", **said(text))
        script.client("response.create")
        item = {"id": f"item_{number}", **said(text)["item"]}
        script.wait(50).provider("conversation.item.added", item=item)
        script.provider("response.done", response={"id": f"resp_{number}"})
    return script.close()


def spoken() -> Script:
    """Two seconds of speech, sent off by hand."""
    script = Script().open().provider("session.created", session=session_object())
    script.append(bytes(48 * 300)).append(tone(2_000)).append(bytes(48 * 100))
    script.client("input_audio_buffer.commit")
    script.provider("input_audio_buffer.committed", item_id="item_1")
    script.client("response.create").wait(300)
    script.provider("response.done", response={"id": "resp_1"})
    return script.close()


def client(script: Script | list[Take], *rules: str, **options: Any) -> Client:
    takes = script.takes if isinstance(script, Script) else script
    book = Rulebook(OPENAI.RULES, parse_rules(rules, "rules.txt"))
    tape = read_script(events(takes), OPENAI, book)
    options = {"speed": None, "patience_s": 5.0, "hide": hide, **options}
    return Client(Player(tape, OPENAI, book, **options))


def opened(script: Script, *rules: str, **options: Any) -> Client:
    return client(script, *rules, **options).open()


def set_up(*rules: str, **detection: Any) -> Client:
    return opened(typed(), *rules).send("session.update", session=settings(**detection))


def ask(one: Client, text: str) -> Client:
    return one.send("conversation.item.create", **said(text)).send("response.create")


def speak(one: Client, pcm: bytes) -> Client:
    for at in range(0, len(pcm), 48 * 100):
        piece = base64.b64encode(pcm[at : at + 48 * 100]).decode()
        one.send("input_audio_buffer.append", audio=piece).run(100)
    return one
