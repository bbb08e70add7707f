# Everything a person does with this project, by name. `make help` lists it.
#
# Needs Python 3.11 or newer with venv and pip, and a package index. The virtual environment is made once; the
# stamp files in it say which locked requirements are installed, so that a second run starts at once.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
FLASK  := $(PY) -m flask --app wsgi
PIP    := $(PY) -m pip install -qq --disable-pip-version-check --no-input
# More of pytest's options: `make test ARGS="-k giving -x"`; how many tests run at once: `make test JOBS=4`.
ARGS   ?=
JOBS   ?= 2

export PYTHONUNBUFFERED = 1

.DEFAULT_GOAL := help
.PHONY: help run test check format bench bench-long soak seed worker migrate doctor lock clean

help:  ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.installed  ## Start the demonstration: app, Stripe sandbox and article (PORT, SANDBOX_PORT, ARTICLE_PORT)
	@$(PY) -m tools.run_demo

test: $(VENV)/.installed-dev  ## Check the code and run every test (ARGS="-k name", JOBS=2)
	@$(MAKE) --no-print-directory check
	@$(PY) -m pytest --numprocesses=$(JOBS) --dist=worksteal --quiet $(ARGS)

check: $(VENV)/.installed-dev  ## Style, types, layers and templates, without running a test
	@$(PY) -m tools.check

format: $(VENV)/.installed-dev  ## Lay out the code and mend what ruff can mend by itself
	@$(PY) -m ruff check --fix --quiet .
	@$(PY) -m ruff format --quiet .

bench: $(VENV)/.installed-dev  ## Measure against controls, five minutes; writes benchmarks/results.md (ARGS="--only figure page")
	@$(PY) -m benchmarks $(ARGS)

bench-long: $(VENV)/.installed-dev  ## The same with a million donations and more rounds, about half an hour
	@$(PY) -m benchmarks --long $(ARGS)

soak: $(VENV)/.installed-dev  ## The long form of the storms and the malformed requests
	@$(PY) -m pytest --long -m soak --timeout=0 $(ARGS)

seed: migrate  ## Fill an empty database with the demonstration appeal
	@$(FLASK) demo seed --if-empty $(ARGS)

worker: $(VENV)/.installed  ## Work off pending events, mail and scheduled jobs until stopped
	@$(FLASK) work $(ARGS)

migrate: $(VENV)/.installed  ## Bring the database to the newest migration
	@$(FLASK) db upgrade

doctor: $(VENV)/.installed  ## Say what is wrong with settings, database, Stripe, mail and clock
	@$(FLASK) doctor

LOCK := $(PY) -m piptools compile --quiet --generate-hashes --strip-extras --no-emit-index-url \
	--no-emit-find-links --no-emit-trusted-host
lock: $(VENV)/.made  ## Compile requirements*.in into pinned, hashed requirements*.txt
	@$(PIP) pip-tools
	@$(LOCK) --output-file=requirements.txt requirements.in
	@$(LOCK) --output-file=requirements-dev.txt requirements-dev.in

clean:  ## Remove the virtual environment and caches; instance/ and its data stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is %d.%d: make PYTHON=python3.11 ..." % sys.version_info[:2])'
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.txt | $(VENV)/.made
	@echo "Installing the locked requirements ..."
	@$(PIP) --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing what the tests need ..."
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@
