"""What is known beside a trial: until when models last, and what a migration changes. It is data:
`data/*.toml`, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Final, NamedTuple

from recorder.features.definitions import Source
from recorder.features.reading import day, question, source, sources
from recorder.trial.toml import Source as Text
from recorder.trial.toml import Table

SCHEMA: Final = 1


class End(NamedTuple):
    """Until when models can be used. `ends` None: no date was found. `after` is what may take their
    place; `is_hearsay` marks what was not read at the vendor's."""

    names: tuple[str, ...]
    ends: date | None
    after: str
    is_hearsay: bool
    source: Source


class Tally(NamedTuple):
    """What the tapes of the provider that is left say about a step. `sql` gives one row of counts,
    which `text` takes by place: `{0} deliveries of {1} types`."""

    sql: str
    text: str


class Step(NamedTuple):
    """What an application has to change."""

    area: str
    text: str
    source: Source
    tally: Tally | None


class Guide(NamedTuple):
    """How to go from one provider to another, by the columns of the table of features. `page` is
    the guide in the documentation; `documents` is what a team has to write anew."""

    leaves: str
    enters: str
    page: str
    steps: tuple[Step, ...]
    documents: tuple[str, ...]


class Knowledge(NamedTuple):
    """All of it."""

    ends: tuple[End, ...]
    guides: tuple[Guide, ...]

    def end(self, model: str) -> End | None:
        """What is known of a model, by its whole name; a vendor before a `/` is left out."""
        name = model.rpartition("/")[2]
        return next((each for each in self.ends if name in each.names), None)

    def guide(self, leaves: str, enters: str) -> Guide | None:
        """The guide from one column to another."""
        return next(
            (each for each in self.guides if (each.leaves, each.enters) == (leaves, enters)), None
        )


def shipped() -> Knowledge:
    """What comes with this program."""
    folder = files("recorder.decision").joinpath("data")
    found = {each.name: each for each in folder.iterdir() if each.name.endswith(".toml")}
    return read({name: found[name].read_text(encoding="utf-8") for name in sorted(found)})


def read(texts: Mapping[str, str]) -> Knowledge:
    """Knowledge from texts by their names; FileError tells what is wrong."""
    ends: list[End] = []
    guides: list[Guide] = []
    for name, text in texts.items():
        table = Text(text, name).root()
        if table.whole("schema") != SCHEMA:
            table.refuse(f"schema has to be {SCHEMA}", "schema")
        named = sources(table)
        ends += [_end(each, named) for each in table.tables("model")]
        if guide := table.table("guide"):
            guides.append(_guide(guide, table, named))
        table.done()
    return Knowledge(tuple(ends), tuple(guides))


def _end(table: Table, named: Mapping[str, Source]) -> End:
    names = table.texts("names")
    if not names:
        table.refuse("names is missing: the models, by their whole names")
    ends = day(table, "ends") if table.has("ends") else None
    found = End(names, ends, table.text("after"), table.flag("hearsay"), source(table, named))
    table.done()
    return found


def _guide(guide: Table, table: Table, named: Mapping[str, Source]) -> Guide:
    steps = tuple(_step(each, named) for each in table.tables("step"))
    found = Guide(
        *(guide.text("leaves"), guide.text("enters"), guide.text("page"), steps),
        guide.texts("documents"),
    )
    guide.done()
    return found


def _step(table: Table, named: Mapping[str, Source]) -> Step:
    count = table.table("count")
    found = Step(
        *(table.text("area"), table.text("text"), source(table, named)),
        Tally(question(count), count.text("text")) if count else None,
    )
    if count:
        count.done()
    table.done()
    return found
