"""The order of runs: pairs next to each other, in an order of chance that a seed fixes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recorder.trial.plan import left, plan

BOTH = ("openai", "vapi")


@given(st.integers(1, 6), st.integers(1, 5), st.integers())
def test_every_run_is_there_once_and_pairs_stand_together(n: int, repeat: int, seed: int) -> None:
    ids = [f"s{number}" for number in range(n)]
    runs = plan(ids, BOTH, repeat, seed)
    assert [run.order for run in runs] == list(range(1, 2 * n * repeat + 1))
    assert len({run.key for run in runs}) == len(runs)
    for first, second in zip(runs[::2], runs[1::2], strict=True):
        assert (first.block, first.scenario, first.repeat) == (
            second.block,
            second.scenario,
            second.repeat,
        )
        assert {first.provider, second.provider} == set(BOTH)
    assert plan(ids, BOTH, repeat, seed) == runs


def test_chance_decides_who_is_first_and_what_comes_next() -> None:
    ids = ["a", "b", "c"]
    runs = plan(ids, BOTH, 20, 1)
    first = [run.provider for run in runs[::2]]
    assert 15 < first.count("openai") < 45
    assert [run.scenario for run in runs] != [run.scenario for run in plan(ids, BOTH, 20, 2)]


def test_what_is_done_is_left_out_and_seeds_do_not_depend_on_it() -> None:
    runs = plan(["a", "b"], BOTH, 2, 1)
    done = {runs[0].key, runs[3].key}
    rest = left(runs, done)
    assert [run.key for run in rest] == [run.key for run in runs if run.key not in done]
    assert len({run.seed(1) for run in runs}) == len(runs)
    assert rest[0].seed(1) == runs[1].seed(1)
