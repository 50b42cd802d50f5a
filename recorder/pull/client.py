"""Asking a REST API: paced, patient with what passes, and clear about what does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from recorder.capture.importers.exchange import Exchange
from recorder.clock import Clock
from recorder.errors import RecorderError
from recorder.heads import Headers, RequestHead, ResponseHead, header
from recorder.pull.pacing import Pacer

_TRIES = 8  # waits of about 90 s in all; Vapi has been seen to refuse for 21 s
_BROKEN_TRIES = 4
_PATIENCE_S = 600.0
_BODY_BYTES = 1 << 30
_HOPS = 5
_PASSING = frozenset({408, 425, 429})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"accept": "*/*", "accept-encoding": "gzip, deflate"}


class Refused(RecorderError):
    """The answer is an error that asking again would not mend."""

    def __init__(self, name: str, status: int, said: str) -> None:
        self.status = status
        remedy = ": see that the key is a private key of this account" if status == 401 else ""
        told = f" ({said})" if said else ""
        super().__init__(f"{name} is answered with {status}{told}{remedy}")


class Unanswered(RecorderError):
    """No answer was to be had, however often it was asked for."""


class Api:
    """A REST API at `base` (with a path prefix or without), with a bearer key.

    `requests` counts all that were sent, those sent again too; `waits` those that had to be.
    """

    def __init__(self, http: httpx.Client, base: str, key: str, clock: Clock, pacer: Pacer) -> None:
        self.requests = 0
        self.waits = 0
        self._http, self._clock, self._pacer = http, clock, pacer
        self._base = base.rstrip("/")
        self._prefix = urlsplit(self._base).path
        self._key = {"authorization": f"Bearer {key}"}

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Exchange:
        """GET; Refused or Unanswered if there is no answer of 2xx."""
        url = httpx.URL(self._base + path, params=query or None)
        return self._settled(self._request("GET", url, self._key))

    def post(self, path: str, body: object) -> Exchange:
        """POST of JSON, likewise. It is sent again as a GET is: for what changes nothing."""
        content = json.dumps(body, separators=(",", ":")).encode()
        headers = {**self._key, "content-type": "application/json"}
        url = httpx.URL(self._base + path)
        return self._settled(self._request("POST", url, headers, content))

    def follow(self, path: str) -> list[Exchange]:
        """GET, and where redirects lead, without the key: a storage refuses a signed URL that
        comes with another one, and no other host may see it."""
        url = httpx.URL(self._base + path)
        chain = [self._settled(self._request("GET", url, self._key))]
        while chain[-1].response and chain[-1].response.status in _REDIRECTS:
            name = f"GET {path}"
            place = header(chain[-1].response.headers, "location")
            if place is None or len(chain) > _HOPS:
                raise Refused(name, chain[-1].response.status, "a redirect that leads nowhere")
            url = _joined(url, place, name)
            chain.append(self._settled(self._request("GET", url, {})))
        return chain

    def _request(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], content: bytes = b""
    ) -> httpx.Request:
        return self._http.build_request(
            method, url, headers={**_HEADERS, **headers}, content=content or None
        )

    def _settled(self, request: httpx.Request) -> Exchange:
        """The answer, asked for again while it is 429, 5xx or a connection that breaks."""
        name = f"{request.method} {self._path(request.url)}"
        failures = 0
        while True:
            self._pacer.turn()
            self.requests += 1
            told_s: float | None = None
            try:
                exchange = self._exchange(request)
            except httpx.RequestError as error:
                failures += 1
                if failures >= _BROKEN_TRIES:
                    raise Unanswered(
                        f"{name} has no answer after {failures} tries: {_reason(error)}; see that "
                        f"{request.url.host} can be reached, then pull again: what came is kept"
                    ) from None
            else:
                assert exchange.response
                status = exchange.response.status
                if status not in _PASSING and status < 500:
                    if status >= 400:
                        raise Refused(name, status, _said(exchange.received))
                    return exchange
                failures += 1
                told_s = self._told(exchange.response.headers)
                if failures >= _TRIES or (told_s or 0) > _PATIENCE_S:
                    later = f"in {told_s:.0f} s" if told_s else "later"
                    raise Unanswered(
                        f"{name} is still answered with {status} at try {failures}: pull again "
                        f"{later}, what came is kept"
                    )
            self.waits += 1
            self._pacer.back_off(failures, told_s)

    def _told(self, headers: Headers) -> float | None:
        return self._pacer.retry_after_s(header(headers, "retry-after"))

    def _exchange(self, request: httpx.Request) -> Exchange:
        """Send a request once and read its answer to the end, unpacked."""
        asked = self._clock.now_ns()
        response = self._http.send(request, stream=True)
        try:
            answered = self._clock.now_ns() - asked
            received = _read(response)
        finally:
            response.close()
        head = RequestHead(
            request.method,
            self._path(request.url),
            request.url.query.decode("ascii"),
            _pairs(request.headers),
        )
        return Exchange(
            head,
            request.content,
            ResponseHead(response.status_code, response.reason_phrase, _pairs(response.headers)),
            received,
            asked,
            asked + answered,
            self._clock.now_ns(),
        )

    def _path(self, url: httpx.URL) -> str:
        """The path as the API has it, without the prefix of `base`."""
        path = url.raw_path.partition(b"?")[0].decode("ascii")
        own = str(url).startswith(self._base + "/")
        return path.removeprefix(self._prefix) if own else path


def _read(response: httpx.Response) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for piece in response.iter_bytes():
        size += len(piece)
        if size > _BODY_BYTES:
            raise Refused(
                f"{response.request.method} {response.request.url.path}",
                response.status_code,
                f"and more than {_BODY_BYTES >> 20} MiB, which is not taken",
            )
        pieces.append(piece)
    return b"".join(pieces)


def _joined(base: httpx.URL, place: str, name: str) -> httpx.URL:
    try:
        url = httpx.URL(urljoin(str(base), place))
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise Refused(name, 302, "a redirect to what is no URL")
    return url


def _said(body: bytes) -> str:
    """What an error says: NestJS has a message or a list of them; else the beginning as text."""
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        text = body[:120].decode("utf-8", "replace")
    else:
        message = told.get("message") if isinstance(told, dict) else None
        text = "; ".join(map(str, message)) if isinstance(message, list) else str(message or "")
    return "".join(char if char.isprintable() else " " for char in text).strip()


def _reason(error: httpx.RequestError) -> str:
    return str(error) or type(error).__name__


def _pairs(headers: httpx.Headers) -> Headers:
    return tuple(
        (name.decode("latin-1"), value.decode("utf-8", "backslashreplace"))
        for name, value in headers.raw
    )
