"""A scenario: what a caller does, what the agent is told, how tools answer, what is expected.

docs/scenarios.md describes the file. Reading is strict, and needs nothing but the text.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from recorder.providers import PROVIDERS
from recorder.trial.toml import Source, Table

Mode = Literal["respond", "yield", "ignore"]

SCHEMA: Final = 1
NOISES: Final = ("cough", "door", "pink", "white", "babble")
ANCHORS: Final = (
    "session_ready",
    "prev_turn_end",
    "agent_speech_start",
    "agent_speech_end",
    "agent_quiet:MS",
    "tool_call:NAME",
)
KEYS: Final = "0123456789*#ABCD"


@dataclass(frozen=True)
class Voice:
    """How `say` becomes sound. `wpm` are words a minute, `pitch` is espeak-ng's 0 to 99;
    `tail_silence_ms` follow what is audible."""

    voice: str = "en-us"
    wpm: int = 160
    pitch: int = 50
    tail_silence_ms: int = 800


@dataclass(frozen=True)
class Tool:
    """A function that the agent may call; `parameters` is its JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Agent:
    """What the agent is told, the same for every provider."""

    instructions: str
    first_message: str | None
    tools: tuple[Tool, ...]


@dataclass(frozen=True)
class Double:
    """How a call of a tool is answered: after `delay_ms` with `result`, with an `error`, with an
    HTTP `status`, or never (`drop`). `name` may be `*`; `when` are arguments that have to be equal,
    and `times` is how often it answers before the next one that fits takes its place."""

    name: str
    when: Mapping[str, Any] = field(default_factory=dict)
    delay_ms: int = 0
    result: Any = None
    error: str | None = None
    status: int | None = None
    drop: bool = False
    times: int | None = None


@dataclass(frozen=True)
class At:
    """When a turn begins: `delay_ms` after an anchor, or `timeout_ms` after the turn before if the
    anchor does not come."""

    after: str = "agent_speech_end"
    delay_ms: int = 0
    timeout_ms: int = 15_000


@dataclass(frozen=True)
class Noise:
    """A sound that is no speech; `level_db` is its RMS below full scale."""

    kind: str
    ms: int
    level_db: float


@dataclass(frozen=True)
class Turn:
    """One thing that the caller does: `say`, a sound `file`, `noise`, keys (`dtmf`) or a silence;
    exactly one of these. `text` is what a `file` says. `expect` are checks (docs/checks.md) as they
    stand in the file."""

    number: int
    mode: Mode
    at: At
    say: str | None = None
    file: str | None = None
    text: str | None = None
    noise: Noise | None = None
    dtmf: str | None = None
    silence_ms: int | None = None
    entities: Mapping[str, Any] = field(default_factory=dict)
    expect: tuple[Mapping[str, Any], ...] = ()

    @property
    def words(self) -> str | None:
        """What is spoken, if that is known."""
        return self.say if self.say is not None else self.text


@dataclass(frozen=True)
class End:
    """When the caller hangs up: the anchor after the last turn, then `quiet_ms` without a word of
    the agent; after `timeout_ms` at the latest, and after `max_s` in all."""

    after: str = "agent_speech_end"
    quiet_ms: int = 1500
    timeout_ms: int = 15_000
    max_s: float = 120.0


@dataclass(frozen=True)
class Budget:
    """Limits of one run; `max_cost_usd` also ends it where the cost is known while it goes on."""

    v2v_p50_ms: float | None = None
    v2v_p90_ms: float | None = None
    cost_per_min_usd: float | None = None
    max_cost_usd: float | None = None


@dataclass(frozen=True)
class Scenario:
    """A whole file. `text` is what it says and `sha256` its digest; `simulated_replies` is what a
    simulator's agent says, and means nothing to a live provider."""

    id: str
    title: str
    tags: tuple[str, ...]
    seed: int
    speaks_first: Literal["user", "agent"]
    voice: Voice
    agent: Agent
    doubles: tuple[Double, ...]
    turns: tuple[Turn, ...]
    end: End
    budget: Budget
    provider: Mapping[str, Mapping[str, Any]]
    simulated_replies: tuple[str, ...]
    sha256: str
    text: str = ""


def is_scenario(text: str) -> bool:
    """Whether a text of TOML is meant to be a scenario: it has turns."""
    try:
        return "turn" in tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return False


def read_scenario(text: str, name: str) -> Scenario:
    """Read the text of a file called `name`; FileError for the first thing that is wrong."""
    source = Source(text, name)
    root = source.root()
    if root.whole("schema") != SCHEMA:
        root.refuse(f"schema has to be {SCHEMA}", "schema")
    speaks_first = root.choice("speaks_first", ("user", "agent"), "user")
    agent = _agent(root)
    simulator = root.table("simulator")
    scenario = Scenario(
        _id(root),
        root.text("title"),
        root.texts("tags"),
        root.whole("seed", 0),
        cast(Literal["user", "agent"], speaks_first),
        _voice(root.table("voice")),
        agent,
        tuple(_double(each, agent) for each in root.tables("tool")),
        tuple(_turns(root, speaks_first, agent)),
        _end(root.table("end"), agent),
        _budget(root.table("budget")),
        _providers(root.table("provider")),
        simulator.texts("replies") if simulator else (),
        hashlib.sha256(text.encode()).hexdigest(),
        text,
    )
    if simulator:
        simulator.done()
    root.done()
    return scenario


def _id(root: Table) -> str:
    found = root.text("id")
    if not found.replace("-", "").replace("_", "").isalnum() or not found.isascii():
        root.refuse(f"id is {found!r}; use letters, digits, - and _", "id")
    return found


