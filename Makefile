# demo, test, check and bench install their dependencies once. Only Python 3.11+, git and make are required.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install -c constraints.txt
ARGS ?=
# Tests mostly wait, so three files run at once on two cores. Each worker starts its own servers.
JOBS ?= 3
export PIP_ROOT_USER_ACTION = ignore

.PHONY: demo test check bench clean
.DEFAULT_GOAL := demo

demo: .venv/.demo
	@$(BIN)/milepost demo $(ARGS)

# Tests start many processes of Python: they read the compiled modules of the first one.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/.dev
	@./tests/install_system_packages
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/.dev
	@$(BIN)/ruff format --check --quiet . || { echo "check: run '$(BIN)/ruff format .'" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache >.venv/lint-imports.log || { cat .venv/lint-imports.log >&2; exit 1; }
	@echo "check: format, lint, types and import rules are in order"

bench: .venv/.dev
	@set -e; for file in bench/bench_*.py bench/*/bench_*.py; do \
		echo "== $$file"; $(BIN)/python -m $$(echo $${file%.py} | tr / .) $(ARGS); \
	done

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/.made:
	@[ -n "$(PYTHON)" ] || { \
		echo "make: Milepost needs Python 3.11 or newer: install it, or name one with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "make: $(PYTHON) has no venv module: install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.demo: .venv/.made pyproject.toml constraints.txt
	@echo "make: installing what Milepost needs into .venv (once)" >&2
	@$(PIP) -e '.[server,embedded]' || { echo "make: the installation failed: see above" >&2; exit 1; }
	@touch $@

.venv/.dev: .venv/.made pyproject.toml constraints.txt
	@echo "make: installing what Milepost and its tests need into .venv (once)" >&2
	@$(PIP) -e '.[server,embedded,dev]' || { echo "make: the installation failed: see above" >&2; exit 1; }
	@touch $@ .venv/.demo
