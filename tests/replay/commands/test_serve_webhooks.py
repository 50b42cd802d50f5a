"""`replay serve` of a call with webhooks: signed with the secret that is given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner
from listening import Command

from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.heads import Headers, RequestHead, ResponseHead
from recorder.providers import PROVIDERS
from recorder.recording import Recording
from recorder.redact import Secrets
from recorder.store import open_store
from replay.cli import cli

CALL = "01990000-0000-7000-8000-00000000ab1e"
BODY = b'{"message":  {"type":"status-update","call":{"id":"%s"}}}' % CALL.encode()
SECRET = "the-secret-of-a-replay"
OLD = "the-secret-of-the-recording"
SIGNED: Headers = (
    ("Content-Type", "application/json"),
    ("X-Vapi-Secret", OLD),
    ("X-Timestamp", "1795000000"),
    ("X-Signature", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
)


def record(url: str, headers: Headers) -> str:
    """A tape of one webhook that was acknowledged."""
    with closing(open_store(url, create=True)) as store:
        writer = Writer(store, SystemClock(), Secrets(b"key", (OLD,)))
        writer.start()
        tape = writer.open("vapi", "t", external_id=CALL)
        channel = tape.channel("webhook", "/webhooks/vapi")
        head = RequestHead("POST", "/webhooks/vapi", "", headers)
        tape.record(channel, "provider", "webhook.request", "status-update", head.encode())
        tape.record(channel, "provider", "http.chunk", "status-update", BODY)
        tape.record(channel, "provider", "http.chunk", "status-update", b"")
        answer = ResponseHead(200, "OK", (("Content-Type", "application/json"),)).encode()
        tape.record(channel, "client", "webhook.response", "200", answer)
        tape.record(channel, "client", "http.chunk", "status-update", b"{}")
        tape.record(channel, "client", "http.chunk", "status-update", b"")
        writer.close()
    return tape.session


@dataclass
class Application:
    """The server of an application; keeps what it gets."""

    url: str = ""
    got: list[tuple[Headers, bytes]] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.got.append((tuple(request.headers.items()), await request.read()))
        return web.json_response({})


@asynccontextmanager
async def application() -> AsyncIterator[Application]:
    app = Application()
    runner = web.ServerRunner(web.Server(app.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    app.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield app
    finally:
        await runner.cleanup()


async def serve(*words: str) -> tuple[int, str]:
    async with Command("serve", *words) as command:
        return await command.end()


async def test_a_webhook_is_signed_and_its_secret_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    url = f"sqlite:///{tmp_path / 'tapes.db'}"
    session = record(url, SIGNED)
    async with application() as app:
        words = [session, "--store", url, "--speed", "max", "--webhook-to", app.url]
        words += ["--webhook-secret-env", "HOOK_SECRET"]
        code, output = await serve(*words)
    assert code == 0, output
    ((headers, body),) = app.got
    assert body == BODY
    hooks = PROVIDERS["vapi"].WEBHOOKS
    assert hooks
    assert dict(headers)["X-Vapi-Secret"] == SECRET
    signature = [each for each in headers if each[0] in ("X-Signature", "X-Timestamp")]
    assert hooks.signature(tuple(signature), body, SECRET) == ("ok", "x-signature sha256")
    tampered = body.replace(b"status-update", b"status-updatf")
    assert hooks.signature(tuple(signature), tampered, SECRET).verdict == "bad"
    with closing(open_store(url, create=False, readonly=True)) as store:
        (replayed,) = [row for row in store.sessions() if row.parent]
        whole = b"".join(event.body for event in Recording(store, replayed.id).events())
    assert b"X-Vapi-Secret" in whole
    assert SECRET.encode() not in whole


async def test_without_a_secret_the_marker_goes_out(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tapes.db'}"
    session = record(url, SIGNED)
    async with application() as app:
        words = [session, "--store", url, "--speed", "max", "--webhook-to", app.url]
        code, output = await serve(*words, "--no-record")
    assert code == 0, output
    assert dict(app.got[0][0])["X-Vapi-Secret"].startswith("[redacted:")


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "HOOK_SECRET is not set, or empty"),
        ({"HOOK_SECRET": "short"}, "HOOK_SECRET is not taken for a secret"),
    ],
)
def test_a_secret_that_cannot_be_used_is_one_clear_line(
    environ: dict[str, str], told: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'tapes.db'}"
    words = ["serve", record(url, SIGNED), "--store", url, "--webhook-secret-env", "HOOK_SECRET"]
    result = CliRunner().invoke(cli, words, env=environ)
    assert str(result.exception).startswith(f"--webhook-secret-env: {told}")
