"""Replays that fail, or pass with a remark: one function for each situation, by its name."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from replaying import OPENAI, Client, events
from tapes import Script, Take, session_object, tone
from vapi_replaying import ASKED, REPLY, Parties, Tape
from vapi_replaying import player as vapi_player

from recorder.errors import RecorderError
from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from recorder.redact import Secrets, redact_text
from replay.match.rulebook import Rulebook
from replay.match.rules import parse_rules
from replay.player import Player
from replay.script import read_script

SECRET = "sk-proj-0123456789abcdefghijABCDEFGHIJ0123456789"
PLAIN_SECRET = "hunter2-correct-horse"  # told by the name of its field only
JSON = (("Content-Type", "application/json"),)
Situation = Callable[[], str]
SITUATIONS: dict[str, Situation] = {}


def situation(function: Situation) -> Situation:
    """Register one under its name."""
    SITUATIONS[function.__name__.replace("_", "-")] = function
    return function


def hide(text: str) -> str:
    return redact_text(Secrets(b"golden"), text)


def said(text: str, **fields: Any) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"item": {"type": "message", "role": "user", "content": content, **fields}}


LONDON, ROME = "What is the weather in London?", "And in Rome?"
DETECTION = {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500}


def settings(**detection: Any) -> dict[str, Any]:
    turns = {**DETECTION, **detection}
    return {"type": "realtime", "audio": {"input": {"turn_detection": turns}}}


def typed() -> Script:
    """Settings, then two turns in text."""
    script = Script().open().provider("session.created", session=session_object())
    script.client("session.update", session=settings())
    script.provider("session.updated", session=session_object())
    for number, text in enumerate((LONDON, ROME), 1):
        script.wait(100).client("conversation.item.create", **said(text))
        script.client("response.create")
        item = {"id": f"item_{number}", **said(text)["item"]}
        script.wait(50).provider("conversation.item.added", item=item)
        script.provider("response.done", response={"id": f"resp_{number}"})
    return script.close()


def spoken() -> Script:
    """Two seconds of speech, sent off by hand."""
    script = Script().open().provider("session.created", session=session_object())
    script.append(bytes(48 * 300)).append(tone(2_000)).append(bytes(48 * 100))
    script.client("input_audio_buffer.commit")
    script.provider("input_audio_buffer.committed", item_id="item_1")
    script.client("response.create").wait(300)
    script.provider("response.done", response={"id": "resp_1"})
    return script.close()


def client(script: Script | list[Take], *rules: str, **options: Any) -> Client:
    takes = script.takes if isinstance(script, Script) else script
    book = Rulebook(OPENAI.RULES, parse_rules(rules, "rules.txt"))
    tape = read_script(events(takes), OPENAI, book)
    options = {"speed": None, "patience_s": 5.0, "hide": hide, **options}
    return Client(Player(tape, OPENAI, book, **options))


def opened(script: Script, *rules: str, **options: Any) -> Client:
    return client(script, *rules, **options).open()


def set_up(*rules: str, **detection: Any) -> Client:
    return opened(typed(), *rules).send("session.update", session=settings(**detection))


def ask(one: Client, text: str) -> Client:
    return one.send("conversation.item.create", **said(text)).send("response.create")


def speak(one: Client, pcm: bytes) -> Client:
    for at in range(0, len(pcm), 48 * 100):
        piece = base64.b64encode(pcm[at : at + 48 * 100]).decode()
        one.send("input_audio_buffer.append", audio=piece).run(100)
    return one


# Messages


@situation
def value_differs() -> str:
    return ask(set_up(), "What is the weather in Paris?").machine.report()


@situation
def number_differs() -> str:
    return set_up(threshold=0.55).machine.report()


@situation
def key_is_missing() -> str:
    session = settings()
    del session["audio"]["input"]["turn_detection"]["silence_duration_ms"]
    return opened(typed()).send("session.update", session=session).machine.report()


@situation
def key_is_extra() -> str:
    return set_up(idle_timeout_ms=6000).machine.report()


@situation
def object_is_extra() -> str:
    session = {**settings(), "tracing": {"group_id": "g", "workflow_name": "w"}}
    return opened(typed()).send("session.update", session=session).machine.report()


@situation
def type_of_a_value_differs() -> str:
    return set_up(threshold="0.5").machine.report()


@situation
def order_is_wrong() -> str:
    return set_up().send("response.create").machine.report()


@situation
def other_message() -> str:
    return set_up().send("response.cancel").machine.report()


@situation
def message_is_sent_twice() -> str:
    one = ask(set_up(), LONDON)
    return one.send("response.create").machine.report()


@situation
def message_is_extra() -> str:
    one = ask(ask(set_up(), LONDON), ROME)
    return one.send("response.create").machine.report()


@situation
def message_is_missing_in_time() -> str:
    return ask(set_up(), LONDON).run(60_000).machine.report()


@situation
def opcode_differs() -> str:
    return opened(typed()).give("ws.binary", b'{"type":"session.update"}').machine.report()


@situation
def message_is_no_json() -> str:
    return opened(typed()).give("ws.text", b"{not json").machine.report()


@situation
def client_closes_early() -> str:
    return ask(set_up(), LONDON).close().machine.report()


@situation
def client_closes_before_the_answer() -> str:
    script = Script().open().client("response.create").wait(2_000)
    script.provider("response.done", response={"id": "resp_1"})
    one = client(script.close(), speed=1.0).open().run(50).send("response.create")
    return one.close().machine.report()


# References


def referring() -> Script:
    script = Script().open().client("conversation.item.create", **said(LONDON, id="item_mine"))
    script.provider("conversation.item.added", item={"id": "item_mine"})
    script.client("conversation.item.create", **said(ROME, id="item_other"))
    script.provider("conversation.item.added", item={"id": "item_other"})
    script.client("conversation.item.delete", item_id="item_mine")
    return script.close()


@situation
def reference_to_another_item() -> str:
    one = opened(referring()).send("conversation.item.create", **said(LONDON, id="live-1"))
    one.send("conversation.item.create", **said(ROME, id="live-2"))
    return one.send("conversation.item.delete", item_id="live-2").machine.report()


@situation
def id_is_used_twice() -> str:
    one = opened(referring()).send("conversation.item.create", **said(LONDON, id="live-1"))
    return one.send("conversation.item.create", **said(ROME, id="live-1")).machine.report()


@situation
def result_for_another_call() -> str:
    script = Script().open().client("response.create")
    script.provider("response.function_call_arguments.done", call_id="call_abc")
    output = {"type": "function_call_output", "call_id": "call_abc", "output": "rain"}
    script.client("conversation.item.create", item=output).close()
    one = opened(script).send("response.create")
    wrong = {**output, "call_id": "call_xyz"}
    return one.send("conversation.item.create", item=wrong).machine.report()


# Audio


@situation
def audio_differs() -> str:
    changed = bytearray(tone(2_000))
    changed[48 * 1_420] ^= 1
    return speak(opened(spoken()), bytes(changed)).machine.report()


@situation
def audio_lacks_its_end() -> str:
    one = speak(opened(spoken()), tone(2_000)[: 48 * 1_900])
    return one.send("input_audio_buffer.commit").machine.report()


@situation
def audio_goes_on() -> str:
    return speak(opened(spoken()), tone(2_400)).machine.report()


@situation
def audio_is_missing_at_the_close() -> str:
    tape = Tape().create().open().wait(100).stream("provider", REPLY)
    tape.stream("client", tone(600, rate=16_000)).close()
    parties = Parties(vapi_player(tape, hide=hide))
    parties.ask("POST", "/call", ASKED)
    parties.open().stream(tone(580, rate=16_000)).give(2, "ws.close", b'{"code":1000,"reason":""}')
    return parties.machine.report()


@situation
def speech_differs_by_energy() -> str:
    one = speak(opened(spoken(), audio="energy"), tone(1_500))
    return one.send("input_audio_buffer.commit").machine.report()


@situation
def sound_is_shorter_by_duration() -> str:
    one = speak(opened(spoken(), audio="duration"), tone(1_500))
    return one.send("input_audio_buffer.commit").machine.report()


@situation
def audio_does_not_come() -> str:
    script = Script().open().append(tone(1_000))
    script.provider("input_audio_buffer.speech_started", item_id="item_1")
    return speak(opened(script.close()), tone(300)).run(60_000).machine.report()


@situation
def client_closes_before_it_speaks() -> str:
    return speak(opened(spoken()), tone(1_000)).close().machine.report()


@situation
def connection_is_lost() -> str:
    return ask(set_up(), LONDON).close(1006).machine.report()


@situation
def item_of_another_type() -> str:
    one = opened(referring()).send("conversation.item.create", **said(LONDON, id="live-1"))
    output = {"type": "function_call_output", "call_id": "call_abc", "output": "rain"}
    return one.send("conversation.item.create", item=output).machine.report()


# Targets and HTTP


@situation
def socket_path_is_unknown() -> str:
    return client(typed()).open(path="/v1/chat").machine.report()


@situation
def socket_query_differs() -> str:
    return client(typed()).open(query="model=gpt-other").machine.report()


@situation
def socket_is_one_too_many() -> str:
    return opened(typed()).open(channel=2).machine.report()


@situation
def socket_is_never_opened() -> str:
    first = typed()
    again = [take._replace(channel=2, at_ms=take.at_ms + 1_000) for take in first.takes]
    one = ask(ask(client([*first.takes, *again]).open().send("session.update", session=settings()),
              LONDON), ROME).close()  # fmt: skip
    return one.run(60_000).machine.report()


def calling(body: Any, path: str = "/call") -> str:
    tape = Tape().create()
    parties = Parties(vapi_player(tape, hide=hide))
    head = RequestHead("POST", path, "", JSON)
    parties.machine.receive(
        Message(9, "http.request", head.encode(), json.dumps(body).encode()), parties.now
    )
    return parties.run().machine.report()


@situation
def http_body_differs() -> str:
    return calling({**ASKED, "assistantId": "b", "name": "test"})


@situation
def http_path_is_unknown() -> str:
    return calling(ASKED, "/calls")


@situation
def http_request_is_one_too_many() -> str:
    tape = Tape().create()
    parties = Parties(vapi_player(tape, hide=hide))
    parties.ask("POST", "/call", ASKED)
    head = RequestHead("POST", "/call", "", JSON)
    body = json.dumps(ASKED).encode()
    parties.machine.receive(Message(9, "http.request", head.encode(), body), parties.now)
    return parties.run().machine.report()


# Webhooks


def hooked() -> Parties:
    results = {"results": [{"toolCallId": "t1", "result": "rain, 7 degrees"}]}
    tape = Tape().create().wait(50).hook("tool-calls", results)
    parties = Parties(vapi_player(tape, hide=hide))
    parties.ask("POST", "/call", ASKED)
    return parties.run(100)


@situation
def webhook_answer_differs() -> str:
    results = {"results": [{"toolCallId": "t1", "result": "sun, 30 degrees"}]}
    return hooked().answer(body=results).machine.report()


@situation
def webhook_cannot_be_delivered() -> str:
    parties = hooked()
    refused = ResponseHead(0, "connection refused").encode()
    parties.give(parties.hooks[-1].channel, "webhook.response", refused)
    return parties.machine.report()


# Rules


@situation
def rule_is_unused() -> str:
    rules = ("any $.session.instructions", "approx **.threshold 0.1")
    one = ask(ask(set_up(*rules, threshold=0.55), LONDON), ROME).close()
    return one.machine.report()


@situation
def rule_is_exceeded() -> str:
    return set_up("approx session.update:**.threshold 0.1", threshold=0.8).machine.report()


@situation
def rule_is_refused() -> str:
    return refusal("ignore session.update:$.session.audio")


@situation
def rule_for_everything_is_refused() -> str:
    return refusal("any **")


@situation
def rule_cannot_be_read() -> str:
    return refusal("aprox session.update:$.session.speed 0.1")


def refusal(rule: str) -> str:
    try:
        set_up(rule)
    except RecorderError as error:
        return str(error)
    raise AssertionError(f"{rule} was taken")


# Secrets


@situation
def secret_is_hidden() -> str:
    tools = [{"type": "mcp", "server_label": "s", "authorization": PLAIN_SECRET}]
    session = {**settings(), "instructions": f"use {SECRET} well", "tools": tools}
    return opened(typed()).send("session.update", session=session).machine.report()


@situation
def secret_is_hidden_at_its_place() -> str:
    session = {**settings(), "client_secret": PLAIN_SECRET}
    return opened(typed()).send("session.update", session=session).machine.report()
