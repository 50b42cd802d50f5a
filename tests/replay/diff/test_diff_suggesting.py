"""Which rules a comparison suggests: one for each place, wide enough for all, told once."""

from __future__ import annotations

from diffing import between
from tapes import Script, Take

from replay.diff import Diff
from replay.diff.text import lines


def used(*tokens: int) -> list[Take]:
    script = Script().open()
    for number in tokens:
        script.client("response.create")
        script.provider("response.done", response={"usage": {"output_tokens": number}})
    return script.close().takes


def suggested(found: Diff) -> list[str]:
    told = lines(found, lambda text, **_: text, None, rules=True)
    return [line.strip() for line in told if "accept" in line]


def test_the_largest_amount_is_suggested_once_and_accepts_all() -> None:
    rule = "approx response.done:$.response.usage.output_tokens 15"
    found = between(used(10, 20, 30), used(11, 35, 28))
    assert suggested(found) == [f"accept with: {rule}"]
    assert between(used(10, 20, 30), used(11, 35, 28), rule).differences == ()


def test_of_two_equal_rules_none_is_idle() -> None:
    rule = "approx response.done:$.response.usage.output_tokens 15"
    assert between(used(10), used(11), rule, rule).unused == ()
    assert between(used(10), used(11), "any $.nothing", "any $.nothing").unused == (
        "any $.nothing",
    )


def test_what_no_rule_accepts_is_said() -> None:
    def both(*names: str) -> list[Take]:
        script = Script().open()
        for name in names:
            script.client(f"input_audio_buffer.{name}")
        return script.close().takes

    found = between(both("clear", "commit"), both("commit", "clear"))
    assert suggested(found) == ["no rule accepts another order"]
