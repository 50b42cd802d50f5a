"""`record proxy` for Vapi: what is refused before it listens, and a run from beginning to end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from commandline import run

from recorder.recording import Recording
from recorder.store import open_store
from tests.recorder.capture.proxy.vapi.conftest import Team, Vapi, serve

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--vapi-url", NOWHERE], "cannot reach the upstream http://127.0.0.1:9"),
        (["--vapi-url", "vapi"], "--vapi-url is not a URL"),
        (["--webhook-to", "localhost:3000"], "--webhook-to is not a URL"),
        (["--public-url", "recorder.example"], "--public-url is not a URL"),
        (["--webhook-secret-env", "NO_SUCH_SECRET"], "NO_SUCH_SECRET is not set"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    words: list[str], told: str, tmp_path: Path
) -> None:
    store = tmp_path / "x.db"
    ended = run(store, "proxy", "--listen", "127.0.0.1:0", *words)
    assert ended.code == 2
    assert told in ended.error
    assert "\n" not in ended.error
    assert not store.exists()


async def test_a_run_from_beginning_to_end(tmp_path: Path) -> None:
    vapi, team = Vapi(), Team()
    vapi.answer.set()
    vapi_runner, vapi.host = await serve(vapi.handle)
    team_runner, team_host = await serve(team.handle)
    store = f"sqlite:///{tmp_path / 'run.db'}"
    words = ["proxy", "--store", store, "--listen", "127.0.0.1:0", "--set-server-url"]
    words += ["--vapi-url", f"http://{vapi.host}", "--webhook-to", f"http://{team_host}/hooks"]
    words += ["--webhook-secret-env", "VAPI_WEBHOOK_SECRET"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "recorder",
        *words,
        env=os.environ
        | {"VAPI_WEBHOOK_SECRET": "a-canary-of-the-command", "RECORD_PROXY_REDACT_PII": "1"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    base = (await process.stdout.readline()).decode().split()[1]
    async with httpx.AsyncClient() as client:
        call = (await client.post(f"{base}/vapi/call", json={"assistantId": "a"})).json()["id"]
        body = {"message": {"type": "hang", "call": {"id": call}, "x": "a-canary-of-the-command"}}
        body["message"]["transcript"] = "a-canary-that-is-spoken"
        headers = {"X-Vapi-Secret": "a-canary-of-the-command"}
        assert (await client.post(f"{base}/webhooks/vapi", json=body, headers=headers)).is_success
        unknown = str(uuid4())
        body["message"]["call"] = {"id": unknown}
        assert (await client.post(f"{base}/webhooks/vapi", json=body)).is_success
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    await vapi_runner.cleanup()
    await team_runner.cleanup()
    sent = json.loads(vapi.bodies[0][1])
    assert sent["assistantOverrides"]["server"]["url"] == f"{base}/webhooks/vapi"
    with closing(open_store(store, create=False)) as opened:
        rows = {row.external_id: row for row in opened.sessions()}
        assert {row.status for row in rows.values()} == {"complete"}
        told = {key: list(Recording(opened, row.id).events()) for key, row in rows.items()}
    assert set(told) == {call, unknown}
    verdicts = [
        json.loads(event.body)["verdict"]
        for key in (call, unknown)
        for event in told[key]
        if event.type == "signature"
    ]
    assert verdicts == ["ok", "missing"]
    whole = b"".join(event.body for events in told.values() for event in events)
    assert b"a-canary" not in whole
    assert b'"transcript": "[redacted]"' in whole.replace(b'":"', b'": "')
