"""`record decide`: the comparison of a trial as a document."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from commandline import out, run
from findings import Made, finding
from library import vapi_call
from small_trial import SCENARIOS, TRIAL, fill, replay
from tapes import conversation

from recorder.commands import decide
from recorder.comparison.result import Comparison
from recorder.decision.sealing import is_intact, sealed
from recorder.derive import refresh
from recorder.store import open_store
from recorder.store.query import asking

HEADS = ("#", "| arm | dollars", "| scenario | file ")
"""Lines that name what the numbers below them are."""


@pytest.fixture(autouse=True, scope="module")
def _in_this_process() -> Iterator[None]:
    """`replay compare` without a process of its own, which one test here has."""
    from replay.commands.compare import compared

    def here(store_url: str, words: list[str]) -> Comparison:
        given = dict(zip(words[1::2], words[2::2], strict=True))
        return compared(store_url, words[0], baseline=given.get("--baseline"))[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decide, "compared", here)
        yield


@pytest.fixture(scope="module")
def page(trial: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "decision.md"
    out(trial, "decide", TRIAL, "-o", str(path), "--minutes", "2500", "--effort", "900")
    return path.read_text()


def test_what_a_replay_says_is_no_evidence(page: str, tmp_path: Path) -> None:
    """Neither for the decision nor for the table of features."""
    path = tmp_path / "tapes.db"
    with closing(open_store(str(path), create=True)) as store:
        first, second = fill(store)[:2]
        replay(store, first, "openai", conversation(interrupted=True))
        replay(store, second, "vapi", vapi_call())
        refresh(store)
    again = tmp_path / "decision.md"
    out(path, "decide", TRIAL, "-o", str(again), "--minutes", "2500", "--effort", "900")
    assert nameless(again.read_text()) == nameless(page)


def nameless(page: str) -> str:
    """Without the ids and digests of tapes, which differ from store to store."""
    return re.sub(r"\b(01[0-9a-z]{24}|[0-9a-f]{32,64})\b", "…", page)


def sections(page: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", page.split("\n[^1]: ")[0], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def footnotes(page: str) -> dict[str, str]:
    return dict(re.findall(r"^\[\^(\d+)\]: (.+)$", page, re.MULTILINE))


def test_the_document_has_every_section(page: str) -> None:
    assert page.startswith(f"# Decision: trial {TRIAL}\n")
    assert list(sections(page)) == [
        "Decision",
        "Prototype",
        "Features",
        "Performance",
        "Cost",
        "Integration effort",
        "Documentation to update",
        "End dates of models",
        "Risks",
        "Not tested",
        "Tapes",
    ]


def test_simulated_data_decides_nothing_and_says_so_loudly(page: str) -> None:
    head = page.split("\n## ")[0]
    assert "**SIMULATED: vapi and openai answered from a simulator;" in head
    found = sections(page)
    assert "**No decision: this was no trial of the live services." in found["Decision"]
    assert "**SIMULATED:" in found["Performance"]
    assert "**SIMULATED:" in found["Cost"]


def test_each_line_with_a_number_carries_where_it_is_from(page: str) -> None:
    body = page.split("\n[^1]: ")[0]
    for line in body.splitlines():
        bare = re.sub(r"\[\^\d+\]", "", line)
        if re.search(r"\d", bare) and not line.startswith(
            ("#", "| arm |", "| scenario |", "| --- ")
        ):
            assert "[^" in line, line
    used = set(re.findall(r"\[\^(\d+)\]", body))
    assert used == set(footnotes(page))


def test_each_query_can_be_asked_again(trial: Path, page: str) -> None:
    asked = 0
    for note in footnotes(page).values():
        line = note.strip("`").strip()
        if line.startswith("record sql "):
            sql, *params = shlex.split(line)[2:]
            given = dict(each.split("=", 1) for each in params if each != "-p")
            with asking(str(trial), sql, given) as (columns, rows):
                assert columns
                list(rows)
            asked += 1
    assert asked > 30


def test_the_prototype_names_files_and_tapes(trial: Path, page: str) -> None:
    found = sections(page)
    for scenario in SCENARIOS:
        row = f"| {scenario} | {scenario}.toml | `{'5c' * 32}` | vapi 1, openai 1 |"
        assert row in found["Prototype"]
    told = json.loads(out(trial, "sessions", "--json"))
    for each in told:
        assert each["id"] in found["Tapes"]
    assert len(re.findall(r"`[0-9a-f]{32}`", found["Tapes"])) == len(told)


def test_cost_is_told_a_minute_a_task_and_a_month(page: str) -> None:
    cost = sections(page)["Cost"]
    assert "| arm | dollars | minutes | runs | a minute | a successful task | 2500 minutes" in cost
    row = next(line for line in cost.splitlines() if line.startswith("| vapi | $0.0"))
    cells = [each.strip() for each in row.split("|")[1:-1]]
    dollars, minutes, rate, month = (float(cells[at].strip("$")) for at in (1, 2, 4, 6))
    assert cells[3] == "2"
    assert rate == pytest.approx(dollars / minutes, rel=0.05)  # minutes are rounded
    assert month == pytest.approx(rate * 2500, rel=0.01)
    assert re.search(r"a switch to openai would (save|cost) \$.+ a migration at \$900\.", cost)
    assert re.search(
        r"openai had 0\.0 % of its input cached; (at \d|openai costs|vapi costs)", cost
    )
    assert "| openai-live | gpt-live-1 | $0.0500 | $125.00 |" in cost


def test_the_effort_counts_what_the_baseline_did(page: str) -> None:
    effort = sections(page)["Integration effort"]
    assert "- Webhooks: " in effort
    assert "server answered: 24; types of these: 5." in effort
    assert "Functions that Vapi called: 1; calls: 2." in effort


def test_end_dates_are_told_with_their_sources(page: str) -> None:
    ends = sections(page)["End dates of models"]
    assert "| openai | gpt-realtime | 2027-01-20 | 121 |" in ends
    assert re.search(r"last run: vapi open, openai failed\.\[\^\d+\]", ends)
    assert "The model gpt-realtime of openai ends on 2027-01-20" in sections(page)["Risks"]


def test_what_was_not_tested_is_told(page: str) -> None:
    found = sections(page)["Not tested"]
    assert "OpenAI GPT-Live: no conversation of this trial" in found
    assert "openai could not express, in barge-in, book-a-table: dtmf: tones." in found


def test_the_same_data_gives_the_same_bytes(trial: Path, tmp_path: Path) -> None:
    path = tmp_path / "decision.md"
    path.write_text(sealed("A decision of another day.\n"))
    assert out(trial, "decide", TRIAL, "-o", str(path)).startswith(f"{path}: No decision: ")
    assert is_intact(path.read_text())
    assert out(trial, "decide", TRIAL, "-o", "-").encode() == path.read_bytes()
    assert [each.name for each in tmp_path.iterdir()] == ["decision.md"]


@pytest.mark.parametrize("edit", ["{}one more line\n", "no document of ours\n"])
def test_what_was_edited_or_is_another_file_is_not_overwritten(
    trial: Path, page: str, tmp_path: Path, edit: str
) -> None:
    path = tmp_path / "decision.md"
    path.write_text(edit.format(page))
    before = path.read_bytes()
    ended = run(trial, "decide", TRIAL, "-o", str(path))
    assert (ended.code, path.read_bytes()) == (2, before)
    assert "was edited, or is none of `record decide`" in ended.error


def test_json_tells_the_decision(trial: Path, tmp_path: Path) -> None:
    path = tmp_path / "decision.md"
    words = ("--json", "--baseline", "openai")
    told = json.loads(out(trial, "decide", TRIAL, "-o", str(path), *words))
    assert (told["file"], told["trial"], told["simulated"]) == (str(path), TRIAL, True)
    [decision] = told["decisions"]
    assert (decision["baseline"], decision["challenger"]) == ("openai", "vapi")
    assert (decision["sure"], decision["doubts"][0]) == ("not at all", "openai was simulated")
    assert decision["near_ends"] == [{"arm": "openai", "model": "gpt-realtime", "days": 121}]
    assert "Run a server that Vapi reaches" in path.read_text()
    assert "`replay compare switch --baseline openai`" in path.read_text()


def test_a_live_trial_is_decided_by_its_verdicts(
    trial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Made((finding("equivalent", "gate"), finding("better")))
    monkeypatch.setattr(decide, "compared", lambda *_: made.comparison)
    path = tmp_path / "decision.md"
    headline = out(trial, "decide", TRIAL, "-o", str(path)).strip().removeprefix(f"{path}: ")
    assert headline.startswith("Not yet: openai is better, with a model that ends soon (gpt-real")
    assert headline.endswith("(by the declared rule)")
    found = sections(path.read_text())
    assert f"**{headline}.**[^1]" in found["Decision"]
    assert re.search(r"- primary better: a sentence\.\[\^\d+\]\[\^1\]", found["Decision"])
    assert "SIMULATED" not in found["Performance"] + found["Cost"] + found["Decision"]


def test_wrong_input_ends_with_one_line(trial: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "decision.md")
    assert run(trial, "decide", "nobody", "-o", path).error.startswith("no trial 'nobody'")
    assert run(trial, "decide", TRIAL, "-o", path, "--minutes", "0").code == 2
    assert run(trial, "decide", TRIAL, "-o", "-", "--json").code == 2
    ended = run(trial, "decide", TRIAL, "-o", str(tmp_path / "no" / "decision.md"))
    assert (ended.code, "cannot be written" in ended.error) == (2, True)
