# Every target makes its own .venv from the hashed locks when it is missing or out of date.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# One more than there are cores: many tests wait for a server, a process or a time-out.
WORKERS := $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))
# EXTRA=scale: with the driver of PostgreSQL and what shares work among machines.
EXTRA ?=
LOCK := requirements$(if $(EXTRA),-$(EXTRA)).lock
RUN := $(VENV)/.installed-run$(if $(EXTRA),-$(EXTRA))
DEV := $(VENV)/.installed-dev
# A venv of its own: what audits the packages must not be among them.
AUDIT_VENV := .venv-audit
AUDIT := $(AUDIT_VENV)/.installed

.PHONY: run demo test check screens bench evaluate soak scale-test lock audit sbom licences clean

run: $(RUN)  ## the bot; without a token it shows the chat in this terminal (EXTRA=scale: with PostgreSQL)
	$(BIN)/liqwatch run

demo: $(RUN)  ## the whole pipeline on a simulated market, no token and no network
	$(BIN)/liqwatch demo

test: $(DEV)  ## all tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not soak and not bench"

check: $(DEV)  ## the linters: ruff, mypy --strict
	$(BIN)/ruff format --check bot tests migrations tools
	$(BIN)/ruff check bot tests migrations tools
	$(BIN)/mypy

screens: $(DEV)  ## every screen of a scripted day in all languages, as a phone shows it: screens/<language>/*.png
	$(BIN)/python -m tests.screens

bench: $(RUN)  ## speed and memory, as figures of one run
	$(BIN)/liqwatch bench --json

evaluate: $(RUN)  ## how good the map is: docs/evaluation.md, from simulated markets and from ../shared/recordings if there
	$(BIN)/python -m bot.evaluation --seeds 3 --days 30 7 --out docs/evaluation.md \
	  $(if $(wildcard ../shared/recordings),--recordings ../shared/recordings)

soak: $(DEV)  ## the long simulations
	$(BIN)/python -m pytest -n auto -m soak --timeout 3600

MINUTES ?= 10
scale-test: $(DEV)  ## workers, a sender and a standby on a PostgreSQL of its own, killed at random for MINUTES (10)
	$(BIN)/python -m tests.scale --minutes $(MINUTES)

lock:  ## renew the locks (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	  --extra build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	  --extra build --extra scale --constraint requirements.lock pyproject.toml -o requirements-scale.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	  --extra build --extra scale --extra dev --constraint requirements-scale.lock pyproject.toml -o requirements-dev.lock
	echo 'pip-audit>=2.9,<3' | uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	  - -o requirements-audit.lock

audit: $(AUDIT)  ## known vulnerabilities of the locked packages; exit code 2 where nobody can tell
	$(AUDIT_VENV)/bin/python -m tools.audit

sbom: $(DEV)  ## what the bot is made of: sbom.json (CycloneDX)
	$(BIN)/python -m tools.sbom sbom.json

licences: $(DEV)  ## under which licences it stands: the list in README.md
	$(BIN)/python -m tools.licences

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Liqwatch needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUN): $(LOCK) pyproject.toml | $(VENV)/bin/python
	$(PIP) --require-hashes -r $(LOCK)
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

$(AUDIT): requirements-audit.lock
	$(PYTHON) -m venv $(AUDIT_VENV)
	$(AUDIT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.lock
	@touch $@

clean:
	rm -rf $(VENV) $(AUDIT_VENV)
