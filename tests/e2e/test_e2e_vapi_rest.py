"""Vapi's REST API through `record proxy` and the simulator, then from the tape: the same answers.

The story is told with plain HTTP, and with the official SDKs where `RECORDER_SDK` is set, because
one takes half a minute to build its types and the other has to be installed; its value may be
another Python, with another release.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import vapi_story
from harness import Here, Service, read
from new_stores import empty_store
from vapi_story import KEY, MISSING, QUERY, WRONG

Json = Any
Story = Callable[[str], list[Json]]
LINKS = frozenset({"websocketCallUrl", "listenUrl", "controlUrl"})


def without_urls(value: Json) -> Json:
    """A JSON value without the URLs that lead to a server or open a file."""
    if isinstance(value, list):
        return [without_urls(one) for one in value]
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if key not in LINKS}
        return {key: without_urls(one) for key, one in kept.items() if key[:9] != "presigned"}
    return value


def links(value: Json) -> Iterator[str]:
    """The URLs that lead to a server."""
    if isinstance(value, list):
        for one in value:
            yield from links(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in LINKS:
                yield one
            else:
                yield from links(one)


class Tape:
    """A run of a story that was recorded."""

    def __init__(self, folder: Path, story: Story) -> None:
        self.store = f"sqlite:///{empty_store(folder / 'tapes.db')}"
        limit = ("--rate-limit", str(vapi_story.REQUESTS), "--key", KEY, "--history", "5")
        tape = ("--store", self.store, "--listen", "127.0.0.1:0")
        with (
            Here("simulate", "vapi", "--seed", "7", *limit) as simulator,
            Service("recorder", "proxy", *tape, "--vapi-url", f"{simulator.url}/vapi") as proxy,
        ):
            self.base = f"{proxy.url}/vapi"
            self.said = story(self.base)
            assert proxy.stop().code == 0

    @property
    def sessions(self) -> list[Json]:
        found: list[Json] = json.loads(
            read("recorder", "sessions", "--json", "--store", self.store)
        )
        return found

    def of(self, name: str) -> Json:
        """What a step came to."""
        (step,) = [one for one in self.said if one["step"] == name]
        return step.get("found", step)

    @property
    def call(self) -> str:
        """The session of the call."""
        name = self.of("call")["id"]
        rows = [row for row in self.sessions if row["external_id"] == name and not row["parent"]]
        assert len(rows) == 1
        return str(rows[0]["id"])

    def replay(self, story: Story) -> tuple[list[Json], str]:
        """The story once more, from the tape; and the base URL."""
        words = ("serve", self.call, "--store", self.store, "--speed", "max")
        with Here(*words) as service:
            said = story(f"{service.url}/vapi")
            ended = service.ended()
        assert ended.code == 0, ended
        assert "replay complete" in ended.out
        return said, service.url


def plain_story(base: str) -> list[Json]:
    """The story of `vapi_story`, by hand."""
    said: list[Json] = []
    with httpx.Client(base_url=base, timeout=20, trust_env=False) as http:

        def tell(name: str, method: str, path: str, body: Json = None, key: str = KEY) -> Json:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            answer = http.request(method, path, json=body, headers=headers)
            said.append({"step": name, "status": answer.status_code, "found": answer.json()})
            return said[-1]["found"]

        made = tell("create", "POST", "/assistant", {"name": "Desk", "firstMessage": "Hello."})
        path = f"/assistant/{made['id']}"
        tell("get", "GET", path)
        tell("update", "PATCH", path, {"name": "Front", "firstMessage": None})
        tell("get again", "GET", path)
        tell("list", "GET", "/assistant")
        tell("too long", "POST", "/assistant", {"name": "x" * 41})
        tell("unknown field", "POST", "/assistant", {"voicee": {}})
        tell("no such assistant", "GET", f"/assistant/{MISSING}")
        tell("wrong key", "GET", path, key=WRONG)
        tell("no key", "GET", path, key="")
        tell("analytics", "POST", "/analytics", {"queries": [QUERY]})
        transport = {"provider": "vapi.websocket"}
        asked = {"assistantId": made["id"], "transport": transport}
        call = tell("call", "POST", "/call", asked)
        tell("no phone", "POST", "/call", {"assistantId": made["id"]})
        path = f"/call/{call['id']}"
        tell("get call", "GET", path)
        tell("rename", "PATCH", path, {"name": "first"})
        tell("get renamed", "GET", path)
        tell("no such call", "GET", f"/call/{MISSING}")
        tell("list calls", "GET", "/call?limit=3")
        tell("list by time", "GET", f"/call?createdAtGe={call['createdAt']}")
        tell("analytics again", "POST", "/analytics", {"queries": [QUERY]})
        other = tell("create another", "POST", "/assistant", {"name": "Other"})
        tell("delete", "DELETE", f"/assistant/{other['id']}")
        tell("in use", "DELETE", f"/assistant/{made['id']}")
        tell("too many", "DELETE", path)
    return said


@pytest.fixture(scope="module")
def taped(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    return Tape(tmp_path_factory.mktemp("rest"), plain_story)


def test_the_simulator_answers_as_the_service(taped: Tape) -> None:
    statuses = {step["step"]: step["status"] for step in taped.said}
    refused = {name: status for name, status in statuses.items() if status >= 400}
    assert refused == {
        "too long": 400,
        "unknown field": 400,
        "no such assistant": 404,
        "wrong key": 401,
        "no key": 401,
        "no phone": 400,
        "no such call": 404,
        "in use": 409,
        "too many": 429,
    }
    assert (taped.of("get again")["name"], taped.of("get again")["firstMessage"]) == ("Front", None)
    assert taped.of("unknown field")["message"] == ["property voicee should not exist"]
    assert [one["id"] for one in taped.of("list by time")] == [taped.of("call")["id"]]
    counts = [
        taped.of(name)[0]["result"][0]["countId"] for name in ("analytics", "analytics again")
    ]
    assert counts == [5, 6]


def test_a_replay_gives_the_same_answers_field_by_field(taped: Tape) -> None:
    said, url = taped.replay(plain_story)
    assert without_urls(said) == without_urls(taped.said)
    name = taped.of("call")["id"]
    host = url.partition("://")[2]
    for found in (said, taped.said):
        assert len(list(links(found))) >= 12
    assert set(links([one for one in said if one["step"] == "call"])) == {
        f"ws://{host}/vapi/{name}/transport",
        f"ws://{host}/vapi/{name}/listen",
        f"http://{host}/vapi/{name}/control",
    }
    read("recorder", "verify", "--store", taped.store)


def test_the_same_request_with_another_body_is_a_failure(taped: Tape) -> None:
    words = ("serve", taped.call, "--store", taped.store, "--speed", "max", "--no-record")
    with Here(*words) as service:
        body = {"assistantId": MISSING, "transport": {"provider": "vapi.websocket"}}
        answer = httpx.post(f"{service.url}/vapi/call", json=body, trust_env=False)
        ended = service.ended()
    assert (answer.status_code, answer.json()["error"]) == (404, "replay_mismatch")
    assert ended.code == 1
    assert "at        $.body.assistantId" in ended.out


@contextmanager
def told_by(words: list[str], folder: Path) -> Iterator[Story]:
    """The story as a program tells it, which stays for several."""
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, cwd=folder) as process:

        def tell(base: str) -> list[Json]:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{base}\n")
            process.stdin.flush()
            said: list[Json] = json.loads(process.stdout.readline())
            return said

        yield tell


def python_sdk(folder: Path) -> list[str]:
    """The program that uses `vapi_server_sdk`."""
    python = os.environ["RECORDER_SDK"]
    return [python if Path(python).is_file() else sys.executable, vapi_story.__file__]


def node_sdk(folder: Path) -> list[str]:
    """The program that uses `@vapi-ai/server-sdk`, installed into a folder."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not here")
    script = shutil.copy(Path(vapi_story.__file__).with_suffix(".mjs"), folder)
    install = [npm, "install", "--no-audit", "--no-fund", "@vapi-ai/server-sdk"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"@vapi-ai/server-sdk cannot be installed: {done.stderr.strip()[-300:]}")
    return [node, script, KEY, WRONG, MISSING]


@pytest.mark.skipif(not os.environ.get("RECORDER_SDK"), reason="RECORDER_SDK is not set")
@pytest.mark.parametrize("program", [python_sdk, node_sdk])
def test_the_official_sdk_sees_the_same_twice(
    program: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    with told_by(program(tmp_path), tmp_path) as story:
        taped = Tape(tmp_path, story)
        refused = {step["step"]: step["status"] for step in taped.said if "status" in step}
        assert refused == {
            "too long": 400,
            "no such assistant": 404,
            "wrong key": 401,
            "no phone": 400,
            "two assistants": 400,
            "no such call": 404,
            "in use": 409,
            "too many": 429,
        }
        assert taped.of("get again")["name"] == "Front"
        said, url = taped.replay(story)
    assert without_urls(said) == without_urls(taped.said)
    assert all(url.partition("://")[2] in link for link in links(said[9]))
