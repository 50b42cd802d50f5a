"""A client on virtual time against a tape, or a simulator, with faults."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from replaying import OPENAI, Client, events, player
from tapes import Script, Take, conversation, session_object

from recorder.heads import Close
from replay.faults import Fault, FaultyReplay, parse_fault

ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
WORDS = ("one ", "two ", "three ", "four ")


def turn() -> Script:
    """A typed turn that is answered with four words, 100 ms apart."""
    script = Script().open().wait(10).provider("session.created", session=session_object())
    script.wait(100).client("response.create")
    script.wait(200).provider("response.created", response={"id": "resp_1"})
    for word in WORDS:
        script.wait(100).provider("response.output_text.delta", item_id="item_1", delta=word)
    done = {"id": "resp_1", "status": "completed", "status_details": None, "output": []}
    return script.wait(100).provider("response.done", response={**done, "usage": {}})


def plan(texts: Iterable[str]) -> list[Fault]:
    return [parse_fault(text) for text in texts]


def replay(
    takes: Iterable[Take],
    *texts: str,
    speed: float | None = None,
    seed: int = 1,
    patience_s: float = 15.0,
) -> Client:
    """A client of a replay of `takes` with the faults that `texts` say."""
    machine = player(takes, speed, patience_s=patience_s)
    return Client(  # type: ignore[arg-type]
        FaultyReplay(machine, plan(texts), OPENAI, seed=seed, patience_s=patience_s)
    )


def asked(client: Client) -> Client:
    """Open a connection and ask for the response of `turn`."""
    return client.open().send("response.create")


def words(client: Client) -> str:
    """The text that came."""
    said = [json.loads(each.body) for each in client.got if each.kind == "ws.text"]
    return "".join(each["delta"] for each in said if "delta" in each)


def notes(client: Client) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in client.got if each.kind == "note"]


def closes(client: Client) -> list[Close]:
    return [Close.decode(each.body) for each in client.got if each.kind == "ws.close"]


def whole_conversation(client: Client) -> Client:
    """Say all that the client of `conversation` said, whatever comes back, and close."""
    client.open()
    for event in events(conversation()):
        if event.sender == "client" and event.kind == "ws.text":
            client.give("ws.text", event.body)
    return client.close()
