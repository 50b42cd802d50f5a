"""Checks of request bodies that word their complaints as the service does.

The service lists all that is wrong at once: `property X should not exist`,
`assistant.property Y should not exist`, `stopSpeakingPlan.voiceSeconds must not be greater than
0.5`. A null is always accepted where a property may be absent.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from replay.simulators.vapi.errors import Json, Refusal

_ADDRESS = re.compile(r"https?://[!-~]+")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_LINE = re.compile(r"[ -~]*")


class Check(Protocol):
    """Adds to `problems` what is wrong with a value called `name` inside `parent`."""

    def __call__(self, value: Any, parent: str, name: str, problems: list[str]) -> None: ...


def _complain(problems: list[str], parent: str, text: str) -> None:
    problems.append(f"{parent}.{text}" if parent else text)


def anything(value: Any, parent: str, name: str, problems: list[str]) -> None:
    """Any value."""


def string(longest: int | None = None) -> Check:
    """Text of at most `longest` characters."""

    def check(value: Any, parent: str, name: str, problems: list[str]) -> None:
        if not isinstance(value, str):
            _complain(problems, parent, f"{name} must be a string")
        elif longest is not None and len(value) > longest:
            text = f"{name} must be shorter than or equal to {longest} characters"
            _complain(problems, parent, text)

    return check


def identifier(value: Any, parent: str, name: str, problems: list[str]) -> None:
    """A UUID."""
    try:
        uuid.UUID(value)
    except (ValueError, TypeError, AttributeError):
        _complain(problems, parent, f"{name} must be a UUID")


def address(value: Any, parent: str, name: str, problems: list[str]) -> None:
    """The URL of a server."""
    if not isinstance(value, str):
        _complain(problems, parent, f"{name} must be a string")
    elif not _ADDRESS.fullmatch(value):
        _complain(problems, parent, f"{name} must be a URL address")


def headers(value: Any, parent: str, name: str, problems: list[str]) -> None:
    """An object of HTTP headers."""
    if not isinstance(value, dict):
        _complain(problems, parent, f"{name} must be an object")
    elif not all(_is_header(key, text) for key, text in value.items()):
        _complain(problems, parent, f"{name} must be an object of valid HTTP headers")


def token(value: Any, parent: str, name: str, problems: list[str]) -> None:
    """The name of an HTTP header."""
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        _complain(problems, parent, f"{name} must be a valid header name")


def line(value: Any, parent: str, name: str, problems: list[str]) -> None:
    """What may stand in an HTTP header."""
    if not isinstance(value, str):
        _complain(problems, parent, f"{name} must be a string")
    elif not _LINE.fullmatch(value):
        _complain(problems, parent, f"{name} must be printable ASCII")


def _is_header(name: str, text: Any) -> bool:
    return bool(_TOKEN.fullmatch(name)) and isinstance(text, str) and bool(_LINE.fullmatch(text))


def flag(value: Any, parent: str, name: str, problems: list[str]) -> None:
    """True or false."""
    if not isinstance(value, bool):
        _complain(problems, parent, f"{name} must be a boolean value")


def number(low: float | None = None, high: float | None = None) -> Check:
    """A number within bounds."""

    def check(value: Any, parent: str, name: str, problems: list[str]) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            text = f"{name} must be a number conforming to the specified constraints"
            _complain(problems, parent, text)
            return
        if low is not None and value < low:
            _complain(problems, parent, f"{name} must not be less than {low:g}")
        if high is not None and value > high:
            _complain(problems, parent, f"{name} must not be greater than {high:g}")

    return check


def choice(*values: str) -> Check:
    """One of these."""

    def check(value: Any, parent: str, name: str, problems: list[str]) -> None:
        if value not in values:
            text = f"{name} must be one of the following values: {', '.join(values)}"
            _complain(problems, parent, text)

    return check


def choices(values: Collection[str]) -> Check:
    """A list of some of these."""

    def check(value: Any, parent: str, name: str, problems: list[str]) -> None:
        if not isinstance(value, list):
            _complain(problems, parent, f"{name} must be an array")
        elif any(one not in values for one in value):
            listed = ", ".join(values)
            text = f"each value in {name} must be one of the following values: {listed}"
            _complain(problems, parent, text)

    return check


def listing(inner: Check) -> Check:
    """A list whose members pass `inner`, each called by its index."""

    def check(value: Any, parent: str, name: str, problems: list[str]) -> None:
        if not isinstance(value, list):
            _complain(problems, parent, f"{name} must be an array")
            return
        inside = f"{parent}.{name}" if parent else name
        for index, one in enumerate(value):
            inner(one, inside, str(index), problems)

    return check


def record(
    fields: Mapping[str, Check], required: Sequence[str] = (), *, is_open: bool = False
) -> Check:
    """An object with these properties and, unless `is_open`, no others."""

    def check(value: Any, parent: str, name: str, problems: list[str]) -> None:
        if not isinstance(value, dict):
            _complain(problems, parent, f"{name} must be an object")
            return
        inside = ".".join(filter(None, (parent, name)))
        for key, one in value.items():
            if key in fields:
                if one is not None or key in required:
                    fields[key](one, inside, key, problems)
            elif not is_open:
                _complain(problems, inside, f"property {key} should not exist")
        for key in required:
            if key not in value:
                fields[key](None, inside, key, problems)

    return check


def checked(shape: Check, body: Any) -> Json:
    """The body of a request that fits; Refusal with all that is wrong otherwise."""
    if not isinstance(body, dict):
        raise Refusal(400, "The body must be a JSON object.")
    problems: list[str] = []
    shape(body, "", "", problems)
    if problems:
        raise Refusal(400, problems)
    return body
