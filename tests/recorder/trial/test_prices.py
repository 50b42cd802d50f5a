"""A limit is refused where it could not be kept."""

from __future__ import annotations

import pytest
from scenes import scenario

from recorder.errors import RecorderError
from recorder.pricing import PriceBook
from recorder.trial.prices import refuse_uncounted, uncounted
from recorder.trial.scenario import Scenario

BOTH = ("openai", "vapi")
BOOK = PriceBook.shipped()
UNKNOWN = ('voice = "marin"', 'model = "gpt-secret"')
NO_CAP = ("max_cost_usd = 0.5\n", "")


def line(made: Scenario, *, has_budget: bool) -> str | None:
    return uncounted([made], BOTH, BOOK, has_budget=has_budget)


def test_models_of_the_book_can_be_counted() -> None:
    assert line(scenario(), has_budget=True) is None
    refuse_uncounted(None, allowed=False)


def test_a_model_without_a_price_is_named_with_its_scenarios() -> None:
    told = line(scenario(UNKNOWN), has_budget=True)
    assert told is not None
    assert told.endswith("has no price for openai model gpt-secret (small)")
    assert BOOK.label in told


def test_so_is_a_transcriber() -> None:
    told = line(
        scenario(('voice = "marin"', 'transcription = { model = "ears-2" }')), has_budget=True
    )
    assert told is not None
    assert told.endswith("openai transcriber ears-2 (small)")


def test_the_limit_of_a_scenario_counts_as_one_and_without_any_there_is_nothing_to_keep() -> None:
    assert line(scenario(UNKNOWN), has_budget=False) is not None
    assert line(scenario(UNKNOWN, NO_CAP), has_budget=False) is None
    assert line(scenario(UNKNOWN, NO_CAP), has_budget=True) is not None


def test_it_is_refused_with_a_remedy_unless_it_is_allowed() -> None:
    with pytest.raises(RecorderError, match=r"no price; name a model that .* --allow-unpriced"):
        refuse_uncounted("no price", allowed=False)
    refuse_uncounted("no price", allowed=True)
