"""Of what kind a difference is, told by the names on the way to its place.

The names are those of all providers: in their messages `transcript` holds words and `usage` counts
tokens, whoever sends it.
"""

from __future__ import annotations

import re

from replay.diff.differences import Kind
from replay.match.rules import Path

_WORDS = frozenset({"transcript", "text", "content", "message", "summary", "delta"})
_OF_CALLS = frozenset(
    {
        "arguments",
        "parameters",
        "result",
        "results",
        "toolCalls",
        "toolCallList",
        "toolWithToolCallList",
        "tool_calls",
    }
)
_OF_USAGE = frozenset({"usage", "cost", "costs", "costBreakdown"})
_ARGUMENTS = re.compile(r"arguments|tool[-_.]call|function[-_]call")
_OUTPUT = ("item", "output")  # of a function; that of a response is a list of items


def kind_at(type_: str, path: Path) -> Kind:
    """The kind of a changed value at `path` of a message of `type_`."""
    names = [key for key in path if isinstance(key, str)]
    if not _OF_USAGE.isdisjoint(names):
        return "usage"
    is_of_call = path[:1] == ("delta",) and _ARGUMENTS.search(type_)
    if is_of_call or path[:2] == _OUTPUT or not _OF_CALLS.isdisjoint(names):
        return "tool"
    return "text" if names and names[-1] in _WORDS else "value"
