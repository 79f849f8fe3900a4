# `make run` serves promptadmin, `make test` tests it; the README says more.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
DB ?=

.PHONY: help install install-dev run demo test fuzz lint format bench clean

help:
	@echo "make run [DB=path] [PORT=8000]  set up and serve: a new database, or the PromptForge file at path"
	@echo "make demo                       the same with a small legacy file made for the purpose"
	@echo "make test                       run the tests"
	@echo "make fuzz                       thousands of made-up requests against the API"
	@echo "make lint                       ruff, mypy, and a check for missing migrations"
	@echo "make bench                      measure adoption on files of 50,000 and 1,000,000 runs"

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "promptadmin needs Python 3.11 or later: make PYTHON=python3.11 run"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python requirements.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# A path becomes an absolute, quoted URL, so that it may hold blanks.
run: install
	@if [ -n "$(DB)" ]; then \
		DATABASE_URL="$$($(BIN)/python -c 'import pathlib, sys, urllib.parse; print("sqlite:///" + urllib.parse.quote(str(pathlib.Path(sys.argv[1]).absolute())))' "$(DB)")"; \
		export DATABASE_URL; \
	fi; \
	exec $(BIN)/python manage.py serve --host $(HOST) --port $(PORT)

demo: install
	@test -f demo/promptforge.db || $(BIN)/python manage.py make_demo_file demo/promptforge.db
	@PROMPTADMIN_DATA_DIR=demo DATABASE_URL="sqlite:///$(CURDIR)/demo/promptforge.db" $(BIN)/python manage.py serve --host $(HOST) --port $(PORT)

test: install-dev
	$(BIN)/python -m pytest -n auto

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run

format: install-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The tests of made-up requests, with 2,000 for each operation instead of a few.
fuzz: install-dev
	PROMPTADMIN_FUZZ_EXAMPLES=2000 $(BIN)/python -m pytest tests/api/test_made_up_requests.py --timeout 7200

bench: install-dev
	$(BIN)/python -m bench.adoption

clean:
	rm -rf $(VENV) demo *.egg-info
