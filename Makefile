# One way in for people and for CI: `make` lists the targets. Needs GNU make and Python 3.11 or newer.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup demo test faults lint bench lock clean

# The first of these that is new enough; `make PYTHON=/path/to/python3 ...` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v "$$p"; break; }; done)
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --no-input -q
UV := uv==0.13.9
ARGS ?=

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo 'ARGS="..." is handed on by demo, test (to pytest), faults, bench and lock (to uv, as in ARGS=--upgrade).'

setup: $(VENV)/.project $(VENV)/.dev ## Create .venv with all that demo, lint and test need

demo: $(VENV)/.project ## Take the tour: solve the packaged example, run a small study
	$(VENV)/bin/ecosystemiser demo $(ARGS)

test: lint ## Run lint, then all tests but those at full length
	$(VENV)/bin/python -m pytest -m "not slow" -n 2 --no-loadscope-reorder $(ARGS)

faults: setup ## Kill, fill, damage and stop at full length (half an hour), print figures wanted and reached
	$(VENV)/bin/python -m pytest -m slow
	$(VENV)/bin/python -m pytest tests/property --hypothesis-profile=default
	$(VENV)/bin/python -m tests.faults $(ARGS)

lint: setup ## Run ruff, mypy and the import contracts
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo

bench: $(VENV)/.project $(VENV)/.bench ## Measure against the peers; JSON goes to bench-results/
	@mkdir -p bench-results
	$(VENV)/bin/python -m benchmarks $(ARGS)

# Each lock holds to the versions of the one before it, so that all of them fit into one environment.
# --universal: one file for every Python from 3.11 and every platform, with the hashes of all files of a version.
lock: build/lock/.uv ## Write requirements/ anew from pyproject.toml; ARGS=--upgrade for newer versions
	$(COMPILE) pyproject.toml -o requirements/base.txt
	$(COMPILE) --group build -o requirements/build.txt
	$(COMPILE) pyproject.toml --group dev -c requirements/base.txt -c requirements/build.txt -o requirements/dev.txt
	$(COMPILE) --group bench -c requirements/dev.txt -o requirements/bench.txt
	$(COMPILE) --group data --no-deps -c requirements/dev.txt -o requirements/data.txt

COMPILE = build/lock/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(ARGS)

clean: ## Remove .venv, builds and caches; results in data/ and bench-results/ stay
	rm -rf $(VENV) build dist src/*.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find $(wildcard src tests tools benchmarks) -name __pycache__ -type d -prune -exec rm -rf {} +

# What is installed is told by stamp files in .venv. `.runtime` stands for a venv fit for use: it is away while pip
# works, and whoever finds it missing starts from an empty venv. So an interrupted setup is never taken for a done one.

$(VENV)/.runtime: requirements/build.txt requirements/base.txt
	$(require-python)
	@echo "Creating $(VENV) with $(PYTHON) and installing what the program needs ..."
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(PIP) install --require-hashes -r requirements/build.txt -r requirements/base.txt
	@touch $@

$(VENV)/.project: $(VENV)/.runtime pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt requirements/data.txt
	@echo "Installing what the tests need ..."
	@mv $(VENV)/.runtime $(VENV)/.unfinished
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --require-hashes --no-deps -r requirements/data.txt
	@mv $(VENV)/.unfinished $(VENV)/.runtime
	@touch $@

$(VENV)/.bench: $(VENV)/.runtime requirements/bench.txt
	@echo "Installing the peers to measure against ..."
	@mv $(VENV)/.runtime $(VENV)/.unfinished
	@$(PIP) install --require-hashes -r requirements/bench.txt
	@mv $(VENV)/.unfinished $(VENV)/.runtime
	@touch $@

build/lock/.uv: Makefile
	$(require-python)
	@"$(PYTHON)" -m venv --clear build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check -q install $(UV)
	@touch $@

define require-python
	@if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "Python 3.11 or newer is needed; tried $(or $(PYTHON),python3 and python3.14 down to python3.11)." >&2; \
		echo "Install one, or name yours: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; fi
	@if ! "$(PYTHON)" -c 'import ensurepip' 2>/dev/null; then \
		echo "$(PYTHON) cannot create virtual environments: 'ensurepip' is missing." >&2; \
		echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; fi
endef
