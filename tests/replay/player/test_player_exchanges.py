"""Which recorded exchange a request gets: at once if it is there, and in the order of the tape."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from thoroughness import examples

from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from recorder.providers import PROVIDERS
from replay.match.compare import Difference, Matcher
from replay.match.jsontext import Json
from replay.match.requests import request_value
from replay.match.rulebook import Rulebook
from replay.player.exchanges import Exchanges
from replay.player.pace import Pace
from replay.script import ExchangeScript

VAPI = PROVIDERS["vapi"]
BOOK = Rulebook(VAPI.RULES)
JSON = (("Content-Type", "application/json"),)


class Live:
    """Requests against exchanges; counts how often two requests are compared."""

    def __init__(self, scripts: Sequence[ExchangeScript], spare: Sequence[ExchangeScript]) -> None:
        self.compared = 0
        self.exchanges = Exchanges(
            scripts, spare, self.differs, Pace(None, 0), BOOK.tolerates, bytes, VAPI.PREFIX
        )

    def differs(self, want: dict[str, Json], got: dict[str, Json]) -> Difference | None:
        self.compared += 1
        path = str(got["path"]).removeprefix(VAPI.PREFIX)
        return Matcher(BOOK, frozenset()).match_values("", want, {**got, "path": path})

    def ask(self, message: Message) -> ExchangeScript | Difference | None:
        found = self.exchanges.ask(message, 0)
        self.exchanges.due(0)
        return found


def recorded(number: int, method: str, path: str, said: object) -> ExchangeScript:
    head = RequestHead(method, path, "", JSON)
    sent = json.dumps(said).encode() if said is not None else b""
    answer = ResponseHead(200, "OK", JSON)
    seq = number * 5 + 1
    received = b'{"n":%d}' % number
    return ExchangeScript(
        number, seq, seq + 4, f"{method} {path}", head, sent, answer, received, 0, seq, seq + 4
    )


def asking(script: ExchangeScript) -> Message:
    return Message(1, "http.request", script.request.encode(), script.sent)


def test_each_of_many_requests_is_found_by_one_comparison() -> None:
    tape = [recorded(at, "POST", "/call", {"name": f"call {at}"}) for at in range(2_000)]
    live = Live(tape, ())
    for script in reversed(tape):
        assert live.ask(asking(script)) is script
    assert live.compared == 2_000


def test_a_request_that_fits_by_a_rule_is_compared_with_those_to_the_same_place_only() -> None:
    others = [recorded(at, "POST", f"/call/{at}", None) for at in range(500)]
    wanted = recorded(500, "PATCH", "/call/x", {"name": "x", "createdAt": "one"})
    live = Live([*others, wanted], ())
    changed = recorded(0, "PATCH", "/call/x", {"createdAt": "two", "name": "x"})
    assert live.ask(asking(changed)) is wanted
    assert live.compared == 1


def test_the_prefix_of_the_proxy_does_not_hide_an_equal_request() -> None:
    tape = [recorded(at, "POST", f"/call/{at}", None) for at in range(50)]
    live = Live(tape, ())
    head = replace(tape[40].request, path="/vapi/call/40")
    live.exchanges.ask(Message(1, "http.request", head.encode()), 0)
    assert live.compared == 1


class Linear:
    """The same by looking at everything, for comparison."""

    def __init__(self, scripts: Sequence[ExchangeScript], spare: Sequence[ExchangeScript]) -> None:
        self.unused, self.spare = list(scripts), list(spare)
        self.again: list[ExchangeScript] = []

    def ask(self, message: Message) -> ExchangeScript | None:
        got = request_value(RequestHead.decode(message.body), message.payload)
        equal = [each for each in self.unused if self._value(each) == got]
        found = next(iter(equal), None) or next(
            (
                each
                for each in (*self.unused, *self.again, *self.spare)
                if Matcher(BOOK, frozenset()).match_values("", self._value(each), got) is None
            ),
            None,
        )
        if found in self.unused:
            self.unused.remove(found)
            if BOOK.tolerates(found.type):
                self.again.insert(0, found)
        elif found in self.spare:
            self.spare.remove(found)
            self.spare.append(found)
        return found

    def _value(self, script: ExchangeScript) -> dict[str, Json]:
        return request_value(script.request, script.sent)


SAID = st.fixed_dictionaries(
    {"name": st.sampled_from("ab")},
    optional={"createdAt": st.sampled_from("12"), "note": st.none() | st.just("x")},
)
ASKED = st.tuples(st.sampled_from(["GET", "POST"]), st.sampled_from(["/call", "/tool"]), SAID)


@settings(max_examples=examples(300))
@given(st.lists(ASKED, max_size=8), st.lists(ASKED, max_size=4), st.lists(ASKED, max_size=14))
def test_finding_by_index_is_finding_by_looking_at_everything(
    tape: list[tuple[str, str, object]],
    elsewhere: list[tuple[str, str, object]],
    live: list[tuple[str, str, object]],
) -> None:
    scripts = [recorded(at, *each) for at, each in enumerate(tape)]
    spare = [recorded(100 + at, *each) for at, each in enumerate(elsewhere)]
    indexed, linear = Live(scripts, spare), Linear(scripts, spare)
    for each in live:
        message = asking(recorded(0, *each))
        found = indexed.ask(message)
        assert (found if isinstance(found, ExchangeScript) else None) is linear.ask(message)
    assert [script.seq for script in indexed.exchanges.rest()] == [
        script.seq for script in linear.unused[:1]
    ]


def test_the_nearest_goes_to_the_same_place() -> None:
    tape = [recorded(0, "POST", "/call", {"name": "a"}), recorded(1, "POST", "/tool", {"n": "b"})]
    found = Live(tape, ()).ask(asking(recorded(0, "POST", "/tool", {"n": "c"})))
    assert isinstance(found, Difference)
    assert found.path == "$.body.n"


def test_a_request_is_never_compared_with_one_of_another_method() -> None:
    tape = [recorded(0, "POST", "/assistant", {"name": "a"}), recorded(1, "GET", "/call", None)]
    live = Live(tape, ())
    found = live.ask(asking(recorded(0, "DELETE", "/assistant/a", None)))
    assert found == Difference("$.method", "POST", "DELETE")
    assert live.compared == 0
    found = live.ask(asking(recorded(0, "GET", "/assistant/a", None)))
    assert isinstance(found, Difference)
    assert found.path == "$.path"
