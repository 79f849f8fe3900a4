# `make run` serves promptadmin, `make test` tests it; the README says more.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
DB ?=
NEW ?=
ARGS ?=
MINUTES ?= 10
KILLS ?= 50
FLIPS ?= 200
STOPPED ?= 10
SELFTEST ?= 200
WEBHOOKS ?= 120
# What a person may type reaches the shell as an environment variable: quotes, $, backticks and blanks in it mean nothing.
# `value` keeps make from expanding it, `unexport` from doing so for the environment.
typed = DB NEW HOST PORT PYTHON ARGS MINUTES KILLS FLIPS STOPPED SELFTEST WEBHOOKS
unexport $(typed)
$(foreach name,$(typed),$(eval export RUN_$(name) = $$(value $(name))))
COMPILE = $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
OUR_CODE = promptadmin projects optimizations

.PHONY: help install install-dev install-clients lock run demo test fuzz proof endurance lint audit sbom format codemirror bench bench-adoption clean

help:
	@echo "make run [PORT=8000]            set up and serve: a new database, or the one that was served last"
	@echo "make run DB=path [NEW=1]        the PromptForge file at path; with NEW=1 a new database there"
	@echo "make demo                       the same with a small legacy file made for the purpose"
	@echo "make test                       run the tests"
	@echo "make fuzz                       thousands of made-up requests and files"
	@echo "make proof                      the long proofs: 50 kills of each kind, 200 flipped bits, PostgreSQL stopped for 10 s, all moved answers"
	@echo "make endurance [MINUTES=10]     readers and writers, with backups and restarts"
	@echo "make lint                       ruff, import-linter, mypy, bandit, and a check for missing migrations"
	@echo "make audit                      known weaknesses of what is installed; needs the internet"
	@echo "make sbom                       what is installed, as CycloneDX, in sbom.json"
	@echo "make lock                       the lock files again, after a change of requirements*.txt"
	@echo "make codemirror                 the editor's file again, from npm's packages (needs Node.js)"
	@echo "make bench                      measure load, latency and growth, up to 1,000,000 runs (needs wrk)"
	@echo "make bench-adoption             measure adoption on files of 50,000 and 1,000,000 runs"

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	@"$$RUN_PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "promptadmin needs Python 3.11 or later: make PYTHON=python3.11 run"; exit 1; }
	@"$$RUN_PYTHON" -m venv $(VENV)

# The lock files hold what the requirements pin and what that needs in turn, with the hashes of the files of every platform.
$(VENV)/.installed: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# Public clients, which the tests of the plugin `clients` run as processes of their own; without them these tests skip.
install-clients: .venv-clients/.installed .venv-clients/node/.installed

.venv-clients/.installed: requirements-clients.lock
	@"$$RUN_PYTHON" -m venv .venv-clients
	.venv-clients/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-clients.lock
	@touch $@

# Those in JavaScript, where there is npm.
.venv-clients/node/.installed: tests/projects/contrib/clients/node/package-lock.json
	@if ! command -v npm >/dev/null; then echo "No npm: the tests of clients in JavaScript will skip"; exit 0; fi; \
	mkdir -p .venv-clients/node && cp tests/projects/contrib/clients/node/package*.json .venv-clients/node && \
	(cd .venv-clients/node && npm ci --ignore-scripts --no-audit --no-fund --silent) && touch $@

# After a change of requirements*.txt. What is not named there keeps its release; remove the lock files to renew it all.
lock:
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || { echo "make lock needs uv: make install-dev, or pip install uv"; exit 1; }
	$(COMPILE) requirements.txt -o requirements.lock
	$(COMPILE) requirements-mcp.txt -c requirements.lock -o requirements-mcp.lock
	$(COMPILE) requirements-lint.txt -c requirements.lock -c requirements-mcp.lock -o requirements-lint.lock
	$(COMPILE) requirements-oidc.txt -c requirements.lock -c requirements-lint.lock -o requirements-oidc.lock
	$(COMPILE) requirements-dev.txt -c requirements.lock -c requirements-mcp.lock -c requirements-lint.lock -c requirements-oidc.lock -o requirements-dev.lock
	$(COMPILE) requirements-clients.txt -o requirements-clients.lock

run: install
	@if [ -n "$$RUN_DB" ]; then \
		DATABASE_URL="$$($(BIN)/python -m promptadmin.db.chosen_database)" || exit 1; \
		export DATABASE_URL; \
	fi; \
	exec $(BIN)/python manage.py serve --host="$$RUN_HOST" --port="$$RUN_PORT"

demo: install
	@test -f demo/promptforge.db || $(BIN)/python manage.py make_demo_file demo/promptforge.db
	@DATABASE_URL="$$(RUN_DB=demo/promptforge.db $(BIN)/python -m promptadmin.db.chosen_database)" || exit 1; \
	PROMPTADMIN_DATA_DIR=demo DATABASE_URL="$$DATABASE_URL" exec $(BIN)/python manage.py serve --host="$$RUN_HOST" --port="$$RUN_PORT"

