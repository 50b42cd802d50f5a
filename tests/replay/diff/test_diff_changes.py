"""A planted change is found: with its grade, its kind and its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from diffing import between, changed, edited, told
from hypothesis import given, settings
from hypothesis import strategies as st
from replaying import leaves, with_change
from tapes import Script, Take, conversation, session_object, tone
from thoroughness import examples

CONVERSATION = conversation()


def drop(takes: list[Take], text: bytes) -> list[Take]:
    kept = [take for take in takes if text not in take.body]
    assert len(kept) < len(takes)
    return kept


def voice(message: Any) -> None:
    message["session"]["instructions"] = "Long."


def test_a_changed_value_is_medium_and_told_once_for_all_its_echoes() -> None:
    other = changed(CONVERSATION, "session.update", voice)
    other = changed(other, "session.updated", voice)
    (found,) = between(CONVERSATION, other).differences
    assert (found.grade, found.kind, found.what) == ("medium", "value", "changed")
    assert (found.type, found.path) == ("session.update", "$.session.instructions")
    assert (found.a, found.b) == ('"Short."', '"Long."')
    assert found.also == ("session.updated $.session.instructions",)
    assert found.rules == (
        "any session.update:$.session.instructions",
        "any session.updated:$.session.instructions",
    )
    assert (found.turn, found.a_seq, found.b_seq) == (0, (4, 4), (4, 4))


def test_a_changed_word_is_a_text_in_its_turn() -> None:
    other = edited(CONVERSATION, b"Good morning.", b"Good evening.")
    other = edited(other, b'"delta":" mor"', b'"delta":" eve"')
    (found,) = between(CONVERSATION, other).differences
    assert (found.turn, found.kind, found.grade) == (1, "text", "medium")
    assert found.type == "response.output_audio_transcript.delta"
    assert found.also == ("response.output_audio_transcript.done $.transcript",)


def test_arguments_of_a_function_are_compared_place_by_place() -> None:
    other = edited(CONVERSATION, 'Łódź\\"}'.encode(), 'Kraków\\"}'.encode())
    found = between(CONVERSATION, other).differences
    assert {(each.kind, each.turn, each.a, each.b) for each in found} == {
        ("tool", 2, '"Łódź"', '"Kraków"')
    }
    assert found[0].path == "$.delta.city"
    assert "response.function_call_arguments.done $.arguments.city" in found[0].also


def test_usage_is_a_kind_of_its_own() -> None:
    def more(message: Any) -> None:
        message["response"]["usage"]["output_tokens"] = 99

    assert told(between(CONVERSATION, changed(CONVERSATION, "response.done", more))) == [
        ("medium", "usage", "changed", "response.done", "$.response.usage.output_tokens")
    ]


def structure(edit: Callable[[Any], None]) -> list[tuple[str, str, str, str, str]]:
    return told(between(CONVERSATION, changed(CONVERSATION, "response.done", edit)))


def test_added_removed_and_retyped_fields() -> None:
    place = ("response.done", "$.response")

    def added(message: Any) -> None:
        message["response"]["phase"] = "final"

    def removed(message: Any) -> None:
        del message["response"]["status"]

    def retyped(message: Any) -> None:
        message["response"]["status"] = 3

    def emptied(message: Any) -> None:
        message["response"]["status"] = None

    assert structure(added) == [("low", "structure", "added", place[0], place[1] + ".phase")]
    assert structure(removed) == [("high", "structure", "removed", place[0], place[1] + ".status")]
    assert structure(retyped) == [("high", "structure", "retyped", place[0], place[1] + ".status")]
    assert structure(emptied) == [("high", "structure", "removed", place[0], place[1] + ".status")]


def test_a_missing_message_is_high_and_an_extra_one_medium() -> None:
    other = drop(CONVERSATION, b'"function_call_output"')
    assert told(between(CONVERSATION, other)) == [
        ("high", "structure", "removed", "conversation.item.create", "$")
    ]
    (found,) = between(other, CONVERSATION).differences
    assert (found.grade, found.what, found.turn) == ("medium", "added", 2)
    assert found.a is None
    assert found.b is not None


def test_an_extra_message_does_not_shift_those_after_it() -> None:
    script = Script()
    script.at_ms = CONVERSATION[-4].at_ms
    extra = script.client("conversation.item.create", item={"type": "message", "id": "item_new"})
    at = next(at for at, take in enumerate(CONVERSATION) if b'"input_text"' in take.body)
    other = [*CONVERSATION[:at], *extra.takes, *CONVERSATION[at:]]
    assert told(between(CONVERSATION, other)) == [
        ("medium", "structure", "added", "conversation.item.create", "$")
    ]


def test_messages_that_changed_places() -> None:
    first = next(at for at, take in enumerate(CONVERSATION) if b'"input_text"' in take.body)
    ask, item = CONVERSATION[first + 1], CONVERSATION[first]
    assert b"response.create" in ask.body
    other = [*CONVERSATION[:first], ask, item, *CONVERSATION[first + 2 :]]
    (found,) = between(CONVERSATION, other).differences
    assert (found.kind, found.grade, found.what) == ("order", "medium", "moved")
    assert found.a == f"before response.create (event {first + 2})"
    assert found.b == f"after response.create (event {first + 1})"


def test_the_fewest_messages_have_changed_places() -> None:
    def in_order(*names: str) -> list[Take]:
        script = Script().open()
        for name in names:
            script.client(f"input_audio_buffer.{name}")
        return script.close().takes

    (found,) = between(in_order("x", "x", "y"), in_order("y", "x", "x")).differences
    assert found.type == "input_audio_buffer.y"
    assert found.a == "after input_audio_buffer.x (event 4)"
    assert found.b == "before input_audio_buffer.x (event 5)"


def test_a_wrong_reference_is_found_whatever_the_ids() -> None:
    renewed = CONVERSATION
    for letter in (b"a", b"b", b"c"):
        renewed = edited(renewed, b'"item_' + letter + b'"', b'"item_00' + letter + b'"')

    def wrong(message: Any) -> None:
        message["item_id"] = "item_00b"

    other = changed(renewed, "conversation.item.input_audio_transcription.completed", wrong)
    (found,) = between(CONVERSATION, other).differences
    assert (found.kind, found.grade, found.path) == ("structure", "medium", "$.item_id")


def test_other_audio_is_told_by_where_it_differs() -> None:
    def conversation_with(pcm: bytes) -> list[Take]:
        return Script().open().speak("item_b", pcm).close().takes

    sound = tone(1000, 660.0)
    other = sound[:24_000] + tone(500, 300.0)
    (found,) = between(conversation_with(sound), conversation_with(other)).differences
    assert (found.kind, found.grade, found.what) == ("audio", "medium", "changed")
    assert found.a is not None
    assert found.a.startswith("<pcm16 24 kHz 1.00 s sha ")
    assert found.b is not None
    assert "differs at 0.500 s" in found.b
    silent = between(conversation_with(sound), conversation_with(other), audio="ignore")
    assert silent.differences == ()
    long = between(conversation_with(sound), conversation_with(other), audio="duration")
    assert long.differences == ()


def test_gaps_are_told_only_when_asked_for() -> None:
    late = [
        take._replace(at_ms=take.at_ms + 700 * (at > 40)) for at, take in enumerate(CONVERSATION)
    ]
    assert between(CONVERSATION, late).differences == ()
    (found,) = between(CONVERSATION, late, timing_ms=250).differences
    assert (found.kind, found.grade, found.what) == ("timing", "low", "later")
    assert between(CONVERSATION, late, timing_ms=800).differences == ()


def test_a_rule_accepts_exactly_its_difference() -> None:
    other = changed(CONVERSATION, "session.update", voice)
    (found,) = between(CONVERSATION, other).differences
    assert between(CONVERSATION, other, *found.rules).differences == ()
    sibling = changed(other, "session.updated", voice)
    assert told(between(CONVERSATION, sibling, *found.rules)) == [
        ("medium", "value", "changed", "session.updated", "$.session.instructions")
    ]


def test_a_rule_that_held_nowhere_is_told() -> None:
    rule = "ignore session.update:$.session.nothing"
    assert between(CONVERSATION, CONVERSATION, rule).unused == (rule,)


def test_a_forced_rule_takes_a_whole_message_that_is_missing() -> None:
    other = drop(CONVERSATION, b'"function_call_output"')
    rule = "!ignore conversation.item.create:$"
    assert between(CONVERSATION, other, rule).differences == ()


def test_an_element_more_in_a_list_does_not_shift_those_after_it() -> None:
    def tools(*names: str) -> list[Take]:
        listed = [{"type": "function", "name": name} for name in names]
        session = session_object(tools=listed)
        return Script().open().provider("session.created", session=session).close().takes

    assert told(between(tools("a", "b", "c"), tools("a", "x", "b", "c"))) == [
        ("low", "structure", "added", "session.created", "$.session.tools[1]")
    ]
    assert told(between(tools("a", "b", "c"), tools("b", "c"))) == [
        ("high", "structure", "removed", "session.created", "$.session.tools[0]")
    ]
    assert (
        between(
            tools("a", "b"), tools("b", "a"), "unordered session.created:$.session.tools"
        ).differences
        == ()
    )


_UNTOLD = {"event_id", "id", "item_id", "previous_item_id", "call_id", "audio_end_ms", "type"}
_PIECES = ("audio", "delta")  # what else is in a piece of a stream tells which stream it is of


def leaves_of(take: Take) -> list[tuple[Any, ...]]:
    return leaves(json.loads(take.body))


def places() -> list[tuple[int, tuple[Any, ...]]]:
    return [
        (number, path)
        for number, take in enumerate(CONVERSATION)
        if take.kind == "ws.text"
        for path in leaves_of(take)
        if path[-1] not in _UNTOLD and (path[-1] in _PIECES or ("delta",) not in leaves_of(take))
    ]


@settings(max_examples=examples(60), deadline=None)
@given(st.sampled_from(places()))
def test_any_changed_value_is_found_where_it_is(where: tuple[int, tuple[Any, ...]]) -> None:
    number, path = where
    found = between(CONVERSATION, with_change(CONVERSATION, number, path))
    types = {each.type for each in found.differences}
    written = {each.path.split(".")[-1].split("[")[0] for each in found.differences}
    assert json.loads(CONVERSATION[number].body)["type"] in types
    assert str(next(key for key in reversed(path) if isinstance(key, str))) in written


def test_how_a_socket_ends_counts() -> None:
    other = edited(CONVERSATION, b'"code":1000', b'"code":1006')
    assert {each.type for each in between(CONVERSATION, other).differences} == {"close"}


def test_a_unit_is_never_compared_with_one_of_another_type() -> None:
    other = edited(CONVERSATION, b'"type":"response.done"', b'"type":"response.over"')
    found = between(CONVERSATION, other).differences
    assert sorted({(each.type, each.what) for each in found}) == [
        ("response.done", "removed"),
        ("response.over", "added"),
    ]
    assert {each.path for each in found} == {"$"}
