"""Client-made items: from what `conversation.item.create` says to what the service keeps."""

from __future__ import annotations

import base64
import binascii

from replay.simulators.openai import errors
from replay.simulators.openai.conversation import Item
from replay.simulators.openai.errors import Json


def decode_audio(text: str) -> bytes:
    """Strict base64, or the service's error."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise errors.bad_audio() from problem


def build(source: Json, item_id: str, call_id: str, form: Json) -> Item:
    """An item from a checked client `item`; ids are used where the client chose none.

    `form` is the format of audio in it. Keys stand in the order of the wire.
    """
    chosen = source.get("id") or item_id
    kind = source["type"]
    if kind == "function_call_output":
        return Item(
            {"id": chosen, "type": kind, "call_id": source["call_id"], "output": source["output"]}
        )
    if kind == "function_call":
        return Item(
            {
                "id": chosen,
                "type": kind,
                "status": "completed",
                "name": source["name"],
                "call_id": source.get("call_id") or call_id,
                "arguments": source["arguments"],
            }
        )
    return _message(source, chosen, form)


def _message(source: Json, item_id: str, form: Json) -> Item:
    item = Item(
        {
            "id": item_id,
            "type": "message",
            "status": "completed",
            "role": source["role"],
            "content": [],
        },
        form,
    )
    for part in source["content"]:
        if not part["type"].endswith("_audio"):
            item.body["content"].append(dict(part))
            continue
        transcript = part.get("transcript")
        item.body["content"].append({"type": part["type"], "transcript": transcript})
        item.audio += decode_audio(part.get("audio") or "")
        item.spoken = " ".join(filter(None, (item.spoken, transcript)))
    return item


def spoken_by_user(item_id: str, audio: bytes, form: Json, words: str) -> Item:
    """The item of committed audio: completed at once, its transcript still to come."""
    return Item(
        {
            "id": item_id,
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        },
        form,
        bytearray(audio),
        words,
    )
