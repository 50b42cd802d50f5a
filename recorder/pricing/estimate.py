"""What a conversation would cost: on a Realtime model, by the second, or as a chain on Vapi.

Estimates may rest on rough prices, which bills never do; `Bill.is_rough` says so.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from recorder.pricing.conversation import Answer, Assumptions, Conversation, Turn, answers
from recorder.pricing.entries import Entry
from recorder.pricing.lines import CostLine, total
from recorder.pricing.prices import PriceBook

_ZERO = Decimal(0)
_HALVINGS = 40  # of a range of 1: to 12 decimals


class Chain(NamedTuple):
    """The components of a Vapi assistant beside its language model, by their names in the book."""

    transcriber: str = "deepgram/flux-general-en"
    voice: str = "11labs/eleven_turbo_v2_5"
    transport: str | None = None


class Bill(NamedTuple):
    """What one conversation would cost, by component and meter."""

    provider: str
    model: str
    lines: tuple[CostLine, ...]
    is_rough: bool = False

    @property
    def usd(self) -> Decimal | None:
        """The total; None where a price is not known."""
        return total(self.lines)


class _Sum:
    """Adds up what is used by component, model and meter; priced once, when it is whole."""

    def __init__(self, provider: str, model: str, book: PriceBook) -> None:
        self._provider, self._model, self._book = provider, model, book
        self._amounts: dict[tuple[str, str, str, str], Decimal] = {}

    def add(self, component: str, name: str, meter: str, amount: Decimal, unit: str) -> None:
        """Add a quantity; 0 leaves no line."""
        if amount:
            key = (component, name, meter, unit)
            self._amounts[key] = self._amounts.get(key, _ZERO) + amount

    def bill(self) -> Bill:
        """All of it."""
        is_rough, lines = False, []
        for (component, name, meter, unit), amount in self._amounts.items():
            entry = self._book.entry(self._provider, component, name)
            price = entry.prices.get(meter) if entry else None
            usd = price.of(amount, unit) if price else None
            is_rough = is_rough or (entry is not None and entry.basis == "estimate")
            label = self._book.label
            lines.append(
                CostLine(
                    self._provider, name, component, meter, amount, unit, usd, "book", label, 0
                )
            )
        return Bill(self._provider, self._model, tuple(lines), is_rough)


def realtime(
    talk: Conversation,
    model: str,
    assumed: Assumptions,
    book: PriceBook,
    transcriber: str | None = None,
) -> Bill:
    """The conversation on a Realtime model, with the user's speech transcribed beside it."""
    entry = book.entry("openai", "model", model)
    heard = book.entry("openai", "transcriber", transcriber)
    found = _Sum("openai", model, book)
    limit = entry.max_input_tokens if entry else None
    for answer in answers(talk, assumed, speaks=True, limit=limit):
        _read_and_write(found, entry, model, answer)
    for turn in talk.turns if transcriber else ():
        _transcribe(found, heard, str(transcriber), turn, assumed)
    return found.bill()


def _transcribe(
    found: _Sum, entry: Entry | None, name: str, said: Turn, assumed: Assumptions
) -> None:
    """By time, in whole seconds of each turn, where it is priced so; else by tokens."""
    if entry is None or "duration" in entry.prices:
        seconds = said.user_s.to_integral_value(ROUND_CEILING)
        found.add("transcriber", name, "duration", seconds, "second")
        return
    tokens = said.user_s * assumed.user_tokens_per_s
    found.add("transcriber", name, "audio_in", tokens, "token")
    words = said.user_chars / assumed.chars_per_token
    found.add("transcriber", name, "text_out", words, "token")


def _read_and_write(found: _Sum, entry: Entry | None, model: str, answer: Answer) -> None:
    """One answer. What a model has no price for as cached is read at the full one."""
    for kind in ("text", "audio"):
        given, cached = getattr(answer.given, kind), getattr(answer.cached, kind)
        if entry and f"{kind}_cached" not in entry.prices:
            cached = _ZERO
        found.add("model", model, f"{kind}_in", given - cached, "token")
        found.add("model", model, f"{kind}_cached", cached, "token")
        found.add("model", model, f"{kind}_out", getattr(answer.made, kind), "token")


def by_second(talk: Conversation, model: str, book: PriceBook) -> Bill:
    """The conversation where the open session is charged; what works behind it is extra."""
    found = _Sum("openai-live", model, book)
    found.add("session", model, "active", talk.seconds, "second")
    return found.bill()


def chain(
    talk: Conversation, model: str, assumed: Assumptions, book: PriceBook, parts: Chain
) -> Bill:
    """The conversation on Vapi with a language model: its fee and the components it passes on."""
    found = _Sum("vapi", model, book)
    minutes = talk.seconds / 60
    timed = [("vapi", "normal"), ("transcriber", parts.transcriber)]
    timed += [("transport", parts.transport)] if parts.transport else []
    for component, name in timed:
        found.add(component, name, "duration", minutes, "minute")
    entry = book.entry("vapi", "model", model)
    for answer in answers(talk, assumed, speaks=False):
        _read_and_write(found, entry, model, answer)
    spoken = sum((turn.agent_chars for turn in talk.turns), _ZERO)
    found.add("voice", parts.voice, "characters", spoken, "character")
    return found.bill()


def crossing(above: Callable[[Decimal], Decimal]) -> Decimal | None:
    """Where between 0 and 1 a difference changes its sign, None where it does not."""
    low, high = _ZERO, Decimal(1)
    is_above = above(low) > 0
    if (above(high) > 0) is is_above:
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if (above(middle) > 0) is is_above:
            low = middle
        else:
            high = middle
    return (low + high) / 2
