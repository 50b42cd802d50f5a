"""Where the secrets of a text are: by name, by shape, and by known value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from recorder.redact import shapes
from recorder.redact.names import is_secret_field, is_secret_header, is_secret_query
from recorder.redact.personal import Places
from recorder.redact.secrets import MARKER, Secrets, mark, to_bytes
from recorder.redact.sieve import Sieve
from recorder.redact.views import Found, plain, unescaped, unquoted
from recorder.redact.walk import Text, is_json, place, strings

_DEEPEST = 5  # JSON in a JSON string, escaped or percent-encoded text inside each other
_ROUNDS = 8
_MOST = 2000  # secrets in one text; a text with more is one secret as a whole
_REMEMBERED = 1 << 20  # bytes of the last text that was searched, kept with what was found
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{256,}={0,2}")
_WORD = re.compile(rb"[A-Za-z]{1,19}")  # too short and too plain for any shape
_MARKERS = re.compile(rb"(?:\s*" + MARKER.pattern + rb")+\s*")
_SCHEME = re.compile(rb"(?i:bearer|basic|token|digest|apikey)[ \t]+(?=\S)")
_FORM = re.compile(rb"[^\s=&?/#]+=[^\s&]*(?:&[^\s=&?/#]+=[^\s&]*)*\s*")
_FORM_PAIR = re.compile(rb"([^\s=&]+)=([^\s&]+)")
_QUOTED = re.compile(
    rb"([\"'])([A-Za-z][A-Za-z0-9_.-]{1,63})\1\s*[:=]\s*([\"'])"
    rb"((?:[^\"'\\\r\n]|\\.|(?!\3)[\"'])*)"
)
_ASSIGNED = re.compile(
    rb"(?<![A-Za-z0-9_.-])([A-Za-z][A-Za-z0-9_.-]{1,63})="
    rb"((?i:(?:basic|bearer|digest|token)[ \t]+)?[^\s&\"'\\<>;,)=][^\s&\"'\\<>;,)]*)"
)
_HEADER_LINE = re.compile(rb"(?m)^([A-Za-z][A-Za-z0-9-]{2,40}):[ \t]*([^\s\"\\][^\r\n\"\\]*)")
_PART = re.compile(rb"(?i:content-disposition):([^\r\n]*)")
_PART_NAME = re.compile(rb"[; ]name=\"?([^\";\r\n]+)")
_PART_HEADERS = re.compile(rb"(?:\r?\n[^\r\n]+){0,20}+\r?\n\r?\n")
_LOGPROB = re.compile(rb"[\"']\s*,\s*[\"'](?:logprob|bytes)\b")
_JSON_LINE = re.compile(rb"(?m)^(?:data:[ \t]*)?([{\[][^\r\n]*[}\]])[ \t]*\r?$")


class Finder:
    """Finds secrets, and what stands in `places`. All offsets are of the bytes that are given.
    Safe to use from any thread."""

    def __init__(self, secrets: Secrets, sieve: Sieve, places: Places | None = None) -> None:
        self._places = places
        self._last: tuple[bytes, Sequence[Found]] = (b"", ())
        self._secrets = secrets
        self._is_hinted = sieve.is_hinted
        known = [to_bytes(value) for value in secrets.known if value]
        self._known = re.compile(b"|".join(map(re.escape, known))) if known else None

    def find(self, raw: bytes) -> Sequence[Found]:
        """The secrets of a message, without overlaps, in order. What was searched last is not
        searched again: a text is looked at once more when its secrets are out."""
        last, founds = self._last
        if raw != last:
            founds = merged(self._scan(raw, 0))
            if len(raw) <= _REMEMBERED:
                self._last = raw, founds
        return founds

    def replace(self, raw: bytes, founds: Sequence[Found]) -> bytes:
        """`raw` with a marker in the place of each of `founds` (in order, without overlaps).

        A marker is a border, which may show another secret beside it, so the result is looked at
        again until nothing is found.
        """
        for _ in range(_ROUNDS):
            if not founds:
                break
            raw = self._marked(raw, founds)
            founds = self.find(raw)
        return raw

    def _marked(self, raw: bytes, founds: Iterable[Found]) -> bytes:
        pieces: list[bytes] = []
        done = 0
        for start, end, value, _ in founds:
            pieces += (raw[done:start], mark(self._secrets, value))
            done = end
        return b"".join((*pieces, raw[done:]))

    def _scan(self, raw: bytes, depth: int) -> list[Found]:
        if raw.lstrip()[:1] not in (b"{", b"["):
            return self._text(raw, depth)
        founds = [] if is_json(raw) else self._text(raw, depth)
        if founds and founds[0][:2] == (0, len(raw)):
            return founds
        founds += [found for each in strings(raw) for found in self._value(raw, *each, depth)]
        return founds

    def _value(self, raw: bytes, is_name: bool, text: Text, depth: int) -> list[Found]:
        start, end, path, secret = text
        if self._places and not is_name and path in self._places:
            return _personal(raw, start, end)
        view = unescaped(raw[start:end])
        if secret is not None:
            return view.raw(by_name(view.text), start, secret)
        look = self._scan if depth < _DEEPEST else self._text
        founds = look(view.text, depth + 1)
        if path == ("query",):
            founds += _bounded(_form(view.text), view.text)
        return view.raw(founds, start, place(path)) if founds else []

    def _text(self, raw: bytes, depth: int) -> list[Found]:
        if not self._is_hinted(raw) and not (self._places and self._places.is_hinted(raw)):
            return []
        founds = self._by_value(raw) if _WORD.fullmatch(raw) else self._each(raw, depth)
        return _bounded(founds, raw)

    def _each(self, raw: bytes, depth: int) -> Iterator[Found]:
        """All secrets of a text, one way to find them after the other."""
        yield from self._local(raw)
        if _BASE64.fullmatch(raw):
            return
        yield from self._named(raw)
        if depth >= _DEEPEST:
            return
        if b"\\" in raw:
            view = unescaped(raw)
            yield from view.raw(self._text(view.text, depth + 1))
        if b"%" in raw:
            view = unquoted(raw)
            plainly = chain(self._local(view.text), self._named(view.text))
            yield from view.raw(_bounded(plainly, view.text))
        if _FORM.fullmatch(raw):
            yield from _form(raw)
        if b"name=" in raw:
            yield from self._parts(raw, depth)
        for match in _JSON_LINE.finditer(raw):
            if is_json(match[1]):
                line = self._scan(match[1], depth + 1)
                yield from plain(match[1]).raw(line, match.start(1))

    def _local(self, text: bytes) -> Iterator[Found]:
        """By known value and by shape, which need nothing around them."""
        yield from self._by_value(text)
        if not _BASE64.fullmatch(text):
            for start, end in shapes.whole(text):
                yield Found(start, end, text[start:end])
            for start, end in shapes.numbers(text) if self._secrets.personal else ():
                yield Found(start, end, b"")

    def _by_value(self, text: bytes) -> Iterator[Found]:
        if self._known is not None:
            for match in self._known.finditer(text):
                yield Found(*match.span(), match[0])

    def _named(self, text: bytes) -> Iterator[Found]:
        """What stands behind a name in free text, or in a part of a JSON text."""
        yield from _named(text)
        names = self._places.names if self._places else ()
        for match in _QUOTED.finditer(text) if names else ():
            if match[2].decode() in names:
                yield from _personal(text, *match.span(4))

    def _parts(self, raw: bytes, depth: int) -> Iterator[Found]:
        """What stands in the parts of a multipart body (RFC 7578)."""
        at = 0
        while (line := _PART.search(raw, at)) is not None:
            at = line.end()
            name = _PART_NAME.search(line[1])
            headers = _PART_HEADERS.match(raw, at)
            if name is None or headers is None:
                continue
            start = headers.end()
            end = raw.find(b"\n--", start)
            at = end if end >= 0 else len(raw)
            content = raw[start:at]
            secret = is_secret_query(_name(name[1]))
            founds = by_name(content) if secret else self._scan(content, depth + 1)
            yield from plain(content).raw(founds, start)


def _personal(raw: bytes, start: int, end: int) -> list[Found]:
    """`raw[start:end]` as a whole, without a value that a mark could be made of."""
    return [] if _MARKERS.fullmatch(raw, start, end) else [Found(start, end, b"")]


def _bounded(founds: Iterable[Found], text: bytes) -> list[Found]:
    """`founds` in `text`, or all of it where there are too many to look at one by one."""
    few = list(islice(founds, _MOST + 1))
    return few if len(few) <= _MOST else [Found(0, len(text), b"")]


def merged(founds: Iterable[Found]) -> list[Found]:
    """In order and without overlaps; markers that stand already are left alone."""
    kept: list[Found] = []
    for found in sorted(founds, key=lambda each: (each.start, -each.end, len(each.value))):
        start, end, value, where = found
        if start >= end or (value and _MARKERS.fullmatch(value)):
            continue
        last = kept[-1] if kept else None
        if last is None or start >= last.end:
            kept.append(found)
        elif end > last.end:
            both = last.value + value if last.value and value else b""
            kept[-1] = Found(last.start, end, both, last.where or where)
    return kept


def by_name(text: bytes) -> list[Found]:
    """All of a value whose name says that it is secret, without the scheme it begins with."""
    scheme = _SCHEME.match(text)
    start = scheme.end() if scheme else 0
    end = len(text.rstrip())
    return [Found(start, end, text[start:end])] if start < end else []


def header(name: str, value: bytes) -> list[Found]:
    """The secret in a header of this name, if the name says that there is one."""
    return by_name(value) if is_secret_header(name) else []


def _name(raw: bytes) -> str:
    return unquoted(raw).text.decode("utf-8", "replace")


def _form(text: bytes) -> Iterator[Found]:
    """Parameters of a query or a form, by name."""
    for pair in _FORM_PAIR.finditer(text):
        if is_secret_query(_name(pair[1])):
            view = unquoted(pair[2])
            yield from view.raw(by_name(view.text), pair.start(2))


def _named(text: bytes) -> Iterator[Found]:
    """What stands behind a secret's name in free text: fields, assignments, header lines."""
    for match in _QUOTED.finditer(text):
        if is_secret_field(_name(match[2])) and not _LOGPROB.match(text, match.end()):
            yield from plain(match[4]).raw(by_name(match[4]), match.start(4))
    for match in _ASSIGNED.finditer(text) if b"=" in text else ():
        in_query = text[max(match.start() - 1, 0) : match.start()] in (b"?", b"&")
        if (is_secret_query if in_query else is_secret_field)(_name(match[1])):
            view = unquoted(match[2].partition(b"#")[0] if in_query else match[2])
            yield from view.raw(by_name(view.text), match.start(2))
    for match in _HEADER_LINE.finditer(text):
        name = _name(match[1])
        if "-" in name or name.lower() in ("authorization", "cookie"):
            yield from plain(match[2]).raw(header(name, match[2]), match.start(2))
