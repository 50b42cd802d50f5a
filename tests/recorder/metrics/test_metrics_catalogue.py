"""What is measured is in the catalogue, and the reverse; the page is current."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from recorder.metrics import FAMILIES
from recorder.metrics.catalogue import CATALOGUE, about

ROOT = Path(__file__).parents[3]


def literals() -> set[str]:
    """Every text in the families' files; what varies of a name as `*`."""
    found = set()
    for family in FAMILIES:
        for node in ast.walk(ast.parse((ROOT / f"recorder/metrics/{family}.py").read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [
                    str(part.value) if isinstance(part, ast.Constant) else "*"
                    for part in node.values
                ]
                found.add("".join(parts))
    return found


def test_all_that_is_described_is_measured() -> None:
    assert set(CATALOGUE) <= literals()


def test_families_are_those_of_the_code() -> None:
    assert {each.family for each in CATALOGUE.values()} == set(FAMILIES)


@pytest.mark.parametrize("name", ["v2v_ms", "stall_40_ms", "errors_auth", "vendor_turnLatency_ms"])
def test_names_are_found(name: str) -> None:
    assert about(name).what


def test_other_names_are_not() -> None:
    with pytest.raises(KeyError):
        about("mood")


def test_the_page_is_current() -> None:
    spec = importlib.util.spec_from_file_location("make_metrics", ROOT / "docs/make_metrics.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs/metrics.md").read_text() == module.text(), "run docs/make_metrics.py"
