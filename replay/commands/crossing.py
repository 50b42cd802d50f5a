"""`replay run` to another provider than that of the tape (docs/run.md, "Another provider")."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import click
from click.core import ParameterSource

from recorder.commands.common import Address, listen_option, screen_width, stop_signal
from recorder.counting import counted
from recorder.errors import RecorderError

if TYPE_CHECKING:
    from recorder.store.base import SessionRow, Store
    from replay.crossing.result import Result
    from replay.crossing.running import Crossing, Limits, Place, Ran
    from replay.crossing.script import Script
    from replay.crossing.taped import TapedCall

_SPARE_S = 30.0
_NOT_HERE = ("speed", "patience")  # options of `replay run` that a conversation elsewhere has not
_ONLY_HERE = ("listen", "public_url")


class Options(Protocol):
    """The options of `replay run` that hold here."""

    @property
    def seed(self) -> int | None: ...
    @property
    def repeat(self) -> int: ...
    @property
    def tool(self) -> Mapping[str, str]: ...
    @property
    def reply(self) -> tuple[str, ...]: ...
    @property
    def transcript(self) -> tuple[str, ...]: ...
    @property
    def max_seconds(self) -> float | None: ...
    @property
    def budget(self) -> Decimal | None: ...
    @property
    def record(self) -> bool: ...
    @property
    def as_json(self) -> bool: ...
    @property
    def listen(self) -> Address: ...
    @property
    def public_url(self) -> str | None: ...


class Against(NamedTuple):
    """Another provider: at `url`, or its simulator."""

    provider: str
    url: str | None


def webhook_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--listen` and `--public-url`: where a provider behind a URL delivers its webhooks."""
    public = click.option(
        "--public-url", metavar="URL", help="How another provider reaches --listen."
    )
    return listen_option("127.0.0.1:0")(public(function))


def elsewhere(against: str, row: SessionRow) -> Against | None:
    """`NAME`, or `NAME=URL`, of another provider than the tape's; None for everything else."""
    from recorder.providers import PROVIDERS
    from replay.crossing.sides import side

    name, equals, url = against.partition("=")
    if equals and name == row.provider:
        raise RecorderError(f"session {row.id} is of {name} itself: give --against {url}")
    if name not in PROVIDERS or name == row.provider:
        _refuse(_ONLY_HERE, "is for a conversation with another provider")
        return None
    side(name)  # refuses one that cannot be played to
    _refuse(_NOT_HERE, "is not for a conversation with another provider")
    return Against(name, url if equals else None)


