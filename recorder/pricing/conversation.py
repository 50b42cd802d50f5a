"""What a conversation weighs: seconds of speech and characters of text, turn by turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

_ZERO = Decimal(0)


class Assumptions(NamedTuple):
    """What is taken for granted where nothing tells it; each can be set.

    Audio: OpenAI counts 1 token for 100 ms of the user and for 50 ms of the agent, and the agent's
    speech as text, too (as seen in recorded sessions). `cached_ratio` is the share of the input
    that the model had in the answer before, and that is read from its cache.
    """

    cached_ratio: Decimal = Decimal("0.8")
    instruction_tokens: Decimal = Decimal(600)
    user_tokens_per_s: Decimal = Decimal(10)
    agent_tokens_per_s: Decimal = Decimal(20)
    chars_per_s: Decimal = Decimal(15)
    chars_per_token: Decimal = Decimal(4)
    tool_call_tokens: Decimal = Decimal(24)
    tool_result_tokens: Decimal = Decimal(50)

    def told(self) -> list[str]:
        """One line each."""
        return [
            "each answer has all that was said before as input again, the agent's speech as audio "
            "and as text, up to what the model takes; then the oldest is left out",
            f"{self.cached_ratio * 100:f}% of the input of the answer before is read from a cache",
            f"{self.instruction_tokens} tokens of instructions and tools",
            f"{self.user_tokens_per_s} audio tokens for a second of the user, "
            f"{self.agent_tokens_per_s} for one of the agent; silence is not counted",
            f"{self.chars_per_s} characters in a second of speech, "
            f"{self.chars_per_token} in a token of text",
            f"{self.tool_call_tokens} tokens for a call of a function, "
            f"{self.tool_result_tokens} for its result",
        ]


class Turn(NamedTuple):
    """Seconds and characters of both sides, and how many functions were called."""

    user_s: Decimal
    agent_s: Decimal
    user_chars: Decimal
    agent_chars: Decimal
    tool_calls: int = 0


class Conversation(NamedTuple):
    """Turns in order, and how long all of it lasted."""

    turns: tuple[Turn, ...]
    seconds: Decimal

    @property
    def talk_s(self) -> Decimal:
        """Seconds in which somebody spoke."""
        return sum((turn.user_s + turn.agent_s for turn in self.turns), _ZERO)

    @property
    def talk_ratio(self) -> Decimal:
        """The share of the time in which somebody spoke."""
        return self.talk_s / self.seconds if self.seconds else _ZERO

    def talking(self, ratio: Decimal) -> Conversation:
        """The same turns in the same time, with more or less speech."""
        by = ratio / self.talk_ratio if self.talk_ratio else _ZERO
        turns = (
            Turn(
                turn.user_s * by,
                turn.agent_s * by,
                turn.user_chars * by,
                turn.agent_chars * by,
                turn.tool_calls,
            )
            for turn in self.turns
        )
        return Conversation(tuple(turns), self.seconds)


def planned(
    minutes: Decimal,
    turns_per_minute: Decimal,
    talk_ratio: Decimal,
    agent_share: Decimal,
    assumed: Assumptions,
) -> Conversation:
    """A conversation of equal turns: at least one, and a whole number of them. `talk_ratio` is the
    share of the time in which somebody speaks, `agent_share` the agent's part of that."""
    count = max(1, round(minutes * turns_per_minute))
    spoken = minutes * 60 * talk_ratio / count
    agent, user = spoken * agent_share, spoken * (1 - agent_share)
    turn = Turn(user, agent, user * assumed.chars_per_s, agent * assumed.chars_per_s)
    return Conversation((turn,) * count, minutes * 60)


class Tokens(NamedTuple):
    """Tokens by kind."""

    text: Decimal = _ZERO
    audio: Decimal = _ZERO

    def plus(self, other: Tokens) -> Tokens:
        """The sum."""
        return Tokens(self.text + other.text, self.audio + other.audio)

    def times(self, factor: Decimal) -> Tokens:
        """A part of it."""
        return Tokens(self.text * factor, self.audio * factor)

    @property
    def total(self) -> Decimal:
        """All of them."""
        return self.text + self.audio


class Answer(NamedTuple):
    """One run of the model: all of its input, the part of it that was cached, and its output."""

    turn: int
    given: Tokens
    cached: Tokens
    made: Tokens


def answers(
    talk: Conversation, assumed: Assumptions, *, speaks: bool, limit: int | None = None
) -> Iterator[Answer]:
    """What the model reads and writes: at each answer all that was said before, again.

    `speaks`: it hears and speaks, else it reads and writes. Beyond `limit` tokens the oldest input
    is left out, and of what is cached only the instructions remain.
    """
    head, held, before = Tokens(assumed.instruction_tokens), Tokens(), Tokens()
    history: deque[Tokens] = deque()
    result = Tokens(assumed.tool_result_tokens)
    for number, turn in enumerate(talk.turns, 1):
        new, made = _weights(turn, assumed, speaks=speaks)
        for left in range(turn.tool_calls, -1, -1):
            history.append(new)
            held = held.plus(new)
            was_cut = False
            while limit is not None and head.plus(held).total > limit and len(history) > 1:
                held, was_cut = held.plus(history.popleft().times(Decimal(-1))), True
            given = head.plus(held)
            again = head if was_cut and before.total else before
            written = Tokens(assumed.tool_call_tokens) if left else made
            yield Answer(number, given, again.times(assumed.cached_ratio), written)
            history.append(written)
            held, before, new = held.plus(written), given, result


def _weights(turn: Turn, assumed: Assumptions, *, speaks: bool) -> tuple[Tokens, Tokens]:
    """What the user and the agent say in a turn. The agent's speech counts as text, too."""
    heard = turn.user_s * assumed.user_tokens_per_s
    read = turn.user_chars / assumed.chars_per_token
    words = turn.agent_chars / assumed.chars_per_token
    if not speaks:
        return Tokens(read), Tokens(words)
    return Tokens(audio=heard), Tokens(words, turn.agent_s * assumed.agent_tokens_per_s)
