"""What must hold of any stream of server events: types, order, joined deltas, token sums."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

if TYPE_CHECKING:
    from pydantic import BaseModel

Event = dict[str, Any]


@functools.cache
def _classes(beta: bool) -> dict[str, type[BaseModel]]:
    """The published types of events, by name; it takes a second to load them."""
    if beta:
        from openai.types.beta import realtime
    else:
        from openai.types import realtime
    union: Any = realtime.RealtimeServerEvent
    inner = get_args(union)[0] if get_origin(union) is Annotated else union
    return {get_args(one.model_fields["type"].annotation)[0]: one for one in get_args(inner)}


def validate_server(event: Event, beta: bool = False) -> None:
    """The event fits the published type of its name."""
    classes = _classes(beta)
    if beta and event["type"].startswith("transcription_session."):
        # `created` has no published type, and `updated` wants a secret that only REST issues.
        return
    assert event["type"] in classes, event["type"]
    classes[event["type"]].model_validate(event)


_ENDS = {
    "text": ["response.output_text.done", "response.content_part.done"],
    "audio": [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
    ],
    "call": ["response.function_call_arguments.done"],
}
_TEXTS = {
    "response.output_text": "text",
    "response.output_audio_transcript": "transcript",
    "response.function_call_arguments": "arguments",
}


class Order:
    """Follows one connection and asserts the fixed order of GA events."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events
        self.chain: list[str] = []
        self.running: dict[str, Event] = {}
        self.ended: set[str] = set()
        self.opened: dict[str, list[str]] = {}
        self.kinds: dict[str, str] = {}
        self.joined: dict[tuple[str, str], str] = {}

    def check(self) -> None:
        ids = [event["event_id"] for event in self.events]
        assert len(set(ids)) == len(ids)
        for place, event in enumerate(self.events):
            self._responses(event)
            type_ = event["type"]
            if type_ == "response.output_item.added":
                self._opening(place, event)
            elif type_ == "response.output_item.done":
                self._closing(place, event)
            elif type_ == "response.done":
                self._done(place, event)
            elif type_ == "conversation.item.added":
                self._added(place, event)
            elif type_ == "conversation.item.deleted":
                self.chain.remove(event["item_id"])
            elif type_ == "input_audio_buffer.committed":
                self._committed(place, event)
            self._deltas(event)

    def _types(self, place: int, count: int) -> list[str]:
        return [event["type"] for event in self.events[max(0, place) : place + count]]

    def _responses(self, event: Event) -> None:
        if not event["type"].startswith("response."):
            return
        response_id = event.get("response_id") or event["response"]["id"]
        assert response_id not in self.ended, event["type"]
        if event["type"] == "response.created":
            self.running[response_id] = event["response"]
            self.opened[response_id] = []
            assert event["response"]["output"] == []
        assert response_id in self.running, event["type"]

    def _opening(self, place: int, event: Event) -> None:
        item, opened = event["item"], self.opened[event["response_id"]]
        assert event["output_index"] == len(opened)
        opened.append(item["id"])
        assert item["status"] == "in_progress"
        expected = ["response.output_item.added"]
        if self.running[event["response_id"]]["conversation_id"]:
            expected.append("conversation.item.added")
        if item["type"] == "message":
            assert item["content"] == []
            expected.append("response.content_part.added")
            part = self.events[place + len(expected) - 1]["part"]
            self.kinds[item["id"]] = part["type"]
            assert part in ({"type": "text", "text": ""}, {"type": "audio", "transcript": ""})
        else:
            self.kinds[item["id"]] = "call"
        assert self._types(place, len(expected)) == expected

    def _closing(self, place: int, event: Event) -> None:
        item = event["item"]
        expected = list(_ENDS[self.kinds[item["id"]]])
        if self.running[event["response_id"]]["conversation_id"]:
            expected.append("conversation.item.done")
            assert self.events[place - 1]["item"] == item
        expected.append("response.output_item.done")
        assert self._types(place - len(expected) + 1, len(expected)) == expected
        self._same_words(place, event)

    def _same_words(self, place: int, event: Event) -> None:
        item = event["item"]
        kind = self.kinds[item["id"]]
        stem = {"text": "output_text", "audio": "output_audio_transcript"}.get(kind)
        words = self.joined.get((item["id"], f"response.{stem or 'function_call_arguments'}"), "")
        if kind == "call":
            assert item["arguments"] == words
        else:
            name = "text" if kind == "text" else "transcript"
            assert item["content"] == [{"type": f"output_{kind}", name: words}]

    def _done(self, place: int, event: Event) -> None:
        response = event["response"]
        began = self.running[response["id"]]
        assert list(response) == list(began)
        for name in ("conversation_id", "output_modalities", "metadata", "audio"):
            assert response[name] == began[name]
        assert [item["id"] for item in response["output"]] == self.opened[response["id"]]
        assert (response["status_details"] is None) == (response["status"] == "completed")
        self.ended.add(response["id"])
        if response["usage"] is not None:
            check_usage(response["usage"])
        after = self._types(place + 1, 1)
        assert after == ["rate_limits.updated"]

    def _added(self, place: int, event: Event) -> None:
        previous, item_id = event["previous_item_id"], event["item"]["id"]
        index = 0 if previous is None else self.chain.index(previous) + 1
        self.chain.insert(index, item_id)
        if item_id not in self.kinds:
            done = self.events[place + 1]
            assert done["type"] == "conversation.item.done"
            assert done["item"] == event["item"]
            assert done["previous_item_id"] == previous

    def _committed(self, place: int, event: Event) -> None:
        added = self.events[place + 1]
        assert added["type"] == "conversation.item.added"
        assert added["item"]["id"] == event["item_id"]
        assert added["previous_item_id"] == event["previous_item_id"]

    def _deltas(self, event: Event) -> None:
        stem, _, end = event["type"].rpartition(".")
        if stem not in _TEXTS:
            return
        key = (event["item_id"], stem)
        if end == "delta":
            self.joined[key] = self.joined.get(key, "") + event["delta"]
            assert len(event["delta"]) + len(event["obfuscation"]) == 16
        else:
            assert event[_TEXTS[stem]] == self.joined.get(key, "")


def check_order(events: list[Event]) -> None:
    """The order rules over one whole connection."""
    Order(events).check()


def check_usage(usage: Event) -> None:
    """Totals are sums; what is cached is part of what was given, in steps of 64."""
    given, made = usage["input_token_details"], usage["output_token_details"]
    cached = given["cached_tokens_details"]
    modalities = ("text_tokens", "audio_tokens", "image_tokens")
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens"] == sum(given[name] for name in modalities)
    assert usage["output_tokens"] == made["text_tokens"] + made["audio_tokens"]
    assert given["cached_tokens"] == sum(cached[name] for name in modalities)
    assert all(cached[name] <= given[name] and cached[name] % 64 == 0 for name in modalities)
