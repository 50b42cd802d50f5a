"""What may be missing or extra must still be right where the tape has it."""

from __future__ import annotations

import pytest
from replaying import Client, player
from tapes import Script, session_object, tone


def interrupted() -> Script:
    """A reply that is cut short while it comes, one message at a time."""
    script = Script().open().provider("session.created", session=session_object())
    script.client("response.create")
    script.provider("response.output_item.added", item={"id": "item_1", "type": "message"})
    script.speak("item_1", tone(800), pace_ms=50)
    script.client("conversation.item.truncate", item_id="item_1", audio_end_ms=400)
    script.speak("item_1", tone(200), pace_ms=50)
    return script.provider("conversation.item.truncated", item_id="item_1", audio_end_ms=400)


@pytest.mark.parametrize("speed", [None, 1.0])
def test_a_truncation_of_another_item_is_wrong(speed: float | None) -> None:
    client = Client(player(interrupted().close().takes, speed)).open().send("response.create")
    client.run(130).send("conversation.item.truncate", item_id="item_0", audio_end_ms=100)
    assert client.machine.failure
    report = client.machine.report()
    assert report.startswith("replay failed: step 10 conversation.item.truncate differs")
    assert "$.item_id" in report


@pytest.mark.parametrize("speed", [None, 1.0])
def test_how_much_was_heard_and_that_it_was_not_truncated_is_time(speed: float | None) -> None:
    client = Client(player(interrupted().close().takes, speed)).open().send("response.create")
    client.run(130).send("conversation.item.truncate", item_id="item_1", audio_end_ms=77).run(500)
    client.close()
    assert client.machine.failure is None
    silent = Client(player(interrupted().close().takes, speed)).open().send("response.create")
    silent.run(9_000).close()
    assert silent.machine.failure is None
    assert "conversation.item.truncate (step 10) did not come in time" in silent.machine.report()


def test_a_truncation_in_another_turn_than_on_the_tape_is_time() -> None:
    script = Script().open().client("response.create")
    script.provider("response.output_item.added", item={"id": "item_0", "type": "message"})
    script.speak("item_0", tone(200))
    script.provider("response.done", response={"id": "resp_0"})
    takes = script.client("response.create").takes + interrupted().close().takes[3:]
    client = Client(player(takes)).open().send("response.create")
    client.send("conversation.item.truncate", item_id="item_0", audio_end_ms=10)
    assert client.machine.failure is None
    assert "conversation.item.truncate came and is not on the tape" in client.machine.report()
