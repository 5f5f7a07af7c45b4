# Each target starts a program of webapp/, tests/, bench/ or .ci/; `make` alone lists them.
.PHONY: help run demo screenshots test tools lint bench psql prove-isolation prove-durable prove-private prove-scale \
	prove-hostile prove-clients prove-container prove-postgres15 prove-cases prove-pythons prove-upgrades lock audit sbom
BIN := .venv/bin
SQL_TESTS := tests/functions tests/guards tests/policies tests/views tests/test_house.py tests/test_supabase_shape.py \
	tests/test_spend_views.py tests/test_isolation.py tests/test_attacks.py tests/test_attacks_on_the_server.py \
	tests/test_attacks_by_statistics.py tests/test_plans_under_row_security.py
# The files of SQL_TESTS that take longest: they try with many made-up rows what the other files run with few.
LONG_SQL_TESTS := test_isolation functions/test_sums functions/test_calls_page functions/test_calls_places \
	functions/test_totals_add_side_by_side functions/test_totals_add_properties functions/test_price_usage_properties \
	functions/test_usage_corrections functions/test_labels_beyond functions/test_reprice functions/test_sums_zones \
	functions/test_spend_pivot functions/test_spend_report
# In the order of tests/conftest.py, which begins with the files that take longest.
# Three workers for two cores: many tests wait for a process or for a deadline and need no core meanwhile.
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder
# Without bytecode every worker would compile the tests, and every gateway the product, again.
unexport PYTHONDONTWRITEBYTECODE
# `value` keeps ARGS as it was typed: SQL may contain $, which make would otherwise expand.
override export ARGS := $(value ARGS)

help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 24

run: .venv/installed ## Start SpendAI: database, migrations, gateway; Ctrl-C stops it, var/ keeps the data
	@$(BIN)/python -m webapp.launch.run

demo: .venv/installed ## Fill a separate demo organization with 90 days of made-up calls, then run
	@$(BIN)/python -m webapp.launch.demo

screenshots: .venv/installed-dev ## Take pictures of every page into screenshots/
	@.ci/chromium
	@$(BIN)/python tests/browser/screenshots.py

test: .venv/installed-dev tools ## Run all tests, the quick ones of SQL on Postgres 15 too; or those in ARGS
	@[ -n "$$ARGS" ] || .ci/postgres15 $(PYTEST) -q $(SQL_TESTS) $(LONG_SQL_TESTS:%=--deselect=tests/%.py)
	@$(PYTEST) $(ARGS)

# .ci/run makes this at the same time as .venv/installed-dev.
tools: | .venv/bin/python ## Install the programs that tests use: Chromium, Postgres 15, PgBouncer, PostgREST, axe, openai-node
	@.ci/tools

lint: .venv/installed-dev ## Check style and migrations
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/squawk db/migrations/*.sql

prove-isolation: .venv/installed-dev ## Try every action as every role on throw-away databases; compare with docs/security.md
	@PYTHONPATH=tests $(BIN)/python -m isolation

prove-durable: .venv/installed-dev ## Kill parts under load, then count: no call lost or double; ARGS="--seconds 600" for long
	@PYTHONPATH=.:tests:tests/webapp $(BIN)/python -m durable.proof $(ARGS)

prove-scale: .venv/installed-dev ## Failovers under load: no call lost or double, pages come from the replica; ARGS="--failovers 30" for long
	@.ci/databases
	@PYTHONPATH=.:tests:tests/webapp $(BIN)/python -m scale.failovers $(ARGS)

prove-private: .venv/installed-dev ## Send marked texts through every route; then look for them in database, logs and files
	@PYTHONPATH=.:tests:tests/webapp $(BIN)/python -m durable.private

prove-hostile: .venv/installed-dev ## Attack what everybody shares: loops, slow and many clients; others must be served; ARGS=--quick
	@PYTHONPATH=.:tests:tests/webapp $(BIN)/python -m hostile.assault $(ARGS)

prove-clients: .venv/installed-dev ## Run every snippet of docs/clients.md with its real client; ARGS=--write, --shared, NAME
	@.ci/clients/install
	@PYTHONPATH=.:tests:tests/webapp $(BIN)/python -m clients.every $(ARGS)

prove-container: .venv/installed-dev ## Build the image, run compose.yaml, stop it in a stream; ARGS="--folder DIR" keeps the images
	@.ci/container
	@PYTHONPATH=.:tests:tests/webapp $(BIN)/python -m container.trial $(ARGS)

prove-postgres15: .venv/installed-dev ## Run all tests of SQL on Postgres 15, of which `make test` runs the quick ones
	@.ci/databases
	@NEEDED=true .ci/postgres15 $(PYTEST) -q $(SQL_TESTS)

prove-cases: .venv/installed-dev tools ## Run all tests with all of their cases, of which `make test` tries some
	@CASES=all $(PYTEST) -q $(ARGS)

prove-pythons: ## Run all tests with each newer Python that is installed; ARGS="python3.13 …" for these
	@.ci/pythons $(ARGS)

prove-upgrades: .venv/installed-dev ## Bring the databases of all earlier versions up to this one: every sum must stay the same
	@CASES=all $(PYTEST) -q tests/upgrade

bench: .venv/installed-dev ## Measure beside nginx, LiteLLM, Portkey; ARGS=--quick, --alone, --streams, --websockets, --rows, --archive, --growth, --beyond; --write
	@PYTHONPATH=.:tests:tests/webapp $(BIN)/python -m bench $(ARGS)

psql: .venv/installed ## Open the database as its owner; ARGS for psql, SQL from stdin
	@$(BIN)/python -m webapp.launch.psql

lock: .venv/bin/python ## Write the lock files from requirements*.txt; ARGS=--upgrade for the newest versions allowed
	@.ci/lock $(ARGS)

audit: .venv/bin/python ## Look up known vulnerabilities of all locked packages (asks the package index)
	@.ci/audit $(ARGS)

sbom: .venv/bin/python ## Write sbom.json: what SpendAI is made of, as CycloneDX
	@$(BIN)/python .ci/sbom.py >sbom.json

# A virtual environment that does not run here, as after the folder was moved or copied, is made again.
ifneq ($(shell $(BIN)/python .ci/unmoved.py 2>/dev/null || echo no),runs)
.PHONY: .venv/bin/python
$(shell rm -f .venv/installed .venv/installed-dev)
endif
.venv/bin/python:
	@.ci/venv >&2

# A lock names all packages (--no-deps) and their hashes. Linux has a wheel of each, macOS builds one or two from source.
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps \
	$(if $(filter Linux,$(shell uname)),--only-binary :all:)

.venv/installed: requirements.lock | .venv/bin/python
	@echo "Installing packages into .venv …" >&2
	@$(INSTALL) -r requirements.lock >&2
	@touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed
	@echo "Installing packages for tests into .venv …" >&2
	@$(INSTALL) -r requirements-dev.lock >&2
	@touch $@
