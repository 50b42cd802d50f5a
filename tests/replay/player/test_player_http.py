"""HTTP exchanges of a tape."""

from __future__ import annotations

import json
from typing import Any

from replaying import Client, player, script
from tapes import Take

from recorder.heads import RequestHead, ResponseHead

JSON = (("Content-Type", "application/json"),)


def exchange(
    channel: int, request: RequestHead, sent: bytes, answer: bytes, at: float = 0
) -> list[Take]:
    name = f"{request.method} {request.path}"
    response = ResponseHead(201, "Created", JSON).encode()
    return [
        Take(at, channel, "client", "http.request", name, request.encode()),
        Take(at, channel, "client", "http.chunk", name, sent),
        Take(at, channel, "client", "http.chunk", name, b""),
        Take(at + 80, channel, "provider", "http.response", "201", response),
        Take(at + 90, channel, "provider", "http.chunk", name, answer[:3]),
        Take(at + 120, channel, "provider", "http.chunk", name, answer[3:]),
        Take(at + 120, channel, "provider", "http.chunk", name, b""),
    ]


SECRETS = RequestHead("POST", "/v1/realtime/client_secrets", "", JSON)
FIRST = exchange(1, SECRETS, b'{"session":{"type":"realtime"}}', b'{"value":"one"}')
SECOND = exchange(2, SECRETS, b'{"session":{"type":"realtime"}}', b'{"value":"two"}', 500)
OTHER = exchange(3, SECRETS, b'{"session":{"type":"transcription"}}', b'{"value":"three"}', 900)


def ask(client: Client, channel: int, kind: str = "realtime", path: str = SECRETS.path) -> Client:
    head = RequestHead("POST", path, "", (*JSON, ("Authorization", "Bearer sk-live")))
    body = json.dumps({"session": {"type": kind}}, indent=2).encode()
    return client.give("http.request", head.encode(), channel, body)


def values(client: Client) -> list[Any]:
    return [json.loads(message.payload).get("value") for message in client.got]


def test_an_exchange_is_answered_with_its_recorded_answer_and_pace() -> None:
    client = ask(Client(player(FIRST, 1.0)), 1)
    assert client.run(119).got == []
    (answer,) = client.run(1).got
    assert ResponseHead.decode(answer.body).status == 201
    assert answer.payload == b'{"value":"one"}'
    assert client.machine.finished
    assert client.machine.failure is None


def test_equal_requests_are_answered_in_the_recorded_order() -> None:
    client = Client(player([*FIRST, *SECOND]))
    assert values(ask(ask(client, 1), 2)) == ["one", "two"]


def test_different_requests_may_come_in_any_order() -> None:
    client = Client(player([*FIRST, *SECOND, *OTHER]))
    ask(ask(client, 1, "transcription"), 2)
    assert values(ask(client, 3)) == ["three", "one", "two"]
    assert client.machine.finished


def test_a_repeat_beyond_the_tape_fails() -> None:
    client = ask(ask(Client(player([*FIRST, *OTHER])), 1), 2)
    error = json.loads(client.got[-1].payload)["error"]
    assert ResponseHead.decode(client.got[-1].body).status == 404
    assert "$.body.session.type" in error["message"]
    assert client.machine.failure
    assert "is not on the tape" in client.machine.failure.headline


def test_another_path_fails_and_says_what_the_tape_has() -> None:
    client = ask(Client(player(FIRST)), 1, path="/v1/realtime/calls")
    report = client.machine.report()
    assert "POST /v1/realtime/calls is not on the tape" in report
    assert "on tape   POST /v1/realtime/client_secrets" in report
    assert "unused: next is POST /v1/realtime/client_secrets at step 1" in client.machine.report()


def test_an_unused_exchange_fails_in_the_end() -> None:
    client = ask(Client(player([*FIRST, *SECOND], patience_s=3)), 1)
    client.run(3_300)
    assert client.machine.failure is None
    client.run(200)
    assert client.machine.failure
    assert "did not begin POST /v1/realtime/client_secrets" in client.machine.failure.headline
    assert client.machine.finished


def test_exchanges_from_elsewhere_answer_as_often_as_asked_and_need_not_be_used() -> None:
    spare = script([*FIRST, *SECOND]).exchanges
    client = Client(player(OTHER, spare=spare))
    for channel in (1, 2, 3):
        ask(client, channel)
    assert values(client) == ["one", "two", "one"]
    assert not client.machine.finished
    ask(client, 4, "transcription")
    assert client.machine.finished
    assert client.machine.failure is None
    assert client.machine.used == client.machine.total == 1
