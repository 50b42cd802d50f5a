"""What the organisation has: assistants, tools, credentials, calls, and what its calls share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from recorder.events import Message
from replay.simulators.common.agenda import Agenda
from replay.simulators.vapi.call import Call
from replay.simulators.vapi.courier import Courier
from replay.simulators.vapi.errors import Json, missing
from replay.simulators.vapi.ids import Mint
from replay.simulators.vapi.options import Options


@dataclass
class Account:
    """The state of the simulator. `wall_ms` maps its clock (ns) to ms since 1970; `post` sends."""

    options: Options
    seed: int
    wall_ms: Callable[[int], int]
    post: Callable[[Message], None]
    agenda: Agenda = field(default_factory=Agenda)
    assistants: dict[str, Json] = field(default_factory=dict)
    tools: dict[str, Json] = field(default_factory=dict)
    credentials: dict[str, Json] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mint = Mint(f"{self.seed}/account")
        self.org_id = self.mint.uuid4()
        self.courier = Courier(
            self.agenda, self.options, str(self.seed), self.wall_ms, self.post, self.credentials
        )

    @property
    def live_calls(self) -> int:
        return sum(call.live for call in self.calls.values())

    def resolve(self, asked: Json) -> Json:
        """The assistant that a call gets: the saved or the given one with its overrides merged in
        and its tools written out. Refusal for one that does not exist."""
        assistant = asked.get("assistant")
        if assistant is None:
            found = self.assistants.get(str(asked.get("assistantId")))
            if found is None:
                raise missing("Assistant")
            assistant = {key: value for key, value in found.items() if value is not None}
        merged = _merged(assistant, asked.get("assistantOverrides") or {})
        model = merged.get("model")
        if isinstance(model, dict) and model.get("toolIds"):
            tools = [*(model.get("tools") or []), *self._saved(model["toolIds"])]
            merged["model"] = {**model, "tools": tools}
        return merged

    def _saved(self, ids: Iterable[str]) -> list[Json]:
        return [self.tools[one] for one in ids if one in self.tools]

    def server(self, call: Call) -> Json | None:
        """Where messages of a call go: to the assistant's server, or the organisation's."""
        own = call.plan("server")
        if own.get("url"):
            return own
        legacy = call.setting("serverUrl")
        if legacy:
            return {"url": legacy, "secret": call.setting("serverUrlSecret")}
        return dict(self.options.server) if self.options.server else None


def _merged(base: Json, over: Json) -> Json:
    """A deep merge of objects; everything else is replaced (`assistantOverrides`)."""
    result: Json = dict(base)
    for key, value in over.items():
        old: Any = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        result[key] = _merged(old, value) if both else value
    return result
