"""Makes the tape of the voice application, and runs it, or a mutant of it, against a replay."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import Ended, Service, read, serve
from voice_app import read_wav

from recorder.audio.files import read_audio
from recorder.audio.pcm import to_bytes

HERE = Path(__file__).parent
CLIPS = {"question": "caller-weather", "stop": "caller-stop"}
REPLY = (
    "It is eighteen degrees and sunny in Paris, and it will stay like that for the whole week, "
    "until it rains on Sunday in the afternoon, and then it will be sunny once again."
)
TICK_S = 0.002  # ten times as fast as a real audio device
_SAYS = ("--transcript", "What is the weather in Paris?", "--transcript", "Stop.")
_ANSWERS = ("--reply", REPLY, "--reply", "All right.")
_SERVICE = ("--seed", "3", "--latency-ms", "20", "--jitter-ms", "10", "--pace", "14")
_LIMIT_S = 60.0


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep processors busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for each in loops:
            each.kill()
            each.wait()


@dataclass
class Stage:
    """A tape in a store, and what the application speaks."""

    folder: Path
    session: str = ""

    @property
    def store(self) -> str:
        return f"sqlite:///{self.folder / 'tapes.db'}"

    def run(self, url: str, mutant: str = "") -> Ended:
        """The application, against what listens at `url`, to its end."""
        sounds = [str(self.folder / f"{name}.wav") for name in CLIPS]
        words = ("--mutant", mutant, "--tick", str(TICK_S))
        done = subprocess.run(
            [sys.executable, str(HERE / "voice_app.py"), f"{url}/openai", *sounds, *words],
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def replay(self, mutant: str = "", load: int = 0) -> tuple[Ended, Ended]:
        """How the replay and the application ended, beside `load` busy processes."""
        with serve(self.store, self.session, "max", "--patience", "4", "--no-record") as it:
            with busy(load):
                app = self.run(it.url, mutant)
            try:
                return it.ended(), app
            except subprocess.TimeoutExpired:
                raise AssertionError(f"the replay went on after {app}") from None

    def steps(self, words: str) -> list[int]:
        """The numbers of the text messages of the tape that contain `words`."""
        told = read("recorder", "show", self.session, "--raw", "--json", "--store", self.store)
        events = [json.loads(line) for line in told.splitlines()]
        return [
            event["seq"]
            for event in events
            if event["kind"] == "ws.text" and words in event["text"]
        ]

    def last_sound(self) -> int:
        """Which chunk of the question is the last one that is not silence, from 0."""
        chunks = read_wav(str(self.folder / "question.wav"))
        return max(at for at, chunk in enumerate(chunks) if chunk.strip(b"\0"))


def stage(folder: Path) -> Stage:
    """Record the honest application against the simulator, through the proxy."""
    made = Stage(folder)
    for name, clip in CLIPS.items():
        samples, rate = read_audio(HERE.parents[2] / "fixtures" / "audio" / f"{clip}.flac")
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(to_bytes(samples))
    listen = ("--listen", "127.0.0.1:0")
    with Service("replay", "simulate", "openai", *listen, *_SERVICE, *_SAYS, *_ANSWERS) as service:
        tape = ("--store", made.store, "--trial", "mutants", *listen)
        with Service("recorder", "proxy", *tape, "--openai-url", f"{service.url}/openai") as proxy:
            app = made.run(proxy.url)
            assert app.code == 0, app
            assert app.out == "done: 1 replies, 1 interruptions\n"
            assert proxy.stop().code == 0
    rows = json.loads(read("recorder", "sessions", "--json", "--store", made.store))
    (made.session,) = [row["id"] for row in rows if row["external_id"]]
    return made
