# Everything a checkout needs. Settings come from the environment:
#   PYTHON=python3.13  the interpreter      VENV=.venv   the virtual environment
#   PORT=8000          the shop's port      VAR_DIR=var  data, logs and addresses of this copy
SHELL := /bin/sh
VENV ?= .venv
VAR_DIR ?= var
export VENV VAR_DIR SEED BATCH
ifneq ($(origin PYTHON),undefined)
export PYTHON
endif
IN_VENV := "$(VENV)/bin/python"

.DEFAULT_GOAL := help
.PHONY: help run test bench chaos lighthouse check messages lock clean

help: ## Show these commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 18

run: ## Start the shop with everything it needs; Ctrl-C stops it
	@sh config/local/venv.sh local
	@exec $(IN_VENV) -m config.local run --with-parent

test: ## Run every check that CI runs
	@sh config/local/venv.sh dev
	@VAR_DIR="$(VAR_DIR)/test" $(IN_VENV) -m config.local exec -- $(IN_VENV) -m config.local.checks

bench: ## Measure the billing run against its floor; takes some minutes
	@sh config/local/venv.sh dev
	@VAR_DIR="$(VAR_DIR)/bench" $(IN_VENV) -m config.local exec -- $(IN_VENV) -m tests.bench $(SECTIONS)

chaos: ## Kill, cut and confuse everything; SEED=N plays the same again; takes a quarter of an hour
	@sh config/local/venv.sh dev
	@VAR_DIR="$(VAR_DIR)/chaos" $(IN_VENV) -m config.local exec -- $(IN_VENV) -m tests.chaos

lighthouse: ## Score the running shop's pages on a slow phone; wants make run beside it, and npm
	@sh config/local/venv.sh dev
	@$(IN_VENV) -m tests.lighthouse

check: ## Style, types and layers only
	@sh config/local/venv.sh dev
	@VAR_DIR="$(VAR_DIR)/test" $(IN_VENV) -m config.local.checks --static

messages: ## Collect new texts, compile the translations, say what is missing
	@sh config/local/venv.sh dev
	@$(IN_VENV) -m config.messages extract
	@$(IN_VENV) -m config.messages compile
	@$(IN_VENV) -m config.messages check

lock: ## Resolve the dependencies again; UPGRADE=--upgrade takes newer ones
	@sh config/local/venv.sh dev
	@sh config/local/lock.sh $(UPGRADE)

clean: ## Remove the data, the environment and the caches of this copy
	@python3 config/local/clean.py
	@rm -rf "$(VENV)" staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
