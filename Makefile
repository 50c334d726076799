# The two commands for a newcomer:
#   make demo    installs autodip into .venv and denoises a simulated image
#   make test    installs the tools as well, and runs every check and test
# Others: make check, make docs (the site, in docs/_build/html), make bench, make format.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
# The build of torch: auto (without CUDA on Linux without an NVIDIA GPU), cpu, or default (what pip takes).
TORCH ?= auto
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
TORCH_BUILD = $$($(BIN)/python install/torch_build.py $(TORCH))

.PHONY: demo test check docs bench format constraints clean

demo: $(VENV)/.installed
	$(BIN)/autodip demo

# One process for each core, each with one thread.
test: check
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed-dev
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/.installed-dev
	$(BIN)/pytest benchmarks --benchmark-only

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Pins that are in constraints.txt stay; delete a line first to have it renewed.
constraints:
	$(PYTHON) install/freeze.py $(TORCH)

clean:
	rm -rf $(VENV)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) $(TORCH_BUILD) -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) $(TORCH_BUILD) -e '.[dev]'
	touch $@ $(VENV)/.installed