def _voice(table: Table | None) -> Voice:
    if table is None:
        return Voice()
    table.choice("engine", ("espeak-ng",), "espeak-ng")
    voice = Voice(
        table.text("voice", Voice.voice),
        table.whole("wpm", Voice.wpm, 80),
        table.whole("pitch", Voice.pitch),
        table.whole("tail_silence_ms", Voice.tail_silence_ms),
    )
    table.done()
    return voice


def _agent(root: Table) -> Agent:
    table = root.table("agent")
    if table is None:
        root.refuse("the table [agent] is missing")
    tools = []
    for each in table.tables("tools"):
        parameters = each.table("parameters")
        schema = dict(parameters.values()) if parameters else {"type": "object", "properties": {}}
        tools.append(Tool(each.text("name"), each.text("description"), schema))
        each.done()
    agent = Agent(table.text("instructions"), table.maybe_text("first_message"), tuple(tools))
    table.done()
    return agent


def _double(table: Table, agent: Agent) -> Double:
    name = table.text("name")
    known = [tool.name for tool in agent.tools]
    if name != "*" and name not in known:
        named = f"they are {', '.join(known)}" if known else "it has none"
        table.refuse(f"no tool of the agent is called {name!r}; {named}", "name")
    when = table.table("when")
    given = [key for key in ("result", "error", "status", "drop") if table.has(key)]
    if len(given) != 1:
        table.refuse("give one of result, error, status, drop")
    status = table.whole("status", least=400) if table.has("status") else None
    double = Double(
        name,
        dict(when.values()) if when else {},
        table.whole("delay_ms", 0),
        table.any("result"),
        table.maybe_text("error"),
        status,
        table.flag("drop"),
        table.whole("times", least=1) if table.has("times") else None,
    )
    table.done()
    return double


def _turns(root: Table, speaks_first: str, agent: Agent) -> list[Turn]:
    tables = root.tables("turn")
    if not tables:
        root.refuse("there are no turns; one begins with [[turn]]")
    turns = []
    for number, table in enumerate(tables, 1):
        first = number == 1 and speaks_first == "user"
        turns.append(_turn(number, table, "session_ready" if first else At.after, agent))
    return turns


def _turn(number: int, table: Table, after: str, agent: Agent) -> Turn:
    ways = ("say", "file", "noise", "dtmf", "silence_ms")
    given = [way for way in ways if table.has(way)]
    if len(given) != 1:
        have = " and ".join(given) or "none"
        table.refuse(f"a turn has one of {', '.join(ways)}; here is {have}")
    if table.has("text") and not table.has("file"):
        table.refuse("text is what a file says, and here is no file", "text")
    mode = table.choice("mode", ("respond", "yield", "ignore"), "respond")
    silence = table.whole("silence_ms", least=1) if table.has("silence_ms") else None
    entities = table.table("entities")
    turn = Turn(
        number,
        cast(Mode, mode),
        _at(table.table("at"), after, agent),
        table.maybe_text("say"),
        table.maybe_text("file"),
        table.maybe_text("text"),
        _noise(table.table("noise")),
        _dtmf(table),
        silence,
        dict(entities.values()) if entities else {},
        tuple(each.values() for each in table.tables("expect")),
    )
    table.done()
    return turn


def _at(table: Table | None, after: str, agent: Agent) -> At:
    if table is None:
        return At(after)
    at = At(
        _anchor(table, after, agent),
        table.whole("delay_ms", At.delay_ms),
        table.whole("timeout_ms", At.timeout_ms, 1),
    )
    table.done()
    return at


def _anchor(table: Table, default: str, agent: Agent) -> str:
    found = table.text("after", default)
    head, _, tail = found.partition(":")
    plain = [name for name in ANCHORS if ":" not in name]
    if head == "agent_quiet" and tail.isascii() and tail.isdigit():
        return found
    if head == "tool_call" and tail in [tool.name for tool in agent.tools]:
        return found
    if found not in plain:
        table.refuse(f"after is {found!r}; valid are {', '.join(ANCHORS)}", "after")
    return found


def _noise(table: Table | None) -> Noise | None:
    if table is None:
        return None
    noise = Noise(
        table.choice("kind", NOISES, "cough"),
        table.whole("ms", 250, 20),
        table.number("level_db", -25.0, None),
    )
    if noise.level_db > -3:
        table.refuse("level_db has to be at most -3: above it noise is cut off", "level_db")
    table.done()
    return noise


def _dtmf(table: Table) -> str | None:
    found = table.maybe_text("dtmf")
    if found is not None and not set(found) <= set(KEYS):
        table.refuse(f"dtmf is {found!r}; valid keys are {KEYS}", "dtmf")
    return found


def _end(table: Table | None, agent: Agent) -> End:
    if table is None:
        return End()
    end = End(
        _anchor(table, End.after, agent),
        table.whole("quiet_ms", End.quiet_ms),
        table.whole("timeout_ms", End.timeout_ms, 1),
        table.number("max_s", End.max_s, 1),
    )
    table.done()
    return end


def _budget(table: Table | None) -> Budget:
    if table is None:
        return Budget()
    budget = Budget(
        table.maybe_number("v2v_p50_ms"),
        table.maybe_number("v2v_p90_ms"),
        table.maybe_number("cost_per_min_usd"),
        table.maybe_number("max_cost_usd"),
    )
    table.done()
    return budget


def _providers(table: Table | None) -> Mapping[str, Mapping[str, Any]]:
    if table is None:
        return {}
    found = {}
    for name in PROVIDERS:
        inner = table.table(name)
        if inner is not None:
            found[name] = dict(inner.values())
    table.done()
    return found
