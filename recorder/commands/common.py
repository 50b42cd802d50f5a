"""What every command shares: lazy loading, the store option, errors into exit codes."""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from recorder.errors import RecorderError

if TYPE_CHECKING:
    import asyncio
    from decimal import Decimal

    from recorder.store.base import Store

_T = TypeVar("_T")
_BROKEN_PIPE = 141  # as the shell counts SIGPIPE
_GC_EVERY = 50_000  # allocations; looking for garbage in what is imported takes a sixth of a start
DEFAULT_STORE = "sqlite:///conversations.db"


class LazyGroup(click.Group):
    """A group whose commands are imported when they run: name -> (module, one line of help).

    Each module has a function `command`, a click command. Every option has an environment
    variable, unless it was made without (`allow_from_autoenv`): the group's name, the command's and
    the option's (`RECORD_SHOW_ALL`).
    """

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # before click takes it for an error of its own
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(_BROKEN_PIPE) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return None
        found = importlib.import_module(self._lazy[cmd_name][0]).command
        assert isinstance(found, click.Command)
        _name_variables(found, f"{self.name}_{cmd_name}")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._lazy.items()])


def _name_variables(command: click.Command, prefix: str) -> None:
    for option in command.params:
        if isinstance(option, click.Option) and option.allow_from_autoenv:
            name = max(option.opts, key=len).lstrip("-")
            option.envvar = option.envvar or f"{prefix}_{name}".replace("-", "_").upper()
            option.show_envvar = True
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            _name_variables(inner, f"{prefix}_{name}")


class Address(NamedTuple):
    """Where to listen; port 0 picks a free one."""

    host: str
    port: int


def _address(ctx: click.Context, param: click.Parameter, value: str) -> Address:
    host, found, port = value.rpartition(":")
    host = host.strip("[]")
    is_number = port.isascii() and port.isdigit()
    if not found or not host or not is_number or int(port) > 65535:
        raise click.BadParameter(f"{value!r} is not HOST:PORT, such as 127.0.0.1:8080")
    return Address(host, int(port))


def listen_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--listen HOST:PORT`, given as an `Address`."""
    return click.option(
        "--listen",
        default=default,
        show_default=True,
        metavar="HOST:PORT",
        callback=_address,
        help="Where to accept connections; port 0 picks a free one.",
    )


def dollars(ctx: click.Context, param: click.Parameter, value: str | None) -> Decimal | None:
    """The callback of an option with an amount above 0: `0.50` or `$0.50`."""
    from decimal import Decimal, InvalidOperation

    if value is None:
        return None
    try:
        amount = Decimal(value.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise click.BadParameter(f"{value!r} is not an amount in dollars, such as 0.50")
    return amount


def store_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--store URL`, with its default and environment variable."""
    return click.option(
        "--store",
        "store_url",
        default=DEFAULT_STORE,
        show_default=True,
        envvar="RECORDER_STORE",
        metavar="URL",
        help="Where tapes are kept.",
    )(function)


def redact_pii_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--redact-pii`, given as `redact_pii`."""
    return click.option(
        "--redact-pii",
        is_flag=True,
        help="Store no telephone numbers, and not the words of user and agent; audio is stored.",
    )(function)


def webhook_secret(name: str | None) -> str | None:
    """The value of a variable, which must be named like a secret so that it is never stored."""
    from recorder.redact import known_secrets

    if name is None:
        return None
    value = os.environ.get(name, "").strip()
    if not value:
        raise RecorderError(f"--webhook-secret-env: {name} is not set, or empty")
    if value not in known_secrets({name: value}):
        raise RecorderError(
            f"--webhook-secret-env: {name} is not taken for a secret; use a name such as "
            "VAPI_WEBHOOK_SECRET, and a value of 8 characters or more"
        )
    return value


def open_for_reading(url: str) -> Store:
    """The store at `url`, which must exist."""
    from recorder.store import open_store

    return open_store(url, create=False, readonly=True)


def open_for_writing(url: str, *, create: bool = True) -> Store:
    """The store at `url`; a new one is made, unless it must exist (`create=False`)."""
    from recorder.store import open_store

    return open_store(url, create=create)


def stop_signal() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    import asyncio
    import signal

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def session_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """`SESSION`: an id, a unique prefix of one, or `last`, `last~1`, …"""
    return click.argument("session", metavar="SESSION")(function)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--json`, given as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="For machines: JSON.")(function)


def paint(text: str, **style: Any) -> str:
    """`text` in colour on a terminal that wants it (https://no-color.org)."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return click.style(text, **style)


def progress(items: Sequence[_T], label: str) -> Iterator[_T]:
    """`items`, with a bar on standard error where that is a terminal and there are several."""
    hidden = len(items) < 2 or not sys.stderr.isatty()
    with click.progressbar(
        items, label=label, file=sys.stderr, hidden=hidden, show_pos=True
    ) as shown:
        yield from shown


def screen_width() -> int | None:
    """Columns of the terminal; None when the output goes elsewhere and is not to be cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _usage_line(prog_name: str, error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    name = context.command_path if context else prog_name
    text = " ".join(error.format_message().split()).rstrip(".")
    return f"{name}: {text}; `{name} --help` tells more"


def run(group: click.Group, prog_name: str) -> None:
    """Run a command line: 0 pass, 1 check failed, 2 usage or input, 3 bug, 130 interrupted."""
    gc.set_threshold(_GC_EVERY)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        sys.exit(group.main(prog_name=prog_name, standalone_mode=False) or 0)
    except click.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        click.echo(_usage_line(prog_name, error), err=True)
        sys.exit(2)
    except RecorderError as error:
        click.echo(f"{prog_name}: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception:
        traceback.print_exc()
        click.echo(f"{prog_name}: this is a bug, please report it with the lines above", err=True)
        sys.exit(3)
