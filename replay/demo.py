"""The demo: every step is a real command, run as a user would, and told how long it took.

Nothing leaves this machine: a simulated provider, the recording proxy, and a caller that is the
scripted `Speaker` with recorded speech.
"""

from __future__ import annotations

import asyncio
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recorder.client import Conversation
from recorder.clock import Clock
from recorder.errors import CheckFailed, RecorderError
from recorder.heads import RequestHead
from recorder.trial.openai_wording import OpenAIWording
from recorder.trial.speaker import Speaker
from recorder.trial.steps import AwaitReply, Close, Interrupt, Say, Speak
from replay.speech import clip

KEY = "sk-demo-this-key-is-not-stored-0123456789"  # passes through, and is nowhere on the tape
_LIMIT_S = 60.0
_WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city now",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Paris"]}},
        "required": ["city"],
    },
}
_TRANSCRIPTS = (
    "What is the weather in Paris?",
    "I would like to book a table for two tomorrow at seven.",
    "Actually, make that eight o'clock.",
)
_REPLIES = (
    "Hello! I can look up the weather and book a table for you.",
    "It is sunny in Paris, twenty-one degrees.",
    "Gladly. A table for two, tomorrow at seven in the evening. May I have your name, please?",
    "Eight o'clock it is, for two.",
)


