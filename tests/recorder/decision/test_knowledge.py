"""What is known beside a trial is data, and is read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.decision.knowledge import read, shipped
from recorder.features.reading import definitions
from recorder.trial.toml import FileError

ROOT = Path(__file__).parents[3]
SOURCE = """\
schema = 1
[[source]]
id = "page"
title = "Acme, Models"
url = "https://acme.example/models"
seen = 2026-11-24
"""
MODEL = """\
[[model]]
names = ["acme-1"]
ends = 2027-01-20
after = "acme-2"
source = "page"
"""
GUIDE = """\
[guide]
leaves = "acme"
enters = "vapi"
page = "docs/x.md"
[[step]]
area = "Audio"
text = "Change it"
source = "page"
[step.count]
query = "SELECT count(*) FROM v_turns WHERE trial = :trial AND provider = :provider"
text = "{0} turns."
"""


def test_a_file_may_have_ends_and_a_guide() -> None:
    found = read({"a.toml": SOURCE + MODEL + GUIDE})
    assert found.end("acme-1") == found.ends[0]
    assert found.ends[0].ends is not None
    guide = found.guide("acme", "vapi")
    assert guide is not None
    assert guide.steps[0].tally is not None
    assert found.guide("vapi", "acme") is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('after = "acme-2"', 'next = "acme-2"', "after is missing"),
        ("ends = 2027-01-20", 'ends = "soon"', "ends has to be a day"),
        ('names = ["acme-1"]', "", "names is missing"),
        ('source = "page"\n[guide]', 'source = "x"\n[guide]', "there is no source 'x'"),
        ('page = "docs/x.md"', 'page = "docs/x.md"\nmood = 1', "unknown key 'mood'"),
        ("trial = :trial AND ", "", "query has to use :trial and :provider"),
        ('text = "{0} turns."', "", "text is missing"),
        ("schema = 1", "schema = 3", "schema has to be 1"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, told: str) -> None:
    text = SOURCE + MODEL + GUIDE
    assert text.count(old) == 1
    with pytest.raises(FileError) as caught:
        read({"a.toml": text.replace(old, new)})
    assert told in str(caught.value)


def test_the_guides_lead_between_columns_of_the_table() -> None:
    columns = {each.id for each in definitions().columns}
    guides = shipped().guides
    assert {(each.leaves, each.enters) for each in guides} == {
        ("vapi", "openai-realtime"),
        ("openai-realtime", "vapi"),
        ("vapi", "openai-live"),
        ("openai-realtime", "openai-live"),
    }
    for guide in guides:
        assert {guide.leaves, guide.enters} <= columns
        areas = {step.area for step in guide.steps}
        assert {"Events", "Webhooks", "Tools", "Storage"} <= areas
        assert guide.documents
        assert (ROOT / guide.page).read_text().startswith("# From ")
