# Needs Python 3.11 or newer and make, nothing else. `make` alone lists the targets.

PYTHON ?=
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/.stamps
ARGS   ?=

# The lock names every package and its hashes, so pip has nothing left to resolve.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check

UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

# Whatever the shell is set to, the environment has compiled bytecode (start-up takes a third of the time) and stays
# inside $(VENV).
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH PIP_PREFIX PIP_TARGET PIP_USER

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo dev test check fix bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

demo: $(STAMPS)/runtime $(STAMPS)/project ## compare two made-up series, offline
	@$(BIN)/python -m compileall -q src
	@$(BIN)/pairwatch compare demo:LEADER demo:FOLLOWER --format table

dev: $(STAMPS)/dev $(STAMPS)/project ## set up .venv with everything for development

test: dev ## run the tests with a coverage report (ARGS="-k name" for some)
	$(BIN)/python -m pytest --numprocesses auto --cov --cov-report=term-missing $(ARGS)

check: dev ## format, lint, types, import rules, generated docs
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/docs.py --check

fix: dev ## format, apply the safe fixes, write the generated docs
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/python tools/docs.py

bench: dev ## measure against named rivals (minutes)
	@$(BIN)/python -m compileall -q src
	$(BIN)/python benchmarks $(ARGS)

lock: $(STAMPS)/uv ## write the locks anew (ARGS=--upgrade for newer versions)
	$(UV_COMPILE) --group build --output-file requirements.lock $(ARGS)
	$(UV_COMPILE) --group dev --group bench --constraints requirements.lock --output-file requirements-dev.lock $(ARGS)

clean: ## remove everything made here
	rm -rf $(VENV) build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests benchmarks tools -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# --- the environment, one stamp a layer ----------------------------------------------------------------------------------

# PYTHON if given, else the first of these that is new enough.
CANDIDATES := $(if $(PYTHON),$(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)

$(STAMPS)/venv:
	@for python in $(CANDIDATES); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; \
		python=; \
	done; \
	if [ -z "$$python" ]; then \
		found=$$($(firstword $(CANDIDATES)) --version 2>&1) || found="not to be found"; \
		echo "pairwatch needs Python 3.11 or newer, but $(firstword $(CANDIDATES)) is $$found" >&2; \
		echo "hint: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
		exit 1; \
	fi; \
	rm -rf $(VENV); \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/runtime: requirements.lock | $(STAMPS)/venv
	@echo "installing what requirements.lock names (once)" >&2
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements.lock
	@touch $@

$(STAMPS)/dev: requirements-dev.lock | $(STAMPS)/runtime
	@echo "installing what requirements-dev.lock adds (once)" >&2
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

$(STAMPS)/project: pyproject.toml | $(STAMPS)/runtime
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/uv: | $(STAMPS)/venv
	@$(PIP_INSTALL) uv
	@touch $@
