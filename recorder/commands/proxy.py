"""`record proxy`: record what passes between an application and a provider."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recorder.commands.common import Address, listen_option, store_option
from recorder.errors import RecorderError

_SWITCH_S = 0.0005

if TYPE_CHECKING:
    import ssl

    from recorder.capture.ledger import OnFailure


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    store_url: str
    trial: str
    listen: Address
    openai_url: str
    on_store_failure: OnFailure
    tls_cert: Path | None
    tls_key: Path | None
    tls_self_signed: bool
    check_upstream: bool


@click.command()
@store_option
@click.option("--trial", default="default", show_default=True, help="Name the sessions belong to.")
@listen_option("127.0.0.1:8080")
@click.option(
    "--openai-url",
    default="https://api.openai.com",
    show_default=True,
    metavar="URL",
    help="Where /openai/… goes: an origin, with a path prefix if need be.",
)
@click.option(
    "--on-store-failure",
    type=click.Choice(["end", "pass"]),
    default="end",
    show_default=True,
    help="When events cannot be stored: end the conversation, or pass it on with a marked hole.",
)
@click.option("--tls-cert", type=click.Path(path_type=Path), help="PEM certificate to serve with.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="PEM key of --tls-cert.")
@click.option("--tls-self-signed", is_flag=True, help="Serve wss: with a local authority.")
@click.option(
    "--check-upstream/--no-check-upstream",
    default=True,
    show_default=True,
    help="Connect to the upstream once before listening.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say more on standard error.")
@click.option("-q", "--quiet", is_flag=True, help="Say only errors.")
def command(verbose: bool, quiet: bool, **options: object) -> None:
    """Record what passes between an application and a provider.

    Point the application at http://HOST:PORT/openai instead of https://api.openai.com;
    its key passes through and is never stored. Ctrl-C ends it cleanly.

    Example: record proxy --trial first-try --listen 127.0.0.1:8080
    """
    level = logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING
    asyncio.run(_serve(Options(**options), level))  # type: ignore[arg-type]


async def _serve(options: Options, level: int) -> None:
    from recorder.capture.logs import log_to_stderr
    from recorder.capture.process import WriterProcess
    from recorder.capture.proxy.address import reachable, upstream_url
    from recorder.capture.proxy.server import Proxy
    from recorder.clock import SystemClock

    log_to_stderr(level, os.environ)
    upstream = upstream_url(options.openai_url)
    tls, authority = _tls(options)
    if options.check_upstream:
        await reachable(upstream)
    writer = WriterProcess(options.store_url, SystemClock(), on_failure=options.on_store_failure)
    for session in await writer.start():
        click.echo(f"session {session} was left by a run that died: interrupted", err=True)
    try:
        proxy = Proxy(writer, options.trial, {"openai": options.openai_url})
        base = await proxy.start(options.listen.host, options.listen.port, tls)
        _greet(base, authority)
        await _until_signal()
        await proxy.stop()
    finally:
        await writer.close()


def _tls(options: Options) -> tuple[ssl.SSLContext | None, Path | None]:
    from recorder.capture.proxy.tls import from_files, self_signed

    if not options.tls_self_signed:
        return from_files(options.tls_cert, options.tls_key), None
    if options.tls_cert or options.tls_key:
        raise RecorderError(
            "--tls-self-signed makes a certificate: leave out --tls-cert and --tls-key"
        )
    return self_signed(options.listen.host, _folder(options.store_url))


def _folder(store_url: str) -> Path:
    """The folder of a store's file; the working folder for other stores."""
    _, found, path = store_url.partition("sqlite:///")
    return Path(path).parent if found else Path()


def _greet(base: str, authority: Path | None) -> None:
    from recorder.providers import PROVIDERS

    click.echo(f"ready {base}")
    if authority:
        click.echo(f"trust {authority}")
    provider = PROVIDERS["openai"]
    for line in provider.sdk_hints(base + provider.PREFIX):
        click.echo(f"  {line}")
    sys.stdout.flush()


async def _until_signal() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
