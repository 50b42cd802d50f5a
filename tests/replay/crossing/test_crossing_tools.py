"""How calls are answered that an agent elsewhere makes, and the application's server."""

from __future__ import annotations

import json
from typing import Any

from recorder.projections.rows import ToolCallRow
from recorder.providers import provider
from replay.crossing.desk import Answer, Desk
from replay.crossing.tools import TapedTools

MS = 1_000_000


def row(number: int, name: str, arguments: Any, output: str | None, **more: Any) -> ToolCallRow:
    """A call of the tape that took 300 ms."""
    given = {"failed": False, **more}
    answered = None if output is None else 1300 * MS
    return ToolCallRow(
        *("s", number, f"call-{number}", 1, None, name, json.dumps(arguments)),
        *(1000 * MS, output, answered, given["failed"], 1, 2),
    )


WEATHER = (
    row(1, "weather", {"city": "Oslo"}, "rain"),
    row(2, "weather", {"city": "Rome"}, "sun"),
)


def test_equal_arguments_come_before_others_and_fresh_results_before_used_ones() -> None:
    tools = TapedTools(WEATHER, {})
    said = [
        tools.call(f"c{at}", "weather", {"city": city}, 0).output
        for at, city in enumerate(("Rome", "Bonn", "Oslo"))
    ]
    assert said == ["sun", "rain", "rain"]
    assert tools.notes == ["weather was called once more than on the tape: answered as before"]


def test_a_result_takes_as_long_as_on_the_tape() -> None:
    made = TapedTools(WEATHER, {}).call("c", "weather", {"city": "Oslo"}, 5 * MS)
    assert made.answered_ns == 305 * MS


def test_a_call_that_comes_twice_is_one() -> None:
    tools = TapedTools(WEATHER, {})
    assert tools.call("c", "weather", {}, 0) is tools.call("c", "weather", {}, 9)
    assert len(tools.made) == 1


def test_what_is_not_on_the_tape_is_an_error_and_told() -> None:
    tools = TapedTools(WEATHER, {})
    made = tools.call("c", "time", {}, 0)
    assert made.error == "no result of time is on the tape"
    assert tools.notes == ["time was called, on the tape it was not: answered with an error"]


def test_doubles_come_first_and_unused_ones_are_named() -> None:
    tools = TapedTools(WEATHER, {"weather": "snow", "time": "noon"})
    made = tools.call("c", "weather", {"city": "Oslo"}, 0)
    assert (made.output, tools.unused) == ("snow", ["time"])


def test_failures_and_silence_are_as_on_the_tape() -> None:
    calls = (row(1, "a", {}, "no such day", failed=True), row(2, "b", {}, None))
    tools = TapedTools(calls, {})
    assert tools.call("1", "a", {}, 0).error == "no such day"
    assert tools.call("2", "b", {}, 0).answered_ns is None
    assert tools.notes == ["b is not answered, as on the tape"]


def asked(*calls: dict[str, Any], type_: str = "tool-calls") -> bytes:
    """A delivery of Vapi."""
    return json.dumps({"message": {"type": type_, "toolCallList": list(calls)}}).encode()


def call(name: str, arguments: Any) -> dict[str, Any]:
    return {"id": f"id-{name}", "function": {"name": name, "arguments": arguments}}


def answered(tools: TapedTools, payload: bytes) -> tuple[int | None, Any]:
    at_ns, body = Desk(provider("vapi"), tools).answer(payload, 0)
    return at_ns, json.loads(body)


def test_a_webhook_is_answered_when_the_last_of_its_results_is_due() -> None:
    tools = TapedTools((*WEATHER, row(3, "a", {}, "no", failed=True)), {})
    text = json.dumps({"city": "Rome"})  # arguments may come as text
    at_ns, body = answered(tools, asked(call("weather", text), call("a", {})))
    assert at_ns == 300 * MS
    results = [
        {"toolCallId": "id-weather", "result": "sun"},
        {"toolCallId": "id-a", "error": "no"},
    ]
    assert body == {"results": results}


def test_one_silent_tool_holds_up_the_whole_answer() -> None:
    tools = TapedTools((row(1, "b", {}, None), *WEATHER), {})
    assert answered(tools, asked(call("weather", {}), call("b", {})))[0] is None


def test_other_webhooks_are_acknowledged_at_once() -> None:
    desk = Desk(provider("vapi"), TapedTools((), {}))
    assert desk.answer(asked(type_="status-update"), 7) == Answer(7, b"{}")
