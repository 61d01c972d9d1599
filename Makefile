# make study    set up what a study needs, once; then the quickstart study
# make test     set up all, once; then lint and every test
# make check    the same with the fast tests only: three minutes on two cores
# make install  the set-up alone: .venv, pinned dependencies, embedded model
# make lint     ruff and mypy
# make bench    timings against peers; five minutes of them: make bench QUICK=--quick
# make docs     the documentation as a site, in site/
#
# PYTHON chooses the interpreter for .venv: make install PYTHON=python3.12
# WORKERS says how many tests run at once, each with one thread: make test WORKERS=8
# One test alone: .venv/bin/pytest tests/task/test_age.py

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q
PLAIN := $(VENV)/.plain
INSTALLED := $(VENV)/.installed
SHELL := /bin/sh

# pip warns when it runs as root, which is what containers do.
export PIP_ROOT_USER_ACTION = ignore

.DELETE_ON_ERROR:
.PHONY: install study test check lint bench docs clean

install: $(INSTALLED)
	@$(BIN)/equipoise models fetch smollm2-135m-instruct

# What a study needs: the package without extras.
$(PLAIN): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)."; \
	  echo "Name another one: make install PYTHON=python3.12"; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "On Debian and Ubuntu, 'apt install python3-venv' may be missing."; exit 1; }
	@echo "Installing the pinned dependencies (some minutes on first use)"
	@$(PIP) install -c constraints.txt setuptools
	@$(PIP) install -c constraints.txt --no-build-isolation -e .
	@touch $(PLAIN)

# What tests, linters, documentation and benchmarks need besides.
$(INSTALLED): $(PLAIN)
	@echo "Installing the development tools"
	@$(PIP) install -c constraints.txt --no-build-isolation -e ".[dev]"
	@touch $(INSTALLED)

study: $(PLAIN)
	@$(BIN)/equipoise models fetch smollm2-135m-instruct
	@$(BIN)/equipoise run quickstart

test: install lint
	@$(PYTEST)

check: lint
	@$(PYTEST) -m "not (slow or embedded or endpoint or browser or engines)"

lint: $(INSTALLED)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

bench: install
	@for file in benchmarks/bench_*.py; do $(BIN)/python "$$file" $(QUICK) || exit 1; done

docs: $(INSTALLED)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html; search needs a server: $(BIN)/python -m http.server -d site"

clean:
	rm -rf $(VENV) build dist site src/*.egg-info .mypy_cache .pytest_cache .ruff_cache
