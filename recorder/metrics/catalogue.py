"""What each metric is: the text of docs/metrics.md, and the units in the table.

`u_on`, `u_off`: begin and end of the user's speech, by energy in the lane of its microphone.
`a_on`: begin of the agent's, in what the listener heard. `t(x)`: when the recorder read x. A name
with `*` stands for several. Definitions and their origins: research on published tools, of which
each name here is one definition; several of them are of the same turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Final, NamedTuple


class About(NamedTuple):
    """One metric. `absent`: when it has no value."""

    family: str
    unit: str
    per: str  # turn, session, call, answer, interruption
    what: str
    absent: str = ""


CATALOGUE: Final[Mapping[str, About]] = {
    "setup_ms": About(
        "setup",
        "ms",
        "session",
        "From the wish to talk – Vapi `POST /call`, else opening the WebSocket – to a session that"
        " can be talked to: OpenAI `session.created`, Vapi `in-progress`.",
        "the tape begins later",
    ),
    "setup_rest_ms": About(
        "setup", "ms", "session", "`POST /call` until it was answered.", "no REST began the session"
    ),
    "setup_upgrade_ms": About(
        "setup", "ms", "session", "Opening the WebSocket until it was answered.", "no WebSocket"
    ),
    "setup_server_ms": About(
        "setup", "ms", "session", "WebSocket open until the session can be talked to."
    ),
    "setup_config_ms": About(
        "setup", "ms", "session", "First `session.update` until `session.updated`.", "no settings"
    ),
    "greeting_ms": About(
        "setup",
        "ms",
        "session",
        "From a session that can be talked to until the agent is heard, where it speaks first.",
        "the user speaks first",
    ),
    "v2v_ms": About(
        "response",
        "ms",
        "turn",
        "Voice to voice: `a_on − u_off`. The headline: it means the same for every provider. Below"
        " 0 the agent began while the user still spoke.",
        "the turn was typed, or not answered in sound",
    ),
    "arrival_ms": About(
        "response",
        "ms",
        "turn",
        "t(first audio of the agent with a sample above −70 dBFS) − `u_off`.",
        "as `v2v_ms`",
    ),
    "lead_silence_ms": About(
        "response",
        "ms",
        "turn",
        "`a_on` − t(first audio of the agent): silence at its beginning, and waiting in the"
        " player.",
        "no audio",
    ),
    "event_ms": About(
        "response",
        "ms",
        "turn",
        "OpenAI: t(first audio) − t(`speech_stopped`). Vapi: from its stamp of the user's `stopped`"
        " to its stamp of the assistant's `started`, both on its own clock; where it gives no"
        " stamps, as for OpenAI.",
        "the provider did not tell when the user stopped",
    ),
    "event_committed_ms": About(
        "response", "ms", "turn", "t(first audio) − t(`committed`).", "no commit"
    ),
    "event_created_ms": About(
        "response", "ms", "turn", "t(first audio) − t(`response.created`).", "no such event"
    ),
    "event_asked_ms": About(
        "response", "ms", "turn", "t(first audio) − t(our `response.create`).", "we did not ask"
    ),
    "first_token_ms": About(
        "response",
        "ms",
        "turn",
        "t(first words of the agent, transcript or text) − t(`committed`); where there is no"
        " commit, − t(user stopped), else − t(our `response.create`). Words may come before their"
        " sound.",
        "no words",
    ),
    "first_substantive_ms": About(
        "response",
        "ms",
        "turn",
        "First new sound of the agent after the last result of a tool in the turn − `u_off`. What"
        " it was saying when the result came is not new, by the provider's word of its end. On"
        " such turns `v2v_ms` measures the filler.",
        "no tool was called, or nothing new was said after it",
    ),
    "turns_*": About(
        "response",
        "count",
        "session",
        "Spoken turns: `turns_answered` within the deadline, `turns_late` after it, `turns_missed`"
        " without an answer, `turns_censored` where the tape ended before the deadline.",
        "no spoken turn",
    ),
    "response_rate": About(
        "response",
        "ratio",
        "session",
        "answered / (answered + late + missed).",
        "no turn that could be judged",
    ),
    "eos_delay_ms": About(
        "endpointing",
        "ms",
        "turn",
        "t(the provider says that the user stopped) − `u_off`.",
        "it did not say",
    ),
    "eos_delay_stamped_ms": About(
        "endpointing",
        "ms",
        "turn",
        "The same by the provider's own stamp. It holds as far as its clock agrees with ours.",
        "no stamp",
    ),
    "onset_delay_ms": About(
        "endpointing",
        "ms",
        "turn",
        "t(the provider says that the user began) − `u_on`.",
        "it did not say",
    ),
    "stt_delay_ms": About(
        "transcription",
        "ms",
        "turn",
        "t(the user's final transcript) − `u_off`.",
        "no transcript",
    ),
    "wer": About(
        "transcription",
        "ratio",
        "turn",
        "Word error rate of the user's transcript against what was said, without case and"
        " punctuation. OpenAI's transcript is made beside the model and is not what it understood.",
        "it is not known what was said: only a trial's notes tell",
    ),
    "yield_ms": About(
        "interruption",
        "ms",
        "interruption",
        "From `u_on` of the interrupting speech until the agent is silent.",
        "the agent was silent at `u_on`",
    ),
    "yield_detect_ms": About(
        "interruption",
        "ms",
        "interruption",
        "t(the provider hears the user, or says so) − `u_on`.",
        "as `yield_ms`",
    ),
    "yield_act_ms": About(
        "interruption",
        "ms",
        "interruption",
        "From there until the listener dropped what it had not played.",
        "it dropped nothing",
    ),
    "server_tail_ms": About(
        "interruption",
        "ms",
        "interruption",
        "How long after it was detected sound of the answer still came.",
        "none came",
    ),
    "unheard_ratio": About(
        "interruption",
        "ratio",
        "interruption",
        "The share of the answer's audio that nobody heard.",
        "no audio, or nobody told of the interruption",
    ),
    "truncate_error_ms": About(
        "interruption",
        "ms",
        "interruption",
        "Between the `audio_end_ms` that the client told and what was played of the item.",
        "the client told nothing",
    ),
    "agent_interrupts": About(
        "interruption",
        "count",
        "session",
        "Turns in which the agent began while the user still spoke.",
        "no spoken turn was answered",
    ),
    "user_speech_ms": About("floor", "ms", "session", "How long the user spoke.", "no sound"),
    "agent_speech_ms": About("floor", "ms", "session", "How long the agent was heard.", "no sound"),
    "overlap_ms": About("floor", "ms", "session", "How long both spoke.", "no sound"),
    "silence_ms": About(
        "floor",
        "ms",
        "session",
        "How long neither spoke, between the first sound and the last.",
        "no sound",
    ),
    "talk_ratio": About(
        "floor", "ratio", "session", "Agent / (agent + user), in time.", "no sound"
    ),
    "dead_air_ms": About(
        "floor", "ms", "session", "The sum of silences longer than 3 s.", "no sound"
    ),
    "turns": About(
        "floor",
        "count",
        "session",
        "All turns, those that were typed or that the agent began too: the rows of `turn`. How many"
        " were spoken is the sum of `turns_*`.",
    ),
    "wpm": About(
        "floor",
        "per minute",
        "turn",
        "Words of the answer per minute in which it sounded.",
        "it was interrupted, or has no words",
    ),
    "reply_words": About("floor", "count", "turn", "Words of the answer.", "as `wpm`"),
    "tool_decide_ms": About(
        "tools", "ms", "call", "t(the call is complete) − `u_off`.", "the turn was typed"
    ),
    "tool_exec_ms": About(
        "tools", "ms", "call", "From the call until its result was sent.", "no result"
    ),
    "tool_resume_ms": About(
        "tools",
        "ms",
        "call",
        "From the result until the agent says something new, as in `first_substantive_ms`.",
        "nothing new was said after it",
    ),
    "tool_calls": About("tools", "count", "session", "Calls.", "no call"),
    "tool_duplicates": About(
        "tools", "count", "session", "Calls that repeat name and arguments.", "no call"
    ),
    "tool_failures": About(
        "tools",
        "count",
        "session",
        "Calls whose result is an error, or never came whole: `tool_call.failed`.",
        "no call",
    ),
    "tool_invalid": About(
        "tools", "count", "session", "Calls whose arguments are no JSON object.", "no call"
    ),
    "usd": About("cost", "usd", "session", "The bill.", "a price is not known"),
    "usd_per_minute": About(
        "cost", "usd", "session", "The bill per minute from open socket to end.", "as `usd`"
    ),
    "usd_per_turn": About("cost", "usd", "session", "The bill per turn of the user.", "as `usd`"),
    "cached_ratio": About(
        "cost",
        "ratio",
        "session",
        "Cached input tokens / input tokens: what drives the cost of OpenAI Realtime.",
        "nothing is counted in tokens",
    ),
    "required_prebuffer_ms": About(
        "transport",
        "ms",
        "turn",
        "The smallest delay of the start that would have left no gap: max over pieces of"
        " (t − t(first) − audio before it).",
        "fewer than two pieces",
    ),
    "max_gap_ms": About(
        "transport", "ms", "turn", "The longest wait between two pieces.", "as above"
    ),
    "stall_*_ms": About(
        "transport",
        "ms",
        "turn",
        "How long a player that starts 0, 40, 100 or 200 ms late would have stood still.",
        "as above",
    ),
    "delivery_rtf": About(
        "transport",
        "ratio",
        "turn",
        "Audio that came per time: above 1 a burst, below 1 starving.",
        "as above",
    ),
    "clipped_ratio": About(
        "transport", "ratio", "session", "Share of the agent's samples at full scale.", "no audio"
    ),
    "errors": About("reliability", "count", "session", "Errors of every class."),
    "errors_*": About("reliability", "count", "session", "Errors of one class.", "none"),
    "stalls": About(
        "reliability", "count", "session", "How often the provider said that it is late.", "never"
    ),
    "pacing_error_p99_ms": About(
        "reliability",
        "ms",
        "session",
        "How far the client's audio was from real time, at the 99th percentile of its pieces. Above"
        " 10 ms the other values are in doubt.",
        "fewer than two pieces",
    ),
    "realtime_ratio": About(
        "reliability",
        "ratio",
        "session",
        "Audio that the client sent per time, while its microphone was open; valid from 0.99 to"
        " 1.01.",
        "as above",
    ),
    "vendor_*_ms": About(
        "vendor",
        "ms",
        "turn",
        "What Vapi says of a turn, by its own names. How it measures is not published.",
        "it says nothing",
    ),
    "vendor_residual_ms": About(
        "vendor",
        "ms",
        "turn",
        "`v2v_ms` less what Vapi says of transcriber, model and voice: endpointing, transport, and"
        " the rest.",
        "Vapi counts other turns than were answered here",
    ),
}


@cache
def about(metric: str) -> About:
    """What a metric is; KeyError for one that is not in the catalogue."""
    if metric in CATALOGUE:
        return CATALOGUE[metric]
    for name, found in CATALOGUE.items():
        if "*" in name and fnmatchcase(metric, name):
            return found
    raise KeyError(metric)
