"""The steps of the demo. All but the runs of the trial are real commands, run as a user would.

Nothing leaves this machine: simulated providers, the recording proxy, and callers with recorded
speech.
"""

from __future__ import annotations

import asyncio
import itertools
import shlex
from collections.abc import Callable, Collection
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Final

from recorder.client import Conversation
from recorder.clock import Clock
from recorder.comparison.criteria import SHIPPED, load_criteria
from recorder.counting import counted
from recorder.errors import CheckFailed, RecorderError
from recorder.store import open_store
from replay.demo.caller import REPLIES, TRANSCRIPTS, caller
from replay.demo.shell import LIMIT_S, Shell, stop
from replay.demo.trial import PROVIDERS, Trial

_TRIAL: Final = "demo"  # the first conversation; trials are numbered after it
_REPEAT: Final = 1
_SIMULATED = f"SIMULATED: {' and '.join(PROVIDERS)}. Nothing here is about the live services."


class Demo:
    """Runs the steps in `folder`, which keeps what comes of them. `say` prints a line."""

    def __init__(self, folder: Path, clock: Clock, say: Callable[[str], None]) -> None:
        self._folder, self._clock, self._say = folder, clock, say
        self._shell = Shell(folder, clock, say)

    def run(self) -> None:
        """All steps; CheckFailed if one of them does not end well."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecorderError(
                f"cannot make the folder {self._folder}: {error.strerror}"
            ) from None
        try:
            self._record()
            self._look()
            self._replay()
            trial = self._try()
            self._decide(trial)
        finally:
            self._shell.kill()
        self._summary(trial)

    def _record(self) -> None:
        shell = self._shell
        with shell.step("simulate a provider, and put the recording proxy before it"):
            options = [f"--transcript={text}" for text in TRANSCRIPTS]
            options += [f"--reply={text}" for text in REPLIES]
            simulator, url = shell.server("replay", "simulate", "openai", "--seed", "7", *options)
            listen = ("--openai-url", f"{url}/openai", "--listen", "127.0.0.1:0", "--trial", _TRIAL)
            proxy, url = shell.server("record", "proxy", *listen)
        with shell.step("record: a caller types, speaks, needs a tool, and interrupts"):
            self._talk(f"{url}/openai", 1.0)
            stop(proxy)
            stop(simulator)

    def _look(self) -> None:
        shell = self._shell
        with shell.step("verify: nothing was lost, changed or reordered"):
            shell.command("record", "verify", "last")
        with shell.step("show: the conversation as a timeline"):
            shell.command("record", "show", "last")
        with shell.step("audio: both sides as a stereo file, caller left, agent right"):
            shell.command("record", "audio", "last", "-o", self._path("conversation.wav"))

    def _replay(self) -> None:
        shell = self._shell
        with shell.step("replay: the same caller against the tape, no provider running"):
            server, url = shell.server("replay", "serve", "last", "--speed", "max")
            self._talk(f"{url}/openai", 10.0)
            report, _ = server.communicate(timeout=LIMIT_S)
            self._say(_verdict(report))
            if server.returncode:
                raise CheckFailed(f"the replay did not use the whole tape:\n{report}")
        with shell.step("digest: the tape and the tape of its replay have the same"):
            first = shell.command("replay", "digest", "last~1", quiet=True).split()[0]
            second = shell.command("replay", "digest", "last", quiet=True).split()[0]
            self._say(f"{first}\n{second}")
            if first != second:
                raise CheckFailed("the replayed conversation differs from the recorded one")

    def _talk(self, base: str, speed: float) -> None:
        speaker = caller()
        asyncio.run(Conversation(speaker, base, self._clock, speed).run(LIMIT_S))
        if speaker.failed:
            raise CheckFailed(f"the conversation failed: {speaker.failed}")
        for heard in speaker.heard:
            cut = "" if heard.cut_ms is None else f"  [interrupted after {heard.cut_ms} ms]"
            self._say(f"the caller heard: {heard.text}{cut}")

    def _try(self) -> str:
        """The trial's name."""
        digest = load_criteria(copied_criteria(self._folder)).sha256
        scenarios = shipped_scenarios()
        with (
            self._shell.step(f"trial: {len(scenarios)} scenarios at two providers"),
            closing(open_store(self._shell.store, create=False)) as store,
        ):
            self._say(f"{_SIMULATED} The clock is virtual.")
            name = fresh({row.trial for row in store.sessions()})
            seconds, runs = 0.0, 0
            for held in Trial(store, name, self._clock, digest).hold(scenarios, _REPEAT):
                if held.failed:
                    raise CheckFailed(f"session {held.session} of the trial failed: {held.failed}")
                self._say(f"{held.run.scenario} at {held.run.provider}: finished, {held.session}")
                seconds, runs = seconds + held.seconds, runs + 1
            self._say(f"trial {name}: {counted(runs, 'run')}, {seconds:.0f} s of conversation")
        return name

    def _decide(self, trial: str) -> None:
        shell, criteria = self._shell, ("--criteria", self._path(SHIPPED))
        with shell.step("compare: the two by criteria that were declared before the runs"):
            page = ("-o", self._path("compare.html"))
            shell.command("replay", "compare", trial, *criteria, *page, quiet=True)
        with shell.step("decide: what is known, and what is not, as a document"):
            page = ("-o", self._path("decision.md"))
            shell.command("record", "decide", trial, *criteria, *page)

    def _summary(self, trial: str) -> None:
        say, store = self._say, shlex.quote(self._shell.store)
        say("\nWhat took how long:")
        for name, took in self._shell.took:
            say(f"  {took:6.1f} s  {name}")
        say(f"\n{_SIMULATED} Where it is:")
        for file, what in (
            ("compare.html", "the two providers compared, for a browser"),
            ("decision.md", "the decision as a document, with the query behind each number"),
            ("conversations.db", "every tape"),
            ("conversation.wav", "the first conversation, to listen to"),
        ):
            say(f"  {self._path(file):24}  {what}")
        query = "SELECT type, count(*) AS n FROM event GROUP BY type ORDER BY n DESC LIMIT 5"
        say("\nTry next:")
        say(f"  record report --store {store} last -o turns.html")
        say(f"  record sql --store {store} {shlex.quote(query)}")
        scenario = _shown(shipped_scenarios()[0])
        say(f"  record trial --store {store} --simulate --trial real-time {scenario}")

    def _path(self, name: str) -> str:
        return str(self._folder / name)


def shipped_scenarios() -> list[Path]:
    """The scenarios of the demo's trial, which come along with this program."""
    shipped = Path(str(files("replay"))) / "scenarios" / "demo"
    source = Path(__file__).parents[2] / "fixtures" / "scenarios" / "demo"
    folder = shipped if shipped.is_dir() else source
    return sorted(folder.glob("*.toml"))


def copied_criteria(folder: Path) -> Path:
    """The criteria that come along, as a file in `folder` that may be edited."""
    path = folder / SHIPPED
    if not path.exists():
        path.write_bytes(files("recorder.comparison").joinpath(SHIPPED).read_bytes())
    return path


def fresh(taken: Collection[str]) -> str:
    """A name that no trial has: each demo holds one of its own."""
    numbered = (f"{_TRIAL}-{number}" for number in itertools.count(1))
    return next(name for name in numbered if name not in taken)


def _shown(path: Path) -> str:
    """A path as it is typed from here."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def _verdict(report: str) -> str:
    """What a replay says at its end, without the greeting before it."""
    lines = report.strip().splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("replay ")]
    return "\n".join(lines[starts[-1] :] if starts else lines)
