"""Items of a conversation, made by the client."""

from __future__ import annotations

from typing import Any

from openai_client import Client


def message(text: str, role: str = "user", **fields: Any) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **fields}


def create(client: Client, item: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    return client.send("conversation.item.create", item=item, **fields)
