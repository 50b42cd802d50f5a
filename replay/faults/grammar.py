"""Faults as text, one line each: `close@step=12 code=1011`.

    NAME@WHERE [OPTION=VALUE …]

docs/faults.md lists all of them with an example each.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from recorder.errors import RecorderError

Place = Literal["open", "type", "webhook", "step", "t", "request", "response"]
_SOCKET: tuple[Place, ...] = ("type", "step", "response")
_MESSAGE: tuple[Place, ...] = (*_SOCKET, "webhook")
_ANSWER: tuple[Place, ...] = (*_MESSAGE, "request")


class Where(NamedTuple):
    """What a fault is applied to. `pattern` is a shell pattern of a type, or of a path (whose
    `method` may be `*`); `number` a step, or a time in ns after the upgrade."""

    place: Place
    pattern: str = "*"
    method: str = "*"
    number: int = 0


class Fault(NamedTuple):
    """One line of a plan. `nth` of 0 means each time, `chance` is the probability of each time."""

    name: str
    where: Where
    nth: int
    chance: float
    options: Mapping[str, int | str]
    text: str

    def number(self, option: str) -> int:
        """The value of an option that is a number."""
        value = self.options[option]
        assert isinstance(value, int)
        return value

    def word(self, option: str) -> str:
        """The value of an option that is a text."""
        return str(self.options[option])


class _Kind(NamedTuple):
    places: tuple[Place, ...]
    options: Mapping[str, int | str | None]  # with their defaults; None: has to be given


KINDS: Mapping[str, _Kind] = {
    "break": _Kind(("open", "type", "step", "t", "response", "request"), {}),
    "chaos": _Kind(_MESSAGE, {}),
    "close": _Kind(("type", "step", "t", "response"), {"code": 1011, "reason": ""}),
    "corrupt": _Kind(_ANSWER, {}),
    "delay": _Kind((*_ANSWER, "open"), {"ms": None}),
    "drip": _Kind((*_SOCKET, "request"), {"rate": None}),
    "drop": _Kind(_MESSAGE, {}),
    "duplicate": _Kind(_MESSAGE, {"ms": 0}),
    "error": _Kind(_SOCKET, {"code": "rate_limit_exceeded", "message": ""}),
    "fail": _Kind(("response",), {"status": "failed", "reason": ""}),
    "refuse": _Kind(("open", "request"), {"status": 503, "retry-after": -1}),
    "swap": _Kind(_MESSAGE, {"ms": 1_000}),
    "truncate": _Kind(_ANSWER, {"bytes": -1}),
}
_Limit = tuple[Callable[[int], bool], str]  # what a number may be, and that in words
_LIMITS: Mapping[str, _Limit] = {
    "code": (lambda value: 1000 <= value <= 4999, "a close code from 1000 to 4999"),
    "ms": (lambda value: value >= 0, "a number of milliseconds, 0 or more"),
    "rate": (lambda value: value > 0, "a number of bytes a second above 0"),
    "status": (lambda value: 400 <= value <= 599, "a status from 400 to 599"),
    "retry-after": (lambda value: value >= 0, "a number of seconds, 0 or more"),
    "bytes": (lambda value: value >= 0, "a number of bytes, 0 or more"),
    "nth": (lambda value: value > 0, "a number from 1 on"),
}
_REASON_BYTES = 123  # a control frame holds 125, two of them the code
_UNSENDABLE = (1004, 1005, 1006, 1015)  # RFC 6455, 7.4.1
_ONCE: tuple[Place, ...] = ("step", "t")  # places that are there once
_WRITTEN: Mapping[Place, str] = {
    "open": "open",
    "response": "response",
    "type": "type=…",
    "webhook": "webhook=…",
    "step": "step=N",
    "t": "t=SECONDS",
    "request": "METHOD /path",
}


def parse_fault(text: str) -> Fault:
    """The fault that `text` says; RecorderError with the valid list if it says none."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise _wrong(text, f"{error}".lower()) from None
    name, at, place = words[0].partition("@") if words else ("", "", "")
    kind = KINDS.get(name)
    if kind is None:
        raise _wrong(text, f"{name or 'nothing'!r} is no fault; there are {', '.join(KINDS)}")
    if not at:
        raise _wrong(text, f"it does not say where: {name}@ and {_listed(_WRITTEN)}")
    where, rest = _where(text, place, words[1:])
    if where.place not in kind.places:
        raise _wrong(text, f"{name} is applied at {_listed(kind.places)}")
    given = _given(text, rest, {"nth", "p", *kind.options})
    nth, chance = _how_often(text, where, given)
    defaults = kind.options.items()
    options = {key: _option(text, name, key, default, given) for key, default in defaults}
    return Fault(name, where, nth, chance, options, " ".join(text.split()))


