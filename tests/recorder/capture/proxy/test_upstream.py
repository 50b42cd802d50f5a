"""Credentials in an upstream's URL, and bodies whose coding hides what they say."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from recorder.capture.proxy.bodies import Body
from recorder.capture.proxy.upstream import outgoing, shown
from recorder.heads import RequestHead
from tests.recorder.capture.proxy.conftest import House

URL = "https://user:p%40ss@host.example:8443/base/"
HEAD = RequestHead("GET", "/v1/a%2Fb", "x=%20y", (("Host", "here"), ("X-Other", "1")))


def test_path_and_query_stay_as_they_were() -> None:
    url, headers = outgoing("http://host:81/base/", HEAD)
    assert str(url) == "http://host:81/base/v1/a%2Fb?x=%20y"
    assert dict(headers) == {"X-Other": "1"}


def test_credentials_become_a_header() -> None:
    url, headers = outgoing(URL, HEAD)
    assert str(url) == "https://host.example:8443/base/v1/a%2Fb?x=%20y"
    assert headers["Authorization"] == "Basic dXNlcjpwQHNz"


def test_a_client_that_names_itself_goes_before_them() -> None:
    head = RequestHead("GET", "/", "", (("authorization", "Bearer mine"),))
    url, headers = outgoing(URL, head)
    assert url.user is None
    assert headers.getall("Authorization") == ["Bearer mine"]


def test_credentials_are_not_shown() -> None:
    assert shown(URL) == "https://host.example:8443/base/"


def test_what_cannot_be_read_is_said_once() -> None:
    told: list[str] = []
    body = Body((("Content-Encoding", "gzip"),), told.append)
    assert body.piece(b"no gzip") == b"[a body in a coding that cannot be read is not stored]"
    assert body.piece(b"more") == b""
    assert len(told) == 1
    assert "invalid gzip body" in told[0]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_compressed_request_passes_as_it_is_and_is_recorded_readable(house: House) -> None:
    said = json.dumps({"squeezed": "x" * 200}).encode()
    packed = {"Content-Encoding": "gzip"}
    async with httpx.AsyncClient() as client:
        good = await client.post(
            f"{house.base}/v1/echo", content=gzip.compress(said), headers=packed
        )
        assert good.status_code == 200
        assert house.upstream.requests[-1][2] == said  # unpacked by the upstream itself
        await client.post(f"{house.base}/v1/echo", content=b"no gzip", headers=packed)
    bodies = [event.body for event in await house.all_events() if event.sender == "client"]
    assert said in bodies
    assert b"[a body in a coding that cannot be read is not stored]" in bodies
    assert b"no gzip" not in bodies
