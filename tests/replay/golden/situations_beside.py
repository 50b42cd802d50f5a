"""Situations beside the messages of a socket: targets, HTTP, webhooks, rules, secrets."""

from __future__ import annotations

import json
from typing import Any

from staging import (
    JSON,
    LONDON,
    PLAIN_SECRET,
    ROME,
    SECRET,
    Situation,
    ask,
    client,
    hide,
    into,
    opened,
    set_up,
    settings,
    typed,
)
from vapi_replaying import ASKED, Parties, Tape
from vapi_replaying import player as vapi_player

from recorder.errors import RecorderError
from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead

SITUATIONS: dict[str, Situation] = {}
situation = into(SITUATIONS)

# Targets and HTTP


@situation
def socket_path_is_unknown() -> str:
    return client(typed()).open(path="/v1/chat").machine.report()


@situation
def socket_query_differs() -> str:
    return client(typed()).open(query="model=gpt-other").machine.report()


@situation
def socket_is_one_too_many() -> str:
    return opened(typed()).open(channel=2).machine.report()


@situation
def socket_is_never_opened() -> str:
    first = typed()
    again = [take._replace(channel=2, at_ms=take.at_ms + 1_000) for take in first.takes]
    one = ask(ask(client([*first.takes, *again]).open().send("session.update", session=settings()),
              LONDON), ROME).close()  # fmt: skip
    return one.run(60_000).machine.report()


def calling(body: Any, path: str = "/call") -> str:
    tape = Tape().create()
    parties = Parties(vapi_player(tape, hide=hide))
    head = RequestHead("POST", path, "", JSON)
    parties.machine.receive(
        Message(9, "http.request", head.encode(), json.dumps(body).encode()), parties.now
    )
    return parties.run().machine.report()


@situation
def http_body_differs() -> str:
    return calling({**ASKED, "assistantId": "b", "name": "test"})


@situation
def http_path_is_unknown() -> str:
    return calling(ASKED, "/calls")


@situation
def http_request_is_one_too_many() -> str:
    tape = Tape().create()
    parties = Parties(vapi_player(tape, hide=hide))
    parties.ask("POST", "/call", ASKED)
    head = RequestHead("POST", "/call", "", JSON)
    body = json.dumps(ASKED).encode()
    parties.machine.receive(Message(9, "http.request", head.encode(), body), parties.now)
    return parties.run().machine.report()


# Webhooks


def hooked() -> Parties:
    results = {"results": [{"toolCallId": "t1", "result": "rain, 7 degrees"}]}
    tape = Tape().create().wait(50).hook("tool-calls", results)
    parties = Parties(vapi_player(tape, hide=hide))
    parties.ask("POST", "/call", ASKED)
    return parties.run(100)


@situation
def webhook_answer_differs() -> str:
    results = {"results": [{"toolCallId": "t1", "result": "sun, 30 degrees"}]}
    return hooked().answer(body=results).machine.report()


@situation
def webhook_cannot_be_delivered() -> str:
    parties = hooked()
    refused = ResponseHead(0, "connection refused").encode()
    parties.give(parties.hooks[-1].channel, "webhook.response", refused)
    return parties.machine.report()


# Rules


@situation
def rule_is_unused() -> str:
    rules = ("any $.session.instructions", "approx **.threshold 0.1")
    one = ask(ask(set_up(*rules, threshold=0.55), LONDON), ROME).close()
    return one.machine.report()


@situation
def rule_is_exceeded() -> str:
    return set_up("approx session.update:**.threshold 0.1", threshold=0.8).machine.report()


@situation
def rule_is_refused() -> str:
    return refusal("ignore session.update:$.session.audio")


@situation
def rule_for_everything_is_refused() -> str:
    return refusal("any **")


@situation
def rule_cannot_be_read() -> str:
    return refusal("aprox session.update:$.session.speed 0.1")


def refusal(rule: str) -> str:
    try:
        set_up(rule)
    except RecorderError as error:
        return str(error)
    raise AssertionError(f"{rule} was taken")


# Secrets


@situation
def secret_is_hidden() -> str:
    tools = [{"type": "mcp", "server_label": "s", "authorization": PLAIN_SECRET}]
    session = {**settings(), "instructions": f"use {SECRET} well", "tools": tools}
    return opened(typed()).send("session.update", session=session).machine.report()


@situation
def secret_is_hidden_at_its_place() -> str:
    session = {**settings(), "client_secret": PLAIN_SECRET}
    return opened(typed()).send("session.update", session=session).machine.report()
