# make demo      the main job, for real, on this machine (ARGS=--once ends by itself)
# make test      the fast tests
# make test-all  every test; needs root and Debian's snmpd, poppler-utils, chromium (see .ci/run)
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
	$(BIN)/pytest -n auto --dist loadfile -m "not browser and not crash and not snmpd"
	$(BIN)/pytest -m "browser or crash or snmpd"

# The agent with none of the collector's packages: what a unit's PC has.
test-agent-alone: $(VENV)/.dev
	rm -rf build/agent-alone dist && mkdir -p build/agent-alone
	$(BIN)/python -m hatchling build -t wheel
	$(PYTHON) -m venv build/agent-alone/venv
	build/agent-alone/venv/bin/pip install --quiet --require-hashes -r requirements/agent-test.lock
	build/agent-alone/venv/bin/pip install --quiet --no-deps dist/attt-*.whl
	build/agent-alone/venv/bin/python tests/architecture/agent_alone.py

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vermin -q --target=3.8- --violations --no-tips agent/attt_agent rules/attt_rules

docs: $(VENV)/.dev
	$(BIN)/python docs/make_reference.py

lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra collector --group build pyproject.toml -o requirements/collector.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra collector --extra scan --group dev pyproject.toml -o requirements/dev.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group agent-test pyproject.toml -o requirements/agent-test.lock

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
