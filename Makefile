# Two commands set everything up: `make demo` and `make test`. Python 3.11 or newer and make are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.runs
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
unexport PYTHONDONTWRITEBYTECODE # else every program that a test starts compiles all its modules again

DOCS := $(VENV)/.docs
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs

.PHONY: demo test test-fast test-postgresql check docs docs-check lint bench chaos replicas image lock clean wheel setup screenshots slack-schemas words governed-year

demo: $(RUNS) ## Play all three people in a browser
	@$(BIN)/python -m bot demo $(DEMO)

# Tests run on every core, three on each (tests/quicker.py); WORKERS=0 runs them in one process, for a debugger. PYTEST adds options: make test PYTEST="-k quorum".
# DATABASE=postgresql runs them all on PostgreSQL, without what only SQLite has; tests with the mark `both` run on each anyway.
# TESTS names folders or files.
WORKERS ?= auto
DATABASE ?= sqlite
PARALLEL := -n $(WORKERS) --maxprocesses 12 --dist worksteal --reruns 2
TESTS ?=
STORING := $(addprefix tests/bot/,background cli decision_log demo evidence reports runtime screens service) \
  $(addprefix tests/,handlers/inbound handlers/outbound rules sandbox slack storage)
FAST := tests/bot/domain tests/bot/test_clock.py tests/bot/test_settings.py tests/handlers/views tests/runbooks tests/storage tests/repository/test_mirror.py

test: $(STAMP) ## Everything that can fail, the browser included (10 to 11 minutes on two cores)
	@tools/chromium
	@tools/nodejs
	TESTS_DATABASE=$(DATABASE) $(BIN)/python -m pytest $(PARALLEL) $(TESTS) $(PYTEST)

test-postgresql: ## What opens a database, once more on PostgreSQL, without whole bots (7 minutes)
	@$(MAKE) --no-print-directory test DATABASE=postgresql TESTS="$(STORING)"

test-fast: $(STAMP) ## The inner loop, in 90 seconds: domain, policy files, views, storage; no browser and no running bot
	$(BIN)/python -m pytest $(PARALLEL) $(FAST) $(PYTEST)

check: $(STAMP) docs-check ## Format, lint, types, arrows, the documentation's links
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(DOCS) ## Serve the documentation on this machine, with search
	$(MKDOCS) serve

docs-check: $(DOCS) ## Build it strictly: a broken link, anchor or lost page fails
	$(MKDOCS) build --strict

setup: $(STAMP)

$(BIN)/python:
	@$(PYTHON) tools/python_is_fit.py
	@$(PYTHON) -m venv $(VENV)

$(RUNS): requirements.lock | $(BIN)/python # what the bot runs on
	@echo "Installing what Countersign runs on into $(VENV) (once)…"
	@$(PIP) --require-hashes -r requirements.lock
	@touch $@

$(STAMP): requirements.lock requirements-dev.lock pyproject.toml | $(BIN)/python # the same versions, the tools and the command
	@echo "Installing Countersign and its tools into $(VENV) (once)…"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-build-isolation -e .
	@touch $(RUNS) $@

$(DOCS): requirements-docs.lock | $(BIN)/python # what builds the documentation
	@echo "Installing what builds the documentation into $(VENV) (once)…"
	@$(PIP) --require-hashes -r requirements-docs.lock
	@touch $@

bench: $(STAMP) ## Measure speed and memory beside their floors; writes bench/results.json
	$(BIN)/python -m bench $(BENCH)

replicas: $(STAMP) ## Two replicas on PostgreSQL against the sandbox; kills the leader and prints how long each press waited
	@$(BIN)/python tools/two_replicas.py $(REPLICAS)

# Four replicas, two of them over HTTP, eight writers; kills, freezes, clocks, full disks, a database that restarts or hangs, Slack at its
# worst. CHAOS_REQUESTS=10000 for the large one, CHAOS_SEED for another.
chaos: $(STAMP) ## Strike replicas, PostgreSQL and Slack, and check every rule afterwards (15 minutes)
	CHAOS_DOMAINS=$${CHAOS_DOMAINS:-16} CHAOS_REPLICAS=$${CHAOS_REPLICAS:-4} CHAOS_WRITERS=$${CHAOS_WRITERS:-8} CHAOS_REQUESTS=$${CHAOS_REQUESTS:-400} CHAOS_KILLS=$${CHAOS_KILLS:-30} CHAOS_PACE=$${CHAOS_PACE:-1} CHAOS_PAUSE=$${CHAOS_PAUSE:-5} \
	  $(BIN)/python -m pytest -q -s -p no:randomly -p no:cacheprovider tests/end_to_end/test_chaos.py

lock: ## Compile the hash-locked requirements again
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml --extra postgres -c requirements-dev.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-image.lock
	$(BIN)/uv pip compile --group docs -c requirements-dev.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-docs.lock

governed-year: $(STAMP) ## A year of reviews, agreements, hand-overs and contract ends (two minutes)
	GOVERNED_YEAR=1 $(BIN)/python -m pytest -q tests/rules/test_governed_year.py

words: $(STAMP) ## Print every sentence that people read, by where it is changed
	@$(BIN)/python tools/words.py

screenshots: $(STAMP) ## The pictures of the README, from the sandbox in Chromium
	@tools/chromium
	$(BIN)/python tools/screenshots.py
	$(BIN)/python tools/pictures.py

slack-schemas: ## JSON Schemas of Slack's own TypeScript types, for tests/slack
	@tools/nodejs
	node tools/node/generate.mjs tests/slack/schemas

image: $(STAMP) ## The steps of the image in a folder of this machine, without a daemon: dist/image
	rm -rf dist/image && tools/image dist/image

wheel: $(STAMP)
	$(BIN)/python -m build --wheel --no-isolation

clean:
	rm -rf $(VENV) .site dist .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
