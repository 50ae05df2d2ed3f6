# Two commands do everything: `make demo` and `make test`.
SHELL := /bin/bash -o pipefail
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
LOCK := requirements.lock

export UNISD_HOME ?= $(CURDIR)/.unisd
export UNISD_PORT := $(or $(PORT),$(UNISD_PORT),8000)

PAGE := app/static/.built
PAGE_SOURCES := $(shell find frontend/src frontend/public frontend/index.html \
	frontend/package-lock.json frontend/vite.config.ts frontend/tsconfig*.json -type f 2>/dev/null)

# Tests of whole installations mostly wait, so two at a time take less than twice the time of one.
BESIDE := --numprocesses 2 --dist worksteal

.PHONY: help demo up test test-full check format page screenshots api-types lock clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed $(PAGE) ## Start everything and run a real self-distillation
	@exec $(BIN)/unisd demo

up: $(VENV)/.installed $(PAGE) ## Start everything on this machine
	@exec $(BIN)/unisd up

test: check ## Install what is needed, run all checks and tests
	scripts/with-node npm --prefix frontend test
	UNISD_CHROMIUM="$$(scripts/find-chromium)" $(BIN)/python -m pytest $(BESIDE)

test-full: check ## The same and the heavier proofs
	scripts/with-node npm --prefix frontend test
	UNISD_CHROMIUM="$$(scripts/find-chromium)" $(BIN)/python -m pytest -m "full or not full"

check: $(VENV)/.installed-dev $(PAGE) ## Linters, types, import contracts, generated API types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	scripts/check-api-types
	scripts/with-node npm --prefix frontend run check

format: $(VENV)/.installed-dev frontend/node_modules/.installed ## Format all code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	scripts/with-node npm --prefix frontend run format

page: $(PAGE) ## Build the page

screenshots: $(VENV)/.installed-dev $(PAGE) ## Take every page, light and dark, into build/screenshots
	UNISD_CHROMIUM="$$(scripts/find-chromium)" $(BIN)/python scripts/screenshots.py

api-types: $(VENV)/.installed-dev frontend/node_modules/.installed ## Generate the page's API types
	$(BIN)/python -m app.openapi frontend/openapi.json
	scripts/with-node npm --prefix frontend run generate:api

lock: ## Lock the newest versions that pyproject.toml allows
	scripts/lock "$(PYTHON)" $(LOCK)

clean: ## Remove what was installed and built; runs and models stay
	rm -rf $(VENV) app/static frontend/node_modules

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed, $(PYTHON) is older; set PYTHON=/path/to/python3.11"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.installed: $(LOCK) pyproject.toml | $(VENV)/bin/python
	$(PIP) install --quiet --constraint $(LOCK) --editable '.[web,train]'
	@touch $@

$(VENV)/.installed-dev: $(LOCK) pyproject.toml | $(VENV)/bin/python
	$(PIP) install --quiet --constraint $(LOCK) --editable '.[web,train,dev]'
	@touch $(VENV)/.installed $@

frontend/node_modules/.installed: frontend/package-lock.json | $(VENV)/bin/python
	scripts/with-node npm --prefix frontend ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGE): frontend/node_modules/.installed $(PAGE_SOURCES)
	scripts/with-node npm --prefix frontend run build
	@touch $@
