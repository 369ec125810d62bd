# One recipe per job, for people, hooks and CI alike. Needs Python 3.11+ (with venv) and make.

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready node_modules/.ready
PACKETS := $(VENV)/.packets
CDK := node_modules/.bin/cdk
CHEAP := tests/synth tests/aws tests/unit
WORKERS := $(shell $(PYTHON) -c 'import os; print(2 + (os.cpu_count() or 1))' 2>/dev/null)
# A file's tests share what it takes long to deploy, so that one process plays all of them.
PYTEST = python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --quiet

# Node for the CDK comes from the virtual environment; the app and the checks import the function.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := lambda_src
export MYPYPATH := lambda_src

.DEFAULT_GOAL := help
.PHONY: help setup lab doctor soak exhaustive figures test check format synth bootstrap diff deploy destroy mutants bench dataplane lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) $(PACKETS) ## Make .venv and node_modules, as the other recipes do on first use

lab: $(READY) $(PACKETS) ## Watch a failover in a region in a box; ARGS="drill zone-outage" and more: lab/README.md
	@python -m lab $(ARGS)

doctor: $(READY) ## Find in the account of your credentials what would keep a deployment from succeeding
	@python -m lab doctor $(ARGS)

soak: $(READY) ## Run 1 000 drills of mixed faults; fail if one is not recovered
	@python -m lab soak $(ARGS)

exhaustive: $(READY) $(PACKETS) ## Run the tests that play a selection in `make test` with all that they can play
	@$(PYTEST) --exhaustive $(addprefix lab/tests/,account cli drills emulator packets/test_drill.py)
	@$(PYTEST) --hypothesis-profile exhaustive tests/unit tests/aws/test_fuzz.py

figures: $(READY) ## Collect the figures that README and docs print anew (minutes)
	@python -m lab figures

test: $(READY) $(PACKETS) ## Run all tests, the cheap ones first and with their branch coverage; ARGS="tests/unit" for some
ifdef ARGS
	@$(PYTEST) $(ARGS)
else
	@$(PYTEST) --cov --cov-report term $(CHEAP)
	@$(PYTEST) $(CHEAP:%=--ignore=%)
endif

check: $(READY) ## Verify format, lint, types, layers and the boot script
	@ruff format --check --quiet .
	@ruff check --quiet .
	@mypy
	@for app in examples/*/app.py; do mypy $$app || exit 1; done
	@lint-imports
	@shellcheck cdk_nat_failover/instances/boot/*.sh .ci/run

format: $(READY) ## Fix what can be fixed: format and lint
	@ruff check --fix --quiet .
	@ruff format --quiet .

synth: $(READY) ## Write the template, offline, and print where it is
	@$(CDK) synth --quiet $(ARGS)
	@ls -t cdk.out/*.template.json | head -n 1

diff: $(READY) ## Show what a deployment would change in the account
	@$(CDK) diff $(ARGS)

bootstrap: $(READY) ## Prepare the account of your credentials for the CDK, once for each Region
	@$(CDK) bootstrap $(ARGS)

deploy: $(READY) ## Deploy into the account of your credentials
	@$(CDK) deploy $(ARGS)

destroy: $(READY) ## Remove the stack from the account
	@$(CDK) destroy $(ARGS)

mutants: $(READY) ## Mutate what decides and show the mutants that no test kills
	@rm -rf mutants && mkdir -p mutants/tests mutants/src
	@cp -r lambda_src/nat_failover mutants/src && cp -r tests/unit tests/__init__.py mutants/tests && cp pyproject.toml mutants
	@cd mutants && mutmut run --max-children 2 && mutmut results

bench: $(READY) ## Compare the function's speed with a sequential recipe, as a ratio
	@python -m lab.bench.failover

dataplane: $(READY) $(PACKETS) ## Compare the NAT with a plain rule, ARGS="--against FILE" for another: docs/comparison.md
	@python -m lab.bench.dataplane $(ARGS)

lock: $(READY) ## Resolve the pinned versions anew, on purpose
	@uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 --upgrade --group app --group dev pyproject.toml --output-file requirements-dev.txt
	@uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 --upgrade --constraint requirements-dev.txt --group app pyproject.toml --output-file requirements.txt
	@npm update --package-lock-only --no-audit --no-fund

clean: ## Remove everything that the recipes made
	@rm -rf $(VENV) node_modules cdk.out mutants htmlcov .coverage .*_cache

$(VENV)/.ready: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "This needs Python 3.11 or newer and found %s. Name one: make PYTHON=python3.13" % sys.version.split()[0])'
	@echo "Setting up $(VENV): Python packages and Node (minutes, once)"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@# The list constrains too: older versions of pip do not take a pin for one of the same package with an extra.
	@$(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement requirements-dev.txt --constraint requirements-dev.txt
	@touch $@

# Packets need root, Linux and tools of the system, which no Python package brings.
$(PACKETS): $(VENV)/.ready
	@if [ "$$(id -u)" = 0 ] && [ "$$(uname)" = Linux ] && ! (command -v nft && command -v ip && command -v curl && command -v sysctl) >/dev/null; then \
		echo "Installing nftables, iproute2, curl and procps, for packets (seconds, once)"; \
		if command -v apt-get >/dev/null; then \
			apt-get update --quiet --quiet && apt-get install --quiet --quiet --yes --no-install-recommends nftables iproute2 curl procps >/dev/null; \
		elif command -v dnf >/dev/null; then dnf --quiet --assumeyes install nftables iproute curl procps-ng; fi || \
		echo "That failed: packets stay off until they are there"; \
	fi
	@touch $@

node_modules/.ready: package-lock.json $(VENV)/.ready
	@echo "Setting up node_modules: the CDK CLI and the IAM simulator (seconds, once)"
	@npm ci --no-audit --no-fund --loglevel error
	@touch $@
