"""The simulated OpenAI Realtime API as a machine: WebSockets and HTTP exchanges by channel."""

from __future__ import annotations

from dataclasses import replace

from recorder.events import Kind, Message
from recorder.heads import RequestHead
from replay.simulators.common.frame import Simulator
from replay.simulators.openai import credentials, errors, rest
from replay.simulators.openai.account import Account, Line
from replay.simulators.openai.errors import Fatal
from replay.simulators.openai.options import Options


class OpenAISimulator(Simulator):
    """A seeded stand-in for the service.

    Randomness comes from `seed` and session times from `wall_ns` (nanoseconds since 1970 at the
    first message), so equal input at equal times gives equal bytes; answers to upgrades and
    requests tell the seed in a header. A WebSocket opens on any path that ends in `/realtime`;
    fatal errors come after the upgrade, as the service sends them.
    """

    def __init__(self, seed: int, wall_ns: int, options: Options | None = None) -> None:
        super().__init__(seed, wall_ns)
        self._options = options or Options()
        self._open: dict[int, Line] = {}
        self._account = Account(self._options, seed, self._wall_s, self._post, self._hangup)

    def _run(self, now: int) -> None:
        for line in list(self._account.lines):
            line.talk.stage.advance(now)

    def _next(self) -> int | None:
        nexts = (line.talk.stage.agenda.next() for line in self._account.lines)
        return min((when for when in nexts if when is not None), default=None)

    def _hangup(self, channel: int, code: int, reason: str) -> None:
        self._close(channel, code, reason)
        self._open.pop(channel, None)

    def _requested(self, message: Message, now: int) -> None:
        head = RequestHead.decode(message.body)
        answer = rest.handle(self._account, head, message.payload, now)
        self._send_answer(message.channel, "http.response", answer)

    def _send_answer(self, channel: int, kind: Kind, answer: rest.Answer) -> None:
        told = answer.head(self._account.mint.noise(32))
        head = replace(told, headers=(*told.headers, self._seed)).encode()
        self._send(channel, kind, head, answer.body)

    def _opened(self, message: Message, now: int) -> None:
        head, channel = RequestHead.decode(message.body), message.channel
        refused = self._refusal(head)
        if refused is not None:
            self._send_answer(channel, "ws.open", refused)
            return
        self._accept(channel, "realtime" if "realtime" in head.subprotocols else None)
        call_id = credentials.parameter(head, "call_id")
        line = self._account.calls[call_id] if call_id else self._new_line(head, now)
        line.channels.append(channel)
        self._open[channel] = line
        if call_id:
            return
        fatal = self._fatal(head, now)
        if fatal is not None:
            line.talk.stage.refuse(fatal)
            return
        line.talk.greet()
        line.talk.limit_life()

    def _refusal(self, head: RequestHead) -> rest.Answer | None:
        """The answer to an upgrade that gets none, or None."""
        if not head.path.rstrip("/").endswith("/realtime"):
            return rest.no_such_url(head)
        if credentials.key(head) is None:
            return rest.unauthorised()
        call_id = credentials.parameter(head, "call_id")
        if call_id is not None and call_id not in self._account.calls:
            return rest.no_such_call(call_id)
        return None

    def _new_line(self, head: RequestHead, now: int) -> Line:
        account = self._account
        secret = account.secrets.get(credentials.key(head) or "")
        kind = (
            "transcription"
            if credentials.parameter(head, "intent") == "transcription"
            else "realtime"
        )
        model = credentials.model(head) or self._options.model
        config = account.new_session(kind, model, now)
        if secret is not None:
            mine = {"id": config["id"], "expires_at": config["expires_at"]}
            config = {**secret.session, **mine}
        return account.open_line(config, now, speaks_beta=credentials.asks_for_beta(head))

    def _fatal(self, head: RequestHead, now: int) -> Fatal | None:
        """What ends the session before it begins: key, dialect, credit or model."""
        options, key = self._options, credentials.key(head) or ""
        if not self._account.admits(key, now):
            return errors.bad_key(key)
        if credentials.asks_for_beta(head) and not options.serves_beta:
            return errors.beta_is_off()
        if not options.has_credit:
            return errors.no_credit()
        model = credentials.model(head)
        if model is not None and options.models and model not in options.models:
            return errors.no_such_model(model)
        return None

    def _text(self, message: Message, now: int) -> None:
        line = self._open.get(message.channel)
        if line is not None:
            line.talk.receive(message.body)

    def _binary(self, message: Message, now: int) -> None:
        line = self._open.get(message.channel)
        if line is not None:
            line.talk.stage.refuse(errors.not_an_event("binary frames are not accepted."))

    def _closed(self, message: Message, now: int) -> None:
        """The client is gone: its session ends, a call goes on without this sideband."""
        line = self._open.pop(message.channel, None)
        if line is None:
            return
        line.channels.remove(message.channel)
        if line not in self._account.calls.values():
            self._account.drop(line)