def _refuse(names: tuple[str, ...], why: str) -> None:
    """RecorderError for options that were given."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) not in (None, ParameterSource.DEFAULT):
            raise RecorderError(f"--{name.replace('_', '-')} {why}: leave it out")


def cross(options: Options, store: Store, row: SessionRow, against: Against) -> int:
    """Play a tape to another provider, as often as asked; the exit code."""
    from recorder.pricing import PriceBook
    from replay.crossing.script import write_script
    from replay.crossing.taped import read_tape

    tape = read_tape(store, row)
    limit = options.max_seconds
    max_s = tape.length_s * 1.5 + _SPARE_S if limit is None else limit
    script = write_script(tape, against.provider, max_s, PriceBook.shipped())
    script = _reworded(script, options)
    place = _place(options, against, tape)
    _tell_estimate(options, script)
    if not options.as_json:
        _greet(script)
    with _kept_in(options, store) as new:
        return _Runs(options, store, new, tape, script, place, max_s).hold()


class _Runs:
    """The runs of one command."""

    def __init__(
        self,
        options: Options,
        store: Store,
        new: Store,
        tape: TapedCall,
        script: Script,
        place: Place | None,
        max_s: float,
    ) -> None:
        from recorder.capture.secrets import store_secrets
        from replay.crossing.running import Crossing
        from replay.crossing.views import tell

        self._options, self._new = options, new
        self._tape, self._script, self._place, self._max_s = tape, script, place, max_s
        self._before = tell(store, tape.row, tape.starts_ns)
        secrets = store_secrets(new, os.environ)
        self._crossing: Crossing = Crossing(tape, script, new, secrets, self._come)
        self._left = options.budget

    def hold(self) -> int:
        """All of them; 0 if each passed."""
        good = 0
        for number in range(1, self._options.repeat + 1):
            refused = self._refused()
            if refused is not None:
                self._tell_refused(number, refused)
                break
            good += self._one(number)
        if self._options.repeat > 1 and not self._options.as_json:
            click.echo(f"{good} of {counted(self._options.repeat, 'run')} passed")
        return 0 if good == self._options.repeat else 1

    def _one(self, number: int) -> bool:
        from replay.crossing.result import judge
        from replay.crossing.views import noted_starts, tell

        ran = self._run()
        row = self._new.session(ran.session)
        assert row is not None, "a run is recorded"
        now = tell(self._new, row, noted_starts(self._new, row.id))
        result = judge(self._tape, self._before, now, ran)
        self._tell(number, result)
        self._pay(now.usd)
        return result.outcome == "pass"

    def _run(self) -> Ran:
        from replay.crossing.running import Limits

        limits: Limits = Limits(self._max_s, self._left, self._options.tool)
        if self._place is None:
            seed = 1 if self._options.seed is None else self._options.seed
            return self._crossing.here(seed, limits)
        return asyncio.run(self._there(self._place, limits))

    async def _there(self, place: Place, limits: Limits) -> Ran:
        return await self._crossing.there(place, limits, stop_signal())

    def _come(self, turn: int) -> None:
        """Show how far a run has come that takes as long as the tape."""
        if self._place is not None and sys.stderr.isatty():
            click.echo(f"turn {turn} of {len(self._tape.turns)}", err=True)

    def _refused(self) -> str | None:
        """Why a run is not begun."""
        coming = self._script.bill.usd
        if self._left is None or coming is None or coming <= self._left:
            return None
        return (
            f"the budget of ${self._options.budget} would be passed: ${self._left:.4f} of it are "
            f"left, and a run is expected to cost ${coming:.4f}"
        )

    def _pay(self, usd: Decimal | None) -> None:
        if self._left is None:
            return
        if usd is None:
            raise RecorderError(
                "--budget cannot be kept: the run has usage without a known price; "
                "`record estimate last` names it"
            )
        self._left -= usd

    def _tell_refused(self, number: int, why: str) -> None:
        if self._options.as_json:
            told = {"run": number, "outcome": "inconclusive", "reason": why, "session": None}
            click.echo(json.dumps(told))
        else:
            click.echo(f"INCONCLUSIVE turns=0/{len(self._tape.turns)}: {why}")

    def _tell(self, number: int, result: Result) -> None:
        from replay.crossing.result import facts
        from replay.crossing.text import lines, verdict

        session = result.now.row.id if self._options.record else None
        if self._options.as_json:
            told = {"run": number, "session": session, **facts(result, self._script.lost)}
            click.echo(json.dumps(told, ensure_ascii=False))
            return
        for line in lines(result, screen_width()):
            click.echo(line)
        click.echo("")
        click.echo(verdict(result))
        for note in result.notes:
            click.echo(f"  {note}")
        if session:
            click.echo(f"recorded {session}")
        sys.stdout.flush()


@contextmanager
def _kept_in(options: Options, store: Store) -> Iterator[Store]:
    """The store of the new tapes: one in memory if nothing is to be recorded."""
    from recorder.commands.derived import keep_derived
    from recorder.store import open_store

    if options.record:
        yield store
        keep_derived(store)
        return
    with closing(open_store("memory:", create=True)) as new:
        yield new


def _reworded(script: Script, options: Options) -> Script:
    """What was asked for in place of what a simulator says and hears by the tape."""
    words = script.words
    if options.reply:
        words = words._replace(replies=options.reply)
    if options.transcript:
        words = words._replace(transcripts=options.transcript)
    return script._replace(words=words)


def _place(options: Options, against: Against, tape: TapedCall) -> Place | None:
    """Where it goes; None for the simulator. RecorderError for what does not go together."""
    from recorder.capture.proxy.address import is_local, server_url
    from recorder.providers import provider
    from replay.crossing.running import Place
    from replay.runs import authorization

    if against.url is None:
        _refuse(_ONLY_HERE, "is for a URL, not for a simulator in this process")
        return None
    server_url("--against", against.url)
    _refuse(("seed", "reply", "transcript"), "is for a simulator in this process")
    found = provider(against.provider)
    calls = found.CONDUCT.tools is not None and tape.agent.tools
    if calls and not is_local(against.url) and options.public_url is None:
        raise RecorderError(
            f"{found.TITLE} calls tools by webhook: give --public-url, the address under which it "
            "reaches --listen"
        )
    key = authorization(against.url, found, os.environ)
    host, port = options.listen
    return Place(against.url.rstrip("/"), key, host, port, options.public_url)


def _tell_estimate(options: Options, script: Script) -> None:
    """What a run is expected to cost; RecorderError if a budget cannot be kept."""
    usd = script.bill.usd
    if options.budget is None:
        return
    if usd is None:
        raise RecorderError(
            f"--budget cannot be kept: {script.bill.model} has no known price; leave it out, or "
            "add the price"
        )
    times = f", {options.repeat} times" if options.repeat > 1 else ""
    rough = "about " if script.bill.is_rough else ""
    click.echo(
        f"estimate: {rough}${usd:.4f} a run at {script.provider} with {script.bill.model}{times}",
        err=True,
    )


def _greet(script: Script) -> None:
    """What is not carried over, before it begins."""
    from replay.crossing.text import folded

    for lost in script.lost:
        for line in folded("not carried over: ", lost, screen_width()):
            click.echo(line)
    if script.lost:
        click.echo("")
