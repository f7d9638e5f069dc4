# make demo      the main job, for real, on this machine (ARGS=--once ends by itself)
# make test      the fast tests
# make test-all  the slower tests; they need root and some Debian packages (see .ci/run)
# make check     lint, types, import contracts, Python 3.8 syntax and API
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: demo test test-all test-agent-alone check docs lock clean

demo: $(VENV)/.collector
	$(BIN)/python deploy/demo/demo.py $(ARGS)

test: $(VENV)/.dev
	$(BIN)/pytest -n auto --dist loadfile

test-all: $(VENV)/.dev test-agent-alone
	$(BIN)/pytest -m "slow or browser or crash or snmpd or nspawn or wine"

# The agent with none of the collector's packages, as on a unit's PC: first the program by itself,
# then its tests, which bring pytest and a maker of test certificates.
test-agent-alone: $(VENV)/.dev
	rm -rf build/agent-alone dist && mkdir -p build/agent-alone
	$(BIN)/python -m hatchling build -t wheel
	$(PYTHON) -m venv build/agent-alone/venv
	build/agent-alone/venv/bin/pip install --quiet --require-hashes -r requirements/agent.lock
	build/agent-alone/venv/bin/pip install --quiet --no-deps dist/attt-*.whl
	build/agent-alone/venv/bin/python tests/architecture/agent_alone.py
	build/agent-alone/venv/bin/pip install --quiet --require-hashes -r requirements/agent-test.lock
	build/agent-alone/venv/bin/python -m pytest -q tests/agent

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vermin -q --target=3.8- --violations --no-tips agent/attt_agent rules/attt_rules

docs: $(VENV)/.dev
	$(BIN)/python docs/make_reference.py

COMPILE := pip compile -q --universal --generate-hashes --no-header --no-annotate \
	--python-version 3.11 pyproject.toml
lock: $(VENV)/.dev
	$(BIN)/uv $(COMPILE) --extra collector --group build -o requirements/collector.lock
	$(BIN)/uv $(COMPILE) --extra collector --extra scan --group dev -o requirements/dev.lock
	$(BIN)/uv $(COMPILE) -o requirements/agent.lock
	$(BIN)/uv $(COMPILE) --group agent-test -o requirements/agent-test.lock

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Cần Python 3.11 trở lên; máy này có: $$($(PYTHON) --version 2>&1)." ; \
	  echo "(Python 3.11 or newer is needed. Name another with: make PYTHON=/path/to/python3.12 ...)" ; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.collector: requirements/collector.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --require-hashes -r requirements/collector.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.collector

clean:
	rm -rf $(VENV) build dist demo-data artefacts
