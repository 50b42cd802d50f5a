"""Answers of the HTTP side, and refusals in the words of the service."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, NamedTuple

from recorder.heads import Headers, ResponseHead

Json = dict[str, Any]
JSON_TYPE = ("content-type", "application/json; charset=utf-8")


class Answer(NamedTuple):
    """An HTTP response; status 0 is a connection that breaks without one."""

    status: int
    body: bytes = b""
    headers: Headers = ()

    def head(self) -> ResponseHead:
        """The head with the reason phrase of the status."""
        return ResponseHead(self.status, HTTPStatus(self.status).phrase, self.headers)


def encode(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def answer(value: Any, status: int = 200) -> Answer:
    """A JSON body."""
    return Answer(status, encode(value), (JSON_TYPE,))


class Refusal(Exception):
    """A request that is refused: `{"message", "error", "statusCode"}`, as NestJS words it."""

    def __init__(self, status: int, message: str | list[str], headers: Headers = ()) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers

    def answer(self) -> Answer:
        """The response."""
        phrase = HTTPStatus(self.status).phrase
        body = {"message": self.message, "error": phrase, "statusCode": self.status}
        return Answer(self.status, encode(body), (JSON_TYPE, *self.headers))


class Pinned(Refusal):
    """A resource that others hold on to: 409 with the code of the reason as `error`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(409, message)
        self._code = code

    def answer(self) -> Answer:
        return answer({"error": self._code, "message": self.message}, 409)


def missing(kind: str) -> Refusal:
    """A resource that does not exist."""
    return Refusal(404, f"Couldn't Find {kind}.")