def read_plan(text: str, name: str) -> list[Fault]:
    """The faults of a file, one a line; empty lines and those that begin with `#` are remarks."""
    faults: list[Fault] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            faults.append(parse_fault(line))
        except RecorderError as error:
            raise RecorderError(f"{name}, line {number}: {error}") from None
    return faults


def _wrong(text: str, why: str) -> RecorderError:
    return RecorderError(f"fault {' '.join(text.split())!r}: {why}")


def _listed(places: Iterable[Place]) -> str:
    *most, last = (_WRITTEN[place] for place in places)
    return f"{', '.join(most)} or {last}" if most else last


def _where(text: str, place: str, rest: list[str]) -> tuple[Where, list[str]]:
    key, equals, value = place.partition("=")
    if place == "open":
        return Where("open"), rest
    if place == "response":
        return Where("response"), rest
    if key == "type" and value:
        return Where("type", value), rest
    if key == "webhook" and value:
        return Where("webhook", value), rest
    if key == "step" and value.isascii() and value.isdigit() and int(value):
        return Where("step", number=int(value)), rest
    if key == "t" and (seconds := _seconds(value)) is not None:
        return Where("t", number=seconds), rest
    is_method = place == "*" or (place.isalpha() and place.isupper())
    if not equals and is_method and rest and rest[0].startswith(("/", "*")):
        return Where("request", rest[0], place), rest[1:]
    raise _wrong(text, f"{place!r} is no place; give {_listed(_WRITTEN)}")


def _seconds(text: str) -> int | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return round(seconds * 1e9) if 0 <= seconds < 1e9 else None


def _given(text: str, words: Sequence[str], known: set[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in known:
            raise _wrong(text, f"{word!r} is no option of it; there are {', '.join(sorted(known))}")
        if key in given:
            raise _wrong(text, f"{key} is given twice")
        given[key] = value
    return given


def _how_often(text: str, where: Where, given: Mapping[str, str]) -> tuple[int, float]:
    if where.place in _ONCE and ("nth" in given or "p" in given):
        raise _wrong(text, f"{where.place}= is there once: leave nth= and p= out")
    if "nth" in given and "p" in given:
        raise _wrong(text, "give nth= or p=, not both")
    if "p" not in given:
        return (_number(text, "nth", given["nth"]) if "nth" in given else 0), 1.0
    try:
        chance = float(given["p"])
    except ValueError:
        chance = -1.0
    if not 0 <= chance <= 1:
        raise _wrong(text, f"p={given['p']} is no probability: give one from 0 to 1")
    return 0, chance


def _option(
    text: str, name: str, key: str, default: int | str | None, given: Mapping[str, str]
) -> int | str:
    if key not in given:
        if default is None:
            raise _wrong(text, f"{name} needs {key}=, {_LIMITS[key][1]}")
        return default
    if isinstance(default, str):
        if key == "reason" and len(given[key].encode()) > _REASON_BYTES:
            raise _wrong(text, f"reason= is longer than {_REASON_BYTES} bytes (RFC 6455, 5.5)")
        return given[key]
    value = _number(text, key, given[key])
    if key == "code" and value in _UNSENDABLE:
        raise _wrong(text, f"{value} cannot be sent (RFC 6455, 7.4.1); break@… loses a connection")
    return value


def _number(text: str, key: str, given: str) -> int:
    fits, words = _LIMITS[key]
    try:
        value = int(given)
    except ValueError:
        value = -1
    if not fits(value):
        raise _wrong(text, f"{key}={given} is not {words}")
    return value
