"""Deliveries to the team's server: headers, signatures, order, timeouts and retries.

A delivery leaves `webhook_ms` after what it tells of, and never before an earlier one of its call.
By default nothing is retried; a `backoffPlan` says how often and how long after a failure.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from recorder.events import Message
from recorder.heads import Headers, RequestHead, ResponseHead
from replay.simulators.common.agenda import Agenda, Entry
from replay.simulators.vapi.errors import Json, encode
from replay.simulators.vapi.options import Options

FIRST_CHANNEL = 1_000_000  # above every channel that a shell numbers
_NS = 1_000_000_000
_MS = 1_000_000
_TIMEOUT_S = 20.0
_DIGESTS = {"sha256": hashlib.sha256, "sha512": hashlib.sha512, "sha1": hashlib.sha1}


class Reply(NamedTuple):
    """What the server answered; status 0 if it did not, with the reason in `body`."""

    status: int
    body: bytes

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


Answered = Callable[[Reply, int], None]


@dataclass
class Delivery:
    """One webhook on its way. `sent` counts the attempts."""

    server: Mapping[str, Any]
    call_id: str
    body: bytes
    answered: Answered | None
    timeout_s: float
    sent: int = 0


class Courier:
    """Sends deliveries on channels of its own and hands their answers back."""

    def __init__(
        self,
        agenda: Agenda,
        options: Options,
        seed: str,
        wall_ms: Callable[[int], int],
        post: Callable[[Message], None],
        credentials: Mapping[str, Json],
    ) -> None:
        self._agenda, self._options, self._wall_ms = agenda, options, wall_ms
        self._post, self._credentials = post, credentials
        self._chance = random.Random(f"{seed}/courier")
        self._channels = FIRST_CHANNEL - 1
        self._waiting: dict[int, tuple[Delivery, Entry]] = {}
        self._last: dict[str, int] = {}

    def send(
        self,
        server: Mapping[str, Any],
        call_id: str,
        message: Json,
        now: int,
        *,
        answered: Answered | None = None,
        timeout_s: float | None = None,
    ) -> None:
        """Deliver `{"message": message}`; `timeout_s` is in place of the server's own."""
        limit = timeout_s or float(server.get("timeoutSeconds") or _TIMEOUT_S)
        delivery = Delivery(server, call_id, encode({"message": message}), answered, limit)
        jitter = self._chance.randint(0, self._options.webhook_ms // 2)
        when = now + (self._options.webhook_ms + jitter) * _MS
        when = self._last[call_id] = max(when, self._last.get(call_id, 0))
        self._agenda.at(when, lambda at: self._leave(delivery, at))

    def receive(self, message: Message, now: int) -> None:
        """Take an answer; one that comes after its time is dropped."""
        waiting = self._waiting.pop(message.channel, None)
        if waiting is None:
            return
        delivery, timer = waiting
        timer.cancelled = True
        head = ResponseHead.decode(message.body)
        body = message.payload if head.status else head.reason.encode()
        self._settle(delivery, Reply(head.status, body), now)

    def _leave(self, delivery: Delivery, now: int) -> None:
        self._channels += 1
        channel, delivery.sent = self._channels, delivery.sent + 1
        url = str(delivery.server["url"])
        head = RequestHead("POST", url, "", self._headers(delivery, url, now))
        self._post(Message(channel, "webhook.request", head.encode(), delivery.body))
        limit = now + int(delivery.timeout_s * _NS)
        timer = self._agenda.at(limit, lambda at: self._timed_out(channel, at))
        self._waiting[channel] = delivery, timer

    def _timed_out(self, channel: int, now: int) -> None:
        delivery, _ = self._waiting.pop(channel)
        self._settle(delivery, Reply(0, b"timeout"), now)

    def _settle(self, delivery: Delivery, reply: Reply, now: int) -> None:
        plan = delivery.server.get("backoffPlan") or {}
        spared = reply.accepted or reply.status in (plan.get("excludedStatusCodes") or ())
        if not spared and delivery.sent <= (plan.get("maxRetries") or 0):
            delay = float(plan.get("baseDelaySeconds") or 0)
            if plan.get("type") == "exponential":
                delay *= 2 ** (delivery.sent - 1)
            self._agenda.at(now + int(delay * _NS), lambda at: self._leave(delivery, at))
        elif delivery.answered is not None:
            delivery.answered(reply, now)

    def _headers(self, delivery: Delivery, url: str, now: int) -> Headers:
        server = delivery.server
        fixed = [("content-type", "application/json"), ("x-call-id", delivery.call_id)]
        own = [(str(name), str(value)) for name, value in (server.get("headers") or {}).items()]
        if server.get("secret"):
            own.append(("X-Vapi-Secret", str(server["secret"])))
        credential = self._credentials.get(str(server.get("credentialId")))
        if credential is not None:
            own += self._authentication(credential["authenticationPlan"], delivery, url, now)
        return (*fixed, *own)

    def _authentication(
        self, plan: Json, delivery: Delivery, url: str, now: int
    ) -> list[tuple[str, str]]:
        if plan["type"] == "bearer":
            prefix = "" if plan.get("bearerPrefixEnabled") is False else "Bearer "
            return [(plan.get("headerName") or "Authorization", prefix + plan["token"])]
        seconds = str(self._wall_ms(now) // 1000)
        message_id = f"msg_{self._chance.getrandbits(96):024x}"
        stamped = plan.get("includeTimestamp") is not False
        pattern = plan.get("payloadFormat") or ("{timestamp}.{body}" if stamped else "{body}")
        known = {"timestamp": seconds, "method": "POST", "url": url, "svix-id": message_id}
        headers = [(plan.get("signatureHeader") or "x-signature", "")]
        headers[0] = (headers[0][0], _signature(plan, _filled(pattern, known, delivery.body)))
        if stamped:
            headers.append((plan.get("timestampHeader") or "x-timestamp", seconds))
        if plan.get("messageIdHeader"):
            headers.append((plan["messageIdHeader"], message_id))
        return headers


def _filled(pattern: str, known: Mapping[str, str], body: bytes) -> bytes:
    """The text that is signed; the body goes in last, so that it is not looked into."""
    for name, value in known.items():
        pattern = pattern.replace(f"{{{name}}}", value)
    return pattern.encode().replace(b"{body}", body)


def signing_key(plan: Mapping[str, Any]) -> bytes:
    """The secret of an HMAC plan; binascii.Error if it is not the base64 that the plan says."""
    secret = str(plan["secretKey"])
    return (
        base64.b64decode(secret, validate=True) if plan.get("secretIsBase64") else secret.encode()
    )


def has_usable_key(plan: Mapping[str, Any]) -> bool:
    """Whether the secret can be decoded."""
    try:
        signing_key(plan)
    except binascii.Error:
        return False
    return True


def _signature(plan: Mapping[str, Any], text: bytes) -> str:
    digest = hmac.new(signing_key(plan), text, _DIGESTS[plan["algorithm"]]).digest()
    encoded = plan.get("signatureEncoding") == "base64"
    written = base64.b64encode(digest).decode() if encoded else digest.hex()
    return str(plan.get("signaturePrefix") or "") + written
