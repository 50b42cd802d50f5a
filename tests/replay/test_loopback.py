"""Two machines on a virtual clock: order, ties, latency, ends, requests and webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from recorder.events import Kind, Message
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.providers import PROVIDERS
from recorder.trial.openai_wording import OpenAIWording
from recorder.trial.speaker import Speaker
from recorder.trial.steps import AwaitReply, Say, Speak
from replay.loopback import Crossing, Loopback, Wire
from replay.simulators import SIMULATORS

SWITCH = ResponseHead(101).encode()
ASK = RequestHead("GET", "/v1/realtime").encode()
Reaction = Callable[[Message, int], Iterable[tuple[int, Message]]]


def text(body: str, channel: int = 1) -> Message:
    return Message(channel, "ws.text", body.encode())


def closing(code: int = 1000) -> Message:
    return Message(1, "ws.close", Close(code).encode())


class Party:
    """Says what is planned at its time, and what `reacts` says to what it gets."""

    def __init__(
        self, plan: Iterable[tuple[int, Message]] = (), reacts: Reaction | None = None
    ) -> None:
        self.plan = sorted(plan, key=lambda entry: entry[0])
        self.got: list[tuple[int, Message]] = []
        self._reacts = reacts

    def receive(self, message: Message, now: int) -> None:
        self.got.append((now, message))
        if self._reacts:
            self.plan = sorted(
                [*self.plan, *self._reacts(message, now)], key=lambda entry: entry[0]
            )

    def due(self, now: int) -> list[Message]:
        ready = [message for at, message in self.plan if at <= now]
        self.plan = [entry for entry in self.plan if entry[0] > now]
        return ready

    def next_deadline(self) -> int | None:
        return self.plan[0][0] if self.plan else None


def accepting(message: Message, now: int) -> list[tuple[int, Message]]:
    """Answer every upgrade, echo every text after 5 ns."""
    if message.kind == "ws.open":
        return [(now, Message(message.channel, "ws.open", SWITCH))]
    if message.kind == "ws.text":
        return [(now + 5, message._replace(body=b"re " + message.body))]
    return []


def opening(*plan: tuple[int, Message]) -> Party:
    return Party([(0, Message(1, "ws.open", ASK)), *plan])


def told(crossings: Iterable[Crossing]) -> list[tuple[int, str, str]]:
    """Time, sender, and the text or the kind."""
    return [
        (at, sender, message.body.decode() if message.kind == "ws.text" else message.kind)
        for at, sender, message in crossings
    ]


def test_messages_cross_in_order_and_time_jumps_to_the_next_deadline() -> None:
    client, provider = opening((10, text("a")), (12, text("b"))), Party(reacts=accepting)
    loopback = Loopback(client, provider, limit_ns=1_000)
    assert told(loopback) == [
        (0, "client", "ws.open"),
        (0, "provider", "ws.open"),
        (10, "client", "a"),
        (12, "client", "b"),
        (15, "provider", "re a"),
        (17, "provider", "re b"),
    ]
    assert (loopback.ended, loopback.now_ns) == ("quiet", 17)


def test_at_one_time_the_client_is_first() -> None:
    provider = Party([(10, text("p"))], accepting)
    crossed = told(Loopback(opening((10, text("c1")), (10, text("c2"))), provider, limit_ns=12))
    assert crossed[2:] == [(10, "client", "c1"), (10, "provider", "p"), (10, "client", "c2")]


def test_the_limit_ends_it_before_what_is_later() -> None:
    loopback = Loopback(opening((10, text("a"))), Party(reacts=accepting), limit_ns=14)
    assert told(loopback)[-1] == (10, "client", "a")
    assert loopback.ended == "limit"


def test_a_wire_takes_its_time_each_way() -> None:
    client = opening((10, text("a")))
    wire = Wire(up=3, down=20)
    start = 100
    client.plan = [(at + start, message) for at, message in client.plan]
    crossed = told(
        Loopback(client, Party(reacts=accepting), limit_ns=99, start_ns=start, wire=wire)
    )
    assert crossed == [
        (103, "client", "ws.open"),
        (103, "provider", "ws.open"),
        (113, "client", "a"),
        (118, "provider", "re a"),
    ]
    assert [at for at, _ in client.got] == [123, 138]


def test_channels_are_kept_apart() -> None:
    client = Party(
        [(channel, Message(channel, "ws.open", ASK)) for channel in (1, 2)]
        + [(10, text("one", 1)), (11, text("two", 2))]
    )
    crossed = list(Loopback(client, Party(reacts=accepting), limit_ns=99))
    said = [each.message for each in crossed if each.message.kind == "ws.text"]
    assert [(each.channel, each.body) for each in said] == [
        (1, b"one"),
        (2, b"two"),
        (1, b"re one"),
        (2, b"re two"),
    ]


def test_what_is_on_its_way_goes_before_the_clients_close_and_the_rest_is_lost() -> None:
    def provider(message: Message, now: int) -> list[tuple[int, Message]]:
        if message.kind == "ws.close":
            return [(now, text("last")), (now, closing(1001)), (now + 1, text("too late"))]
        return accepting(message, now)

    client = opening((10, closing()), (11, text("lost")))
    crossed = told(Loopback(client, Party(reacts=provider), limit_ns=99))
    assert crossed[2:4] == [(10, "provider", "last"), (10, "provider", "ws.close")]
    assert len(crossed) == 4
    assert Close.decode(client.got[-1][1].body).code == 1001

    client = opening((10, closing(4000)))
    crossed = told(Loopback(client, Party(reacts=accepting), limit_ns=99))
    assert crossed[2:] == [(10, "client", "ws.close")]
    assert Close.decode(client.got[-1][1].body).code == 4000, "the close is answered"


def test_the_providers_close_ends_a_connection() -> None:
    provider = Party([(10, closing(1011)), (11, text("lost"))], accepting)
    client = opening((12, text("lost, too")))
    crossed = told(Loopback(client, provider, limit_ns=99))
    assert crossed[2:] == [(10, "provider", "ws.close")]
    assert [message.kind for _, message in provider.got] == ["ws.open"]


def test_a_refused_upgrade_opens_nothing() -> None:
    refusal = Message(1, "ws.open", ResponseHead(401).encode(), b"no")
    client = opening((1, text("lost")))
    crossed = list(Loopback(client, Party([(0, refusal)]), limit_ns=99))
    assert [each.message.kind for each in crossed] == ["ws.open", "ws.open"]
    assert client.got[-1][1].payload == b"no"


def test_requests_are_answered() -> None:
    def answer(message: Message, now: int) -> list[tuple[int, Message]]:
        said = Message(message.channel, "http.response", ResponseHead(201).encode(), b"made")
        return [(now + 7, said)]

    asked = Message(3, "http.request", RequestHead("POST", "/call").encode(), b"{}")
    client = Party([(0, asked)])
    crossed = told(Loopback(client, Party(reacts=answer), limit_ns=99))
    assert crossed == [(0, "client", "http.request"), (7, "provider", "http.response")]
    assert client.got[0][1].payload == b"made"


@pytest.mark.parametrize(("application", "status"), [(True, 200), (False, 0)])
def test_webhooks_go_to_the_application(application: bool, status: int) -> None:
    posted = Message(9, "webhook.request", RequestHead("POST", "http://app/").encode(), b"{}")
    provider = Party([(5, posted)])

    def app(message: Message) -> Message:
        assert message.payload == b"{}"
        return Message(message.channel, "webhook.response", ResponseHead(200).encode())

    wire = Wire(up=1, down=2)
    crossed = list(
        Loopback(
            Party(), provider, limit_ns=99, wire=wire, application=app if application else None
        )
    )
    kinds: list[tuple[int, str, Kind]] = [(at, who, each.kind) for at, who, each in crossed]
    assert kinds == [(5, "provider", "webhook.request"), (8, "client", "webhook.response")]
    assert ResponseHead.decode(provider.got[0][1].body).status == status


def test_a_note_is_the_recorders() -> None:
    provider = Party([(4, Message(1, "note", b"{}"))])
    assert told(Loopback(Party(), provider, limit_ns=9)) == [(4, "recorder", "note")]


def test_a_machine_that_is_due_and_says_nothing_is_a_bug() -> None:
    class Stuck(Party):
        def next_deadline(self) -> int:
            return 3

    with pytest.raises(RuntimeError, match="Stuck is due and gives out nothing"):
        list(Loopback(Party(), Stuck(), limit_ns=9))


def test_a_speaker_talks_to_the_simulator() -> None:
    seconds = np.arange(24_000)
    voice = (8_000 * np.sin(seconds / 10)).astype("<i2").tobytes()
    head = RequestHead(
        "GET", "/v1/realtime", "model=gpt-realtime", (("authorization", "Bearer k"),)
    )

    def run() -> tuple[list[Crossing], Speaker]:
        steps = [Say("Hello"), AwaitReply(), Speak(voice), AwaitReply()]
        speaker = Speaker(head, steps, OpenAIWording())
        loopback = Loopback(speaker, SIMULATORS["openai"](7, 0), limit_ns=120 * 10**9)
        crossed = list(loopback)
        assert loopback.ended == "quiet"
        return crossed, speaker

    crossed, speaker = run()
    assert speaker.finished
    assert speaker.failed is None
    assert len(speaker.heard) == 2
    tracker = PROVIDERS["openai"].tracker()
    types = [
        tracker.inspect(1, "provider", each.message.kind, "", each.message.body).type
        for each in crossed
        if each.sender == "provider"
    ]
    assert types.count("response.done") == 2
    assert crossed == run()[0], "equal machines converse equally"
