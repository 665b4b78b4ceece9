# Coinone: `make run` starts everything on this computer, `make test` checks it. The rest is for developers.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
ARGS   ?=

.PHONY: run test check slow long bench sim page lock clean
.DELETE_ON_ERROR:

run: $(VENV)/.ready page  ## node, exchange, demo market and trading page on loopback
	$(BIN)/coinone up $(ARGS)

test: $(VENV)/.test  ## everything that must hold, in minutes, without network or services
	$(BIN)/coinone warm
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.test  ## lint, types, layers
	$(BIN)/ruff check coinone tests bench sim contracts
	$(BIN)/ruff format --check coinone tests bench sim contracts
	$(BIN)/mypy coinone
	$(BIN)/lint-imports

slow: $(VENV)/.test page  ## the second part of CI: bigger vectors, real processes, unmodified clients, a browser
	$(BIN)/coinone warm
	$(BIN)/python -m pytest -m slow $(ARGS)

long: $(VENV)/.test page  ## campaigns of an hour and more
	$(BIN)/coinone warm
	$(BIN)/python -m pytest -m long --timeout=0 $(ARGS)

bench: $(VENV)/.test  ## the tables of docs/benchmarks.md
	$(BIN)/coinone bench $(ARGS)

sim: $(VENV)/.test  ## one simulated world: make sim SEED=7
	$(BIN)/python -m sim --seed $(or $(SEED),1) $(ARGS)

page: $(VENV)/.run  ## the pages, built from web/ with the Node.js that comes as a Python wheel
	$(BIN)/python web/build.py

lock: $(VENV)/.test  ## hash-pinned requirements, without download addresses
	$(BIN)/python -m pip install --quiet pip-tools
	sh requirements/compile.sh

clean:
	rm -rf $(VENV) dist build coinone/interfaces/api/static web/node_modules

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# The kernels compile while the pages are built, once: after that a start takes a few seconds.
$(VENV)/.ready: $(VENV)/.run
	$(BIN)/coinone warm & kernels=$$!; $(BIN)/python web/build.py && wait $$kernels
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@
