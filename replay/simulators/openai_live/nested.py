"""One response of the backend as nested events of the Responses API, wrapped in `response.event`.

Order and thinning as recorded: snapshots have no input, no output, no tools and no instructions;
`sequence_number` counts from 0 in each response; deltas carry `obfuscation`.
"""

from __future__ import annotations

from typing import Any

from replay.simulators.openai.errors import Json
from replay.simulators.openai_live.stage import Stage

_HEX = 50  # digits of an id


class Nested:
    """Emits the events of one response under one delegation."""

    def __init__(self, stage: Stage, delegation: str, config: Json, previous: str | None) -> None:
        self.id = self._name(stage, "resp_")
        self._stage, self._delegation, self._config = stage, delegation, config
        self._previous = previous
        self._sequence = 0
        self._outputs = 0
        self._created = stage.mint.wall_s(stage.now)

    @staticmethod
    def _name(stage: Stage, prefix: str) -> str:
        return f"{prefix}{stage.mint.chance.getrandbits(4 * _HEX):0{_HEX}x}"

    def begin(self) -> None:
        """The response exists and is worked on."""
        for kind in ("created", "in_progress"):
            self._tell(f"response.{kind}", response=self._snapshot("in_progress", None))

    def call(self, name: str, arguments: str, pieces: list[str]) -> str:
        """A call of a function, whole; gives its `call_id`."""
        item: Json = {
            "id": self._name(self._stage, "fc_"),
            "type": "function_call",
            "status": "in_progress",
            "arguments": "",
            "call_id": self._stage.mint.call_id(),
            "name": name,
        }
        place = self._opened(item)
        about = {"item_id": item["id"], "output_index": place}
        for piece in pieces:
            self._piece("response.function_call_arguments.delta", piece, **about)
        done = {**item, "status": "completed", "arguments": arguments}
        self._tell("response.function_call_arguments.done", arguments=arguments, name=name, **about)
        self._tell("response.output_item.done", output_index=place, item=done)
        return str(item["call_id"])

    def message(self, text: str, pieces: list[str]) -> None:
        """A message of the backend, whole."""
        item: Json = {
            "id": self._name(self._stage, "msg_"),
            "type": "message",
            "status": "in_progress",
            "content": [],
            "role": "assistant",
        }
        place = self._opened(item)
        about = {"item_id": item["id"], "output_index": place, "content_index": 0}
        empty: Json = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        full = {**empty, "text": text}
        self._tell("response.content_part.added", part=empty, **about)
        for piece in pieces:
            self._piece("response.output_text.delta", piece, logprobs=[], **about)
        self._tell("response.output_text.done", text=text, logprobs=[], **about)
        self._tell("response.content_part.done", part=full, **about)
        done = {**item, "status": "completed", "content": [full]}
        self._tell("response.output_item.done", output_index=place, item=done)

    def complete(self, taken: int, given: int) -> None:
        """The response is over; `taken` and `given` are its tokens."""
        usage = {
            "input_tokens": taken,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": given,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": taken + given,
        }
        self._tell("response.completed", response=self._snapshot("completed", usage))

    def _opened(self, item: Json) -> int:
        place, self._outputs = self._outputs, self._outputs + 1
        self._tell("response.output_item.added", output_index=place, item=item)
        return place

    def _piece(self, type_: str, piece: str, **fields: Any) -> None:
        noise = self._stage.mint.noise(16 - len(piece))
        self._tell(type_, delta=piece, obfuscation=noise, **fields)

    def _tell(self, type_: str, **fields: Any) -> None:
        event = {"type": type_, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        self._stage.emit("response.event", delegation_id=self._delegation, event=event)

    def _snapshot(self, status: str, usage: Json | None) -> Json:
        config, stage = self._config, self._stage
        is_over = status == "completed"
        return {
            "id": self.id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "background": False,
            "completed_at": stage.mint.wall_s(stage.now) if is_over else None,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": config.get("max_output_tokens"),
            "model": config["model"],
            "output": [],
            "parallel_tool_calls": config.get("parallel_tool_calls") is not False,
            "previous_response_id": self._previous,
            "service_tier": config.get("service_tier") or "auto",
            "store": True,
            "tool_choice": config.get("tool_choice", "auto"),
            "tools": [],
            "truncation": "disabled",
            "usage": usage,
            "metadata": {},
        }
