# Guichet: everything that a clone needs. `make` alone tells what there is.
# Needs Python 3.11 or newer and a package registry. For a CPU build of torch see README.md, "A smaller torch".

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WHAT_IS_NEEDED := pyproject.toml constraints.txt $(wildcard requirements/*.txt)

.DEFAULT_GOAL := help
.PHONY: help demo install test format constraints clean

help: ## show this list
	@echo "Guichet answers a course's candidates in Telegram. Commands:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo "With another Python: make demo PYTHON=python3.12"

demo: $(VENV)/.product ## try it: no token, no server; without a display, a short conversation is played
	@$(BIN)/guichet demo

install: $(VENV)/.product ## make .venv with the command guichet in it, and nothing else
	@echo "Ready: $(BIN)/guichet --help"

test: $(VENV)/.tools ## format, lint, types, imports, tests; stops at the first that fails
	@echo "- format"  && $(BIN)/ruff format --check --quiet . || { echo "Not formatted: run 'make format'."; exit 1; }
	@echo "- lint"    && $(BIN)/ruff check --quiet .
	@echo "- types"   && $(BIN)/mypy
	@echo "- imports" && $(BIN)/lint-imports
	@echo "- tests"   && $(BIN)/pytest

format: $(VENV)/.tools ## format the code, and mend what the linter can mend by itself
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

constraints: ## choose all versions anew (torch stays): writes constraints.txt; use the oldest Python supported
	@rm -rf .make && $(PYTHON) -m venv .make/fresh
	@grep '^torch==' constraints.txt > .make/torch.txt
	@.make/fresh/bin/python -m pip install --quiet -c .make/torch.txt -e '.[dev,benchmark]'
	@grep '^#' constraints.txt > .make/constraints.txt
	@.make/fresh/bin/python -m pip freeze --exclude-editable | sed 's/+[A-Za-z0-9.]*$$//' >> .make/constraints.txt
	@mv .make/constraints.txt constraints.txt && rm -rf .make
	@echo "constraints.txt is new: run 'make test'."

clean: ## remove .venv and caches; the folder data (index, database) stays
	@rm -rf $(VENV) .make build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find bot indexer tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The marks below say what .venv holds; each is made anew when a list of packages is newer. A virtual environment
# that was there before is kept if it works; one whose making was interrupted is begun again. Off a terminal pip says
# only what goes wrong.
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

$(VENV)/.made:
	@$(PYTHON) -c '$(IS_NEW_ENOUGH)' || \
		{ echo "Guichet needs Python 3.11 or newer; '$(PYTHON)' is not. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@{ $(BIN)/python -c '$(IS_NEW_ENOUGH)' && $(BIN)/python -m pip --version; } > /dev/null 2>&1 || \
		$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.product: $(WHAT_IS_NEEDED) | $(VENV)/.made
	@echo "Installing Guichet into $(VENV): the first time, this takes some minutes."
	@if [ -t 1 ]; then quiet=; else quiet=--quiet; fi; \
		$(BIN)/python -m pip --disable-pip-version-check install $$quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.tools: $(WHAT_IS_NEEDED) | $(VENV)/.made
	@echo "Installing Guichet and what its tests need into $(VENV): the first time, this takes some minutes."
	@if [ -t 1 ]; then quiet=; else quiet=--quiet; fi; \
		$(BIN)/python -m pip --disable-pip-version-check install $$quiet -c constraints.txt -e '.[dev]'
	@touch $(VENV)/.product $@
