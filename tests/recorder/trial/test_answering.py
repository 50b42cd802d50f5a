"""Answers that are given when they are due."""

from __future__ import annotations

from recorder.trial.answering import Answering, Called


def test_answers_that_are_due_together_are_given_in_the_order_of_their_calls() -> None:
    answering = Answering()
    made = {call: Called("book", "{}", call) for call in ("call_z", "call_a", "call_m")}
    for call, called in made.items():
        answering.add(5, call, called)
    answering.add(3, "call_q", made["call_m"])
    assert answering.next() == 3
    assert answering.due(2) == []
    assert [call for call, _ in answering.due(5)] == ["call_q", "call_z", "call_a", "call_m"]
    assert answering.is_empty
    assert answering.next() is None
