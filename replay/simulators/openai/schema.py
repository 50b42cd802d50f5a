"""Checks of client JSON that answer with the platform's own error codes.

A `Check` takes a value and its dotted path and raises `ClientError`; checks are built from the
functions below. The codes are `invalid_type`, `invalid_value`, `missing_required_parameter`,
`unknown_parameter`, `string_above_max_length`, `array_above_max_length` and
`integer_`/`decimal_` `above_max_value`/`below_min_value`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from replay.simulators.openai.errors import ClientError

Check = Callable[[object, str], None]

_NAMES = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def _wrong_type(value: object, path: str, wanted: str) -> ClientError:
    got = _NAMES.get(type(value), "something else")
    return ClientError(
        f"Invalid type for '{path}': expected {wanted}, but got {got} instead.",
        "invalid_type",
        path,
    )


def anything(value: object, path: str) -> None:
    """Accepts every value."""


def boolean(value: object, path: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise _wrong_type(value, path, "a boolean")


def string(limit: int | None = None) -> Check:
    """A string of at most `limit` characters."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise _wrong_type(value, path, "a string")
        if limit is not None and len(value) > limit:
            raise ClientError(
                f"Invalid '{path}': string too long. Expected a string with maximum length "
                f"{limit}, but got a string with length {len(value)} instead.",
                "string_above_max_length",
                path,
            )

    return check


def number(low: float, high: float, whole: bool = False) -> Check:
    """A number between `low` and `high`; an integer if `whole`."""
    name = "integer" if whole else "decimal"

    def check(value: object, path: str) -> None:
        kinds = (int,) if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise _wrong_type(value, path, f"{'an' if whole else 'a'} {name}")
        if value > high:
            raise _outside(name, "above", "maximum", "<=", high, value, path)
        if value < low:
            raise _outside(name, "below", "minimum", ">=", low, value, path)

    return check


def _outside(
    name: str, side: str, bound: str, sign: str, limit: float, value: float, path: str
) -> ClientError:
    return ClientError(
        f"Invalid '{path}': {name} {side} {bound} value. Expected a value {sign} {limit}, "
        f"but got {value} instead.",
        f"{name}_{side}_{bound[:3]}_value",
        path,
    )


def choice(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise _wrong_type(value, path, "a string")
        if value not in allowed:
            raise _not_supported(value, allowed, path)

    return check


def _not_supported(value: str, allowed: tuple[str, ...], path: str) -> ClientError:
    quoted = [f"'{word}'" for word in allowed]
    listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
    return ClientError(
        f"Invalid value: '{value}'. Supported values are: {listed}.", "invalid_value", path
    )


def nullable(check: Check) -> Check:
    """Null, or what `check` accepts."""

    def checked(value: object, path: str) -> None:
        if value is not None:
            check(value, path)

    return checked


def word_or(word: str, check: Check) -> Check:
    """The string `word`, or what `check` accepts."""

    def checked(value: object, path: str) -> None:
        if value != word:
            check(value, path)

    return checked


def by_type(cases: Mapping[type, Check], wanted: str) -> Check:
    """What the check for the value's JSON type accepts."""

    def checked(value: object, path: str) -> None:
        check = cases.get(type(value))
        if check is None:
            raise _wrong_type(value, path, wanted)
        check(value, path)

    return checked


def array(check: Check, limit: int | None = None, least: int = 0) -> Check:
    """An array of `least` to `limit` elements that `check` accepts."""

    def checked(value: object, path: str) -> None:
        if not isinstance(value, list):
            raise _wrong_type(value, path, "an array")
        if limit is not None and len(value) > limit:
            raise _wrong_length("long", "maximum", "above_max", limit, len(value), path)
        if len(value) < least:
            raise _wrong_length("short", "minimum", "below_min", least, len(value), path)
        for index, element in enumerate(value):
            check(element, f"{path}[{index}]")

    return checked


def _wrong_length(
    size: str, bound: str, code: str, limit: int, count: int, path: str
) -> ClientError:
    return ClientError(
        f"Invalid '{path}': array too {size}. Expected an array with {bound} length {limit}, "
        f"but got an array with length {count} instead.",
        f"array_{code}_length",
        path,
    )


def record(
    fields: Mapping[str, Check], required: tuple[str, ...] = (), closed: bool = True
) -> Check:
    """An object of known fields; unknown ones are refused unless it is not `closed`."""

    def checked(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        for name in required:
            if name not in value:
                raise _missing(f"{path}.{name}" if path else name)
        for name, element in value.items():
            inner = f"{path}.{name}" if path else name
            if name in fields:
                fields[name](element, inner)
            elif closed:
                raise ClientError(f"Unknown parameter: '{inner}'.", "unknown_parameter", inner)

    return checked


def _missing(path: str) -> ClientError:
    return ClientError(f"Missing required parameter: '{path}'.", "missing_required_parameter", path)


def tagged(cases: Mapping[str, Check], tag: str = "type") -> Check:
    """An object whose `tag` names the check for the whole of it."""
    allowed = tuple(cases)

    def checked(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        if tag not in value:
            raise _missing(f"{path}.{tag}")
        choice(*allowed)(value[tag], f"{path}.{tag}")
        cases[value[tag]](value, path)

    return checked


def mapping(check: Check) -> Check:
    """An object of any names whose values `check` accepts."""

    def checked(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        for name, element in value.items():
            check(element, f"{path}.{name}")

    return checked


def pairs(count: int, key_limit: int, value_limit: int) -> Check:
    """An object of strings, at most `count` of them, as metadata is."""

    def checked(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        if len(value) > count:
            raise ClientError(
                f"Invalid '{path}': too many properties. Expected an object with at most "
                f"{count} properties, but got {len(value)} instead.",
                "object_above_max_properties",
                path,
            )
        for key, text in value.items():
            string(key_limit)(key, f"{path}.{key}")
            string(value_limit)(text, f"{path}.{key}")

    return checked
