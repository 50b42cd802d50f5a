# `make demo` and `make test` need Python 3.11 or newer and make; the rest comes from PyPI.
PYTHON ?= python3
export PYTHONDONTWRITEBYTECODE :=  # compiled once, not in each of many processes
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install dev demo test lint bench clean

install: $(VENV)/.installed
dev: $(VENV)/.dev

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: install
	$(BIN)/replay demo

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# With what takes long: whole trials, kills, every client, every mutant, all examples of properties.
test-all: lint
	RECORDER_SLOW=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -rs

bench: dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m benchmarks.run

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis demo
