"""Secrets of Vapi, planted where they cross: none is found in the store."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import connect

from recorder.recording import Recording
from tests.recorder.capture.proxy.vapi.conftest import SECRET, open_house
from tests.recorder.capture.proxy.vapi.test_vapi_webhooks import deliver

PRIVATE = "5f0c1f6e-0c8b-4a57-9d57-0123456789ab"
PUBLIC = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJvcmdJZCI6ImNhbmFyeSJ9.c2lnbmF0dXJlLWNhbmFyeQ"
SIGNATURE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
PLANTED = {
    "bearer": PRIVATE,
    "public key": PUBLIC,
    "jwt": JWT,
    "webhook secret": SECRET,
    "server secret": "canary-server-secret",
    "old server secret": "canary-server-url-secret",
    "server header": "canary-server-header",
    "credential": "canary-credential-api-value",
    "twilio": "canary-twilio-auth-token",
    "hmac signature": SIGNATURE,
    "socket": "phone-call-websocket.canary-production7.vapi.ai",
    "room": "canary-room-9XyZ",
    "room token": "canary-room-token",
    "presigned": "canary-presigned-signature",
    "presigned field": "canary-presigned-field",
    "session token": "canary-amz-session",
    "google": "canary-goog-signature",
}


def call(name: str) -> dict[str, Any]:
    """A call with everything in it that is nobody's business."""
    host = PLANTED["socket"]
    signed = "https://storage.vapi.ai/x.wav?X-Amz-Expires=60&X-Amz-Security-Token="
    signed += f"{PLANTED['session token']}&X-Amz-Signature={PLANTED['presigned']}"
    return {
        "id": name,
        "transport": {
            "websocketCallUrl": f"wss://{host}/{name}/transport",
            "callUrl": f"https://vapi.daily.co/{PLANTED['room']}",
            "callToken": PLANTED["room token"],
        },
        "monitor": {
            "listenUrl": f"wss://{host}/{name}/listen",
            "controlUrl": f"https://{host}/{name}/control",
        },
        "webCallUrl": f"https://vapi.daily.co/{PLANTED['room']}",
        "assistant": {
            "name": "Ann",
            "server": {
                "url": "https://team.example/hook",
                "secret": PLANTED["server secret"],
                "headers": {"x-plain": PLANTED["server header"]},
            },
            "serverUrlSecret": PLANTED["old server secret"],
            "credentials": [{"provider": "openai", "apiKey": PLANTED["credential"]}],
            "credentialIds": ["d2c1d1a5-2f44-4b0c-9e0c-0a8f2d2b6f11"],
        },
        "phoneNumber": {"twilioAuthToken": PLANTED["twilio"]},
        "artifact": {
            "recordingUrl": signed,
            "logUrl": f"https://x.example/l?X-Goog-Signature={PLANTED['google']}",
            "presignedMonoUrl": f"https://x.example/{PLANTED['presigned field']}",
            "transcript": f"AI: your socket is wss://{host}/{name}/listen now.\n",
        },
    }


async def test_a_planted_canary_is_found_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "canary.db"
    name = str(uuid4())
    async with open_house(path, webhook_to="/hooks", webhook_secret=SECRET) as house:
        body = json.dumps({"message": {"type": "end-of-call-report", "call": call(name)}})
        headers = {"X-Vapi-Secret": SECRET, "x-signature": SIGNATURE, "x-vapi-signature": SIGNATURE}
        await deliver(house, body.encode(), headers=headers)
        house.team.reply = json.dumps({"assistant": call(name)["assistant"]}).encode()
        await deliver(house, body.replace("end-of-call-report", "assistant-request").encode())
        async with httpx.AsyncClient() as client:
            for key in (PRIVATE, PUBLIC, JWT):
                told = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
                await client.post(house.rest + "/assistant", json=call(name), headers=told)
            moved = await client.get(f"{house.rest}/call/{name}/mono-recording", headers=told)
            assert "canary-signature-31337" in moved.headers["location"]
            made = (await client.post(house.rest + "/call", json={"token": JWT})).json()
        url = made["transport"]["websocketCallUrl"]
        async with connect(url, additional_headers={"Authorization": f"Bearer {PRIVATE}"}) as ws:
            await ws.recv()
        host = house.vapi.host
        await asyncio.sleep(0.1)
        await house.writer.drained()
        tapes = [Recording(house.store, row.id) for row in house.store.sessions()]
        events = [event for tape in tapes for event in tape.events()]
        targets = [channel.target for tape in tapes for channel in tape.channels()]
        whole = b"\n".join(event.body + event.type.encode() for event in events)
        assert not [kind for kind, value in PLANTED.items() if value.encode() in whole]
        assert b"canary-signature-31337" not in whole
        for what in ("transport", "listen", "control"):
            assert f"://{host}/{made['id']}/{what}".encode() not in whole
        assert f"/{made['id']}/transport" in targets
    stored = b"".join(each.read_bytes() for each in tmp_path.glob("canary.db*"))
    assert not [kind for kind, value in PLANTED.items() if value.encode() in stored]
    for kept in (b"https://team.example/hook", b"d2c1d1a5-2f44-4b0c", b"AI: your socket is"):
        assert kept in stored


async def test_one_url_has_one_marker(tmp_path: Path) -> None:
    async with open_house(tmp_path / "marker.db") as house:
        async with httpx.AsyncClient() as client:
            made = (await client.post(house.rest + "/call", json={})).json()
            await client.get(f"{house.rest}/call/{made['id']}")
        events = await house.tape(made["id"])
        told = [
            json.loads(event.body)["transport"]["websocketCallUrl"]
            for event in events
            if event.kind == "http.chunk" and b"websocketCallUrl" in event.body
        ]
    assert len(told) == 2
    assert told[0] == told[1]
    assert told[0].startswith("[redacted:")


@pytest.mark.parametrize("name", ["VAPI_WEBHOOK_SECRET", "HOOK"])
def test_the_secret_of_webhooks_is_known_to_be_one(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from recorder.commands.common import webhook_secret
    from recorder.errors import RecorderError

    monkeypatch.setenv(name, SECRET)
    if name == "HOOK":
        with pytest.raises(RecorderError, match="VAPI_WEBHOOK_SECRET"):
            webhook_secret(name)
    else:
        assert webhook_secret(name) == SECRET
