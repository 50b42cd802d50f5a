"""A document tells whether somebody has edited it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recorder.decision.sealing import is_intact, sealed

TEXT = "# Decision\n\nStay.\n"


def test_a_document_as_it_was_made_is_intact() -> None:
    assert is_intact(sealed(TEXT))
    assert sealed(TEXT).startswith(TEXT)


def test_what_was_edited_or_is_something_else_is_not() -> None:
    made = sealed(TEXT)
    assert not is_intact(made.replace("Stay", "Switch"))
    assert not is_intact(made + "\n")
    assert not is_intact(TEXT)
    assert not is_intact("")
    assert not is_intact(made.replace("\n", "\r\n"))


@given(st.text(), st.integers(0), st.characters())
def test_any_change_of_a_character_is_noticed(text: str, at: int, new: str) -> None:
    made = sealed(text + "\n")
    where = at % len(made)
    edited = made[:where] + new + made[where + 1 :]
    assert is_intact(edited) == (edited == made)
