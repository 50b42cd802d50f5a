"""Faults in a replay: what the client sees, what stands on the tape, and who is to blame."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from faulting import asked, closes, notes, plan, replay, turn, whole_conversation, words
from replaying import MS, OPENAI, Client, events, player
from tapes import conversation

from recorder.errors import RecorderError
from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from replay.faults import FaultyReplay

THIRD = "response.output_text.delta"
NAMES = [("drop", 2), ("duplicate", 2), ("drop", 3)]


def ended(client: Client) -> str:
    """The first line of the report of a replay that a fault ended; the client did nothing wrong."""
    assert client.machine.finished
    assert client.machine.failure is None
    report = client.machine.report()
    assert len(report.splitlines()) < 12
    return report.splitlines()[0]


def test_without_a_fault_nothing_changes() -> None:
    plain, other = Client(player(conversation(), 1.0)), replay(conversation(), speed=1.0)
    assert whole_conversation(plain).run(9_000).got == whole_conversation(other).run(9_000).got
    assert plain.at == other.at
    assert other.machine.report() == plain.machine.report()


def test_a_close_stands_in_place_of_its_step_and_ends_the_replay() -> None:
    client = asked(replay(turn().close().takes, "close@step=7 code=1013 reason=busy"))
    assert words(client) == "one "
    assert [(each.code, each.reason) for each in closes(client)] == [(1013, "busy")]
    assert ended(client) == (
        "replay ended by fault close@step=7 code=1013 reason=busy: "
        "response.output_text.delta (step 7)"
    )


def test_a_step_of_the_client_stands_for_the_next_one_of_the_provider() -> None:
    client = asked(replay(turn().close().takes, "close@step=4"))
    assert client.types() == ["session.created"]
    assert "response.created (step 5)" in ended(client)


def test_a_break_has_no_close_frame() -> None:
    client = asked(replay(turn().close().takes, "break@type=response.done"))
    assert words(client) == "one two three four "
    assert [each.code for each in closes(client)] == [1006]
    assert "break@type=response.done" in ended(client)


@pytest.mark.parametrize(("seconds", "got"), [(0, 0), (0.005, 0), (0.35, 1), (0.55, 3)])
def test_a_close_at_a_time_counts_from_the_upgrade_and_zero_is_at_once(
    seconds: float, got: int
) -> None:
    client = asked(replay(turn().close().takes, f"close@t={seconds}", speed=1.0)).run(2_000)
    assert client.got[0].kind == "ws.open"
    assert len(words(client).split()) == got
    close = next(at for at, each in enumerate(client.got) if each.kind == "ws.close")
    assert client.at[close] == (20 + seconds * 1000) * MS  # the upgrade took 20 ms
    assert client.types() == [] if seconds == 0 else True
    assert "close@t=" in ended(client)
    assert client.machine.next_deadline() is None


def test_the_first_fault_wins_and_leaves_no_timer() -> None:
    takes = turn().close().takes
    client = asked(replay(takes, "close@t=0.35 code=1001", "close@step=7 code=1013", speed=1.0))
    client.run(3_000)
    assert [each.code for each in closes(client)] == [1001]
    assert client.machine.next_deadline() is None
    other = asked(replay(takes, "close@t=9 code=1001", "close@step=7 code=1013", speed=1.0))
    other.run(500)
    assert [each.code for each in closes(other)] == [1013]
    assert other.machine.next_deadline() is None


def test_of_two_faults_of_one_message_the_first_is_applied_and_both_are_counted() -> None:
    faults = [f"{name}@type={THIRD} nth={nth}" for name, nth in NAMES]
    client = asked(replay(turn().close().takes, *faults))
    assert words(client) == "one four "
    assert [note["fault"] for note in notes(client)] == [faults[0], faults[2]]


def test_the_clients_close_ends_timers_and_what_is_held_back_goes_out() -> None:
    client = asked(replay(turn().close().takes, "delay@type=response.done ms=60000", "close@t=90"))
    assert "response.done" not in client.types()
    client.close()
    assert client.types()[-1] == "response.done"
    assert client.machine.next_deadline() is None
    assert client.machine.finished
    assert client.machine.report().startswith("replay complete")


def test_a_dropped_message_does_not_come_and_the_rest_does() -> None:
    client = asked(replay(turn().close().takes, f"drop@type={THIRD} nth=3")).close()
    assert words(client) == "one two four "
    report = client.machine.report().splitlines()
    assert report[0] == "replay complete"
    assert report[1] == f"fault: drop@type={THIRD} nth=3: {THIRD} (step 8)"


def test_a_delay_holds_back_all_that_follows_on_its_connection() -> None:
    client = asked(replay(turn().close().takes, f"delay@type={THIRD} nth=2 ms=500", speed=1.0))
    client.run(5_000).close()
    came = zip(client.at, client.got, strict=True)
    times = [at // MS for at, each in came if each.kind == "ws.text"]
    gaps = [later - earlier for earlier, later in pairwise(times[1:])]
    assert gaps == [100, 600, 0, 0, 0]  # from response.created on
    assert words(client) == "one two three four "


def test_a_duplicate_comes_twice() -> None:
    client = asked(replay(turn().close().takes, f"duplicate@type={THIRD} nth=2", speed=1.0))
    assert words(client.run(2_000)) == "one two two three four "
    late = asked(replay(turn().close().takes, f"duplicate@type={THIRD} nth=2 ms=150", speed=1.0))
    assert words(late.run(2_000)) == "one two three two four "


def test_a_swapped_message_goes_after_the_next_one() -> None:
    client = asked(replay(turn().close().takes, f"swap@type={THIRD} nth=2"))
    assert words(client) == "one three two four "


def test_a_swapped_message_without_a_next_one_goes_after_its_time() -> None:
    client = asked(replay(turn().close().takes, "swap@type=response.done ms=700", speed=1.0))
    client.run(1_400)
    assert client.types()[-1] == THIRD
    client.run(100)
    assert client.types()[-1] == "response.done"


def test_a_truncated_message_is_its_beginning() -> None:
    client = asked(replay(turn().close().takes, f"truncate@type={THIRD} nth=1 bytes=20"))
    bodies = [each.body for each in client.got if each.kind == "ws.text"]
    assert bodies[2] == b'{"type":"response.ou'
    halves = asked(replay(turn().close().takes, f"truncate@type={THIRD} nth=1"))
    whole = next(each.body for each in events(turn().takes) if each.type == THIRD)
    assert halves.got[4].body == whole[: len(whole) // 2]


def test_a_corrupted_message_is_not_json_and_other_bytes_with_another_seed() -> None:
    def bodies(seed: int) -> list[bytes]:
        client = asked(replay(turn().close().takes, f"corrupt@type={THIRD}", seed=seed))
        return [each.body for each in client.got if b"\x01" in each.body]

    assert len(bodies(1)) == 4
    for body in bodies(1):
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)
    assert bodies(1) == bodies(1) != bodies(2)


def test_a_slow_connection_takes_the_time_of_its_bytes() -> None:
    client = asked(replay(turn().close().takes, f"drip@type={THIRD} rate=1000"))
    client.run(10_000)
    sizes = [len(each.body) for each in client.got if each.kind == "ws.text"]
    assert client.at[client.got.index(client.got[-1])] == sum(sizes[2:6]) * MS


def test_an_error_event_in_the_providers_words_comes_before_a_message() -> None:
    fault = "error@type=response.created code=rate_limit_exceeded"
    client = asked(replay(turn().close().takes, fault))
    assert client.types()[1:3] == ["error", "response.created"]
    error = json.loads(client.got[3].body)["error"]
    assert (error["code"], error["type"]) == ("rate_limit_exceeded", "server_error")


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        ("", "failed", "server_error"),
        ("reason=insufficient_quota", "failed", "insufficient_quota"),
        ("status=incomplete", "incomplete", "max_output_tokens"),
        ("status=incomplete reason=content_filter", "incomplete", "content_filter"),
    ],
)
def test_a_response_that_did_not_end_well_says_so(options: str, status: str, reason: str) -> None:
    client = asked(replay(turn().close().takes, f"fail@response {options}"))
    response = client.last()["response"]
    details = response["status_details"]
    assert response["status"] == details["type"] == status
    assert (details.get("reason") or details["error"]["code"]) == reason


def test_what_a_fault_took_is_not_asked_of_the_client() -> None:
    whole = conversation()
    done = "drop@type=response.function_call_arguments.done"
    client = replay(whole, done, patience_s=3).open()
    said = [each for each in events(whole) if each.sender == "client" and each.kind == "ws.text"]
    for event in said[:-1]:  # not the result of the call, which the client never learnt of
        client.give("ws.text", event.body)
    client.run(30_000)
    assert ended(client).startswith(f"replay ended by fault {done}: ")
    assert "note: the client did not send conversation.item.create" in client.machine.report()


def test_what_no_fault_took_is_asked_of_the_client() -> None:
    client = replay(conversation(), "duplicate@type=session.created", patience_s=3).open()
    client.run(60_000)
    assert client.machine.failure
    assert "did not send session.update" in client.machine.report()


def test_what_the_client_sends_is_compared_as_ever() -> None:
    client = replay(conversation(), "drop@type=session.created").open()
    client.send("session.update", session={"type": "realtime", "instructions": "Long."})
    assert client.machine.failure
    assert client.machine.report().startswith("replay failed: step 4 session.update differs")
    assert "fault: drop@type=session.created" in client.machine.report()


def test_after_a_failure_there_are_no_more_faults() -> None:
    client = replay(conversation(), "drop@type=error", "close@t=1").open()
    client.send("session.update", session={"type": "realtime", "instructions": "Long."})
    assert client.types()[-1] == "error"
    assert [each.code for each in closes(client.run(5_000))] == [1008]


def test_a_refused_upgrade_may_be_tried_again() -> None:
    client = replay(turn().close().takes, "refuse@open status=429 nth=1 retry-after=2").open()
    head = ResponseHead.decode(client.got[-1].body)
    assert (head.status, dict(head.headers)["Retry-After"]) == (429, "2")
    assert json.loads(client.got[-1].payload)["error"]["code"] == "rate_limit_exceeded"
    assert not client.machine.finished
    client.open(channel=2).send("response.create", channel=2).close(channel=2)
    assert client.machine.report().splitlines()[0] == "replay complete"


def test_a_refusal_after_which_nothing_comes_ends_the_replay() -> None:
    client = replay(turn().close().takes, "refuse@open", patience_s=4).open()
    client.run(3_990)
    assert not client.machine.finished
    client.run(10)
    assert ended(client) == "replay ended by fault refuse@open: the upgrade"


def test_an_upgrade_may_be_lost_or_late() -> None:
    client = replay(turn().close().takes, "break@open nth=1", "delay@open ms=3000").open()
    assert [each.code for each in closes(client)] == [1006]
    client.open(channel=2).run(2_900)
    assert client.types(2) == []
    assert client.run(100).types(2) == ["session.created"]


def test_who_comes_back_after_the_end_is_refused_and_not_blamed() -> None:
    client = asked(replay(turn().close().takes, "close@step=7")).open(channel=2)
    assert ResponseHead.decode(client.got[-1].body).status == 503
    assert b"ended by a fault" in client.got[-1].payload
    assert "close@step=7" in ended(client)


def test_who_asks_for_a_new_key_after_the_end_is_refused_and_not_blamed() -> None:
    client = asked(replay(turn().close().takes, "close@step=7"))
    head = RequestHead("POST", "/v1/realtime/client_secrets").encode()
    client.give("http.request", head, channel=2)
    assert ResponseHead.decode(client.got[-1].body).status == 503
    assert "close@step=7" in ended(client)
    unharmed = asked(replay(turn().close().takes, "drop@step=7"))
    unharmed.give("http.request", head, channel=2)
    assert unharmed.machine.failure


def test_each_fault_is_noted_just_before_it_is_seen() -> None:
    client = asked(replay(turn().close().takes, f"duplicate@type={THIRD} nth=2", "close@step=9"))
    kinds = [(each.kind, each.channel) for each in client.got]
    assert kinds[-2:] == [("note", 1), ("ws.close", 1)]
    first, second = notes(client)
    assert first == {
        "message": f"fault duplicate@type={THIRD} nth=2: {THIRD} (step 7)",
        "fault": f"duplicate@type={THIRD} nth=2",
        "step": 7,
    }
    assert second["step"] == 9


def test_a_fault_that_is_applied_often_is_reported_once() -> None:
    client = asked(replay(turn().close().takes, f"duplicate@type={THIRD}")).close()
    report = client.machine.report().splitlines()
    assert report[1] == f"fault: duplicate@type={THIRD}: {THIRD} (step 6), and 3 times more"


def test_a_report_with_many_faults_stays_short() -> None:
    faults = [f"duplicate@type={THIRD} nth={at} ms={ms}" for at in (1, 2, 3, 4) for ms in (1, 2, 3)]
    every = [f"duplicate@step={step}" for step in range(3, 11)]
    client = asked(replay(turn().close().takes, *every, *faults)).close()
    report = client.machine.report().splitlines()
    assert len(report) < 12
    assert report[0] == "replay complete"


def test_steps_and_the_url_are_those_of_the_player() -> None:
    machine = FaultyReplay(player(turn().close().takes), plan(["drop@type=x"]), OPENAI)
    machine.reached_at("http://127.0.0.1:9")
    head = RequestHead("GET", "/v1/realtime", "model=gpt-realtime")
    machine.receive(Message(1, "ws.open", head.encode()), 0)
    machine.due(0)
    assert machine.steps.used == 1
    machine.give_up("it was stopped")
    assert machine.failure


def test_a_fault_that_never_struck_is_told() -> None:
    faults = ("drop@type=response.foo", "drop@type=response.done nth=2")
    client = asked(replay(turn().close().takes, *faults)).close()
    assert client.machine.failure is None
    told = [line for line in client.machine.report().splitlines() if "never" in line]
    assert told == [f"note: fault never applied: {fault}" for fault in faults]


def test_a_replay_that_failed_may_not_have_come_to_a_fault() -> None:
    client = replay(turn().close().takes, "drop@type=response.done").open().send("input_audio")
    assert client.machine.failure
    assert "never applied" not in client.machine.report()


def test_a_step_beyond_the_tape_is_refused() -> None:
    machine = player(turn().close().takes)
    FaultyReplay(machine, plan(["drop@step=10"]), OPENAI)
    with pytest.raises(RecorderError, match=r"'drop@step=11': the last step of the provider is 10"):
        FaultyReplay(machine, plan(["drop@step=11"]), OPENAI)
