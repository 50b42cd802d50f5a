"""What the commands that play share: TLS, pace and mode, limits, the store, and the greeting."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recorder.commands.common import open_for_reading, open_for_writing
from recorder.errors import RecorderError

if TYPE_CHECKING:
    from recorder.store.base import Store

_MODES = ("causal", "strict", "timed", "step")  # those of `replay.player.modes`, imported late


def tls_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--tls-cert` and `--tls-key`, given as paths."""
    cert = click.option(
        "--tls-cert", type=click.Path(path_type=Path), help="PEM certificate to serve with."
    )
    key = click.option("--tls-key", type=click.Path(path_type=Path), help="PEM key of --tls-cert.")
    return cert(key(function))


def _speed(ctx: click.Context, param: click.Parameter, value: str) -> float | None:
    return speed_of("--speed", value)


def speed_of(option: str, value: str) -> float | None:
    """The factor of a speed; None for `max`. RecorderError if it is none."""
    if value == "max":
        return None
    try:
        speed = float(value)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise RecorderError(
            f"{option} {value!r} is not a speed: give a factor above 0 (1 is as recorded, 20 is "
            "twenty times as fast) or max"
        )
    return speed


def speed_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--speed FACTOR|max`, given as a factor, None for `max`."""
    return click.option(
        "--speed",
        default=default,
        show_default=True,
        metavar="FACTOR|max",
        callback=_speed,
        envvar="REPLAY_SPEED",
        help="1 is the recorded pace, max waits for the client only.",
    )


def patience_option(whom: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--patience` in seconds, for which `whom` is waited for."""
    return click.option(
        "--patience",
        type=click.FloatRange(min=0),
        default=15.0,
        show_default=True,
        metavar="S",
        envvar="REPLAY_PATIENCE",
        help=f"How long to wait for {whom}, beside the time it took on the tape.",
    )


def max_seconds_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--max-seconds`, None for what `default` says."""
    return click.option(
        "--max-seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="S",
        envvar="REPLAY_MAX_SECONDS",
        help=f"End after this time; the default is {default}.",
    )


def webhook_secret_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--webhook-secret-env`, for `recorder.commands.common.webhook_secret`."""
    return click.option(
        "--webhook-secret-env",
        metavar="NAME",
        envvar="REPLAY_WEBHOOK_SECRET_ENV",
        help="The environment variable with the secret to sign webhooks with; a tape has none.",
    )(function)


def wording_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--reply` and `--transcript`: what a simulator says, and what it takes speech for."""
    reply = click.option(
        "--reply", multiple=True, metavar="TEXT", help="What a response says, in turn."
    )
    transcript = click.option(
        "--transcript", multiple=True, metavar="TEXT", help="What a spoken turn says, in turn."
    )
    return reply(transcript(function))


def record_option(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--record/--no-record`, for `open_tapes`."""
    return click.option(
        "--record/--no-record", default=True, show_default=True, help=f"Record {what} as a tape."
    )


def open_tapes(url: str, *, records: bool) -> Store:
    """The store to play from, which must exist; to be written to if the playing is recorded."""
    return open_for_writing(url, create=False) if records else open_for_reading(url)


def mode_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--mode`, and `--idle-cap` in seconds."""
    mode = click.option(
        "--mode",
        type=click.Choice(_MODES),
        default="causal",
        show_default=True,
        envvar="REPLAY_MODE",
        help="When messages go out: after what caused them, in the recorded order over everything, "
        "at their times whatever the client does, or when told to (POST /replay/step).",
    )
    idle_cap = click.option(
        "--idle-cap",
        type=click.FloatRange(min=0),
        metavar="S",
        envvar="REPLAY_IDLE_CAP",
        help="Play longer gaps of the tape as if they had been so long.",
    )
    return mode(idle_cap(function))


def webhook_url(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check the URL of `--webhook-to`."""
    from recorder.capture.proxy.address import server_url

    if value is not None:
        server_url("--webhook-to", value)
    return value


def webhook_to_option(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--webhook-to`, a URL that is checked, or None."""
    return click.option(
        "--webhook-to",
        metavar="URL",
        callback=webhook_url,
        envvar="REPLAY_WEBHOOK_TO",
        help=help_text,
    )


def greet(url: str, provider_name: str) -> None:
    """The line that says that connections are accepted, then how to point each client here."""
    from recorder.providers import provider

    found = provider(provider_name)
    click.echo(f"ready {url}")
    base = url + found.PREFIX
    for line in found.sdk_hints(base):
        if base.partition("://")[2] in line:  # the others are about the proxy
            click.echo(f"  {line}")
    sys.stdout.flush()
