"""What the commands that listen share: TLS, the greeting, and ending on a signal."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from recorder.errors import RecorderError

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


def stop_signal() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped
