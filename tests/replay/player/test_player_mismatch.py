"""What does not fit ends the replay, and the report says why; what may differ passes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from replaying import Client, player
from tapes import Script, session_object

from recorder.heads import Close


def said(text: str, **fields: Any) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"item": {"type": "message", "role": "user", "content": content, **fields}}


def output(call_id: str, text: str) -> dict[str, Any]:
    return {"item": {"type": "function_call_output", "call_id": call_id, "output": text}}


def two_turns() -> Script:
    script = Script().open().provider("session.created", session=session_object())
    for number, text in enumerate(("What is the weather in London?", "And in Rome?"), 1):
        script.wait(100).client("conversation.item.create", **said(text))
        script.client("response.create")
        item = {"id": f"item_{number}", **said(text)["item"]}
        script.wait(50).provider("conversation.item.added", item=item)
        script.provider("response.done", response={"id": f"resp_{number}"})
    return script


def start() -> Client:
    return Client(player(two_turns().close().takes)).open()


def failed(client: Client) -> str:
    assert client.machine.failure
    report = client.machine.report()
    assert len(report.splitlines()) < 12
    return report


def test_a_changed_value_is_reported_with_its_path_and_both_values() -> None:
    client = start().send("conversation.item.create", **said("What is the weather in Paris?"))
    report = failed(client)
    assert "replay failed: step 4 conversation.item.create differs" in report
    assert "at        $.item.content[0].text" in report
    assert 'expected  "What is the weather in London?"' in report
    assert 'got       "What is the weather in Paris?"' in report
    assert "unused: next is conversation.item.added at step 6" in report


def test_the_client_is_told_in_an_error_event_and_closed() -> None:
    client = start().send("conversation.item.create", event_id="mine", **said("Paris?"))
    error = client.last()
    assert error["type"] == "error"
    assert error["error"]["type"] == "invalid_request_error"
    assert error["error"]["code"] == "replay_mismatch"
    assert error["error"]["event_id"] == "mine"
    assert "$.item.content[0].text" in error["error"]["message"]
    assert "\n" not in error["error"]["message"]
    close = Close.decode(client.got[-1].body)
    assert close.code == 1008
    assert len(close.reason.encode()) <= 123
    assert client.machine.finished


def test_a_message_of_another_type_names_the_step_it_would_fit() -> None:
    client = start().send("response.create")
    report = failed(client)
    assert "step 4 expected conversation.item.create, got response.create" in report
    assert "nearest   the same as step 5 (not due yet)" in report


def test_a_message_sent_twice_is_recognised() -> None:
    client = start().send("conversation.item.create", **said("What is the weather in London?"))
    client.send("response.create").send("response.create")
    report = failed(client)
    assert "step 8 expected conversation.item.create, got response.create" in report
    client = start()
    for _ in range(2):
        client.send("conversation.item.create", **said("What is the weather in London?"))
    assert "nearest   the same as step 4 (sent already)" in failed(client)


def test_a_message_after_the_last_of_the_tape_is_too_many() -> None:
    client = start()
    for text in ("What is the weather in London?", "And in Rome?"):
        client.send("conversation.item.create", **said(text)).send("response.create")
    client.send("response.cancel")
    assert "got" not in failed(client)
    assert "the client sent response.cancel, and the tape has no further" in failed(client)


def test_long_values_are_cut_and_secrets_hidden() -> None:
    def hide(text: str) -> str:
        return text.replace("sk-secret", "[hidden]")

    client = Client(player(two_turns().close().takes, hide=hide)).open()
    client.send("conversation.item.create", **said("sk-secret " + "x" * 5_000))
    report = failed(client)
    assert "sk-secret" not in report
    assert "[hidden]" in report
    assert max(map(len, report.splitlines())) <= 140
    assert "sk-secret" not in client.last()["error"]["message"]


def test_binary_where_text_was_expected_differs() -> None:
    client = start().give("ws.binary", b"\x00\x01")
    assert "step 4 expected conversation.item.create, got ws.binary" in failed(client)


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'{"type":3}', b'"\\ud800"', b"\xff"])
def test_rubbish_gives_a_report_and_no_crash(body: bytes) -> None:
    failed(start().give("ws.text", body))


def test_nothing_is_sent_after_a_failure() -> None:
    client = start().send("response.cancel")
    count = len(client.got)
    client.send("conversation.item.create", **said("What is the weather in London?")).run(60_000)
    assert len(client.got) == count


def test_a_later_connection_is_refused_after_a_failure() -> None:
    client = start().send("response.cancel").open(channel=2)
    answer = client.got[-1]
    assert json.loads(answer.body)["status"] == 503
    assert json.loads(answer.payload)["error"]["code"] == "replay_mismatch"


@pytest.mark.parametrize(
    ("path", "query", "what"),
    [
        ("/v1/realtime", "model=gpt-other", "at        $.query.model[0]"),
        ("/v1/elsewhere", "model=gpt-realtime", "on tape   /v1/realtime?model=gpt-realtime"),
    ],
)
def test_a_connection_that_is_not_on_the_tape(path: str, query: str, what: str) -> None:
    client = Client(player(two_turns().close().takes)).open(path, query)
    assert json.loads(client.got[0].body)["status"] == 404
    assert what in failed(client)


@pytest.mark.parametrize("path", ["/openai/v1/realtime", "/v1/realtime"])
@pytest.mark.parametrize("recorded", ["/openai/v1/realtime", "/v1/realtime"])
def test_a_path_may_have_the_prefix_or_not(path: str, recorded: str) -> None:
    takes = Script().open(recorded).close().takes
    assert Client(player(takes)).open(path).close().machine.failure is None


def test_a_second_connection_is_too_many() -> None:
    assert "the tape has no further WebSocket to /v1/realtime" in failed(start().open(channel=2))


# What may differ


def minted() -> Script:
    """A client that mints ids, and a provider that repeats them."""
    script = Script().open().wait(10)
    script.client("conversation.item.create", event_id="evt_1", **said("Hi", id="item_one"))
    script.client(
        "response.create", event_id="evt_2", response={"metadata": {"client_event_id": "evt_2"}}
    )
    script.provider("conversation.item.added", item={"id": "item_one", "text": 'say "item_one"'})
    script.provider("response.created", response={"metadata": {"client_event_id": "evt_2"}})
    script.client("conversation.item.delete", item_id="item_one", event_id="evt_3")
    error = {"code": "x", "message": "the item 'item_one' is in use", "event_id": "evt_3"}
    script.provider("error", error=error)
    script.provider("conversation.item.added", previous_item_id="item_one", item={"id": "item_s"})
    return script.close()


def live_ids(client: Client) -> Client:
    client.send("conversation.item.create", event_id="A", **said("Hi", id="uuid-1"))
    client.send("response.create", response={"metadata": {"client_event_id": "B"}}, event_id="B")
    return client.send("conversation.item.delete", event_id="C", item_id="uuid-1")


def test_ids_that_the_client_mints_come_back_in_the_answers() -> None:
    client = live_ids(Client(player(minted().takes)).open()).close()
    assert client.machine.failure is None
    added, created, error, later = (json.loads(message.body) for message in client.got[1:])
    assert added["item"] == {"id": "uuid-1", "text": 'say "item_one"'}
    assert created["response"]["metadata"]["client_event_id"] == "B"
    assert error["error"]["event_id"] == "C"
    assert error["error"]["message"] == "the item 'uuid-1' is in use"
    assert later["previous_item_id"] == "uuid-1"
    assert later["item"]["id"] == "item_s"


def test_other_bytes_of_an_answer_stay_as_recorded() -> None:
    client = live_ids(Client(player(minted().takes)).open())
    recorded = [take.body for take in minted().takes if take.sender == "provider"]
    assert client.got[1].body == recorded[1].replace(b'"id":"item_one"', b'"id":"uuid-1"')


def test_an_id_used_for_another_item_is_caught() -> None:
    client = Client(player(minted().takes)).open()
    client.send("conversation.item.create", event_id="A", **said("Hi", id="uuid-1"))
    client.send("response.create", response={"metadata": {"client_event_id": "B"}}, event_id="B")
    client.send("conversation.item.delete", event_id="C", item_id="uuid-2")
    assert "at        $.item_id" in failed(client)
    assert 'expected  "uuid-1"' in failed(client)


def test_a_recorded_id_where_a_new_one_is_due_is_caught() -> None:
    """The same bytes as on the tape, yet the wrong item."""
    client = Client(player(minted().takes)).open()
    client.send("conversation.item.create", event_id="evt_1", **said("Hi", id="uuid-1"))
    client.send("response.create", response={"metadata": {"client_event_id": "B"}}, event_id="B")
    client.send("conversation.item.delete", item_id="item_one", event_id="evt_3")
    assert 'expected  "uuid-1"' in failed(client)


def test_results_of_parallel_calls_may_come_in_any_order() -> None:
    script = Script().open().client("response.create")
    for call in ("call_a", "call_b"):
        script.provider("response.function_call_arguments.done", call_id=call)
    for call in ("call_a", "call_b"):
        script.client("conversation.item.create", **output(call, f"result of {call}"))
    script.client("response.create").provider("response.done", response={})
    takes = script.close().takes
    client = Client(player(takes)).open().send("response.create")
    client.send("conversation.item.create", **output("call_b", "result of call_b"))
    assert "response.done" not in client.types()
    client.send("conversation.item.create", **output("call_a", "result of call_a"))
    client.send("response.create").close()
    assert client.machine.failure is None
    swapped = Client(player(takes)).open().send("response.create")
    swapped.send("conversation.item.create", **output("call_a", "result of call_b"))
    assert "$.item.output" in failed(swapped)


def test_a_response_may_not_be_asked_for_before_its_item() -> None:
    failed(start().send("response.create"))


def test_settings_may_come_at_another_place() -> None:
    script = Script().open().client("response.create")
    script.client("session.update", session={"type": "realtime", "tracing": "auto"})
    script.provider("session.updated", session=session_object())
    client = Client(player(script.close().takes)).open()
    client.send("session.update", session={"type": "realtime", "tracing": "auto"})
    client.send("response.create").close()
    assert client.machine.failure is None
    assert "session.update (step 4) came before its turn" in client.machine.report()


def test_a_truncation_too_many_is_tolerated_and_reported() -> None:
    client = start().send("conversation.item.truncate", item_id="i", audio_end_ms=3)
    assert client.machine.failure is None
    assert "conversation.item.truncate came and is not on the tape" in client.machine.report()
