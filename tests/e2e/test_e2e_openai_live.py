"""openai-python holds a session of GPT-Live through `record proxy` against the simulator, on its
primary connection and a sideband at once; then with `replay serve`, when no provider runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import live_story
import pytest
from clients import KEY
from conversation import FOUND, Json, speech
from harness import Here, Service, read
from live_story import ANSWER, SAID, Story, understood
from new_stores import empty_store
from wiretap import Frame, Wiretap

from recorder.store import open_store
from tests.replay.crossing_tapes import SHORT, hold

REAL_TIME_S = 0.1


class Taped(NamedTuple):
    """A session on the store, what its client saw, and the wire on both sides of the proxy."""

    store: str
    session: str
    story: Story
    near: list[list[Frame]]  # the client's and the provider's frames of each connection, in turn
    far: list[list[Frame]]


def crossed(tap: Wiretap) -> list[list[Frame]]:
    return [
        [frame for frame in call.frames(sender) if frame.kind != "ws.close"]
        for call in tap.sockets
        for sender in ("client", "provider")
    ]


def on_tape(store: str, session: str) -> list[list[Frame]]:
    """The same of a tape."""
    lines = read("recorder", "show", session, "--raw", "--json", "--store", store).splitlines()
    events = [json.loads(line) for line in lines]
    channels = sorted({each["channel"] for each in events if each["kind"] == "ws.open"})
    return [
        [
            Frame(each["kind"], each["text"].encode())
            for each in events
            if (each["channel"], each["sender"]) == (channel, sender) and each["kind"] == "ws.text"
        ]
        for channel in channels
        for sender in ("client", "provider")
    ]


def sessions(store: str) -> list[Json]:
    found: list[Json] = json.loads(read("recorder", "sessions", "--json", "--store", store))
    return found


@pytest.fixture(scope="module")
def taped(tmp_path_factory: pytest.TempPathFactory) -> Taped:
    """One session in real time, since GPT-Live has no other; about six seconds."""
    store = f"sqlite:///{empty_store(tmp_path_factory.mktemp('live') / 'tapes.db')}"
    quick = ("--latency-ms", "50", "--jitter-ms", "0", "--seed", "7")
    said = ("--transcript", SAID, "--reply", ANSWER)
    listen = ("--listen", "127.0.0.1:0")
    with (
        Here("simulate", "openai-live", *listen, *quick, *said) as simulator,
        Wiretap(simulator.url) as far,
        Service("recorder", "proxy", "--store", store, *listen, "--openai-url", far.url) as proxy,
        Wiretap(proxy.url) as near,
    ):
        story = live_story.hold(f"{near.url}/openai", REAL_TIME_S, observed=True)
        frames = crossed(near), crossed(far)
        assert proxy.stop().code == 0
    [row] = sessions(store)
    return Taped(store, row["id"], story, *frames)


def test_the_client_completes_its_story(taped: Taped) -> None:
    told = understood(taped.story.seen)
    assert told["heard"] == SAID
    assert told["calls"] == ['{"city": "Paris"}']
    assert told["said"].endswith(ANSWER)
    assert told["reason"] == "close_requested"
    assert taped.story.observed[0]["type"] == "session.started"
    assert understood(taped.story.observed) == told


def test_both_connections_are_one_tape_with_the_bytes_of_both_sides(taped: Taped) -> None:
    kept = on_tape(taped.store, taped.session)
    assert [len(frames) > 0 for frames in kept] == [True, True, False, True]
    assert kept == taped.near
    assert kept == taped.far
    [row] = sessions(taped.store)
    assert (row["provider"], row["status"]) == ("openai-live", "complete")
    assert row["external_id"] == taped.story.seen[0]["session"]["id"]
    read("recorder", "verify", taped.session, "--store", taped.store)


def test_each_event_is_read_once_though_two_connections_told_it(taped: Taped) -> None:
    asked = "select name, count(*) as n from tool_call where session = '{}' group by name"
    words = ("sql", asked.format(taped.session), "--format", "json", "--store", taped.store)
    assert [(each["name"], each["n"]) for each in json.loads(read("recorder", *words))] == [
        ("get_weather", 1)
    ]


@pytest.mark.parametrize(
    ("speed", "pace_s"),
    [("max", 0.01), pytest.param("1", REAL_TIME_S, marks=pytest.mark.slow)],
)
def test_a_replay_is_the_session_again(taped: Taped, speed: str, pace_s: float) -> None:
    begun = time.monotonic()
    words = ("serve", taped.session, "--store", taped.store, "--speed", speed)
    with Here(*words) as service, Wiretap(service.url) as tap:
        story = live_story.hold(f"{tap.url}/openai", pace_s, observed=True)
        ended = service.ended()
    took = time.monotonic() - begun
    assert ended.code == 0, ended
    assert "replay complete" in ended.out
    assert understood(story.seen) == understood(taped.story.seen)
    new = re.search(r"recorded (\w+)", ended.out)
    assert new
    assert on_tape(taped.store, new[1]) == crossed(tap)
    read("recorder", "verify", new[1], "--store", taped.store)
    mine = {name: each for each in story.seen if (name := each.get("client_event_id"))}
    assert set(mine) == {story.ids["start"], story.ids["told"], story.ids["bye"]}
    if speed == "1":
        lasted = {row["id"]: row["duration_s"] for row in sessions(taped.store)}
        assert lasted[new[1]] == pytest.approx(lasted[taped.session], abs=1.0)
        assert took > lasted[taped.session]


def test_a_run_of_the_client_opens_its_sideband_at_the_new_session(taped: Taped) -> None:
    """Against the simulator in this process, in virtual time."""
    said = ("--transcript", SAID, "--reply", ANSWER)
    words = ("--store", taped.store, "--against", "openai-live", "--seed", "8")
    told = read("replay", "run", taped.session, *words, *said)
    assert "PASS" in told, told
    new = re.search(r"recorded (\w+)", told)
    assert new
    kept = on_tape(taped.store, new[1])
    assert [len(frames) > 0 for frames in kept] == [True, True, False, True]
    beside, primary = (json.loads(frames[0].payload) for frames in (kept[3], kept[1]))
    assert beside["type"] == primary["type"] == "session.started"
    assert beside["session"]["id"] == primary["session"]["id"]
    assert beside["session"]["id"] != taped.story.seen[0]["session"]["id"]


@pytest.mark.slow
def test_a_conversation_goes_to_gpt_live_and_back_over_sockets(tmp_path: Path) -> None:
    """A call of Vapi is held anew with GPT-Live, and that tape with the Realtime API."""
    store = f"sqlite:///{tmp_path / 'tapes.db'}"
    with closing(open_store(store, create=True)) as opened:
        tape = hold(opened, "vapi", SHORT, ("Done.",)).id
    quick = ("--latency-ms", "50", "--jitter-ms", "0", "--listen", "127.0.0.1:0")
    said = ("--transcript", "Book table.", "--reply", "Done.")
    for name in ("openai-live", "openai"):
        with Here("simulate", name, *quick, *said) as simulator:
            words = ("--store", store, "--against", f"{name}={simulator.url}")
            told = read("replay", "run", tape, *words)
        assert "PASS turns=1/1 tools=1 cost=$" in told, told
        tape = told.splitlines()[-1].removeprefix("recorded ")
        [made] = [row for row in sessions(store) if row["id"] == tape]
        assert (made["provider"], made["status"]) == (name, "complete")
        read("recorder", "verify", tape, "--store", store)


@pytest.fixture
def node(tmp_path: Path) -> Callable[[str, float], list[Json]]:
    """Tells the story with the npm package `openai`: all that came."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not here")
    install = [npm, "install", "--no-audit", "--no-fund", "openai@>=7.14.0", "ws"]
    done = subprocess.run(install, cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"openai (npm) cannot be installed: {done.stderr.strip()[-300:]}")
    script = shutil.copy(Path(live_story.__file__).with_suffix(".mjs"), tmp_path)
    (tmp_path / "speech.pcm").write_bytes(b"".join(speech()))
    told = {"session": live_story.SESSION, "found": FOUND, "last": ANSWER.split()[-1]}
    told["ids"] = {name: f"node-{name}" for name in ("start", "go-on", "told", "bye")}

    def hold(url: str, pace_s: float) -> list[Json]:
        words = [node, script, f"{url}/openai/v1", KEY, "speech.pcm", f"{pace_s * 1000:g}"]
        ended = subprocess.run(
            [*words, json.dumps(told)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in ended.stdout.splitlines()]

    return hold


@pytest.mark.skipif(not os.environ.get("RECORDER_SDK"), reason="RECORDER_SDK is not set")
def test_the_sdk_for_node_holds_a_session_and_its_replay(
    node: Callable[[str, float], list[Json]], tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path / 'tapes.db'}"
    listen = ("--listen", "127.0.0.1:0")
    said = ("--transcript", SAID, "--reply", ANSWER, "--latency-ms", "50", "--jitter-ms", "0")
    with (
        Here("simulate", "openai-live", *listen, *said) as simulator,
        Service(
            "recorder", "proxy", "--store", store, *listen, "--openai-url", simulator.url
        ) as proxy,
    ):
        seen = node(proxy.url, REAL_TIME_S)
        assert proxy.stop().code == 0
    told = understood(seen)
    assert (told["heard"], told["reason"]) == (SAID, "close_requested")
    assert told["said"].endswith(ANSWER)
    [row] = sessions(store)
    assert (row["provider"], row["status"]) == ("openai-live", "complete")
    read("recorder", "verify", row["id"], "--store", store)
    with Here("serve", row["id"], "--store", store, "--speed", "max") as service:
        again = node(service.url, 0.01)
        ended = service.ended()
    assert ended.code == 0, ended
    assert understood(again) == told