class Demo:
    """Runs the steps in `folder`, which keeps the store and the audio. `say` prints a line."""

    def __init__(self, folder: Path, clock: Clock, say: Callable[[str], None]) -> None:
        self._folder, self._clock, self._say = folder, clock, say
        self._store = f"sqlite:///{folder / 'conversations.db'}"
        self._steps: list[tuple[str, float]] = []
        self._servers: list[subprocess.Popen[str]] = []

    def run(self) -> None:
        """All steps; CheckFailed if one of them does not end well."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecorderError(
                f"cannot make the folder {self._folder}: {error.strerror}"
            ) from None
        try:
            self._all()
        finally:
            for server in self._servers:
                _kill(server)

    def _all(self) -> None:
        self._record()
        with self._step("verify: nothing was lost, changed or reordered"):
            self._command("record", "verify", "last")
        with self._step("show: the conversation as a timeline"):
            self._command("record", "show", "last")
        with self._step("audio: both sides as a stereo file, caller left, agent right"):
            self._command("record", "audio", "last", "-o", str(self._folder / "conversation.wav"))
        self._replay()
        self._summary()

    def _record(self) -> None:
        with self._step("simulate a provider, and put the recording proxy before it"):
            options = [f"--transcript={text}" for text in _TRANSCRIPTS]
            options += [f"--reply={text}" for text in _REPLIES]
            simulator = self._server("replay", "simulate", "openai", "--seed", "7", *options)
            upstream = f"{_url(simulator)}/openai"
            listen = ("--openai-url", upstream, "--listen", "127.0.0.1:0", "--trial", "demo")
            proxy = self._server("record", "proxy", *listen)
            base = f"{_url(proxy)}/openai"
        with self._step("record: a caller types, speaks, needs a tool, and interrupts"):
            self._talk(base, 1.0)
            _stop(proxy)
            _stop(simulator)

    def _replay(self) -> None:
        with self._step("replay: the same caller against the tape, no provider running"):
            server = self._server("replay", "serve", "last", "--speed", "max")
            self._talk(f"{_url(server)}/openai", 10.0)
            report, _ = server.communicate(timeout=_LIMIT_S)
            self._say(_verdict(report))
            if server.returncode:
                raise CheckFailed(f"the replay did not use the whole tape:\n{report}")
        with self._step("compare: the tape and the tape of its replay have one digest"):
            first = self._command("replay", "digest", "last~1", quiet=True).split()[0]
            second = self._command("replay", "digest", "last", quiet=True).split()[0]
            self._say(f"{first}\n{second}")
            if first != second:
                raise CheckFailed("the replayed conversation differs from the recorded one")

    def _talk(self, base: str, speed: float) -> None:
        speaker = _caller()
        asyncio.run(Conversation(speaker, base, self._clock, speed).run(_LIMIT_S))
        if speaker.failed:
            raise CheckFailed(f"the conversation failed: {speaker.failed}")
        for heard in speaker.heard:
            cut = "" if heard.cut_ms is None else f"  [interrupted after {heard.cut_ms} ms]"
            self._say(f"the caller heard: {heard.text}{cut}")

    def _summary(self) -> None:
        self._say("\nWhat took how long:")
        for name, took in self._steps:
            self._say(f"  {took:6.1f} s  {name}")
        self._say(f"\nThe tapes are in {self._folder / 'conversations.db'}. Ask them something:")
        query = "SELECT type, count(*) AS n FROM event GROUP BY type ORDER BY n DESC LIMIT 5"
        self._say(f"  record sql --store {self._store} {shlex.quote(query)}")

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self._say(f"\n== {name}")
        begun = self._clock.now_ns()
        yield
        self._steps.append((name, (self._clock.now_ns() - begun) / 1e9))

    def _command(self, *words: str, quiet: bool = False) -> str:
        done = subprocess.run(
            self._argv(*words), stdout=subprocess.PIPE, text=True, timeout=_LIMIT_S, check=False
        )
        if not quiet:
            self._say(done.stdout.rstrip())
        if done.returncode:
            raise CheckFailed(f"`{shlex.join(words)}` ended with exit code {done.returncode}")
        return done.stdout

    def _server(self, *words: str) -> subprocess.Popen[str]:
        server = subprocess.Popen(self._argv(*words), stdout=subprocess.PIPE, text=True)
        self._servers.append(server)
        return server

    def _argv(self, *words: str) -> list[str]:
        program, command, *rest = words
        store = [] if command == "simulate" else ["--store", self._store]
        self._say("$ " + shlex.join([program, command, *store, *rest]))
        package = "recorder" if program == "record" else "replay"
        return [sys.executable, "-m", package, command, *store, *rest]


def _caller() -> Speaker:
    head = RequestHead(
        "GET", "/v1/realtime", "model=gpt-realtime", (("Authorization", f"Bearer {KEY}"),)
    )
    wording = OpenAIWording(
        "You are the assistant of a restaurant.",
        (_WEATHER,),
        turn_detection={"type": "server_vad", "create_response": True, "interrupt_response": True},
        transcription="gpt-realtime-whisper",
    )
    steps = (
        Say("Hello, who is there?"),
        AwaitReply(),
        Speak(clip("caller-weather")),
        AwaitReply(),
        Speak(clip("caller-book")),
        Interrupt(1200, clip("caller-correct")),
        AwaitReply(),
        Close(),
    )
    return Speaker(head, steps, wording, {"get_weather": _weather})


def _weather(arguments: Mapping[str, Any]) -> str:
    return f"sunny in {arguments['city']}, 21 degrees"


def _url(server: subprocess.Popen[str]) -> str:
    """The address in a server's first line."""
    assert server.stdout
    line = server.stdout.readline()
    if not line.startswith("ready "):
        raise CheckFailed("a server did not start; see its message above")
    return line.split()[1]


def _verdict(report: str) -> str:
    """What a replay says at its end, without the greeting before it."""
    lines = report.strip().splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("replay ")]
    return "\n".join(lines[starts[-1] :] if starts else lines)


def _kill(server: subprocess.Popen[str]) -> None:
    """End a server that is still running: something failed before its turn to stop."""
    if server.poll() is None:
        server.kill()
        server.communicate()


def _stop(server: subprocess.Popen[str]) -> None:
    server.send_signal(signal.SIGTERM)
    server.communicate(timeout=_LIMIT_S)
    if server.returncode:
        raise CheckFailed(f"a server ended with exit code {server.returncode}")
