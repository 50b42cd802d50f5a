"""What an application does with Vapi's REST API, told with the official Python SDK.

Run as a program it reads the URLs that stand for https://api.vapi.ai, one a line, goes through the
story with each, and writes what came of it as a line of JSON: the same interpreter may so use
another release of the SDK than the tests do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

Json = Any
KEY = "3f0c8d0e-5a1b-4c2d-9e3f-0123456789ab"
WRONG = "00000000-aaaa-4bbb-8ccc-0123456789ab"
MISSING = "00000000-0000-4000-8000-000000000000"
REQUESTS = 21  # of the story that the service takes before it says 429; refused keys do not count
QUERY = {
    "table": "call",
    "name": "n",
    "operations": [{"operation": "count", "column": "id"}, {"operation": "sum", "column": "cost"}],
}


def told(name: str, act: Callable[[], object]) -> Json:
    """What a request came to: the parsed answer, or status and body of the error."""
    from vapi.core.api_error import ApiError

    try:
        found = act()
    except ApiError as error:
        return {"step": name, "status": error.status_code, "body": error.body}
    return {"step": name, "found": plain(found)}


def plain(found: object) -> Json:
    """Models of the SDK as JSON."""
    if isinstance(found, list):
        return [plain(one) for one in found]
    to_json = getattr(found, "json", None)
    return json.loads(to_json()) if to_json else found


def story(base: str) -> list[Json]:
    """CRUD of an assistant, analytics, a call, and what is refused."""
    from vapi import Vapi

    sdk, stranger = (Vapi(token=key, base_url=base, timeout=20) for key in (KEY, WRONG))
    once: Any = {"max_retries": 0}
    said: list[Json] = []

    def tell(name: str, act: Callable[[], object]) -> Json:
        said.append(told(name, act))
        return said[-1].get("found")

    made = tell("create", lambda: sdk.assistants.create(name="Desk", first_message="Hello."))
    key = made["id"]
    tell("get", lambda: sdk.assistants.get(key))
    tell("update", lambda: sdk.assistants.update(key, name="Front", first_message="Hi."))
    tell("get again", lambda: sdk.assistants.get(key))
    tell("list", lambda: sdk.assistants.list())
    tell("too long", lambda: sdk.assistants.create(name="x" * 41))
    tell("no such assistant", lambda: sdk.assistants.get(MISSING))
    tell("wrong key", lambda: stranger.assistants.get(key))
    tell("analytics", lambda: sdk.analytics.get(queries=[QUERY]))
    transport: Any = {"provider": "vapi.websocket"}
    call = tell("call", lambda: sdk.calls.create(assistant_id=key, transport=transport))
    tell("no phone", lambda: sdk.calls.create(assistant_id=key))
    tell(
        "two assistants",
        lambda: sdk.calls.create(
            assistant_id=key, assistant={"name": "Other"}, transport=transport
        ),
    )
    name = call["id"]
    tell("get call", lambda: sdk.calls.get(name))
    tell("rename", lambda: sdk.calls.update(name, name="first"))
    tell("get renamed", lambda: sdk.calls.get(name))
    tell("no such call", lambda: sdk.calls.get(MISSING))
    tell("list calls", lambda: sdk.calls.list(limit=3))
    tell("list of one assistant", lambda: sdk.calls.list(assistant_id=key))
    tell("analytics again", lambda: sdk.analytics.get(queries=[QUERY]))
    other = tell("create another", lambda: sdk.assistants.create(name="Other"))
    tell("delete", lambda: sdk.assistants.delete(other["id"]))
    tell("in use", lambda: sdk.assistants.delete(key, request_options=once))
    tell("too many", lambda: sdk.calls.delete(name, request_options=once))
    return said


def main() -> None:
    """One story for each line of input, once the SDK has built its types, which takes a while."""
    from vapi import Vapi

    sdk = Vapi(token=KEY, base_url="http://127.0.0.1:9")
    for name in ("assistants", "calls", "analytics"):
        getattr(sdk, name)
    import_module("vapi.types.call")
    for line in sys.stdin:
        print(json.dumps(story(line.strip())), flush=True)


if __name__ == "__main__":
    main()
