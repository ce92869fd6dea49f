# Everything a newcomer types. `make help` lists it.
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
unexport PYTHONDONTWRITEBYTECODE # else every gateway of every test compiles every library anew, which takes seconds

.PHONY: help setup up check test test-real test-all bench fuzz soak docs lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

up: setup ## gateway, demo identity provider, functions and rules; prints calls to try; Ctrl-C ends it
	@$(BIN)/actas up

test: check ## set up, check, and run every test that needs no other system
	@$(PYTEST) -n 2 -q --ignore=tests/real

test-real: setup ## run the flows against real systems: Keycloak, Node, a browser, AWS's clients
	@tools/real-parts.sh
	@$(PYTEST) -q tests/real tests/invoke/test_node.py --timeout 300 --durations 5

test-all: test test-real fuzz soak ## all of it

check: setup ## format, lint, types, layers
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

setup: ## make the virtual environment that the locks describe
	@tools/setup.sh $(VENV)

bench: setup ## benchmarks against named peers, side by side; writes bench/results/
	@tools/bench-peers.sh
	@$(BIN)/python bench/run.py

fuzz: setup ## fuzz every parser for FUZZ_SECONDS each (60); writes bench/results/fuzz.json
	@$(BIN)/python fuzz/run.py --seconds $${FUZZ_SECONDS:-60}

soak: setup ## ten minutes of load with no growth, and fifty kills with nothing lost; writes bench/results/
	@$(BIN)/python bench/soak.py
	@$(BIN)/python bench/events_kills.py --kills $${SOAK_KILLS:-50}

docs: setup ## write the pages that are made from the code: errors, settings schema, condition keys
	@$(BIN)/python tools/docs.py

lock: setup ## write the locks anew after a change of dependencies
	@tools/lock.sh

clean: ## remove what was made here
	rm -rf $(VENV) .actas .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