# The tests start hundreds of processes: where the environment forbids bytecode, each would compile our modules anew.
test: export PYTHONDONTWRITEBYTECODE :=
test: install-dev
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: install-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python $(BIN)/lint-imports --no-logo
	$(BIN)/python -m mypy
	$(BIN)/python -m bandit --quiet --recursive --severity-level high $(OUR_CODE)
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run

# It ends with 3 where not everything could be looked up, which is neither good news nor bad.
audit: install-dev
	$(BIN)/python .ci/audit.py requirements*.lock

# What the product runs on, without what it takes to work on it.
sbom: install-dev
	$(BIN)/python -W ignore::UserWarning -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --output-file sbom.json

format: install-dev
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

# Nobody needs it to install or serve: the file is committed. vendor/codemirror/README.md says more.
codemirror:
	cd vendor/codemirror && npm ci && npm run build

# The tests of made-up requests, broken ones, made-up files and changes, with thousands instead of a few.
fuzz: install-dev
	PROMPTADMIN_FUZZ_EXAMPLES=2000 PROMPTADMIN_RAW_REQUESTS=20000 PROMPTADMIN_FUZZ_FILES=2000 PROMPTADMIN_LEGACY_FILES=2000 \
		PROMPTADMIN_ANY_VALUES=100 PROMPTADMIN_TEST_STAGES=100 PROMPTADMIN_STATISTICS_EXAMPLES=500 \
		PROMPTADMIN_SEARCH_EXAMPLES=500 \
		$(BIN)/python -m pytest tests/api/test_made_up_requests.py tests/api/test_raw_bytes.py \
		tests/exchange/test_fuzzed_imports.py tests/db/test_any_value.py tests/ops/adoption/test_random_files.py \
		tests/ops/adoption/test_last_release.py \
		tests/optimizations/test_stats_rollups.py \
		tests/optimizations/test_search_index.py --timeout 7200
	PROMPTADMIN_EXAMPLES=1000 $(BIN)/python -m pytest -m hypothesis --timeout 7200

# All that is killed, broken or stopped, as often and as long as is promised; it needs PostgreSQL. In `make test` the same
# tests do it a few times. `make proof KILLS=2 FLIPS=10 STOPPED=1 SELFTEST=2 WEBHOOKS=4` shows that each part works.
proof: install-dev
	PROMPTADMIN_REQUIRE_SERVICES=1 PROMPTADMIN_TEST_KILLS="$$RUN_KILLS" PROMPTADMIN_TEST_FLIPS="$$RUN_FLIPS" \
		PROMPTADMIN_TEST_STOPPED_SECONDS="$$RUN_STOPPED" PROMPTADMIN_KILL_SECONDS="$$RUN_WEBHOOKS" PROMPTADMIN_ALL_SAMPLES=1 \
		PROMPTADMIN_TEST_ROUNDS=10 \
		$(BIN)/python -m pytest --timeout 7200 tests/ops/adoption/test_killed.py tests/ops/adoption/test_last_release.py \
		tests/ops/adoption/test_migrations.py tests/ops/adoption/test_bad_input.py tests/ops/test_backup.py \
		tests/ops/test_restore.py tests/ops/test_backup_postgresql.py tests/ops/test_postgresql_move.py \
		tests/ops/test_moved_answers.py tests/api/test_imports_killed.py tests/contrib/test_webhooks_killed.py tests/db/test_postgresql_stopped.py \
		tests/projects/contrib/registry/test_moves_killed.py \
		tests/api/test_replays.py tests/optimizations/test_search_killed.py tests/bench/test_load.py \
		-k "measured or killed or flip or damage or stopped or must_not_be_restored or overtakes or every_answer or again_and_again"
	PROMPTADMIN_REQUIRE_SERVICES=1 PROMPTADMIN_ALL_SAMPLES=1 $(BIN)/python -m pytest --timeout 7200 tests/browser
	PROMPTADMIN_DATA_DIR=$$(mktemp -d) $(BIN)/python manage.py selftest --kill="$$RUN_SELFTEST" --durability fast
	PROMPTADMIN_DATA_DIR=$$(mktemp -d) $(BIN)/python manage.py selftest --kill="$$RUN_SELFTEST" --durability strict

# Readers and writers on one server, a backup every 20 seconds, a restart every minute: nothing lost, failed or stale.
endurance: install-dev
	$(BIN)/python -m tests.support.endurance --minutes="$$RUN_MINUTES"

# Fills the table of docs/performance.md; ARGS="--only history,record" measures parts of it.
bench: install-dev
	set -f; exec $(BIN)/python -m bench $$RUN_ARGS

bench-adoption: install-dev
	$(BIN)/python -m bench.adoption

clean:
	rm -rf $(VENV) demo data/data_dir sbom.json *.egg-info
