"""Does a client's message say what the recorded one said?

Compared is the JSON by structure: keys in any order, numbers by value, null as absent (except
where the rules say that it clears something). A secret that was redacted on the tape stands for
any text. Ids that the client of the tape minted are bound to those the live client mints; ids
that the provider minted must come back as they were sent.
"""

from __future__ import annotations

from collections.abc import Callable, Set

from replay.match.comparison import Comparison, Difference
from replay.match.ids import Bindings
from replay.match.jsontext import Json, parse, shown
from replay.match.rulebook import Rulebook, value_at
from replay.match.rules import Rule

__all__ = ["Difference", "Matcher"]


def _as_it_is(text: str) -> str:
    return text


class Matcher:
    """Compares client messages; holds the ids bound so far.

    `minted` are the ids that the client of the tape made. `redact` takes the secrets out of a JSON
    text, as they were taken out of the tape: what does not fit as it came is compared without
    them, and so is whatever is told of it.
    """

    def __init__(
        self, book: Rulebook, minted: Set[str], redact: Callable[[str], str] = _as_it_is
    ) -> None:
        self.book = book
        self.bindings = Bindings()
        self._minted, self._redact = minted, redact
        self._used: set[Rule] = set()
        self._redacted: tuple[Json, Json] = (None, None)  # the last value, and without secrets

    def match(self, type_: str, expected: bytes, got: bytes) -> Difference | None:
        """None if `got` fits `expected`, and its ids are then bound; else the first difference."""
        return self._judge(type_, expected, got, keeps=True)

    def difference(self, type_: str, expected: bytes, got: bytes) -> Difference | None:
        """As `match`, without binding anything."""
        return self._judge(type_, expected, got, keeps=False)

    def match_values(self, type_: str, expected: Json, got: Json) -> Difference | None:
        """As `match`, for JSON that is parsed already."""
        return self._judge_values(type_, expected, got, keeps=True)

    def unused(self) -> list[Rule]:
        """The user's rules that held nowhere in what was matched; of equal ones each counts for
        all."""
        held = {str(rule) for rule in self._used}
        return [rule for rule in self.book.own if str(rule) not in held]

    def type_of(self, body: bytes) -> str:
        """The `type` of a message, or ``""``."""
        return _text_at(body, "type") or ""

    def event_id(self, body: bytes) -> str | None:
        """The id that the client gave its message, for an error to refer to."""
        return _text_at(body, "event_id")

    def _judge(self, type_: str, expected: bytes, got: bytes, keeps: bool) -> Difference | None:
        if expected == got and not (
            self.bindings.renamed or self._minted or self.book.governs(type_)
        ):
            return None
        try:
            want = parse(expected)
        except ValueError:
            return _bytes_differ(expected, self._clean(got)) if expected != got else None
        try:
            have = parse(got)
        except ValueError as error:
            return Difference("$", "JSON", f"{self._clean(got)[:80]!r} ({error})")
        return self._judge_values(type_, want, have, keeps)

    def _judge_values(self, type_: str, want: Json, got: Json, keeps: bool) -> Difference | None:
        found = self._compare(type_, want, got, keeps)
        if found is None:
            return None
        clean = self._without_secrets(got)
        return found if clean is got else self._compare(type_, want, clean, keeps)

    def _without_secrets(self, value: Json) -> Json:
        """`value` without its secrets; `value` itself if it has none."""
        last, clean = self._redacted
        if last is not value:
            text = shown(value)
            redacted = self._redact(text)
            clean = value if redacted == text else _read(redacted)
            self._redacted = (value, clean)
        return clean

    def _compare(self, type_: str, want: Json, got: Json, keeps: bool) -> Difference | None:
        comparison = Comparison(type_, self.bindings, self._minted)
        found = comparison.run(self.book.root(type_), want, got)
        if found is None and keeps:
            self.bindings = comparison.bindings
            self._used |= comparison.used
        return found

    def _clean(self, body: bytes) -> bytes:
        return self._redact(body.decode("utf-8", "surrogateescape")).encode(
            "utf-8", "surrogateescape"
        )


def _read(text: str) -> Json:
    """The JSON that is left of a text without its secrets; the text itself if that is none."""
    try:
        return parse(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return text


def _text_at(body: bytes, key: str) -> str | None:
    try:
        found = value_at(parse(body), key)
    except ValueError:
        return None
    return found if type(found) is str else None


def _bytes_differ(expected: bytes, got: bytes) -> Difference | None:
    if expected == got:
        return None
    at = next(
        (at for at, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b),
        min(len(expected), len(got)),
    )
    start = max(0, at - 20)
    want, have = (repr(body[start : at + 40]) for body in (expected, got))
    return Difference(f"byte {at}", want, have)
