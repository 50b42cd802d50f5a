"""`record pull`: what a provider knows of its calls, into the store."""

from __future__ import annotations

import os
import re
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from recorder.commands.common import open_for_writing, redact_pii_option, store_option
from recorder.commands.derived import keep_derived
from recorder.counting import counted
from recorder.errors import RecorderError

if TYPE_CHECKING:
    from recorder.clock import Clock
    from recorder.pull.puller import Puller, Tally, Wish
    from recorder.pull.shelf import Shelf

_AGO = re.compile(r"(\d{1,5})([dhm])")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


def _ids(
    ctx: click.Context, param: click.Parameter, value: str | tuple[str, ...] | None
) -> str | tuple[str, ...] | None:
    for one in (value,) if isinstance(value, str) else value or ():
        if not _ID.fullmatch(one):
            raise click.BadParameter(f"{one!r} is no id")
    return value


@click.command()
@store_option
@click.argument("provider", type=click.Choice(["vapi"]), metavar="PROVIDER")
@click.option("--trial", default="default", show_default=True, help="Name new sessions belong to.")
@click.option(
    "--vapi-url",
    default="https://api.vapi.ai",
    show_default=True,
    metavar="URL",
    help="Where Vapi's API is: an origin, with a path prefix if need be.",
)
@click.option(
    "--key-env",
    default="VAPI_API_KEY",
    show_default=True,
    metavar="NAME",
    help="The environment variable with the private key.",
)
@click.option(
    "--call",
    "calls",
    multiple=True,
    metavar="ID",
    callback=_ids,
    help="Only this call; may be given several times.",
)
@click.option("--since", metavar="TIME", help="Only calls made since: ISO 8601, or 7d, 12h, 30m.")
@click.option("--assistant", metavar="ID", callback=_ids, help="Only this assistant and its calls.")
@click.option(
    "--recordings/--no-recordings", default=True, show_default=True, help="Fetch recordings too."
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="Requests a second, at most.",
)
@redact_pii_option
def command(
    store_url: str,
    provider: str,
    trial: str,
    vapi_url: str,
    key_env: str,
    calls: tuple[str, ...],
    since: str | None,
    assistant: str | None,
    recordings: bool,
    rate: float,
    redact_pii: bool,
) -> None:
    """Fetch what Vapi knows into the store: assistants, calls with their costs and messages,
    recordings, logs and analytics.

    Each call becomes a session, or is added to the one it has already. Pulled again, only what is
    new is added; stopped half-way and run again, it goes on.

    Example: VAPI_API_KEY=… record pull vapi --since 7d
    """
    from recorder.capture.proxy.address import server_url
    from recorder.capture.secrets import store_secrets
    from recorder.clock import SystemClock
    from recorder.providers import provider as provider_called
    from recorder.pull.puller import Wish
    from recorder.pull.shelf import Shelf

    if calls and (since or assistant):
        raise click.UsageError("--call names single calls: leave --since and --assistant out")
    clock = SystemClock()
    wish = Wish(calls, _since(since, clock), assistant, recordings)
    base = str(server_url("--vapi-url", vapi_url))
    key = _key(key_env)
    with closing(open_for_writing(store_url)) as store:
        environ = {**os.environ, "VAPI_API_KEY": key}
        secrets = store_secrets(store, environ, personal=redact_pii)
        shelf = Shelf(store, clock, secrets, provider_called(provider), trial)
        tally = _pull(shelf, base, key, wish, rate, clock)
        keep_derived(store)
    click.echo(_summary(tally, trial))
    if tally.problems:
        count = counted(len(tally.problems), "problem")
        raise RecorderError(f"{count}, told above; the rest is kept")


def _pull(shelf: Shelf, base: str, key: str, wish: Wish, rate: float, clock: Clock) -> Tally:
    import httpx

    from recorder.pull.client import Api
    from recorder.pull.pacing import Pacer
    from recorder.pull.puller import Puller

    with httpx.Client(timeout=30.0) as http, closing(shelf):
        puller = Puller(Api(http, base, key, clock, Pacer(clock, rate)), shelf, clock, wish)
        try:
            _take_all(puller)
        except RecorderError as error:
            raise RecorderError(shelf.text(str(error))) from None
        for problem in puller.tally.problems:
            click.echo(f"record pull: {shelf.text(problem)}", err=True)
    return puller.tally


def _take_all(puller: Puller) -> None:
    puller.assistants()
    entries = puller.calls()
    hidden = not sys.stderr.isatty()
    with click.progressbar(
        entries, label="calls", file=sys.stderr, hidden=hidden, show_pos=True
    ) as bar:
        for entry in bar:
            puller.take(entry)
    puller.analytics(entries)


def _key(name: str) -> str:
    key = os.environ.get(name, "").strip()
    if not key:
        raise RecorderError(f"no key: put Vapi's private key into the environment as {name}")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise RecorderError(f"what {name} holds is no key: it has characters that no key has")
    return key


def _since(text: str | None, clock: Clock) -> datetime | None:
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    if ago:
        now = datetime.fromtimestamp(clock.wall_ns() / 1e9, UTC)
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            f"--since {text!r} is no time: give 2026-11-01, 2026-11-01T12:00:00Z, 7d, 12h or 30m"
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _summary(tally: Tally, trial: str) -> str:
    calls = counted(tally.fresh + tally.changed + tally.same, "call")
    parts = [f"{tally.fresh} new", f"{tally.changed} changed", f"{tally.same} unchanged"]
    lines = f"{calls} ({', '.join(parts)}), {counted(tally.recordings, 'recording')}"
    live = f"; {counted(tally.live, 'call')} being recorded now, left alone" if tally.live else ""
    return f"trial {trial}: {lines} and {counted(tally.logs, 'log')} added{live}"
