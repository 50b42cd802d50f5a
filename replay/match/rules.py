"""A user's rules of what may differ, one a line: `VERB [TYPE:]PATH [ARG]`; see docs/matching.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from typing import Literal, NamedTuple, get_args

from recorder.errors import RecorderError


class Wild(Enum):
    """What stands in a path for other keys."""

    ONE = "*"  # any key or index
    MANY = "**"  # any number of them, also none


Path = tuple[str | int | Wild, ...]
Verb = Literal["ignore", "any", "regex", "approx", "unordered"]
VERBS: tuple[Verb, ...] = get_args(Verb)
GRAMMAR = "VERB [TYPE:]PATH [ARG]"

_STRING = r'"(?:[^"\\]|\\.)*"'
_KEY = r"[^\s.:\[\]\"$#]+"
_TYPE = re.compile(rf'(?:([A-Z]+ /[^\s:]*|[^\s:"$\[#]+)|({_STRING})):')
_BRACKET = rf"\[(?:(\d{{1,9}})|({_STRING})|\*)\]"
_STEP = re.compile(rf"(?:\.({_KEY})|{_BRACKET})")
_FIRST = re.compile(rf"(?:({_KEY})|{_BRACKET})")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_PLAIN_TYPE = re.compile(r"(?:[A-Z]+ /[^\s:]*|[A-Za-z0-9_.-]+)\Z")
_COMMENT = re.compile(rf"((?:{_STRING}|[^\"])*?)(?:^|\s)#.*")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(%?)\Z")


class Rule(NamedTuple):
    """One rule. `type` None is any type; `source` tells where it was written: `rules.txt:3`."""

    verb: Verb
    type: str | None
    path: Path
    argument: str = ""
    is_forced: bool = False
    source: str = ""

    def __str__(self) -> str:
        """The rule as it is written."""
        forced = "!" if self.is_forced else ""
        argument = f" {self.argument}" if self.argument else ""
        return f"{forced}{self.verb} {self.place}{argument}"

    @property
    def place(self) -> str:
        """`TYPE:PATH`."""
        if self.type is None:
            return written(self.path)
        plain = _PLAIN_TYPE.match(self.type)
        return f"{self.type if plain else json.dumps(self.type)}:{written(self.path)}"


def written(path: Path) -> str:
    """A path as rules have it: `$.item.content[0]["a key"]`."""
    return "$" + "".join(_step(key) for key in path)


def _step(key: str | int | Wild) -> str:
    if isinstance(key, Wild):
        return f".{key.value}"
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _PLAIN_KEY.match(key) else f"[{json.dumps(key)}]"


def parse_rules(lines: Iterable[str], source: str) -> tuple[Rule, ...]:
    """The rules of `lines`; empty ones and comments (from a `#` at the beginning, or after a space
    and outside of quotes) are left out. RecorderError, with the line and a remedy, for what is no
    rule. `source` is a file's name, or what else the lines come from."""
    found: list[Rule] = []
    for number, line in enumerate(lines, 1):
        commented = _COMMENT.match(line)
        text = (commented[1] if commented else line).strip()
        if text:
            found.append(_parse(text, f"{source}:{number}"))
    return tuple(found)


def parse_rule(text: str, source: str) -> Rule:
    """One rule, as from a command line."""
    if not text.strip():
        raise RecorderError(f"{source}: there is no rule; write {GRAMMAR}")
    return _parse(text.strip(), source)


def _parse(text: str, source: str) -> Rule:
    word, _, rest = text.partition(" ")
    is_forced, name = word.startswith("!"), word.removeprefix("!")
    verb = next((each for each in VERBS if each == name), None)
    if verb is None:
        known = ", ".join(VERBS)
        raise RecorderError(f"{source}: {name!r} is no verb: begin the rule with one of {known}")
    if is_forced and verb not in ("ignore", "any"):
        raise RecorderError(f"{source}: only ignore and any can be forced: write {verb} without !")
    type_, rest = _type(rest.strip(), source)
    path, rest = _path(rest, source)
    argument = rest.strip()
    _check(verb, argument, source)
    return Rule(verb, type_, path, argument, is_forced, source)


def _type(text: str, source: str) -> tuple[str | None, str]:
    found = _TYPE.match(text)
    if found is None:
        return None, text
    return found[1] or _string(found[2], source), text[found.end() :]


def _path(text: str, source: str) -> tuple[Path, str]:
    """The path at the beginning of `text`, and what follows it."""
    rest = text.removeprefix("$")
    is_root = rest != text
    path: list[str | int | Wild] = []
    while found := (_STEP if path or is_root else _FIRST).match(rest):
        key, index, quoted = found.groups()
        path.append(_key(key) if key else int(index) if index else _star(quoted, source))
        rest = rest[found.end() :]
    if (rest and not rest[0].isspace()) or (not path and not is_root):
        raise RecorderError(
            f"{source}: {text.split(' ')[0]!r} is no path: write it as $.item.content[0].text, "
            'with * for any key, ** for any number of them, and ["…"] around an unusual key'
        )
    return tuple(path), rest


def _key(text: str) -> str | Wild:
    return Wild(text) if text in ("*", "**") else text


def _star(quoted: str | None, source: str) -> str | Wild:
    return _string(quoted, source) if quoted else Wild.ONE


def _string(text: str, source: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        raise RecorderError(f"{source}: {text} is no JSON string: escape it as JSON does") from None
    return str(found)


def _check(verb: Verb, argument: str, source: str) -> None:
    """Whether the argument is what the verb needs."""
    if verb == "regex":
        if not argument:
            raise RecorderError(f"{source}: regex needs an expression after the path")
        try:
            pattern(argument)
        except (re.error, ValueError) as error:
            raise RecorderError(
                f"{source}: {argument!r} is no regular expression ({error}): correct it"
            ) from None
    elif verb == "approx":
        if not _PERCENT.match(argument):
            raise RecorderError(
                f"{source}: approx needs how far a number may be off: 0.05, or 5% of the tape's"
            )
    elif argument:
        raise RecorderError(f"{source}: {verb} takes nothing after the path: remove {argument!r}")


def pattern(argument: str) -> re.Pattern[str]:
    """The expression of a `regex` rule, which may stand in quotes as a JSON string.
    re.error or ValueError if it is none."""
    is_quoted = len(argument) > 1 and argument[0] == argument[-1] == '"'
    return re.compile(json.loads(argument) if is_quoted else argument, re.S)


def tolerance(argument: str) -> tuple[Decimal, bool]:
    """How far a number may be off by an `approx` rule, and whether that is a share (of 1) of the
    tape's."""
    found = _PERCENT.match(argument)
    assert found, f"{argument!r} was accepted as a tolerance"
    number = Decimal(found[1])
    return (number / 100, True) if found[2] else (number, False)
