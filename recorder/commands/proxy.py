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
from click.core import ParameterSource

from recorder.commands.common import (
    Address,
    listen_option,
    redact_pii_option,
    store_option,
    webhook_secret,
)
from recorder.errors import RecorderError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from yarl import URL

    from recorder.capture.ledger import OnFailure
    from recorder.capture.proxy.options import ProxyOptions


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    store_url: str
    trial: str
    listen: Address
    openai_url: str
    vapi_url: str
    upstream: tuple[str, ...]
    public_url: str | None
    rewrite: bool
    webhook_to: str | None
    webhook_secret_env: str | None
    set_server_url: bool
    redact_pii: bool
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
    "--vapi-url",
    default="https://api.vapi.ai",
    show_default=True,
    metavar="URL",
    help="Where /vapi/… goes, likewise.",
)
@click.option(
    "--upstream",
    multiple=True,
    metavar="NAME=URL",
    help="Where /NAME/… of another provider goes, in place of its own service.",
)
@click.option(
    "--public-url",
    metavar="URL",
    help="How clients and providers reach this proxy, where not by the host that they ask for.",
)
@click.option(
    "--rewrite/--no-rewrite",
    default=True,
    show_default=True,
    help="Lead clients back here where an answer of Vapi names the sockets of a call.",
)
@click.option(
    "--webhook-to",
    metavar="URL",
    help="The application's server: gets what Vapi delivers to /webhooks/vapi. Without it, "
    "deliveries are acknowledged.",
)
@click.option(
    "--webhook-secret-env",
    metavar="NAME",
    help="The environment variable with the secret that deliveries are signed with; each is "
    "checked, and passed on whatever comes out.",
)
@click.option(
    "--set-server-url",
    is_flag=True,
    help="Put this proxy's webhook address into assistants and calls that pass.",
)
@redact_pii_option
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
    help="Connect once, before listening, to each upstream that is named here.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say more on standard error.")
@click.option("-q", "--quiet", is_flag=True, help="Say only errors.")
def command(verbose: bool, quiet: bool, **options: object) -> None:
    """Record what passes between an application and a provider.

    Point the application at http://HOST:PORT/openai instead of https://api.openai.com, or at
    http://HOST:PORT/vapi instead of https://api.vapi.ai; its key passes through and is never
    stored. Ctrl-C ends it cleanly.

    Example: record proxy --trial first-try --listen 127.0.0.1:8080
    """
    level = logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING
    asyncio.run(_serve(Options(**options), level))  # type: ignore[arg-type]


async def _serve(options: Options, level: int) -> None:
    from recorder.background import deriving, leave
    from recorder.capture.logs import log_to_stderr
    from recorder.capture.process import WriterProcess
    from recorder.capture.proxy.address import reachable
    from recorder.capture.proxy.server import Proxy
    from recorder.clock import SystemClock

    log_to_stderr(level, os.environ)
    upstreams = _upstreams(options)
    extras = _extras(options)
    tls, authority = _tls(options)
    for upstream in _named(upstreams, options) if options.check_upstream else ():
        await reachable(upstream)
    writer = WriterProcess(
        options.store_url,
        SystemClock(),
        on_failure=options.on_store_failure,
        redact_pii=options.redact_pii,
    )
    for session in await writer.start():
        click.echo(f"session {session} was left by a run that died: interrupted", err=True)
    try:
        proxy = Proxy(writer, options.trial, upstreams, extras)
        base = await proxy.start(options.listen.host, options.listen.port, tls)
        _greet(base, authority)
        async with deriving(writer):
            await _until_signal(writer.fell)
            await proxy.stop()
    finally:
        await writer.close()
    if writer.ending.is_set():
        leave(options.store_url)


def _upstreams(options: Options) -> dict[str, str]:
    """Where each provider's traffic goes; all that the user chose is looked at."""
    from recorder.capture.proxy.address import server_url
    from recorder.providers import PROVIDERS, SHARING, provider

    found = {name: known.UPSTREAM for name, known in PROVIDERS.items() if name not in SHARING}
    given = [
        ("openai", "--openai-url", options.openai_url),
        ("vapi", "--vapi-url", options.vapi_url),
    ]
    for each in options.upstream:
        name, _, url = each.partition("=")
        given.append((provider(name).NAME, f"--upstream {name}", url))
    for name, option, url in given:
        server_url(option, url)
        found[name] = url
    return found


def _named(upstreams: Mapping[str, str], options: Options) -> list[URL]:
    """Those that the user chose."""
    from yarl import URL

    context = click.get_current_context()
    given = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    own = {"openai": "openai_url", "vapi": "vapi_url"}
    chosen = {name for name, key in own.items() if context.get_parameter_source(key) in given}
    chosen |= {each.partition("=")[0] for each in options.upstream}
    return [URL(url) for name, url in upstreams.items() if name in chosen]


def _extras(options: Options) -> ProxyOptions:
    from recorder.capture.proxy.address import server_url
    from recorder.capture.proxy.options import ProxyOptions

    for option, url in (("--public-url", options.public_url), ("--webhook-to", options.webhook_to)):
        if url is not None:
            server_url(option, url)
    return ProxyOptions(
        options.public_url,
        options.rewrite,
        options.webhook_to,
        webhook_secret(options.webhook_secret_env),
        options.set_server_url,
    )


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
    for provider in PROVIDERS.values():
        for line in provider.sdk_hints(base + provider.PREFIX):
            click.echo(f"  {line}")
    sys.stdout.flush()


async def _until_signal(fell: asyncio.Event) -> None:
    """Wait for Ctrl-C or SIGTERM, or for the end of the writer. A second signal ends at once."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopped.is_set():
            click.echo(
                "record: ended without waiting; `record verify` tells what is there", err=True
            )
            os._exit(2)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    waiting = [asyncio.create_task(each.wait()) for each in (stopped, fell)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
