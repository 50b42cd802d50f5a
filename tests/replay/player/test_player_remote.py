"""Pausing and stepping a replay, in code and by requests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from replaying import MS, Client, player
from tapes import Script, Take, session_object

from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from replay.player.remote import Remote


def takes() -> list[Take]:
    """Three messages, 100 ms apart, after the client asked."""
    script = Script().open().provider("session.created", session=session_object())
    script.wait(10).client("response.create")
    for number in range(3):
        script.wait(100).provider("response.done", response={"n": number})
    return script.close().takes


class Steered(Client):
    """A client of a replay, and whoever steers it."""

    def __init__(self, speed: float | None = 1.0, **options: Any) -> None:
        machine = player(takes(), speed, **options)
        self.player, self.remote = machine, Remote(machine, machine)
        super().__init__(self.remote)  # type: ignore[arg-type]
        self._asked = 100

    def ask(self, method: str, path: str, query: str = "") -> tuple[int, dict[str, Any]]:
        """What a request says, at once."""
        self._asked += 1
        head = RequestHead(method, path, query).encode()
        self.remote.receive(Message(self._asked, "http.request", head), self.now)
        (answer, *rest) = self.remote.due(self.now)
        for message in rest:
            self.got.append(message)
        assert answer.channel == self._asked
        return ResponseHead.decode(answer.body).status, json.loads(answer.payload)


def test_while_it_is_paused_time_stands_still() -> None:
    client = Steered(patience_s=1.0).open().run(50)
    client.send("response.create").run(150)
    client.remote.pause(client.now)
    client.run(3_600_000)
    assert client.types().count("response.done") == 1
    client.remote.resume(client.now)
    began = client.now - 1_000 * MS
    client.run(900)
    assert [at - began for at in client.at[3:]] == [50 * MS, 150 * MS]
    client.close()
    assert client.player.failure is None
    assert client.player.finished


def test_what_comes_in_a_pause_counts_from_its_end() -> None:
    client = Steered().open().run(50)
    client.remote.pause(client.now)
    client.send("response.create").run(60_000)
    client.remote.resume(client.now)
    began = client.now - 1_000 * MS
    client.run(10_000)
    assert client.at[2] - began == 100 * MS


def test_pausing_twice_is_pausing_once() -> None:
    client = Steered().open().run(50)
    for _ in range(2):
        client.remote.pause(client.now)
        client.run(500)
    for _ in range(2):
        client.remote.resume(client.now)
    client.send("response.create").run(100)
    assert client.types().count("response.done") == 1


def test_requests_step_and_tell_the_state() -> None:
    client = Steered(mode="step").open().run(20)
    assert client.ask("GET", "/replay") == (
        200,
        {
            "mode": "step",
            "paused": False,
            "steps_left": 0,
            "sent": 0,
            "total": 4,
            "next": "session.created at step 3",
            "finished": False,
            "failure": None,
        },
    )
    assert client.ask("POST", "/replay/step")[1]["steps_left"] == 1
    assert client.types() == ["session.created"]
    client.send("response.create")
    client.ask("POST", "/replay/step", "n=2")
    assert client.types().count("response.done") == 2
    status, state = client.ask("POST", "/replay/step", "until=$.response.n%3D2")
    assert (status, state["steps_left"]) == (200, None)
    assert client.types().count("response.done") == 3
    assert client.ask("GET", "/replay")[1]["sent"] == 4


def test_requests_pause_and_resume() -> None:
    client = Steered().open().run(50)
    assert client.ask("POST", "/replay/pause")[1]["paused"] is True
    client.send("response.create").run(60_000)
    assert client.ask("POST", "/replay/resume")[1]["paused"] is False
    client.run(1_000)
    assert client.types().count("response.done") == 3


@pytest.mark.parametrize(
    ("method", "path", "query", "says"),
    [
        ("POST", "/replay/step", "", "its mode is causal"),
        ("POST", "/replay/step", "n=-1", "?n=-1 is no step"),
        ("POST", "/replay/step", "m=1", "?m=1 is no step"),
        ("DELETE", "/replay", "", "DELETE /replay is nothing to do here"),
        ("GET", "/replay/step", "", "GET /replay/step is nothing to do here"),
    ],
)
def test_what_makes_no_sense_is_refused(method: str, path: str, query: str, says: str) -> None:
    status, said = Steered().ask(method, path, query)
    assert status == 400
    assert says in said["error"]


def test_other_paths_are_the_tapes() -> None:
    client = Steered()
    client.give("http.request", RequestHead("GET", "/replays").encode(), 7)
    assert client.player.failure
