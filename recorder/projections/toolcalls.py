"""Whether a call of a tool failed, said alike of every provider."""

from __future__ import annotations

import json


def has_failed(told: bool, output: str) -> bool:
    """Whether the result of a call is an error. `told` is whether the protocol says so: Vapi has a
    field for it, OpenAI has not, and there a tool tells the model in its words. So a JSON object
    with an `error` that is not empty counts as one for every provider."""
    if told:
        return True
    try:
        value = json.loads(output)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and bool(value.get("error"))
