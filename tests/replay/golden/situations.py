"""Situations among the messages of a socket: one function for each, by its name."""

from __future__ import annotations

from staging import (
    LONDON,
    ROME,
    Situation,
    ask,
    client,
    hide,
    into,
    opened,
    said,
    set_up,
    settings,
    speak,
    spoken,
    typed,
)
from tapes import Script, tone
from vapi_replaying import ASKED, REPLY, Parties, Tape
from vapi_replaying import player as vapi_player

SITUATIONS: dict[str, Situation] = {}
situation = into(SITUATIONS)

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
