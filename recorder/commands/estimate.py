"""`record estimate`: what sessions cost, what a plan would cost, and what the other way costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recorder.commands.common import json_option, open_for_reading, screen_width, store_option

if TYPE_CHECKING:
    from recorder.report.estimates import Asked, Estimate


Check = Callable[[click.Context, click.Parameter, str | None], Decimal | None]


def _number(*, positive: bool = False, most: int | None = None) -> Check:
    """Reads a decimal number: from 0 on, or above 0 if it is to be positive; at most `most`."""

    def check(ctx: click.Context, param: click.Parameter, value: str | None) -> Decimal | None:
        if value is None:
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise click.BadParameter(f"{value!r} is not a number") from None
        if not number.is_finite() or number < 0 or (positive and not number):
            raise click.BadParameter(f"{value} is not {'above 0' if positive else '0 or more'}")
        if most is not None and number > most:
            raise click.BadParameter(f"{value} is more than {most}")
        return number

    return check


_SHARE, _COUNT, _POSITIVE = _number(most=1), _number(), _number(positive=True)
_PLAN: tuple[tuple[str, Check, str, str], ...] = (
    ("talk-ratio", _SHARE, "0.6", "Part of the time in which somebody speaks."),
    (
        "turns-per-minute",
        _number(positive=True, most=60),
        "6",
        "What the user says, and the answer, so many times.",
    ),
    ("call-minutes", _number(positive=True, most=120), "5", "Minutes of one conversation."),
    ("agent-share", _SHARE, "0.5", "The agent's part of the speech."),
)
_ASSUMED: tuple[tuple[str, Check, str, str], ...] = (
    ("cached-ratio", _SHARE, "0.8", "Part of the last answer's input that is read from a cache."),
    ("instruction-tokens", _COUNT, "600", "Tokens of instructions and tools."),
    ("user-tokens-per-s", _POSITIVE, "10", "Audio tokens for a second of the user."),
    ("agent-tokens-per-s", _POSITIVE, "20", "Audio tokens for a second of the agent."),
    ("chars-per-s", _POSITIVE, "15", "Characters in a second of speech."),
    ("chars-per-token", _POSITIVE, "4", "Characters in a token of text."),
    ("tool-call-tokens", _COUNT, "24", "Tokens that the model writes to call a function."),
    ("tool-result-tokens", _COUNT, "50", "Tokens of a function's result."),
)
_NAMES: tuple[tuple[str, str | None, str], ...] = (
    ("transcriber", "gpt-4o-mini-transcribe", "Transcribes the user on Realtime, or `none`."),
    ("vapi-transcriber", "deepgram/flux-general-en", "Transcriber on Vapi."),
    ("vapi-voice", "11labs/eleven_turbo_v2_5", "Voice on Vapi."),
    ("vapi-transport", None, "Carrier on Vapi, such as twilio."),
)


def _estimate_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a plan is, what is assumed, and which components take part."""
    options = [
        click.option(
            f"--{name}",
            callback=check,
            default=default,
            show_default=True,
            metavar="NUMBER",
            help=text,
        )
        for name, check, default, text in (*_PLAN, *_ASSUMED)
    ]
    options += [
        click.option(f"--{name}", default=default, show_default=True, metavar="NAME", help=text)
        for name, default, text in _NAMES
    ]
    for option in reversed(options):
        function = option(function)
    return function


@click.command()
@store_option
@click.argument("session", metavar="[SESSION]", required=False)
@click.option("--trial", metavar="NAME", help="All sessions of this trial.")
@click.option(
    "--minutes", callback=_POSITIVE, metavar="NUMBER", help="A plan: so many minutes in all."
)
@click.option("--model", "models", multiple=True, metavar="NAME", help="Only this one; repeatable.")
@_estimate_options
@click.option(
    "--prices",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Prices of this day, instead of the session's or the book's.",
)
@click.option(
    "--book",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A price book of your own: a TOML file, or a folder of them.",
)
@json_option
@click.option("--strict", is_flag=True, help="Exit code 1 where something has no price.")
def command(
    store_url: str,
    session: str | None,
    trial: str | None,
    minutes: Decimal | None,
    as_json: bool,
    strict: bool,
    **options: Any,
) -> None:
    """Tell what a session or a trial cost, or what a plan would cost on each model.

    What the provider charged is taken as it says; the rest is what was used, at the prices of the
    book. For a call on Vapi it also tells what Realtime would have cost, and where both are even.

    Example: record estimate --minutes 10000 --talk-ratio .4 --turns-per-minute 6
    """
    if [session, trial, minutes].count(None) != 2:
        raise click.UsageError("give one of SESSION, --trial NAME, --minutes N")
    told = _told(store_url, session, trial, minutes, options)
    if as_json:
        click.echo(json.dumps(told.facts, indent=1))
    else:
        for line in told.lines:
            click.echo(line)
    if strict and told.unpriced:
        from recorder.errors import CheckFailed

        raise CheckFailed("not all of it has a price (see `unpriced`), so that --strict fails")


def _told(
    store_url: str,
    session: str | None,
    trial: str | None,
    minutes: Decimal | None,
    options: dict[str, Any],
) -> Estimate:
    from recorder.report import estimates

    asked = _asked(options)
    if minutes is not None:
        from recorder.pricing.plan import Plan

        named = {name.replace("-", "_") for name, *_ in _PLAN}
        plan = Plan(minutes, **{name: options[name] for name in named})
        return estimates.of_plan(plan, asked, screen_width())
    with closing(open_for_reading(store_url)) as store:
        if session is not None:
            return estimates.of_session(store, session, asked, screen_width())
        return estimates.of_trial(store, str(trial), asked, screen_width())


def _asked(options: dict[str, Any]) -> Asked:
    from recorder.pricing.conversation import Assumptions
    from recorder.pricing.estimate import Chain
    from recorder.report.estimates import Asked

    named = {name.replace("-", "_") for name, *_ in _ASSUMED}
    prices = options["prices"]
    return Asked(
        prices.date() if prices else None,
        options["book"],
        Assumptions(**{name: options[name] for name in named}),
        tuple(options["models"]),
        None if options["transcriber"] == "none" else options["transcriber"],
        Chain(options["vapi_transcriber"], options["vapi_voice"], options["vapi_transport"]),
    )
