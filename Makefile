# Everything a newcomer types. `make help` lists it.
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: help setup check
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## make the virtual environment that the locks describe
	@tools/setup.sh $(VENV)

check: setup ## format, lint, types, layers, promises of the house
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
