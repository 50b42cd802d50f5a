"""The house keeps its shape: imports go downward, there is no ring, and pure rooms stay pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Longest prefix wins. A module may import its own rank within its room, or lower ranks.
RANKS = {
    "recorder": 0,
    "recorder.errors": 0,
    "recorder.clock": 0,
    "recorder.events": 1,
    "recorder.heads": 1,
    "recorder.chain": 1,
    "recorder.characters": 1,
    "recorder.counting": 1,
    "recorder.ids": 1,
    "recorder.spans": 1,
    "recorder.audio": 1,
    "recorder.redact": 2,
    "recorder.providers": 2,
    "recorder.projections": 3,
    "recorder.metrics": 3,
    "recorder.pricing": 3,
    "recorder.store": 4,
    "recorder.capture": 5,
    "recorder.recording": 6,
    "recorder.billing": 6,
    "recorder.derive": 6,
    "recorder.background": 6,
    "recorder.hearing": 6,
    "recorder.measuring": 6,
    "recorder.verify": 6,
    "recorder.export": 6,
    "recorder.parquet": 6,
    "recorder.pull": 6,
    "recorder.client": 6,
    "recorder.trial": 6,
    "recorder.report": 7,
    "recorder.comparison": 7,
    "recorder.features": 7,
    "recorder.decision": 7,
    "recorder.commands": 8,
    "recorder.cli": 8,
    "recorder.background_main": 8,
    "recorder.__main__": 8,
    "replay": 0,
    "replay.script": 8,
    "replay.match": 8,
    "replay.player": 9,
    "replay.digest": 9,
    "replay.diff": 9,
    "replay.checks": 9,
    "replay.faults": 9,
    "replay.loopback": 9,
    "replay.caller": 9,
    "replay.crossing": 11,
    "replay.report": 9,
    "replay.simulators": 9,
    "replay.server": 10,
    "replay.taping": 10,
    "replay.speech": 10,
    "replay.appenv": 11,
    "replay.kept": 11,
    "replay.playing": 11,
    "replay.runs": 11,
    "replay.pytest_plugin": 11,
    "replay.sweep": 11,
    "replay.demo": 11,
    "replay.commands": 11,
    "replay.cli": 11,
    "replay.__main__": 11,
}

PURE = (
    "recorder.errors",
    "recorder.events",
    "recorder.heads",
    "recorder.chain",
    "recorder.characters",
    "recorder.spans",
    "recorder.audio.pcm",
    "recorder.audio.sizes",
    "recorder.audio.g711",
    "recorder.audio.vad",
    "recorder.audio.lanes",
    "recorder.audio.silence",
    "recorder.redact",
    "recorder.providers",
    "recorder.projections",
    "recorder.metrics",
    "recorder.pricing",
    "recorder.capture.encode",
    "recorder.trial.answering",
    "recorder.trial.cues",
    "recorder.trial.doubles",
    "recorder.trial.ear",
    "recorder.trial.plan",
    "recorder.trial.scenario",
    "recorder.trial.sounds",
    "recorder.trial.speaker",
    "recorder.trial.toml",
    "recorder.trial.validity",
    "recorder.trial.watch",
    "recorder.report",
    "recorder.comparison.bootstrap",
    "recorder.comparison.comparing",
    "recorder.comparison.criteria",
    "recorder.comparison.declaring",
    "recorder.comparison.documents",
    "recorder.comparison.estimating",
    "recorder.comparison.evidence",
    "recorder.comparison.judging",
    "recorder.comparison.measuring",
    "recorder.comparison.page",
    "recorder.comparison.queries",
    "recorder.comparison.result",
    "recorder.comparison.sentences",
    "recorder.comparison.sources",
    "recorder.comparison.stimuli",
    "recorder.comparison.student",
    "recorder.comparison.text",
    "recorder.features",
    "recorder.decision",
    "replay.script",
    "replay.match",
    "replay.player",
    "replay.digest",
    "replay.diff",
    "replay.checks",
    "replay.faults",
    "replay.loopback",
    "replay.caller",
    "replay.crossing.desk",
    "replay.crossing.sides",
    "replay.crossing.tools",
    "replay.crossing.utterances",
    "replay.simulators",
)
_HOLDS_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)
IMPURE = {"asyncio", "socket", "threading", "time", "os", "subprocess", "secrets", "sqlite3"}
IMPURE |= {"sqlalchemy", "aiohttp", "websockets", "httpx", "click", "soundfile"}
CLOCKS = {"time.time", "time.monotonic", "time.time_ns", "time.monotonic_ns", "time.perf_counter"}
CLOCKS |= {"datetime.now", "datetime.utcnow", "datetime.datetime.now", "datetime.today"}


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("recorder", "replay"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(modules())
PACKAGES = ("recorder", "replay")


def inside(package: str) -> list[str]:
    """The modules of a package."""
    return [name for name in MODULES if name.split(".")[0] == package]


def longest(name: str, table: dict[str, int]) -> str:
    """The longest entry of `table` that `name` is or lies in."""
    fits = [entry for entry in table if name == entry or name.startswith(entry + ".")]
    assert fits, f"{name} has no rank: add it to the table"
    return max(fits, key=len)


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text())


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All of that tree."""
    return list(ast.walk(parsed(path)))


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, outside `if TYPE_CHECKING`."""
    return frozenset(_imported(parsed(path)))


def _imported(tree: ast.AST) -> Iterator[str]:
    if isinstance(tree, ast.If) and "TYPE_CHECKING" in ast.unparse(tree.test):
        return
    if isinstance(tree, ast.Import):
        yield from (alias.name for alias in tree.names)
    elif isinstance(tree, ast.ImportFrom) and tree.module:
        for alias in tree.names:
            inner = f"{tree.module}.{alias.name}"
            yield inner if inner in MODULES else tree.module
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _HOLDS_STATEMENTS):
            yield from _imported(node)


@cache
def own(path: Path) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] in {"recorder", "replay"}}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_downward(package: str) -> None:
    for name in inside(package):
        room = longest(name, RANKS)
        for imported in own(MODULES[name]):
            other = longest(imported, RANKS)
            same_room = room == other or imported.startswith(name) or name.startswith(imported)
            assert same_room or RANKS[other] <= RANKS[room], f"{name} imports {imported} above it"
            assert not (name.startswith("recorder") and imported.startswith("replay"))


def test_there_is_no_import_ring() -> None:
    graph = {name: own(path) - {name} for name, path in MODULES.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"import ring: {' -> '.join((*trail, name))}"
        if name in done:
            return
        for imported in sorted(graph.get(name, ())):
            if not name.startswith(imported + "."):
                visit(imported, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("package", PACKAGES)
def test_pure_rooms_touch_nothing(package: str) -> None:
    for name in (each for each in inside(package) if each.startswith(PURE)):
        used = {imported.split(".")[0] for imported in imports(MODULES[name])}
        assert not used & IMPURE, f"{name} is pure and imports {sorted(used & IMPURE)}"


@pytest.mark.parametrize("package", PACKAGES)
def test_only_the_clock_reads_time(package: str) -> None:
    for name in (each for each in inside(package) if each != "recorder.clock"):
        called = [node.func for node in nodes(MODULES[name]) if isinstance(node, ast.Call)]
        calls = {ast.unparse(each) for each in called if isinstance(each, ast.Attribute)}
        assert not calls & CLOCKS, f"{name} reads the time: {sorted(calls & CLOCKS)}"


@pytest.mark.parametrize("package", PACKAGES)
def test_files_and_functions_stay_small(package: str) -> None:
    for name in inside(package):
        text = MODULES[name].read_text()
        assert len(text.splitlines()) <= 400, f"{name} is longer than 400 lines"
        for node in nodes(MODULES[name]):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                length = node.end_lineno - node.lineno + 1
                assert length <= 60, f"{name}.{node.name} is {length} lines long"


@pytest.mark.parametrize("package", PACKAGES)
def test_public_things_have_docstrings(package: str) -> None:
    for name in inside(package):
        tree = parsed(MODULES[name])
        assert ast.get_docstring(tree), f"{name} has no docstring"
        for node in tree.body:
            named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if named and not node.name.startswith("_"):  # type: ignore[union-attr]
                assert ast.get_docstring(node), f"{name}.{node.name} has no docstring"  # type: ignore[arg-type,union-attr]
