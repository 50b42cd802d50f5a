"""`record features`: the table as text, as Markdown, as JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

from commandline import out, run
from small_trial import TRIAL
from test_features_reading import ROWS

OWN = ROWS.replace("documented.acme", "documented.vapi")


def test_text_says_loudly_what_was_simulated(trial: Path) -> None:
    lines = out(trial, "features", TRIAL).splitlines()
    assert lines[0].startswith("SIMULATED: OpenAI Realtime and Vapi. ")
    shown = next(line for line in lines if line.startswith("Authentication"))
    assert (
        "2 of 2 sessions were let in and could be talked to (SIMULATED); documented: yes" in shown
    )
    at = lines.index(shown)
    assert re.search(r"OpenAI GPT-Live +documented +partly – a server key", lines[at + 2])
    assert any(re.search(r"OpenAI GPT-Live +not tested", line) for line in lines)
    numbers = {int(each) for line in lines for each in re.findall(r" \[(\d+)\]$", line)}
    listed = [line for line in lines if re.match(r"\[\d+\] .+, https://.+, seen \d{4}-", line)]
    assert len(listed) == max(numbers)


def test_json_has_the_query_of_each_cell(trial: Path) -> None:
    told = json.loads(out(trial, "features", TRIAL, "--json"))
    assert [each["id"] for each in told["providers"]] == ["openai-realtime", "vapi", "openai-live"]
    found = {each["id"]: each["cells"] for each in told["features"]}
    cell = found["function-calling"]["vapi"]
    assert (cell["state"], cell["shown"]["shown"], cell["shown"]["of"]) == ("shown", 2, 2)
    assert cell["shown"]["simulated"] is True
    params = [word for pair in cell["shown"]["params"].items() for word in ("-p", "=".join(pair))]
    asked = out(trial, "sql", "--format", "csv", cell["shown"]["query"], *params)
    assert asked.splitlines()[1] == "2,2"
    live = found["voicemail"]["openai-live"]
    assert (live["state"], live["shown"], live["documented"]["support"]) == (
        "documented",
        None,
        "no",
    )
    assert live["documented"]["url"].startswith("https://")


def test_markdown_has_a_footnote_for_each_claim(trial: Path) -> None:
    page = out(trial, "features", TRIAL, "--markdown")
    assert "**SIMULATED: OpenAI Realtime and Vapi." in page
    used = set(re.findall(r"\[\^(\d+)\](?!:)", page))
    defined = re.findall(r"^\[\^(\d+)\]: ", page, re.MULTILINE)
    assert used == set(defined)
    assert len(defined) == len(set(defined))
    rows = [line for line in page.splitlines() if line.startswith("| **")]
    assert all(re.split(r"(?<!\\)\|", row)[1:-1].__len__() == 4 for row in rows)


def test_a_new_row_needs_no_code(trial: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.toml"
    rows.write_text(OWN.replace("SELECT 1, 2", "SELECT count(*) AS shown, 9 AS tried"))
    told = json.loads(out(trial, "features", TRIAL, "--json", "--rows", str(rows)))
    cells = next(each for each in told["features"] if each["id"] == "echo")["cells"]
    assert cells["openai-realtime"]["shown"]["text"] == "4 of 9 echoes"
    assert cells["vapi"]["documented"]["text"] == "a little"
    assert cells["openai-live"]["state"] == "not tested"


def test_what_cannot_be_told_ends_with_one_line(trial: Path, tmp_path: Path) -> None:
    assert run(trial, "features", "nobody").error.startswith("no sessions of trial 'nobody'")
    assert run(trial, "features", TRIAL, "--json", "--markdown").code == 2
    assert run(tmp_path / "none.db", "features", TRIAL).code == 2
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(
        ROWS.replace("documented.acme", "documented.vapi").replace("v_turns", "v_trns")
    )
    ended = run(trial, "features", TRIAL, "--rows", str(wrong))
    assert (ended.code, "\n" in ended.error) == (2, False)
    assert ended.error.startswith("feature echo: the query fails (no such table: v_trns)")
