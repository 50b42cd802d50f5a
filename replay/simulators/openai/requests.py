"""From `response.create` to what the response is made of."""

from __future__ import annotations

from replay.simulators.openai import errors, items
from replay.simulators.openai.conversation import Item
from replay.simulators.openai.errors import ClientError, Json
from replay.simulators.openai.generation import Request
from replay.simulators.openai.session import full_format
from replay.simulators.openai.stage import Stage


def build(stage: Stage, wish: Json) -> Request:
    """The session's settings with the checked fields of `response` on top; null is absent."""
    given = {name: value for name, value in wish.items() if value is not None}
    session = stage.session
    chosen: Json = {"conversation": "auto", "parallel_tool_calls": True, **session, **given}
    sound = {**session["audio"]["output"], **given.get("audio", {}).get("output", {})}
    in_conversation = chosen["conversation"] == "auto"
    changed = sound["voice"] != session["audio"]["output"]["voice"]
    if in_conversation and changed and stage.conversation.has_voice():
        raise errors.voice_is_fixed()
    return Request(
        items=_items(stage, given.get("input")),
        instructions=chosen["instructions"],
        modalities=chosen["output_modalities"],
        form=full_format(sound["format"]),
        voice=sound["voice"],
        tools=chosen["tools"],
        choice=chosen["tool_choice"],
        insistent=given.get("tool_choice", "auto") not in ("auto", "none"),
        parallel=chosen["parallel_tool_calls"] is not False,
        max_tokens=chosen["max_output_tokens"],
        metadata=given.get("metadata"),
        in_conversation=in_conversation,
    )


def _items(stage: Stage, given: list[Json] | None) -> list[Item]:
    """The items that the model sees: those given, or the whole conversation."""
    if given is None:
        return list(stage.conversation.items)
    return [_item(stage, source, index) for index, source in enumerate(given)]


def _item(stage: Stage, source: Json, index: int) -> Item:
    if source["type"] != "item_reference":
        form = stage.session["audio"]["input"]["format"]
        made = stage.mint.make("item_", stage.now)
        return items.build(source, made, stage.mint.call_id(), form)
    found = stage.conversation.find(source["id"])
    if found is None:
        raise ClientError(
            f"Item with id '{source['id']}' not found.",
            "invalid_value",
            f"response.input[{index}].id",
        )
    return found
